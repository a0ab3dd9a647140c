/* Reading and writing the folder. An authority exists from the moment its ca.pem has its name; its
 * key is there before that, its bundle comes after. */
#include "pki/ca_files.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "pki/certificate.h"

enum { PEM_FILE_MAX = 64 * 1024, BUNDLE_MAX = 16 * 1024 * 1024, RSA_BITS_MIN = 2048 };

/* Where Debian, Fedora, SUSE and Alpine keep the roots that they trust. */
static const char *const system_bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

static void bio_auto(BIO **p)
{
    BIO_free(*p);
}
static void pkey_auto(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
}

/* ---- the folder ---- */

/* Others may look into it: the certificate is for everybody, and the key has a mode of its own. */
static bool make_folder(const char *dir, error *e)
{
    auto_free char *parent = file_dirname(dir);
    return file_mkdirs(parent, 0700, e) && file_mkdirs(dir, 0755, e);
}

static bool check_folder(const char *dir, error *e)
{
    struct stat st;
    if (stat(dir, &st) != 0)
        return error_errno(e, "%s (make it with: invoker ca init --ca %s)", dir, dir);
    if (!S_ISDIR(st.st_mode))
        return error_set(e, ERR_INVALID, "%s: is a file, expected a folder", dir);
    if (st.st_mode & 022)
        return error_set(e, ERR_PERMISSION,
                         "%s: others may write to it (mode %04o); mend with: chmod go-w %s", dir,
                         (unsigned)(st.st_mode & 07777), dir);
    return true;
}

bool ca_paths_open(ca_paths *out, const char *dir, bool create, error *e)
{
    struct stat st;
    const bool missing = stat(dir, &st) != 0 && errno == ENOENT;
    if (create && missing && !make_folder(dir, e))
        return false;
    if (!check_folder(dir, e))
        return false;
    char *absolute = realpath(dir, NULL);
    if (!absolute)
        return error_errno(e, "%s", dir);
    *out = (ca_paths){.dir = absolute,
                      .certificate = file_join(absolute, "ca.pem"),
                      .key = file_join(absolute, "ca.key"),
                      .bundle = file_join(absolute, "bundle.pem")};
    return true;
}

void ca_paths_free(ca_paths *p)
{
    free(p->dir);
    free(p->certificate);
    free(p->key);
    free(p->bundle);
    *p = (ca_paths){0};
}

int ca_files_lock(const ca_paths *p, error *e)
{
    return file_lock_folder(p->dir, e);
}

bool ca_files_present(const ca_paths *p)
{
    return access(p->certificate, F_OK) == 0;
}

/* ---- reading ---- */

/* Never asks on the terminal. */
static int no_password(char *b, int n, int writing, void *ctx)
{
    (void)b;
    (void)n;
    (void)writing;
    (void)ctx;
    return -1;
}

static bool mend_by_removing(const ca_paths *p, const char *what, error *e)
{
    return error_set(e, ERR_INVALID,
                     "%s: %s; mend with: rm %s %s (a new authority is then made, which clients "
                     "have to be given)",
                     p->certificate, what, p->certificate, p->key);
}

static X509 *read_certificate(const ca_paths *p, error *e)
{
    size_t n = 0;
    auto_free char *pem = file_read(p->certificate, PEM_FILE_MAX, &n, e);
    if (!pem)
        return NULL;
    AUTO(bio_auto) BIO *bio = BIO_new_mem_buf(pem, (int)n);
    X509 *x = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    if (!x) {
        (void)pki_error(e, "is not a readable certificate");
        (void)error_wrap(e, "%s", p->certificate);
    }
    return x;
}

static bool check_key_file(const ca_paths *p, error *e)
{
    if (access(p->key, F_OK) != 0 && errno == ENOENT)
        return mend_by_removing(p, "has no ca.key beside it", e);
    return file_check_private(p->key, e);
}

bool ca_files_check(const ca_paths *p, error *e)
{
    if (access(p->certificate, R_OK) != 0)
        return error_errno(e, "%s", p->certificate);
    if (!check_key_file(p, e))
        return false;
    return access(p->key, R_OK) == 0 || error_errno(e, "%s", p->key);
}

