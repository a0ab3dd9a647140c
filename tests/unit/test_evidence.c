/* What is kept of a decision, told check by check: for each reason the check that failed, the two
 * values that it compared, and the near miss. */
#include "check_main.h"
#include "decision/checks.h"
#include "decision/evidence_json.h"
#include "decision_fixture.h"

static scene x;
static evidence e;
static check_row row;
static buf text;

static void setup(void)
{
    scene_open(&x, NULL);
    row = (check_row){.result = CHECK_PASS};
    text = buf_make(64 * 1024);
}
static void teardown(void)
{
    check_row_free(&row);
    buf_free(&text);
    snapshot_unref(x.s);
}

static void decided(void)
{
    const decision d = decide(x.s, &x.facts, NOW_US);
    e = evidence_of(x.s, &d, &x.facts, NOW_US);
    e.host = SPAN_LIT("127.0.0.1:8082");
    e.path = SPAN_LIT("/items");
    e.kid = SPAN_LIT("k1");
    e.alg = SPAN_LIT("RS256");
    e.keys = SPAN_LIT("k1, k2");
}

static const char *shown(const buf *b)
{
    return b->n ? b->p : "";
}

static void is(check c, check_result result, const char *wanted, const char *got, const char *hint)
{
    check_row_fill(&row, c, &e);
    ck_assert_str_eq(check_result_name(row.result), check_result_name(result));
    ck_assert_str_eq(shown(&row.wanted), wanted);
    ck_assert_str_eq(shown(&row.got), got);
    ck_assert_str_eq(shown(&row.hint), hint);
}

/* ---- all reasons ---- */

START_TEST(every_reason_is_the_outcome_of_one_check)
{
    const reason r = (reason)_i;
    const check deciding = check_of_reason(r);
    /* The first check is what a reason that was forgotten would belong to. */
    ck_assert_int_eq(deciding == CHECK_HOST, r == REASON_UNKNOWN_HOST);
    for (int c = 0; c < CHECK_COUNT; c++) {
        const check_result got = check_result_of((check)c, r);
        const check_result expected = c > (int)deciding ? CHECK_NOT_REACHED
                                      : c < (int)deciding
                                          ? (c == CHECK_OPEN ? CHECK_NO : CHECK_PASS)
                                      : reason_info(r)->allows ? CHECK_PASS
                                                               : CHECK_FAIL;
        ck_assert_int_eq(got, expected);
    }
}
END_TEST

/* Whatever was decided from whatever little: rows can be filled. */
START_TEST(every_reason_can_be_told_from_nothing_else)
{
    e = (evidence){.reason = (reason)_i, .token = TOKEN_UNCHECKED};
    for (int c = 0; c < CHECK_COUNT; c++) {
        check_row_fill(&row, (check)c, &e);
        ck_assert(buf_ok(&row.wanted) && buf_ok(&row.got) && buf_ok(&row.hint));
    }
    buf_clear(&text);
    evidence_json(&text, &e);
    ck_assert(buf_ok(&text));
}
END_TEST

/* ---- one by one ---- */

