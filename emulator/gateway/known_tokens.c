/* Few, and asked a few times a second at the most: a list is searched. */
#include "gateway/known_tokens.h"

#include <stdlib.h>

typedef struct entry {
    char *token, *email, *subject;
    token_owner owner; /* the two as they are read */
    int64_t expires_s;
    uint64_t used;
} entry;

struct known_tokens {
    size_t max, count;
    uint64_t uses;
    entry entries[];
};

known_tokens *known_tokens_new(size_t max)
{
    known_tokens *k = calloc(1, sizeof *k + max * sizeof *k->entries);
    if (!k)
        abort();
    k->max = max;
    return k;
}

static void drop(known_tokens *k, entry *e)
{
    free(e->token);
    free(e->email);
    free(e->subject);
    *e = k->entries[--k->count];
}

void known_tokens_clear(known_tokens *k)
{
    while (k->count)
        drop(k, &k->entries[0]);
}

void known_tokens_free(known_tokens *k)
{
    if (k)
        known_tokens_clear(k);
    free(k);
}

static entry *find(known_tokens *k, span token)
{
    for (size_t i = 0; i < k->count; i++)
        if (span_eq_str(token, k->entries[i].token))
            return &k->entries[i];
    return NULL;
}

const token_owner *known_tokens_get(known_tokens *k, span token, int64_t now_s)
{
    entry *e = find(k, token);
    if (!e)
        return NULL;
    if (e->expires_s <= now_s) {
        drop(k, e);
        return NULL;
    }
    e->used = ++k->uses;
    return &e->owner;
}

static entry *oldest(known_tokens *k)
{
    entry *e = &k->entries[0];
    for (size_t i = 1; i < k->count; i++)
        if (k->entries[i].used < e->used)
            e = &k->entries[i];
    return e;
}

void known_tokens_put(known_tokens *k, span token, const token_owner *owner, int64_t expires_s)
{
    known_tokens_forget(k, token);
    if (k->count == k->max)
        drop(k, oldest(k));
    char *email = span_dup(span_of(owner->email)), *subject = span_dup(span_of(owner->subject));
    k->entries[k->count++] = (entry){.token = span_dup(token),
                                     .email = email,
                                     .subject = subject,
                                     .owner = {email, subject},
                                     .expires_s = expires_s,
                                     .used = ++k->uses};
}

void known_tokens_forget(known_tokens *k, span token)
{
    entry *e = find(k, token);
    if (e)
        drop(k, e);
}

size_t known_tokens_count(const known_tokens *k)
{
    return k->count;
}
