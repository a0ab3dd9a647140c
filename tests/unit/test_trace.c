/* Trace contexts: what is kept, what is replaced, how it is written. */
#include "base/attr.h"
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
    {"", "01-" ID "-00f067aa0ba902b7-01", false, false},
    {"", "00-" ID "-00f067aa0ba902b7-011", false, false},
    {"", "00-" ID "_00f067aa0ba902b7-01", false, false},
};

START_TEST(a_sound_context_is_kept_and_any_other_replaced)
{
    ids i = ids_new();
    trace t;
    trace_begin(&t, &i, span_of(rows[_i].cloud), span_of(rows[_i].parent));
    ck_assert_uint_eq(strlen(t.id), TRACE_ID_LEN);
    ck_assert_int_eq(strcmp(t.id, ID) == 0, rows[_i].kept);
    ck_assert_int_eq(t.sampled, rows[_i].sampled);
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
    tcase_add_test(t, it_is_written_in_each_spelling);
    tcase_add_test(t, each_request_gets_other_ids);
    suite_add_tcase(s, t);
    return check_main(s);
}
