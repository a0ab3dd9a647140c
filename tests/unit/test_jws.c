/* Tokens: every malformation next to the nearest acceptance. */
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "check_main.h"
#include "jose/jws.h"
#include "jose_fixture.h"

static EVP_PKEY *key, *foreign;
static jwks *keys;

#define HEADER  "{\"alg\":\"RS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define PAYLOAD "{\"aud\":\"a\",\"sub\":\"1\"}"

/* ---- texts that are signed with the right key, so that only the text decides ---- */

static const struct {
    const char *header, *payload;
    jws_result expected;
    size_t payload_n; /* 0: strlen */
} signed_rows[] = {
    {HEADER, PAYLOAD, JWS_OK, 0},
    {"{\"kid\":\"k1\",\"alg\":\"RS256\"}", PAYLOAD, JWS_OK, 0},
    {" {\"kid\" : \"k1\", \"alg\":\"RS256\"} ", " {} ", JWS_OK, 0},
    {"{\"kid\":\"k1\",\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"x\":[1]}", "{}", JWS_OK, 0},
    /* what the header offers as a key is not looked at, the known key decides */
    {"{\"kid\":\"k1\",\"alg\":\"RS256\",\"jku\":\"http://evil.example/keys\",\"x5u\":\"http://"
     "evil.example\",\"jwk\":{\"kty\":\"RSA\"},\"x5c\":[\"AA\"]}",
     "{}", JWS_OK, 0},
    /* alg */
    {"{\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"none\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"None\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"rs256\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"RS256 \",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"RS384\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"RS512\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"PS256\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"ES256\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"HS256\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    {"{\"alg\":\"EdDSA\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_ALG, 0},
    /* kid */
    {"{\"alg\":\"RS256\"}", PAYLOAD, JWS_UNKNOWN_KID, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"k2\"}", PAYLOAD, JWS_UNKNOWN_KID, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"\"}", PAYLOAD, JWS_UNKNOWN_KID, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"K1\"}", PAYLOAD, JWS_UNKNOWN_KID, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"../k1\"}", PAYLOAD, JWS_UNKNOWN_KID, 0},
    {"{\"alg\":\"RS256\",\"jwk\":{\"kid\":\"k1\"}}", PAYLOAD, JWS_UNKNOWN_KID, 0},
    /* header that is JSON, but not acceptable */
    {"{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":[\"b64\"],\"b64\":false}", PAYLOAD, JWS_BAD_HEADER,
     0},
    {"{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":[]}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":null}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"k2\",\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"RS256\",\"kid\":1}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"RS256\",\"kid\":null}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":[\"RS256\"],\"kid\":\"k1\"}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"k1\\u0000\"}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"k1\",\"x\":[[[[[[[[0]]]]]]]]}", PAYLOAD, JWS_BAD_HEADER, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"k1\",\"x\":[[[[[[[0]]]]]]]}", PAYLOAD, JWS_OK, 0},
    /* header that is no JSON object */
    {"", PAYLOAD, JWS_NOT_A_JWT, 0},
    {"RS256", PAYLOAD, JWS_NOT_A_JWT, 0},
    {"[\"RS256\"]", PAYLOAD, JWS_NOT_A_JWT, 0},
    {"\"RS256\"", PAYLOAD, JWS_NOT_A_JWT, 0},
    {HEADER "x", PAYLOAD, JWS_NOT_A_JWT, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"k1\",}", PAYLOAD, JWS_NOT_A_JWT, 0},
    {"{\"alg\":\"RS256\",\"kid\":\"\xff\"}", PAYLOAD, JWS_NOT_A_JWT, 0},
    /* payload */
    {HEADER, "", JWS_NOT_A_JWT, 0},
    {HEADER, "hello", JWS_NOT_A_JWT, 0},
    {HEADER, "[]", JWS_NOT_A_JWT, 0},
    {HEADER, "\"x\"", JWS_NOT_A_JWT, 0},
    {HEADER, "{}{}", JWS_NOT_A_JWT, 0},
    {HEADER, "{}\0", JWS_NOT_A_JWT, 3},
    {HEADER, "{\"sub\":\"1\",\"sub\":\"2\"}", JWS_BAD_CLAIMS, 0},
    {HEADER, "{\"aud\":7}", JWS_BAD_CLAIMS, 0},
    {HEADER, "{\"exp\":\"soon\"}", JWS_BAD_CLAIMS, 0},
    {HEADER, "{\"sub\":\"1\\u0000\"}", JWS_BAD_CLAIMS, 0},
    {HEADER, "{\"email_verified\":\"true\"}", JWS_BAD_CLAIMS, 0},
};

START_TEST(a_text_signed_with_the_right_key_is_judged_by_the_text)
{
    const char *text = signed_rows[_i].payload;
    const span payload = {text,
                          signed_rows[_i].payload_n ? signed_rows[_i].payload_n : strlen(text)};
    auto_free char *token = fixture_token(key, signed_rows[_i].header, payload);
    claims *c = NULL;
    error e = {0};
    const jws_result r = jws_verify(keys, span_of(token), &c, &e);
    ck_assert_msg(r == signed_rows[_i].expected, "row %d: %s, expected %s: %s", _i,
                  jws_result_name(r), jws_result_name(signed_rows[_i].expected), e.text);
    ck_assert_msg((r == JWS_OK) == (e.kind == ERR_NONE), "row %d: %s", _i, e.text);
    if (r == JWS_OK)
        ck_assert_ptr_nonnull(c);
    if (r == JWS_NOT_A_JWT || r == JWS_BAD_HEADER || r == JWS_BAD_CLAIMS)
        ck_assert_ptr_null(c);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    claims_free(c);
}
END_TEST

/* ---- whole tokens that were changed after signing ---- */

typedef enum change {
    NOTHING,
    CUT_SIGNATURE, /* header.payload. */
    CUT_LAST_DOT,  /* header.payload */
    ADD_PART,      /* four parts */
    PAD_SIGNATURE, /* "=" behind it */
    LAST_BIT,      /* of the signature */
    SPARE_BITS,    /* another spelling of the same signature */
    LEADING_BLANK,
    TRAILING_NEWLINE,
    INNER_NEWLINE,
    NUL_BEHIND,
    PLUS_FOR_MINUS, /* the other alphabet */
    SIGNATURE_REMOVED_LITERAL,
    FOREIGN_SIGNATURE, /* known kid, another key */
    OTHER_PAYLOAD,     /* signature of another payload */
    EMPTY_HEADER,
    EMPTY_PAYLOAD,
    LONG_SIGNATURE,
    TOO_LONG,
} change;

static const struct {
    change what;
    jws_result expected;
} changed_rows[] = {
    {NOTHING, JWS_OK},
    {CUT_SIGNATURE, JWS_BAD_SIGNATURE},
    {CUT_LAST_DOT, JWS_NOT_A_JWT},
    {ADD_PART, JWS_NOT_A_JWT},
    {PAD_SIGNATURE, JWS_NOT_A_JWT},
    {LAST_BIT, JWS_BAD_SIGNATURE},
    {SPARE_BITS, JWS_NOT_A_JWT},
    {LEADING_BLANK, JWS_NOT_A_JWT},
    {TRAILING_NEWLINE, JWS_NOT_A_JWT},
    {INNER_NEWLINE, JWS_NOT_A_JWT},
    {NUL_BEHIND, JWS_NOT_A_JWT},
    {PLUS_FOR_MINUS, JWS_NOT_A_JWT},
    {SIGNATURE_REMOVED_LITERAL, JWS_BAD_SIGNATURE},
    {FOREIGN_SIGNATURE, JWS_BAD_SIGNATURE},
    {OTHER_PAYLOAD, JWS_BAD_SIGNATURE},
    {EMPTY_HEADER, JWS_NOT_A_JWT},
    {EMPTY_PAYLOAD, JWS_NOT_A_JWT},
    {LONG_SIGNATURE, JWS_BAD_SIGNATURE},
    {TOO_LONG, JWS_NOT_A_JWT},
};

static void fill(buf *b, char c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_char(b, c);
}

static void change_signature(buf *b, span head, span signature, change what)
{
    buf_span(b, head);
    buf_char(b, '.');
    switch ((int)what) {
    case CUT_SIGNATURE:
        return;
    case SIGNATURE_REMOVED_LITERAL:
        buf_str(b, "SIGNATURE_REMOVED_BY_GOOGLE");
        return;
    case LONG_SIGNATURE:
        fill(b, 'A', 4096);
        return;
    default:
        buf_span(b, signature);
    }
    char *last = b->p + b->n - 1;
    switch ((int)what) {
    case LAST_BIT: /* 256 bytes: the last character holds four bits of data */
        *last = *last == 'Q' ? 'g' : 'Q';
        return;
    case SPARE_BITS:
        *last = (char)(*last + 1);
        return;
    case PLUS_FOR_MINUS:
        *(last - 5) = '+';
        return;
    case INNER_NEWLINE:
        *(last - 5) = '\n';
        return;
    case PAD_SIGNATURE:
        buf_str(b, "==");
        return;
    case ADD_PART:
        buf_str(b, ".AAAA");
        return;
    case TRAILING_NEWLINE:
        buf_char(b, '\n');
        return;
    case NUL_BEHIND:
        buf_char(b, '\0');
        return;
    default:
        fill(b, 'A', what == TOO_LONG ? JWS_TOKEN_MAX : 0);
    }
}

static char *signature_of(change what)
{
    if (what == FOREIGN_SIGNATURE)
        return fixture_token(foreign, HEADER, SPAN_LIT(PAYLOAD));
    if (what == OTHER_PAYLOAD)
        return fixture_token(key, HEADER, SPAN_LIT("{\"aud\":\"b\",\"sub\":\"1\"}"));
    return fixture_token(key, HEADER, SPAN_LIT(PAYLOAD));
}

static void build_changed(buf *b, change what)
{
    auto_free char *token = fixture_token(key, HEADER, SPAN_LIT(PAYLOAD));
    auto_free char *donor = signature_of(what);
    const char *dot = strrchr(token, '.');
    span head = {token, (size_t)(dot - token)};
    if (what == CUT_LAST_DOT) {
        buf_span(b, head);
        return;
    }
    if (what == LEADING_BLANK)
        buf_char(b, ' ');
    const size_t middle = span_find(head, '.');
    if (what == EMPTY_HEADER)
        head = span_from(head, middle);
    if (what == EMPTY_PAYLOAD)
        head.n = middle + 1;
    change_signature(b, head, span_of(strrchr(donor, '.') + 1), what);
}

START_TEST(a_token_changed_after_signing_is_refused)
{
    auto_buf buf b = buf_make(1 << 20);
    build_changed(&b, changed_rows[_i].what);
    claims *c = NULL;
    error e = {0};
    const jws_result r = jws_verify(keys, buf_view(&b), &c, &e);
    ck_assert_msg(r == changed_rows[_i].expected, "row %d: %s, expected %s: %s", _i,
                  jws_result_name(r), jws_result_name(changed_rows[_i].expected), e.text);
    /* a wrong signature does not hide what the token claims, so that a refusal can be explained */
    ck_assert_int_eq(c != NULL, r == JWS_OK || r == JWS_BAD_SIGNATURE);
    claims_free(c);
}
END_TEST

static const char *const no_tokens[] = {
    "",           ".",
    "..",         "...",
    "a.b",        "a.b.c",
    "ya29.c.abc", "abc",
    "A.A.A",      "AAAA.AAAA.AAAA",
    "e30.e30",    "e30..",
    ".e30.AAAA",  "e30.e30.AAAA.AAAA.AAAA", /* five parts: an encrypted token */
};

START_TEST(what_is_no_token_is_not_a_jwt)
{
    claims *c = NULL;
    ck_assert_int_eq(jws_verify(keys, span_of(no_tokens[_i]), &c, NULL), JWS_NOT_A_JWT);
    ck_assert_ptr_null(c);
}
END_TEST

START_TEST(a_public_key_is_no_hmac_secret)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_PUBKEY(bio, key), 1);
    char *pem = NULL;
    const long pem_n = BIO_get_mem_data(bio, &pem);
    auto_buf buf b = buf_make(4096);
    const span header = SPAN_LIT("{\"alg\":\"HS256\",\"kid\":\"k1\",\"typ\":\"JWT\"}");
    b64url_encode(&b, header.p, header.n);
    buf_char(&b, '.');
    b64url_encode(&b, PAYLOAD, strlen(PAYLOAD));
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_n = 0;
    ck_assert_ptr_nonnull(
        HMAC(EVP_sha256(), pem, (int)pem_n, (const uint8_t *)b.p, b.n, mac, &mac_n));
    buf_char(&b, '.');
    b64url_encode(&b, mac, mac_n);
    claims *c = NULL;
    ck_assert_int_eq(jws_verify(keys, buf_view(&b), &c, NULL), JWS_BAD_ALG);
    claims_free(c);
    BIO_free(bio);
}
END_TEST

START_TEST(peeking_tells_what_a_token_says_without_believing_it)
{
    auto_free char *token =
        fixture_token(foreign, "{\"alg\":\"ES256\",\"kid\":\"other\"}", SPAN_LIT(PAYLOAD));
    char *kid = NULL;
    char *alg = NULL;
    claims *c = NULL;
    error e = {0};
    ck_assert_int_eq(jws_peek(span_of(token), &kid, &alg, &c, &e), JWS_BAD_ALG);
    ck_assert_str_eq(kid, "other");
    ck_assert_str_eq(alg, "ES256");
    ck_assert_str_eq(c->sub, "1");
    free(kid);
    free(alg);
    claims_free(c);
    ck_assert_int_eq(jws_peek(SPAN_LIT("x"), &kid, &alg, &c, NULL), JWS_NOT_A_JWT);
    ck_assert(!kid && !alg && !c);
    auto_free char *good = fixture_token(foreign, HEADER, SPAN_LIT(PAYLOAD));
    ck_assert_int_eq(jws_peek(span_of(good), NULL, NULL, NULL, NULL), JWS_OK);
    auto_free char *broken = fixture_token(foreign, HEADER, SPAN_LIT("{\"aud\":7}"));
    ck_assert_int_eq(jws_peek(span_of(broken), &kid, NULL, &c, &e), JWS_BAD_CLAIMS);
    ck_assert_str_eq(kid, "k1");
    ck_assert_ptr_null(c);
    free(kid);
}
END_TEST

START_TEST(a_message_never_repeats_more_than_a_little_of_the_token)
{
    char header[2000];
    int n = snprintf(header, sizeof header, "{\"alg\":\"RS256\",\"kid\":\"%01500d\"}", 7);
    ck_assert_int_gt(n, 0);
    auto_free char *token = fixture_token(key, header, SPAN_LIT(PAYLOAD));
    claims *c = NULL;
    error e = {0};
    ck_assert_int_eq(jws_verify(keys, span_of(token), &c, &e), JWS_UNKNOWN_KID);
    ck_assert_uint_lt(strlen(e.text), 200);
    claims_free(c);
}
END_TEST

int main(void)
{
    key = EVP_RSA_gen(2048);
    foreign = EVP_RSA_gen(2048);
    auto_free char *jwk = fixture_jwk(key, "k1", "\"alg\":\"RS256\",\"use\":\"sig\",");
    auto_buf buf set = buf_make(1 << 16);
    buf_fmt(&set, "{\"keys\":[%s]}", jwk);
    keys = jwks_parse(buf_view(&set), NULL);
    Suite *s = suite_create("jws");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, a_text_signed_with_the_right_key_is_judged_by_the_text, 0,
                        (int)countof(signed_rows));
    tcase_add_loop_test(c, a_token_changed_after_signing_is_refused, 0, (int)countof(changed_rows));
    tcase_add_loop_test(c, what_is_no_token_is_not_a_jwt, 0, (int)countof(no_tokens));
    tcase_add_test(c, a_public_key_is_no_hmac_secret);
    tcase_add_test(c, peeking_tells_what_a_token_says_without_believing_it);
    tcase_add_test(c, a_message_never_repeats_more_than_a_little_of_the_token);
    suite_add_tcase(s, c);
    const int status = check_main(s);
    jwks_unref(keys);
    EVP_PKEY_free(key);
    EVP_PKEY_free(foreign);
    return status;
}
