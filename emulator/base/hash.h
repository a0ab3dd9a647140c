/* Keyed hashing (SipHash-2-4, Aumasson & Bernstein 2012) and a map from strings, both safe against
 * callers who choose the keys. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

typedef struct hash_key {
    uint64_t k0, k1;
} hash_key;

hash_key hash_key_random(void);
uint64_t hash_bytes(hash_key key, const void *p, size_t n);

/* Cryptographic randomness (getrandom(2)); aborts where there is none. */
void random_bytes(void *p, size_t n);

/* String → pointer; keys are copied; open addressing. Reading is safe from many threads while
 * nobody writes. */
typedef struct strmap strmap;
strmap *strmap_new(void);
void strmap_free(strmap *m); /* not the values */
/* false when the key was there already (the value is then left as it was). */
bool strmap_put(strmap *m, span key, void *value);
void *strmap_get(const strmap *m, span key); /* NULL when absent */
size_t strmap_count(const strmap *m);

/* Edit distance with transpositions, capped at `limit` + 1; for did-you-mean. */
size_t edit_distance(span a, span b, size_t limit);

/* The candidate nearest to word, or NULL when none is near enough to be meant (distance at most
 * 2, and at most a third of the word); candidates is NULL-terminated. */
const char *did_you_mean(span word, const char *const *candidates);

#endif
