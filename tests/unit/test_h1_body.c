/* Response bodies: counted, chunked, until close; in every split the same payload. */
#include "check_main.h"

#include <stdlib.h>

#include "proxy/h1_parse.h"

/* Feeds text in pieces of `step` bytes; payload is collected. *out_left: what was not consumed. */
static h1_result feed(h1_body *b, const char *text, size_t n, size_t step, buf *payload,
                      size_t *out_left)
{
    h1_result r = H1_MORE;
    size_t at = 0;
    while (r == H1_MORE && at < n) {
        size_t piece = n - at < step ? n - at : step;
        size_t done = 0;
        while (r == H1_MORE && done < piece) {
            size_t used = 0;
            span data;
            r = h1_body_feed(b, text + at + done, piece - done, &used, &data);
            ck_assert(used <= piece - done);
            ck_assert(r != H1_MORE || used > 0);
            buf_span(payload, data);
            done += used;
        }
        at += done;
    }
    *out_left = n - at;
    return r;
}

static const struct {
    h1_framing framing;
    uint64_t length;
    const char *text, *payload;
    h1_result result;
    size_t left;
} bodies[] = {
    {H1_LENGTH, 5, "hello", "hello", H1_DONE, 0},
    {H1_LENGTH, 5, "hell", "hell", H1_MORE, 0},
    {H1_LENGTH, 5, "helloX", "hello", H1_DONE, 1},
    {H1_UNTIL_CLOSE, 0, "hello", "hello", H1_MORE, 0},
    {H1_CHUNKED, 0, "5\r\nhello\r\n0\r\n\r\n", "hello", H1_DONE, 0},
    {H1_CHUNKED, 0, "5\r\nhello\r\n0\r\n\r\nHTTP", "hello", H1_DONE, 4},
    {H1_CHUNKED, 0, "3\r\nabc\r\n00002\r\nde\r\n000\r\n\r\n", "abcde", H1_DONE, 0},
    {H1_CHUNKED, 0, "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789",
     H1_DONE, 0},
    {H1_CHUNKED, 0, "3;ext=\"v\"\r\nabc\r\n0 ;x\r\n\r\n", "abc", H1_DONE, 0},
    {H1_CHUNKED, 0, "0\r\n\r\n", "", H1_DONE, 0},
    {H1_CHUNKED, 0, "4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n", H1_DONE, 0},
    {H1_CHUNKED, 0, "3\r\nab", "ab", H1_MORE, 0},
    {H1_CHUNKED, 0, "3\r\nabc\r\n0\r\nX: y\r\n", "abc", H1_MORE, 0},
    {H1_CHUNKED, 0, "\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "g\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "-1\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "0x3\r\nabc\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "3\nabc\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "3\r\r\nabc\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "3\r\nabcd\r\n", "abc", H1_BAD, 0},
    {H1_CHUNKED, 0, "3\r\nabc\n", "abc", H1_BAD, 0},
    {H1_CHUNKED, 0, "3\r\nabc\rX", "abc", H1_BAD, 0},
    {H1_CHUNKED, 0, "3;a\001\r\nabc\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "3;a\x7f\r\nabc\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "3 \t;a\r\nabc\r\n0 \r\n\r\n", "abc", H1_DONE, 0},
    {H1_CHUNKED, 0, "3 4\r\nabc\r\n0\r\n\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "3 a\r\nabc\r\n0\r\n\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, " 3\r\nabc\r\n0\r\n\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "fffffffffffffffff\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "0\r\nno colon\r\n\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "0\r\nA: b\n\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "0\r\n folded\r\n\r\n", "", H1_BAD, 0},
    {H1_CHUNKED, 0, "0\r\n\n", "", H1_BAD, 0},
};

START_TEST(a_body_is_the_same_however_it_is_split)
{
    const size_t n = strlen(bodies[_i].text);
    for (size_t step = 1; step <= n; step++) {
        auto_buf buf payload = buf_make(1024);
        AUTO(h1_body_free) h1_body b = {0};
        h1_body_begin(&b, bodies[_i].framing, bodies[_i].length);
        size_t left = 0;
        h1_result r = feed(&b, bodies[_i].text, n, step, &payload, &left);
        ck_assert_msg(r == bodies[_i].result, "step %zu: %d (%s)", step, (int)r,
                      b.why ? b.why : "-");
        if (r == H1_DONE)
            ck_assert_uint_eq(left, bodies[_i].left);
        ck_assert_msg(span_eq_str(buf_view(&payload), bodies[_i].payload), "step %zu", step);
    }
}
END_TEST