static EVP_PKEY *read_key(const ca_paths *p, error *e)
{
    if (!check_key_file(p, e))
        return NULL;
    size_t n = 0;
    char *pem = file_read(p->key, PEM_FILE_MAX, &n, e);
    if (!pem)
        return NULL;
    AUTO(bio_auto) BIO *bio = BIO_new_mem_buf(pem, (int)n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    OPENSSL_cleanse(pem, n);
    free(pem);
    if (!key) {
        (void)pki_error(e, "is not a readable, unencrypted private key");
        (void)error_wrap(e, "%s", p->key);
    }
    return key;
}

static bool check_pair(const ca_paths *p, X509 *certificate, EVP_PKEY *key, error *e)
{
    if (X509_check_private_key(certificate, key) != 1) {
        (void)pki_error(NULL, "");
        return mend_by_removing(p, "belongs to another key than the one in ca.key", e);
    }
    if (X509_check_ca(certificate) != 1 || !(X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN))
        return mend_by_removing(p, "is not an authority's certificate", e);
    const bool strong = EVP_PKEY_is_a(key, "EC") ||
                        (EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) >= RSA_BITS_MIN);
    return strong || mend_by_removing(p, "has neither an EC nor an RSA key of 2048 bits", e);
}

bool ca_files_read(const ca_paths *p, X509 **out_certificate, EVP_PKEY **out_key, error *e)
{
    AUTO(pki_x509_auto) X509 *certificate = read_certificate(p, e);
    if (!certificate)
        return false;
    AUTO(pkey_auto) EVP_PKEY *key = read_key(p, e);
    if (!key)
        return false;
    if (!check_pair(p, certificate, key, e))
        return false;
    *out_certificate = TAKE(certificate);
    *out_key = TAKE(key);
    return true;
}

/* ---- writing ---- */

static bool write_key(const ca_paths *p, EVP_PKEY *key, error *e)
{
    AUTO(bio_auto) BIO *bio = BIO_new(BIO_s_secmem());
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        return pki_error(e, "cannot write the authority's key");
    char *pem = NULL;
    const long n = BIO_get_mem_data(bio, &pem);
    return file_replace(p->key, pem, (size_t)n, 0600, e);
}

bool ca_files_write(const ca_paths *p, X509 *certificate, EVP_PKEY *key, error *e)
{
    AUTO(bio_auto) BIO *bio = BIO_new(BIO_s_mem());
    if (!bio || PEM_write_bio_X509(bio, certificate) != 1)
        return pki_error(e, "cannot write the authority's certificate");
    char *pem = NULL;
    const long n = BIO_get_mem_data(bio, &pem);
    return write_key(p, key, e) && file_replace(p->certificate, pem, (size_t)n, 0644, e);
}

/* ---- the bundle ---- */

static void add_file(buf *b, span text)
{
    buf_span(b, text);
    if (text.n && text.p[text.n - 1] != '\n')
        buf_char(b, '\n');
}

static void add_system_roots(buf *b)
{
    for (size_t i = 0; i < countof(system_bundles); i++) {
        size_t n = 0;
        auto_free char *text = file_read(system_bundles[i], BUNDLE_MAX, &n, NULL);
        if (text && n) {
            add_file(b, (span){text, n});
            return;
        }
    }
}

bool ca_files_bundle(const ca_paths *p, error *e)
{
    size_t n = 0;
    auto_free char *own = file_read(p->certificate, PEM_FILE_MAX, &n, e);
    if (!own)
        return false;
    auto_buf buf wanted = buf_make((size_t)BUNDLE_MAX + PEM_FILE_MAX);
    add_system_roots(&wanted);
    add_file(&wanted, (span){own, n});
    if (!buf_ok(&wanted))
        return error_set(e, ERR_LIMIT, "%s: would be too large", p->bundle);
    auto_free char *now = file_read(p->bundle, wanted.max, &n, NULL);
    if (now && span_eq((span){now, n}, buf_view(&wanted)))
        return true;
    return file_replace(p->bundle, wanted.p, wanted.n, 0644, e);
}
