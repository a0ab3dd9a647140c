/* Key sets: what is taken, passed over and refused; the RFC's own signature. */
#include <openssl/pem.h>

#include "check_main.h"
#include "jose/jwks.h"
#include "jose_fixture.h"

static EVP_PKEY *key_a, *key_b;

/* RFC 7515, appendix A.2: key and signature. */
#define RFC_N                                                                                      \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4" \
    "d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5re" \
    "xMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxX" \
    "FvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RFC_INPUT                                                                                  \
    "eyJhbGciOiJSUzI1NiJ9."                                                                        \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNv"                     \
    "bS9pc19yb290Ijp0cnVlfQ"
#define RFC_SIGNATURE                                                                              \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5" \
    "jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb" \
    "1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QO" \
    "YEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"

#define RFC_KEY(kid, extra)                                                                        \
    "{\"kty\":\"RSA\",\"kid\":\"" kid "\"," extra "\"e\":\"AQAB\",\"n\":\"" RFC_N "\"}"
#define OTHERS                                                                                     \
    "{\"kty\":\"EC\",\"kid\":\"ec\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"},"                 \
    "{\"kty\":\"oct\",\"kid\":\"secret\",\"k\":\"AA\"},{\"kty\":\"unheard-of\"},{},"

static jwks *parse(const char *json)
{
    error e = {0};
    jwks *k = jwks_parse(span_of(json), &e);
    ck_assert_msg(k != NULL, "%.300s: %s", json, e.text);
    return k;
}

START_TEST(the_rfc_s_signature_is_confirmed_and_no_other)
{
    jwks *k = parse("{\"keys\":[" RFC_KEY("rfc", "") "]}");
    const jwks_key *key = jwks_find(k, SPAN_LIT("rfc"));
    ck_assert_ptr_nonnull(key);
    uint8_t sig[300];
    size_t n = 0;
    ck_assert(b64url_decode(SPAN_LIT(RFC_SIGNATURE), sig, &n));
    ck_assert(jwks_key_verify(key, SPAN_LIT(RFC_INPUT), sig, n));
    ck_assert(!jwks_key_verify(key, SPAN_LIT(RFC_INPUT "x"), sig, n));
    ck_assert(!jwks_key_verify(key, SPAN_LIT(RFC_INPUT), sig, n - 1));
    ck_assert(!jwks_key_verify(key, SPAN_LIT(RFC_INPUT), sig, 0));
    sig[n] = 0;
    ck_assert(!jwks_key_verify(key, SPAN_LIT(RFC_INPUT), sig, n + 1));
    sig[100] ^= 1;
    ck_assert(!jwks_key_verify(key, SPAN_LIT(RFC_INPUT), sig, n));
    sig[100] ^= 1;
    ck_assert(jwks_key_verify(key, SPAN_LIT(RFC_INPUT), sig, n));
    jwks_unref(k);
}
END_TEST

START_TEST(keys_of_other_kinds_are_passed_over)
{
    jwks *k = parse("{\"more\":1,\"keys\":[" OTHERS RFC_KEY("enc", "\"use\":\"enc\",") "," RFC_KEY(
        "ps",
        "\"alg\":\"PS256\",") "," RFC_KEY("rs512",
                                          "\"alg\":"
                                          "\"RS512\",") "," RFC_KEY("ops",
                                                                    "\"key_ops\":[\"encrypt\"]"
                                                                    ",") ","
                                                                         "{\"kty\":\"RSA\","
                                                                         "\"n\":\"AA\",\"e\":"
                                                                         "\"AA\"}," RFC_KEY(
                                                                             "good",
                                                                             "\"alg\":"
                                                                             "\"RS256\","
                                                                             "\"use\":\"sig\","
                                                                             "\"key_ops\":["
                                                                             "\"verify\"],") "]"
                                                                                             "}");
    ck_assert_uint_eq(jwks_count(k), 1);
    ck_assert_str_eq(jwks_kid(k, 0), "good");
    ck_assert_ptr_null(jwks_find(k, SPAN_LIT("enc")));
    ck_assert_ptr_null(jwks_find(k, SPAN_LIT("goo")));
    ck_assert_ptr_null(jwks_find(k, SPAN_LIT("good2")));
    ck_assert_ptr_null(jwks_find(k, (span){"good\0", 5}));
    jwks_unref(k);
}
END_TEST

#define PART(n, e) "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":" n ",\"e\":" e "}]}"

static const struct {
    const char *json, *says;
} refused[] = {
    {"", "empty"},
    {"[]", "object"},
    {"nonsense", "JSON"},
    {"{}", "no list"},
    {"{\"keys\":{}}", "no list"},
    {"{\"keys\":[]}", "no RSA key"},
    {"{\"keys\":[7]}", "not an object"},
    {"{\"keys\":[" OTHERS "{}]}", "no RSA key"},
    {"{\"keys\":[],\"keys\":[]}", "duplicate"},
    {"{\"keys\":[" RFC_KEY("k", "") "," RFC_KEY("k", "") "]}", "\"k\" twice"},
    {"{\"keys\":[" RFC_KEY("k", "\"d\":\"AQ\",") "]}", "private key"},
    {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"n\":\"" RFC_N "\"}]}", "\"e\" is not a string"},
    {"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"k\",\"e\":\"AQAB\"}]}", "\"n\" is not a string"},
    {PART("7", "\"AQAB\""), "\"n\" is not a string"},
    {PART("\"\"", "\"AQAB\""), "\"n\" is not the base64url"},
    {PART("\"" RFC_N "=\"", "\"AQAB\""), "\"n\" is not the base64url"},
    {PART("\"!!!!\"", "\"AQAB\""), "\"n\" is not the base64url"},
    {PART("\"AA" RFC_N "\"", "\"AQAB\""), "\"n\" is not the base64url"},
    {PART("\"_w\"", "\"AQAB\""), "8 bits"},
    {PART("\"" RFC_N "\"", "\"\""), "\"e\" is not the base64url"},
    {PART("\"" RFC_N "\"", "\"AQ\""), "exponent"},
    {PART("\"" RFC_N "\"", "\"Ag\""), "exponent"},
    {PART("\"" RFC_N "\"", "\"AAEAAQ\""), "\"e\" is not the base64url"},
    {PART("\"" RFC_N "\"", "\"AQAAAAAAAAAB\""), "\"e\" is not the base64url"},
};

START_TEST(these_key_sets_are_refused_with_a_reason)
{
    error e = {0};
    jwks *k = jwks_parse(span_of(refused[_i].json), &e);
    ck_assert_msg(k == NULL, "row %d", _i);
    ck_assert_msg(strstr(e.text, refused[_i].says) != NULL, "row %d: %s", _i, e.text);
}
END_TEST

/* A modulus of that many bits: a one in front, `last` as the last byte, zeros between. */
static char *set_with_modulus(size_t bits, uint8_t last)
{
    const size_t n = (bits + 7) / 8;
    uint8_t *bytes = calloc(1, n);
    bytes[0] = (uint8_t)(1U << ((bits - 1) % 8));
    bytes[n - 1] |= last;
    auto_free char *text = fixture_b64(bytes, n);
    free(bytes);
    buf b = buf_make(1 << 16);
    buf_fmt(&b, PART("\"%s\"", "\"AQAB\""), text);
    return buf_take(&b);
}

static const struct {
    size_t bits;
    uint8_t last;
    bool fits;
} moduli[] = {
    {2047, 1, false}, {2048, 1, true},  {2048, 0, false},
    {8192, 1, true},  {8193, 1, false}, {20000, 1, false},
};

START_TEST(moduli_are_odd_and_of_2048_to_8192_bits)
{
    auto_free char *json = set_with_modulus(moduli[_i].bits, moduli[_i].last);
    error e = {0};
    jwks *k = jwks_parse(span_of(json), &e);
    ck_assert_msg((k != NULL) == moduli[_i].fits, "row %d: %s", _i, e.text);
    jwks_unref(k);
}
END_TEST

static char *many_keys(size_t n, size_t padding)
{
    buf b = buf_make(1 << 20);
    buf_str(&b, "{\"keys\":[");
    for (size_t i = 0; i < n; i++)
        buf_fmt(&b, "%s{\"kty\":\"EC\",\"kid\":\"%zu\"}", i ? "," : "", i);
    buf_str(&b, "," RFC_KEY("k", "") "]}");
    for (size_t i = 0; i < padding; i++)
        buf_char(&b, ' ');
    return buf_take(&b);
}

START_TEST(number_and_size_of_keys_have_a_ceiling)
{
    auto_free char *most = many_keys(JWKS_KEYS_MAX - 1, 0);
    jwks_unref(parse(most));
    auto_free char *more = many_keys(JWKS_KEYS_MAX, 0);
    error e = {0};
    ck_assert_ptr_null(jwks_parse(span_of(more), &e));
    ck_assert_int_eq(e.kind, ERR_LIMIT);
    auto_free char *large = many_keys(1, JWKS_TEXT_MAX);
    ck_assert_ptr_null(jwks_parse(span_of(large), &e));
    ck_assert_int_eq(e.kind, ERR_LIMIT);
}
END_TEST

static jwks *set_of(const char *first, const char *second)
{
    buf b = buf_make(1 << 16);
    buf_fmt(&b, "{\"keys\":[%s%s%s]}", first, second ? "," : "", second ? second : "");
    auto_free char *json = buf_take(&b);
    return parse(json);
}

START_TEST(two_sets_are_the_same_when_kids_and_keys_are)
{
    auto_free char *a = fixture_jwk(key_a, "a", "");
    auto_free char *b = fixture_jwk(key_b, "b", "");
    auto_free char *b_as_a = fixture_jwk(key_b, "a", "");
    jwks *both = set_of(a, b);
    jwks *other_order = set_of(b, a);
    jwks *one = set_of(a, NULL);
    jwks *swapped = set_of(b_as_a, NULL);
    ck_assert(jwks_same(both, other_order));
    ck_assert(jwks_same(one, one));
    ck_assert(!jwks_same(both, one));
    ck_assert(!jwks_same(one, both));
    ck_assert(!jwks_same(one, swapped)); /* same kid, another key: nothing of it may be kept */
    jwks_unref(both);
    jwks_unref(other_order);
    jwks_unref(one);
    jwks_unref(swapped);
}
END_TEST

START_TEST(a_set_is_made_of_one_key_s_pem_text)
{
    error e = {0};
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, key_a), 1);
    char *p = NULL;
    const size_t n = (size_t)BIO_get_mem_data(bio, &p);
    jwks *k = jwks_of_pem(SPAN_LIT("a"), (span){p, n}, &e);
    ck_assert_msg(k != NULL, "%s", e.text);
    auto_free char *jwk = fixture_jwk(key_a, "a", "");
    auto_buf buf json = buf_make(1 << 16);
    buf_fmt(&json, "{\"keys\":[%s]}", jwk);
    jwks *same = parse(json.p);
    ck_assert(jwks_same(k, same));
    jwks_unref(same);
    jwks_unref(k);
    ck_assert_ptr_null(jwks_of_pem(SPAN_LIT("a"), (span){p, n / 2}, &e));
    ck_assert_ptr_null(jwks_of_pem(SPAN_LIT("a"), SPAN_LIT(""), &e));
    BIO_free(bio);
}
END_TEST

