/* What a suite covers of the matrix, the grants that nobody needs, and reports of both. */
#include "expect/coverage.h"
#include "expect/report.h"
#include "expect_fixture.h"

/* ---- coverage ---- */

static coverage measured(void)
{
    error e = {0};
    coverage c;
    suite_run(s, NOW_US);
    ck_assert(coverage_of(s, NOW_US, &c, &e));
    return c;
}

START_TEST(cells_are_covered_by_plain_cases_that_passed)
{
    take("{ caller: a, service: b, internal: true, expect: granted }");          /* yes */
    take("{ caller: [b, anonymous], service: a, expect: allow }");               /* yes: 2 */
    take("{ caller: b, service: b, internal: true, expect: no_grant }");         /* yes */
    take("{ caller: a, service: a, expect: refuse }");                           /* failed */
    take("{ caller: a, service: a, token: expired, expect: allow }");            /* not plain */
    take("{ caller: alice@example.com, service: a, time: +1h, expect: allow }"); /* not now */
    take("{ caller: alice@example.com, service: b, expect: ingress_blocked }");  /* not IAM */
    take("{ caller: stranger@example.com, service: b, internal: true, expect: 403 }"); /* no row */
    coverage c = measured();
    ck_assert_uint_eq(c.allowed.all, 5);
    ck_assert_uint_eq(c.allowed.covered, 3);
    ck_assert_uint_eq(c.denied.all, 3);
    ck_assert_uint_eq(c.denied.covered, 1);
    ck_assert_uint_eq(coverage_total(&c).covered, 4);
    coverage_free(&c);
}
END_TEST

START_TEST(a_host_covers_the_service_it_stands_for)
{
    take("{ caller: anonymous, host: a.localhost, expect: public }");
    coverage c = measured();
    ck_assert_uint_eq(c.allowed.covered, 1);
    coverage_free(&c);
}
END_TEST

static const struct {
    share s;
    const char *text;
} percents[] = {
    {{0, 0}, "100%"},         {{0, 7}, "0%"},           {{1, 3}, "33.3%"},
    {{2, 3}, "66.6%"},        {{9996, 10000}, "99.9%"}, {{9999999, 10000000}, "99.9%"},
    {{1, 10000}, "0%"},       {{1, 1000}, "0.1%"},      {{95, 100}, "95%"},
    {{10000, 10000}, "100%"},
};

START_TEST(percentages_are_never_rounded_up)
{
    buf b = buf_make(32);
    share_percent(&b, percents[_i].s);
    ck_assert_str_eq(b.p, percents[_i].text);
    buf_free(&b);
}
END_TEST

START_TEST(a_threshold_is_compared_exactly)
{
    int64_t percent = 0;
    ck_assert(percent_parse("99.96", &percent));
    ck_assert(!share_is_under((share){9996, 10000}, percent));
    ck_assert(share_is_under((share){9995, 10000}, percent));
    ck_assert(percent_parse("100%", &percent));
    ck_assert(share_is_under((share){9999999, 10000000}, percent));
    ck_assert(!share_is_under((share){7, 7}, percent));
    ck_assert(!share_is_under((share){0, 0}, percent));
    ck_assert(percent_parse("0.0001", &percent));
    ck_assert_int_eq(percent, 1);
}
END_TEST

static const char *const no_percents[] = {"", "%", "-1", "101", "100.1", "1.23456", "9x", "1.x"};

START_TEST(what_is_no_percentage_is_refused)
{
    int64_t percent = 0;
    ck_assert(!percent_parse(no_percents[_i], &percent));
}
END_TEST

/* ---- grants nobody needs ---- */

static bool is_on_a(void *ctx, const snapshot *of, const binding *g)
{
    (void)ctx;
    return strcmp(snapshot_service(of, g->service)->name, "a") == 0;
}

