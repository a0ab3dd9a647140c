/* Lines on their way to the gateway: batches, order, what is kept and what is lost meanwhile. */
#include "cli/log_sender.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "check_main.h"
#include "http/server.h"

enum { TURNS_MAX = 3000, TEXT_MAX = 8 << 20 };

static loop *l;
static http_server *server;
static net_addr address;
static char host[NET_ADDR_TEXT_MAX];
static int port_fd;
static log_sender *sender;
static unsigned status;   /* to answer with */
static unsigned requests; /* so far */
static buf taken;         /* "service/stream: line" for each that was taken, in order */

static void take(const char *where, json_t *body)
{
    size_t i = 0;
    json_t *line = NULL;
    int64_t us;
    const json_int_t lost = json_integer_value(json_object_get(body, "lost"));
    if (lost)
        buf_fmt(&taken, "(%lld lost)\n", (long long)lost);
    ck_assert(json_array_size(json_object_get(body, "lines")) > 0);
    json_array_foreach (json_object_get(body, "lines"), i, line) {
        const char *time = json_string_value(json_object_get(line, "time"));
        ck_assert(clock_parse_rfc3339(span_of(time), &us));
        ck_assert_int_lt(clock_wall_us() - us, 60000000);
        buf_fmt(&taken, "%s/%s: %s\n", where, json_string_value(json_object_get(body, "stream")),
                json_string_value(json_object_get(line, "text")));
    }
}

static void handle(void *ctx, http_request *r)
{
    (void)ctx;
    span path = http_path(r), name;
    const span body = http_body(r);
    requests++;
    ck_assert(span_eq_str(http_method(r), "POST"));
    ck_assert(span_starts(path, SPAN_LIT("/invoker/v1/services/")));
    ck_assert(span_ends(path, SPAN_LIT("/logs")));
    ck_assert(span_eq_str(http_header(r, "Content-Type"), "application/json"));
    path = span_from(path, strlen("/invoker/v1/services/"));
    (void)span_cut(&path, '/', &name);
    auto_free char *where = span_dup(name);
    json_auto_t *j = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(j);
    if (status == 200)
        take(where, j);
    http_respond(r, status, (const http_field[]){{0}}, SPAN_LIT("{}"), true);
}

static void start_server(void)
{
    error e = {0};
    server = http_server_open(l,
                              &(http_server_options){.handle = handle,
                                                     .head_max = 16384,
                                                     .body_max = TEXT_MAX,
                                                     .connections_max = 8,
                                                     .idle_timeout_s = 30},
                              &e);
    ck_assert_msg(server != NULL, "%s", e.text);
    ck_assert_msg(http_server_listen(server, &address, true, NULL, NULL, &e), "%s", e.text);
}

static void setup(void)
{
    error e = {0};
    net_addr any;
    l = loop_new(&e);
    status = 200;
    requests = 0;
    taken = buf_make(TEXT_MAX);
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    port_fd = net_reserve(&any, &e);
    ck_assert(port_fd >= 0 && net_local(port_fd, &address));
    (void)net_addr_text(&address, host);
    sender = log_sender_open(l);
    log_sender_aim(sender, host);
}

static void teardown(void)
{
    log_sender_close(sender);
    if (server)
        http_server_close(server);
    server = NULL;
    loop_free(l);
    close(port_fd);
    buf_free(&taken);
}

static void line(log_channel *c, const char *text)
{
    log_channel_line(c, span_of(text));
}

/* Until that many requests came. */
static void turn_until(unsigned wanted)
{
    for (int i = 0; requests < wanted && i < TURNS_MAX; i++)
        loop_turn(l, 10000);
    ck_assert_uint_eq(requests, wanted);
}

static void flush(void)
{
    log_sender_flush(sender, 10000000);
}

START_TEST(what_is_written_together_is_sent_together_in_order)
{
    start_server();
    log_channel *c = log_sender_channel(sender, "a", "stdout");
    line(c, "one");
    line(c, "two \"quoted\"\r");
    line(c, "");
    turn_until(1);
    line(c, "four");
    turn_until(2);
    ck_assert_str_eq(taken.p,
                     "a/stdout: one\na/stdout: two \"quoted\"\na/stdout: \na/stdout: four\n");
}
END_TEST

START_TEST(channels_are_told_apart_and_take_turns)
{
    start_server();
    log_channel *out = log_sender_channel(sender, "a", "stdout");
    log_channel *err = log_sender_channel(sender, "a", "stderr");
    log_channel *other = log_sender_channel(sender, "b", "stdout");
    ck_assert_ptr_eq(log_sender_channel(sender, "a", "stdout"), out);
    for (int i = 0; i < 1900; i++)
        line(out, "x");
    line(err, "e");
    line(other, "o");
    flush();
    ck_assert_uint_eq(requests, 4);
    const char *e = strstr(taken.p, "a/stderr: e\n");
    const char *o = strstr(taken.p, "b/stdout: o\n");
    ck_assert(e && o);
    /* Neither had to wait for all of the first one's. */
    ck_assert_ptr_nonnull(strstr(e, "a/stdout: x\n"));
    ck_assert_ptr_nonnull(strstr(o, "a/stdout: x\n"));
}
END_TEST

START_TEST(bytes_become_lines)
{
    start_server();
    log_channel *c = log_sender_channel(sender, "a", "stdout");
    log_channel_bytes(c, SPAN_LIT("on"));
    log_channel_bytes(c, SPAN_LIT("e\ntwo\n\nfo"));
    log_channel_bytes(c, SPAN_LIT("ur"));
    log_channel_end(c);
    log_channel_end(c);
    flush();
    ck_assert_str_eq(taken.p, "a/stdout: one\na/stdout: two\na/stdout: \na/stdout: four\n");
}
END_TEST

