/* The text format of Prometheus: escaping, numbers, histograms. */
#include "base/metrics.h"

#include "check_main.h"

static buf b;

static void setup(void)
{
    b = buf_make(1 << 20);
}

static void teardown(void)
{
    buf_free(&b);
}

START_TEST(a_family_is_its_help_its_type_and_its_samples)
{
    metric_family(&b, "a_total", METRIC_COUNTER, "What it is.");
    metric_sample(&b, "a_total", (metric_label[]){{"x", SPAN_LIT("1")}, {"y", SPAN_LIT("")}, {0}},
                  18446744073709551615u);
    metric_single(&b, "g", METRIC_GAUGE, "Another.", 0);
    ck_assert_str_eq(b.p, "# HELP a_total What it is.\n"
                          "# TYPE a_total counter\n"
                          "a_total{x=\"1\",y=\"\"} 18446744073709551615\n"
                          "# HELP g Another.\n"
                          "# TYPE g gauge\n"
                          "g 0\n");
}
END_TEST

static const struct {
    span value;
    const char *shown;
} values[] = {
    {{"plain@example.com", 17}, "plain@example.com"},
    {{"a\"b\\c\nd", 7}, "a\\\"b\\\\c\\nd"},
    {{"}\ninjected_total 1\n", 19}, "}\\ninjected_total 1\\n"},
    {{"\xc3\xa9 \xf0\x9f\x94\x91", 7}, "\xc3\xa9 \xf0\x9f\x94\x91"},
    {{"\xff\xc3(", 3}, "\\\\xff\\\\xc3("},
    {{"\r\t\x1b[2J", 6}, "\r\t\x1b[2J"},
};

START_TEST(values_of_labels_are_escaped)
{
    auto_buf buf expected = buf_make(1024);
    buf_fmt(&expected, "x{a=\"%s\"} 1\n", values[_i].shown);
    metric_sample(&b, "x", (metric_label[]){{"a", values[_i].value}, {0}}, 1);
    ck_assert_str_eq(b.p, expected.p);
}
END_TEST

static const struct {
    int64_t us;
    const char *shown;
} times[] = {
    {0, "0"},           {1, "0.000001"},
    {100, "0.0001"},    {2500000, "2.5"},
    {60000000, "60"},   {1783242612500000, "1783242612.5"},
    {-1500000, "-1.5"}, {INT64_MIN, "-9223372036854.775808"},
};

START_TEST(times_are_seconds_without_loss)
{
    auto_buf buf expected = buf_make(1024);
    buf_fmt(&expected, "t %s\n", times[_i].shown);
    metric_seconds(&b, "t", NULL, times[_i].us);
    ck_assert_str_eq(b.p, expected.p);
}
END_TEST

START_TEST(buckets_add_up)
{
    static const int64_t bounds[] = {100, 1000000};
    static const uint64_t counts[] = {3, 4};
    const metric_label labels[] = {{"service", SPAN_LIT("a")}, {0}};
    const metric_histogram h = {bounds, counts, 2, 9, 12345678};
    metric_histogram_sample(&b, "d_seconds", labels, &h);
    metric_histogram_sample(&b, "d_seconds", NULL, &(metric_histogram){bounds, counts, 1, 3, 7});
    ck_assert_str_eq(b.p, "d_seconds_bucket{service=\"a\",le=\"0.0001\"} 3\n"
                          "d_seconds_bucket{service=\"a\",le=\"1\"} 7\n"
                          "d_seconds_bucket{service=\"a\",le=\"+Inf\"} 9\n"
                          "d_seconds_sum{service=\"a\"} 12.345678\n"
                          "d_seconds_count{service=\"a\"} 9\n"
                          "d_seconds_bucket{le=\"0.0001\"} 3\n"
                          "d_seconds_bucket{le=\"+Inf\"} 3\n"
                          "d_seconds_sum 0.000007\n"
                          "d_seconds_count 3\n");
}
END_TEST

START_TEST(a_process_knows_what_it_uses)
{
    metrics_of_process(&b, 1783242612500000);
    ck_assert(buf_ok(&b));
    ck_assert_ptr_nonnull(strstr(b.p, "\nprocess_start_time_seconds 1783242612.5\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "\ninvoker_build_info{version=\""));
    ck_assert_uint_gt(process_resident_bytes(), 1024 * 1024);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metrics");
    TCase *c = tcase_create("metrics");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_family_is_its_help_its_type_and_its_samples);
    tcase_add_loop_test(c, values_of_labels_are_escaped, 0, (int)countof(values));
    tcase_add_loop_test(c, times_are_seconds_without_loss, 0, (int)countof(times));
    tcase_add_test(c, buckets_add_up);
    tcase_add_test(c, a_process_knows_what_it_uses);
    suite_add_tcase(s, c);
    return check_main(s);
}
