/* A request that nobody sent: plain options become facts that decide() judges. */
#include "check_main.h"
#include "decision/hypothesis.h"
#include "decision/lookup.h"
#include "decision_fixture.h"

static snapshot *s;
static hypothesis h;
static error e;

static void setup(void)
{
    s = fixture_tutorial();
    h = (hypothesis){0};
    e = (error){0};
}
static void teardown(void)
{
    hypothesis_free(&h);
    snapshot_unref(s);
}

static reason outcome(const hypothesis_options *o)
{
    ck_assert_msg(hypothesis_make(o, s, NOW_US, &h, &e), "%s", e.text);
    return decide(s, &h.facts, NOW_US).reason;
}

static const reason by_way[WAY_COUNT] = {
    [WAY_NONE] = REASON_GRANTED,
    [WAY_EXPIRED] = REASON_EXPIRED,
    [WAY_EARLY] = REASON_NOT_YET_VALID,
    [WAY_WRONG_AUDIENCE] = REASON_WRONG_AUDIENCE,
    [WAY_NO_AUDIENCE] = REASON_NO_AUDIENCE,
    [WAY_WRONG_ISSUER] = REASON_WRONG_ISSUER,
    [WAY_SELF_SIGNED] = REASON_SELF_SIGNED,
    [WAY_NO_EMAIL] = REASON_GRANTED,
    [WAY_FOREIGN_KEY] = REASON_UNKNOWN_KEY,
    [WAY_SAME_KID] = REASON_BAD_SIGNATURE,
    [WAY_TAMPERED] = REASON_BAD_SIGNATURE,
    [WAY_UNSIGNED] = REASON_BAD_ALG,
    [WAY_HS256] = REASON_BAD_ALG,
    [WAY_ACCESS_TOKEN] = REASON_ACCESS_TOKEN,
    [WAY_SIGNATURE_REMOVED] = REASON_SIGNATURE_REMOVED,
    [WAY_NOT_A_JWT] = REASON_NOT_A_JWT,
    [WAY_EMPTY] = REASON_EMPTY_CREDENTIAL,
    [WAY_NOT_BEARER] = REASON_NOT_BEARER,
    [WAY_SEVERAL] = REASON_SEVERAL_TOKENS,
    [WAY_REPEATED] = REASON_REPEATED_HEADER,
};

START_TEST(a_token_is_wrong_in_the_way_asked_for)
{
    const hypothesis_options o = {
        .caller = "frontend-sa", .service = "backend-api", .way = (token_way)_i};
    ck_assert_int_eq(outcome(&o), by_way[_i]);
    ck_assert_int_eq(h.facts.header, HEADER_AUTHORIZATION);
}
END_TEST

START_TEST(each_way_is_found_by_its_name)
{
    token_way w = WAY_NONE;
    ck_assert(token_way_parse(span_of(token_way_name((token_way)_i)), &w, &e));
    ck_assert_int_eq(w, _i);
    ck_assert_ptr_nonnull(token_way_meaning(w));
}
END_TEST

START_TEST(an_unknown_way_suggests_the_nearest)
{
    token_way w = WAY_NONE;
    ck_assert(!token_way_parse(SPAN_LIT("expird"), &w, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "did you mean 'expired'?"));
    ck_assert(!token_way_parse(SPAN_LIT("blue"), &w, &e));
    ck_assert_ptr_null(strstr(e.text, "did you mean"));
}
END_TEST

/* The options' texts may be gone when the facts are judged. */
START_TEST(texts_are_copied)
{
    char caller[] = "alice@example.com", audience[] = "demo", path[] = "/x";
    const hypothesis_options o = {
        .caller = caller, .service = "backend-api", .audience = audience, .path = path};
    ck_assert(hypothesis_make(&o, s, NOW_US, &h, &e));
    memset(caller, 'x', sizeof caller - 1);
    memset(audience, 'x', sizeof audience - 1);
    memset(path, 'x', sizeof path - 1);
    ck_assert_str_eq(h.claims.email, "alice@example.com");
    ck_assert_str_eq(h.facts.claims->aud[0], "demo");
    ck_assert_str_eq(h.path, "/x");
}
END_TEST

