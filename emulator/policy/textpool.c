/* Chunks that are only ever appended to. A topology with 100,000 bindings repeats few role and
 * member names, so strings are stored once. */
#include "policy/textpool.h"

#include <stdlib.h>

#include "base/hash.h"

enum { CHUNK_BYTES = 64 * 1024, ALIGNMENT = 16 };

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(ALIGNMENT) char bytes[];
} chunk;

struct textpool {
    chunk *newest;
    strmap *texts; /* text → its copy in a chunk */
};

textpool *textpool_new(void)
{
    textpool *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->texts = strmap_new();
    return p;
}

void textpool_free(textpool *p)
{
    if (!p)
        return;
    textpool_seal(p);
    for (chunk *c = p->newest, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(p);
}

void textpool_seal(textpool *p)
{
    strmap_free(p->texts);
    p->texts = NULL;
}

/* The newest chunk stays newest when something oversized gets a chunk of its own. */
static chunk *chunk_add(textpool *p, size_t least)
{
    const size_t size = least > CHUNK_BYTES ? least : CHUNK_BYTES;
    chunk *c = calloc(1, sizeof *c + size);
    if (!c)
        abort();
    c->size = size;
    if (p->newest && least > CHUNK_BYTES) {
        c->next = p->newest->next;
        p->newest->next = c;
    } else {
        c->next = p->newest;
        p->newest = c;
    }
    return c;
}

static void *take(textpool *p, size_t n, size_t alignment)
{
    chunk *c = p->newest;
    size_t at = c ? (c->used + alignment - 1) / alignment * alignment : 0;
    if (!c || at > c->size || n > c->size - at) {
        c = chunk_add(p, n);
        at = 0;
    }
    c->used = at + n;
    return c->bytes + at;
}

void *textpool_alloc(textpool *p, size_t n)
{
    return take(p, n ? n : 1, ALIGNMENT);
}

const char *textpool_span(textpool *p, span text)
{
    char *known = strmap_get(p->texts, text);
    if (known)
        return known;
    char *copy = take(p, text.n + 1, 1);
    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    strmap_put(p->texts, text, copy);
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
