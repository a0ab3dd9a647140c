/* Explanations: this request's own values, the near miss, and commands that can be pasted. */
#include "check_main.h"
#include "decision/explain.h"
#include "decision_fixture.h"

static scene x;
static buf text;

static void setup(void)
{
    scene_open(&x, NULL);
    text = buf_make(16 * 1024);
}
static void teardown(void)
{
    snapshot_unref(x.s);
    buf_free(&text);
}

static void policy(snapshot *s)
{
    snapshot_unref(x.s);
    scene_open(&x, s);
}

static const char *cause(void)
{
    const decision d = decide(x.s, &x.facts, NOW_US);
    buf_clear(&text);
    explain_cause(&text, x.s, &d, &x.facts, NOW_US);
    return text.p ? text.p : "";
}
static const char *fix(void)
{
    const decision d = decide(x.s, &x.facts, NOW_US);
    buf_clear(&text);
    explain_fix(&text, x.s, &d, &x.facts);
    return text.p ? text.p : "";
}
static const char *local(void)
{
    const decision d = decide(x.s, &x.facts, NOW_US);
    buf_clear(&text);
    explain_local_fix(&text, x.s, &d, &x.facts);
    return text.p ? text.p : "";
}

static void has(const char *got, const char *part)
{
    ck_assert_msg(strstr(got, part) != NULL, "\"%s\" lacks \"%s\"", got, part);
}

#define ADD_BACKEND(who)                                                                           \
    "gcloud run services add-iam-policy-binding backend-api --region=us-central1 --member=" who    \
    " --role=roles/run.invoker"

/* ---- the tutorial's four mistakes ---- */

START_TEST(a_grant_on_the_wrong_service_is_pointed_out)
{
    x.claims.email = BACKEND;
    has(cause(), "serviceAccount:" BACKEND " holds no role with run.routes.invoke on backend-api");
    has(cause(), "holds roles/run.invoker on db-service (t.yaml:7:3), not on backend-api");
    ck_assert_str_eq(fix(), ADD_BACKEND("serviceAccount:" BACKEND));
    ck_assert_str_eq(local(), "matrix: add backend-api to backend-sa, so that it reads "
                              "backend-sa: [db-service, backend-api]");
}
END_TEST

START_TEST(the_default_account_is_recognised)
{
    x.claims.email = COMPUTE;
    has(cause(), "default compute account");
    has(cause(), "(as do: worker)");
    ck_assert_str_eq(fix(), "gcloud run services update worker --region=us-central1 "
                            "--service-account=" FRONTEND);
    ck_assert_str_eq(local(), "services: worker: service_account: frontend-sa");
}
END_TEST

START_TEST(a_wrong_audience_is_set_beside_the_right_ones)
{
    x.aud[0] = "http://127.0.0.1:8083";
    has(cause(), "audience is \"http://127.0.0.1:8083\": that is db-service, another service");
    has(cause(), "backend-api accepts http://127.0.0.1:8082, " DET_URL);
    has(fix(), "identity?audience=" DET_URL);
    ck_assert_str_eq(local(), "ask for the audience http://127.0.0.1:8082");
}
END_TEST

START_TEST(a_grant_that_has_not_propagated_says_for_how_long)
{
    snapshot *before = fixture_build(fixture_builder());
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &(emulation){.clock_skew_s = 60, .propagation_delay_s = 90});
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    fixture_bind(b, "db-service", INVOKER, "allUsers");
    policy(snapshot_build(b, before, NOW_US - 30 * SECOND));
    snapshot_unref(before);
    has(cause(), "was granted roles/run.invoker 30 s ago; the change counts in 60 s");
    has(fix(), "gcloud run services get-iam-policy backend-api --region=us-central1");
    has(local(), "propagation_delay: 0s");
    x.facts.service = fixture_find(x.s, "db-service");
    x.facts.token = TOKEN_ABSENT;
    has(cause(), "still propagating and counts in 60 s");
}
END_TEST

/* ---- others ---- */

START_TEST(a_role_without_the_permission_is_named)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "backend-api", "roles/run.viewer", "serviceAccount:" FRONTEND);
    policy(fixture_build(b));
    has(cause(), "holds roles/run.viewer on backend-api (t.yaml:7:3), but that role lacks "
                 "run.routes.invoke");
}
END_TEST

START_TEST(an_allowed_call_names_its_binding_and_needs_no_cure)
{
    ck_assert_str_eq(cause(), "serviceAccount:" FRONTEND
                              " holds roles/run.invoker on backend-api (t.yaml:7:3).");
    ck_assert_str_eq(fix(), "");
    ck_assert_str_eq(local(), "");
    x.facts.service = fixture_find(x.s, "frontend");
    has(cause(), "allUsers holds roles/run.invoker on frontend");
}
END_TEST

START_TEST(an_allowed_group_member_sees_the_group)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_group(b, "team@example.com", "serviceAccount:" FRONTEND);
    fixture_bind(b, NULL, INVOKER, "group:team@example.com");
    policy(fixture_build(b));
    has(cause(), "may call: group:team@example.com holds roles/run.invoker on the project");
}
END_TEST

START_TEST(a_custom_domain_is_mended_without_the_tokens_text)
{
    x.aud[0] = "https://api.example.test/$(reboot)";
    has(cause(), "custom domain");
    ck_assert_str_eq(fix(), "gcloud run services update backend-api --region=us-central1 "
                            "--add-custom-audiences=https://api.example.test");
    has(local(), "custom_audiences: add");
}
END_TEST