START_TEST(one_struct_serves_many_requests)
{
    const hypothesis_options good = {.caller = "frontend-sa", .service = "backend-api"},
                             nobody = {.service = "backend-api"};
    ck_assert_int_eq(outcome(&good), REASON_GRANTED);
    ck_assert_int_eq(outcome(&nobody), REASON_NO_CREDENTIAL);
    ck_assert_int_eq(h.facts.header, HEADER_NONE);
    ck_assert_int_eq(outcome(&good), REASON_GRANTED);
}
END_TEST

START_TEST(the_header_may_be_the_other_one)
{
    const hypothesis_options o = {
        .caller = "frontend-sa", .service = "backend-api", .header = HEADER_SERVERLESS};
    ck_assert_int_eq(outcome(&o), REASON_GRANTED);
    ck_assert_int_eq(h.facts.header, HEADER_SERVERLESS);
}
END_TEST

START_TEST(a_host_and_path_route_as_at_the_gateway)
{
    hypothesis_options o = {
        .host = &DET_URL[strlen("https://")], .path = "/healthz?x=1", .caller = "frontend-sa"};
    ck_assert_int_eq(outcome(&o), REASON_RESERVED_PATH);
    o.path = "/healthz/";
    ck_assert_int_eq(outcome(&o), REASON_GRANTED);
    o.host = "nowhere.example";
    ck_assert_int_eq(outcome(&o), REASON_UNKNOWN_HOST);
}
END_TEST

static const struct {
    hypothesis_options o;
    const char *text;
} wrong[] = {
    {{.caller = "frontend-sa", .service = "backnd-api"}, "did you mean 'backend-api'?"},
    {{.caller = "frontend-s", .service = "backend-api"}, "did you mean 'frontend-sa'?"},
    {{.caller = "frontend", .service = "backend-api"}, "is a service; it runs as frontend-sa"},
    {{.caller = "nobody", .service = "backend-api"}, "no service account 'nobody'"},
    {{.caller = "frontend-sa"}, "which service"},
    {{.caller = "frontend-sa", .service = "backend-api", .path = "items"}, "begins with '/'"},
    {{.service = "backend-api", .audience = "x"}, "nobody has no token"},
    {{.service = "backend-api", .way = WAY_EXPIRED}, "goes with a caller"},
    {{.caller = "frontend-sa",
      .service = "backend-api",
      .audience = "x",
      .way = WAY_WRONG_AUDIENCE},
     "no audience of your choice"},
};

START_TEST(options_that_make_no_sense_are_errors)
{
    ck_assert(!hypothesis_make(&wrong[_i].o, s, NOW_US, &h, &e));
    ck_assert_msg(strstr(e.text, wrong[_i].text) != NULL, "%s", e.text);
}
END_TEST

START_TEST(headers_have_two_names)
{
    token_header which = HEADER_NONE;
    ck_assert(token_header_parse(NULL, &which, &e));
    ck_assert_int_eq(which, HEADER_AUTHORIZATION);
    ck_assert(token_header_parse("serverless", &which, &e));
    ck_assert_int_eq(which, HEADER_SERVERLESS);
    ck_assert(!token_header_parse("cookie", &which, &e));
}
END_TEST

START_TEST(a_caller_is_an_account_or_any_e_mail)
{
    ck_assert_str_eq(lookup_caller(s, "frontend-sa", &e), FRONTEND);
    ck_assert_str_eq(lookup_caller(s, "ci@other.example", &e), "ci@other.example");
    ck_assert_ptr_null(lookup_account(s, "ci@other.example", &e));
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hypothesis");
    TCase *t = tcase_create("hypothesis");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_token_is_wrong_in_the_way_asked_for, WAY_NONE, WAY_COUNT);
    tcase_add_loop_test(t, each_way_is_found_by_its_name, WAY_NONE + 1, WAY_COUNT);
    tcase_add_test(t, an_unknown_way_suggests_the_nearest);
    tcase_add_test(t, texts_are_copied);
    tcase_add_test(t, one_struct_serves_many_requests);
    tcase_add_test(t, the_header_may_be_the_other_one);
    tcase_add_test(t, a_host_and_path_route_as_at_the_gateway);
    tcase_add_loop_test(t, options_that_make_no_sense_are_errors, 0, (int)countof(wrong));
    tcase_add_test(t, headers_have_two_names);
    tcase_add_test(t, a_caller_is_an_account_or_any_e_mail);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
