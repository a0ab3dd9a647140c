/* Identity tokens: what a request asks for, and minting with a memory of one second. RS256 is
 * deterministic (RFC 8017 §8.2), so handing out the same bytes again within the second that `iat`
 * names is the same as signing again. */
#ifndef METADATA_IDENTITY_H
#define METADATA_IDENTITY_H

#include "base/clock.h"
#include "http/server.h"
#include "jose/id_token.h"
#include "jose/keystore.h"
#include "policy/snapshot.h"

enum { AUDIENCE_MAX = 8 * 1024 };

typedef enum audience_fault {
    AUDIENCE_FINE,
    AUDIENCE_EMPTY, /* absent, empty or blank */
    AUDIENCE_LONG,
    AUDIENCE_NOT_TEXT /* not UTF-8, or with a NUL */
} audience_fault;

/* `audience` of a raw query, decoded, appended to out (made with AUDIENCE_MAX). */
audience_fault identity_audience(span query, buf *out);
const char *audience_fault_text(audience_fault f);

typedef struct identity identity;
identity *identity_open(keystore *keys, clock_source clock);
void identity_close(identity *i);
/* A reload: forgets what was remembered, accounts are compared by address. */
void identity_forget(identity *i);

/* The prepared answer of this very query by this account in this second, or NULL. */
http_answer *identity_recall(identity *i, const account *a, span query);

/* ---- signing for others than the metadata server: nothing is remembered ---- */

/* A compact JWS of this payload; caller frees; NULL and *e when signing fails. */
char *identity_sign_jwt(identity *i, span payload, error *e);
/* The token that these claims make; likewise. */
char *identity_token(identity *i, const id_token_claims *c, error *e);
/* RS256 over any bytes; appends the signature; false and *e. */
bool identity_sign_bytes(identity *i, span bytes, buf *out, error *e);
/* The id of the key that signs. */
const char *identity_kid(const identity *i);

/* ---- the metadata server's tokens ---- */

/* Mints, remembers and returns it (owned by the memory); NULL and *e when signing fails. */
http_answer *identity_mint(identity *i, const account *a, int64_t lifetime_s, span audience,
                           span query, error *e);

#endif
