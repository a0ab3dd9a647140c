/* Keys of service accounts ("Create and delete service account keys"): made here, given away once,
 * known by their public half afterwards. */
#ifndef JOSE_ACCOUNT_KEY_H
#define JOSE_ACCOUNT_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

enum { ACCOUNT_KEY_ID_TEXT = 41 };

typedef struct account_key {
    char id[ACCOUNT_KEY_ID_TEXT]; /* 40 hex digits */
    char *private_pem;            /* PKCS#8 */
    char *public_pem;             /* SubjectPublicKeyInfo */
    char *certificate;            /* X.509, PEM, self-signed */
} account_key;

/* A new RSA-2048 key; common_name (the account's unique id) goes into the certificate. Takes some
 * tenths of a second. */
bool account_key_generate(account_key *out, const char *common_name, int64_t now_s, error *e);

/* From somebody's certificate (PEM, RSA of 2048 to 8192 bits): everything but a private_pem. */
bool account_key_of_certificate(account_key *out, span certificate, error *e);

/* The private key's text is overwritten. */
void account_key_clear(account_key *k);

#endif
