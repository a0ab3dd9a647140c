/* A bump allocator: one load makes hundreds of thousands of small things that die together. */
#include "config/arena.h"

#include <stdarg.h>
#include <stdio.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGNMENT = 16 };

typedef struct block {
    struct block *next;
    size_t used, size;
    _Alignas(ALIGNMENT) char bytes[];
} block;

struct arena {
    block *blocks; /* the first one is being filled */
};

arena *arena_new(void)
{
    arena *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    return a;
}

void arena_free(arena *a)
{
    if (!a)
        return;
    while (a->blocks) {
        block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    free(a);
}

void *arena_alloc(arena *a, size_t n)
{
    size_t need = (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    block *b = a->blocks;
    if (!b || b->size - b->used < need) {
        size_t size = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        b = calloc(1, sizeof *b + size);
        if (!b)
            abort();
        b->size = size;
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->bytes + b->used;
    b->used += need;
    return p;
}

const char *arena_dup(arena *a, span s)
{
    char *copy = arena_alloc(a, s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

const char *arena_fmt(arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        abort();
    char *text = arena_alloc(a, (size_t)n + 1);
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)n + 1, fmt, args);
    va_end(args);
    return text;
}
