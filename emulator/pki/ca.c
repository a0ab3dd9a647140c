/* The authority as its users hold it. */
#include "pki/ca.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "pki/ca_files.h"
#include "pki/certificate.h"

enum {
    AUTHORITY_DAYS = 3650,
    LEAF_DAYS = 397, /* browsers take no longer one */
    DAY_S = 86400,
    BACKDATED_S = 3600, /* clocks of containers and of virtual machines lag */
    FINGERPRINT_TEXT_MAX = EVP_MAX_MD_SIZE * 3
};

struct ca {
    ca_paths paths;
    clock_source clock;
    X509 *certificate;
    EVP_PKEY *key, *leaf_key;
    int64_t expires_s;
    char fingerprint[FINGERPRINT_TEXT_MAX];
};

static void close_lock(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
static void pkey_auto(EVP_PKEY **p)
{
    EVP_PKEY_free(*p);
}

char *ca_dir_in(const char *keys_dir)
{
    return file_join(keys_dir, "ca");
}

static EVP_PKEY *make_key(error *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (!key)
        pki_error(e, "cannot make an EC key");
    return key;
}

static bool make_authority(const ca *c, error *e)
{
    const int64_t now_s = clock_now_s(c->clock);
    AUTO(pkey_auto) EVP_PKEY *key = make_key(e);
    if (!key)
        return false;
    AUTO(pki_x509_auto)
    X509 *certificate = certificate_of_authority(key, now_s - BACKDATED_S,
                                                 now_s + (int64_t)AUTHORITY_DAYS * DAY_S, e);
    return certificate && ca_files_write(&c->paths, certificate, key, e);
}

/* Another process may be faster. */
static bool make_if_missing(const ca *c, error *e)
{
    if (ca_files_present(&c->paths))
        return true;
    AUTO(close_lock) int lock = ca_files_lock(&c->paths, e);
    if (lock < 0)
        return false;
    return ca_files_present(&c->paths) || make_authority(c, e);
}

static bool not_there(const ca *c, error *e)
{
    return error_set(e, ERR_NOT_FOUND, "%s: is not there; make it with: invoker ca init --ca %s",
                     c->paths.certificate, c->paths.dir);
}

static bool check_times(ca *c, error *e)
{
    int64_t from_s = 0;
    const int64_t now_s = clock_now_s(c->clock);
    if (!certificate_times(c->certificate, &from_s, &c->expires_s))
        return pki_error(e, c->paths.certificate);
    char when[CLOCK_RFC3339_MAX];
    if (now_s >= c->expires_s) {
        clock_rfc3339(c->expires_s * 1000000, 0, when);
        return error_set(
            e, ERR_INVALID, "%s: expired at %s; mend with: rm %s %s && invoker ca init --ca %s",
            c->paths.certificate, when, c->paths.certificate, c->paths.key, c->paths.dir);
    }
    clock_rfc3339(from_s * 1000000, 0, when);
    return now_s >= from_s ||
           error_set(e, ERR_INVALID, "%s: is valid from %s on only: is the clock right?",
                     c->paths.certificate, when);
}

static bool take_fingerprint(ca *c, error *e)
{
    static const char hex[] = "0123456789ABCDEF";
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (X509_digest(c->certificate, EVP_sha256(), digest, &n) != 1 || n == 0)
        return pki_error(e, c->paths.certificate);
    for (size_t i = 0; i < n; i++) {
        char *at = c->fingerprint + 3 * i;
        at[0] = hex[digest[i] >> 4];
        at[1] = hex[digest[i] & 15];
        at[2] = i + 1 < n ? ':' : '\0';
    }
    return true;
}

static bool find(ca *c, const char *dir, bool create, error *e)
{
    if (!ca_paths_open(&c->paths, dir, create, e))
        return false;
    if (create && !make_if_missing(c, e))
        return false;
    return ca_files_present(&c->paths) || not_there(c, e);
}

static bool fill(ca *c, const char *dir, bool create, error *e)
{
    if (!find(c, dir, create, e))
        return false;
    if (!ca_files_read(&c->paths, &c->certificate, &c->key, e))
        return false;
    if (!check_times(c, e) || !take_fingerprint(c, e))
        return false;
    c->leaf_key = make_key(e);
    return c->leaf_key != NULL;
}

ca *ca_open(const char *dir, bool create, clock_source clock, error *e)
{
    ca *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->clock = clock;
    if (fill(c, dir, create, e))
        return c;
    ca_close(c);
    return NULL;
}

bool ca_ensure(const char *dir, clock_source clock, error *e)
{
    ca c = {.clock = clock};
    const bool ok = find(&c, dir, true, e) && ca_files_check(&c.paths, e);
    ca_paths_free(&c.paths);
    return ok;
}

void ca_close(ca *c)
{
    if (!c)
        return;
    X509_free(c->certificate);
    EVP_PKEY_free(c->key);
    EVP_PKEY_free(c->leaf_key);
    ca_paths_free(&c->paths);
    free(c);
}

const char *ca_certificate_path(const ca *c)
{
    return c->paths.certificate;
}

const char *ca_key_path(const ca *c)
{
    return c->paths.key;
}

const char *ca_bundle_path(const ca *c)
{
    return c->paths.bundle;
}

bool ca_refresh_bundle(const ca *c, error *e)
{
    return ca_files_bundle(&c->paths, e);
}

const char *ca_fingerprint(const ca *c)
{
    return c->fingerprint;
}

int64_t ca_expires_s(const ca *c)
{
    return c->expires_s;
}

X509 *ca_certificate(const ca *c)
{
    return c->certificate;
}

EVP_PKEY *ca_leaf_key(const ca *c)
{
    return c->leaf_key;
}

X509 *ca_leaf(const ca *c, const char *const *names, size_t n, error *e)
{
    if (n == 0 || n > CA_LEAF_NAMES_MAX) {
        error_set(e, ERR_INVALID, "a certificate for %zu names: expected 1 to %d", n,
                  CA_LEAF_NAMES_MAX);
        return NULL;
    }
    const int64_t now_s = clock_now_s(c->clock);
    const int64_t until_s = now_s + (int64_t)LEAF_DAYS * DAY_S;
    const leaf_request r = {.key = c->leaf_key,
                            .issuer = c->certificate,
                            .issuer_key = c->key,
                            .names = names,
                            .name_count = n,
                            .from_s = now_s - BACKDATED_S,
                            .until_s = until_s < c->expires_s ? until_s : c->expires_s};
    return certificate_of_server(&r, e);
}
