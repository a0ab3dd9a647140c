/* One signing key: RSA, its kid (RFC 7638 thumbprint with an emulator's mark), its certificate. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "jose/b64url.h"
#include "jose/keystore_internal.h"

enum { RSA_BITS = 2048, RSA_BITS_MAX = 8192, JWK_MAX = 8 * 1024, THUMBPRINT_HEX = 36 };

static void bio_auto(BIO **p)
{
    BIO_free(*p);
}
static void x509_auto(X509 **p)
{
    X509_free(*p);
}
static void bn_auto(BIGNUM **p)
{
    BN_free(*p);
}
static void mdctx_auto(EVP_MD_CTX **p)
{
    EVP_MD_CTX_free(*p);
}

bool openssl_error(error *e, const char *what)
{
    char reason[256] = "unknown reason";
    const unsigned long code = ERR_peek_last_error();
    if (code)
        ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return error_set(e, ERR_INVALID, "%s (%s)", what, reason);
}

static bool number_b64url(const EVP_PKEY *pkey, const char *name, buf *b)
{
    AUTO(bn_auto) BIGNUM *bn = NULL;
    uint8_t bytes[RSA_BITS_MAX / 8];
    if (EVP_PKEY_get_bn_param(pkey, name, &bn) != 1 || BN_num_bytes(bn) > (int)sizeof bytes)
        return false;
    b64url_encode(b, bytes, (size_t)BN_bn2bin(bn, bytes));
    return true;
}

/* RFC 7638 §3: the required members only, in alphabetical order, without blanks. */
static bool find_kid(signing_key *k, error *e)
{
    auto_buf buf b = buf_make(JWK_MAX);
    buf_str(&b, "{\"e\":\"");
    bool got = number_b64url(k->pkey, OSSL_PKEY_PARAM_RSA_E, &b);
    buf_str(&b, "\",\"kty\":\"RSA\",\"n\":\"");
    got = got && number_b64url(k->pkey, OSSL_PKEY_PARAM_RSA_N, &b);
    buf_str(&b, "\"}");
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned digest_n = 0;
    if (!got || !buf_ok(&b) || EVP_Digest(b.p, b.n, digest, &digest_n, EVP_sha256(), NULL) != 1)
        return openssl_error(e, "cannot compute the key's thumbprint");
    static const char hex[] = "0123456789abcdef";
    memcpy(k->kid, KID_MARK, sizeof KID_MARK);
    for (size_t i = 0; i < THUMBPRINT_HEX; i++) {
        const uint8_t byte = digest[i / 2];
        k->kid[i + sizeof KID_MARK - 1] = hex[i % 2 ? byte & 15 : byte >> 4];
    }
    k->kid[KID_TEXT - 1] = '\0';
    return true;
}

/* Like the certificates of Google's federated sign-on where nothing else is asked for. */
#define FEDERATED "federated-signon.system.gserviceaccount.com"

static bool name_certificate(X509 *x, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(x);
    const struct {
        const char *field, *text;
    } rows[] = {
        {"O", "Invoker emulator (not Google)"},
        {"CN", common_name},
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (X509_NAME_add_entry_by_txt(name, rows[i].field, MBSTRING_UTF8,
                                       (const unsigned char *)rows[i].text, -1, -1, 0) != 1)
            return false;
    return X509_set_issuer_name(x, name) == 1;
}

static bool extend_certificate(X509 *x)
{
    const struct {
        int nid;
        const char *text;
    } rows[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "critical,clientAuth"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, rows[i].nid, rows[i].text);
        const bool added = ext && X509_add_ext(x, ext, -1) == 1;
        X509_EXTENSION_free(ext);
        if (!added)
            return false;
    }
    return true;
}

/* The serial number comes from the kid: two processes that make it get the same certificate. */
static bool number_certificate(X509 *x, const char *kid)
{
    char digits[16] = {0};
    memcpy(digits, kid + sizeof KID_MARK - 1, sizeof digits - 1);
    BIGNUM *serial = NULL;
    const bool set = BN_hex2bn(&serial, digits) > 0 &&
                     BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) != NULL;
    BN_free(serial);
    return set;
}

static char *bio_text(BIO *bio)
{
    char *p = NULL;
    const long n = BIO_get_mem_data(bio, &p);
    return n > 0 ? span_dup((span){p, (size_t)n}) : NULL;
}

static bool make_certificate(signing_key *k, const char *common_name, error *e)
{
    AUTO(x509_auto) X509 *x = X509_new();
    AUTO(bio_auto) BIO *bio = BIO_new(BIO_s_mem());
    const time_t from = (time_t)k->created_s;
    const time_t to = from + (time_t)CERTIFICATE_DAYS * 86400;
    if (!x || !bio || X509_set_version(x, X509_VERSION_3) != 1 || !number_certificate(x, k->kid) ||
        !name_certificate(x, common_name) || !ASN1_TIME_set(X509_getm_notBefore(x), from) ||
        !ASN1_TIME_set(X509_getm_notAfter(x), to) || X509_set_pubkey(x, k->pkey) != 1 ||
        !extend_certificate(x) || X509_sign(x, k->pkey, EVP_sha256()) <= 0 ||
        PEM_write_bio_X509(bio, x) != 1)
        return openssl_error(e, "cannot make the key's certificate");
    k->certificate = bio_text(bio);
    return k->certificate != NULL;
}