START_TEST(a_pem_text_of_another_kind_of_key_is_refused)
{
    error e = {0};
    EVP_PKEY *ec = EVP_EC_gen("P-256");
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, ec), 1);
    char *p = NULL;
    const size_t n = (size_t)BIO_get_mem_data(bio, &p);
    ck_assert_ptr_null(jwks_of_pem(SPAN_LIT("ec"), (span){p, n}, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "RSA"));
    BIO_free(bio);
    EVP_PKEY_free(ec);
}
END_TEST

START_TEST(a_count_keeps_a_set_alive)
{
    auto_free char *a = fixture_jwk(key_a, "a", "");
    jwks *k = set_of(a, NULL);
    ck_assert_ptr_eq(jwks_ref(k), k);
    jwks_unref(k);
    ck_assert_str_eq(jwks_kid(k, 0), "a");
    jwks_unref(k);
    jwks_unref(NULL);
}
END_TEST

int main(void)
{
    key_a = EVP_RSA_gen(2048);
    key_b = EVP_RSA_gen(2048);
    Suite *s = suite_create("jwks");
    TCase *c = tcase_create("all");
    tcase_add_test(c, the_rfc_s_signature_is_confirmed_and_no_other);
    tcase_add_test(c, keys_of_other_kinds_are_passed_over);
    tcase_add_loop_test(c, these_key_sets_are_refused_with_a_reason, 0, (int)countof(refused));
    tcase_add_loop_test(c, moduli_are_odd_and_of_2048_to_8192_bits, 0, (int)countof(moduli));
    tcase_add_test(c, number_and_size_of_keys_have_a_ceiling);
    tcase_add_test(c, two_sets_are_the_same_when_kids_and_keys_are);
    tcase_add_test(c, a_set_is_made_of_one_key_s_pem_text);
    tcase_add_test(c, a_pem_text_of_another_kind_of_key_is_refused);
    tcase_add_test(c, a_count_keeps_a_set_alive);
    suite_add_tcase(s, c);
    const int status = check_main(s);
    EVP_PKEY_free(key_a);
    EVP_PKEY_free(key_b);
    return status;
}
