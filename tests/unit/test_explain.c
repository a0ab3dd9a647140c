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

START_TEST(a_policy_with_conditions_wants_to_be_told_of_none)
{
    snapshot_builder *b = fixture_builder();
    const condition_text never = {.title = "t", .expression = "resource.name != ''"};
    snapshot_builder_grant(b, &(grant_spec){.service = "backend-api",
                                            .role = INVOKER,
                                            .member = "serviceAccount:" DB,
                                            .condition = &never,
                                            .place = {"t.yaml", 7, 3}});
    policy(fixture_build(b));
    x.claims.email = BACKEND;
    ck_assert_str_eq(fix(), ADD_BACKEND("serviceAccount:" BACKEND) " --condition=None");
    x.facts.service = fixture_find(x.s, "db-service");
    x.aud[0] = "http://127.0.0.1:8083";
    ck_assert_ptr_null(strstr(fix(), "--condition"));
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
    snapshot_builder_emulation(b, &(emulation){.clock_skew_s = 60, .propagation = {90, 90, false}});
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    fixture_bind(b, "db-service", INVOKER, "allUsers");
    policy(snapshot_build(b, before, NOW_US - 30 * SECOND));
    snapshot_unref(before);
    has(cause(), "holds roles/run.invoker on backend-api (t.yaml:7:3): granted 30 s ago, takes "
                 "effect in 60 s.");
    has(fix(), "gcloud run services get-iam-policy backend-api --region=us-central1");
    has(local(), "propagation_delay: 0s");
    x.facts.service = fixture_find(x.s, "db-service");
    x.facts.token = TOKEN_ABSENT;
    has(cause(), "is not open to allUsers yet: that was granted 30 s ago, takes effect in 60 s.");
}
END_TEST

/* ---- what changes, holds at times, or is denied ---- */

#define MEMBER "serviceAccount:" FRONTEND

/* The tutorial's grant is taken away 12 s before now, or made then. */
static void changed(bool granted, bool flapping)
{
    snapshot_builder *b = fixture_builder();
    if (!granted)
        fixture_bind(b, "backend-api", INVOKER, MEMBER);
    snapshot *before = fixture_build(b);
    b = fixture_builder();
    snapshot_builder_emulation(b,
                               &(emulation){.clock_skew_s = 60, .propagation = {60, 60, flapping}});
    if (granted)
        fixture_bind(b, "backend-api", INVOKER, MEMBER);
    policy(snapshot_build(b, before, NOW_US - 12 * SECOND));
    snapshot_unref(before);
}

START_TEST(a_grant_on_its_way_says_since_when_and_for_how_long)
{
    changed(true, false);
    has(cause(), MEMBER " holds roles/run.invoker on backend-api (t.yaml:7:3): granted 12 s ago, "
                        "takes effect in 48 s.");
}
END_TEST

START_TEST(a_revoked_grant_says_that_it_still_counts)
{
    changed(false, false);
    ck_assert_int_eq(decide(x.s, &x.facts, NOW_US).reason, REASON_GRANTED);
    has(cause(), MEMBER " holds roles/run.invoker on backend-api (t.yaml:7:3). It was revoked 12 s "
                        "ago, still in force for 48 s.");
}
END_TEST

START_TEST(a_revocation_that_has_arrived_is_told)
{
    changed(false, false);
    const int64_t later = NOW_US + 108 * SECOND;
    const decision d = decide(x.s, &x.facts, later);
    ck_assert_int_eq(d.reason, REASON_NO_GRANT);
    buf_clear(&text);
    explain_cause(&text, x.s, &d, &x.facts, later);
    has(text.p, MEMBER " had roles/run.invoker on backend-api (t.yaml:7:3): revoked 2 min ago.");
}
END_TEST

