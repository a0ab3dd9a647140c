/* Expectations: test files become cases, and cases are judged. */
#include "expect_fixture.h"

/* ---- reading ---- */

START_TEST(a_test_becomes_a_case_with_its_place)
{
    take_tests("topology: elsewhere.yaml\ntests:\n- name: it works\n  caller: a-sa\n"
               "  service: b\n  path: /x\n  expect: { status: 403, reason: no_grant }\n");
    ck_assert_uint_eq(s->count, 1);
    const test_case *c = &s->cases[0];
    ck_assert_str_eq(c->name, "it works");
    ck_assert_str_eq(c->at.file, "t.test.yaml");
    ck_assert_uint_eq(c->at.line, 3);
    ck_assert_str_eq(c->call.caller, "a-sa@my-project.iam.gserviceaccount.com");
    ck_assert_str_eq(c->call.path, "/x");
    ck_assert(!c->wanted.allows);
    ck_assert_uint_eq(c->wanted.status, 403);
    ck_assert_int_eq(c->wanted.reason, REASON_NO_GRANT);
}
END_TEST

START_TEST(lists_stand_for_every_combination)
{
    take("{ caller: [a-sa, b, anonymous], service: [a, b], path: [/x, /y], expect: allow }");
    ck_assert_uint_eq(s->count, 12);
    ck_assert_str_eq(s->cases[0].name, "a-sa -> a, /x");
    ck_assert_str_eq(s->cases[1].name, "a-sa -> a, /y");
    ck_assert_str_eq(s->cases[11].name, "anonymous -> b, /y");
    ck_assert_ptr_null(s->cases[11].call.caller);
}
END_TEST

START_TEST(a_service_as_caller_is_the_account_it_runs_as)
{
    take("{ caller: b, service: a, expect: allow }");
    ck_assert_str_eq(s->cases[0].call.caller, "b-sa@my-project.iam.gserviceaccount.com");
}
END_TEST

START_TEST(times_are_absolute_or_from_now)
{
    take("{ caller: a, service: a, time: [2030-01-01T00:00:00Z, +30m, -1h], expect: allow }");
    ck_assert_int_eq(case_time_us(&s->cases[0], NOW_US), INT64_C(1893456000) * 1000000);
    ck_assert_int_eq(case_time_us(&s->cases[1], NOW_US), NOW_US + INT64_C(1800) * 1000000);
    ck_assert_int_eq(case_time_us(&s->cases[2], NOW_US), NOW_US - INT64_C(3600) * 1000000);
}
END_TEST

/* What is wrong with one test's lines, and where. */
static const struct {
    const char *lines, *problem;
} wrong[] = {
    {"{ caller: a-sb, service: a, expect: allow }", "2:13: caller: no service account 'a-sb' in "},
    {"{ caller: a-sa@my-project.iam.gserviceaccount.con, service: aa, expect: allow }",
     "service: no service 'aa' in t.yaml"},
    {"{ caller: x-sa@my-project.iam.gserviceaccount.com, service: a, expect: allow }",
     "2:13: caller: no service account 'x-sa@my-project.iam.gserviceaccount.com'"},
    {"{ service: a, expect: allow }", "2:3: a test wants a caller"},
    {"{ caller: a, expect: allow }", "2:3: a test wants a service (or a host)"},
    {"{ caller: a, service: a }", "2:3: a test wants expect:"},
    {"{ caller: a, service: a, expect: alow }", "2:36: expect: expected allow, refuse, 401"},
    {"{ caller: a, service: a, expect: no_grand }", "did you mean 'no_grant'?"},
    {"{ caller: a, service: a, expect: 200 }", "found '200'"},
    {"{ caller: a, service: a, expect: { status: 401, reason: no_grant } }",
     "expect: no_grant never has status 401"},
    {"{ caller: a, service: a, expect: { status: 403, reason: granted } }",
     "expect: granted never has status 403"},
    {"{ caller: a, service: a, expect: { state: 403 } }", "unknown key 'state' in expect"},
    {"{ caller: a, service: a, expect: {} }", "expect: expected allow"},
    {"{ caller: a, servce: a, expect: allow }",
     "unknown key 'servce' in a test; did you mean 'service'?"},
    {"{ caller: a, service: a, host: a.localhost, expect: allow }",
     "service and host exclude each other"},
    {"{ caller: a, host: \"a b\", expect: allow }", "host: expected a host name"},
    {"{ caller: a, service: a, path: x, expect: allow }", "path: expected a path such as"},
    {"{ caller: a, service: a, path: \"/x y\", expect: allow }", "path: expected a path such as"},
    {"{ caller: a, service: a, token: expird, expect: allow }", "did you mean 'expired'?"},
    {"{ caller: a, service: a, header: serverles, expect: allow }", "did you mean 'serverless'?"},
    {"{ caller: a, service: a, internal: maybe, expect: allow }", "internal: expected true"},
    {"{ caller: a, service: a, time: tomorrow, expect: allow }", "time: expected a time such as"},
    {"{ caller: a, service: a, time: +1x, expect: allow }", "time: expected a time such as"},
    {"{ caller: [], service: a, expect: allow }", "caller: expected 1 to 100000 values, found 0"},
    {"{ caller: anonymous, service: a, token: expired, expect: allow }", "goes with a caller"},
    {"{ caller: [a, anonymous], service: a, audience: x, expect: allow }", "nobody has no token"},
    {"{ caller: a, service: a, audience: x, token: wrong-audience, expect: allow }",
     "no audience of your choice"},
    {"{ caller: { x: y }, service: a, expect: allow }", "caller: expected an account"},
    {"17", "2:3: tests: expected a mapping"},
};

