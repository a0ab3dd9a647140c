/* Tokens for calls over the network: from the caller's own metadata server where it has one, else
 * minted with the signing keys. */
#ifndef CLI_LIVE_TOKEN_H
#define CLI_LIVE_TOKEN_H

#include "base/arena.h"
#include "base/hash.h"
#include "decision/hypothesis.h"
#include "jose/keystore.h"

typedef struct live_tokens {
    const snapshot *s; /* with the addresses in force */
    const char *keys_dir;
    keystore *keys; /* opened on first need */
    arena *mem;
    strmap *known; /* "way\ne-mail\naudience" → token; they serve for the whole run */
} live_tokens;

void live_tokens_open(live_tokens *t, const snapshot *s, const char *keys_dir);
void live_tokens_close(live_tokens *t);

/* The token of h, wrong in the way of o; a view of t. NULL and *e: it cannot be had. */
const char *live_token(live_tokens *t, const hypothesis_options *o, const hypothesis *h,
                       int64_t now_us, error *e);

#endif
