/* Sets of four; within a set the clock algorithm picks who goes. */
#include "gateway/token_memory.h"

#include <stdlib.h>

#include "base/hash.h"

enum { WAYS = 4, HASHED_BYTES = 64 };

typedef struct entry {
    uint64_t hash;
    char *token; /* NULL: free */
    size_t n;
    claims *claims;
    bool used; /* since the clock's hand passed */
} entry;

typedef struct set {
    entry ways[WAYS];
    unsigned hand;
} set;

struct token_memory {
    hash_key key; /* callers choose the tokens: they must not choose the set */
    set *sets;
    size_t mask;
    size_t count;
};

/* The end of a token is enough: only verified tokens are remembered, and they end in a signature,
 * which nobody can choose. Equality is decided by the whole token. */
static uint64_t hash_of(const token_memory *m, span token)
{
    size_t n = token.n < HASHED_BYTES ? token.n : HASHED_BYTES;
    return hash_bytes(m->key, token.p + token.n - n, n);
}

token_memory *token_memory_new(size_t entries)
{
    token_memory *m = calloc(1, sizeof *m);
    size_t sets = 1;
    while (sets * WAYS < entries)
        sets *= 2;
    if (m)
        m->sets = calloc(sets, sizeof *m->sets);
    if (!m || !m->sets)
        abort();
    m->key = hash_key_random();
    m->mask = sets - 1;
    return m;
}

static void forget(token_memory *m, entry *e)
{
    if (!e->token)
        return;
    free(e->token);
    claims_free(e->claims);
    *e = (entry){0};
    m->count--;
}

void token_memory_clear(token_memory *m)
{
    for (size_t i = 0; i <= m->mask; i++)
        for (size_t w = 0; w < WAYS; w++)
            forget(m, &m->sets[i].ways[w]);
}

void token_memory_free(token_memory *m)
{
    if (!m)
        return;
    token_memory_clear(m);
    free(m->sets);
    free(m);
}

const claims *token_memory_get(token_memory *m, span token, int64_t now_s)
{
    uint64_t hash = hash_of(m, token);
    set *s = &m->sets[hash & m->mask];
    for (size_t w = 0; w < WAYS; w++) {
        entry *e = &s->ways[w];
        if (!e->token || e->hash != hash || !span_eq((span){e->token, e->n}, token))
            continue;
        if (now_s >= e->claims->exp_s) {
            forget(m, e);
            return NULL;
        }
        e->used = true;
        return e->claims;
    }
    return NULL;
}

/* A free place, else one that expired, else what the hand finds unused. */
static entry *place(token_memory *m, set *s, int64_t now_s)
{
    for (size_t w = 0; w < WAYS; w++) {
        entry *e = &s->ways[w];
        if (e->token && now_s >= e->claims->exp_s)
            forget(m, e);
        if (!e->token)
            return e;
    }
    for (;;) {
        entry *e = &s->ways[s->hand];
        s->hand = (s->hand + 1) % WAYS;
        if (!e->used) {
            forget(m, e);
            return e;
        }
        e->used = false;
    }
}

const claims *token_memory_put(token_memory *m, span token, claims *c, int64_t now_s)
{
    if (token.n == 0 || token.n > TOKEN_MEMORY_TOKEN_MAX || !c->has_exp || now_s >= c->exp_s)
        return NULL;
    uint64_t hash = hash_of(m, token);
    entry *e = place(m, &m->sets[hash & m->mask], now_s);
    *e = (entry){hash, span_dup(token), token.n, c, true};
    m->count++;
    return c;
}

size_t token_memory_count(const token_memory *m)
{
    return m->count;
}