START_TEST(what_is_wrong_is_told_at_its_place)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "tests:\n- %s\n", wrong[_i].lines);
    char *problems = read_tests(text);
    ck_assert_msg(strstr(problems, wrong[_i].problem) != NULL, "%s", problems);
    free(problems);
}
END_TEST

START_TEST(all_problems_come_in_one_go)
{
    char *problems = read_tests("tets: 1\ntests:\n- { caller: x, service: y, expect: z }\n"
                                "matrix: { q: [r], a-sa: [a, t] }\n");
    size_t lines = 0;
    for (const char *p = problems; *p; p++)
        lines += *p == '\n';
    ck_assert_msg(lines == 7, "%s", problems);
    free(problems);
}
END_TEST

START_TEST(combinations_are_limited)
{
    buf b = buf_make(PROBLEMS_MAX * 16);
    buf_str(&b, "tests:\n- { caller: a, service: a, expect: allow, token: expired, path: &p [");
    for (int i = 0; i < 1000; i++)
        buf_fmt(&b, "%s/%d", i ? ", " : "", i);
    buf_str(&b, "], audience: *p }\n");
    char *problems = read_tests(b.p);
    ck_assert_msg(strstr(problems, "more than 200000 cases") != NULL, "%s", problems);
    free(problems);
    buf_free(&b);
}
END_TEST

START_TEST(a_file_names_its_topology_or_has_its_name)
{
    diagnostics d = {0};
    put_file("x.test.yaml", "topology: sub/y.yaml\n");
    char *found = suite_file_topology("x.test.yaml", &d);
    ck_assert_str_eq(found, "sub/y.yaml");
    free(found);
    put_file("x.test.yaml", "tests: []\n");
    found = suite_file_topology("./x.test.yaml", &d);
    ck_assert_str_eq(found, "./x.yaml");
    free(found);
    put_file("x.yaml", "tests: []\n");
    ck_assert_ptr_null(suite_file_topology("x.yaml", &d));
    ck_assert_uint_eq(d.count, 1);
    diagnostics_free(&d);
    ck_assert_ptr_null(suite_file_topology("missing.yaml", &d));
    ck_assert_uint_eq(d.count, 1);
    diagnostics_free(&d);
}
END_TEST

/* ---- the shorthand ---- */

static const test_case *named(const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->cases[i].name, name) == 0)
            return &s->cases[i];
    ck_abort_msg("no case is called %s", name);
}

START_TEST(a_matrix_is_a_case_for_each_cell)
{
    take_tests("matrix:\n  allUsers: [a]\n  a-sa: [b]\n  bob@example.com:\n");
    ck_assert_uint_eq(s->count, 10); /* a-sa, b-sa, alice, anonymous and bob, times two */
    ck_assert(named("anonymous -> a")->wanted.allows);
    ck_assert_uint_eq(named("anonymous -> a")->at.line, 2);
    ck_assert(named("bob@example.com -> a")->wanted.allows);
    ck_assert(!named("bob@example.com -> b")->wanted.allows);
    ck_assert_uint_eq(named("bob@example.com -> b")->at.line, 4);
    ck_assert(named("a-sa -> b")->wanted.allows);
    ck_assert_uint_eq(named("a-sa -> b")->at.line, 3);
    ck_assert(!named("b-sa -> b")->wanted.allows);
    ck_assert_uint_eq(named("b-sa -> b")->at.line, 1);
    suite_run(s, NOW_US);
    ck_assert_uint_eq(suite_tally(s, VERDICT_PASSED), 10);
}
END_TEST

