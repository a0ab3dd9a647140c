/* A ring of requests: their texts are cut to fit, and of its memory only what is used is touched.
 */
#include <stdlib.h>

#include "base/ring.h"
#include "gateway/recent_impl.h"

struct recent {
    ring *ring;
    uint64_t added;
    uint64_t cleared; /* so many of them were forgotten by recent_clear, or before */
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
#define X(part, most, ...) [PART_##part] = (most),
    REQUEST_PARTS(X) EVIDENCE_PARTS(X)
#undef X
        [PART_TOKEN] = TOKEN_KEPT_MAX};

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
    parts[PART_TOKEN] = rec->token.n <= TOKEN_KEPT_MAX ? rec->token : (span){0};
    recent_evidence_parts(rec->evidence, parts);
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
                          .ended_us = rec->ended_us,
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
                          .audited = rec->audited,
                          .refused = record_refused(rec),
                          .troubled = record_troubled(rec),
                          .unlogged = rec->unlogged || !rec->service,
                          .unserved = rec->unserved,
                          .https = rec->https,
                          .has_evidence = rec->evidence != NULL,
                          .sampled = rec->trace->sampled};
    if (rec->evidence)
        recent_numbers_of(rec->evidence, &q->numbers);
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

span recent_add(recent *r, const record *rec)
{
    span parts[PART_COUNT_];
    const size_t n = sizeof(recent_request) + gather(rec, parts);
    recent_request *q = ring_push(r->ring, n);
    fill(q, rec, parts);
    r->added++;
    return (span){(const char *)q, n};
}

void recent_clear(recent *r)
{
    ring_drop(r->ring, ring_count(r->ring));
    r->cleared = r->added;
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

static bool has_id(const recent_request *r, const char *beginning)
{
    char id[INSERT_ID_LEN + 1];
    recent_insert_id(r, id);
    return span_starts(span_of(id), span_of(beginning));
}

/* wanted: all of it, what stands in front of the '@', or a service account's without its domain. */
static bool is_by(span caller, const char *wanted)
{
    const span who = span_of(wanted);
    if (caller.n == 0)
        return span_eq(who, SPAN_LIT("anonymous"));
    if (!span_starts(caller, who))
        return false;
    const span rest = span_from(caller, who.n);
    return rest.n == 0 || rest.p[0] == '@' || span_eq(rest, SPAN_LIT(".iam.gserviceaccount.com"));
}

static bool is_for(const recent_request *r, const char *wanted)
{
    return (r->decided && strcmp(reason_info(r->reason)->name, wanted) == 0) ||
           (r->failure != PROXY_OK && strcmp(proxy_failure_name(r->failure), wanted) == 0);
}

/* Who asked for what, and what came of it. */
static bool is_about(const recent_request *r, const recent_query *q)
{
    return (!q->id[0] || has_id(r, q->id)) &&
           (!q->service[0] || span_eq_str(request_text(r, PART_SERVICE), q->service)) &&
           (!q->caller[0] || is_by(request_text(r, PART_CALLER), q->caller)) &&
           (!q->reason[0] || is_for(r, q->reason));
}

static bool matches(const recent_request *r, const recent_query *q)
{
    if (q->allowed && !(r->decided && reason_info(r->reason)->allows))
        return false;
    if ((q->refused && !r->troubled) || (q->logged && r->unlogged))
        return false;
    if (q->till_us && (r->wall_us < q->from_us || r->wall_us > q->till_us))
        return false;
    return is_about(r, q);
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
        append(items, count, (recent_item){one->wall_us, one->ended_us, copy_of(one)});
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

/* ---- following ---- */

/* The number of the oldest that is still there. */
static uint64_t oldest(const recent *r)
{
    return r->added - ring_count(r->ring);
}

static const recent_request *numbered(const recent *r, uint64_t number)
{
    return ring_at(r->ring, (size_t)(number - oldest(r)));
}

/* Keeps the newest `limit` of those behind the first `before`. */
static void keep_newest(recent_item *items, size_t before, size_t *count, recent_step *step)
{
    const size_t got = *count - before;
    const size_t over = got > step->limit ? got - step->limit : 0;
    for (size_t i = 0; i < over; i++)
        free(items[before + i].request);
    if (over)
        memmove(items + before, items + before + over, (got - over) * sizeof *items);
    *count -= over;
    step->missed += over;
}

void recent_follow(const recent *r, const recent_query *q, recent_step *step, recent_item **items,
                   size_t *count)
{
    const size_t before = *count;
    if (step->next < r->cleared)
        step->next = r->cleared; /* forgotten on purpose: nobody misses them */
    if (step->next < oldest(r)) {
        step->missed += oldest(r) - step->next;
        step->next = oldest(r);
    }
    for (; step->next < r->added; step->next++) {
        const recent_request *one = numbered(r, step->next);
        if (one->ended_us >= step->before_us)
            break;
        if (matches(one, q))
            append(items, count, (recent_item){one->wall_us, one->ended_us, copy_of(one)});
    }
    keep_newest(*items, before, count, step);
}

bool recent_find_mark(const recent *r, uint64_t id, recent_mark *out)
{
    for (size_t i = ring_count(r->ring); i-- > 0;) {
        const recent_request *one = ring_at(r->ring, i);
        if (one->insert_id[0] != id)
            continue;
        *out = (recent_mark){one->ended_us, id};
        return true;
    }
    return false;
}

uint64_t recent_number_at(const recent *r, const recent_mark *m)
{
    uint64_t number = r->added;
    while (number > oldest(r) && numbered(r, number - 1)->ended_us >= m->ended_us)
        number--;
    return number;
}

bool recent_reaches(const recent *r, const recent_mark *m)
{
    return recent_lost(r) == 0 ||
           (ring_count(r->ring) && numbered(r, oldest(r))->ended_us <= m->ended_us);
}

uint64_t recent_lost(const recent *r)
{
    return ring_lost(r->ring);
}

static int by_mark(const recent_mark *a, const recent_mark *b)
{
    if (a->ended_us != b->ended_us)
        return a->ended_us < b->ended_us ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static recent_mark mark_of(const recent_request *r)
{
    return (recent_mark){r->ended_us, r->insert_id[0]};
}

static int oldest_first(const void *a, const void *b)
{
    const recent_mark x = mark_of(((const recent_item *)a)->request);
    const recent_mark y = mark_of(((const recent_item *)b)->request);
    return by_mark(&x, &y);
}

void recent_sort_by_end(recent_item *items, size_t count)
{
    if (count)
        qsort(items, count, sizeof *items, oldest_first);
}

bool recent_is_behind(const recent_request *r, const recent_mark *m)
{
    const recent_mark mine = mark_of(r);
    return by_mark(&mine, m) > 0;
}
