/* What is learned of which call, and what the topology has too much or too little. */
#include <stdlib.h>

#include "cli/learn.h"
#include "topology_fixture.h"

#define ACCOUNT(name) name "@my-project.iam.gserviceaccount.com"

static const char TEXT[] =
    PROJECT "service_accounts: { a-sa: {}, b-sa: {}, c-sa: {} }\n"
            "users: [alice@example.com]\n"
            "groups: { team@example.com: [alice@example.com, a-sa] }\n"
            "services: { front: {}, api: {}, off: { invoker_iam_check: false }, slow: {\n"
            "  policy: { bindings: [{ role: roles/run.invoker, members: ['user:alice@example.com'],"
            " condition: { title: until 2100,\n"
            "    expression: 'request.time < timestamp(\"2100-01-01T00:00:00Z\")' } }] } } }\n"
            "matrix:\n"
            "  allUsers: [front]\n"
            "  a-sa: [api]\n"
            "  b-sa: [slow]\n"
            "  team@example.com: [api]\n";

static snapshot *s;
static learned l;

static void setup(void)
{
    fixture_open();
    s = load_good(TEXT);
    learn_open(&l, s, false);
}

static void teardown(void)
{
    learn_close(&l);
    snapshot_unref(s);
    fixture_close();
}

static int64_t second;

/* Told as the gateway tells it. */
static void call(const char *name, reason why, const char *caller, bool enforced)
{
    error e = {0};
    const recorded r = {.id = "i",
                        .service = name,
                        .method = "GET",
                        .path = "/",
                        .host = "",
                        .caller = caller,
                        .explanation = "",
                        .fix = "mend it",
                        .time_us = INT64_C(1800000000000000) + second++ * 1000000,
                        .decided = true,
                        .allowed = reason_info(why)->allows,
                        .enforced = enforced,
                        .reason = why};
    ck_assert_msg(learn_take(&l, &r, &e), "%s", e.text);
}

static void allowed(const char *name, reason why, const char *caller)
{
    call(name, why, caller, true);
}

static void audited(const char *name, reason why, const char *caller)
{
    call(name, why, caller, false);
}

/* The fragment's lines but its comments. */
static void check_matrix(const char *expected)
{
    auto_buf buf b = buf_make(LEARN_TEXT_MAX), plain = buf_make(LEARN_TEXT_MAX);
    learn_yaml(&b, &l, "r.jsonl");
    span rest = buf_view(&b), text;
    while (span_cut(&rest, '\n', &text)) {
        if (!span_starts(span_trim(text), SPAN_LIT("#")))
            buf_fmt(&plain, "%.*s\n", SPAN_ARG(text));
    }
    ck_assert_str_eq(plain.p, expected);
}

static bool says(const char *text)
{
    auto_buf buf b = buf_make(LEARN_TEXT_MAX);
    learn_yaml(&b, &l, "r.jsonl");
    if (strstr(b.p, text))
        return true;
    fprintf(stderr, "%s", b.p);
    return false;
}

START_TEST(what_was_allowed_is_needed)
{
    allowed("api", REASON_GRANTED, ACCOUNT("b-sa"));
    allowed("slow", REASON_GRANTED, ACCOUNT("a-sa"));
    allowed("front", REASON_PUBLIC, "");
    allowed("api", REASON_GRANTED, ACCOUNT("a-sa"));
    allowed("api", REASON_GRANTED, ACCOUNT("a-sa"));
    allowed("api", REASON_GRANTED, "zoe@example.com");
    allowed("api", REASON_GRANTED, "bot@other-project.iam.gserviceaccount.com");
    allowed("slow", REASON_GRANTED, "");
    allowed("api", REASON_GRANTED, "123456789012-compute@developer.gserviceaccount.com");
    learn_finish(&l);
    check_matrix("matrix:\n"
                 "  allUsers:              [front]\n"
                 "  allAuthenticatedUsers: [slow]\n"
                 "  a-sa:                  [api, slow]\n"
                 "  b-sa:                  [api]\n"
                 "  123456789012-compute@developer.gserviceaccount.com: [api]\n"
                 "  serviceAccount:bot@other-project.iam.gserviceaccount.com: [api]\n"
                 "  user:zoe@example.com:  [api]\n");
}
END_TEST

