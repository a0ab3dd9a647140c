/* Tokens that must be refused, made for tests and lessons. None of them opens anything: each is one
 * known attack or mistake. */
#ifndef JOSE_FORGE_H
#define JOSE_FORGE_H

#include "jose/keystore.h"

/* All return a compact JWS that the caller frees, NULL and *e on failure. */

/* Signed by a fresh key that nobody publishes, under that key's own kid. */
char *forge_foreign_key(const keystore *k, span payload, error *e);
/* The same, but the header names the store's signing key. */
char *forge_foreign_signature(const keystore *k, span payload, error *e);
/* alg "none", nothing behind the last dot (RFC 7519 §6). */
char *forge_unsigned(const keystore *k, span payload, error *e);
/* alg "HS256" with the public key's PEM text as the secret: a verifier that lets the token choose
 * the algorithm takes it (RFC 8725 §2.1). */
char *forge_hs256(const keystore *k, span payload, error *e);

/* The token with another payload under the old signature. */
char *forge_tampered(span token, span payload, error *e);

#endif
