/* Assertions of service accounts' keys: what is taken, and each refusal in Google's words. */
#include <openssl/pem.h>
#include <stdio.h>

#include "check_main.h"
#include "jose_fixture.h"
#include "metadata/assertion.h"

enum { T0 = 1700000000 };

#define A       "a@p.iam.gserviceaccount.com"
#define TOKEN   "https://oauth2.googleapis.com/token"
#define SIGNED  "Invalid JWT Signature."
#define TIMELY  "Invalid JWT: Token must be a short-lived token (60 minutes)"
#define ALIEN   "Invalid JWT: Failed audience check."
#define NOSCOPE "Invalid OAuth scope or ID token audience provided."
#define HEAD    "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}"
#define TIMES   "\"iat\":1700000000,\"exp\":1700003600"
#define GOOD    "{\"iss\":\"" A "\",\"aud\":\"" TOKEN "\"," TIMES ",\"scope\":\"b a\"}"

static EVP_PKEY *key, *other_key;

static char *pem_of(const EVP_PKEY *k)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *p = NULL;
    if (PEM_write_bio_PUBKEY(bio, k) != 1)
        abort();
    const long n = BIO_get_mem_data(bio, &p);
    char *text = span_dup((span){p, (size_t)n});
    BIO_free(bio);
    return text;
}

static const json_t *keys_of(void *ctx, const account *a)
{
    return json_object_get(ctx, a->email);
}

static snapshot *world(void)
{
    snapshot_builder *b = snapshot_builder_new();
    const project p = {.id = "p",
                       .number = "1",
                       .region = "r",
                       .default_account = "1-compute@developer.gserviceaccount.com",
                       .ingress_listen = "127.0.0.1:1",
                       .metadata_listen = "127.0.0.1:2",
                       .control_listen = "127.0.0.1:3",
                       .file = "t.yaml"};
    snapshot_builder_project(b, &p);
    static const char *const emails[] = {A, "none@p.iam.gserviceaccount.com",
                                         "off@p.iam.gserviceaccount.com"};
    for (size_t i = 0; i < countof(emails); i++) {
        const account a = {.email = emails[i], .disabled = i == 2};
        snapshot_builder_account(b, &a);
    }
    return snapshot_build(b, NULL, 0);
}

/* Reads the token; NULL fault: it is taken. */
static bool reads(const char *token, assertion *out, assertion_fault *f)
{
    auto_free char *pem = pem_of(key);
    json_auto_t *keys = json_pack(
        "{s:[{s:s,s:s},{s:s,s:s,s:b},{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s}],s:[{s:s,s:s}]}", A,
        "id", "k1", "publicKey", pem, "id", "off", "publicKey", pem, "disabled", 1, "id", "old",
        "publicKey", pem, "validBefore", "2023-11-14T22:13:20Z", "id", "young", "publicKey", pem,
        "validAfter", "2023-11-14T22:18:21Z", "id", "broken", "publicKey", "x",
        "off@p.iam.gserviceaccount.com", "id", "k1", "publicKey", pem);
    ck_assert_ptr_nonnull(keys);
    snapshot *s = world();
    const assertion_world w = {
        .snapshot = s, .keys = keys_of, .ctx = keys, .now_s = T0, .hosts = "metadata.example"};
    const bool taken = assertion_read(&w, span_of(token), out, f);
    if (taken)
        ck_assert_str_eq(out->account->email, A);
    snapshot_unref(s);
    return taken;
}

static void clear(assertion *a)
{
    buf_free(&a->scopes);
    buf_free(&a->audience);
}

static const struct good_row {
    const char *payload, *scopes, *audience;
} good[] = {
    {GOOD, "a b", NULL},
    {"{\"iss\":\"" A "\",\"sub\":\"" A "\",\"aud\":\"" TOKEN "\"," TIMES
     ",\"target_audience\":\"https://x\"}",
     NULL, "https://x"},
    {"{\"iss\":\"" A "\",\"aud\":\"https://www.googleapis.com/oauth2/v4/token\"," TIMES
     ",\"scope\":\"a\",\"target_audience\":\"x\"}",
     NULL, "x"},
    {"{\"iss\":\"" A "\",\"aud\":\"http://127.0.0.1:8080/token\"," TIMES ",\"scope\":\"a\"}", "a",
     NULL},
    {"{\"iss\":\"" A "\",\"aud\":\"http://metadata.example/token\"," TIMES ",\"scope\":\"a\"}", "a",
     NULL},
    {"{\"iss\":\"" A "\",\"aud\":[\"" TOKEN "\"],\"iat\":1700000300,\"exp\":1700000301,"
     "\"scope\":\"a\"}",
     "a", NULL},
    {"{\"iss\":\"" A "\",\"aud\":\"" TOKEN "\",\"iat\":1699996402,\"exp\":1700000001,"
     "\"scope\":\"a\"}",
     "a", NULL},
};