START_TEST(comments_say_how_often)
{
    second = 0;
    allowed("api", REASON_GRANTED, ACCOUNT("a-sa"));
    audited("api", REASON_NO_GRANT, ACCOUNT("c-sa"));
    audited("api", REASON_DENIED, ACCOUNT("c-sa"));
    learn_finish(&l);
    ck_assert(says("# What 3 calls need, as recorded in r.jsonl from 2027-01-15T08:00:00Z to "
                   "2027-01-15T08:00:02Z.\nmatrix:\n"));
    ck_assert(says("  # api: 1 call, last 2027-01-15T08:00:00Z\n  a-sa: [api]\n"));
    ck_assert(says("  # api: 2 calls, last 2027-01-15T08:00:02Z (2 let pass by audit mode, 1 "
                   "against a deny rule, which has to go, too)\n  c-sa: [api]\n"));
}
END_TEST

static const reason GRANTABLE[] = {REASON_NO_GRANT, REASON_CONDITION_NOT_MET, REASON_NOT_PROPAGATED,
                                   REASON_DENIED};

START_TEST(what_audit_mode_let_pass_is_needed_where_a_grant_mends_it)
{
    audited("api", GRANTABLE[_i], ACCOUNT("c-sa"));
    call("slow", GRANTABLE[_i], ACCOUNT("c-sa"), true);
    learn_finish(&l);
    check_matrix("matrix:\n  c-sa: [api]\n");
    ck_assert(says("# Not learned, because it was refused (--refused learns it, too):\n"
                   "#   c-sa -> slow: "));
}
END_TEST

START_TEST(what_was_refused_is_learned_on_request)
{
    l.with_refused = true;
    call("slow", REASON_NO_GRANT, ACCOUNT("c-sa"), true);
    call("slow", REASON_EXPIRED, "", true);
    learn_finish(&l);
    check_matrix("matrix:\n  c-sa: [slow]\n");
    ck_assert(says("(1 refused)"));
}
END_TEST

START_TEST(nobody_who_is_let_pass_needs_an_open_service)
{
    audited("api", REASON_NO_CREDENTIAL, "");
    audited("api", REASON_NO_GRANT, ACCOUNT("c-sa"));
    audited("slow", REASON_NO_GRANT, ACCOUNT("c-sa"));
    learn_finish(&l);
    check_matrix("matrix:\n  allUsers: [api]\n  c-sa:     [slow]\n");
    ck_assert(says("# Needs no cell of its own:\n#   c-sa -> api: 1 call, "));
    ck_assert(says("; the service is open to everybody\n"));
}
END_TEST

START_TEST(what_no_grant_mends_is_told_with_its_fix)
{
    static const reason callers[] = {
        REASON_EMPTY_CREDENTIAL,  REASON_NOT_BEARER,       REASON_REPEATED_HEADER,
        REASON_SEVERAL_TOKENS,    REASON_ACCESS_TOKEN,     REASON_NOT_A_JWT,
        REASON_SIGNATURE_REMOVED, REASON_BAD_ALG,          REASON_UNKNOWN_KEY,
        REASON_BAD_SIGNATURE,     REASON_BAD_CLAIMS,       REASON_SELF_SIGNED,
        REASON_WRONG_ISSUER,      REASON_EXPIRED,          REASON_NOT_YET_VALID,
        REASON_NO_AUDIENCE,       REASON_WRONG_AUDIENCE,   REASON_NO_PRINCIPAL,
        REASON_ACCOUNT_DISABLED,  REASON_KEYS_UNAVAILABLE, REASON_UNKNOWN_HOST};
    for (size_t i = 0; i < countof(callers); i++)
        audited("api", callers[i], "");
    audited("api", REASON_INGRESS_BLOCKED, "");
    audited("api", REASON_DEFAULT_URL_DISABLED, "");
    learn_finish(&l);
    check_matrix("matrix: {}\n");
    ck_assert(says("# Not learned, because no grant mends it; fix the caller:\n"));
    ck_assert(says("#   somebody -> api: wrong_audience, 1 call, last 2027"));
    ck_assert(says("#   nobody (no token) -> api: empty_credential, "));
    ck_assert(says("\n#     fix: mend it\n"));
    ck_assert(says("; the service's settings do:\n#   somebody -> api: default_url_disabled, "));
    ck_assert_uint_eq(l.omission_count, countof(callers) + 2);
}
END_TEST