START_TEST(a_line_without_end_is_cut_into_several)
{
    start_server();
    static char text[100000];
    memset(text, 'x', sizeof text);
    log_channel *c = log_sender_channel(sender, "a", "stdout");
    log_channel_bytes(c, (span){text, sizeof text});
    log_channel_end(c);
    flush();
    size_t lines = 0, xs = 0;
    for (size_t i = 0; i < taken.n; i++) {
        lines += taken.p[i] == '\n';
        xs += taken.p[i] == 'x';
    }
    ck_assert_uint_eq(lines, 4);
    ck_assert_uint_eq(xs, sizeof text);
}
END_TEST

START_TEST(lines_wait_for_a_gateway_that_is_away)
{
    log_channel *c = log_sender_channel(sender, "a", "stdout");
    line(c, "early");
    for (int i = 0; i < 20; i++)
        loop_turn(l, 10000);
    line(c, "later");
    flush(); /* does not wait: nobody is there */
    start_server();
    turn_until(1);
    ck_assert_str_eq(taken.p, "a/stdout: early\na/stdout: later\n");
}
END_TEST

START_TEST(of_too_many_lines_the_newest_are_kept_and_the_rest_is_counted)
{
    char text[32];
    log_channel *c = log_sender_channel(sender, "a", "stdout");
    for (int i = 0; i < 12000; i++) {
        snprintf(text, sizeof text, "%d", i);
        line(c, text);
    }
    start_server();
    flush();
    size_t lines = 0;
    for (size_t i = 0; i < taken.n; i++)
        lines += taken.p[i] == '\n';
    char first[32];
    unsigned long long lost = 0;
    ck_assert_int_eq(sscanf(taken.p, "(%llu lost)\n", &lost), 1);
    snprintf(first, sizeof first, "a/stdout: %llu\n", lost);
    ck_assert_ptr_nonnull(strstr(taken.p, first));
    ck_assert_uint_eq(lost + lines - 1, 12000);
    ck_assert(span_ends(buf_view(&taken), SPAN_LIT("a/stdout: 11999\n")));
    ck_assert_ptr_null(strstr(taken.p + 1, "(")); /* told once */
}
END_TEST

START_TEST(lines_that_come_while_a_batch_is_under_way_are_neither_lost_nor_doubled)
{
    char text[64];
    start_server();
    log_channel *c = log_sender_channel(sender, "a", "stdout");
    unsigned long long said = 0;
    for (int round = 0; round < 300; round++) {
        for (int i = 0; i < 40; i++) {
            snprintf(text, sizeof text, "%llu ", said++);
            line(c, text);
        }
        loop_turn(l, 2000);
    }
    flush();
    unsigned long long next = 0;
    for (const char *at = taken.p; (at = strstr(at, "stdout: ")); at++) {
        ck_assert_uint_eq(strtoull(at + 8, NULL, 10), next);
        next++;
    }
    ck_assert_uint_eq(next, said);
    ck_assert_ptr_null(strstr(taken.p, "lost"));
}
END_TEST

START_TEST(what_the_gateway_could_not_take_is_sent_again)
{
    start_server();
    status = 503;
    line(log_sender_channel(sender, "a", "stdout"), "one");
    turn_until(2);
    status = 200;
    turn_until(3);
    ck_assert_str_eq(taken.p, "a/stdout: one\n");
}
END_TEST

START_TEST(what_it_will_never_take_is_given_up)
{
    start_server();
    status = 404;
    line(log_sender_channel(sender, "nowhere", "stdout"), "one");
    turn_until(1);
    flush();
    ck_assert_uint_eq(requests, 1);
    status = 200;
    line(log_sender_channel(sender, "nowhere", "stdout"), "two");
    turn_until(2);
    ck_assert_str_eq(taken.p, "nowhere/stdout: two\n");
}
END_TEST

START_TEST(without_a_control_listener_nothing_is_sent_and_nothing_breaks)
{
    start_server();
    log_sender_aim(sender, NULL);
    log_channel *c = log_sender_channel(sender, "a", "stdout");
    line(c, "one");
    flush();
    for (int i = 0; i < 10; i++)
        loop_turn(l, 10000);
    ck_assert_uint_eq(requests, 0);
    log_sender_aim(sender, host);
    turn_until(1);
    ck_assert_str_eq(taken.p, "a/stdout: one\n");
    log_sender_aim(NULL, host);
    log_sender_flush(NULL, 1);
    log_sender_close(NULL);
    ck_assert_ptr_null(log_sender_channel(NULL, "a", "stdout"));
    line(NULL, "x");
    log_channel_bytes(NULL, SPAN_LIT("x"));
    log_channel_end(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log_sender");
    TCase *t = tcase_create("log_sender");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, what_is_written_together_is_sent_together_in_order);
    tcase_add_test(t, channels_are_told_apart_and_take_turns);
    tcase_add_test(t, bytes_become_lines);
    tcase_add_test(t, a_line_without_end_is_cut_into_several);
    tcase_add_test(t, lines_wait_for_a_gateway_that_is_away);
    tcase_add_test(t, of_too_many_lines_the_newest_are_kept_and_the_rest_is_counted);
    tcase_add_test(t, lines_that_come_while_a_batch_is_under_way_are_neither_lost_nor_doubled);
    tcase_add_test(t, what_the_gateway_could_not_take_is_sent_again);
    tcase_add_test(t, what_it_will_never_take_is_given_up);
    tcase_add_test(t, without_a_control_listener_nothing_is_sent_and_nothing_breaks);
    suite_add_tcase(s, t);
    return check_main(s);
}
