/* Response heads and bodies: every framing rule, every refusal beside the nearest acceptance, and
 * one byte at a time saying the same as all at once. */
#include "check_main.h"

#include <stdio.h>
#include <stdlib.h>

#include "proxy/h1_parse.h"

/* ---- heads ---- */

/* In one piece, then byte by byte: both must agree on everything. */
static h1_result parse_both_ways(const char *text, size_t n, h1_head *out)
{
    h1_head_reset(out);
    h1_result whole = h1_head_feed(out, text, n);
    h1_head slow;
    h1_head_reset(&slow);
    h1_result stepwise = H1_MORE;
    for (size_t i = 1; i <= n && stepwise == H1_MORE; i++)
        stepwise = h1_head_feed(&slow, text, i);
    ck_assert_int_eq(whole, stepwise);
    if (whole == H1_BAD)
        ck_assert_str_eq(out->why, slow.why);
    if (whole != H1_DONE)
        return whole;
    ck_assert_uint_eq(out->bytes, slow.bytes);
    ck_assert_uint_eq(out->status, slow.status);
    ck_assert_uint_eq(out->field_count, slow.field_count);
    for (size_t i = 0; i < out->field_count; i++) {
        ck_assert(span_eq(out->fields[i].name, slow.fields[i].name));
        ck_assert(span_eq(out->fields[i].value, slow.fields[i].value));
    }
    return whole;
}

static const struct {
    const char *text;
    unsigned status;
    h1_framing framing; /* for a GET */
    uint64_t length;
    bool keeps_alive;
} sound[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, H1_LENGTH, 5, true},
    {"HTTP/1.1 200 \r\ncontent-length:5\r\n\r\n", 200, H1_LENGTH, 5, true},
    {"HTTP/1.1 200\r\n\r\n", 200, H1_UNTIL_CLOSE, 0, true},
    {"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 999, H1_NO_BODY, 0, true},
    {"HTTP/1.1 200 caf\xc3\xa9\tx\r\nContent-Length: 1\r\n\r\n", 200, H1_LENGTH, 1, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, H1_CHUNKED, 0, true},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\n\r\n", 200, H1_CHUNKED, 0, true},
    {"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n", 200, H1_LENGTH, 7, true},
    {"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n", 204, H1_NO_BODY, 7, true},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, H1_NO_BODY, 7, true},
    {"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 103, H1_NO_BODY, 0, true},
    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", 200, H1_LENGTH, 1, false},
    {"HTTP/1.1 200 OK\r\nConnection: x , Close\r\nContent-Length: 1\r\n\r\n", 200, H1_LENGTH, 1,
     false},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", 200, H1_LENGTH, 1, false},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\n", 200, H1_LENGTH, 1,
     true},
    {"HTTP/1.9 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", 200, H1_LENGTH, INT64_MAX,
     true},
    {"HTTP/1.1 200 OK\r\nX:\r\nY:   \r\n\r\n", 200, H1_UNTIL_CLOSE, 0, true},
};

START_TEST(a_sound_head_is_understood)
{
    h1_head h;
    ck_assert_int_eq(parse_both_ways(sound[_i].text, strlen(sound[_i].text), &h), H1_DONE);
    ck_assert_uint_eq(h.bytes, strlen(sound[_i].text));
    ck_assert_uint_eq(h.status, sound[_i].status);
    ck_assert_int_eq(h1_framing_of(&h, false), sound[_i].framing);
    ck_assert_uint_eq(h.length, sound[_i].length);
    ck_assert_int_eq(h1_head_keeps_alive(&h), sound[_i].keeps_alive);
    ck_assert_int_eq(h1_framing_of(&h, true), H1_NO_BODY);
}
END_TEST