START_TEST(calls_that_the_topology_does_not_know_are_told)
{
    allowed("gone", REASON_GRANTED, ACCOUNT("a-sa"));
    allowed("api", REASON_GRANTED, ACCOUNT("gone-sa"));
    allowed("off", REASON_CHECK_DISABLED, "");
    learn_finish(&l);
    check_matrix("matrix: {}\n");
    ck_assert(says("no such service:\n#   a-sa -> gone: granted, 1 call"));
    ck_assert(says("no such account:\n#   gone-sa@my-project.iam.gserviceaccount.com -> api: "));
    ck_assert(says("# 1 call went to services whose IAM check is off.\n"));
}
END_TEST

START_TEST(a_grant_with_a_condition_is_not_widened)
{
    allowed("slow", REASON_GRANTED, "alice@example.com");
    learn_finish(&l);
    check_matrix("matrix: {}\n");
    ck_assert(says("#   user:alice@example.com -> slow: 1 call, "));
    ck_assert(says("(1 by a grant with a condition, which stays)\n"));
}
END_TEST

START_TEST(grants_that_were_not_needed_are_told)
{
    allowed("front", REASON_PUBLIC, "");
    allowed("api", REASON_GRANTED, "alice@example.com");
    learn_finish(&l);
    ck_assert(says("# Granted now, and not needed for these calls:\n"));
    ck_assert(says("#   user:alice@example.com -> slow, roles/run.invoker with a condition "
                   "(t.yaml:6:"));
    ck_assert(says("): never used\n"));
    ck_assert(says("#   a-sa -> api (t.yaml:10:"));
    ck_assert(says("#   b-sa -> slow (t.yaml:11:"));
    ck_assert(says("#   group:team@example.com -> api (t.yaml:12:22): used by "
                   "user:alice@example.com\n"));
    auto_buf buf b = buf_make(LEARN_TEXT_MAX);
    learn_over(&b, &l);
    ck_assert_ptr_null(strstr(b.p, "front"));
}
END_TEST

static void check_diff(const char *expected, size_t lines)
{
    auto_buf buf b = buf_make(LEARN_TEXT_MAX);
    ck_assert_uint_eq(learn_diff(&b, &l), lines);
    ck_assert_str_eq(b.p ? b.p : "", expected);
}

START_TEST(a_diff_has_a_line_for_each_cell)
{
    second = 0;
    allowed("front", REASON_PUBLIC, "");
    allowed("api", REASON_GRANTED, ACCOUNT("a-sa"));
    audited("api", REASON_NO_GRANT, ACCOUNT("c-sa"));
    learn_finish(&l);
    check_diff("- b-sa -> slow (t.yaml:11:10): never used\n"
               "- group:team@example.com -> api (t.yaml:12:22): never used\n"
               "+ c-sa -> api: 1 call, last 2027-01-15T08:00:02Z (1 let pass by audit mode)\n",
               3);
}
END_TEST

