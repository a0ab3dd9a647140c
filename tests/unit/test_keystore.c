/* The store of signing keys: first use, races, rotation, documents, signatures. */
#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <sys/wait.h>

#include "jose/jws.h"
#include "keystore_fixture.h"

START_TEST(first_use_makes_a_private_folder_with_one_key)
{
    keystore *k = fixture_open();
    ck_assert_uint_eq(keystore_count(k), 1);
    const key_info info = keystore_info(k, 0);
    ck_assert_uint_eq(strlen(info.kid), 40);
    ck_assert_uint_eq(strspn(info.kid, "0123456789abcdef"), 40);
    ck_assert_int_eq(strncmp(info.kid, "e01a", 4), 0);
    ck_assert_int_eq(info.created_s, fixture_now_s);
    ck_assert_int_eq(info.published_until_s, 0);
    ck_assert(info.signing);
    ck_assert_uint_eq(fixture_mode(fixture_dir), 0700);
    auto_free char *pem = fixture_path(info.kid, ".pem");
    auto_free char *crt = fixture_path(info.kid, ".crt");
    ck_assert_uint_eq(fixture_mode(pem), 0600);
    ck_assert_uint_eq(fixture_mode(crt), 0600);
    ck_assert_uint_eq(fixture_files(""), 4); /* with . and .. */
    keystore_close(k);
}
END_TEST

START_TEST(opening_again_finds_the_same_key)
{
    keystore *first = fixture_open();
    fixture_now_s += 1000;
    keystore *second = fixture_open();
    ck_assert_str_eq(keystore_info(first, 0).kid, keystore_info(second, 0).kid);
    ck_assert_int_eq(keystore_info(second, 0).created_s, fixture_now_s - 1000);
    ck_assert(span_eq(keystore_jwks(first), keystore_jwks(second)));
    ck_assert(span_eq(keystore_pem_map(first), keystore_pem_map(second)));
    keystore_close(first);
    keystore_close(second);
}
END_TEST

START_TEST(without_create_nothing_is_made)
{
    fixture_refused(false, fixture_dir, "invoker keys init --keys");
    ck_assert_int_eq(mkdir(fixture_dir, 0700), 0);
    fixture_refused(false, "no signing key", "invoker keys init --keys");
    ck_assert_uint_eq(fixture_files(""), 2);
}
END_TEST

enum { RACERS = 8 };

START_TEST(processes_that_race_for_the_first_key_end_with_the_same)
{
    int gate[2];
    int results[2];
    ck_assert_int_eq(pipe(gate), 0);
    ck_assert_int_eq(pipe(results), 0);
    pid_t children[RACERS];
    for (int i = 0; i < RACERS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            char go;
            (void)close(gate[1]);
            (void)!read(gate[0], &go, 1); /* ends for all at once */
            keystore *k = keystore_open(fixture_dir, true, fixture_clock(), NULL);
            const bool told = k && write(results[1], keystore_info(k, 0).kid, 40) == 40;
            keystore_close(k);
            _exit(told ? 0 : 1);
        }
    }
    (void)close(gate[0]);
    (void)close(gate[1]);
    for (int i = 0; i < RACERS; i++) {
        int status = 0;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    char kids[RACERS][40];
    ck_assert_int_eq(read(results[0], kids, sizeof kids), (int)sizeof kids);
    for (int i = 1; i < RACERS; i++)
        ck_assert_int_eq(memcmp(kids[0], kids[i], 40), 0);
    ck_assert_uint_eq(fixture_files(".pem"), 1);
    ck_assert_uint_eq(fixture_files(".tmp"), 0);
    (void)close(results[0]);
    (void)close(results[1]);
}
END_TEST

static void confirm(const keystore *k, const char *token, jws_result expected)
{
    error e = {0};
    jwks *keys = jwks_parse(keystore_jwks(k), &e);
    ck_assert_msg(keys != NULL, "%s", e.text);
    claims *c = NULL;
    ck_assert_int_eq(jws_verify(keys, span_of(token), &c, &e), expected);
    claims_free(c);
    jwks_unref(keys);
}

START_TEST(what_it_signs_its_own_documents_confirm)
{
    keystore *k = fixture_open();
    error e = {0};
    auto_free char *token = keystore_sign_jwt(k, SPAN_LIT("{\"aud\":\"x\"}"), &e);
    ck_assert_msg(token != NULL, "%s", e.text);
    confirm(k, token, JWS_OK);
    char *kid = NULL;
    char *alg = NULL;
    ck_assert_int_eq(jws_peek(span_of(token), &kid, &alg, NULL, NULL), JWS_OK);
    ck_assert_str_eq(kid, keystore_info(k, 0).kid);
    ck_assert_str_eq(alg, "RS256");
    free(kid);
    free(alg);
    auto_free char *again = keystore_sign_jwt(k, SPAN_LIT("{\"aud\":\"x\"}"), &e);
    ck_assert_str_eq(token, again); /* RS256 is deterministic */
    uint8_t raw[1024];
    size_t raw_n = 0;
    ck_assert(keystore_sign(k, "bytes", 5, raw, &raw_n, &e));
    ck_assert_uint_eq(raw_n, 256);
    keystore_close(k);
}
END_TEST

