/* Each of the ring's requests becomes the JSON that the list of decisions has, too. */
#include "cli/backend_follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/gateway_backend.h"
#include "gateway/follow.h"

enum { DECISION_MAX = 256 * 1024, ID_FIRST_PART = 16 };

typedef struct following {
    control_follower to;
    follower *from;
    buf text;
} following;

recent_query backend_decisions_query(const control_decisions_query *q)
{
    _Static_assert(sizeof q->service == sizeof((recent_query *)0)->service, "one limit");
    _Static_assert(sizeof q->caller == sizeof((recent_query *)0)->caller, "one limit");
    _Static_assert(sizeof q->reason == sizeof((recent_query *)0)->reason, "one limit");
    _Static_assert(sizeof q->id == sizeof((recent_query *)0)->id, "one limit");
    recent_query out = {.limit = q->limit, .refused = q->refused, .allowed = q->allowed};
    memcpy(out.id, q->id, sizeof out.id);
    memcpy(out.service, q->service, sizeof out.service);
    memcpy(out.caller, q->caller, sizeof out.caller);
    memcpy(out.reason, q->reason, sizeof out.reason);
    return out;
}

static void on_decisions(void *ctx, const recent_item *items, size_t count, uint64_t missed,
                         bool gap)
{
    following *f = ctx;
    if (missed || gap)
        f->to.missed(f->to.arg, missed);
    for (size_t i = 0; i < count; i++) {
        char id[INSERT_ID_LEN + 1];
        recent_insert_id(items[i].request, id);
        buf_clear(&f->text);
        recent_decision(items[i].request, &f->text);
        if (buf_ok(&f->text))
            f->to.decision(f->to.arg, (span){id, INSERT_ID_LEN}, buf_view(&f->text));
    }
    f->to.done(f->to.arg);
}

static unsigned digit(char c)
{
    return c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a' + 10) & 15U;
}

/* The first part of an insertId; 0, which no request has, when it is not that long. */
static uint64_t first_part(span id)
{
    uint64_t n = 0;
    if (id.n < ID_FIRST_PART)
        return 0;
    for (size_t i = 0; i < ID_FIRST_PART; i++)
        n = n << 4 | digit(id.p[i]);
    return n;
}

void *backend_follow(void *ctx, const control_decisions_query *q, span after,
                     const control_follower *to)
{
    const gateway_backend *b = ctx;
    following *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->to = *to;
    f->text = buf_make(DECISION_MAX);
    f->from = process_follow(b->process, &(follow_options){.query = backend_decisions_query(q),
                                                           .resumes = after.n != 0,
                                                           .after = first_part(after),
                                                           .on_decisions = on_decisions,
                                                           .ctx = f});
    return f;
}

void backend_unfollow(void *ctx, void *what)
{
    (void)ctx;
    following *f = what;
    process_unfollow(f->from);
    buf_free(&f->text);
    free(f);
}