START_TEST(a_call_that_passes_shows_what_each_check_saw)
{
    decided();
    is(CHECK_HOST, CHECK_PASS, "a host of backend-api", "127.0.0.1:8082", "");
    is(CHECK_OPEN, CHECK_NO, "allUsers, or invoker_iam_check: false", "private", "");
    is(CHECK_CREDENTIAL, CHECK_PASS, "Authorization or X-Serverless-Authorization", "Authorization",
       "");
    is(CHECK_ID_TOKEN, CHECK_PASS, "Bearer ID_TOKEN, once", "one JWT", "");
    is(CHECK_ALGORITHM, CHECK_PASS, "RS256", "RS256", "");
    is(CHECK_KEY, CHECK_PASS, "a published key: k1, k2", "k1", "");
    is(CHECK_CLAIMS, CHECK_PASS, "iss, iat and exp", "iss, sub, aud, email, iat, exp", "");
    is(CHECK_TIME, CHECK_PASS, "iat 2027-01-15T07:30:00Z to exp 2027-01-15T08:30:00Z, ± 60 s",
       "2027-01-15T08:00:00Z", "30 min left");
    is(CHECK_AUDIENCE, CHECK_PASS, DET_URL " (or 5 others)", DET_URL, "");
    is(CHECK_PRINCIPAL, CHECK_PASS, "an e-mail, or the sub of a known account",
       "serviceAccount:" FRONTEND, "");
    is(CHECK_DENY, CHECK_PASS, "no rule that denies run.routes.invoke", "none", "");
    is(CHECK_GRANT, CHECK_PASS,
       "a role with run.routes.invoke on backend-api for serviceAccount:" FRONTEND,
       "serviceAccount:" FRONTEND " holds roles/run.invoker on backend-api (t.yaml:7:3)", "");
}
END_TEST

#define OTHERS " (or 5 others)"

static const struct {
    const char *aud, *wanted, *hint;
} audiences[] = {
    {DET_URL "?a=1", DET_URL OTHERS, "the query or fragment is too much; a path is tolerated"},
    {DET_URL "/#x", DET_URL OTHERS, "the query or fragment is too much; a path is tolerated"},
    {"https://canary---backend-api-123456789012.us-central1.run.app", DET_URL OTHERS,
     "a tag's URL; the service's own counts even when a tag is called"},
    {"http://backend-api-123456789012.us-central1.run.app", DET_URL OTHERS,
     "the scheme differs: http, https"},
    {"backend-api-123456789012.us-central1.run.app", DET_URL OTHERS, "the scheme is missing"},
    {"https://Backend-API-123456789012.us-central1.run.app", DET_URL OTHERS,
     "upper and lower case differ"},
    {DET_URL ":443", DET_URL OTHERS, "the port differs"},
    {"http://localhost:9999", "http://127.0.0.1:8082" OTHERS, "the port differs"},
    {"backend-api.internal/", "backend-api.internal" OTHERS,
     "a custom audience counts letter by letter: no slash, path or scheme more, the same case"},
    {"https://api.example.test", "https://api.example.net" OTHERS,
     "a custom domain (hosts:) counts only where custom_audiences: lists it"},
    {"http://127.0.0.1:8083", "http://127.0.0.1:8082" OTHERS,
     "that is db-service, another service"},
    {" " DET_URL, DET_URL OTHERS, "there is a blank at an end"},
    {"1-x.apps.googleusercontent.com", "http://127.0.0.1:8082" OTHERS,
     "a user's token: its audience is an OAuth client's id, and only those of gcloud are taken"},
    {"https://example.org", DET_URL OTHERS, "none of this service's"},
};

START_TEST(a_wrong_audience_is_set_beside_the_nearest_right_one)
{
    x.aud[0] = audiences[_i].aud;
    decided();
    is(CHECK_AUDIENCE, CHECK_FAIL, audiences[_i].wanted, audiences[_i].aud, audiences[_i].hint);
    is(CHECK_PRINCIPAL, CHECK_NOT_REACHED, "", "", "");
}
END_TEST

START_TEST(a_person_s_token_has_an_audience_that_all_services_take)
{
    x.aud[0] = CLIENT_ID;
    decided();
    is(CHECK_AUDIENCE, CHECK_PASS, "an OAuth client of gcloud, which every service accepts",
       CLIENT_ID, "");
}
END_TEST

