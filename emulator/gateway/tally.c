/* Names are remembered, pointers are only a short way to them: those change with each snapshot. */
#include "gateway/tally.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"

enum { MEMO = 256, PLACE_MAX = 512 };

const int64_t TALLY_BOUNDS_US[TALLY_BUCKETS] = {
    100,    250,    500,    1000,    2500,    5000,    10000,    25000,   50000,
    100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 60000000};

typedef struct known_binding {
    const binding *binding;
    counts_cell *cell;
} known_binding;

struct tally {
    int64_t since_us;
    counts *decisions, *bindings;
    tally_service **services;
    size_t service_count, service_cap;
    strmap *by_name;
    tally_tokens tokens;
    uint64_t homeless; /* requests to services beyond TALLY_SERVICES_MAX */
    /* Of the current view. */
    const snapshot *snap;
    tally_service **by_index;
    size_t index_count;
    known_binding memo[MEMO];
};

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        abort();
    return p;
}

/* ---- life ---- */

tally *tally_new(int64_t now_us)
{
    tally *t = zeroed(1, sizeof *t);
    t->since_us = now_us;
    t->decisions = counts_new(TALLY_CELLS_MAX);
    t->bindings = counts_new(TALLY_CELLS_MAX);
    t->by_name = strmap_new();
    return t;
}

static void free_service(tally_service *s)
{
    free(s->name);
    free(s);
}

void tally_free(tally *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->service_count; i++)
        free_service(t->services[i]);
    free(t->services);
    free(t->by_index);
    strmap_free(t->by_name);
    counts_free(t->decisions);
    counts_free(t->bindings);
    free(t);
}

static void forget_pointers(tally *t)
{
    memset(t->memo, 0, sizeof t->memo);
    for (size_t i = 0; i < t->index_count; i++)
        t->by_index[i] = NULL;
}

void tally_take_view(tally *t, const view *v)
{
    if (t->snap == v->snap)
        return;
    free(t->by_index);
    t->snap = v->snap;
    t->index_count = snapshot_service_count(v->snap);
    t->by_index = zeroed(t->index_count + 1, sizeof *t->by_index);
    forget_pointers(t);
}

/* ---- services ---- */

static tally_service *keep_service(tally *t, tally_service *s)
{
    t->services = array_room(t->services, t->service_count, &t->service_cap, sizeof s);
    t->services[t->service_count++] = s;
    (void)strmap_put(t->by_name, span_of(s->name), s);
    return s;
}

static tally_service *service_named(tally *t, const char *name)
{
    tally_service *s = strmap_get(t->by_name, span_of(name));
    if (s || t->service_count == TALLY_SERVICES_MAX)
        return s;
    s = zeroed(1, sizeof *s);
    s->name = span_dup(span_of(name));
    return keep_service(t, s);
}

static tally_service *service_of(tally *t, const view *v, const service *svc)
{
    if (v->snap != t->snap)
        return service_named(t, svc->name);
    tally_service **known = &t->by_index[svc->index];
    if (!*known)
        *known = service_named(t, svc->name);
    return *known;
}

tally_service *tally_enter(tally *t, const view *v, const service *svc)
{
    tally_service *s = service_of(t, v, svc);
    if (s)
        s->in_flight++;
    return s;
}

void tally_leave(tally_service *s)
{
    if (s)
        s->in_flight--;
}

/* ---- adding ---- */

static void add_latency(tally_latency *l, int64_t us)
{
    l->count++;
    l->sum_us += us;
    for (size_t i = 0; i < TALLY_BUCKETS; i++)
        if (us <= TALLY_BOUNDS_US[i]) {
            l->buckets[i]++;
            return;
        }
}

static void add_outcome(tally_service *s, const record *r)
{
    const exchange_outcome *o = &r->outcome;
    add_latency(o->forwarded ? &s->forwarded : &s->answered, o->latency_us);
    if (o->status >= 100 && o->status < 100 * (TALLY_CLASSES + 1))
        s->classes[o->status / 100 - 1]++;
    s->failures[o->failure]++;
    s->unserved += r->unserved && o->failure == PROXY_OK;
}

static counts_cell *name_binding(tally *t, const snapshot *s, const binding *b, int64_t now_us)
{
    auto_buf buf on = buf_make(PLACE_MAX);
    auto_buf buf at = buf_make(PLACE_MAX);
    if (b->project_level)
        buf_str(&on, "project");
    else
        buf_fmt(&on, "service %s", snapshot_service(s, b->service)->name);
    place_put(&at, b->place, true);
    const counts_key k = {
        .texts = {span_of(b->member), span_of(b->role), buf_view(&on), buf_view(&at)}};
    return counts_add(t->bindings, &k, now_us);
}