START_TEST(a_grant_is_needed_by_a_case_that_passed_or_by_traffic)
{
    const usage none = {NULL, NULL}, traffic = {is_on_a, NULL};
    size_t n = 0;
    suite_run(s, NOW_US);
    const binding **list = unused_bindings(s, &none, &n);
    ck_assert_uint_eq(n, 2);
    free(list);
    list = unused_bindings(s, &traffic, &n);
    ck_assert_uint_eq(n, 1);
    ck_assert_str_eq(list[0]->member, "serviceAccount:a-sa@my-project.iam.gserviceaccount.com");
    free(list);
    suite_free(s);
    s = suite_new("t.yaml", topology_load("t.yaml", NULL, &(diagnostics){0}));
    take("{ caller: a, service: b, internal: true, expect: allow }");
    suite_run(s, NOW_US);
    list = unused_bindings(s, &traffic, &n);
    ck_assert_uint_eq(n, 0);
    free(list);
}
END_TEST

/* ---- reports ---- */

typedef void printer(buf *b, const report *r);

static char *printed(printer *print, int64_t fail_under)
{
    suite_report of = {.s = s, .has_coverage = true, .coverage = measured()};
    const report r = {.suites = &of, .count = 1, .fail_under = fail_under};
    buf b = buf_make(REPORT_BYTES_MAX);
    print(&b, &r);
    coverage_free(&of.coverage);
    return buf_take(&b);
}

/* What the file says must neither break a format nor act on a terminal. */
START_TEST(foreign_text_stays_text)
{
    take("{ name: \"a # b \\\\ <c> & \\\"d\\\" \\e[31m\\u009b \\n e \\uFFFE\", caller: a, service: "
         "a, "
         "expect: refuse }");
    char *tap = printed(report_tap, -1), *text = printed(report_text, -1);
    char *xml = printed(report_junit, -1), *json = printed(report_json, -1);
    ck_assert_ptr_nonnull(strstr(tap, "not ok 1 - a \\# b \\\\ <c>"));
    ck_assert_ptr_nonnull(strstr(xml, "name=\"a # b \\ &lt;c&gt; &amp; &quot;d&quot; "));
    ck_assert_ptr_null(strstr(xml, "\xEF\xBF\xBE"));
    ck_assert_ptr_nonnull(strstr(json, "<c> & \\\"d\\\" \\u001b[31m"));
    const char *const all[] = {tap, text, xml, json};
    for (size_t i = 0; i < countof(all); i++) {
        ck_assert_ptr_null(strchr(all[i], '\033'));
        ck_assert_msg(i == 3 || !strstr(all[i], "\n e"), "%s", all[i]);
    }
    free(tap);
    free(text);
    free(xml);
    free(json);
}
END_TEST

START_TEST(too_little_coverage_is_a_failure_of_its_own)
{
    take("{ caller: a, service: a, expect: allow }");
    char *tap = printed(report_tap, 1000000);
    ck_assert_ptr_nonnull(strstr(tap, "1..2\nok 1 - a -> a\n"));
    ck_assert_ptr_nonnull(strstr(tap, "not ok 2 - coverage of t.yaml: 12.5%, asked for 100%\n"));
    free(tap);
    tap = printed(report_tap, 125000);
    ck_assert_ptr_nonnull(strstr(tap, "\nok 2 - coverage of t.yaml: 12.5%, asked for 12.5%\n"));
    free(tap);
}
END_TEST

int main(void)
{
    Suite *all = suite_create("coverage");
    TCase *t = tcase_create("coverage");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, cells_are_covered_by_plain_cases_that_passed);
    tcase_add_test(t, a_host_covers_the_service_it_stands_for);
    tcase_add_loop_test(t, percentages_are_never_rounded_up, 0, (int)countof(percents));
    tcase_add_test(t, a_threshold_is_compared_exactly);
    tcase_add_loop_test(t, what_is_no_percentage_is_refused, 0, (int)countof(no_percents));
    tcase_add_test(t, a_grant_is_needed_by_a_case_that_passed_or_by_traffic);
    tcase_add_test(t, foreign_text_stays_text);
    tcase_add_test(t, too_little_coverage_is_a_failure_of_its_own);
    suite_add_tcase(all, t);
    return check_main(all);
}
