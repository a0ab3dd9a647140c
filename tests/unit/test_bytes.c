/* Views, buffers, errors, clock texts. */
#include "check_main.h"

#include <errno.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/error.h"

START_TEST(a_view_is_cut_at_the_first_separator)
{
    span rest = SPAN_LIT("a:b:c");
    span head;
    ck_assert(span_cut(&rest, ':', &head));
    ck_assert(span_eq_str(head, "a"));
    ck_assert(span_eq_str(rest, "b:c"));
    rest = SPAN_LIT("abc");
    ck_assert(!span_cut(&rest, ':', &head));
    ck_assert(span_eq_str(head, "abc"));
    ck_assert_uint_eq(rest.n, 0);
}
END_TEST

START_TEST(comparisons_know_case_and_ends)
{
    ck_assert(span_ieq_str(SPAN_LIT("Content-LENGTH"), "content-length"));
    ck_assert(!span_ieq_str(SPAN_LIT("a"), "ab"));
    ck_assert(!span_ieq_str(SPAN_LIT("@"), "`"));
    ck_assert(span_starts(SPAN_LIT("https://a"), SPAN_LIT("https://")));
    ck_assert(!span_starts(SPAN_LIT("http"), SPAN_LIT("https")));
    ck_assert(span_ends(SPAN_LIT("x.run.app"), SPAN_LIT(".run.app")));
    ck_assert(!span_ends(SPAN_LIT("app"), SPAN_LIT(".run.app")));
    ck_assert(span_eq_str(span_trim(SPAN_LIT(" \t a b\t")), "a b"));
    ck_assert(span_eq((span){0}, SPAN_LIT("")));
}
END_TEST

/* Long texts are compared and scanned by words: each byte has to be seen wherever it stands. */
enum { PLACES = 20 };

START_TEST(only_letters_have_two_cases_wherever_they_stand)
{
    for (size_t at = 0; at < PLACES; at++) {
        char a[PLACES], b[PLACES];
        memset(a, 'x', sizeof a);
        memset(b, 'X', sizeof b);
        a[at] = (char)_i;
        b[at] = (char)(_i ^ 0x20);
        bool letter = ((_i | 0x20) >= 'a' && (_i | 0x20) <= 'z');
        ck_assert(span_ieq((span){a, sizeof a}, (span){b, sizeof b}) == letter);
        b[at] = (char)_i;
        ck_assert(span_ieq((span){a, sizeof a}, (span){b, sizeof b}));
    }
}
END_TEST

