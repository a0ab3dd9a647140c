/* A ring of requests: their texts are cut to fit, and of its memory only what is used is touched.
 */
#include <stdlib.h>

#include "base/ring.h"
#include "gateway/recent_impl.h"

struct recent {
    ring *ring;
};

recent *recent_new(void)
{
    recent *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->ring = ring_new(RECENT_BYTES, RECENT_ENTRIES);
    return r;
}

void recent_free(recent *r)
{
    if (!r)
        return;
    ring_free(r->ring);
    free(r);
}

/* ---- adding ---- */

static const size_t longest[PART_COUNT_] = {
    [PART_SERVICE] = 64,       [PART_REVISION] = 80,     [PART_INSTANCE] = INSTANCE_ID_LEN,
    [PART_METHOD] = 16,        [PART_HOST] = 256,        [PART_TARGET] = 512,
    [PART_PROTOCOL] = 16,      [PART_USER_AGENT] = 256,  [PART_REFERER] = 256,
    [PART_REMOTE_IP] = 64,     [PART_SERVER_IP] = 64,    [PART_CALLER] = 256,
    [PART_GRANTED_FILE] = 256, [PART_EXPLANATION] = 480, [PART_FIX] = 360,
    [PART_LOCAL_FIX] = 200};

/* What there is to say, cut to what is kept of it; returns how much that is together. */
static size_t gather(const record *rec, span parts[PART_COUNT_])
{
    const service *s = rec->service;
    size_t n = 0;
    parts[PART_SERVICE] = span_of(s ? s->name : NULL);
    parts[PART_REVISION] = span_of(s ? s->revision : NULL);
    parts[PART_INSTANCE] = s && rec->outcome.forwarded
                               ? (span){rec->view->services[s->index].instance_id, INSTANCE_ID_LEN}
                               : (span){0};
    parts[PART_METHOD] = rec->method;
    parts[PART_HOST] = rec->host;
    parts[PART_TARGET] = rec->target;
    parts[PART_PROTOCOL] = rec->version;
    parts[PART_USER_AGENT] = rec->user_agent;
    parts[PART_REFERER] = rec->referer;
    parts[PART_REMOTE_IP] = rec->remote_ip;
    parts[PART_SERVER_IP] = rec->server_ip;
    parts[PART_CALLER] = rec->caller;
    parts[PART_GRANTED_FILE] = span_of(rec->granted_file);
    parts[PART_EXPLANATION] = rec->explanation;
    parts[PART_FIX] = rec->fix;
    parts[PART_LOCAL_FIX] = rec->local_fix;
    for (size_t i = 0; i < PART_COUNT_; i++) {
        if (parts[i].n > longest[i])
            parts[i].n = longest[i];
        n += parts[i].n;
    }
    return n;
}

static void fill(recent_request *q, const record *rec, const span parts[PART_COUNT_])
{
    *q = (recent_request){.wall_us = rec->wall_us,
                          .latency_us = rec->outcome.latency_us,
                          .request_bytes = rec->outcome.request_bytes,
                          .response_bytes = rec->outcome.response_bytes,
                          .span_id = rec->trace->span_id,
                          .text_payload = rec->text_payload,
                          .status = rec->outcome.status,
                          .granted_line = rec->granted_line,
                          .reason = rec->reason,
                          .failure = rec->outcome.failure,
                          .decided = rec->decided,
                          .refused = record_refused(rec),
                          .troubled = record_troubled(rec),
                          .unlogged = rec->unlogged || !rec->service,
                          .unserved = rec->unserved,
                          .https = rec->https,
                          .sampled = rec->trace->sampled};
    memcpy(q->trace, rec->trace->id, sizeof q->trace);
    memcpy(q->insert_id, rec->insert_id, sizeof q->insert_id);
    char *to = q->text;
    for (size_t i = 0; i < PART_COUNT_; i++) {
        q->lengths[i] = (uint16_t)parts[i].n;
        if (parts[i].n)
            memcpy(to, parts[i].p, parts[i].n);
        to += parts[i].n;
    }
}

void recent_add(recent *r, const record *rec)
{
    span parts[PART_COUNT_];
    const size_t n = gather(rec, parts);
    fill(ring_push(r->ring, sizeof(recent_request) + n), rec, parts);
}

void recent_clear(recent *r)
{
    ring_drop(r->ring, ring_count(r->ring));
}

/* ---- asking ---- */

/* Of the texts in front of that one. */
static size_t length_before(const recent_request *r, request_part p)
{
    size_t n = 0;
    for (request_part before = 0; before < p; before++)
        n += r->lengths[before];
    return n;
}

span request_text(const recent_request *r, request_part p)
{
    return (span){r->text + length_before(r, p), r->lengths[p]};
}

void recent_insert_id(const recent_request *r, char out[INSERT_ID_LEN + 1])
{
    insert_id_text(r->insert_id, out);
}

bool recent_is_unserved(const recent_request *r)
{
    return r->unserved;
}

static bool matches(const recent_request *r, const recent_query *q)
{
    if ((q->refused && !r->troubled) || (q->logged && r->unlogged))
        return false;
    if (q->till_us && (r->wall_us < q->from_us || r->wall_us > q->till_us))
        return false;
    return !q->service[0] || span_eq_str(request_text(r, PART_SERVICE), q->service);
}

static recent_request *copy_of(const recent_request *r)
{
    const size_t n = sizeof *r + length_before(r, PART_COUNT_);
    recent_request *copy = malloc(n);
    if (!copy)
        abort();
    memcpy(copy, r, n);
    return copy;
}

static void append(recent_item **items, size_t *count, recent_item item)
{
    if ((*count & (*count - 1)) == 0) { /* full: it has room for a power of two */
        recent_item *grown = realloc(*items, (*count ? *count * 2 : 1) * sizeof **items);
        if (!grown)
            abort();
        *items = grown;
    }
    (*items)[(*count)++] = item;
}

void recent_collect(const recent *r, const recent_query *q, recent_item **items, size_t *count)
{
    size_t taken = 0;
    for (size_t i = ring_count(r->ring); i-- > 0 && taken < q->limit;) {
        const recent_request *one = ring_at(r->ring, i);
        if (!matches(one, q))
            continue;
        append(items, count, (recent_item){one->wall_us, copy_of(one)});
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
