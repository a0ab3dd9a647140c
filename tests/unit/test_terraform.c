/* Terraform for each refusal that a change of the infrastructure mends; nothing for the others. */
#include "check_main.h"
#include "decision/terraform.h"

static buf text;

static void setup(void)
{
    text = buf_make(16 * 1024);
}
static void teardown(void)
{
    buf_free(&text);
}

static evidence refusal(reason r)
{
    return (evidence){.reason = r,
                      .service = SPAN_LIT("backend-api"),
                      .project = SPAN_LIT("my-project"),
                      .region = SPAN_LIT("us-central1"),
                      .principal = {MEMBER_SERVICE_ACCOUNT, SPAN_LIT("a-sa@p.example")}};
}

static const char *told(const evidence *e)
{
    buf_clear(&text);
    evidence_terraform(&text, e);
    return text.n ? text.p : "";
}

#define SERVICE "resource \"google_cloud_run_v2_service\" "
#define GRANT                                                                                      \
    "resource \"google_cloud_run_v2_service_iam_member\" \"backend-api_a-sa\" {\n"                 \
    "  project  = \"my-project\"\n  location = \"us-central1\"\n  name     = \"backend-api\"\n"    \
    "  role     = \"roles/run.invoker\"\n  member   = \"serviceAccount:a-sa@p.example\"\n}"

static const struct {
    reason reason;
    const char *text;
} rows[] = {
    {REASON_NO_GRANT, GRANT},
    {REASON_CONDITION_NOT_MET, GRANT},
    {REASON_INGRESS_BLOCKED,
     SERVICE "\"backend-api\" {\n  # …\n  ingress = \"INGRESS_TRAFFIC_ALL\"\n}"},
    {REASON_DEFAULT_URL_DISABLED,
     SERVICE "\"backend-api\" {\n  # …\n  default_uri_disabled = false\n}"},
    {REASON_ACCOUNT_DISABLED,
     "resource \"google_service_account\" \"a-sa\" {\n  # …\n  disabled = false\n}"},
    {REASON_DENIED,
     "resource \"google_iam_deny_policy\" \"POLICY\" {\n  # …\n  rules {\n    deny_rule {\n"
     "      exception_principals = "
     "[\"principal://iam.googleapis.com/projects/-/serviceAccounts/a-sa@p.example\"]\n"
     "    }\n  }\n}"},
};

START_TEST(a_refusal_that_terraform_mends_says_how)
{
    const evidence e = refusal(rows[_i].reason);
    ck_assert_str_eq(told(&e), rows[_i].text);
}
END_TEST

START_TEST(a_service_without_a_credential_may_be_made_public)
{
    const evidence e = refusal(REASON_NO_CREDENTIAL);
    ck_assert_ptr_nonnull(strstr(told(&e), "# if it is meant to be public\n"));
    ck_assert_ptr_nonnull(strstr(told(&e), "member   = \"allUsers\""));
}
END_TEST

START_TEST(all_others_are_mended_by_another_request)
{
    const reason r = (reason)_i;
    const evidence e = refusal(r);
    bool listed = r == REASON_NO_CREDENTIAL;
    for (size_t i = 0; i < countof(rows); i++)
        listed |= rows[i].reason == r;
    ck_assert_int_eq(*told(&e) != '\0', listed);
}
END_TEST

START_TEST(the_caller_s_own_service_gets_the_account)
{
    evidence e = refusal(REASON_NO_GRANT);
    e.mend_service = SPAN_LIT("worker");
    e.mend_value = SPAN_LIT("b-sa@p.example");
    ck_assert_str_eq(told(&e), SERVICE "\"worker\" {\n  # …\n  template {\n    service_account = "
                                       "\"b-sa@p.example\"\n  }\n}");
}
END_TEST

START_TEST(a_custom_domain_is_made_an_audience)
{
    evidence e = refusal(REASON_WRONG_AUDIENCE);
    e.mend_service = SPAN_LIT("backend-api");
    e.mend_value = SPAN_LIT("api.example.test");
    ck_assert_str_eq(told(&e), SERVICE "\"backend-api\" {\n  # …\n  custom_audiences = "
                                       "[\"https://api.example.test\"]\n}");
}
END_TEST

START_TEST(nothing_of_a_token_is_interpolated)
{
    evidence e = refusal(REASON_NO_GRANT);
    e.principal = (principal){MEMBER_USER, SPAN_LIT("a\"${file(1)}\\%{x}\n@p.example")};
    ck_assert_ptr_nonnull(
        strstr(told(&e), "member   = \"user:a\\\"$${file(1)}\\\\%%{x}?@p.example\"\n"));
    ck_assert_ptr_nonnull(strstr(told(&e), "\"backend-api_a___file_1_____x__\" {"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("terraform");
    TCase *t = tcase_create("terraform");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_refusal_that_terraform_mends_says_how, 0, countof(rows));
    tcase_add_test(t, a_service_without_a_credential_may_be_made_public);
    tcase_add_loop_test(t, all_others_are_mended_by_another_request, 0, REASON_COUNT_);
    tcase_add_test(t, the_caller_s_own_service_gets_the_account);
    tcase_add_test(t, a_custom_domain_is_made_an_audience);
    tcase_add_test(t, nothing_of_a_token_is_interpolated);
    suite_add_tcase(s, t);
    return check_main(s);
}
