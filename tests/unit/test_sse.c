/* Server-sent events, in whatever pieces they arrive. */
#include "check_main.h"
#include <stdlib.h>

#include "cli/sse.h"

static sse parser;
static buf told;
static unsigned events_max;

static void setup(void)
{
    sse_init(&parser);
    told = buf_make(64 * 1024 * 1024);
    events_max = 1000;
}

static void teardown(void)
{
    sse_free(&parser);
    buf_free(&told);
}

static bool on_event(void *ctx, const sse_event *e)
{
    (void)ctx;
    buf_fmt(&told, "[%.*s|%.*s|%.*s]", SPAN_ARG(e->id), SPAN_ARG(e->type), SPAN_ARG(e->data));
    return --events_max > 0;
}

static bool feed(const char *text)
{
    return sse_feed(&parser, span_of(text), on_event, NULL);
}

static const struct {
    const char *stream, *events;
} cases[] = {
    {"data: a\n\n", "[|message|a]"},
    {"id: 7\nevent: decision\ndata: {\"x\":1}\n\n", "[7|decision|{\"x\":1}]"},
    {"data: a\ndata: b\n\n", "[|message|a\nb]"},
    {"data:a\n\ndata:  a\n\n", "[|message|a][|message| a]"},
    {"data: a\r\n\r\ndata: b\r\rdata: c\n\n", "[|message|a][|message|b][|message|c]"},
    {": nothing\n\nretry: 1000\n\ndata: a\n\n", "[|message|a]"},
    {"event: e\n\ndata: a\n\n", "[|message|a]"}, /* one without data is none */
    {"id: 1\ndata: a\n\ndata: b\n\n", "[1|message|a][1|message|b]"},
    {"data\n\n", "[|message|]"},
    {"unknown: x\ndata: a\n\n", "[|message|a]"},
    {"data: unfinished\n", ""},
};

START_TEST(a_stream_is_read_as_the_standard_says)
{
    ck_assert(feed(cases[_i].stream));
    ck_assert_str_eq(told.p ? told.p : "", cases[_i].events);
}
END_TEST

START_TEST(a_stream_may_arrive_byte_by_byte)
{
    for (const char *at = cases[_i].stream; *at; at++)
        ck_assert(sse_feed(&parser, (span){at, 1}, on_event, NULL));
    ck_assert_str_eq(told.p ? told.p : "", cases[_i].events);
}
END_TEST

START_TEST(nothing_comes_after_enough)
{
    events_max = 2;
    ck_assert(!feed("data: a\n\ndata: b\n\ndata: c\n\n"));
    ck_assert_str_eq(told.p, "[|message|a][|message|b]");
    ck_assert(!feed("data: d\n\n"));
    ck_assert_str_eq(told.p, "[|message|a][|message|b]");
}
END_TEST

START_TEST(a_line_without_end_is_no_stream)
{
    static char much[64 * 1024];
    memset(much, 'x', sizeof much);
    size_t n = 0;
    while (sse_feed(&parser, (span){much, sizeof much}, on_event, NULL)) {
        n += sizeof much;
        ck_assert_uint_le(n, SSE_LINE_MAX);
    }
    ck_assert_uint_gt(n + sizeof much, SSE_LINE_MAX);
}
END_TEST

START_TEST(an_event_without_end_is_no_stream)
{
    static char line[64 * 1024];
    memset(line, 'x', sizeof line);
    memcpy(line, "data:", 5);
    line[sizeof line - 1] = '\n';
    for (size_t n = 0; n <= SSE_LINE_MAX; n += sizeof line)
        (void)sse_feed(&parser, (span){line, sizeof line}, on_event, NULL);
    ck_assert(!feed("\n"));
    ck_assert_uint_eq(told.n, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("sse");
    TCase *t = tcase_create("sse");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, a_stream_is_read_as_the_standard_says, 0, (int)countof(cases));
    tcase_add_loop_test(t, a_stream_may_arrive_byte_by_byte, 0, (int)countof(cases));
    tcase_add_test(t, nothing_comes_after_enough);
    tcase_add_test(t, a_line_without_end_is_no_stream);
    tcase_add_test(t, an_event_without_end_is_no_stream);
    suite_add_tcase(s, t);
    return check_main(s);
}
