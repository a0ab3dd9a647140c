/* Decisions as they are made, as server-sent events (https://html.spec.whatwg.org/#server-sent-
 * events): a browser's EventSource or `curl -N` reads them, and goes on where it was cut off. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/attr.h"
#include "control/control_impl.h"
#include "control/reply.h"

enum {
    STREAMS_MAX = 16,
    HEARTBEAT_US = 15 * 1000 * 1000, /* so that nobody between takes the silence for the end */
    BACKLOG_MAX = 8 * 1024 * 1024,
    EVENTS_MAX = 4 * 1024 * 1024, /* what waits for a slow reader; more is missed, and it is told */
    ID_MAX = CONTROL_INSERT_ID_MAX
};

typedef struct decision_stream {
    control *control;
    struct decision_stream *next, **link; /* among the open ones */
    http_stream *stream;
    void *following;
    loop_timer heartbeat;
    uint64_t missed; /* not told yet */
    bool gap;        /* and nobody knows how many */
    buf text;        /* events that are passed on together */
} decision_stream;

/* Without the stream, which is somebody else's by now. */
static void end(decision_stream *d)
{
    control *c = d->control;
    c->backend.unfollow(c->backend.ctx, d->following);
    loop_timer_cancel(c->loop, &d->heartbeat);
    *d->link = d->next;
    if (d->next)
        d->next->link = d->link;
    c->streams--;
    buf_free(&d->text);
    free(d);
}

static void on_gone(void *ctx)
{
    end(ctx);
}

static bool send_text(decision_stream *d, span text)
{
    if (http_stream_write(d->stream, text)) {
        loop_timer_set(d->control->loop, &d->heartbeat,
                       loop_now_us(d->control->loop) + HEARTBEAT_US);
        return true;
    }
    end(d);
    return false;
}

static void on_heartbeat(loop_timer *t)
{
    (void)send_text(container_of(t, decision_stream, heartbeat), SPAN_LIT(": still here\n\n"));
}

/* ---- what the follower is told ---- */

static void on_decision(void *arg, span id, span json)
{
    decision_stream *d = arg;
    if (http_stream_waiting(d->stream) + d->text.n + json.n > EVENTS_MAX) {
        d->missed++;
        return;
    }
    buf_fmt(&d->text, "id: %.*s\nevent: decision\ndata: %.*s\n\n", SPAN_ARG(id), SPAN_ARG(json));
}

static void on_missed(void *arg, uint64_t count)
{
    decision_stream *d = arg;
    d->missed += count;
    d->gap |= count == 0;
}

static void on_done(void *arg)
{
    decision_stream *d = arg;
    auto_buf buf all = buf_make(BACKLOG_MAX);
    if (d->gap)
        buf_str(&all, "event: missed\ndata: {\"missed\":null}\n\n");
    else if (d->missed)
        buf_fmt(&all, "event: missed\ndata: {\"missed\":%" PRIu64 "}\n\n", d->missed);
    d->gap = false;
    d->missed = 0;
    buf_span(&all, buf_view(&d->text));
    buf_clear(&d->text);
    if (all.n)
        (void)send_text(d, buf_view(&all));
}

void decision_streams_reset(control *c)
{
    for (decision_stream *d = c->first_stream; d;) {
        decision_stream *next = d->next;
        buf_clear(&d->text);
        d->missed = 0;
        d->gap = false;
        (void)send_text(d, SPAN_LIT("event: reset\ndata: {}\n\n"));
        d = next;
    }
}

/* ---- opening ---- */

static bool is_id(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return s.n && s.n <= ID_MAX;
}

static void open_stream(control *c, http_request *r, const control_decisions_query *q, span after)
{
    static const http_field fields[] = {{"Content-Type", "text/event-stream"},
                                        {"Cache-Control", "no-store"},
                                        {"X-Content-Type-Options", "nosniff"},
                                        {0}};
    decision_stream *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    d->control = c;
    d->text = buf_make(BACKLOG_MAX);
    d->heartbeat.fire = on_heartbeat;
    auto_buf buf last_seen = buf_make(ID_MAX); /* the request's texts end with its answer */
    buf_span(&last_seen, after);
    const control_follower f = {
        .decision = on_decision, .missed = on_missed, .done = on_done, .arg = d};
    d->stream = http_stream_open(
        r, 200, fields,
        &(http_stream_options){.backlog_max = BACKLOG_MAX, .on_gone = on_gone, .ctx = d});
    if (!d->stream) {
        free(d);
        return;
    }
    c->streams++;
    d->next = c->first_stream;
    if (d->next)
        d->next->link = &d->next;
    d->link = &c->first_stream;
    c->first_stream = d;
    d->following = c->backend.follow(c->backend.ctx, q, buf_view(&last_seen), &f);
    /* It tells the reader that it listens, and how soon to come back when it is cut off. */
    (void)send_text(d, SPAN_LIT("retry: 1000\n\n"));
}

void serve_decision_stream(control *c, http_request *r)
{
    control_decisions_query q;
    if (!decisions_query_read(r, "backlog", 0, 0, &q))
        return;
    const span after = http_header(r, "Last-Event-ID");
    if (after.n && !is_id(after))
        reply_error(r, 400, NULL, "Last-Event-ID is the id of a decision");
    else if (c->streams >= STREAMS_MAX)
        reply_error(r, 503, NULL, "%d streams of decisions are open already", STREAMS_MAX);
    else
        open_stream(c, r, &q, after);
}
