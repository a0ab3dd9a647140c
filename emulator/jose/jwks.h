/* A set of public verification keys by kid: what a JWKS document (RFC 7517 §5) holds. Immutable and
 * counted; reading and verifying are safe from any thread. */
#ifndef JOSE_JWKS_H
#define JOSE_JWKS_H

#include "base/error.h"
#include "base/span.h"

typedef struct jwks jwks;
typedef struct jwks_key jwks_key;

enum { JWKS_TEXT_MAX = 256 * 1024, JWKS_KEYS_MAX = 64 };

/* Takes RSA keys of 2048 to 8192 bits with alg RS256 (or none stated) and use sig (or none);
 * passes over other kinds of keys, refuses a document without one usable key, duplicate kids and
 * malformed RSA keys. */
jwks *jwks_parse(span json, error *e);
/* A set of one: the public key of a PEM text (SubjectPublicKeyInfo or an X.509 certificate). */
jwks *jwks_of_pem(span kid, span pem, error *e);
jwks *jwks_ref(jwks *k);
void jwks_unref(jwks *k); /* NULL is fine */

size_t jwks_count(const jwks *k);
const char *jwks_kid(const jwks *k, size_t i);

/* Same kids in both? (A rotation changes this; remembered tokens of gone keys must be dropped.) */
bool jwks_same(const jwks *a, const jwks *b);

const jwks_key *jwks_find(const jwks *k, span kid);

/* RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3). */
bool jwks_key_verify(const jwks_key *key, span signing_input, const uint8_t *sig, size_t sig_n);

#endif
