/* Identity tokens as the metadata server would mint them, or wrong in exactly one way. */
#ifndef CLI_MINT_H
#define CLI_MINT_H

#include "decision/hypothesis.h"
#include "jose/id_token.h"
#include "jose/keystore.h"

typedef struct mint {
    const keystore *keys;
    span email, unique_id; /* whose */
    span audience;
    span issuer; /* empty: Google */
    int64_t now_s, lifetime_s;
    int64_t skew_s; /* what the gateway tolerates: one that has expired has for longer */
    token_way way;
} mint;

/* Caller frees; NULL and *e. *out_claims (nullable): what it says, views of *m. Of ways that lie in
 * how a token is sent (an empty header …), the token is a good one. */
char *mint_token(const mint *m, id_token_claims *out_claims, error *e);

#endif