static const struct {
    const char *text;
    uint64_t max, value;
    bool ok;
} numbers[] = {
    {"0", 9, 0, true},
    {"65535", 65535, 65535, true},
    {"65536", 65535, 0, false},
    {"", 9, 0, false},
    {"-1", 9, 0, false},
    {"+1", 9, 0, false},
    {" 1", 9, 0, false},
    {"1x", 99, 0, false},
    {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
    {"18446744073709551616", UINT64_MAX, 0, false},
};

START_TEST(only_plain_decimal_digits_are_numbers)
{
    uint64_t value = 0;
    ck_assert(span_u64(span_of(numbers[_i].text), numbers[_i].max, &value) == numbers[_i].ok);
    ck_assert_uint_eq(value, numbers[_i].value);
}
END_TEST

START_TEST(a_buffer_never_passes_its_ceiling_and_says_so)
{
    auto_buf buf b = buf_make(5);
    buf_str(&b, "abc");
    buf_str(&b, "def");
    ck_assert(!buf_ok(&b));
    ck_assert_str_eq(b.p, "abc");
    buf_str(&b, "d");
    ck_assert_str_eq(b.p, "abc");
    ck_assert_ptr_null(buf_take(&b));
    buf_clear(&b);
    buf_fmt(&b, "%d-%s", 12, "xy");
    ck_assert(buf_ok(&b));
    ck_assert_str_eq(b.p, "12-xy");
    buf_fmt(&b, "%s", "z");
    ck_assert(!buf_ok(&b));
}
END_TEST

START_TEST(numbers_are_printed_in_full)
{
    auto_buf buf b = buf_make(100);
    buf_u64(&b, UINT64_MAX);
    buf_char(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_char(&b, ' ');
    buf_i64(&b, 0);
    ck_assert_str_eq(b.p, "18446744073709551615 -9223372036854775808 0");
}
END_TEST

START_TEST(taking_an_empty_buffer_gives_an_empty_string)
{
    buf b = buf_make(5);
    char *text = buf_take(&b);
    ck_assert_str_eq(text, "");
    free(text);
}
END_TEST

static const struct {
    const char *in;
    size_t n;
    const char *json;
} strings[] = {
    {"plain", 5, "\"plain\""},
    {"\"\\\n\t\r\b\f", 7, "\"\\\"\\\\\\n\\t\\r\\b\\f\""},
    {"\x01\x1f\x7f", 3, "\"\\u0001\\u001f\\u007f\""},
    {"\0x", 2, "\"\\u0000x\""},
    {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9, "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
    {"a\xFFz", 3, "\"a\xEF\xBF\xBDz\""},
    {"\xC0\xAF", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"\xE2\x82", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"\xF5\x80\x80\x80", 4, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
};

START_TEST(json_strings_are_well_formed_whatever_goes_in)
{
    auto_buf buf b = buf_make(1000);
    buf_json(&b, (span){strings[_i].in, strings[_i].n});
    ck_assert_str_eq(b.p, strings[_i].json);
}
END_TEST

START_TEST(a_byte_is_escaped_in_json_wherever_it_stands)
{
    char one = (char)_i;
    auto_buf buf alone = buf_make(1000);
    buf_json(&alone, (span){&one, 1});
    for (size_t at = 0; at < PLACES; at++) {
        char text[PLACES];
        memset(text, 'x', sizeof text);
        text[at] = one;
        auto_buf buf b = buf_make(1000);
        buf_json(&b, (span){text, sizeof text});
        ck_assert_uint_eq(b.n, alone.n + PLACES - 1);
        ck_assert(memcmp(b.p + 1 + at, alone.p + 1, alone.n - 2) == 0);
    }
}
END_TEST

START_TEST(html_and_urls_are_escaped)
{
    auto_buf buf b = buf_make(1000);
    buf_html(&b, SPAN_LIT("<a href='x'>&\"</a>"));
    ck_assert_str_eq(b.p, "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
    buf_clear(&b);
    buf_percent(&b, SPAN_LIT("https://a/b?c=d e~\xC3"));
    ck_assert_str_eq(b.p, "https%3A%2F%2Fa%2Fb%3Fc%3Dd%20e~%C3");
}
END_TEST

START_TEST(an_error_keeps_its_kind_and_gets_context)
{
    error e = {0};
    errno = EADDRINUSE;
    ck_assert(!error_errno(&e, "cannot listen on %s", "127.0.0.1:80"));
    ck_assert_int_eq(e.kind, ERR_EXISTS);
    ck_assert(!error_wrap(&e, "gateway"));
    ck_assert_str_eq(e.text, "gateway: cannot listen on 127.0.0.1:80: Address already in use");
    ck_assert(!error_set(NULL, ERR_INVALID, "nobody listens"));
}
END_TEST

START_TEST(an_endless_context_is_cut_not_overrun)
{
    error e = {0};
    error_set(&e, ERR_INVALID, "x");
    for (int i = 0; i < 300; i++)
        error_wrap(&e, "context");
    ck_assert_uint_lt(span_of(e.text).n, ERROR_TEXT_MAX);
}
END_TEST

static const struct {
    int64_t us;
    int digits;
    const char *text;
} times[] = {
    {0, 0, "1970-01-01T00:00:00Z"},
    {1778392628647307, 6, "2026-05-10T05:57:08.647307Z"},
    {1778392628647307, 3, "2026-05-10T05:57:08.647Z"},
    {1778392628647307, 9, "2026-05-10T05:57:08.647307000Z"},
    {-1, 6, "1969-12-31T23:59:59.999999Z"},
};

START_TEST(times_are_printed_as_rfc_3339)
{
    char text[CLOCK_RFC3339_MAX];
    clock_rfc3339(times[_i].us, times[_i].digits, text);
    ck_assert_str_eq(text, times[_i].text);
}
END_TEST

static const struct {
    int64_t us;
    const char *text;
} dates[] = {
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {784111777999999, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {1778392628647307, "Sun, 10 May 2026 05:57:08 GMT"},
};

static const struct {
    const char *text;
    int64_t us;
} readable[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-05-10T05:57:08.647307Z", 1778392628647307},
    {"2026-05-10t05:57:08.6473079999z", 1778392628647307},
    {"2026-05-10T07:57:08.5+02:00", 1778392628500000},
    {"2026-05-10T00:27:08-05:30", 1778392628000000},
    {"1969-12-31T23:59:59.5Z", -500000},
    {"2024-02-29T00:00:00Z", 1709164800000000},
    {"9999-12-31T23:59:59Z", 253402300799000000},
    {"0001-01-01T00:00:00Z", -62135596800000000},
};

START_TEST(rfc_3339_times_are_read)
{
    int64_t us = 1;
    ck_assert(clock_parse_rfc3339(span_of(readable[_i].text), &us));
    ck_assert_int_eq(us, readable[_i].us);
}
END_TEST

static const char *const unreadable[] = {
    "",
    "2026-05-10",
    "2026-05-10T05:57:08",
    "2026-05-10 05:57:08Z",
    "2026-05-10T05:57:08.Z",
    "2026-05-10T05:57:08Zx",
    "2026-05-10T05:57:08+0200",
    "2026-05-10T05:57:08+24:00",
    "2026-02-30T00:00:00Z",
    "2025-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z",
    "0000-01-01T00:00:00Z",
    "26-01-01T00:00:00Z",
    "+026-01-01T00:00:00Z",
};

START_TEST(what_is_no_rfc_3339_time_is_refused)
{
    int64_t us = 1;
    ck_assert_msg(!clock_parse_rfc3339(span_of(unreadable[_i]), &us), "%s", unreadable[_i]);
    ck_assert_int_eq(us, 1);
}
END_TEST

START_TEST(dates_are_printed_as_http_has_them)
{
    char text[CLOCK_HTTP_DATE_MAX];
    clock_http_date(dates[_i].us, text);
    ck_assert_str_eq(text, dates[_i].text);
}
END_TEST

START_TEST(a_queue_moves_up_when_that_is_worth_it)
{
    auto_buf buf b = buf_make(16);
    size_t taken = 2;
    buf_str(&b, "abcdef");
    buf_drop(&b, &taken, 4); /* too little */
    ck_assert_uint_eq(taken, 2);
    ck_assert_str_eq(b.p, "abcdef");
    taken = 4;
    buf_drop(&b, &taken, 4);
    ck_assert_uint_eq(taken, 0);
    ck_assert_str_eq(b.p, "ef");
    taken = 2;
    buf_drop(&b, &taken, 4); /* all of it */
    ck_assert_uint_eq(taken, 0);
    ck_assert_uint_eq(b.n, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("bytes");
    TCase *c = tcase_create("all");
    tcase_add_test(c, a_view_is_cut_at_the_first_separator);
    tcase_add_test(c, comparisons_know_case_and_ends);
    tcase_add_loop_test(c, only_letters_have_two_cases_wherever_they_stand, 0, 256);
    tcase_add_loop_test(c, only_plain_decimal_digits_are_numbers, 0, (int)countof(numbers));
    tcase_add_test(c, a_buffer_never_passes_its_ceiling_and_says_so);
    tcase_add_test(c, a_queue_moves_up_when_that_is_worth_it);
    tcase_add_test(c, numbers_are_printed_in_full);
    tcase_add_test(c, taking_an_empty_buffer_gives_an_empty_string);
    tcase_add_loop_test(c, json_strings_are_well_formed_whatever_goes_in, 0, (int)countof(strings));
    tcase_add_loop_test(c, a_byte_is_escaped_in_json_wherever_it_stands, 0, 256);
    tcase_add_test(c, html_and_urls_are_escaped);
    tcase_add_test(c, an_error_keeps_its_kind_and_gets_context);
    tcase_add_test(c, an_endless_context_is_cut_not_overrun);
    tcase_add_loop_test(c, times_are_printed_as_rfc_3339, 0, (int)countof(times));
    tcase_add_loop_test(c, rfc_3339_times_are_read, 0, (int)countof(readable));
    tcase_add_loop_test(c, what_is_no_rfc_3339_time_is_refused, 0, (int)countof(unreadable));
    tcase_add_loop_test(c, dates_are_printed_as_http_has_them, 0, (int)countof(dates));
    suite_add_tcase(s, c);
    return check_main(s);
}
