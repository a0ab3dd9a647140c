/* Output of services becomes lines of the log. */
#include "check_main.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cli/up_relay.h"

enum { ENTRY_MAX = 1024 * 1024 };

static char *formatted(log_format format, bool colour, const char *line)
{
    buf b = buf_make(ENTRY_MAX);
    relay_format(&b, format, colour, "a", span_of(line));
    return buf_take(&b);
}

START_TEST(a_line_of_text_is_named)
{
    auto_free char *plain = formatted(LOG_TEXT, false, "hello");
    ck_assert_str_eq(plain, "a | hello");
    auto_free char *coloured = formatted(LOG_TEXT, true, "hello\r");
    ck_assert_str_eq(coloured, "\033[36ma |\033[0m hello");
}
END_TEST

static const struct {
    const char *line, *end; /* of the entry */
} json_rows[] = {
    {"hello", "\"process\":\"a\",\"message\":\"hello\"}"},
    {"a \"quoted\" \x1b word", "\"message\":\"a \\\"quoted\\\" \\u001b word\"}"},
    {"", "\"message\":\"\"}"},
    {"{\"severity\":\"ERROR\",\"n\":1}", "\"jsonPayload\":{\"severity\":\"ERROR\",\"n\":1}}"},
    {"{\"not\": json", "\"message\":\"{\\\"not\\\": json\"}"},
    {"[1]", "\"message\":\"[1]\"}"},
    {"{} {}", "\"message\":\"{} {}\"}"},
};

START_TEST(a_json_entry_takes_objects_as_payload_and_the_rest_as_text)
{
    auto_free char *got = formatted(LOG_JSON, false, json_rows[_i].line);
    span end = span_of(json_rows[_i].end);
    ck_assert_msg(span_ends(span_of(got), end), "%s", got);
    ck_assert(span_starts(span_of(got), SPAN_LIT("{\"timestamp\":\"")));
}
END_TEST

/* ---- with a pipe as log ---- */

static int log_read;
static loop *l;
static relay *r;

static void setup(void)
{
    error e = {0};
    int ends[2];
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    log_read = ends[0];
    log_open("test", LOG_TEXT, ends[1]);
    l = loop_new(&e);
    r = relay_open(l, &(relay_options){.name = "a", .wait_for_fd = ends[1]}, &e);
    ck_assert_ptr_nonnull(r);
}

static void say(const char *text)
{
    ck_assert_int_eq(write(relay_child_fd(r), text, strlen(text)), (ssize_t)strlen(text));
}

/* All that the log has now. */
static char *logged(void)
{
    buf b = buf_make(ENTRY_MAX);
    char bytes[4096];
    ssize_t got;
    while ((got = read(log_read, bytes, sizeof bytes)) > 0)
        buf_add(&b, bytes, (size_t)got);
    return b.n ? buf_take(&b) : span_dup((span){0});
}

START_TEST(lines_are_put_together_whatever_the_writes_were)
{
    say("on");
    loop_turn(l, 0);
    say("e\ntwo\nthr");
    loop_turn(l, 0);
    auto_free char *got = logged();
    ck_assert_str_eq(got, "a | one\na | two\n");
    say("ee");
    relay_close(r);
    auto_free char *rest = logged();
    ck_assert_str_eq(rest, "a | three\n");
    loop_free(l);
}
END_TEST

START_TEST(a_very_long_line_is_cut_into_several)
{
    enum { CHUNK_BYTES = 1000, CHUNKS = 70 };
    char chunk[CHUNK_BYTES + 1];
    memset(chunk, 'x', CHUNK_BYTES);
    chunk[CHUNK_BYTES] = '\0';
    buf all = buf_make(ENTRY_MAX);
    for (int i = 0; i < CHUNKS; i++) {
        say(chunk);
        loop_turn(l, 0);
        auto_free char *some = logged();
        buf_str(&all, some);
    }
    relay_close(r);
    auto_free char *last = logged();
    buf_str(&all, last);
    size_t marks = 0, xs = 0, lines = 0;
    for (size_t i = 0; i < all.n; i++) {
        marks += all.p[i] == '|';
        xs += all.p[i] == 'x';
        lines += all.p[i] == '\n';
    }
    ck_assert_uint_eq(xs, CHUNK_BYTES * CHUNKS);
    ck_assert_uint_eq(marks, lines);
    ck_assert_uint_ge(lines, 3);
    buf_free(&all);
    loop_free(l);
}
END_TEST

START_TEST(a_log_that_nobody_reads_stops_the_service_and_loses_nothing)
{
    enum { LINES = 4000 };
    (void)fcntl(relay_child_fd(r), F_SETFL, O_NONBLOCK);
    size_t said = 0;
    for (int quiet = 0; said < LINES && quiet < 3;) {
        if (write(relay_child_fd(r), "0123456789abcdef0123456789abcdef0123456789abcdef\n", 49) ==
            49) {
            said++;
            quiet = 0;
        } else {
            loop_turn(l, 0);
            quiet++;
        }
    }
    ck_assert_uint_lt(said, LINES); /* the pipe to us is full, and the log's too */
    size_t seen = 0;
    while (seen < said) {
        auto_free char *got = logged();
        for (const char *c = got; *c; c++)
            seen += *c == '\n';
        loop_turn(l, 50000);
    }
    ck_assert_uint_eq(seen, said);
    relay_close(r);
    loop_free(l);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("up_relay");
    TCase *t = tcase_create("format");
    tcase_add_test(t, a_line_of_text_is_named);
    tcase_add_loop_test(t, a_json_entry_takes_objects_as_payload_and_the_rest_as_text, 0,
                        (int)countof(json_rows));
    suite_add_tcase(s, t);
    t = tcase_create("relay");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, lines_are_put_together_whatever_the_writes_were);
    tcase_add_test(t, a_very_long_line_is_cut_into_several);
    tcase_add_test(t, a_log_that_nobody_reads_stops_the_service_and_loses_nothing);
    suite_add_tcase(s, t);
    return check_main(s);
}