/* Each second is as it is; all of them are told as what they are. */
START_TEST(flapping_is_told_at_its_moments)
{
    int in = 0, out = 0;
    for (int granted = 0; granted < 2; granted++) {
        changed(granted != 0, true);
        for (int64_t at = NOW_US; at < NOW_US + 48 * SECOND; at += SECOND) {
            const decision d = decide(x.s, &x.facts, at);
            buf_clear(&text);
            explain_cause(&text, x.s, &d, &x.facts, at);
            const bool may = d.reason == REASON_GRANTED;
            in += may;
            out += !may;
            has(text.p, granted && may ? "counts at some moments only, and takes effect for good in"
                        : granted      ? "and counts at some moments only until then; this was none"
                                       : "still in force at some moments for");
        }
    }
    ck_assert(in > 10 && out > 10);
}
END_TEST

START_TEST(a_condition_that_does_not_hold_is_shown)
{
    const condition_text c = {"until noon", NULL, "request.time.getHours() < 8"};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_grant(b, &(grant_spec){.service = "backend-api",
                                            .role = INVOKER,
                                            .member = MEMBER,
                                            .condition = &c,
                                            .place = {"t.yaml", 7, 3}});
    policy(fixture_build(b));
    ck_assert_str_eq(cause(), MEMBER " holds roles/run.invoker on backend-api (t.yaml:7:3), on the "
                                     "condition \"until noon\", which is not met: "
                                     "\"request.time.getHours() < 8\" (it is "
                                     "2027-01-15T08:00:00Z).");
    ck_assert_str_eq(fix(), ADD_BACKEND(MEMBER) " --condition=None");
    ck_assert_str_eq(local(), "matrix: add backend-api to frontend-sa, so that it reads "
                              "frontend-sa: [backend-api]");
}
END_TEST

START_TEST(a_condition_that_holds_is_shown)
{
    const condition_text c = {"c", NULL, "resource.name != ''"};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_grant(
        b, &(grant_spec){
               .service = "backend-api", .role = INVOKER, .member = MEMBER, .condition = &c});
    policy(fixture_build(b));
    has(cause(), ", and its condition is met: \"resource.name != ''\".");
}
END_TEST

START_TEST(a_deny_rule_is_named)
{
    static const char *const everybody[] = {"principalSet://goog/public:all", NULL};
    static const char *const what[] = {"run.googleapis.com/routes.invoke", NULL};
    static const char *const none[] = {NULL};
    for (int by_api = 0; by_api < 2; by_api++) {
        snapshot_builder *b = fixture_builder();
        fixture_bind(b, "backend-api", INVOKER, MEMBER);
        snapshot_builder_deny(b, &(deny_rule){.policy = by_api ? "no-calls" : NULL,
                                              .principals = everybody,
                                              .exception_principals = none,
                                              .permissions = what,
                                              .exception_permissions = none,
                                              .place = {"t.yaml", 9, 3}});
        policy(fixture_build(b));
        has(cause(), by_api ? MEMBER " is denied run.routes.invoke by the deny policy no-calls "
                                     "(t.yaml:9:3), which names principalSet://goog/public:all."
                            : MEMBER " is denied run.routes.invoke by a deny rule (t.yaml:9:3)");
        has(fix(), "gcloud iam policies list --kind=denypolicies "
                   "--attachment-point=cloudresourcemanager.googleapis.com/projects/my-project");
        has(local(), by_api ? "delete the deny policy no-calls, or add the caller to its "
                              "exceptionPrincipals"
                            : "deny: add the caller to exceptionPrincipals of the rule at "
                              "t.yaml:9:3");
    }
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
    tcase_add_test(t, a_policy_with_conditions_wants_to_be_told_of_none);
    tcase_add_test(t, the_default_account_is_recognised);
    tcase_add_test(t, a_wrong_audience_is_set_beside_the_right_ones);
    tcase_add_test(t, a_grant_that_has_not_propagated_says_for_how_long);
    tcase_add_test(t, a_grant_on_its_way_says_since_when_and_for_how_long);
    tcase_add_test(t, a_revoked_grant_says_that_it_still_counts);
    tcase_add_test(t, a_revocation_that_has_arrived_is_told);
    tcase_add_test(t, flapping_is_told_at_its_moments);
    tcase_add_test(t, a_condition_that_does_not_hold_is_shown);
    tcase_add_test(t, a_condition_that_holds_is_shown);
    tcase_add_test(t, a_deny_rule_is_named);
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
