/* The local authority: its folder, what is refused, and the certificates that it gives. */
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>

#include "keystore_fixture.h"
#include "pki/ca.h"

enum { DAY_S = 86400, RACERS = 8 };

static char authority_dir[96]; /* fixture_dir/ca */

static void setup(void)
{
    fixture_setup();
    (void)snprintf(authority_dir, sizeof authority_dir, "%s/ca", fixture_dir);
}

static void teardown(void)
{
    fixture_remove_files(authority_dir);
    fixture_teardown();
}

static ca *open_good(void)
{
    error e = {0};
    ca *c = ca_open(authority_dir, true, fixture_clock(), &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    return c;
}

/* Opening fails, by itself and as maker, and the message has both texts. */
static void check_refused(const char *says, const char *mend)
{
    for (int create = 0; create < 2; create++) {
        error e = {0};
        ck_assert_ptr_null(ca_open(authority_dir, create, fixture_clock(), &e));
        ck_assert_msg(strstr(e.text, says) != NULL, "expected \"%s\" in: %s", says, e.text);
        ck_assert_msg(strstr(e.text, mend) != NULL, "expected \"%s\" in: %s", mend, e.text);
        ck_assert_ptr_null(ca_open(authority_dir, create, fixture_clock(), NULL));
    }
}

static X509 *leaf_of(const ca *c, const char *name)
{
    error e = {0};
    X509 *x = ca_leaf(c, &name, 1, &e);
    ck_assert_msg(x != NULL, "%s", e.text);
    return x;
}

/* As a client does it at that time: 1, or 0 with the error. */
static int verifies(const ca *c, X509 *leaf, const char *host, int64_t at_s)
{
    X509_STORE *store = X509_STORE_new();
    ck_assert_int_eq(X509_STORE_add_cert(store, ca_certificate(c)), 1);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    ck_assert_int_eq(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)at_s);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    ck_assert_int_eq(X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER), 1);
    if (X509_VERIFY_PARAM_set1_ip_asc(param, host) != 1)
        ck_assert_int_eq(X509_VERIFY_PARAM_set1_host(param, host, 0), 1);
    const int ok = X509_verify_cert(ctx);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return ok;
}

START_TEST(what_is_made_once_is_found_again)
{
    error e = {0};
    ck_assert_ptr_null(ca_open(authority_dir, false, fixture_clock(), &e));
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(e.text, "invoker ca init"));
    ca *made = open_good();
    ca *found = ca_open(authority_dir, false, fixture_clock(), &e);
    ck_assert_msg(found != NULL, "%s", e.text);
    ck_assert_str_eq(ca_fingerprint(made), ca_fingerprint(found));
    ck_assert_uint_eq(strlen(ca_fingerprint(made)), 32 * 3 - 1);
    ck_assert_int_eq(ca_expires_s(found), fixture_now_s + 3650LL * DAY_S);
    ck_assert_int_eq(EVP_PKEY_eq(ca_leaf_key(made), ca_leaf_key(found)), 0); /* each its own */
    ck_assert_uint_eq(fixture_mode(ca_key_path(made)), 0600);
    ck_assert_uint_eq(fixture_mode(ca_certificate_path(made)) & 0444, 0444);
    ck_assert_uint_eq(fixture_mode(fixture_dir), 0700);
    ca_close(made);
    ca_close(found);
}
END_TEST

