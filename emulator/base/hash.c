/* SipHash-2-4 (Aumasson & Bernstein 2012), the string map, and did-you-mean. */
#include "base/hash.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/attr.h"

void random_bytes(void *p, size_t n)
{
    char *at = p;
    while (n) {
        ssize_t got = getrandom(at, n, 0);
        if (got <= 0)
            abort();
        at += got;
        n -= (size_t)got;
    }
}

hash_key hash_key_random(void)
{
    hash_key key;
    random_bytes(&key, sizeof key);
    return key;
}

static inline uint64_t rotl(uint64_t x, unsigned by)
{
    return (x << by) | (x >> (64 - by));
}

typedef struct sip {
    uint64_t v0, v1, v2, v3;
} sip;

static inline void sip_rounds(sip *s, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        s->v0 += s->v1;
        s->v1 = rotl(s->v1, 13) ^ s->v0;
        s->v0 = rotl(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotl(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotl(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotl(s->v1, 17) ^ s->v2;
        s->v2 = rotl(s->v2, 32);
    }
}

static inline uint64_t little_endian(const unsigned char *p, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

uint64_t hash_bytes(hash_key key, const void *p, size_t n)
{
    sip s = {key.k0 ^ 0x736f6d6570736575u, key.k1 ^ 0x646f72616e646f6du,
             key.k0 ^ 0x6c7967656e657261u, key.k1 ^ 0x7465646279746573u};
    const unsigned char *at = p;
    size_t left = n;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word); /* the loop of little_endian is eight loads */
        word = le64toh(word);
        s.v3 ^= word;
        sip_rounds(&s, 2);
        s.v0 ^= word;
    }
    uint64_t last = ((uint64_t)n << 56) | little_endian(at, left);
    s.v3 ^= last;
    sip_rounds(&s, 2);
    s.v0 ^= last;
    s.v2 ^= 0xff;
    sip_rounds(&s, 4);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

/* ---- string map ---- */

typedef struct slot {
    uint64_t hash;
    char *key; /* NULL: free */
    size_t key_n;
    void *value;
} slot;

struct strmap {
    hash_key seed;
    slot *slots;
    size_t cap; /* a power of two */
    size_t count;
};

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count, size);
    if (!p)
        abort();
    return p;
}

strmap *strmap_new(void)
{
    strmap *m = zeroed(1, sizeof *m);
    m->seed = hash_key_random();
    m->cap = 16;
    m->slots = zeroed(m->cap, sizeof *m->slots);
    return m;
}

void strmap_free(strmap *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    free(m);
}

/* The slot that holds the key, or the free one where it belongs. */
static slot *locate(const strmap *m, uint64_t hash, span key)
{
    for (size_t i = (size_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        slot *s = &m->slots[i];
        if (!s->key)
            return s;
        if (s->hash == hash && span_eq((span){s->key, s->key_n}, key))
            return s;
    }
}

static void grow(strmap *m)
{
    slot *old = m->slots;
    size_t old_cap = m->cap;
    m->cap *= 2;
    m->slots = zeroed(m->cap, sizeof *m->slots);
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].key)
            *locate(m, old[i].hash, (span){old[i].key, old[i].key_n}) = old[i];
    free(old);
}

bool strmap_put(strmap *m, span key, void *value)
{
    if ((m->count + 1) * 4 > m->cap * 3)
        grow(m);
    uint64_t hash = hash_bytes(m->seed, key.p, key.n);
    slot *s = locate(m, hash, key);
    if (s->key)
        return false;
    *s = (slot){hash, span_dup(key), key.n, value};
    m->count++;
    return true;
}

void *strmap_get(const strmap *m, span key)
{
    const slot *s = locate(m, hash_bytes(m->seed, key.p, key.n), key);
    return s->key ? s->value : NULL;
}

size_t strmap_count(const strmap *m)
{
    return m->count;
}

/* ---- did you mean ---- */

enum { WORD_MAX = 63 };

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment; three rows are enough because a transposition looks two rows back. */
size_t edit_distance(span a, span b, size_t limit)
{
    if (a.n > WORD_MAX || b.n > WORD_MAX)
        return limit + 1;
    size_t rows[3][WORD_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = above[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            now[j] = least(change, least(above[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], two_above[j - 2] + 1);
        }
    }
    return least(rows[a.n % 3][b.n], limit + 1);
}

const char *did_you_mean(span word, const char *const *candidates)
{
    size_t limit = least(2, word.n / 3);
    const char *best = NULL;
    size_t best_distance = limit + 1;
    for (; *candidates; candidates++) {
        size_t distance = edit_distance(word, span_of(*candidates), limit);
        if (distance < best_distance) {
            best = *candidates;
            best_distance = distance;
        }
    }
    return best;
}