static X509 *certificate_of(const keystore *k, const char *kid)
{
    const span text = keystore_pem_map(k);
    json_t *map = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_uint_eq(json_object_size(map), keystore_count(k));
    const char *pem = json_string_value(json_object_get(map, kid));
    ck_assert_ptr_nonnull(pem);
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ck_assert_ptr_nonnull(x);
    BIO_free(bio);
    json_decref(map);
    return x;
}

START_TEST(each_key_has_a_self_signed_certificate_marked_as_an_emulator_s)
{
    keystore *k = fixture_open();
    X509 *x = certificate_of(k, keystore_info(k, 0).kid);
    char name[256];
    ck_assert_int_gt(
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, (int)sizeof name),
        0);
    ck_assert_str_eq(name, "federated-signon.system.gserviceaccount.com");
    ck_assert_int_gt(X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_organizationName, name,
                                               (int)sizeof name),
                     0);
    ck_assert_ptr_nonnull(strstr(name, "emulator"));
    ck_assert_int_eq(X509_verify(x, X509_get0_pubkey(x)), 1);
    time_t at = (time_t)fixture_now_s;
    ck_assert_int_le(X509_cmp_time(X509_get0_notBefore(x), &at), 0);
    at += 5 * 365 * 86400;
    ck_assert_int_gt(X509_cmp_time(X509_get0_notAfter(x), &at), 0);
    X509_free(x);
    keystore_close(k);
}
END_TEST

START_TEST(rotation_keeps_the_former_key_published_until_its_overlap_ends)
{
    keystore *k = fixture_open();
    auto_free char *old_kid = span_dup(span_of(keystore_info(k, 0).kid));
    auto_free char *old_token = keystore_sign_jwt(k, SPAN_LIT("{}"), NULL);
    fixture_now_s += 100;
    error e = {0};
    ck_assert_msg(keystore_rotate(k, 3600, &e), "%s", e.text);
    ck_assert_uint_eq(keystore_count(k), 2);
    ck_assert_str_ne(keystore_info(k, 0).kid, old_kid);
    ck_assert(keystore_info(k, 0).signing && keystore_info(k, 0).published_until_s == 0);
    ck_assert_str_eq(keystore_info(k, 1).kid, old_kid);
    ck_assert(!keystore_info(k, 1).signing);
    ck_assert_int_eq(keystore_info(k, 1).published_until_s, fixture_now_s + 3600);
    auto_free char *token = keystore_sign_jwt(k, SPAN_LIT("{}"), NULL);
    confirm(k, token, JWS_OK);
    confirm(k, old_token, JWS_OK);
    X509_free(certificate_of(k, old_kid));

    keystore *restarted = fixture_open();
    ck_assert_int_eq(keystore_info(restarted, 1).published_until_s, fixture_now_s + 3600);
    ck_assert(span_eq(keystore_jwks(k), keystore_jwks(restarted)));
    keystore_close(restarted);

    fixture_now_s += 3599;
    ck_assert(keystore_refresh(k, &e));
    confirm(k, old_token, JWS_OK);
    fixture_now_s += 1;
    ck_assert(keystore_refresh(k, &e));
    ck_assert_uint_eq(keystore_count(k), 1);
    confirm(k, old_token, JWS_UNKNOWN_KID);
    confirm(k, token, JWS_OK);
    keystore_close(k);
}
END_TEST

