/* A JWKS document → verification keys. Every key keeps a prepared context that each verification
 * copies: cheaper than preparing one per token, and nothing is shared that is written to. */
#include "jose/jwks.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdatomic.h>

#include "jose/b64url.h"
#include "jose/json_strict.h"

enum {
    DEPTH_MAX = 16,
    KID_MAX = 256,
    RSA_BITS_MIN = 2048,
    RSA_BITS_MAX = 8192,
    EXPONENT_BYTES_MAX = 8 /* OpenSSL takes no larger one for large moduli */
};

struct jwks_key {
    char *kid;
    EVP_PKEY *pkey;
    EVP_MD_CTX *prepared;
};

struct jwks {
    atomic_uint refs;
    size_t count;
    jwks_key keys[JWKS_KEYS_MAX];
};

static void bio_auto(BIO **p)
{
    BIO_free(*p);
}
static void bn_auto(BIGNUM **p)
{
    BN_free(*p);
}
static void bld_auto(OSSL_PARAM_BLD **p)
{
    OSSL_PARAM_BLD_free(*p);
}
static void params_auto(OSSL_PARAM **p)
{
    OSSL_PARAM_free(*p);
}
static void pctx_auto(EVP_PKEY_CTX **p)
{
    EVP_PKEY_CTX_free(*p);
}
static void mdctx_auto(EVP_MD_CTX **p)
{
    EVP_MD_CTX_free(*p);
}
static void jwks_auto(jwks **p)
{
    jwks_unref(*p);
}

/* Base64urlUInt (RFC 7518 §2): canonical base64url, no leading zero octet. */
static BIGNUM *number(const json_t *jwk, const char *name, size_t bytes_max, error *e)
{
    const json_t *value = json_object_get(jwk, name);
    uint8_t bytes[RSA_BITS_MAX / 8 + 3];
    size_t n = 0;
    if (!json_is_string(value)) {
        error_set(e, ERR_INVALID, "\"%s\" is not a string", name);
        return NULL;
    }
    const span text = {json_string_value(value), json_string_length(value)};
    if (b64url_decoded_max(text.n) > sizeof bytes + 2) {
        error_set(e, ERR_INVALID, "\"%s\" is longer than %zu bytes", name, bytes_max);
        return NULL;
    }
    if (!b64url_decode(text, bytes, &n) || n == 0 || n > bytes_max || bytes[0] == 0) {
        error_set(e, ERR_INVALID,
                  "\"%s\" is not the base64url of a positive number of at most %zu bytes", name,
                  bytes_max);
        return NULL;
    }
    return BN_bin2bn(bytes, (int)n, NULL);
}

static bool sizes_fit(const BIGNUM *n, const BIGNUM *exponent, error *e)
{
    const int bits = BN_num_bits(n);
    if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
        return error_set(e, ERR_INVALID, "the modulus has %d bits, expected %d to %d", bits,
                         RSA_BITS_MIN, RSA_BITS_MAX);
    if (!BN_is_odd(n))
        return error_set(e, ERR_INVALID, "the modulus is an even number");
    if (!BN_is_odd(exponent) || BN_is_one(exponent))
        return error_set(e, ERR_INVALID, "the exponent is not an odd number from 3 on");
    return true;
}

static EVP_PKEY *public_key(const BIGNUM *n, const BIGNUM *exponent)
{
    AUTO(bld_auto) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    if (!bld || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)
        return NULL;
    AUTO(params_auto) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
    AUTO(pctx_auto) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
        return NULL;
    return key;
}

static bool prepare(jwks_key *key, error *e)
{
    key->prepared = EVP_MD_CTX_new();
    if (key->pkey && key->prepared &&
        EVP_DigestVerifyInit_ex(key->prepared, NULL, "SHA256", NULL, NULL, key->pkey, NULL) == 1)
        return true;
    ERR_clear_error();
    return error_set(e, ERR_INVALID, "is not a usable RSA key");
}

/* Fills *out, whose parts jwks_unref releases even after a failure. */
static bool build_key(const json_t *jwk, const char *kid, jwks_key *out, error *e)
{
    if (json_object_get(jwk, "d"))
        return error_set(e, ERR_INVALID, "holds a private key (\"d\"): publish public keys only");
    AUTO(bn_auto) BIGNUM *n = number(jwk, "n", RSA_BITS_MAX / 8, e);
    AUTO(bn_auto) BIGNUM *exponent = n ? number(jwk, "e", EXPONENT_BYTES_MAX, e) : NULL;
    if (!n || !exponent || !sizes_fit(n, exponent, e))
        return false;
    out->kid = span_dup(span_of(kid));
    out->pkey = public_key(n, exponent);
    return prepare(out, e);
}

static bool is_absent_or(const json_t *jwk, const char *name, const char *wanted)
{
    const json_t *value = json_object_get(jwk, name);
    return !value || (json_is_string(value) && strcmp(json_string_value(value), wanted) == 0);
}

static bool may_verify(const json_t *jwk)
{
    const json_t *ops = json_object_get(jwk, "key_ops");
    for (size_t i = 0; i < json_array_size(ops); i++) {
        const char *op = json_string_value(json_array_get(ops, i));
        if (op && strcmp(op, "verify") == 0)
            return true;
    }
    return !ops;
}