START_TEST(a_diff_is_empty_where_nothing_differs)
{
    snapshot_unref(s);
    learn_close(&l);
    s = load_good(PROJECT "service_accounts: { a-sa: {} }\nservices: { api: {}, b: {} }\n"
                          "matrix: { a-sa: [api, b] }\n");
    learn_open(&l, s, false);
    allowed("api", REASON_GRANTED, ACCOUNT("a-sa"));
    allowed("b", REASON_GRANTED, ACCOUNT("a-sa"));
    learn_finish(&l);
    check_diff("", 0);
    auto_buf buf b = buf_make(LEARN_TEXT_MAX);
    learn_over(&b, &l);
    ck_assert_uint_eq(b.n, 0);
}
END_TEST

/* As somebody would who saves it. */
START_TEST(the_whole_topology_loads_with_the_matrix_that_was_learned)
{
    auto_buf buf b = buf_make(LEARN_TEXT_MAX), mine = buf_make(LEARN_TEXT_MAX);
    allowed("front", REASON_PUBLIC, "");
    allowed("slow", REASON_GRANTED, "alice@example.com");
    allowed("api", REASON_GRANTED, "alice@example.com");
    audited("api", REASON_NO_GRANT, ACCOUNT("c-sa"));
    audited("front", REASON_EXPIRED, "");
    learn_finish(&l);
    learn_whole(&b, &l, "r.jsonl\n# and more");
    snapshot *again = load_good(b.p);
    size_t cells = 0;
    for (size_t i = 0; i < snapshot_binding_count(again); i++) {
        const binding *g = snapshot_binding(again, i);
        cells += learn_is_cell(g);
        if (g->condition)
            ck_assert_str_eq(g->member, "user:alice@example.com");
    }
    ck_assert_uint_eq(cells, 3);
    ck_assert_uint_eq(snapshot_binding_count(again), 4);
    ck_assert_uint_eq(snapshot_group_edge_count(again), 2);
    snapshot_unref(again);
    learn_gcloud(&mine, &l, "r.jsonl\n# and more");
    ck_assert_ptr_nonnull(strstr(mine.p, "add-iam-policy-binding api "));
    ck_assert_ptr_null(strstr(mine.p, "add-iam-policy-binding slow "));
    ck_assert_ptr_null(strstr(mine.p, "\n# and more"));
    buf_clear(&mine);
    learn_terraform(&mine, &l, "r.jsonl");
    ck_assert_ptr_nonnull(strstr(mine.p, "\"api_run_invoker_c_sa\""));
    ck_assert_ptr_null(strstr(mine.p, "b_sa\" {\n  project  = "));
}
END_TEST

START_TEST(foreign_texts_stay_in_their_comment)
{
    allowed("gone\n  allUsers: [api]", REASON_GRANTED, ACCOUNT("a-sa"));
    audited("api", REASON_EXPIRED, "x\nmatrix: {}");
    learn_finish(&l);
    check_matrix("matrix: {}\n");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("learn");
    TCase *t = tcase_create("learn");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_was_allowed_is_needed);
    tcase_add_test(t, comments_say_how_often);
    tcase_add_loop_test(t, what_audit_mode_let_pass_is_needed_where_a_grant_mends_it, 0,
                        (int)countof(GRANTABLE));
    tcase_add_test(t, what_was_refused_is_learned_on_request);
    tcase_add_test(t, nobody_who_is_let_pass_needs_an_open_service);
    tcase_add_test(t, what_no_grant_mends_is_told_with_its_fix);
    tcase_add_test(t, calls_that_the_topology_does_not_know_are_told);
    tcase_add_test(t, a_grant_with_a_condition_is_not_widened);
    tcase_add_test(t, grants_that_were_not_needed_are_told);
    tcase_add_test(t, a_diff_has_a_line_for_each_cell);
    tcase_add_test(t, a_diff_is_empty_where_nothing_differs);
    tcase_add_test(t, the_whole_topology_loads_with_the_matrix_that_was_learned);
    tcase_add_test(t, foreign_texts_stay_in_their_comment);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
