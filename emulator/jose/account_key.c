/* A service account's key is a signing key whose private half leaves the house. */
#include "jose/account_key.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/attr.h"
#include "jose/keystore_internal.h"

static void signing_key_auto(signing_key *k)
{
    signing_key_clear(k);
}
static void bio_auto(BIO **p)
{
    BIO_free(*p);
}
static void x509_auto(X509 **p)
{
    X509_free(*p);
}

bool account_key_generate(account_key *out, const char *common_name, int64_t now_s, error *e)
{
    *out = (account_key){0};
    AUTO(signing_key_auto) signing_key key = {0};
    size_t n = 0;
    if (!signing_key_generate_named(&key, common_name, now_s, e))
        return false;
    memcpy(out->id, key.kid, sizeof out->id);
    out->certificate = TAKE(key.certificate);
    out->public_pem = signing_key_public_pem(&key, e);
    char *secret = signing_key_private_pem(&key, &n, e);
    if (secret) {
        out->private_pem = span_dup((span){secret, n});
        OPENSSL_clear_free(secret, n);
    }
    if (out->public_pem && out->private_pem)
        return true;
    account_key_clear(out);
    return false;
}

bool account_key_of_certificate(account_key *out, span certificate, error *e)
{
    *out = (account_key){0};
    AUTO(bio_auto) BIO *bio = BIO_new_mem_buf(certificate.p, (int)certificate.n);
    AUTO(x509_auto) X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    if (!x)
        return openssl_error(e, "not a readable certificate in PEM");
    AUTO(signing_key_auto) signing_key key = {.pkey = X509_get_pubkey(x)};
    if (!key.pkey)
        return openssl_error(e, "the certificate holds no readable public key");
    if (!signing_key_identify(&key, e))
        return false;
    memcpy(out->id, key.kid, sizeof out->id);
    out->public_pem = signing_key_public_pem(&key, e);
    out->certificate = span_dup(certificate);
    if (out->public_pem)
        return true;
    account_key_clear(out);
    return false;
}

void account_key_clear(account_key *k)
{
    if (k->private_pem)
        OPENSSL_cleanse(k->private_pem, strlen(k->private_pem));
    free(k->private_pem);
    free(k->public_pem);
    free(k->certificate);
    *k = (account_key){0};
}