/* A key that could confirm an RS256 token; without a kid no token can ask for it. */
static const char *kid_if_of_our_kind(const json_t *jwk)
{
    const char *kty = json_string_value(json_object_get(jwk, "kty"));
    const char *kid = json_string_value(json_object_get(jwk, "kid"));
    if (!kty || strcmp(kty, "RSA") != 0 || !kid || !*kid)
        return NULL;
    if (!is_absent_or(jwk, "alg", "RS256") || !is_absent_or(jwk, "use", "sig") || !may_verify(jwk))
        return NULL;
    return kid;
}

static bool take_key(jwks *set, const json_t *jwk, error *e)
{
    if (!json_is_object(jwk))
        return error_set(e, ERR_INVALID, "the key set lists something that is not an object");
    const char *kid = kid_if_of_our_kind(jwk);
    if (!kid)
        return true;
    if (strlen(kid) > KID_MAX)
        return error_set(e, ERR_LIMIT, "the key set has a kid of more than %d bytes", KID_MAX);
    if (jwks_find(set, span_of(kid)))
        return error_set(e, ERR_INVALID, "the key set has kid \"%s\" twice", kid);
    if (!build_key(jwk, kid, &set->keys[set->count++], e))
        return error_wrap(e, "key \"%s\"", kid);
    return true;
}

static bool take_keys(jwks *set, const json_t *keys, error *e)
{
    if (!json_is_array(keys))
        return error_set(e, ERR_INVALID, "the key set has no list \"keys\"");
    const size_t n = json_array_size(keys);
    if (n > JWKS_KEYS_MAX)
        return error_set(e, ERR_LIMIT, "the key set has %zu keys, at most %d are read", n,
                         JWKS_KEYS_MAX);
    for (size_t i = 0; i < n; i++)
        if (!take_key(set, json_array_get(keys, i), e))
            return false;
    if (set->count == 0)
        return error_set(e, ERR_INVALID,
                         "the key set has no RSA key with a kid that may verify RS256");
    return true;
}

jwks *jwks_parse(span json, error *e)
{
    if (json.n > JWKS_TEXT_MAX) {
        error_set(e, ERR_LIMIT, "the key set has %zu bytes, at most %d are read", json.n,
                  JWKS_TEXT_MAX);
        return NULL;
    }
    json_auto_t *root = json_strict_object("the key set", json, DEPTH_MAX, NULL, e);
    if (!root)
        return NULL;
    AUTO(jwks_auto) jwks *set = calloc(1, sizeof *set);
    if (!set)
        abort();
    atomic_init(&set->refs, 1);
    if (!take_keys(set, json_object_get(root, "keys"), e))
        return NULL;
    return TAKE(set);
}

static EVP_PKEY *read_pem(span pem)
{
    AUTO(bio_auto) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
    if (bio && !key) {
        (void)BIO_reset(bio);
        X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        key = x ? X509_get_pubkey(x) : NULL;
        X509_free(x);
    }
    ERR_clear_error();
    return key;
}

jwks *jwks_of_pem(span kid, span pem, error *e)
{
    AUTO(jwks_auto) jwks *set = calloc(1, sizeof *set);
    if (!set)
        abort();
    atomic_init(&set->refs, 1);
    if (pem.n > JWKS_TEXT_MAX) {
        error_set(e, ERR_LIMIT, "the key is longer than %d bytes", JWKS_TEXT_MAX);
        return NULL;
    }
    jwks_key *key = &set->keys[set->count++];
    key->kid = span_dup(kid);
    key->pkey = read_pem(pem);
    const int bits = key->pkey ? EVP_PKEY_get_bits(key->pkey) : 0;
    if (!key->pkey || !EVP_PKEY_is_a(key->pkey, "RSA") || bits < RSA_BITS_MIN ||
        bits > RSA_BITS_MAX) {
        error_set(e, ERR_INVALID, "is not the PEM text of an RSA key of %d to %d bits",
                  RSA_BITS_MIN, RSA_BITS_MAX);
        return NULL;
    }
    return prepare(key, e) ? TAKE(set) : NULL;
}

jwks *jwks_ref(jwks *k)
{
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

void jwks_unref(jwks *k)
{
    if (!k || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < k->count; i++) {
        EVP_MD_CTX_free(k->keys[i].prepared);
        EVP_PKEY_free(k->keys[i].pkey);
        free(k->keys[i].kid);
    }
    free(k);
}

size_t jwks_count(const jwks *k)
{
    return k->count;
}

const char *jwks_kid(const jwks *k, size_t i)
{
    return k->keys[i].kid;
}

bool jwks_same(const jwks *a, const jwks *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const jwks_key *other = jwks_find(b, span_of(a->keys[i].kid));
        if (!other || EVP_PKEY_eq(a->keys[i].pkey, other->pkey) != 1)
            return false;
    }
    return true;
}

const jwks_key *jwks_find(const jwks *k, span kid)
{
    for (size_t i = 0; i < k->count; i++)
        if (k->keys[i].kid && span_eq_str(kid, k->keys[i].kid))
            return &k->keys[i];
    return NULL;
}

bool jwks_key_verify(const jwks_key *key, span signing_input, const uint8_t *sig, size_t sig_n)
{
    AUTO(mdctx_auto) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx || EVP_MD_CTX_copy_ex(ctx, key->prepared) != 1) {
        ERR_clear_error();
        return false;
    }
    const int verdict =
        EVP_DigestVerify(ctx, sig, sig_n, (const uint8_t *)signing_input.p, signing_input.n);
    if (verdict != 1)
        ERR_clear_error();
    return verdict == 1;
}