static bool read_certificate(signing_key *k, span pem, error *e)
{
    AUTO(bio_auto) BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    AUTO(x509_auto) X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (!x)
        return openssl_error(e, "the certificate is unreadable");
    struct tm begin;
    if (EVP_PKEY_eq(X509_get0_pubkey(x), k->pkey) != 1) {
        ERR_clear_error();
        return error_set(e, ERR_INVALID, "the certificate belongs to another key");
    }
    if (ASN1_TIME_to_tm(X509_get0_notBefore(x), &begin) != 1)
        return openssl_error(e, "the certificate has no readable beginning");
    k->created_s = (int64_t)timegm(&begin);
    k->certificate = span_dup(pem);
    return true;
}

/* What signing needs over and over, made once. */
static bool prepare(signing_key *k, error *e)
{
    auto_buf buf header = buf_make(256);
    buf_fmt(&header, "{\"alg\":\"RS256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", k->kid);
    auto_buf buf encoded = buf_make(512);
    b64url_encode(&encoded, header.p, header.n);
    buf_char(&encoded, '.');
    k->jwt_header = buf_take(&encoded);
    k->prepared = EVP_MD_CTX_new();
    if (!k->prepared ||
        EVP_DigestSignInit_ex(k->prepared, NULL, "SHA256", NULL, NULL, k->pkey, NULL) != 1)
        return openssl_error(e, "the key cannot sign");
    return true;
}

bool signing_key_generate_named(signing_key *out, const char *common_name, int64_t created_s,
                                error *e)
{
    *out = (signing_key){.created_s = created_s, .pkey = EVP_RSA_gen(RSA_BITS)};
    if (!out->pkey)
        return openssl_error(e, "cannot make an RSA key");
    return find_kid(out, e) && make_certificate(out, common_name, e) && prepare(out, e);
}

bool signing_key_generate(signing_key *out, int64_t created_s, error *e)
{
    return signing_key_generate_named(out, FEDERATED, created_s, e);
}

/* Never asks on the terminal. */
static int no_password(char *b, int n, int writing, void *ctx)
{
    (void)b;
    (void)n;
    (void)writing;
    (void)ctx;
    return -1;
}

static bool check_strength(const EVP_PKEY *pkey, error *e)
{
    if (!EVP_PKEY_is_a(pkey, "RSA"))
        return error_set(e, ERR_INVALID, "is not an RSA key");
    const int bits = EVP_PKEY_get_bits(pkey);
    if (bits < RSA_BITS || bits > RSA_BITS_MAX)
        return error_set(e, ERR_INVALID, "has %d bits, expected %d to %d", bits, RSA_BITS,
                         RSA_BITS_MAX);
    return true;
}

bool signing_key_identify(signing_key *k, error *e)
{
    return check_strength(k->pkey, e) && find_kid(k, e);
}

bool signing_key_parse(signing_key *out, span private_pem, span certificate,
                       int64_t fallback_created_s, error *e)
{
    *out = (signing_key){.created_s = fallback_created_s};
    if (memmem(private_pem.p, private_pem.n, "ENCRYPTED", 9))
        return error_set(e, ERR_INVALID, "is encrypted: only plain keys are read");
    AUTO(bio_auto) BIO *bio = BIO_new_mem_buf(private_pem.p, (int)private_pem.n);
    out->pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    if (!out->pkey)
        return openssl_error(e, "is not a readable private key");
    if (!signing_key_identify(out, e))
        return false;
    if (certificate.n ? !read_certificate(out, certificate, e)
                      : !make_certificate(out, FEDERATED, e))
        return false;
    return prepare(out, e);
}

void signing_key_clear(signing_key *k)
{
    EVP_MD_CTX_free(k->prepared);
    EVP_PKEY_free(k->pkey);
    free(k->certificate);
    free(k->jwt_header);
    *k = (signing_key){0};
}

char *signing_key_private_pem(const signing_key *k, size_t *out_n, error *e)
{
    AUTO(bio_auto) BIO *bio = BIO_new(BIO_s_secmem());
    char *p = NULL;
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, k->pkey, NULL, NULL, 0, NULL, NULL) != 1) {
        openssl_error(e, "cannot write the private key");
        return NULL;
    }
    const long n = BIO_get_mem_data(bio, &p);
    *out_n = (size_t)n;
    return n > 0 ? OPENSSL_memdup(p, (size_t)n) : NULL;
}

char *signing_key_public_pem(const signing_key *k, error *e)
{
    AUTO(bio_auto) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_PUBKEY(bio, k->pkey) != 1) {
        openssl_error(e, "cannot write the public key");
        return NULL;
    }
    return bio_text(bio);
}

bool signing_key_jwk(const signing_key *k, buf *b, error *e)
{
    buf_fmt(b, "{\"kid\":\"%s\",\"kty\":\"RSA\",\"alg\":\"RS256\",\"use\":\"sig\",\"n\":\"",
            k->kid);
    bool got = number_b64url(k->pkey, OSSL_PKEY_PARAM_RSA_N, b);
    buf_str(b, "\",\"e\":\"");
    got = got && number_b64url(k->pkey, OSSL_PKEY_PARAM_RSA_E, b);
    buf_str(b, "\"}");
    return got || openssl_error(e, "cannot write the public key");
}

bool signing_key_sign(const signing_key *k, span text, uint8_t *out, size_t *out_n, error *e)
{
    AUTO(mdctx_auto) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t n = RSA_BITS_MAX / 8;
    if (!ctx || EVP_MD_CTX_copy_ex(ctx, k->prepared) != 1 ||
        EVP_DigestSign(ctx, out, &n, (const uint8_t *)text.p, text.n) != 1)
        return openssl_error(e, "cannot sign");
    *out_n = n;
    return true;
}
