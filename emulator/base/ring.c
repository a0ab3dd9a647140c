/* Records stand one behind the other and never across the end; an index says where each is. */
#include "base/ring.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

typedef struct place {
    size_t at, n;
} place;

struct ring {
    char *bytes;
    size_t size;
    place *index; /* circular, as the bytes are */
    size_t index_size;
    size_t first, count;
    size_t end; /* behind the newest */
    uint64_t lost;
};

ring *ring_new(size_t bytes, size_t records)
{
    assert(bytes && records);
    ring *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    r->size = bytes;
    r->index_size = records;
    r->bytes = malloc(bytes);
    r->index = malloc(records * sizeof *r->index);
    if (!r->bytes || !r->index)
        abort();
    return r;
}

void ring_free(ring *r)
{
    if (!r)
        return;
    free(r->bytes);
    free(r->index);
    free(r);
}

static place *place_of(const ring *r, size_t i)
{
    return &r->index[(r->first + i) % r->index_size];
}

void ring_drop(ring *r, size_t count)
{
    assert(count <= r->count);
    r->first = (r->first + count) % r->index_size;
    r->count -= count;
    if (r->count == 0)
        r->end = 0;
}

static void evict(ring *r)
{
    ring_drop(r, 1);
    r->lost++;
}

static bool overlaps(const ring *r, size_t at, size_t n)
{
    const place *oldest = place_of(r, 0);
    return r->count && oldest->at < at + n && at < oldest->at + oldest->n;
}

void *ring_push(ring *r, size_t n)
{
    const size_t alignment = _Alignof(max_align_t);
    n = n ? (n + alignment - 1) / alignment * alignment : alignment;
    assert(n <= r->size);
    size_t at = r->end;
    if (n > r->size - at) {
        /* What stands behind the newest there is older than what stands at the front. */
        while (r->count && place_of(r, 0)->at >= at)
            evict(r);
        at = 0;
    }
    while (r->count == r->index_size || overlaps(r, at, n))
        evict(r);
    *place_of(r, r->count++) = (place){at, n};
    r->end = at + n;
    return r->bytes + at;
}

size_t ring_count(const ring *r)
{
    return r->count;
}

const void *ring_at(const ring *r, size_t i)
{
    assert(i < r->count);
    return r->bytes + place_of(r, i)->at;
}

uint64_t ring_lost(const ring *r)
{
    return r->lost;
}
