/* Who may ask (Host) and what for (query). */
#include "check_main.h"
#include <stdlib.h>

#include "base/attr.h"
#include "metadata/ask.h"
#include "metadata/hosts.h"

static const struct host_row {
    const char *host;
    bool allowed;
} host_rows[] = {
    {"", true}, /* HTTP/1.0 without the field */
    {"metadata.google.internal", true},
    {"metadata.google.internal.", true},
    {"METADATA.google.internal:80", true},
    {"metadata.google.internal.:8180", true},
    {"metadata", true},
    {"metadata:80", true},
    {"169.254.169.254", true},
    {"127.0.0.1:8181", true},
    {"10.1.2.3", true},
    {"[::1]:8181", true},
    {"[fd00::1]", true},
    {"localhost:8181", true},
    {"x.localhost", true},
    {"more.example", true},
    {"other.example:1", true},
    {"evil.example", false},
    {"metadata.google.internal.evil.example", false},
    {"evilmetadata.google.internal", false},
    {"169.254.169.254.evil.example", false},
    {"localhost.evil.example", false},
    {"evillocalhost", false},
    {"127.0.0.1@evil.example", false},
    {"127.0.0.1:80:80", false},
    {"127.0.0.1:x", false},
    {"127.0.0.1:99999", false},
    {"127.1", false},
    {"0x7f.0.0.1", false},
    {"[::1", false},
    {"[::1]x", false},
    {":80", false},
    {".", false},
    {"..", false},
};

START_TEST(only_names_that_nobody_else_can_own_pass)
{
    const struct host_row *row = &host_rows[_i];
    ck_assert_msg(host_allowed(span_of(row->host), "more.example, other.example") == row->allowed,
                  "%s", row->host);
}
END_TEST

START_TEST(more_names_need_to_be_given)
{
    ck_assert(!host_allowed(SPAN_LIT("more.example"), NULL));
    ck_assert(!host_allowed(SPAN_LIT("more"), ""));
}
END_TEST

START_TEST(parameters_are_read)
{
    ask a;
    ck_assert_ptr_null(ask_parse(SPAN_LIT("recursive=true&alt=json&wait_for_change=True"
                                          "&last_etag=abc&timeout_sec=3&what=ever"),
                                 &a));
    ck_assert(a.recursive && a.wait_for_change && a.has_last_etag);
    ck_assert_int_eq(a.alt, ALT_JSON);
    ck_assert(span_eq_str(a.last_etag, "abc"));
    ck_assert_int_eq(a.timeout_us, 3000000);
    ck_assert_ptr_null(ask_parse((span){0}, &a));
    ck_assert(!a.recursive && !a.wait_for_change && !a.has_last_etag);
    ck_assert_int_lt(a.timeout_us, 0);
    ck_assert_ptr_null(ask_parse(SPAN_LIT("recursive=false&wait_for_change=&alt=xml"), &a));
    ck_assert(!a.recursive && !a.wait_for_change);
    ck_assert_int_eq(a.alt, ALT_NATURAL);
}
END_TEST

static const char *const bad_timeouts[] = {"timeout_sec=", "timeout_sec=x", "timeout_sec=-1",
                                           "timeout_sec=1.5", "timeout_sec=99999999999999999999"};

START_TEST(a_timeout_that_is_no_whole_number_is_refused)
{
    ask a;
    ck_assert_ptr_nonnull(ask_parse(span_of(bad_timeouts[_i]), &a));
}
END_TEST

START_TEST(flags_have_an_on_and_an_off)
{
    static const char *const off[] = {"f=false", "f=0", "f=no", "f=n", "f=FALSE"};
    for (size_t i = 0; i < countof(off); i++) {
        ck_assert(ask_flag_off(span_of(off[i]), "f"));
        ck_assert(!ask_flag_on(span_of(off[i]), "f"));
    }
    ck_assert(ask_flag_on(SPAN_LIT("f=TRUE"), "f"));
    ck_assert(!ask_flag_on(SPAN_LIT("f"), "f") && !ask_flag_off(SPAN_LIT("f"), "f"));
    ck_assert(!ask_flag_on(SPAN_LIT(""), "f") && !ask_flag_off(SPAN_LIT(""), "f"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metadata_ask");
    TCase *t = tcase_create("ask");
    tcase_add_loop_test(t, only_names_that_nobody_else_can_own_pass, 0, (int)countof(host_rows));
    tcase_add_test(t, more_names_need_to_be_given);
    tcase_add_test(t, parameters_are_read);
    tcase_add_loop_test(t, a_timeout_that_is_no_whole_number_is_refused, 0,
                        (int)countof(bad_timeouts));
    tcase_add_test(t, flags_have_an_on_and_an_off);
    suite_add_tcase(s, t);
    return check_main(s);
}
