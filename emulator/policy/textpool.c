/* A topology with 100,000 bindings repeats few role and member names, so strings are stored once.
 */
#include "policy/textpool.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"

struct textpool {
    arena *memory;
    strmap *texts; /* text → its copy in memory */
};

textpool *textpool_new(void)
{
    textpool *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->memory = arena_new();
    p->texts = strmap_new();
    return p;
}

void textpool_free(textpool *p)
{
    if (!p)
        return;
    textpool_seal(p);
    arena_free(p->memory);
    free(p);
}

void textpool_seal(textpool *p)
{
    strmap_free(p->texts);
    p->texts = NULL;
}

void *textpool_alloc(textpool *p, size_t n)
{
    return arena_alloc(p->memory, n);
}

const char *textpool_span(textpool *p, span text)
{
    const char *known = strmap_get(p->texts, text);
    if (known)
        return known;
    char *copy = arena_dup(p->memory, text);
    (void)strmap_put(p->texts, text, copy);
    return copy;
}

const char *textpool_text(textpool *p, const char *text)
{
    return text ? textpool_span(p, span_of(text)) : NULL;
}

const char *const *textpool_list(textpool *p, const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    const char **copy = textpool_alloc(p, (n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = textpool_text(p, list[i]);
    return copy;
}
