/* Identity tokens (audience rules, the memory of one second) and access tokens. */
#include "check_main.h"
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "jose/jws.h"
#include "metadata/access.h"
#include "metadata/identity.h"

enum { T0 = 1700000000 };

static int64_t now_us;

static int64_t test_clock(void *ctx)
{
    (void)ctx;
    return now_us;
}

static const struct audience_row {
    const char *query;
    audience_fault fault;
    const char *audience;
} audience_rows[] = {
    {"audience=https://x", AUDIENCE_FINE, "https://x"},
    {"format=full&audience=https%3A%2F%2Fx%2F%3Fa", AUDIENCE_FINE, "https://x/?a"},
    {"audience=https://x?a=b", AUDIENCE_FINE, "https://x?a=b"},
    {"audience=https://x&b=c", AUDIENCE_FINE, "https://x"}, /* as sent unencoded: not repaired */
    {"audience=a+b", AUDIENCE_FINE, "a b"},
    {"audience=%C3%A9", AUDIENCE_FINE, "\xC3\xA9"},
    {"audience=first&audience=second", AUDIENCE_FINE, "first"},
    {"", AUDIENCE_EMPTY, NULL},
    {"audience", AUDIENCE_EMPTY, NULL},
    {"audience=", AUDIENCE_EMPTY, NULL},
    {"audience=+%20%09", AUDIENCE_EMPTY, NULL},
    {"Audience=x", AUDIENCE_EMPTY, NULL},
    {"audience=a%00b", AUDIENCE_NOT_TEXT, NULL},
    {"audience=%00", AUDIENCE_NOT_TEXT, NULL},
    {"audience=%FF", AUDIENCE_NOT_TEXT, NULL},
    {"audience=%C3", AUDIENCE_NOT_TEXT, NULL},
    {"audience=%C0%80", AUDIENCE_NOT_TEXT, NULL},
    {"audience=%ED%A0%80", AUDIENCE_NOT_TEXT, NULL},
    {"audience=%F4%90%80%80", AUDIENCE_NOT_TEXT, NULL},
};

START_TEST(an_audience_is_decoded_and_checked)
{
    const struct audience_row *row = &audience_rows[_i];
    auto_buf buf b = buf_make(AUDIENCE_MAX);
    ck_assert_msg(identity_audience(span_of(row->query), &b) == row->fault, "%s", row->query);
    if (row->audience)
        ck_assert_str_eq(b.p, row->audience);
    ck_assert(row->fault != AUDIENCE_EMPTY || strcmp(audience_fault_text(row->fault),
                                                     "non-empty audience parameter required") == 0);
}
END_TEST

START_TEST(an_audience_of_8_kib_passes_and_one_byte_more_does_not)
{
    auto_buf buf query = buf_make(3 * AUDIENCE_MAX);
    buf_str(&query, "audience=");
    for (int i = 0; i < AUDIENCE_MAX; i++)
        buf_char(&query, 'x');
    auto_buf buf b = buf_make(AUDIENCE_MAX);
    ck_assert_int_eq(identity_audience(buf_view(&query), &b), AUDIENCE_FINE);
    buf_char(&query, 'x');
    buf_clear(&b);
    ck_assert_int_eq(identity_audience(buf_view(&query), &b), AUDIENCE_LONG);
}
END_TEST

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *f)
{
    (void)s;
    (void)type;
    (void)f;
    return remove(path);
}

