/* Grants that nothing needed. */
#include <stdlib.h>

#include "expect/coverage.h"

static int by_address(const void *left, const void *right)
{
    const binding *const *a = left, *const *b = right;
    return (*a > *b) - (*a < *b);
}

/* What the cases that passed went through, sorted; *out_count of them. */
static const binding **used_by_cases(const suite *s, size_t *out_count)
{
    const binding **list = calloc(s->count + 1, sizeof(const binding *));
    if (!list)
        abort();
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->outcomes[i].verdict == VERDICT_PASSED && s->outcomes[i].used)
            list[n++] = s->outcomes[i].used;
    qsort(list, n, sizeof(const binding *), by_address);
    *out_count = n;
    return list;
}

const binding **unused_bindings(const suite *s, const usage *traffic, size_t *out_count)
{
    size_t used_count = 0, n = 0;
    const size_t all = snapshot_binding_count(s->s);
    const binding **used = used_by_cases(s, &used_count);
    const binding **list = calloc(all + 1, sizeof(const binding *));
    if (!list)
        abort();
    for (size_t i = 0; i < all; i++) {
        const binding *g = snapshot_binding(s->s, i);
        if (!g->invokes || bsearch(&g, used, used_count, sizeof(const binding *), by_address))
            continue;
        if (!traffic->was_used || !traffic->was_used(traffic->ctx, s->s, g))
            list[n++] = g;
    }
    free(used);
    *out_count = n;
    return list;
}
