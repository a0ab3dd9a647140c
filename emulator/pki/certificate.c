/* Building certificates. */
#include "pki/certificate.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/span.h"

enum {
    SERIAL_BYTES = 16,
    HOST_NAME_MAX_BYTES = 253,
    LABEL_MAX = 63,
    COMMON_NAME_MAX = 64, /* X.520's upper bound */
    SUFFIX_TEXT_MAX = 48
};

typedef struct extension {
    int nid;
    const char *text;
} extension;

static void bn_auto(BIGNUM **p)
{
    BN_free(*p);
}
static void names_auto(GENERAL_NAMES **p)
{
    GENERAL_NAMES_free(*p);
}

bool pki_error(error *e, const char *what)
{
    char reason[256] = "unknown reason";
    const unsigned long code = ERR_peek_last_error();
    if (code)
        ERR_error_string_n(code, reason, sizeof reason);
    ERR_clear_error();
    return error_set(e, ERR_INVALID, "%s (%s)", what, reason);
}

/* ---- fields ---- */

/* Positive and of the same length always. */
static bool set_serial(X509 *x)
{
    uint8_t bytes[SERIAL_BYTES];
    random_bytes(bytes, sizeof bytes);
    bytes[0] = (bytes[0] & 0x3F) | 0x40;
    AUTO(bn_auto) BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    return number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x));
}

static bool add_to_name(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

static bool set_subject(X509 *x, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(x);
    return add_to_name(name, "O", "Invoker emulator") &&
           (!common_name || add_to_name(name, "CN", common_name));
}

static bool set_times(X509 *x, int64_t from_s, int64_t until_s)
{
    return ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from_s) &&
           ASN1_TIME_set(X509_getm_notAfter(x), (time_t)until_s);
}

static bool extend(X509 *x, X509 *issuer, const extension *rows, size_t n)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, rows[i].nid, rows[i].text);
        const bool added = ext && X509_add_ext(x, ext, -1) == 1;
        X509_EXTENSION_free(ext);
        if (!added)
            return false;
    }
    return true;
}

static bool set_frame(X509 *x, EVP_PKEY *key, int64_t from_s, int64_t until_s)
{
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
           set_times(x, from_s, until_s) && X509_set_pubkey(x, key) == 1;
}

/* ---- the authority ---- */

/* Two authorities in one trust store have to have different names. */
static void authority_name(char out[SUFFIX_TEXT_MAX])
{
    uint32_t suffix;
    random_bytes(&suffix, sizeof suffix);
    (void)snprintf(out, SUFFIX_TEXT_MAX, "Invoker local CA %08x", (unsigned)suffix);
}

X509 *certificate_of_authority(EVP_PKEY *key, int64_t from_s, int64_t until_s, error *e)
{
    static const extension rows[] = {
        {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
        {NID_key_usage, "critical,keyCertSign,cRLSign"},
        {NID_subject_key_identifier, "hash"},
    };
    char name[SUFFIX_TEXT_MAX];
    authority_name(name);
    AUTO(pki_x509_auto) X509 *x = X509_new();
    if (x && set_frame(x, key, from_s, until_s) && set_subject(x, name) &&
        X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
        extend(x, x, rows, countof(rows)) && X509_sign(x, key, EVP_sha256()) > 0)
        return TAKE(x);
    pki_error(e, "cannot make the authority's certificate");
    return NULL;
}

/* ---- servers ---- */

static bool is_label_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool is_host_name(const char *name)
{
    if (strlen(name) > HOST_NAME_MAX_BYTES)
        return false;
    span rest = span_of(strncmp(name, "*.", 2) == 0 ? name + 2 : name), label;
    bool more = true;
    while (more) {
        more = span_cut(&rest, '.', &label);
        if (label.n == 0 || label.n > LABEL_MAX)
            return false;
        for (size_t i = 0; i < label.n; i++)
            if (!is_label_char(label.p[i]))
                return false;
    }
    return true;
}

static bool push_name(GENERAL_NAMES *names, int type, const void *bytes, size_t n)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *text =
        ASN1_STRING_type_new(type == GEN_DNS ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
    if (!name || !text || ASN1_STRING_set(text, bytes, (int)n) != 1) {
        GENERAL_NAME_free(name);
        ASN1_STRING_free(text);
        return false;
    }
    GENERAL_NAME_set0_value(name, type, text);
    if (sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static bool add_name(GENERAL_NAMES *names, const char *text, error *e)
{
    struct in6_addr address;
    bool pushed;
    if (inet_pton(AF_INET, text, &address) == 1)
        pushed = push_name(names, GEN_IPADD, &address, sizeof(struct in_addr));
    else if (inet_pton(AF_INET6, text, &address) == 1)
        pushed = push_name(names, GEN_IPADD, &address, sizeof address);
    else if (is_host_name(text))
        pushed = push_name(names, GEN_DNS, text, strlen(text));
    else
        return error_set(e, ERR_INVALID, "\"%.64s\" is neither a host name nor an IP address",
                         text);
    return pushed || pki_error(e, "cannot note a name");
}

static bool set_names(X509 *x, const leaf_request *r, error *e)
{
    AUTO(names_auto) GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    if (!names)
        return pki_error(e, "cannot note names");
    for (size_t i = 0; i < r->name_count; i++)
        if (!add_name(names, r->names[i], e))
            return false;
    return X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1 ||
           pki_error(e, "cannot note names");
}

static bool set_leaf(X509 *x, const leaf_request *r)
{
    /* An authority that somebody brought along may have no key identifier to refer to. */
    static const extension rows[] = {
        {NID_basic_constraints, "critical,CA:FALSE"},
        {NID_key_usage, "critical,digitalSignature"},
        {NID_ext_key_usage, "serverAuth"},
        {NID_subject_key_identifier, "hash"},
        {NID_authority_key_identifier, "keyid"},
    };
    const size_t n = countof(rows) - (X509_get0_subject_key_id(r->issuer) ? 0 : 1);
    const char *first = r->names[0];
    return set_frame(x, r->key, r->from_s, r->until_s) &&
           set_subject(x, strlen(first) <= COMMON_NAME_MAX ? first : NULL) &&
           X509_set_issuer_name(x, X509_get_subject_name(r->issuer)) == 1 &&
           extend(x, r->issuer, rows, n);
}

X509 *certificate_of_server(const leaf_request *r, error *e)
{
    AUTO(pki_x509_auto) X509 *x = X509_new();
    if (!x || !set_leaf(x, r)) {
        pki_error(e, "cannot make a server's certificate");
        return NULL;
    }
    if (!set_names(x, r, e))
        return NULL;
    if (X509_sign(x, r->issuer_key, EVP_sha256()) > 0)
        return TAKE(x);
    pki_error(e, "cannot sign a server's certificate");
    return NULL;
}

/* ---- reading ---- */

static bool seconds_of(const ASN1_TIME *t, int64_t *out)
{
    struct tm fields;
    if (!t || ASN1_TIME_to_tm(t, &fields) != 1)
        return false;
    *out = timegm(&fields);
    return true;
}

bool certificate_times(const X509 *x, int64_t *out_from_s, int64_t *out_until_s)
{
    return seconds_of(X509_get0_notBefore(x), out_from_s) &&
           seconds_of(X509_get0_notAfter(x), out_until_s);
}
