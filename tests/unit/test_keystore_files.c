/* What may lie in the keys folder: everything unsafe or broken is refused with its cure. */
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "keystore_fixture.h"

/* One key for all tests, made before Check forks: making one takes a while. */
static char *made_kid, *made_pem, *made_crt;

static void make_key_once(void)
{
    char root[] = "/tmp/invoker-keys-XXXXXX"; /* no assertion here: no test runs yet */
    keystore *k = mkdtemp(root) ? keystore_open(root, true, clock_system(), NULL) : NULL;
    if (!k)
        abort();
    made_kid = span_dup(span_of(keystore_info(k, 0).kid));
    char path[120];
    snprintf(path, sizeof path, "%s/%s.pem", root, made_kid);
    made_pem = file_read(path, 100000, NULL, NULL);
    snprintf(path, sizeof path, "%s/%s.crt", root, made_kid);
    made_crt = file_read(path, 100000, NULL, NULL);
    keystore_close(k);
    fixture_remove_files(root);
}

/* A folder with that key; the path of one of its files. */
static char *first_key(const char *suffix)
{
    auto_free char *pem = fixture_path(made_kid, ".pem");
    auto_free char *crt = fixture_path(made_kid, ".crt");
    (void)mkdir(fixture_dir, 0700);
    fixture_write(pem, made_pem, 0600);
    fixture_write(crt, made_crt, 0600);
    return fixture_path(made_kid, suffix);
}

static const mode_t bad_modes[] = {0644, 0640, 0604, 0660, 0666, 0601, 0610, 0777};

START_TEST(a_private_key_that_others_may_touch_is_refused)
{
    auto_free char *pem = first_key(".pem");
    ck_assert_int_eq(chmod(pem, bad_modes[_i]), 0);
    char mend[200];
    snprintf(mend, sizeof mend, "chmod 600 %s", pem);
    fixture_refused(true, "others may", mend);
    ck_assert_int_eq(chmod(pem, 0400), 0);
    keystore_close(fixture_open());
}
END_TEST

START_TEST(a_folder_that_others_may_write_to_is_mended_or_refused)
{
    free(first_key(".pem"));
    ck_assert_int_eq(chmod(fixture_dir, 0777), 0);
    fixture_refused(false, "others may write", "chmod 700");
    keystore_close(fixture_open());
    ck_assert_uint_eq(fixture_mode(fixture_dir), 0700);
    ck_assert_int_eq(chmod(fixture_dir, 0755), 0); /* reading names only harms nobody */
    error e = {0};
    keystore *k = keystore_open(fixture_dir, false, fixture_clock(), &e);
    ck_assert_msg(k != NULL, "%s", e.text);
    keystore_close(k);
}
END_TEST

static void put_key(const char *path, const EVP_PKEY *key, const EVP_CIPHER *cipher)
{
    const mode_t before = umask(077);
    BIO *bio = BIO_new_file(path, "w");
    umask(before);
    ck_assert_ptr_nonnull(bio);
    char password[] = "password";
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, cipher ? password : NULL,
                                                   cipher ? 8 : 0, NULL, NULL),
                     1);
    BIO_free(bio);
}

START_TEST(an_encrypted_key_is_refused_without_asking)
{
    auto_free char *pem = first_key(".pem");
    EVP_PKEY *key = EVP_RSA_gen(2048);
    put_key(pem, key, EVP_aes_128_cbc());
    EVP_PKEY_free(key);
    fixture_refused(true, pem, "encrypted");
}
END_TEST

START_TEST(a_weak_key_is_refused)
{
    auto_free char *pem = first_key(".pem");
    EVP_PKEY *key = EVP_RSA_gen(1024);
    put_key(pem, key, NULL);
    EVP_PKEY_free(key);
    fixture_refused(true, pem, "1024 bits");
}
END_TEST

START_TEST(a_key_of_another_kind_is_refused)
{
    auto_free char *pem = first_key(".pem");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    put_key(pem, key, NULL);
    EVP_PKEY_free(key);
    fixture_refused(true, pem, "not an RSA key");
}
END_TEST

START_TEST(another_key_under_a_kid_s_name_is_refused)
{
    auto_free char *pem = first_key(".pem");
    auto_free char *crt = first_key(".crt");
    EVP_PKEY *key = EVP_RSA_gen(2048);
    put_key(pem, key, NULL);
    EVP_PKEY_free(key);
    fixture_refused(true, pem, "certificate belongs to another key");
    ck_assert_int_eq(unlink(crt), 0);
    fixture_refused(true, pem, "another key than its name");
}
END_TEST

static const struct {
    const char *suffix, *text, *says;
} broken[] = {
    {".pem", "", "not a readable private key"},
    {".pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
     "not a readable private key"},
    {".crt", "nonsense", "certificate is unreadable"},
    {".until", "", "expected seconds"},
    {".until", "0", "expected seconds"},
    {".until", "-5", "expected seconds"},
    {".until", "12 34", "expected seconds"},
    {".until", "99999999999999999999", "expected seconds"},
};

START_TEST(a_broken_file_is_named)
{
    auto_free char *path = first_key(broken[_i].suffix);
    fixture_write(path, broken[_i].text, 0600);
    fixture_refused(true, broken[_i].says, fixture_dir);
}
END_TEST