START_TEST(these_assertions_are_taken)
{
    const struct good_row *row = &good[_i];
    auto_free char *token = fixture_token(key, HEAD, span_of(row->payload));
    assertion a = {0};
    assertion_fault f = {0};
    ck_assert_msg(reads(token, &a, &f), "%s: %s (%s)", row->payload, f.text, f.detail);
    if (row->scopes)
        ck_assert_str_eq(a.scopes.p, row->scopes);
    else
        ck_assert_uint_eq(a.scopes.n, 0);
    if (row->audience)
        ck_assert_str_eq(a.audience.p, row->audience);
    clear(&a);
}
END_TEST

#define CLAIMS(iss, aud, rest) "{\"iss\":\"" iss "\",\"aud\":\"" aud "\"," rest "}"

static const struct bad_row {
    const char *head, *payload;
    const char *what, *text;
    const char *detail; /* a part of it, or NULL */
} bad[] = {
    {"{\"alg\":\"RS256\"}", GOOD, "invalid_grant", SIGNED, "kid"},
    {"{\"alg\":\"RS256\",\"kid\":\"k2\"}", GOOD, "invalid_grant", SIGNED, "no such key"},
    {"{\"alg\":\"RS256\",\"kid\":\"off\"}", GOOD, "invalid_grant", SIGNED, "disabled"},
    {"{\"alg\":\"RS256\",\"kid\":\"old\"}", GOOD, "invalid_grant", SIGNED, "not valid at this"},
    {"{\"alg\":\"RS256\",\"kid\":\"young\"}", GOOD, "invalid_grant", SIGNED, "not valid at this"},
    {"{\"alg\":\"RS256\",\"kid\":\"broken\"}", GOOD, "invalid_grant", SIGNED, "does not confirm"},
    {"{\"alg\":\"HS256\",\"kid\":\"k1\"}", GOOD, "invalid_grant", SIGNED, "RS256"},
    {"{\"alg\":\"none\",\"kid\":\"k1\"}", GOOD, "invalid_grant", SIGNED, "RS256"},
    {"{\"alg\":\"RS256\",\"kid\":\"k1\",\"crit\":[]}", GOOD, "invalid_grant", SIGNED, "no JWT"},
    {HEAD, "[]", "invalid_grant", SIGNED, "no JWT"},
    {HEAD, "{\"aud\":\"" TOKEN "\"," TIMES ",\"scope\":\"a\"}", "invalid_grant",
     "Invalid email or User ID.", NULL},
    {HEAD, CLAIMS("x@p.iam.gserviceaccount.com", TOKEN, TIMES ",\"scope\":\"a\""), "invalid_grant",
     "Invalid grant: account not found", NULL},
    {HEAD, CLAIMS("none@p.iam.gserviceaccount.com", TOKEN, TIMES ",\"scope\":\"a\""),
     "invalid_grant", SIGNED, "no such key"},
    {HEAD, CLAIMS("off@p.iam.gserviceaccount.com", TOKEN, TIMES ",\"scope\":\"a\""),
     "invalid_grant", "Invalid grant: account disabled", NULL},
    {HEAD, CLAIMS(A, "https://example.com/token", TIMES ",\"scope\":\"a\""), "invalid_grant", ALIEN,
     NULL},
    {HEAD, CLAIMS(A, "http://example.com/token", TIMES ",\"scope\":\"a\""), "invalid_grant", ALIEN,
     NULL},
    {HEAD, CLAIMS(A, "http://127.0.0.1:8080/", TIMES ",\"scope\":\"a\""), "invalid_grant", ALIEN,
     NULL},
    {HEAD, CLAIMS(A, "http://127.0.0.1:8080/token/x", TIMES ",\"scope\":\"a\""), "invalid_grant",
     ALIEN, NULL},
    {HEAD, CLAIMS(A, "http:///token", TIMES ",\"scope\":\"a\""), "invalid_grant", ALIEN, NULL},
    {HEAD, "{\"iss\":\"" A "\"," TIMES ",\"scope\":\"a\"}", "invalid_grant", ALIEN, NULL},
    {HEAD, "{\"iss\":\"" A "\",\"aud\":[\"" TOKEN "\",\"x\"]," TIMES ",\"scope\":\"a\"}",
     "invalid_grant", ALIEN, NULL},
    {HEAD, CLAIMS(A, TOKEN, TIMES ",\"sub\":\"alice@example.com\",\"scope\":\"a\""),
     "unauthorized_client", "Client is unauthorized to retrieve access tokens", "delegation"},
    {HEAD, CLAIMS(A, TOKEN, "\"exp\":1700003600,\"scope\":\"a\""), "invalid_grant",
     "Invalid JWT: iat (issued at) is not set.", NULL},
    {HEAD, CLAIMS(A, TOKEN, "\"iat\":1700000000,\"scope\":\"a\""), "invalid_grant",
     "Invalid JWT: exp (expiration time) is not set.", NULL},
    {HEAD, CLAIMS(A, TOKEN, "\"iat\":1700000000,\"exp\":1700003601,\"scope\":\"a\""),
     "invalid_grant", TIMELY, NULL},
    {HEAD, CLAIMS(A, TOKEN, "\"iat\":1699999000,\"exp\":1700000000,\"scope\":\"a\""),
     "invalid_grant", TIMELY, NULL},
    {HEAD, CLAIMS(A, TOKEN, "\"iat\":1700000301,\"exp\":1700003600,\"scope\":\"a\""),
     "invalid_grant", TIMELY, NULL},
    {HEAD, CLAIMS(A, TOKEN, "\"iat\":1700000100,\"exp\":1700000100,\"scope\":\"a\""),
     "invalid_grant", TIMELY, NULL},
    {HEAD, CLAIMS(A, TOKEN, TIMES), "invalid_scope", NOSCOPE, NULL},
    {HEAD, CLAIMS(A, TOKEN, TIMES ",\"scope\":\" \""), "invalid_scope", NOSCOPE, NULL},
    {HEAD, CLAIMS(A, TOKEN, TIMES ",\"scope\":[\"a\"]"), "invalid_scope", NOSCOPE, NULL},
    {HEAD, CLAIMS(A, TOKEN, TIMES ",\"target_audience\":\"\""), "invalid_scope", NOSCOPE, NULL},
};