START_TEST(a_token_out_of_time_says_by_how_much)
{
    x.claims.iat_s = NOW_S - 7200;
    x.claims.exp_s = NOW_S - 3600;
    decided();
    is(CHECK_TIME, CHECK_FAIL, "iat 2027-01-15T06:00:00Z to exp 2027-01-15T07:00:00Z, ± 60 s",
       "2027-01-15T08:00:00Z", "too late by 60 min");
    x.claims.iat_s = NOW_S + 3600;
    x.claims.exp_s = NOW_S + 7200;
    decided();
    is(CHECK_TIME, CHECK_FAIL, "iat 2027-01-15T09:00:00Z to exp 2027-01-15T10:00:00Z, ± 60 s",
       "2027-01-15T08:00:00Z", "too early by 60 min");
    x.claims.exp_s = INT64_C(1) << 53;
    x.claims.iat_s = NOW_S;
    x.claims.has_nbf = true;
    x.claims.nbf_s = NOW_S + 300;
    decided();
    is(CHECK_TIME, CHECK_FAIL, "nbf 2027-01-15T08:05:00Z to exp second 9007199254740992, ± 60 s",
       "2027-01-15T08:00:00Z", "too early by 5 min");
}
END_TEST

START_TEST(the_issuer_is_compared)
{
    x.claims.iss = "https://securetoken.google.com/my-project";
    decided();
    is(CHECK_ISSUER, CHECK_FAIL, "https://accounts.google.com",
       "https://securetoken.google.com/my-project",
       "an end user's token of Identity Platform or Firebase, which is for the service to check");
    x.claims.iss = "https://accounts.google.com/";
    decided();
    is(CHECK_ISSUER, CHECK_FAIL, "https://accounts.google.com", "https://accounts.google.com/",
       "nearly: it has to be that exactly");
}
END_TEST

START_TEST(a_key_that_is_not_published_is_set_beside_those_that_are)
{
    x.facts.token = TOKEN_UNKNOWN_KEY;
    decided();
    e.kid = SPAN_LIT("other");
    is(CHECK_KEY, CHECK_FAIL, "a published key: k1, k2", "other",
       "minted elsewhere, or before the keys were made anew");
    x.facts.token = TOKEN_BAD_ALG;
    decided();
    e.alg = SPAN_LIT("none");
    is(CHECK_ALGORITHM, CHECK_FAIL, "RS256", "none",
       "Google signs identity tokens with RS256 only");
}
END_TEST

#define NEED "a role with run.routes.invoke on backend-api for serviceAccount:"

START_TEST(the_closest_binding_of_a_refusal_is_named)
{
    x.claims.email = BACKEND;
    decided();
    is(CHECK_GRANT, CHECK_FAIL, NEED BACKEND,
       "serviceAccount:" BACKEND " holds roles/run.invoker on db-service (t.yaml:7:3)",
       "on another service");
    ck_assert_uint_eq(e.binding.member.n, 0);
    x.claims.email = DB;
    decided();
    is(CHECK_GRANT, CHECK_FAIL, NEED DB, "no binding", "");
}
END_TEST

static void policy(snapshot *s)
{
    snapshot_unref(x.s);
    scene_open(&x, s);
}

START_TEST(a_role_that_does_not_suffice_is_named)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, NULL, "roles/run.viewer", "serviceAccount:" FRONTEND);
    policy(fixture_build(b));
    decided();
    is(CHECK_GRANT, CHECK_FAIL, NEED FRONTEND,
       "serviceAccount:" FRONTEND " holds roles/run.viewer on the project (t.yaml:7:3)",
       "that role lacks run.routes.invoke");
}
END_TEST

START_TEST(a_grant_on_its_way_says_when_it_counts)
{
    snapshot *before = fixture_build(fixture_builder());
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &(emulation){.clock_skew_s = 60, .propagation = {90, 90, false}});
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    policy(snapshot_build(b, before, NOW_US - 30 * SECOND));
    snapshot_unref(before);
    decided();
    ck_assert_int_eq(e.reason, REASON_NOT_PROPAGATED);
    is(CHECK_GRANT, CHECK_FAIL, NEED FRONTEND,
       "serviceAccount:" FRONTEND " holds roles/run.invoker on backend-api (t.yaml:7:3)",
       "takes effect in 60 s");
}
END_TEST

