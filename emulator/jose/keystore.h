/* The folder of signing keys. Per key: KID.pem (PKCS#8, 0600) and KID.crt (self-signed X.509); the
 * folder is 0700. Newest not-retired key signs; retired keys stay published until their overlap
 * ends. Only the metadata process and `invoker keys|token|inspect` open it. */
#ifndef JOSE_KEYSTORE_H
#define JOSE_KEYSTORE_H

#include "base/clock.h"
#include "base/error.h"
#include "base/span.h"

typedef struct keystore keystore;

/* Opens dir and makes it with a first RSA-2048 key where there is none (create = true); safe when
 * several processes do so at once: all end up with the same key. Refuses a private key that others
 * may read, an encrypted one, or one below 2048 bits, naming the file and the mending command. */
keystore *keystore_open(const char *dir, bool create, clock_source clock, error *e);
void keystore_close(keystore *k);

/* Picks up keys that another process added or retired; cheap when nothing changed. */
bool keystore_refresh(keystore *k, error *e);

typedef struct key_info {
    const char *kid;   /* 40 hex digits: "e01a" (an emulator's) + 36 of the SHA-256 thumbprint */
    int64_t created_s; /* notBefore of the certificate */
    int64_t published_until_s; /* 0: while it is the newest */
    bool signing;
} key_info;

size_t keystore_count(const keystore *k);
key_info keystore_info(const keystore *k, size_t i); /* newest first; valid until refresh */

/* Makes a new signing key; the former one stays published for overlap_s seconds. */
bool keystore_rotate(keystore *k, int64_t overlap_s, error *e);

/* Documents of the published keys, newest first, owned by the store, valid until refresh/rotate:
 * {"keys":[{kid,kty,alg,use,n,e}]} and {"KID":"-----BEGIN CERTIFICATE-----…"}. */
span keystore_jwks(const keystore *k);
span keystore_pem_map(const keystore *k);

/* Signs a compact JWS with the signing key: header {"alg":"RS256","kid":KID,"typ":"JWT"} and the
 * payload text as it is. Caller frees; NULL and *e on error. Any thread may sign. */
char *keystore_sign_jwt(const keystore *k, span payload_json, error *e);

/* RS256 over arbitrary bytes; out has room for 1024 bytes. */
bool keystore_sign(const keystore *k, const void *p, size_t n, uint8_t *out, size_t *out_n,
                   error *e);

/* The signing key's public half, PEM (SubjectPublicKeyInfo); caller frees. */
char *keystore_public_pem(const keystore *k, error *e);

/* The folder to use: `explicit_dir`, else `from_topology` (already absolute), else ./keys if it is
 * there, else $XDG_STATE_HOME/invoker/keys (~/.local/state/…). Caller frees. */
char *keystore_default_dir(const char *explicit_dir, const char *from_topology);

#endif