START_TEST(all_authenticated_users_are_everybody_with_a_token)
{
    take_tests("matrix: { allAuthenticatedUsers: [a] }\n");
    ck_assert(named("alice@example.com -> a")->wanted.allows);
    ck_assert(!named("anonymous -> a")->wanted.allows);
}
END_TEST

/* ---- judging ---- */

static const struct {
    const char *lines;
    verdict verdict;
    reason got;
} judged[] = {
    {"{ caller: a, service: b, internal: true, expect: allow }", VERDICT_PASSED, REASON_GRANTED},
    {"{ caller: a, service: b, internal: true, expect: refuse }", VERDICT_FAILED, REASON_GRANTED},
    {"{ caller: a, service: b, expect: 404 }", VERDICT_PASSED, REASON_INGRESS_BLOCKED},
    {"{ caller: b, service: b, internal: true, expect: 403 }", VERDICT_PASSED, REASON_NO_GRANT},
    {"{ caller: b, service: b, internal: true, expect: 401 }", VERDICT_FAILED, REASON_NO_GRANT},
    {"{ caller: b, service: b, internal: true, expect: denied }", VERDICT_FAILED, REASON_NO_GRANT},
    {"{ caller: a, service: a, expect: granted }", VERDICT_FAILED, REASON_PUBLIC},
    {"{ caller: a, service: a, expect: allow, token: expired }", VERDICT_PASSED, REASON_PUBLIC},
    {"{ caller: a, service: b, internal: true, token: expired, expect: expired }", VERDICT_PASSED,
     REASON_EXPIRED},
    {"{ caller: a, host: nobody.example, expect: unknown_host }", VERDICT_PASSED,
     REASON_UNKNOWN_HOST},
    {"{ caller: a, service: b, internal: true, time: 2039-01-01T00:00:00Z, expect: granted }",
     VERDICT_PASSED, REASON_GRANTED},
};

START_TEST(a_case_is_judged_by_reason_and_status)
{
    take(judged[_i].lines);
    suite_run(s, NOW_US);
    ck_assert_int_eq(s->outcomes[0].got, judged[_i].got);
    ck_assert_int_eq(s->outcomes[0].verdict, judged[_i].verdict);
}
END_TEST

START_TEST(a_failure_tells_cause_fix_and_the_nearest_grant)
{
    take("{ caller: a, service: b, internal: true, expect: refuse }");
    take("{ caller: b, service: b, internal: true, expect: allow }");
    suite_run(s, NOW_US);
    ck_assert_ptr_nonnull(strstr(s->outcomes[0].cause, "holds roles/run.invoker on b"));
    ck_assert_str_eq(s->outcomes[0].fix,
                     "gcloud run services remove-iam-policy-binding b --region=us-central1 "
                     "--member=serviceAccount:a-sa@my-project.iam.gserviceaccount.com "
                     "--role=roles/run.invoker");
    ck_assert_ptr_nonnull(strstr(s->outcomes[0].here, "t.yaml:7:"));
    ck_assert_ptr_nonnull(strstr(s->outcomes[1].cause, "holds no role"));
    ck_assert_ptr_nonnull(strstr(s->outcomes[1].fix, "add-iam-policy-binding b"));
    ck_assert_ptr_null(s->outcomes[1].nearest); /* b-sa has no grant at all */
}
END_TEST

int main(void)
{
    Suite *all = suite_create("expect");
    TCase *t = tcase_create("expect");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_test_becomes_a_case_with_its_place);
    tcase_add_test(t, lists_stand_for_every_combination);
    tcase_add_test(t, a_service_as_caller_is_the_account_it_runs_as);
    tcase_add_test(t, times_are_absolute_or_from_now);
    tcase_add_loop_test(t, what_is_wrong_is_told_at_its_place, 0, (int)countof(wrong));
    tcase_add_test(t, all_problems_come_in_one_go);
    tcase_add_test(t, combinations_are_limited);
    tcase_add_test(t, a_file_names_its_topology_or_has_its_name);
    tcase_add_test(t, a_matrix_is_a_case_for_each_cell);
    tcase_add_test(t, all_authenticated_users_are_everybody_with_a_token);
    tcase_add_loop_test(t, a_case_is_judged_by_reason_and_status, 0, (int)countof(judged));
    tcase_add_test(t, a_failure_tells_cause_fix_and_the_nearest_grant);
    suite_add_tcase(all, t);
    return check_main(all);
}
