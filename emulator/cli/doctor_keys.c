/* The two folders with secrets: token-signing keys, and the local certificate authority. They are
 * looked at, never made or changed. */
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli_keys.h"
#include "cli/doctor.h"
#include "jose/keystore.h"
#include "pki/ca.h"
#include "pki/pem_look.h"

enum { DAY_S = 86400, EXPIRES_SOON_DAYS = 30, TIME_TEXT_MAX = 128 };

static void keystore_auto(keystore **k)
{
    keystore_close(*k);
}
static void ca_auto(ca **c)
{
    ca_close(*c);
}

/* ---- signing keys ---- */

static void check_folder_mode(const doctor *d)
{
    struct stat st;
    if (stat(d->keys_dir, &st) != 0 || (st.st_mode & 077) == 0)
        return;
    finding *f = report_add(d->report, FINDING_WARNING, "keys", "keys_folder_mode",
                            "%s has mode %04o: others on this machine see which keys there are",
                            d->keys_dir, (unsigned)(st.st_mode & 07777));
    finding_expect(f, "0700");
    finding_mend(f, "chmod 700 %s", d->keys_dir);
}

static void tell_keys(const doctor *d, const keystore *k)
{
    const int64_t now = clock_now_s(clock_system());
    auto_buf buf age = buf_make(TIME_TEXT_MAX);
    size_t waning = 0;
    const char *signing = "";
    for (size_t i = 0; i < keystore_count(k); i++) {
        const key_info info = keystore_info(k, i);
        waning += info.published_until_s != 0;
        if (!info.signing)
            continue;
        signing = info.kid;
        cli_add_distance(&age, info.created_s, now);
    }
    report_add(d->report, FINDING_OK, "keys", "keys",
               "%s: key %.8s… signs, made %s; %zu retired still published", d->keys_dir, signing,
               age.p ? age.p : "", waning);
}

/* Does the running metadata server sign with this folder's keys? */
static void compare_keys(const doctor *d, const keystore *k)
{
    for (size_t i = 0; d->keys && i < keystore_count(k); i++) {
        const key_info info = keystore_info(k, i);
        if (!info.signing || jwks_find(d->keys, span_of(info.kid)))
            continue;
        finding *f = report_add(
            d->report, FINDING_WARNING, "keys", "keys_other_folder",
            "the running gateway does not know key %.8s… of %s: it was started with another "
            "folder, and `invoker token` with this one makes tokens that it refuses (unknown_key)",
            info.kid, d->keys_dir);
        finding_mend(f, "name the folder that `up` was given, with --keys DIR");
    }
}

static void check_keys(const doctor *d)
{
    error e = {0};
    AUTO(keystore_auto) keystore *k = keystore_open(d->keys_dir, false, clock_system(), &e);
    if (k) {
        check_folder_mode(d);
        tell_keys(d, k);
        compare_keys(d, k);
    } else if (e.kind == ERR_NOT_FOUND) {
        report_add(d->report, d->status ? FINDING_WARNING : FINDING_OK, "keys", "keys_none",
                   "%s: no keys yet; the metadata server makes them when it starts", d->keys_dir);
    } else {
        (void)report_add_error(d->report, FINDING_PROBLEM, "keys", "keys_refused", e.text);
    }
}

/* ---- the authority ---- */

static void check_bundle(const doctor *d, const ca *c)
{
    error e = {0};
    size_t count = 0;
    bool has = false;
    const char *path = ca_bundle_path(c);
    const bool readable = pem_look(path, ca_certificate(c), &count, &has, &e);
    if (readable && has)
        return;
    finding *f = readable
                     ? report_add(d->report, FINDING_PROBLEM, "ca", "ca_bundle",
                                  "%s holds %zu certificates, but not the authority's", path, count)
                     : report_add(d->report, FINDING_PROBLEM, "ca", "ca_bundle", "%s", e.text);
    finding_expect(f, "the system's roots and %s", ca_certificate_path(c));
    finding_mend(f, "%s ca init --ca %s", d->as_invoker, d->ca_dir);
}

static void check_expiry(const doctor *d, const ca *c)
{
    const int64_t now = clock_now_s(clock_system()), end = ca_expires_s(c);
    auto_buf buf when = buf_make(TIME_TEXT_MAX);
    cli_add_distance(&when, end, now);
    if (end - now > (int64_t)EXPIRES_SOON_DAYS * DAY_S) {
        report_add(d->report, FINDING_OK, "ca", "ca", "%s: expires %s", ca_certificate_path(c),
                   when.p ? when.p : "");
        return;
    }
    finding *f = report_add(d->report, FINDING_WARNING, "ca", "ca_expires", "%s expires %s",
                            ca_certificate_path(c), when.p ? when.p : "");
    finding_mend(f, "rm %s %s (a new authority is then made, which clients have to be given)",
                 ca_certificate_path(c), ca_key_path(c));
}

static void check_ca(const doctor *d)
{
    error e = {0};
    AUTO(ca_auto) ca *c = ca_open(d->ca_dir, false, clock_system(), &e);
    if (c) {
        check_expiry(d, c);
        check_bundle(d, c);
    } else if (e.kind == ERR_NOT_FOUND) {
        report_add(d->report, FINDING_OK, "ca", "ca_none",
                   "%s: no certificate authority yet; it is made by `up`, `env` and `ca init`",
                   d->ca_dir);
    } else {
        (void)report_add_error(d->report, FINDING_PROBLEM, "ca", "ca_refused", e.text);
    }
}

void doctor_keys(doctor *d)
{
    check_keys(d);
    check_ca(d);
}
