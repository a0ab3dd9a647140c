/* What a Google-signed identity token says (docs: "Verifying instance identity"). */
#ifndef JOSE_ID_TOKEN_H
#define JOSE_ID_TOKEN_H

#include "base/buf.h"

#define GOOGLE_ISSUER "https://accounts.google.com"

typedef struct id_token_claims {
    span audience;    /* verbatim, any bytes that are UTF-8 */
    bool no_audience; /* none at all: a token that is refused */
    span email;       /* empty: no email claims */
    span unique_id;   /* sub: account_unique_id() of base/unique_id.h */
    span azp;         /* empty: unique_id, as tokens of service accounts have it */
    int64_t iat_s;
    int64_t lifetime_s; /* exp = iat + this; may be negative to make an expired one */
    span issuer;        /* empty: GOOGLE_ISSUER; another one makes a token that is refused */
} id_token_claims;

/* Appends the payload, JSON with alphabetical keys and no blanks, as Google's tokens have it. */
void id_token_payload(buf *b, const id_token_claims *c);

#endif
