/* One certificate after the other, as OpenSSL reads bundles. */
#include "pki/pem_look.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/file.h"

static void bio_auto(BIO **p)
{
    BIO_free(*p);
}

static BIO *open_text(const char *path, char **out_text, error *e)
{
    size_t n = 0;
    *out_text = file_read(path, PEM_LOOK_MAX, &n, e);
    if (!*out_text)
        return NULL;
    BIO *b = BIO_new_mem_buf(*out_text, (int)n);
    if (!b)
        abort();
    return b;
}

/* Did reading stop because there is nothing more? */
static bool at_the_end(void)
{
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

bool pem_look(const char *path, const X509 *wanted, size_t *out_count, bool *out_has, error *e)
{
    auto_free char *text = NULL;
    AUTO(bio_auto) BIO *b = open_text(path, &text, e);
    if (!b)
        return false;
    size_t count = 0;
    bool has = false;
    ERR_clear_error();
    for (X509 *c; (c = PEM_read_bio_X509(b, NULL, NULL, NULL)); X509_free(c)) {
        count++;
        has = has || (wanted && X509_cmp(c, wanted) == 0);
    }
    if (!at_the_end())
        return error_set(e, ERR_INVALID, "%s: certificate %zu cannot be read", path, count + 1);
    *out_count = count;
    *out_has = has;
    return true;
}

X509 *pem_first(const char *path, error *e)
{
    auto_free char *text = NULL;
    AUTO(bio_auto) BIO *b = open_text(path, &text, e);
    X509 *c = b ? PEM_read_bio_X509(b, NULL, NULL, NULL) : NULL;
    ERR_clear_error();
    if (b && !c)
        error_set(e, ERR_INVALID, "%s: holds no certificate", path);
    return c;
}
