/* base64 of JSON APIs: RFC 4648 §10's vectors, both alphabets, and what is refused. */
#include "check_main.h"

#include "jose/base64.h"

static const struct row {
    const char *plain, *encoded;
} rows[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xFB\xEF\xFF", "++//"},
};

START_TEST(bytes_are_written_as_in_rfc_4648)
{
    auto_buf buf b = buf_make(64);
    buf_str(&b, "");
    base64_encode(&b, rows[_i].plain, strlen(rows[_i].plain));
    ck_assert(span_eq_str(buf_view(&b), rows[_i].encoded));
}
END_TEST

START_TEST(what_was_written_is_read_back)
{
    auto_buf buf b = buf_make(64);
    ck_assert(base64_decode(span_of(rows[_i].encoded), &b));
    ck_assert(span_eq_str(buf_view(&b), rows[_i].plain));
}
END_TEST

static const struct row lenient[] = {
    {"f", "Zg"}, {"fo", "Zm8"}, {"\xFB\xEF\xFF", "--__"}, {"\xFB\xEF\xFF", "+-/_"}, {"f", "Zh=="},
};

START_TEST(the_url_safe_alphabet_and_missing_padding_are_read)
{
    auto_buf buf b = buf_make(64);
    ck_assert(base64_decode(span_of(lenient[_i].encoded), &b));
    ck_assert(span_eq_str(buf_view(&b), lenient[_i].plain));
}
END_TEST

static const char *const bad[] = {
    "Z", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm 9v", "Zm9v\n", "Zm9*", "Z=g=", "Zm9vZ"};

START_TEST(what_is_no_base64_is_refused)
{
    auto_buf buf b = buf_make(64);
    ck_assert_msg(!base64_decode(span_of(bad[_i]), &b), "%s", bad[_i]);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("base64");
    TCase *t = tcase_create("base64");
    tcase_add_loop_test(t, bytes_are_written_as_in_rfc_4648, 0, (int)countof(rows));
    tcase_add_loop_test(t, what_was_written_is_read_back, 0, (int)countof(rows));
    tcase_add_loop_test(t, the_url_safe_alphabet_and_missing_padding_are_read, 0,
                        (int)countof(lenient));
    tcase_add_loop_test(t, what_is_no_base64_is_refused, 0, (int)countof(bad));
    suite_add_tcase(s, t);
    return check_main(s);
}