START_TEST(trailers_are_kept_however_they_are_split)
{
    static const char text[] = "1\r\nx\r\n0\r\nGrpc-Status: 0\r\nempty:\r\nX:  y \r\n\r\n";
    const size_t n = sizeof text - 1;
    for (size_t step = 1; step <= n; step++) {
        auto_buf buf payload = buf_make(1024);
        AUTO(h1_body_free) h1_body b = {0};
        h1_body_begin(&b, H1_CHUNKED, 0);
        size_t left = 0;
        ck_assert_int_eq(feed(&b, text, n, step, &payload, &left), H1_DONE);
        ck_assert_uint_eq(b.trailer_count, 3);
        ck_assert(span_eq_str(b.trailers[0].name, "Grpc-Status"));
        ck_assert(span_eq_str(b.trailers[0].value, "0"));
        ck_assert(span_eq_str(b.trailers[1].value, ""));
        ck_assert(span_eq_str(b.trailers[2].value, "y"));
    }
}
END_TEST

static h1_result feed_text(const buf *text, h1_body *b)
{
    auto_buf buf payload = buf_make(1024);
    size_t left = 0;
    h1_body_begin(b, H1_CHUNKED, 0);
    return feed(b, text->p, text->n, 7, &payload, &left);
}

static h1_result trailers(unsigned lines, size_t value)
{
    auto_buf buf text = buf_make(1 << 20);
    buf_str(&text, "0\r\n");
    for (unsigned i = 0; i < lines; i++) {
        buf_str(&text, "X: ");
        for (size_t j = 0; j < value; j++)
            buf_char(&text, 'v');
        buf_str(&text, "\r\n");
    }
    buf_str(&text, "\r\n");
    AUTO(h1_body_free) h1_body b = {0};
    return feed_text(&text, &b);
}

START_TEST(trailers_have_a_limit_in_number_and_in_bytes)
{
    ck_assert_int_eq(trailers(H1_TRAILER_FIELDS_MAX, 1), H1_DONE);
    ck_assert_int_eq(trailers(H1_TRAILER_FIELDS_MAX + 1, 1), H1_BAD);
    ck_assert_int_eq(trailers(1, H1_TRAILERS_MAX - 7), H1_DONE);
    ck_assert_int_eq(trailers(1, H1_TRAILERS_MAX - 6), H1_BAD);
}
END_TEST

static h1_result extension(size_t bytes)
{
    auto_buf buf text = buf_make(1 << 20);
    buf_str(&text, "0;");
    for (size_t i = 0; i < bytes; i++)
        buf_char(&text, 'e');
    buf_str(&text, "\r\n\r\n");
    AUTO(h1_body_free) h1_body b = {0};
    return feed_text(&text, &b);
}

START_TEST(chunk_extensions_have_a_limit)
{
    ck_assert_int_eq(extension(H1_CHUNK_LINE_MAX - 3), H1_DONE);
    ck_assert_int_eq(extension(H1_CHUNK_LINE_MAX - 2), H1_BAD);
}
END_TEST

START_TEST(a_close_ends_only_a_body_that_runs_until_it)
{
    h1_body b = {0};
    h1_body_begin(&b, H1_UNTIL_CLOSE, 0);
    ck_assert_int_eq(h1_body_eof(&b), H1_DONE);
    h1_body_begin(&b, H1_LENGTH, 1);
    ck_assert_int_eq(h1_body_eof(&b), H1_BAD);
    h1_body_begin(&b, H1_CHUNKED, 0);
    ck_assert_int_eq(h1_body_eof(&b), H1_BAD);
    h1_body_begin(&b, H1_NO_BODY, 0);
    ck_assert_int_eq(h1_body_eof(&b), H1_DONE);
    h1_body_begin(&b, H1_LENGTH, 0);
    ck_assert_int_eq(h1_body_eof(&b), H1_DONE);
    h1_body_free(&b);
}
END_TEST

START_TEST(an_object_serves_one_body_after_another)
{
    h1_body b = {0};
    for (int i = 0; i < 3; i++) {
        auto_buf buf payload = buf_make(64);
        size_t left = 0;
        h1_body_begin(&b, H1_CHUNKED, 0);
        static const char text[] = "1\r\nx\r\n0\r\nA: b\r\n\r\n";
        ck_assert_int_eq(feed(&b, text, sizeof text - 1, 3, &payload, &left), H1_DONE);
        ck_assert_uint_eq(b.trailer_count, 1);
    }
    h1_body_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("h1_body");
    TCase *t = tcase_create("body");
    tcase_add_loop_test(t, a_body_is_the_same_however_it_is_split, 0, countof(bodies));
    tcase_add_test(t, trailers_are_kept_however_they_are_split);
    tcase_add_test(t, trailers_have_a_limit_in_number_and_in_bytes);
    tcase_add_test(t, chunk_extensions_have_a_limit);
    tcase_add_test(t, a_close_ends_only_a_body_that_runs_until_it);
    tcase_add_test(t, an_object_serves_one_body_after_another);
    suite_add_tcase(s, t);
    return check_main(s);
}