START_TEST(a_key_file_without_end_is_refused)
{
    auto_free char *path = first_key(".pem");
    auto_free char *large = calloc(1, 100001);
    memset(large, 'A', 100000);
    fixture_write(path, large, 0600);
    fixture_refused(true, path, "100000");
}
END_TEST

START_TEST(a_folder_under_a_key_s_name_is_refused)
{
    auto_free char *path = first_key(".pem");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    fixture_refused(true, path, "not a plain file");
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

static const char *const strangers[] = {
    "README.md",
    ".gitignore",
    "ca.pem",
    "e01a.pem",
    "E01A0123456789abcdef0123456789abcdef0123.pem",
    "e01a0123456789abcdef0123456789abcdef012g.pem",
    "e01a0123456789abcdef0123456789abcdef01234.pem",
    "ffff0123456789abcdef0123456789abcdef0123.pem",
    "e01a0123456789abcdef0123456789abcdef0123.pem.tmp",
};

START_TEST(other_files_in_the_folder_are_left_alone)
{
    free(first_key(".pem"));
    for (size_t i = 0; i < countof(strangers); i++) {
        auto_free char *path = file_join(fixture_dir, strangers[i]);
        fixture_write(path, "not a key", 0644);
    }
    keystore *k = fixture_open();
    ck_assert_uint_eq(keystore_count(k), 1);
    ck_assert(keystore_rotate(k, 0, NULL));
    fixture_now_s += 10;
    ck_assert(keystore_rotate(k, 0, NULL));
    for (size_t i = 0; i < countof(strangers); i++) {
        auto_free char *path = file_join(fixture_dir, strangers[i]);
        ck_assert_uint_eq(fixture_mode(path), 0644);
    }
    keystore_close(k);
}
END_TEST

START_TEST(a_lost_certificate_is_made_again_and_always_the_same)
{
    auto_free char *crt = first_key(".crt");
    ck_assert_int_eq(unlink(crt), 0);
    keystore *one = fixture_open();
    fixture_now_s += 500;
    keystore *two = fixture_open();
    ck_assert_int_gt(keystore_info(one, 0).created_s, 0);
    ck_assert(span_eq(keystore_pem_map(one), keystore_pem_map(two)));
    keystore_close(one);
    keystore_close(two);
}
END_TEST

START_TEST(a_path_that_is_no_folder_is_named)
{
    fixture_write(fixture_dir, "x", 0600);
    fixture_refused(true, fixture_dir, "");
    fixture_refused(false, fixture_dir, "expected a folder");
    ck_assert_int_eq(unlink(fixture_dir), 0);
}
END_TEST

START_TEST(the_folder_to_use_follows_option_topology_here_and_state)
{
    char cwd[4096];
    ck_assert_ptr_nonnull(getcwd(cwd, sizeof cwd));
    auto_free char *option = keystore_default_dir("opt", "/topology/keys");
    auto_free char *topology = keystore_default_dir(NULL, "/topology/keys");
    ck_assert_str_eq(option, "opt");
    ck_assert_str_eq(topology, "/topology/keys");
    ck_assert_int_eq(chdir(fixture_root), 0);
    ck_assert_int_eq(setenv("XDG_STATE_HOME", "/state", 1), 0);
    ck_assert_int_eq(setenv("HOME", "/home/dev", 1), 0);
    auto_free char *state = keystore_default_dir(NULL, NULL);
    ck_assert_str_eq(state, "/state/invoker/keys");
    ck_assert_int_eq(setenv("XDG_STATE_HOME", "relative", 1), 0); /* to be ignored, says its spec */
    auto_free char *home = keystore_default_dir("", "");
    ck_assert_str_eq(home, "/home/dev/.local/state/invoker/keys");
    ck_assert_int_eq(mkdir("keys", 0700), 0);
    auto_free char *here = keystore_default_dir(NULL, NULL);
    ck_assert_str_eq(here, "keys");
    ck_assert_int_eq(chdir(cwd), 0);
}
END_TEST

int main(void)
{
    make_key_once();
    Suite *s = suite_create("keystore_files");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, fixture_setup, fixture_teardown);
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, a_private_key_that_others_may_touch_is_refused, 0,
                        (int)countof(bad_modes));
    tcase_add_test(c, a_folder_that_others_may_write_to_is_mended_or_refused);
    tcase_add_test(c, an_encrypted_key_is_refused_without_asking);
    tcase_add_test(c, a_weak_key_is_refused);
    tcase_add_test(c, a_key_of_another_kind_is_refused);
    tcase_add_test(c, another_key_under_a_kid_s_name_is_refused);
    tcase_add_loop_test(c, a_broken_file_is_named, 0, (int)countof(broken));
    tcase_add_test(c, a_key_file_without_end_is_refused);
    tcase_add_test(c, a_folder_under_a_key_s_name_is_refused);
    tcase_add_test(c, other_files_in_the_folder_are_left_alone);
    tcase_add_test(c, a_lost_certificate_is_made_again_and_always_the_same);
    tcase_add_test(c, a_path_that_is_no_folder_is_named);
    tcase_add_test(c, the_folder_to_use_follows_option_topology_here_and_state);
    suite_add_tcase(s, c);
    const int status = check_main(s);
    free(made_kid);
    free(made_pem);
    free(made_crt);
    return status;
}
