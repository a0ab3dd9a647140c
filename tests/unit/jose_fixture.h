/* A key pair and hand-made tokens for the tests of the jose room. Made once, before Check forks. */
#ifndef JOSE_FIXTURE_H
#define JOSE_FIXTURE_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base/attr.h"
#include "jose/b64url.h"

static inline char *fixture_b64(const void *p, size_t n)
{
    buf b = buf_make(1 << 20);
    b64url_encode(&b, p, n);
    return buf_take(&b);
}

static inline char *fixture_number(const EVP_PKEY *key, const char *name)
{
    BIGNUM *bn = NULL;
    uint8_t bytes[2048];
    if (EVP_PKEY_get_bn_param(key, name, &bn) != 1)
        abort();
    char *text = fixture_b64(bytes, (size_t)BN_bn2bin(bn, bytes));
    BN_free(bn);
    return text;
}

/* {"kid":KID,"kty":"RSA",EXTRA"n":…,"e":…}; extra ends in a comma or is empty. */
static inline char *fixture_jwk(const EVP_PKEY *key, const char *kid, const char *extra)
{
    auto_free char *n = fixture_number(key, OSSL_PKEY_PARAM_RSA_N);
    auto_free char *e = fixture_number(key, OSSL_PKEY_PARAM_RSA_E);
    buf b = buf_make(1 << 16);
    buf_fmt(&b, "{\"kid\":\"%s\",\"kty\":\"RSA\",%s\"n\":\"%s\",\"e\":\"%s\"}", kid, extra, n, e);
    return buf_take(&b);
}

/* header.payload.signature over exactly these texts. */
static inline char *fixture_token(EVP_PKEY *key, const char *header, span payload)
{
    buf b = buf_make(1 << 20);
    b64url_encode(&b, header, strlen(header));
    buf_char(&b, '.');
    b64url_encode(&b, payload.p, payload.n);
    uint8_t signature[1024];
    size_t n = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(ctx, signature, &n, (const uint8_t *)b.p, b.n) != 1)
        abort();
    EVP_MD_CTX_free(ctx);
    buf_char(&b, '.');
    b64url_encode(&b, signature, n);
    return buf_take(&b);
}

#endif
