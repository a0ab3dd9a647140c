/* A keyed hash table of cells, with a memo in front: most of what comes is what came just before,
 * and a look there costs no hash over all of its texts. */
#include "base/counts.h"

#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"

enum { MEMO = 256, TABLE_FIRST = 64 };

struct counts {
    hash_key seed;
    size_t most;
    counts_cell **cells; /* as they came */
    size_t count, cap;
    counts_cell **table; /* by hash; NULL: free; a power of two, at most half full */
    size_t table_size;
    uint64_t overflow;
    counts_cell *memo[MEMO];
};

static void *zeroed(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p)
        abort();
    return p;
}

counts *counts_new(size_t most)
{
    counts *c = zeroed(1, sizeof *c);
    c->seed = hash_key_random();
    c->most = most;
    return c;
}

void counts_clear(counts *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->cells[i]);
    free(c->cells);
    free(c->table);
    *c = (counts){.seed = c->seed, .most = c->most};
}

void counts_free(counts *c)
{
    if (!c)
        return;
    counts_clear(c);
    free(c);
}

/* ---- finding ---- */

static span cut(span s)
{
    if (s.n <= COUNTS_TEXT_MAX)
        return s;
    size_t n = COUNTS_TEXT_MAX;
    while (n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return (span){s.p, n};
}

static bool is_it(const counts_cell *cell, const counts_key *k)
{
    if (cell->number != k->number)
        return false;
    const char *at = cell->bytes;
    for (size_t i = 0; i < COUNTS_TEXTS; i++) {
        if (cell->lengths[i] != k->texts[i].n)
            return false;
        if (k->texts[i].n && memcmp(at, k->texts[i].p, k->texts[i].n) != 0)
            return false;
        at += cell->lengths[i];
    }
    return true;
}

/* Cheap and guessable: whoever makes others miss has them pay for the hash, no more. */
static size_t memo_place(const counts_key *k)
{
    static const uint64_t odd = 0x9e3779b97f4a7c15; /* 2^64 by the golden ratio */
    uint64_t x = k->number;
    for (size_t i = 0; i < COUNTS_TEXTS; i++) {
        const span s = k->texts[i];
        uint64_t front[2] = {0};
        if (s.n >= sizeof front)
            memcpy(front, s.p, sizeof front);
        else if (s.n)
            memcpy(front, s.p, s.n);
        x = (x ^ front[0] ^ s.n) * odd;
        x = (x ^ front[1]) * odd;
    }
    return (size_t)(x >> 32) % MEMO;
}

static uint64_t hash_of(const counts *c, const counts_key *k)
{
    hash_key key = {c->seed.k0 ^ k->number, c->seed.k1};
    uint64_t h = 0;
    for (size_t i = 0; i < COUNTS_TEXTS; i++) {
        h = hash_bytes(key, k->texts[i].n ? k->texts[i].p : "", k->texts[i].n);
        key.k1 = c->seed.k1 ^ h;
    }
    return h;
}

/* The cell's place in the table, or the free one where it belongs. */
static counts_cell **place_of(const counts *c, const counts_key *k, uint64_t hash)
{
    size_t i = (size_t)hash & (c->table_size - 1);
    while (c->table[i] && (c->table[i]->hash != hash || !is_it(c->table[i], k)))
        i = (i + 1) & (c->table_size - 1);
    return &c->table[i];
}

static void grow_table(counts *c)
{
    free(c->table);
    c->table_size = c->table_size ? c->table_size * 2 : TABLE_FIRST;
    c->table = zeroed(c->table_size, sizeof(counts_cell *));
    for (size_t i = 0; i < c->count; i++) {
        size_t at = (size_t)c->cells[i]->hash & (c->table_size - 1);
        while (c->table[at])
            at = (at + 1) & (c->table_size - 1);
        c->table[at] = c->cells[i];
    }
}

static counts_cell *new_cell(const counts_key *k, uint64_t hash)
{
    size_t n = 0;
    for (size_t i = 0; i < COUNTS_TEXTS; i++)
        n += k->texts[i].n;
    counts_cell *cell = zeroed(1, sizeof *cell + n);
    cell->hash = hash;
    cell->number = k->number;
    char *to = cell->bytes;
    for (size_t i = 0; i < COUNTS_TEXTS; i++) {
        cell->lengths[i] = (uint16_t)k->texts[i].n;
        if (k->texts[i].n)
            memcpy(to, k->texts[i].p, k->texts[i].n);
        to += k->texts[i].n;
    }
    return cell;
}

/* k's texts are short enough. NULL: no room. */
static counts_cell *find_or_make(counts *c, const counts_key *k)
{
    if (2 * (c->count + 1) > c->table_size)
        grow_table(c);
    const uint64_t hash = hash_of(c, k);
    counts_cell **place = place_of(c, k, hash);
    counts_cell *cell = *place;
    if (cell || c->count == c->most)
        return cell;
    cell = new_cell(k, hash);
    c->cells = array_room(c->cells, c->count, &c->cap, sizeof(counts_cell *));
    c->cells[c->count++] = cell;
    *place = cell;
    return cell;
}

/* ---- adding ---- */

counts_cell *counts_add(counts *c, const counts_key *given, int64_t now_us)
{
    counts_key k = {.number = given->number};
    for (size_t i = 0; i < COUNTS_TEXTS; i++)
        k.texts[i] = cut(given->texts[i]);
    counts_cell **memo = &c->memo[memo_place(&k)];
    counts_cell *cell = *memo && is_it(*memo, &k) ? *memo : find_or_make(c, &k);
    if (!cell) {
        c->overflow++;
        return NULL;
    }
    *memo = cell;
    if (!cell->count)
        cell->first_us = cell->last_us = now_us;
    counts_again(cell, now_us);
    return cell;
}

void counts_merge(counts *into, const counts *from)
{
    into->overflow += from->overflow;
    for (size_t i = 0; i < from->count; i++) {
        const counts_cell *one = from->cells[i];
        counts_key k = {.number = one->number};
        for (size_t t = 0; t < COUNTS_TEXTS; t++)
            k.texts[t] = counts_text(one, t);
        counts_cell *cell = find_or_make(into, &k);
        if (!cell) {
            into->overflow += one->count;
            continue;
        }
        if (!cell->count || one->first_us < cell->first_us)
            cell->first_us = one->first_us;
        if (!cell->count || one->last_us > cell->last_us)
            cell->last_us = one->last_us;
        cell->count += one->count;
    }
}

/* ---- reading ---- */

size_t counts_size(const counts *c)
{
    return c->count;
}

static int span_order(span a, span b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int by_bytes = n ? memcmp(a.p, b.p, n) : 0;
    return by_bytes ? by_bytes : (a.n > b.n) - (a.n < b.n);
}

static int cell_order(const void *left, const void *right)
{
    const counts_cell *a = *(const counts_cell *const *)left;
    const counts_cell *b = *(const counts_cell *const *)right;
    for (size_t i = 0; i < COUNTS_TEXTS; i++) {
        const int order = span_order(counts_text(a, i), counts_text(b, i));
        if (order)
            return order;
    }
    return (a->number > b->number) - (a->number < b->number);
}

const counts_cell **counts_sorted(const counts *c)
{
    const counts_cell **all = zeroed(c->count + 1, sizeof *all);
    for (size_t i = 0; i < c->count; i++)
        all[i] = c->cells[i];
    qsort(all, c->count, sizeof *all, cell_order);
    return all;
}

span counts_text(const counts_cell *cell, size_t which)
{
    const char *at = cell->bytes;
    for (size_t i = 0; i < which; i++)
        at += cell->lengths[i];
    return (span){at, cell->lengths[which]};
}

uint64_t counts_overflow(const counts *c)
{
    return c->overflow;
}
