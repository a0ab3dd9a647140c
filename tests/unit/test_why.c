/* `invoker why`: options become the facts of a request; wrong ones are usage errors. */
#include "check_main.h"
#include "cli/cli.h"
#include "cli/why.h"
#include "decision_fixture.h"

static snapshot *s;
static why_case c;

static void setup(void)
{
    s = fixture_tutorial();
    c = (why_case){0};
    /* Usage errors go to standard error; a test run need not show them. */
    ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
}
static void teardown(void)
{
    why_case_free(&c);
    snapshot_unref(s);
}

static why_options call(const char *as, const char *to)
{
    return (why_options){.as = as, .to = to};
}

static reason outcome(const why_options *o)
{
    ck_assert_int_eq(why_case_make(o, s, NOW_US, &c), -1);
    return decide(s, &c.h.facts, NOW_US).reason;
}

static const struct {
    token_way way;
    reason reason;
} ways[] = {
    {WAY_EXPIRED, REASON_EXPIRED},           {WAY_EARLY, REASON_NOT_YET_VALID},
    {WAY_WRONG_ISSUER, REASON_WRONG_ISSUER}, {WAY_NO_EMAIL, REASON_GRANTED},
    {WAY_FOREIGN_KEY, REASON_UNKNOWN_KEY},   {WAY_TAMPERED, REASON_BAD_SIGNATURE},
    {WAY_UNSIGNED, REASON_BAD_ALG},          {WAY_ACCESS_TOKEN, REASON_ACCESS_TOKEN},
    {WAY_REPEATED, REASON_REPEATED_HEADER},
};

START_TEST(a_token_is_wrong_in_the_way_asked_for)
{
    why_options o = call("frontend-sa", "backend-api");
    o.way[ways[_i].way] = true;
    ck_assert_int_eq(outcome(&o), ways[_i].reason);
}
END_TEST

START_TEST(a_flawless_call_is_judged_by_the_policy)
{
    why_options o = call("frontend-sa", "backend-api");
    ck_assert_int_eq(outcome(&o), REASON_GRANTED);
    o = call("frontend-sa", "db-service");
    ck_assert_int_eq(outcome(&o), REASON_NO_GRANT);
    o = call(BACKEND, "db-service");
    ck_assert_int_eq(outcome(&o), REASON_GRANTED);
    ck_assert_int_eq(c.h.facts.header, HEADER_AUTHORIZATION);
}
END_TEST

START_TEST(a_person_has_gclouds_audience_unless_told_otherwise)
{
    why_options o = call("alice@example.com", "backend-api");
    ck_assert_int_eq(outcome(&o), REASON_NO_GRANT);
    ck_assert_str_eq(c.h.aud[0], CLIENT_ID);
    o.audience = "demo";
    ck_assert_int_eq(outcome(&o), REASON_WRONG_AUDIENCE);
}
END_TEST

START_TEST(nobody_has_no_header)
{
    const why_options o = {.to = "backend-api", .anonymous = true};
    ck_assert_int_eq(outcome(&o), REASON_NO_CREDENTIAL);
    ck_assert_int_eq(c.h.facts.header, HEADER_NONE);
}
END_TEST

START_TEST(a_host_and_path_route_as_at_the_gateway)
{
    why_options o = {
        .host = &DET_URL[strlen("https://")], .path = "/healthz?x=1", .as = "frontend-sa"};
    ck_assert_int_eq(outcome(&o), REASON_RESERVED_PATH);
    o.path = "/healthz/";
    ck_assert_int_eq(outcome(&o), REASON_GRANTED);
    o.host = "backend-api.localhost";
    o.path = "/healthz";
    ck_assert_int_eq(outcome(&o), REASON_GRANTED);
    o.host = "nowhere.example";
    ck_assert_int_eq(outcome(&o), REASON_UNKNOWN_HOST);
}
END_TEST

static const struct {
    const char *token, *header;
    reason reason;
    token_header which;
} tokens[] = {
    {"abc", NULL, REASON_NOT_A_JWT, HEADER_AUTHORIZATION},
    {"ya29.x", "serverless", REASON_ACCESS_TOKEN, HEADER_SERVERLESS},
    {"Basic eA==", NULL, REASON_NOT_BEARER, HEADER_AUTHORIZATION},
    {"bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE", NULL, REASON_SIGNATURE_REMOVED,
     HEADER_AUTHORIZATION},
    /* No such folder of keys: nothing can be proved, so nothing is allowed. */
    {"a.b.c", NULL, REASON_KEYS_UNAVAILABLE, HEADER_AUTHORIZATION},
};

START_TEST(a_given_token_is_judged_as_a_header_value)
{
    const why_options o = {.to = "backend-api",
                           .token = tokens[_i].token,
                           .header = tokens[_i].header,
                           .keys = "/nonexistent/keys"};
    ck_assert_int_eq(outcome(&o), tokens[_i].reason);
    ck_assert_int_eq(c.h.facts.header, tokens[_i].which);
}
END_TEST

static const why_options wrong[] = {
    {.to = "backend-api"},
    {.as = "frontend-sa"},
    {.as = "frontend-sa", .to = "backnd-api"},
    {.as = "frontend", .to = "backend-api"},
    {.as = "nobody", .to = "backend-api"},
    {.as = "frontend-sa", .to = "backend-api", .anonymous = true},
    {.as = "frontend-sa", .to = "backend-api", .token = "x"},
    {.anonymous = true, .to = "backend-api", .audience = "x"},
    {.anonymous = true, .to = "backend-api", .way = {[WAY_EXPIRED] = true}},
    {.as = "frontend-sa",
     .to = "backend-api",
     .way = {[WAY_EXPIRED] = true, [WAY_TAMPERED] = true}},
    {.as = "frontend-sa", .to = "backend-api", .header = "cookie"},
    {.as = "frontend-sa", .to = "backend-api", .path = "items"},
};

START_TEST(options_that_make_no_sense_are_usage_errors)
{
    ck_assert_int_eq(why_case_make(&wrong[_i], s, NOW_US, &c), CLI_USAGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("why");
    TCase *t = tcase_create("why");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_token_is_wrong_in_the_way_asked_for, 0, (int)countof(ways));
    tcase_add_test(t, a_flawless_call_is_judged_by_the_policy);
    tcase_add_test(t, a_person_has_gclouds_audience_unless_told_otherwise);
    tcase_add_test(t, nobody_has_no_header);
    tcase_add_test(t, a_host_and_path_route_as_at_the_gateway);
    tcase_add_loop_test(t, a_given_token_is_judged_as_a_header_value, 0, (int)countof(tokens));
    tcase_add_loop_test(t, options_that_make_no_sense_are_usage_errors, 0, (int)countof(wrong));
    suite_add_tcase(suite, t);
    return check_main(suite);
}
