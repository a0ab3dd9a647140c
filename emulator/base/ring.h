/* The last records of any length, in a fixed amount of memory of which only what is used is
 * touched: when a new one finds no room, the oldest give way. One thread's. */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stddef.h>
#include <stdint.h>

typedef struct ring ring;

/* Room for that many bytes and records, whichever is full first. */
ring *ring_new(size_t bytes, size_t records);
void ring_free(ring *r); /* NULL is fine */

/* The newest record from now on: n bytes (at most the ring's), aligned for anything, not zeroed. */
void *ring_push(ring *r, size_t n);
/* Forgets the oldest ones. */
void ring_drop(ring *r, size_t count);

size_t ring_count(const ring *r);
/* 0 is the oldest; valid until the next push. */
const void *ring_at(const ring *r, size_t i);
/* How many gave way so far. */
uint64_t ring_lost(const ring *r);

#endif