static void expect_refusal(const char *token, const struct bad_row *row)
{
    assertion a = {0};
    assertion_fault f = {0};
    ck_assert_msg(!reads(token, &a, &f), "%s", row->payload);
    ck_assert_str_eq(f.what, row->what);
    ck_assert_uint_eq(f.status, strcmp(f.what, "unauthorized_client") == 0 ? 401 : 400);
    ck_assert_msg(strncmp(f.text, row->text, strlen(row->text)) == 0, "%s: %s", row->payload,
                  f.text);
    if (row->detail)
        ck_assert_msg(f.detail && strstr(f.detail, row->detail), "%s", f.detail);
    clear(&a);
}

START_TEST(these_assertions_are_refused_in_google_s_words)
{
    const struct bad_row *row = &bad[_i];
    auto_free char *token = fixture_token(key, row->head, span_of(row->payload));
    expect_refusal(token, row);
}
END_TEST

START_TEST(a_signature_by_another_key_is_refused)
{
    const struct bad_row row = {HEAD, GOOD, "invalid_grant", SIGNED, "does not confirm"};
    auto_free char *token = fixture_token(other_key, HEAD, SPAN_LIT(GOOD));
    expect_refusal(token, &row);
}
END_TEST

START_TEST(what_is_no_token_or_far_too_long_is_refused)
{
    const struct bad_row row = {HEAD, "", "invalid_grant", SIGNED, "no JWT"};
    expect_refusal("", &row);
    expect_refusal("a.b.c", &row);
    auto_buf buf b = buf_make(1 << 20);
    for (int i = 0; i < 40000; i++)
        buf_char(&b, 'A');
    expect_refusal(b.p, &row);
}
END_TEST

int main(void)
{
    key = EVP_RSA_gen(2048);
    other_key = EVP_RSA_gen(2048);
    if (!key || !other_key)
        abort();
    Suite *s = suite_create("metadata_assertion");
    TCase *t = tcase_create("assertions");
    tcase_add_loop_test(t, these_assertions_are_taken, 0, (int)countof(good));
    tcase_add_loop_test(t, these_assertions_are_refused_in_google_s_words, 0, (int)countof(bad));
    tcase_add_test(t, a_signature_by_another_key_is_refused);
    tcase_add_test(t, what_is_no_token_or_far_too_long_is_refused);
    suite_add_tcase(s, t);
    const int failed = check_main(s);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    return failed;
}