START_TEST(the_same_query_within_a_second_is_signed_once)
{
    char dir[] = "/tmp/invoker-unit-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const clock_source clock = {test_clock, NULL};
    now_us = (int64_t)T0 * 1000000;
    error e = {0};
    keystore *keys = keystore_open(dir, true, clock, &e);
    ck_assert_msg(keys != NULL, "%s", e.text);
    identity *i = identity_open(keys, clock);
    const account a = {.email = "a@p.iam.gserviceaccount.com",
                       .unique_id = "100000000000000000001"};
    const account b = {.email = "b@p.iam.gserviceaccount.com",
                       .unique_id = "100000000000000000002"};
    const span q = SPAN_LIT("audience=x");
    ck_assert_ptr_null(identity_recall(i, &a, q));
    http_answer *first = identity_mint(i, &a, 3600, SPAN_LIT("x"), q, &e);
    ck_assert_msg(first != NULL, "%s", e.text);
    ck_assert_ptr_eq(identity_recall(i, &a, q), first);
    ck_assert_ptr_null(identity_recall(i, &b, q));
    ck_assert_ptr_null(identity_recall(i, &a, SPAN_LIT("audience=y")));
    now_us += 999999;
    ck_assert_ptr_eq(identity_recall(i, &a, q), first);
    now_us += 1;
    ck_assert_ptr_null(identity_recall(i, &a, q));
    ck_assert_ptr_nonnull(identity_mint(i, &a, 3600, SPAN_LIT("x"), q, &e));
    identity_forget(i);
    ck_assert_ptr_null(identity_recall(i, &a, q));
    identity_close(i);
    keystore_close(keys);
    ck_assert_int_eq(nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}
END_TEST

START_TEST(any_payload_and_any_bytes_are_signed_with_the_published_key)
{
    char dir[] = "/tmp/invoker-unit-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    const clock_source clock = {test_clock, NULL};
    now_us = (int64_t)T0 * 1000000;
    error e = {0};
    keystore *keys = keystore_open(dir, true, clock, &e);
    identity *i = identity_open(keys, clock);
    jwks *published = jwks_parse(keystore_jwks(keys), &e);
    auto_free char *token = identity_sign_jwt(i, SPAN_LIT("{\"iss\":\"x\"}"), &e);
    claims *c = NULL;
    ck_assert_int_eq(jws_verify(published, span_of(token), &c, &e), JWS_OK);
    ck_assert_str_eq(c->iss, "x");
    claims_free(c);
    auto_buf buf signature = buf_make(1024);
    ck_assert(identity_sign_bytes(i, SPAN_LIT("any\0bytes"), &signature, &e));
    const jwks_key *key = jwks_find(published, span_of(identity_kid(i)));
    ck_assert_ptr_nonnull(key);
    ck_assert(
        jwks_key_verify(key, SPAN_LIT("any\0bytes"), (const uint8_t *)signature.p, signature.n));
    jwks_unref(published);
    identity_close(i);
    keystore_close(keys);
    ck_assert_int_eq(nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}
END_TEST

START_TEST(an_access_token_is_handed_out_again_until_five_minutes_are_left)
{
    access_book *book = access_open();
    const span s = SPAN_LIT(ACCESS_DEFAULT_SCOPE);
    const access_token *t = access_get(book, "a@x", "1", s, 3600, T0);
    auto_free char *first = span_dup(span_of(t->token));
    ck_assert_int_eq(t->expires_s - T0, 3599);
    ck_assert(strncmp(first, "ya29.c.", 7) == 0);
    ck_assert_str_eq(access_get(book, "a@x", "1", s, 3600, T0 + 3298)->token, first);
    auto_free char *second =
        span_dup(span_of(access_get(book, "a@x", "1", s, 3600, T0 + 3299)->token));
    ck_assert_str_ne(second, first);
    ck_assert_ptr_nonnull(access_find(book, span_of(first), T0 + 3598));
    ck_assert_ptr_null(access_find(book, span_of(first), T0 + 3599));
    ck_assert_ptr_nonnull(access_find(book, span_of(second), T0 + 3599));
    ck_assert_str_ne(access_get(book, "b@x", "2", s, 3600, T0 + 3299)->token, second);
    ck_assert_str_ne(access_get(book, "a@x", "1", SPAN_LIT("s"), 3600, T0 + 3299)->token, second);
    ck_assert_ptr_null(access_find(book, SPAN_LIT("ya29.c.x"), T0));
    access_close(book);
}
END_TEST

START_TEST(a_minted_token_is_one_s_own_and_lives_as_long_as_asked)
{
    access_book *book = access_open();
    const span s = SPAN_LIT(ACCESS_DEFAULT_SCOPE);
    access_grant g = {"a@x", "1", "client", s, T0 + 600};
    const access_token *t = access_mint(book, &g, T0);
    auto_free char *first = span_dup(span_of(t->token));
    ck_assert_int_eq(t->expires_s, T0 + 600);
    ck_assert_str_eq(t->client, "client");
    ck_assert_str_eq(access_mint(book, &g, T0)->token, first);
    ck_assert_str_ne(access_get(book, "a@x", "1", s, 3600, T0)->token, first);
    g.expires_s++;
    ck_assert_str_ne(access_mint(book, &g, T0 + 1)->token, first);
    g.expires_s--;
    g.client = "another";
    ck_assert_str_ne(access_mint(book, &g, T0)->token, first);
    ck_assert_ptr_nonnull(access_find(book, span_of(first), T0 + 599));
    ck_assert_ptr_null(access_find(book, span_of(first), T0 + 600));
    access_close(book);
}
END_TEST

START_TEST(the_number_of_remembered_access_tokens_is_bounded)
{
    access_book *book = access_open();
    auto_free char *kept = NULL;
    for (int i = 0; i < ACCESS_TOKENS_MAX + 10; i++) {
        char scope[32];
        (void)snprintf(scope, sizeof scope, "s%d", i);
        const access_token *t = access_get(book, "a@x", "1", span_of(scope), 3600, T0 + i);
        if (i == 0)
            kept = span_dup(span_of(t->token));
    }
    ck_assert_ptr_null(access_find(book, span_of(kept), T0));
    access_close(book);
}
END_TEST

static const struct scope_row {
    const char *in, *out;
} scope_rows[] = {
    {"", ACCESS_DEFAULT_SCOPE}, {",,", ACCESS_DEFAULT_SCOPE}, {"b,a", "a b"},
    {"a,b,a", "a b"},           {" a , ab ", "a ab"},
};

START_TEST(scopes_are_a_sorted_set)
{
    auto_buf buf b = buf_make(ACCESS_SCOPES_TEXT_MAX);
    ck_assert(access_scopes(span_of(scope_rows[_i].in), ',', &b));
    ck_assert_str_eq(b.p, scope_rows[_i].out);
}
END_TEST

START_TEST(scopes_may_be_parted_by_blanks)
{
    auto_buf buf b = buf_make(ACCESS_SCOPES_TEXT_MAX);
    ck_assert(access_scopes(SPAN_LIT("b  a,c b"), ' ', &b));
    ck_assert_str_eq(b.p, "a,c b");
}
END_TEST

START_TEST(the_token_document_is_google_s)
{
    const access_token t = {.token = "ya29.c.x", .expires_s = T0 + 3599};
    auto_buf buf b = buf_make(512);
    access_json(&t, T0, &b);
    ck_assert_str_eq(
        b.p, "{\"access_token\":\"ya29.c.x\",\"expires_in\":3599,\"token_type\":\"Bearer\"}");
    buf_clear(&b);
    access_text(&t, T0, &b);
    ck_assert_str_eq(b.p, "access_token ya29.c.x\nexpires_in 3599\ntoken_type Bearer\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metadata_tokens");
    TCase *t = tcase_create("tokens");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, an_audience_is_decoded_and_checked, 0, (int)countof(audience_rows));
    tcase_add_test(t, an_audience_of_8_kib_passes_and_one_byte_more_does_not);
    tcase_add_test(t, the_same_query_within_a_second_is_signed_once);
    tcase_add_test(t, any_payload_and_any_bytes_are_signed_with_the_published_key);
    tcase_add_test(t, an_access_token_is_handed_out_again_until_five_minutes_are_left);
    tcase_add_test(t, a_minted_token_is_one_s_own_and_lives_as_long_as_asked);
    tcase_add_test(t, the_number_of_remembered_access_tokens_is_bounded);
    tcase_add_loop_test(t, scopes_are_a_sorted_set, 0, (int)countof(scope_rows));
    tcase_add_test(t, scopes_may_be_parted_by_blanks);
    tcase_add_test(t, the_token_document_is_google_s);
    suite_add_tcase(s, t);
    return check_main(s);
}
