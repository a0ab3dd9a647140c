/* X.509 certificates: the authority's own and those that it signs. Private to the pki room. */
#ifndef PKI_CERTIFICATE_H
#define PKI_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

static inline void pki_x509_auto(X509 **p)
{
    X509_free(*p);
}

/* What the OpenSSL queue says last, and empties it; returns false. */
bool pki_error(error *e, const char *what);

/* Self-signed, for an authority that signs leaves only. Caller frees; NULL and *e. */
X509 *certificate_of_authority(EVP_PKEY *key, int64_t from_s, int64_t until_s, error *e);

typedef struct leaf_request {
    EVP_PKEY *key;
    X509 *issuer;
    EVP_PKEY *issuer_key;
    const char *const *names; /* checked here */
    size_t name_count;
    int64_t from_s, until_s;
} leaf_request;

/* Caller frees; NULL and *e. */
X509 *certificate_of_server(const leaf_request *r, error *e);

/* Seconds since 1970. */
bool certificate_times(const X509 *x, int64_t *out_from_s, int64_t *out_until_s);

#endif