static const struct {
    const char *text, *why;
} unsound[] = {
    {"SSH-2.0-OpenSSH_9.2\r\n", "does not begin with HTTP/1.x"},
    {"\r\nHTTP/1.1 200 OK\r\n\r\n", "does not begin with HTTP/1.x"},
    {"HTTP/2 200\r\n\r\n", "does not begin with HTTP/1.x"},
    {"HTTP/1.x 200 OK\r\n\r\n", "does not begin with HTTP/1.x"},
    {"HTTP/1.1  200 OK\r\n\r\n", "three digits"},
    {"HTTP/1.1 20 OK\r\n\r\n", "three digits"},
    {"HTTP/1.1 2000 OK\r\n\r\n", "three digits"},
    {"HTTP/1.1 099 OK\r\n\r\n", "three digits"},
    {"HTTP/1.1 200 O\001K\r\n\r\n", "reason phrase"},
    {"HTTP/1.1 200 OK\n\r\n", "CR LF"},
    {"HTTP/1.1 200 OK\r\nA: b\n\r\n", "CR LF"},
    {"HTTP/1.1 200 OK\r\nA: b\r\n\n", "CR LF"},
    {"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "control character"},
    {"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "'name: value'"},
    {"HTTP/1.1 200 OK\r\nA\r\n\r\n", "'name: value'"},
    {"HTTP/1.1 200 OK\r\n: b\r\n\r\n", "'name: value'"},
    {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "'name: value'"},
    {"HTTP/1.1 200 OK\r\nA(: b\r\n\r\n", "'name: value'"},
    {"HTTP/1.1 200 OK\r\nA: \x7f\r\n\r\n", "control character"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n", "decimal"},
    {"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n", "decimal"},
    {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "decimal"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\n", "decimal"},
    {"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", "decimal"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775808\r\n\r\n", "decimal"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "different"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "both"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "not 'chunked'"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", "not 'chunked'"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     "not 'chunked'"},
    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0"},
};

START_TEST(an_unsound_head_is_refused_with_its_reason)
{
    h1_head h;
    ck_assert_int_eq(parse_both_ways(unsound[_i].text, strlen(unsound[_i].text), &h), H1_BAD);
    ck_assert_msg(strstr(h.why, unsound[_i].why) != NULL, "said: %s", h.why);
}
END_TEST

START_TEST(a_nul_in_a_head_is_refused)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n";
    h1_head h;
    ck_assert_int_eq(parse_both_ways(text, sizeof text - 1, &h), H1_BAD);
}
END_TEST

START_TEST(bytes_behind_the_head_are_left_alone)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie:b \r\n\r\n\0junk\n";
    h1_head h;
    ck_assert_int_eq(parse_both_ways(text, sizeof text - 1, &h), H1_DONE);
    ck_assert_uint_eq(h.bytes, sizeof text - 1 - 6);
    ck_assert_uint_eq(h.field_count, 2);
    ck_assert(span_eq_str(h.fields[0].name, "Set-Cookie"));
    ck_assert(span_eq_str(h.fields[1].name, "set-cookie"));
    ck_assert(span_eq_str(h.fields[1].value, "b"));
}
END_TEST

static char *head_of_size(size_t n)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\nX: ";
    char *text = malloc(n + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', n);
    memcpy(text, begin, sizeof begin - 1);
    memcpy(text + n - 4, "\r\n\r\n", 5);
    return text;
}

START_TEST(the_largest_head_passes_and_one_byte_more_does_not)
{
    h1_head h;
    char *fits = head_of_size(H1_HEAD_MAX);
    ck_assert_int_eq(parse_both_ways(fits, H1_HEAD_MAX, &h), H1_DONE);
    free(fits);
    char *large = head_of_size(H1_HEAD_MAX + 1);
    ck_assert_int_eq(parse_both_ways(large, H1_HEAD_MAX + 1, &h), H1_BAD);
    ck_assert_ptr_nonnull(strstr(h.why, "too large"));
    free(large);
}
END_TEST

static h1_result head_with_fields(unsigned n, h1_head *h, buf *text)
{
    buf_clear(text);
    buf_str(text, "HTTP/1.1 200 OK\r\n");
    for (unsigned i = 0; i < n; i++)
        buf_fmt(text, "X-%u: %u\r\n", i, i);
    buf_str(text, "\r\n");
    return parse_both_ways(text->p, text->n, h);
}

START_TEST(the_most_fields_pass_and_one_more_does_not)
{
    auto_buf buf text = buf_make(H1_HEAD_MAX);
    h1_head h;
    ck_assert_int_eq(head_with_fields(H1_FIELDS_MAX, &h, &text), H1_DONE);
    ck_assert_uint_eq(h.field_count, H1_FIELDS_MAX);
    ck_assert_int_eq(head_with_fields(H1_FIELDS_MAX + 1, &h, &text), H1_BAD);
}
END_TEST

START_TEST(half_a_head_asks_for_more)
{
    static const char *const halves[] = {"",
                                         "H",
                                         "HTTP/1.",
                                         "HTTP/1.1 200 OK\r",
                                         "HTTP/1.1 200 OK\r\n",
                                         "HTTP/1.1 200 OK\r\nA: b\r\n\r"};
    h1_head h;
    for (size_t i = 0; i < countof(halves); i++)
        ck_assert_int_eq(parse_both_ways(halves[i], strlen(halves[i]), &h), H1_MORE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h1_parse");
    TCase *t = tcase_create("head");
    tcase_add_loop_test(t, a_sound_head_is_understood, 0, countof(sound));
    tcase_add_loop_test(t, an_unsound_head_is_refused_with_its_reason, 0, countof(unsound));
    tcase_add_test(t, a_nul_in_a_head_is_refused);
    tcase_add_test(t, bytes_behind_the_head_are_left_alone);
    tcase_add_test(t, the_largest_head_passes_and_one_byte_more_does_not);
    tcase_add_test(t, the_most_fields_pass_and_one_more_does_not);
    tcase_add_test(t, half_a_head_asks_for_more);
    suite_add_tcase(s, t);
    return check_main(s);
}
