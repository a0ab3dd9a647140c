/* Keys of service accounts: both halves fit, the certificate says whose it is. */
#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "check_main.h"
#include "jose/account_key.h"

enum { NOW_S = 1800000000 };

static EVP_PKEY *private_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(key);
    return key;
}

static EVP_PKEY *public_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(key);
    return key;
}

static X509 *certificate(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(x);
    return x;
}

START_TEST(both_halves_and_the_certificate_fit)
{
    account_key k;
    error e = {0};
    ck_assert_msg(account_key_generate(&k, "123456789012345678901", NOW_S, &e), "%s", e.text);
    ck_assert_uint_eq(strlen(k.id), 40);
    for (const char *at = k.id; *at; at++)
        ck_assert(isxdigit((unsigned char)*at) && !isupper((unsigned char)*at));
    ck_assert_int_eq(strncmp(k.private_pem, "-----BEGIN PRIVATE KEY-----\n", 28), 0);
    EVP_PKEY *mine = private_key(k.private_pem), *theirs = public_key(k.public_pem);
    X509 *x = certificate(k.certificate);
    char name[64];
    ck_assert_int_eq(EVP_PKEY_eq(mine, theirs), 1);
    ck_assert_int_eq(EVP_PKEY_eq(mine, X509_get0_pubkey(x)), 1);
    ck_assert_int_eq(EVP_PKEY_get_bits(mine), 2048);
    ck_assert_int_gt(
        X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof name), 0);
    ck_assert_str_eq(name, "123456789012345678901");
    X509_free(x);
    EVP_PKEY_free(mine);
    EVP_PKEY_free(theirs);
    account_key_clear(&k);
    ck_assert_ptr_null(k.private_pem);
}
END_TEST

START_TEST(a_certificate_gives_the_same_key_without_the_private_half)
{
    account_key k, uploaded;
    error e = {0};
    ck_assert(account_key_generate(&k, "1", NOW_S, &e));
    ck_assert_msg(account_key_of_certificate(&uploaded, span_of(k.certificate), &e), "%s", e.text);
    ck_assert_str_eq(uploaded.id, k.id);
    ck_assert_str_eq(uploaded.public_pem, k.public_pem);
    ck_assert_str_eq(uploaded.certificate, k.certificate);
    ck_assert_ptr_null(uploaded.private_pem);
    account_key_clear(&k);
    account_key_clear(&uploaded);
}
END_TEST

START_TEST(two_keys_differ)
{
    account_key a, b;
    error e = {0};
    ck_assert(account_key_generate(&a, "1", NOW_S, &e) && account_key_generate(&b, "1", NOW_S, &e));
    ck_assert_str_ne(a.id, b.id);
    account_key_clear(&a);
    account_key_clear(&b);
}
END_TEST

static char *weak_certificate(void)
{
    X509 *x = X509_new();
    EVP_PKEY *key = EVP_RSA_gen(1024);
    BIO *bio = BIO_new(BIO_s_mem());
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    ASN1_TIME_set(X509_getm_notBefore(x), NOW_S);
    ASN1_TIME_set(X509_getm_notAfter(x), NOW_S + 1);
    X509_set_pubkey(x, key);
    ck_assert_int_gt(X509_sign(x, key, EVP_sha256()), 0);
    ck_assert_int_eq(PEM_write_bio_X509(bio, x), 1);
    char *p;
    const long n = BIO_get_mem_data(bio, &p);
    char *text = span_dup((span){p, (size_t)n});
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(x);
    return text;
}

START_TEST(weak_keys_and_what_is_no_certificate_are_refused)
{
    account_key k;
    error e = {0};
    char *weak = weak_certificate();
    ck_assert(!account_key_of_certificate(&k, span_of(weak), &e));
    ck_assert_ptr_nonnull(strstr(e.text, "1024 bits"));
    ck_assert(!account_key_of_certificate(&k, SPAN_LIT("x"), &e));
    ck_assert(!account_key_of_certificate(&k, (span){"", 0}, &e));
    free(weak);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("account_key");
    TCase *t = tcase_create("account_key");
    tcase_set_timeout(t, 30);
    tcase_add_test(t, both_halves_and_the_certificate_fit);
    tcase_add_test(t, a_certificate_gives_the_same_key_without_the_private_half);
    tcase_add_test(t, two_keys_differ);
    tcase_add_test(t, weak_keys_and_what_is_no_certificate_are_refused);
    suite_add_tcase(s, t);
    return check_main(s);
}
