/* Trace contexts: what is kept, what is replaced, how it is written. */
#include "base/buf.h"
#include "check_main.h"
#include "gateway/trace.h"

#define ID "105445aa7843bc8bf206b12000100000"

static const struct {
    const char *cloud, *parent;
    bool kept, sampled;
} rows[] = {
    {ID, "", true, false},
    {ID "/1", "", true, false},
    {ID "/18446744073709551615;o=1", "", true, true},
    {ID ";o=1", "", true, true},
    {ID "/1;o=0", "", true, false},
    {"105445AA7843BC8BF206B12000100000/1", "", true, false},
    {"", "00-" ID "-00f067aa0ba902b7-01", true, true},
    {"", "00-" ID "-00f067aa0ba902b7-00", true, false},
    {ID ";o=1", "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-00", true, true},
    {"garbage", "00-" ID "-00f067aa0ba902b7-01", true, true},
    {"", "", false, false},
    {"00000000000000000000000000000000/1", "", false, false},
    {ID "/x;o=1", "", false, false},
    {ID "/18446744073709551616", "", false, false},
    {ID "0", "", false, false},
    {"105445aa7843bc8bf206b1200010000g", "", false, false},
    {"", "00-" ID "-00f067aa0ba902b7-0a", true, false},
    {"", "00-" ID "-00f067aa0ba902b7-0b", true, true},
    {"", "00-" ID "-00f067aa0ba902b7-ff", true, true},
    {"", "01-" ID "-00f067aa0ba902b7-01", true, true},
    {"", "fe-" ID "-00f067aa0ba902b7-01-what-is-to-come", true, true},
    {"", "ff-" ID "-00f067aa0ba902b7-01", false, false},
    {"", "0g-" ID "-00f067aa0ba902b7-01", false, false},
    {"", "01-" ID "-00f067aa0ba902b7-01.more", false, false},
    {"", "00-" ID "-00f067aa0ba902b7-01-more", false, false},
    {"", "00-" ID "-00f067aa0ba902b7-011", false, false},
    {"", "00-" ID "-00f067aa0ba902b7-0", false, false},
    {"", "00-" ID "-00f067aa0ba902b7-0g", false, false},
    {"", "00-" ID "-00f067aa0ba902b7-0B", false, false},
    {"", "00-" ID "_00f067aa0ba902b7-01", false, false},
    {"", "00-" ID "-00f067aa0ba902bg-01", false, false},
    {"", "00-" ID "-0000000000000000-01", false, false},
    {"", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", false, false},
    {"", "00-105445AA7843BC8BF206B12000100000-00f067aa0ba902b7-01", false, false},
    {ID ";o=3", "", true, true},
    {ID ";o=2", "", true, false},
    {ID ";o=4", "", false, false},
    {ID ";o=", "", false, false},
    {ID ";o=1;o=1", "", false, false},
    {ID ";q=1", "", false, false},
    {ID ";o=1\x01", "", false, false},
    {ID "/;o=1", "", false, false},
    {ID "/-1", "", false, false},
    {ID "/1/2", "", false, false},
    {" " ID, "", false, false},
    {"\xff", "\xff", false, false},
};

START_TEST(a_sound_context_is_kept_and_any_other_replaced)
{
    ids i = ids_new();
    trace t;
    trace_begin(&t, &i, span_of(rows[_i].cloud), span_of(rows[_i].parent));
    ck_assert_uint_eq(strlen(t.id), TRACE_ID_LEN);
    ck_assert_int_eq(strcmp(t.id, ID) == 0, rows[_i].kept);
    ck_assert_int_eq(t.sampled, rows[_i].sampled);
    ck_assert(!t.continues_parent || rows[_i].kept);
}
END_TEST

START_TEST(a_tracestate_goes_on_with_its_own_traceparent_only)
{
    static const struct {
        const char *cloud, *parent;
        bool continues;
    } cases[] = {
        {"", "00-" ID "-00f067aa0ba902b7-01", true},
        {ID "/1;o=1", "00-" ID "-00f067aa0ba902b7-00", true},
        {"garbage", "00-" ID "-00f067aa0ba902b7-01", true},
        {ID "/1", "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-00f067aa0ba902b7-00", false},
        {ID "/1", "garbage", false},
        {ID "/1", "", false},
        {"", "garbage", false},
        {"", "", false},
    };
    ids i = ids_new();
    for (size_t n = 0; n < countof(cases); n++) {
        trace t;
        trace_begin(&t, &i, span_of(cases[n].cloud), span_of(cases[n].parent));
        ck_assert_int_eq(t.continues_parent, cases[n].continues);
    }
}
END_TEST

START_TEST(oversize_values_are_replaced)
{
    ids i = ids_new();
    for (size_t length = 1; length <= 1024 * 1024; length *= 4) {
        auto_buf buf cloud = buf_make(length + 256);
        auto_buf buf parent = buf_make(length + 256);
        buf_str(&cloud, ID "/1;o=1");
        buf_str(&parent, "00-" ID "-00f067aa0ba902b7-01");
        for (size_t n = 0; n < length; n++) {
            buf_char(&cloud, '1');
            buf_char(&parent, '1');
        }
        trace t;
        trace_begin(&t, &i, buf_view(&cloud), buf_view(&parent));
        ck_assert_str_ne(t.id, ID);
        ck_assert_uint_eq(strlen(t.id), TRACE_ID_LEN);
    }
}
END_TEST

START_TEST(it_is_written_in_each_spelling)
{
    trace t = {.id = ID, .span_id = 0x1f, .sampled = true};
    char out[TRACE_TEXT_MAX];
    ck_assert(span_eq_str(trace_cloud(&t, out), ID "/31;o=1"));
    ck_assert(span_eq_str(trace_parent(&t, out), "00-" ID "-000000000000001f-01"));
    ck_assert(span_eq_str(trace_response(&t, out), ID ";o=1"));
    t.sampled = false;
    t.span_id = UINT64_MAX;
    ck_assert(span_eq_str(trace_cloud(&t, out), ID "/18446744073709551615;o=0"));
    ck_assert(span_eq_str(trace_parent(&t, out), "00-" ID "-ffffffffffffffff-00"));
    ck_assert(span_eq_str(trace_response(&t, out), ID));
}
END_TEST

START_TEST(each_request_gets_other_ids)
{
    ids i = ids_new();
    trace a;
    trace b;
    trace_begin(&a, &i, (span){0}, (span){0});
    trace_begin(&b, &i, (span){0}, (span){0});
    ck_assert_str_ne(a.id, b.id);
    ck_assert_uint_ne(a.span_id, b.span_id);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace");
    TCase *t = tcase_create("trace");
    tcase_add_loop_test(t, a_sound_context_is_kept_and_any_other_replaced, 0, countof(rows));
    tcase_add_test(t, a_tracestate_goes_on_with_its_own_traceparent_only);
    tcase_add_test(t, oversize_values_are_replaced);
    tcase_add_test(t, it_is_written_in_each_spelling);
    tcase_add_test(t, each_request_gets_other_ids);
    suite_add_tcase(s, t);
    return check_main(s);
}