static void add_binding(tally *t, const record *r, const binding *b)
{
    if (r->view->snap != t->snap) {
        (void)name_binding(t, r->view->snap, b, r->wall_us);
        return;
    }
    known_binding *known = &t->memo[((uintptr_t)b / sizeof *b) % MEMO];
    if (known->binding == b)
        counts_again(known->cell, r->wall_us);
    else if ((known->cell = name_binding(t, t->snap, b, r->wall_us)))
        known->binding = b;
    else
        known->binding = NULL;
}

static span caller_of(const record *r, bool credential)
{
    if (r->caller.n)
        return r->caller;
    return credential ? SPAN_LIT("unverified") : SPAN_LIT("anonymous");
}

void tally_add(tally *t, const record *r, const binding *allowed_by, bool credential)
{
    tally_service *s = r->service ? service_of(t, r->view, r->service) : NULL;
    if (s)
        add_outcome(s, r);
    else if (r->service)
        t->homeless++;
    if (!r->decided)
        return;
    const counts_key k = {
        .number = (uint32_t)r->reason * 2 + !r->audited,
        .texts = {span_of(r->service ? r->service->name : NULL), caller_of(r, credential)}};
    (void)counts_add(t->decisions, &k, r->wall_us);
    if (allowed_by)
        add_binding(t, r, allowed_by);
}

tally_tokens *tally_token_counts(tally *t)
{
    return &t->tokens;
}

/* ---- starting anew, adding up ---- */

void tally_reset(tally *t, int64_t now_us)
{
    tally_service **all = t->services;
    const size_t count = t->service_count;
    t->since_us = now_us;
    t->tokens = (tally_tokens){0};
    t->homeless = 0;
    counts_clear(t->decisions);
    counts_clear(t->bindings);
    forget_pointers(t);
    strmap_free(t->by_name);
    t->by_name = strmap_new();
    t->services = NULL;
    t->service_count = t->service_cap = 0;
    for (size_t i = 0; i < count; i++) {
        tally_service *s = all[i];
        if (!s->in_flight) {
            free_service(s);
            continue;
        }
        *s = (tally_service){.name = s->name, .in_flight = s->in_flight};
        (void)keep_service(t, s);
    }
    free(all);
}

static void merge_latency(tally_latency *into, const tally_latency *from)
{
    for (size_t i = 0; i < TALLY_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    into->sum_us += from->sum_us;
}

static void merge_service(tally_service *into, const tally_service *from)
{
    into->in_flight += from->in_flight;
    merge_latency(&into->forwarded, &from->forwarded);
    merge_latency(&into->answered, &from->answered);
    for (size_t i = 0; i < TALLY_CLASSES; i++)
        into->classes[i] += from->classes[i];
    for (size_t i = 0; i < TALLY_FAILURES; i++)
        into->failures[i] += from->failures[i];
    into->unserved += from->unserved;
}

void tally_merge(tally *into, const tally *from)
{
    if (from->since_us < into->since_us)
        into->since_us = from->since_us;
    counts_merge(into->decisions, from->decisions);
    counts_merge(into->bindings, from->bindings);
    into->homeless += from->homeless;
    into->tokens.remembered += from->tokens.remembered;
    into->tokens.keyless += from->tokens.keyless;
    for (size_t i = 0; i < TALLY_TOKEN_RESULTS; i++)
        into->tokens.judged[i] += from->tokens.judged[i];
    for (size_t i = 0; i < from->service_count; i++) {
        tally_service *s = service_named(into, from->services[i]->name);
        if (s)
            merge_service(s, from->services[i]);
        else
            into->homeless +=
                from->services[i]->forwarded.count + from->services[i]->answered.count;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(tally_service *const *)a)->name, (*(tally_service *const *)b)->name);
}

void tally_sort(tally *t)
{
    if (t->service_count)
        qsort(t->services, t->service_count, sizeof *t->services, by_name);
}

tally *tally_copy(const tally *t)
{
    tally *copy = tally_new(t->since_us);
    tally_merge(copy, t);
    return copy;
}

/* ---- reading ---- */

int64_t tally_since_us(const tally *t)
{
    return t->since_us;
}

const counts *tally_decisions(const tally *t)
{
    return t->decisions;
}

reason tally_reason(const counts_cell *cell)
{
    return (reason)(cell->number / 2);
}

bool tally_enforced(const counts_cell *cell)
{
    return cell->number & 1;
}

const counts *tally_bindings(const tally *t)
{
    return t->bindings;
}

size_t tally_service_count(const tally *t)
{
    return t->service_count;
}

const tally_service *tally_service_at(const tally *t, size_t i)
{
    return t->services[i];
}

const tally_tokens *tally_tokens_of(const tally *t)
{
    return &t->tokens;
}

uint64_t tally_overflow(const tally *t)
{
    return counts_overflow(t->decisions) + counts_overflow(t->bindings) + t->homeless;
}