START_TEST(rotating_removes_what_ended_and_retires_each_key_once)
{
    keystore *k = fixture_open();
    error e = {0};
    ck_assert(keystore_rotate(k, 50, &e));
    ck_assert(keystore_rotate(k, 5000, &e)); /* the first one keeps its end */
    ck_assert_uint_eq(keystore_count(k), 3);
    ck_assert_uint_eq(fixture_files(".pem"), 3);
    fixture_now_s += 100;
    ck_assert(keystore_rotate(k, 0, &e)); /* no overlap: gone at once */
    ck_assert_uint_eq(keystore_count(k), 2);
    ck_assert_uint_eq(fixture_files(".pem"), 3);
    ck_assert(keystore_rotate(k, 10, &e));
    ck_assert_uint_eq(keystore_count(k), 3);
    ck_assert_uint_eq(fixture_files(".pem"), 3);
    ck_assert_uint_eq(fixture_files(".until"), 2);
    ck_assert(!keystore_rotate(k, -1, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_uint_eq(keystore_count(k), 3);
    keystore_close(k);
}
END_TEST

START_TEST(another_process_s_rotation_is_picked_up)
{
    keystore *mine = fixture_open();
    keystore *other = fixture_open();
    ck_assert(keystore_refresh(mine, NULL));
    ck_assert(keystore_rotate(other, 100, NULL));
    ck_assert(keystore_refresh(mine, NULL));
    ck_assert_uint_eq(keystore_count(mine), 2);
    ck_assert_str_eq(keystore_info(mine, 0).kid, keystore_info(other, 0).kid);
    ck_assert(keystore_rotate(other, 100, NULL)); /* again, within the same tick perhaps */
    ck_assert(keystore_refresh(mine, NULL));
    ck_assert_str_eq(keystore_info(mine, 0).kid, keystore_info(other, 0).kid);
    keystore_close(mine);
    keystore_close(other);
}
END_TEST

START_TEST(a_folder_that_went_bad_leaves_the_store_as_it_was)
{
    keystore *k = fixture_open();
    auto_free char *kid = span_dup(span_of(keystore_info(k, 0).kid));
    auto_free char *until = fixture_path(kid, ".until");
    fixture_write(until, "soon\n", 0600);
    error e = {0};
    ck_assert(!keystore_refresh(k, &e));
    ck_assert_ptr_nonnull(strstr(e.text, until));
    ck_assert_str_eq(keystore_info(k, 0).kid, kid);
    auto_free char *token = keystore_sign_jwt(k, SPAN_LIT("{}"), NULL);
    confirm(k, token, JWS_OK);
    keystore_close(k);
}
END_TEST

START_TEST(only_retired_keys_left_means_a_new_one)
{
    keystore *k = fixture_open();
    ck_assert(keystore_rotate(k, 1000, NULL));
    auto_free char *newest = fixture_path(keystore_info(k, 0).kid, ".pem");
    auto_free char *old_kid = span_dup(span_of(keystore_info(k, 1).kid));
    keystore_close(k);
    ck_assert_int_eq(unlink(newest), 0);
    fixture_refused(false, "no signing key", "keys init");
    k = fixture_open();
    ck_assert_uint_eq(keystore_count(k), 2);
    ck_assert(keystore_info(k, 0).signing);
    ck_assert_str_eq(keystore_info(k, 1).kid, old_kid);
    keystore_close(k);
}
END_TEST

enum { THREADS = 4, SIGNATURES = 10 };

static void *sign_some(void *store)
{
    const keystore *k = store;
    jwks *keys = jwks_parse(keystore_jwks(k), NULL);
    size_t good = 0;
    for (int i = 0; i < SIGNATURES; i++) {
        auto_free char *token = keystore_sign_jwt(k, SPAN_LIT("{\"sub\":\"x\"}"), NULL);
        claims *c = NULL;
        good += token && jws_verify(keys, span_of(token), &c, NULL) == JWS_OK;
        claims_free(c);
    }
    jwks_unref(keys);
    return good == SIGNATURES ? store : NULL;
}

START_TEST(several_threads_may_sign_at_once)
{
    keystore *k = fixture_open();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_some, k), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result = NULL;
        ck_assert_int_eq(pthread_join(threads[i], &result), 0);
        ck_assert_ptr_eq(result, k);
    }
    keystore_close(k);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("keystore");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, fixture_setup, fixture_teardown);
    tcase_set_timeout(c, 120); /* making an RSA key takes as long as it takes */
    tcase_add_test(c, first_use_makes_a_private_folder_with_one_key);
    tcase_add_test(c, opening_again_finds_the_same_key);
    tcase_add_test(c, without_create_nothing_is_made);
    tcase_add_test(c, processes_that_race_for_the_first_key_end_with_the_same);
    tcase_add_test(c, what_it_signs_its_own_documents_confirm);
    tcase_add_test(c, each_key_has_a_self_signed_certificate_marked_as_an_emulator_s);
    tcase_add_test(c, rotation_keeps_the_former_key_published_until_its_overlap_ends);
    tcase_add_test(c, rotating_removes_what_ended_and_retires_each_key_once);
    tcase_add_test(c, another_process_s_rotation_is_picked_up);
    tcase_add_test(c, a_folder_that_went_bad_leaves_the_store_as_it_was);
    tcase_add_test(c, only_retired_keys_left_means_a_new_one);
    tcase_add_test(c, several_threads_may_sign_at_once);
    suite_add_tcase(s, c);
    return check_main(s);
}