START_TEST(a_deny_rule_is_named)
{
    static const char *const everybody[] = {"principalSet://goog/public:all", NULL};
    static const char *const invoke[] = {"run.googleapis.com/routes.invoke", NULL};
    static const char *const none[] = {NULL};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_deny(b, &(deny_rule){.policy = "lock",
                                          .principals = everybody,
                                          .exception_principals = none,
                                          .permissions = invoke,
                                          .exception_permissions = none,
                                          .place = {"t.yaml", 9, 1}});
    policy(fixture_build(b));
    decided();
    is(CHECK_DENY, CHECK_FAIL, "no rule that denies run.routes.invoke",
       "one that names principalSet://goog/public:all, of the policy lock (t.yaml:9)",
       "deny rules come before all grants");
}
END_TEST

START_TEST(what_stops_a_request_at_the_door_is_told)
{
    snapshot_builder *b = fixture_builder();
    fixture_service(b, (service){.name = "inner", .ingress = INGRESS_INTERNAL}, NULL);
    policy(fixture_build(b));
    x.facts.service = fixture_find(x.s, "inner");
    decided();
    e.from = SPAN_LIT("192.0.2.1");
    is(CHECK_INGRESS, CHECK_FAIL, "ingress: internal", "a caller outside (192.0.2.1)",
       "inside are the services' addresses: of the topology, nobody else");
    is(CHECK_OPEN, CHECK_NOT_REACHED, "", "", "");
}
END_TEST

/* ---- as JSON ---- */

static void has(const char *part)
{
    ck_assert_msg(strstr(shown(&text), part) != NULL, "%s lacks %s", shown(&text), part);
}

START_TEST(json_has_binding_checks_and_facts)
{
    decided();
    evidence_json(&text, &e);
    has(",\"binding\":{\"member\":\"serviceAccount:" FRONTEND "\",\"role\":\"roles/run.invoker\","
        "\"on\":\"service backend-api\",\"at\":\"t.yaml:7:3\"}");
    has(",\"checks\":[{\"check\":\"host\",\"result\":\"pass\",");
    has(",\"facts\":{\"by_run_app_host\":false,\"internal\":false,\"reserved_path\":false,"
        "\"header\":\"authorization\",\"token\":\"verified\",\"claims\":{\"aud\":[\"" DET_URL "\"],"
        "\"iss\":\"https://accounts.google.com\",\"sub\":\"1\",\"email\":\"" FRONTEND "\","
        "\"email_verified\":true,\"iat\":1799998200,\"exp\":1800001800,\"kid\":\"k1\","
        "\"alg\":\"RS256\"}}");
    ck_assert_ptr_null(strstr(shown(&text), "nearest"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence");
    TCase *t = tcase_create("evidence");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, every_reason_is_the_outcome_of_one_check, 0, REASON_COUNT_);
    tcase_add_loop_test(t, every_reason_can_be_told_from_nothing_else, 0, REASON_COUNT_);
    tcase_add_test(t, a_call_that_passes_shows_what_each_check_saw);
    tcase_add_loop_test(t, a_wrong_audience_is_set_beside_the_nearest_right_one, 0,
                        countof(audiences));
    tcase_add_test(t, a_person_s_token_has_an_audience_that_all_services_take);
    tcase_add_test(t, a_token_out_of_time_says_by_how_much);
    tcase_add_test(t, the_issuer_is_compared);
    tcase_add_test(t, a_key_that_is_not_published_is_set_beside_those_that_are);
    tcase_add_test(t, the_closest_binding_of_a_refusal_is_named);
    tcase_add_test(t, a_role_that_does_not_suffice_is_named);
    tcase_add_test(t, a_grant_on_its_way_says_when_it_counts);
    tcase_add_test(t, a_deny_rule_is_named);
    tcase_add_test(t, what_stops_a_request_at_the_door_is_told);
    tcase_add_test(t, json_has_binding_checks_and_facts);
    suite_add_tcase(s, t);
    return check_main(s);
}
