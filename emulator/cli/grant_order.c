/* Sorted by a number for each policy: 0 the project's, then the services', then the accounts'. */
#include "cli/grant_order.h"

#include <stdlib.h>

typedef struct item {
    size_t rank, seq;
} item;

struct grant_order {
    const snapshot *s;
    const binding **bindings;
    item *items;
    size_t count;
};

static size_t rank_of(const snapshot *s, const resource *r)
{
    if (r->service)
        return 1 + r->service->index;
    if (r->account)
        return 1 + snapshot_service_count(s) + (size_t)(r->account - snapshot_account(s, 0));
    return 0;
}

static resource resource_of(const snapshot *s, const binding *g)
{
    return (resource){.service =
                          g->account || g->project_level ? NULL : snapshot_service(s, g->service),
                      .account = g->account};
}

static int compare(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

grant_order *grant_order_new(const snapshot *s)
{
    grant_order *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    o->s = s;
    o->count = snapshot_binding_count(s);
    o->items = calloc(o->count + 1, sizeof *o->items);
    o->bindings = calloc(o->count + 1, sizeof(*o->bindings));
    if (!o->items || !o->bindings)
        abort();
    for (size_t i = 0; i < o->count; i++) {
        const resource r = resource_of(s, snapshot_binding(s, i));
        o->items[i] = (item){rank_of(s, &r), i};
    }
    qsort(o->items, o->count, sizeof *o->items, compare);
    for (size_t i = 0; i < o->count; i++)
        o->bindings[i] = snapshot_binding(s, o->items[i].seq);
    return o;
}

void grant_order_free(grant_order *o)
{
    free(o->bindings);
    free(o->items);
    free(o);
}

/* The first whose rank is not below. */
static size_t first_of(const grant_order *o, size_t rank)
{
    size_t low = 0, high = o->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (o->items[middle].rank < rank)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const binding *const *grant_order_of(const grant_order *o, const resource *r, size_t *out_count)
{
    const size_t rank = rank_of(o->s, r), from = first_of(o, rank);
    *out_count = first_of(o, rank + 1) - from;
    return (const binding *const *)o->bindings + from;
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool grant_same_terms(const binding *a, const binding *b)
{
    if (strcmp(a->role, b->role) != 0 || !a->condition != !b->condition)
        return false;
    if (a->condition == b->condition)
        return true;
    const condition_text *x = condition_get(a->condition), *y = condition_get(b->condition);
    return same_text(x->title, y->title) && same_text(x->description, y->description) &&
           same_text(x->expression, y->expression);
}

size_t grant_order_run(const binding *const *list, size_t count)
{
    size_t n = count ? 1 : 0;
    while (n < count && grant_same_terms(list[0], list[n]))
        n++;
    return n;
}
