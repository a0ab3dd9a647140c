/* The table of outcomes against production's texts, word for word. */
#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "check_main.h"
#include "decision/reasons.h"

static const char EMPTY[] =
    "The request was not authenticated. Either allow unauthenticated invocations or set the proper "
    "Authorization header. Empty Authorization header value.";
static const char BAD[] =
    "The request was not authorized to invoke this service. The access token could not be "
    "verified.";
static const char DENY[] = "The request was not authorized to invoke this service. Read more at "
                           "https://cloud.google.com/run/docs/securing/authenticating ";

/* text: the beginning of production's log text. */
static const struct {
    reason r;
    const char *name;
    page page;
    bool allows, challenge, logged;
    const char *text;
} rows[] = {
    {REASON_GRANTED, "granted", PAGE_NONE, true, false, true, NULL},
    {REASON_PUBLIC, "public", PAGE_NONE, true, false, true, NULL},
    {REASON_CHECK_DISABLED, "iam_check_disabled", PAGE_NONE, true, false, true, NULL},
    {REASON_UNKNOWN_HOST, "unknown_host", PAGE_404, false, false, false, NULL},
    {REASON_RESERVED_PATH, "reserved_path", PAGE_404_ROBOT, false, false, false, NULL},
    {REASON_DEFAULT_URL_DISABLED, "default_url_disabled", PAGE_404, false, false, false, NULL},
    {REASON_INGRESS_BLOCKED, "ingress_blocked", PAGE_404, false, false, false, NULL},
    {REASON_NO_CREDENTIAL, "no_credential", PAGE_403, false, false, true, EMPTY},
    {REASON_EMPTY_CREDENTIAL, "empty_credential", PAGE_403, false, false, true, EMPTY},
    {REASON_NOT_BEARER, "not_bearer", PAGE_401, false, true, true, BAD},
    {REASON_REPEATED_HEADER, "repeated_header", PAGE_401, false, true, true, BAD},
    {REASON_SEVERAL_TOKENS, "several_tokens", PAGE_401, false, true, true, BAD},
    {REASON_ACCESS_TOKEN, "access_token", PAGE_401, false, true, true, BAD},
    {REASON_NOT_A_JWT, "not_a_jwt", PAGE_401, false, true, true, BAD},
    {REASON_SIGNATURE_REMOVED, "signature_removed", PAGE_401, false, true, true, BAD},
    {REASON_BAD_ALG, "bad_alg", PAGE_401, false, true, true, BAD},
    {REASON_UNKNOWN_KEY, "unknown_key", PAGE_401, false, true, true, BAD},
    {REASON_BAD_SIGNATURE, "bad_signature", PAGE_401, false, true, true, BAD},
    {REASON_BAD_CLAIMS, "bad_claims", PAGE_401, false, true, true, BAD},
    {REASON_SELF_SIGNED, "self_signed_jwt", PAGE_401, false, true, true, BAD},
    {REASON_WRONG_ISSUER, "wrong_issuer", PAGE_401, false, true, true, BAD},
    {REASON_EXPIRED, "expired", PAGE_401, false, true, true, BAD},
    {REASON_NOT_YET_VALID, "not_yet_valid", PAGE_401, false, true, true, BAD},
    {REASON_NO_AUDIENCE, "no_audience", PAGE_401, false, true, true, BAD},
    {REASON_WRONG_AUDIENCE, "wrong_audience", PAGE_401, false, true, true, BAD},
    {REASON_NO_PRINCIPAL, "no_principal", PAGE_403, false, false, true, DENY},
    {REASON_ACCOUNT_DISABLED, "account_disabled", PAGE_401, false, true, true, BAD},
    {REASON_DENIED, "denied", PAGE_403, false, false, true, DENY},
    {REASON_CONDITION_NOT_MET, "condition_not_met", PAGE_403, false, false, true, DENY},
    {REASON_NO_GRANT, "no_grant", PAGE_403, false, false, true, DENY},
    {REASON_NOT_PROPAGATED, "not_propagated", PAGE_403, false, false, true, DENY},
    {REASON_KEYS_UNAVAILABLE, "keys_unavailable", PAGE_401, false, true, true, BAD},
};

START_TEST(a_reason_has_productions_page_challenge_and_text)
{
    const reason_row *row = reason_info(rows[_i].r);
    ck_assert_str_eq(row->name, rows[_i].name);
    ck_assert_int_eq(row->page, rows[_i].page);
    ck_assert_int_eq(row->allows, rows[_i].allows);
    ck_assert_int_eq(row->challenge, rows[_i].challenge);
    ck_assert_int_eq(row->logged, rows[_i].logged);
    if (rows[_i].text)
        ck_assert_int_eq(strncmp(row->log_text, rows[_i].text, strlen(rows[_i].text)), 0);
    else
        ck_assert_ptr_null(row->log_text);
}
END_TEST

START_TEST(every_reason_is_in_this_test)
{
    ck_assert_uint_eq(countof(rows), REASON_COUNT_);
    for (size_t i = 0; i < countof(rows); i++)
        ck_assert_uint_eq(rows[i].r, i);
}
END_TEST

START_TEST(the_exact_texts_end_where_productions_end)
{
    ck_assert_str_eq(reason_info(REASON_NO_CREDENTIAL)->log_text, EMPTY);
    ck_assert_str_eq(reason_info(REASON_BAD_SIGNATURE)->log_text, BAD);
}
END_TEST

START_TEST(a_refusal_says_what_and_what_to_do)
{
    const reason_row *row = reason_info((reason)_i);
    ck_assert(row->summary && strlen(row->summary) > 10);
    ck_assert_int_eq(row->summary[strlen(row->summary) - 1], '.');
    ck_assert_int_eq(strchr(row->summary, '{') != NULL, 0);
    ck_assert_int_eq(row->fix != NULL, !row->allows);
    ck_assert_int_eq(row->challenge, row->page == PAGE_401);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reasons");
    TCase *t = tcase_create("reasons");
    tcase_add_loop_test(t, a_reason_has_productions_page_challenge_and_text, 0, (int)countof(rows));
    tcase_add_test(t, every_reason_is_in_this_test);
    tcase_add_test(t, the_exact_texts_end_where_productions_end);
    tcase_add_loop_test(t, a_refusal_says_what_and_what_to_do, 0, REASON_COUNT_);
    suite_add_tcase(s, t);
    return check_main(s);
}
