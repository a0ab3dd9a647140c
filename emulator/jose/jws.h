/* Compact JWS (RFC 7515 §7.1) restricted to what Cloud Run accepts: RS256 JWTs. */
#ifndef JOSE_JWS_H
#define JOSE_JWS_H

#include "jose/claims.h"
#include "jose/jwks.h"

enum { JWS_TOKEN_MAX = 16 * 1024 };

typedef enum jws_result {
    JWS_OK,
    JWS_NOT_A_JWT,     /* not three canonical base64url parts of JSON */
    JWS_BAD_HEADER,    /* header is not an object, has duplicate names, or "crit" */
    JWS_BAD_ALG,       /* alg is not RS256 (none, HS256, ES256, …) */
    JWS_UNKNOWN_KID,   /* no kid, or no such key: a fresh JWKS may help */
    JWS_BAD_SIGNATURE, /* the key does not confirm it */
    JWS_BAD_CLAIMS     /* signed, but the payload breaks RFC 7519 */
} jws_result;

/* Everything short of the signature: splits, decodes and parses. out_kid (nullable) receives a copy
 * the caller frees, out_alg (nullable) likewise, out_claims (nullable) likewise; each is NULL where
 * the token does not get that far. Meant for explaining; grants nothing. */
jws_result jws_peek(span token, char **out_kid, char **out_alg, claims **out_claims, error *e);

/* The full judgement. *out_claims (caller frees with claims_free) is set when the claims could be
 * read, even if the signature or the key is wrong, so that a refusal can be explained: trust them
 * only on JWS_OK. */
jws_result jws_verify(const jwks *keys, span token, claims **out_claims, error *e);

/* "not_a_jwt", "bad_alg", … for logs. */
const char *jws_result_name(jws_result r);

#endif
