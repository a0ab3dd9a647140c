/* How often each of a bounded number of things came: a thing is a number and a few texts. Adding to
 * one that is known is a look and a comparison; texts may be anything, cut to what is kept. One
 * thread's. */
#ifndef BASE_COUNTS_H
#define BASE_COUNTS_H

#include <stdbool.h>

#include "base/span.h"

typedef struct counts counts;

enum { COUNTS_TEXTS = 4, COUNTS_TEXT_MAX = 512 };

typedef struct counts_key {
    uint32_t number;
    span texts[COUNTS_TEXTS]; /* longer ones than COUNTS_TEXT_MAX are cut between characters */
} counts_key;

typedef struct counts_cell {
    uint64_t count;
    int64_t first_us, last_us; /* as the adder says */
    uint64_t hash;
    uint32_t number;
    uint16_t lengths[COUNTS_TEXTS];
    char bytes[];
} counts_cell;

/* most: so many different things are told apart; the rest is counted as one. */
counts *counts_new(size_t most);
void counts_free(counts *c); /* NULL is fine */

/* One more, at that time. NULL: there was no room for another thing. Cells stay where they are
 * until the next counts_clear. */
counts_cell *counts_add(counts *c, const counts_key *k, int64_t now_us);
/* One more of a thing whose cell is at hand. */
static inline void counts_again(counts_cell *cell, int64_t now_us)
{
    cell->count++;
    if (now_us > cell->last_us)
        cell->last_us = now_us;
}

/* All of from's on top of what into has. */
void counts_merge(counts *into, const counts *from);
void counts_clear(counts *c);

size_t counts_size(const counts *c);
/* All cells, by their texts, then by number; the caller frees the array. */
const counts_cell **counts_sorted(const counts *c);
span counts_text(const counts_cell *cell, size_t which);
/* How many found no room. */
uint64_t counts_overflow(const counts *c);

#endif
