/* A ring of fixed-size entries: text is cut to fit, nothing is allocated. */
#include "gateway/recent.h"

#include <stdlib.h>

#include "base/clock.h"

enum { TEXT_BYTES = 1536, JSON_MAX = 64 * 1024 };

/* Its texts stand one behind the other in `text`, in this order. */
typedef enum part {
    PART_SERVICE,
    PART_METHOD,
    PART_PATH,
    PART_CALLER,
    PART_EXPLANATION,
    PART_FIX,
    PART_LOCAL_FIX,
    PART_COUNT_
} part;

typedef struct entry {
    int64_t wall_us, latency_us;
    unsigned status;
    reason reason;
    proxy_failure failure;
    bool decided, troubled;
    uint16_t lengths[PART_COUNT_];
    char trace[TRACE_ID_LEN + 1];
    char text[TEXT_BYTES];
} entry;

struct recent {
    size_t next;
    size_t count;
    entry ring[RECENT_ENTRIES];
};

recent *recent_new(void)
{
    recent *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    return r;
}

void recent_free(recent *r)
{
    free(r);
}

static void add_part(entry *e, size_t *used, part p, span s, size_t max)
{
    size_t room = TEXT_BYTES - *used;
    size_t n = s.n < max ? s.n : max;
    n = n < room ? n : room;
    if (n)
        memcpy(e->text + *used, s.p, n);
    e->lengths[p] = (uint16_t)n;
    *used += n;
}

/* Without the query: it is the place where secrets are put by mistake. */
static span path_of(span target)
{
    return (span){target.p, span_find(target, '?')};
}

void recent_add(recent *r, const record *rec)
{
    entry *e = &r->ring[r->next];
    r->next = (r->next + 1) % RECENT_ENTRIES;
    r->count += r->count < RECENT_ENTRIES;
    e->wall_us = rec->wall_us;
    e->latency_us = rec->outcome.latency_us;
    e->status = rec->outcome.status;
    e->reason = rec->reason;
    e->failure = rec->outcome.failure;
    e->decided = rec->decided;
    e->troubled = record_troubled(rec);
    memcpy(e->trace, rec->trace->id, sizeof e->trace);
    size_t used = 0;
    add_part(e, &used, PART_SERVICE, span_of(rec->service ? rec->service->name : NULL), 64);
    add_part(e, &used, PART_METHOD, rec->method, 16);
    add_part(e, &used, PART_PATH, path_of(rec->target), 256);
    add_part(e, &used, PART_CALLER, rec->caller, 256);
    add_part(e, &used, PART_EXPLANATION, rec->explanation, 480);
    add_part(e, &used, PART_FIX, rec->fix, 360);
    add_part(e, &used, PART_LOCAL_FIX, rec->local_fix, 200);
}

static span part_of(const entry *e, part p)
{
    size_t at = 0;
    for (part before = 0; before < p; before++)
        at += e->lengths[before];
    return (span){e->text + at, e->lengths[p]};
}

static void add_optional(buf *b, const char *key, span value)
{
    if (value.n == 0)
        return;
    buf_fmt(b, ",\"%s\":", key);
    buf_json(b, value);
}

static char *entry_json(const entry *e)
{
    auto_buf buf b = buf_make(JSON_MAX);
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(e->wall_us, 6, time);
    buf_fmt(&b, "{\"timestamp\":\"%s\",\"status\":%u,\"allowed\":%s", time, e->status,
            e->decided && reason_info(e->reason)->allows ? "true" : "false");
    if (e->decided)
        add_optional(&b, "reason", span_of(reason_info(e->reason)->name));
    add_optional(&b, "service", part_of(e, PART_SERVICE));
    add_optional(&b, "method", part_of(e, PART_METHOD));
    add_optional(&b, "path", part_of(e, PART_PATH));
    add_optional(&b, "caller", part_of(e, PART_CALLER));
    if (e->failure != PROXY_OK)
        add_optional(&b, "failure", span_of(proxy_failure_name(e->failure)));
    add_optional(&b, "explanation", part_of(e, PART_EXPLANATION));
    add_optional(&b, "fix", part_of(e, PART_FIX));
    add_optional(&b, "local_fix", part_of(e, PART_LOCAL_FIX));
    buf_fmt(&b, ",\"latency_us\":%lld,\"trace\":\"%s\"}", (long long)e->latency_us, e->trace);
    return buf_take(&b);
}

static bool matches(const entry *e, const recent_query *q)
{
    if (q->refused && !e->troubled)
        return false;
    return !q->service[0] || span_eq_str(part_of(e, PART_SERVICE), q->service);
}

void recent_collect(const recent *r, const recent_query *q, recent_item **items, size_t *count)
{
    size_t taken = 0;
    for (size_t back = 1; back <= r->count && taken < q->limit; back++) {
        const entry *e = &r->ring[(r->next + RECENT_ENTRIES - back) % RECENT_ENTRIES];
        if (!matches(e, q))
            continue;
        recent_item *grown = realloc(*items, (*count + 1) * sizeof **items);
        if (!grown)
            abort();
        *items = grown;
        grown[(*count)++] = (recent_item){e->wall_us, entry_json(e)};
        taken++;
    }
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = ((const recent_item *)a)->wall_us;
    int64_t y = ((const recent_item *)b)->wall_us;
    return (x < y) - (x > y);
}

void recent_sort(recent_item *items, size_t count)
{
    if (count)
        qsort(items, count, sizeof *items, newest_first);
}