START_TEST(ensuring_makes_it_and_looks_at_its_files_only)
{
    error e = {0};
    ck_assert_msg(ca_ensure(authority_dir, fixture_clock(), &e), "%s", e.text);
    ck_assert(ca_ensure(authority_dir, fixture_clock(), &e));
    ca *c = ca_open(authority_dir, false, fixture_clock(), &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    ck_assert_int_eq(chmod(ca_key_path(c), 0640), 0);
    ck_assert(!ca_ensure(authority_dir, fixture_clock(), &e));
    ck_assert_ptr_nonnull(strstr(e.text, "chmod 600"));
    ck_assert_int_eq(unlink(ca_key_path(c)), 0);
    ck_assert(!ca_ensure(authority_dir, fixture_clock(), &e));
    ck_assert_ptr_nonnull(strstr(e.text, "has no ca.key beside it"));
    ca_close(c);
}
END_TEST

START_TEST(paths_are_absolute_wherever_one_stands)
{
    ck_assert_int_eq(mkdir(fixture_dir, 0700), 0);
    ck_assert_int_eq(chdir(fixture_dir), 0);
    error e = {0};
    ca *c = ca_open("ca", true, fixture_clock(), &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    auto_free char *wanted = file_join(authority_dir, "ca.pem");
    ck_assert_str_eq(ca_certificate_path(c), wanted);
    ca_close(c);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(the_authority_signs_leaves_and_nothing_deeper)
{
    ca *c = open_good();
    X509 *x = ca_certificate(c);
    ck_assert_int_eq(X509_get_version(x), X509_VERSION_3);
    ck_assert_uint_eq(X509_get_key_usage(x), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    ck_assert_int_eq(X509_get_pathlen(x), 0);
    ck_assert_int_eq(X509_check_ca(x), 1);
    ck_assert_ptr_nonnull(X509_get0_subject_key_id(x));
    static const int critical[] = {NID_basic_constraints, NID_key_usage};
    for (size_t i = 0; i < countof(critical); i++) {
        const int at = X509_get_ext_by_NID(x, critical[i], -1);
        ck_assert_int_eq(X509_EXTENSION_get_critical(X509_get_ext(x, at)), 1);
    }
    ca_close(c);
}
END_TEST

START_TEST(a_leaf_is_good_for_its_names_and_addresses)
{
    static const char *const names[] = {"backend-api-123456789012.us-central1.run.app",
                                        "backend-api.localhost", "*.a.run.app", "127.0.0.1", "::1"};
    static const struct {
        const char *host;
        int ok;
    } rows[] = {
        {"backend-api-123456789012.us-central1.run.app", 1},
        {"Backend-API.localhost", 1},
        {"backend-api-abc-uc.a.run.app", 1},
        {"127.0.0.1", 1},
        {"::1", 1},
        {"a.run.app", 0},
        {"x.backend-api.localhost", 0},
        {"127.0.0.2", 0},
        {"::2", 0},
    };
    ca *c = open_good();
    error e = {0};
    X509 *x = ca_leaf(c, names, countof(names), &e);
    ck_assert_msg(x != NULL, "%s", e.text);
    for (size_t i = 0; i < countof(rows); i++)
        ck_assert_msg(verifies(c, x, rows[i].host, fixture_now_s) == rows[i].ok, "%s",
                      rows[i].host);
    X509_free(x);
    ca_close(c);
}
END_TEST

/* The exit status of `openssl verify` for the leaf as that host's. */
static int openssl_verify(const ca *c, X509 *leaf, const char *host)
{
    auto_free char *path = file_join(fixture_dir, "leaf.pem");
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(PEM_write_X509(f, leaf), 1);
    ck_assert_int_eq(fclose(f), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        execlp("openssl", "openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile",
               ca_certificate_path(c), "-verify_hostname", host, path, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

START_TEST(openssl_itself_takes_a_leaf_for_its_host_and_no_other)
{
    fixture_now_s = clock_now_s(clock_system());
    ca *c = open_good();
    X509 *x = leaf_of(c, "frontend.localhost");
    ck_assert_int_eq(openssl_verify(c, x, "frontend.localhost"), 0);
    ck_assert_int_eq(openssl_verify(c, x, "other.localhost"), 2);
    X509_free(x);
    ca_close(c);
}
END_TEST

START_TEST(a_leaf_is_a_servers_and_its_key_is_ours)
{
    ca *c = open_good();
    X509 *x = leaf_of(c, "frontend.localhost"), *y = leaf_of(c, "frontend.localhost");
    ck_assert_uint_eq(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
    ck_assert_uint_eq(X509_get_extended_key_usage(x), XKU_SSL_SERVER);
    ck_assert_int_eq(X509_check_ca(x), 0);
    ck_assert_int_eq(X509_check_private_key(x, ca_leaf_key(c)), 1);
    ck_assert_int_eq(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(x),
                                           X509_get0_subject_key_id(ca_certificate(c))),
                     0);
    ck_assert_int_ne(ASN1_INTEGER_cmp(X509_get0_serialNumber(x), X509_get0_serialNumber(y)), 0);
    ca_close(c);
    ck_assert_int_eq(X509_NAME_cmp(X509_get_issuer_name(x), X509_get_issuer_name(y)), 0);
    X509_free(x);
    X509_free(y);
}
END_TEST

START_TEST(a_leaf_lives_from_an_hour_ago_for_397_days_within_its_authoritys_life)
{
    ca *c = open_good();
    const int64_t made_s = fixture_now_s;
    X509 *x = leaf_of(c, "a.test");
    ck_assert_int_eq(verifies(c, x, "a.test", made_s - 3601), 0);
    ck_assert_int_eq(verifies(c, x, "a.test", made_s - 3599), 1);
    ck_assert_int_eq(verifies(c, x, "a.test", made_s + 397LL * DAY_S - 1), 1);
    ck_assert_int_eq(verifies(c, x, "a.test", made_s + 397LL * DAY_S + 1), 0);
    X509_free(x);
    fixture_now_s = ca_expires_s(c) - DAY_S;
    x = leaf_of(c, "a.test");
    const time_t end = (time_t)ca_expires_s(c);
    ck_assert_int_eq(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x), end), 0);
    X509_free(x);
    ca_close(c);
}
END_TEST

#define LABEL_OF_64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

/* Names come from callers: none may smuggle in another field of the certificate. */
static const char *const bad_names[] = {
    "",         "a,DNS:b", "a b",   "a..b",   ".a",           "a.",  "*",           "a.*.b",
    "*b.test",  "a/b",     "[::1]", "::1%lo", "127.0.0.1:80", "a\n", "b\xC3\xBC.x", "http://a",
    LABEL_OF_64};

START_TEST(what_is_no_name_gets_no_leaf)
{
    ca *c = open_good();
    const char *const names[] = {"good.test", bad_names[_i]};
    error e = {0};
    ck_assert_ptr_null(ca_leaf(c, names, 2, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_ptr_null(ca_leaf(c, names, 0, &e));
    ck_assert_ptr_null(ca_leaf(c, names, CA_LEAF_NAMES_MAX + 1, &e));
    ca_close(c);
}
END_TEST

START_TEST(a_long_name_is_no_common_name)
{
    char name[254] = "";
    for (size_t i = 0; i < 253; i++)
        name[i] = i % 60 == 59 ? '.' : 'x';
    ca *c = open_good();
    X509 *x = leaf_of(c, name);
    ck_assert_int_eq(X509_NAME_get_index_by_NID(X509_get_subject_name(x), NID_commonName, -1), -1);
    ck_assert_int_eq(verifies(c, x, name, fixture_now_s), 1);
    X509_free(x);
    ca_close(c);
}
END_TEST

START_TEST(racing_processes_end_up_with_the_same_authority)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    pid_t racers[RACERS];
    for (int i = 0; i < RACERS; i++) {
        racers[i] = fork();
        if (racers[i] == 0) {
            ca *c = ca_open(authority_dir, true, fixture_clock(), NULL);
            const char *text = c ? ca_fingerprint(c) : "";
            _exit(c && write(ends[1], text, strlen(text)) == 95 ? 0 : 1);
        }
    }
    for (int i = 0; i < RACERS; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(racers[i], &status, 0), racers[i]);
        ck_assert_int_eq(status, 0);
    }
    ca *c = open_good();
    char one[96] = "";
    for (int i = 0; i < RACERS; i++) {
        ck_assert_int_eq(read(ends[0], one, 95), 95);
        ck_assert_str_eq(one, ca_fingerprint(c));
    }
    ca_close(c);
}
END_TEST

static void *mint(void *arg)
{
    const ca *c = arg;
    for (int i = 0; i < 50; i++)
        X509_free(leaf_of(c, "a.test"));
    return NULL;
}

START_TEST(threads_share_an_authority)
{
    ca *c = open_good();
    pthread_t threads[4];
    for (size_t i = 0; i < countof(threads); i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, mint, c), 0);
    for (size_t i = 0; i < countof(threads); i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    ca_close(c);
}
END_TEST

/* ---- what is refused ---- */

static void write_pem_key(EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    auto_free char *path = file_join(authority_dir, "ca.key");
    const mode_t before = umask(077);
    BIO *bio = BIO_new_file(path, "w");
    umask(before);
    char password[] = "password";
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, cipher ? password : NULL,
                                                   cipher ? 8 : 0, NULL, NULL),
                     1);
    BIO_free(bio);
}

START_TEST(a_key_that_others_may_touch_is_refused)
{
    ca_close(open_good());
    auto_free char *key = file_join(authority_dir, "ca.key");
    static const mode_t modes[] = {0640, 0604, 0644, 0660, 0610};
    for (size_t i = 0; i < countof(modes); i++) {
        ck_assert_int_eq(chmod(key, modes[i]), 0);
        check_refused("others may read", "chmod 600 ");
    }
    ck_assert_int_eq(chmod(key, 0400), 0);
    ca_close(open_good());
}
END_TEST

START_TEST(a_folder_that_others_may_write_to_is_refused)
{
    ca_close(open_good());
    ck_assert_int_eq(chmod(authority_dir, 0775), 0);
    check_refused("others may write", "chmod go-w ");
    ck_assert_int_eq(chmod(authority_dir, 0755), 0);
    ca_close(open_good());
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
    ca_close(open_good());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    write_pem_key(key, NULL);
    check_refused("another key", "mend with: rm ");
    write_pem_key(key, EVP_aes_128_cbc());
    check_refused("ca.key", "unencrypted");
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(half_an_authority_is_refused_or_completed)
{
    ca_close(open_good());
    auto_free char *key = file_join(authority_dir, "ca.key");
    auto_free char *certificate = file_join(authority_dir, "ca.pem");
    ck_assert_int_eq(unlink(key), 0);
    check_refused("has no ca.key beside it", "mend with: rm ");
    ck_assert_int_eq(unlink(certificate), 0);
    fixture_write(key, "left by a process that was killed", 0600);
    ca_close(open_good());
    fixture_write(certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n", 0644);
    check_refused("ca.pem", "not a readable certificate");
}
END_TEST

START_TEST(a_servers_certificate_is_no_authority)
{
    ca *c = open_good();
    X509 *x = leaf_of(c, "a.test");
    write_pem_key(ca_leaf_key(c), NULL);
    FILE *f = fopen(ca_certificate_path(c), "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(PEM_write_X509(f, x), 1);
    ck_assert_int_eq(fclose(f), 0);
    check_refused("is not an authority's certificate", "mend with: rm ");
    X509_free(x);
    ca_close(c);
}
END_TEST

START_TEST(an_authority_is_refused_outside_its_time)
{
    ca_close(open_good());
    const int64_t made_s = fixture_now_s;
    fixture_now_s = made_s + 3650LL * DAY_S;
    check_refused("expired at ", "invoker ca init --ca ");
    fixture_now_s = made_s - 3601;
    check_refused("valid from ", "clock");
    fixture_now_s = made_s;
    ca_close(open_good());
}
END_TEST

START_TEST(a_file_in_the_folders_place_is_refused)
{
    ck_assert_int_eq(mkdir(fixture_dir, 0700), 0);
    fixture_write(authority_dir, "x", 0600);
    check_refused("is a file", "expected a folder");
    ck_assert_int_eq(unlink(authority_dir), 0);
}
END_TEST

/* ---- the bundle ---- */

START_TEST(the_bundle_ends_with_the_authority_and_follows_it)
{
    error e = {0};
    ca *c = open_good();
    ck_assert_msg(ca_refresh_bundle(c, &e), "%s", e.text);
    struct stat before, after;
    ck_assert_int_eq(stat(ca_bundle_path(c), &before), 0);
    ck_assert(ca_refresh_bundle(c, &e));
    ck_assert_int_eq(stat(ca_bundle_path(c), &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino); /* it was left alone */
    fixture_write(ca_bundle_path(c), "stale", 0644);
    ck_assert(ca_refresh_bundle(c, &e));
    auto_free char *own = file_read(ca_certificate_path(c), 65536, NULL, &e);
    auto_free char *all = file_read(ca_bundle_path(c), 64 << 20, NULL, &e);
    ck_assert(span_ends(span_of(all), span_of(own)));
    ck_assert_int_eq(unlink(ca_certificate_path(c)), 0);
    ck_assert(!ca_refresh_bundle(c, &e));
    ca_close(c);
}
END_TEST

START_TEST(the_keystore_lets_the_authoritys_folder_alone)
{
    ca *c = open_good();
    keystore *k = fixture_open();
    ck_assert(keystore_rotate(k, 0, NULL));
    ck_assert_uint_eq(keystore_count(k), 1);
    keystore_close(k);
    ca *again = open_good();
    ck_assert_str_eq(ca_fingerprint(c), ca_fingerprint(again));
    ca_close(c);
    ca_close(again);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ca");
    TCase *t = tcase_create("authority");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_made_once_is_found_again);
    tcase_add_test(t, ensuring_makes_it_and_looks_at_its_files_only);
    tcase_add_test(t, paths_are_absolute_wherever_one_stands);
    tcase_add_test(t, the_authority_signs_leaves_and_nothing_deeper);
    tcase_add_test(t, a_leaf_is_good_for_its_names_and_addresses);
    tcase_add_test(t, openssl_itself_takes_a_leaf_for_its_host_and_no_other);
    tcase_add_test(t, a_leaf_is_a_servers_and_its_key_is_ours);
    tcase_add_test(t, a_leaf_lives_from_an_hour_ago_for_397_days_within_its_authoritys_life);
    tcase_add_loop_test(t, what_is_no_name_gets_no_leaf, 0, (int)countof(bad_names));
    tcase_add_test(t, a_long_name_is_no_common_name);
    tcase_add_test(t, racing_processes_end_up_with_the_same_authority);
    tcase_add_test(t, threads_share_an_authority);
    tcase_add_test(t, a_key_that_others_may_touch_is_refused);
    tcase_add_test(t, a_folder_that_others_may_write_to_is_refused);
    tcase_add_test(t, a_key_of_another_certificate_is_refused);
    tcase_add_test(t, half_an_authority_is_refused_or_completed);
    tcase_add_test(t, a_servers_certificate_is_no_authority);
    tcase_add_test(t, an_authority_is_refused_outside_its_time);
    tcase_add_test(t, a_file_in_the_folders_place_is_refused);
    tcase_add_test(t, the_bundle_ends_with_the_authority_and_follows_it);
    tcase_add_test(t, the_keystore_lets_the_authoritys_folder_alone);
    suite_add_tcase(s, t);
    return check_main(s);
}
