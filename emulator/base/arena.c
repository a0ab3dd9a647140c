/* A bump allocator: one load of a topology makes hundreds of thousands of small things. */
#include "base/arena.h"

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
    size_t block_bytes;
};

arena *arena_new_of(size_t block_bytes)
{
    arena *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    a->block_bytes = block_bytes;
    return a;
}

arena *arena_new(void)
{
    return arena_new_of(BLOCK_BYTES);
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

/* The first block stays first when something oversized gets a block of its own. */
static block *block_add(arena *a, size_t least)
{
    const size_t size = least > a->block_bytes ? least : a->block_bytes;
    block *b = calloc(1, sizeof *b + size);
    if (!b)
        abort();
    b->size = size;
    if (a->blocks && least > a->block_bytes) {
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        b->next = a->blocks;
        a->blocks = b;
    }
    return b;
}

static void *take(arena *a, size_t n, size_t alignment)
{
    block *b = a->blocks;
    size_t at = b ? (b->used + alignment - 1) / alignment * alignment : 0;
    if (!b || at > b->size || n > b->size - at) {
        b = block_add(a, n);
        at = 0;
    }
    b->used = at + n;
    return b->bytes + at;
}

void *arena_alloc(arena *a, size_t n)
{
    return take(a, n ? n : 1, ALIGNMENT);
}

char *arena_dup(arena *a, span s)
{
    char *copy = take(a, s.n + 1, 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

char *arena_fmt(arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        abort();
    char *text = take(a, (size_t)n + 1, 1);
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)n + 1, fmt, args);
    va_end(args);
    return text;
}