START_TEST(a_strange_member_is_quoted_for_the_shell)
{
    x.claims.email = "o'neil;reboot@example.com";
    has(fix(), "--member='user:o'\\''neil;reboot@example.com' --role");
}
END_TEST

START_TEST(a_long_or_unprintable_claim_is_cut_and_masked)
{
    char aud[1000];
    memset(aud, 'a', sizeof aud - 1);
    aud[sizeof aud - 1] = '\0';
    aud[1] = '\n';
    aud[2] = '\x1b';
    x.aud[0] = aud;
    const char *got = cause();
    has(got, "\"a??aaa");
    has(got, "…\"");
    ck_assert(strchr(got, '\n') == NULL && strchr(got, '\x1b') == NULL);
    ck_assert_uint_lt(strlen(got), 500);
}
END_TEST

START_TEST(an_unverified_token_gives_hints_marked_as_such)
{
    x.facts.token = TOKEN_UNKNOWN_KEY;
    x.claims.iss = "https://securetoken.google.com/app";
    has(cause(), "Unverified, it says: iss \"https://securetoken.google.com/app\"");
    has(cause(), "https://accounts.google.com only");
    x.claims.iss = FRONTEND;
    has(cause(), "A service account signed it itself");
    x.facts.claims = NULL;
    ck_assert(strstr(cause(), "Unverified") == NULL);
}
END_TEST

START_TEST(times_are_told_with_the_skew)
{
    x.claims.exp_s = NOW_S - 600;
    has(cause(), "expired at 2027-01-15T07:50:00Z, 10 min ago (60 s of skew");
    x.claims.exp_s = NOW_S + 600;
    x.claims.iat_s = NOW_S + 600;
    has(cause(), "valid from iat 2027-01-15T08:10:00Z on, and it is 2027-01-15T08:00:00Z now");
}
END_TEST

START_TEST(the_header_that_counts_is_named)
{
    x.facts.token = TOKEN_NOT_A_JWT;
    x.facts.header = HEADER_SERVERLESS;
    has(cause(), "The X-Serverless-Authorization header does not carry a JWT");
    has(cause(), "Authorization is not looked at");
    x.facts.header = HEADER_AUTHORIZATION;
    has(cause(), "The Authorization header");
}
END_TEST

/* Every token state, on a host known and unknown: something is said, within the log's limits. */
START_TEST(nothing_is_left_unexplained)
{
    x.facts.token = (token_state)_i;
    const decision d = decide(x.s, &x.facts, NOW_US);
    ck_assert_uint_gt(strlen(cause()), 20);
    ck_assert_uint_lt(strlen(cause()), 480);
    ck_assert_int_eq(strlen(fix()) > 0, !reason_info(d.reason)->allows);
    ck_assert_uint_lt(strlen(fix()), 360);
    ck_assert_ptr_null(strchr(fix(), '{'));
    ck_assert_uint_lt(strlen(local()), 200);
    x.facts.service = NULL;
    has(cause(), "frontend, backend-api, db-service, worker");
    has(fix(), "gcloud run services list --region=us-central1");
    ck_assert_str_eq(local(), "");
}
END_TEST

START_TEST(settings_of_the_service_are_mended_there)
{
    x.claims.email = RETIRED;
    has(fix(), "gcloud iam service-accounts enable " RETIRED);
    ck_assert_str_eq(local(), "service_accounts: retired-sa: { disabled: false }");
    service closed = *x.facts.service;
    closed.ingress = INGRESS_INTERNAL;
    x.facts.service = &closed;
    has(cause(), "backend-api has ingress: internal");
    has(fix(), "gcloud run services update backend-api --region=us-central1 --ingress=all");
    ck_assert_str_eq(local(), "services: backend-api: ingress: all");
    closed.default_url_disabled = x.facts.by_run_app_host = true;
    has(fix(), "--default-url");
    ck_assert_str_eq(local(), "services: backend-api: default_url: true");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("explain");
    TCase *t = tcase_create("explain");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_grant_on_the_wrong_service_is_pointed_out);
    tcase_add_test(t, the_default_account_is_recognised);
    tcase_add_test(t, a_wrong_audience_is_set_beside_the_right_ones);
    tcase_add_test(t, a_grant_that_has_not_propagated_says_for_how_long);
    tcase_add_test(t, a_role_without_the_permission_is_named);
    tcase_add_test(t, an_allowed_call_names_its_binding_and_needs_no_cure);
    tcase_add_test(t, an_allowed_group_member_sees_the_group);
    tcase_add_test(t, a_custom_domain_is_mended_without_the_tokens_text);
    tcase_add_test(t, a_strange_member_is_quoted_for_the_shell);
    tcase_add_test(t, a_long_or_unprintable_claim_is_cut_and_masked);
    tcase_add_test(t, an_unverified_token_gives_hints_marked_as_such);
    tcase_add_test(t, times_are_told_with_the_skew);
    tcase_add_test(t, the_header_that_counts_is_named);
    tcase_add_loop_test(t, nothing_is_left_unexplained, TOKEN_ABSENT, TOKEN_UNCHECKED + 1);
    tcase_add_test(t, settings_of_the_service_are_mended_there);
    suite_add_tcase(s, t);
    return check_main(s);
}
