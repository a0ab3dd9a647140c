/* http/server over real sockets: one loop on this thread, the client's bytes by hand. */
#include "check_main.h"
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/server.h"

enum {
    HEAD_MAX = 8192,
    BODY_MAX = 1024,
    ANSWER_MAX = 1 << 20,
    TURNS_MAX = 2000,
    BACKLOG_MAX = 64 * 1024
};

typedef struct seen {
    unsigned requests;
    char method[16], target[128], path[128], query[128], host[64], header[64], body[64];
    void *tag;
    http_request *held;  /* a request of /later */
    http_stream *stream; /* of /stream, or of a /later that is answered by one */
    bool gone;
} seen;

static loop *the_loop;
static http_server *server;
static net_addr address;
static seen last;
static int tag_a;
static unsigned idle_timeout_s;

static void copy(char *out, size_t room, span s)
{
    size_t n = s.n < room ? s.n : room - 1;
    if (n)
        memcpy(out, s.p, n);
    out[n] = '\0';
}
#define COPY(field, view) copy(last.field, sizeof last.field, (view))

static void on_gone(void *ctx)
{
    seen *s = ctx;
    s->gone = true;
    s->held = NULL;
    s->stream = NULL;
}

static void begin_stream(http_request *r)
{
    const http_field fields[] = {{"Content-Type", "text/event-stream"}, {0}};
    last.stream = http_stream_open(
        r, 200, fields,
        &(http_stream_options){.backlog_max = BACKLOG_MAX, .on_gone = on_gone, .ctx = &last});
}

static void on_request(void *ctx, http_request *r)
{
    (void)ctx;
    last.requests++;
    COPY(method, http_method(r));
    COPY(target, http_target(r));
    COPY(path, http_path(r));
    COPY(query, http_query(r));
    COPY(host, http_host(r));
    COPY(header, http_header(r, "x-test"));
    COPY(body, http_body(r));
    last.tag = http_tag(r);
    if (span_eq_str(http_path(r), "/later")) {
        last.held = r;
        http_defer(r, on_gone, &last);
        return;
    }
    if (span_eq_str(http_path(r), "/stream")) {
        begin_stream(r);
        return;
    }
    const http_field fields[] = {{"X-One", "1"}, {"X-Empty", ""}, {"Content-Type", "a/b"}, {0}};
    http_respond(r, 200, fields, SPAN_LIT("hello"), true);
}

static void start(void)
{
    error e = {0};
    memset(&last, 0, sizeof last);
    the_loop = loop_new(&e);
    ck_assert_msg(the_loop != NULL, "%s", e.text);
    const http_server_options o = {.handle = on_request,
                                   .head_max = HEAD_MAX,
                                   .body_max = BODY_MAX,
                                   .connections_max = 64,
                                   .idle_timeout_s = idle_timeout_s};
    server = http_server_open(the_loop, &o, &e);
    ck_assert_msg(server != NULL, "%s", e.text);
    net_addr any;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    ck_assert(http_server_listen(server, &any, false, &tag_a, &address, &e));
}

static void start_patient(void)
{
    idle_timeout_s = 30;
    start();
}

static void start_impatient(void)
{
    idle_timeout_s = 1;
    start();
}

static void stop(void)
{
    http_server_close(server);
    loop_free(the_loop);
}

static int client(void)
{
    error e = {0};
    int fd = net_connect(&address, &e);
    ck_assert_msg(fd >= 0, "%s", e.text);
    return fd;
}

/* Sends while turning the loop, so that large requests do not block. */
static void send_all(int fd, span bytes)
{
    for (int i = 0; bytes.n && i < 100 * TURNS_MAX; i++) {
        ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (n > 0)
            bytes = span_from(bytes, (size_t)n);
        loop_turn(the_loop, 1000);
    }
}

/* Turns the loop until the answers hold `mark` behind each other `times` times, or the peer closed
 * (true). */
static bool receive(int fd, buf *out, const char *mark)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        char chunk[4096];
        ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n == 0)
            return true;
        if (n > 0)
            buf_add(out, chunk, (size_t)n);
        if (n > 0 && mark && out->p && strstr(out->p, mark))
            return false;
        loop_turn(the_loop, 2000);
    }
    ck_abort_msg("no answer: %s", out->p ? out->p : "");
}

static void ask(const char *request, buf *out, const char *mark)
{
    int fd = client();
    send_all(fd, span_of(request));
    receive(fd, out, mark);
    close(fd);
}

START_TEST(the_target_is_kept_byte_for_byte)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    ask("GET /a%2Fb/../c%00?x=%41&y=a+b&&z HTTP/1.1\r\nHost: h:1\r\nX-Test: v\r\n\r\n", &b,
        "hello");
    ck_assert_str_eq(last.target, "/a%2Fb/../c%00?x=%41&y=a+b&&z");
    ck_assert_str_eq(last.path, "/a%2Fb/../c%00");
    ck_assert_str_eq(last.query, "x=%41&y=a+b&&z");
    ck_assert_str_eq(last.host, "h:1");
    ck_assert_str_eq(last.header, "v");
    ck_assert_ptr_eq(last.tag, &tag_a);
    ck_assert(strstr(b.p, "HTTP/1.1 200 OK\r\n") == b.p);
    ck_assert(strstr(b.p, "X-One: 1\r\n"));
    ck_assert(strstr(b.p, "Content-Length: 5\r\n"));
    ck_assert(strstr(b.p, "Date: "));
}
END_TEST

START_TEST(an_absolute_target_is_reduced_to_its_path_and_names_the_host)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    ask("GET http://other:80/p?q HTTP/1.1\r\nHost: h\r\n\r\n", &b, "hello");
    ck_assert_str_eq(last.path, "/p");
    ck_assert_str_eq(last.query, "q");
    ck_assert_str_eq(last.host, "other:80");
    buf_clear(&b);
    ask("GET http://other?q HTTP/1.1\r\nHost: h\r\n\r\n", &b, "hello");
    ck_assert_str_eq(last.path, "/");
    ck_assert_str_eq(last.query, "q");
}
END_TEST

START_TEST(a_connection_carries_pipelined_requests)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    ask("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: h\r\n\r\n"
        "GET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        &b, NULL);
    ck_assert_uint_eq(last.requests, 3);
    ck_assert_str_eq(last.path, "/3");
    unsigned bodies = 0;
    for (const char *at = b.p; (at = strstr(at, "hello")); at++)
        bodies++;
    ck_assert_uint_eq(bodies, 2);
}
END_TEST

START_TEST(a_body_arrives_whole_in_both_framings)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    ask("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", &b, "hello");
    ck_assert_str_eq(last.body, "body");
    buf_clear(&b);
    ask("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
        &b, "hello");
    ck_assert_str_eq(last.body, "abcde");
}
END_TEST

static const struct bad_row {
    const char *request;
    const char *status;
} bad_rows[] = {
    {"GET / HTTP/1.1\r\n\r\n", "400"},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400"},
    {"GET foo HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     "400"},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "400"},
    {"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n", "413"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 900000000\r\n\r\n", "413"},
};

START_TEST(a_malformed_or_oversized_request_is_refused_before_the_handler)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    ask(bad_rows[_i].request, &b, NULL);
    ck_assert_msg(b.n > 12 && strncmp(b.p + 9, bad_rows[_i].status, 3) == 0, "%s: %s",
                  bad_rows[_i].request, b.p ? b.p : "");
    ck_assert_uint_eq(last.requests, 0);
}
END_TEST

START_TEST(a_body_slightly_too_large_is_read_and_answered_413)
{
    auto_buf buf request = buf_make(ANSWER_MAX);
    buf_fmt(&request, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY_MAX + 1);
    for (int i = 0; i <= BODY_MAX; i++)
        buf_char(&request, 'x');
    auto_buf buf b = buf_make(ANSWER_MAX);
    ask(request.p, &b, NULL);
    ck_assert(strstr(b.p, "HTTP/1.1 413 "));
    buf_clear(&request);
    buf_fmt(&request, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n",
            BODY_MAX + 1);
    for (int i = 0; i <= BODY_MAX; i++)
        buf_char(&request, 'x');
    buf_str(&request, "\r\n0\r\n\r\n");
    buf_clear(&b);
    ask(request.p, &b, NULL);
    ck_assert(strstr(b.p, "HTTP/1.1 413 "));
    ck_assert_uint_eq(last.requests, 0);
}
END_TEST

START_TEST(a_head_too_large_is_answered_431_and_one_below_the_limit_is_served)
{
    for (int big = 0; big < 2; big++) {
        auto_buf buf request = buf_make(ANSWER_MAX);
        buf_str(&request, "GET / HTTP/1.1\r\nHost: a\r\nX-Big: ");
        for (int i = 0; i < (big ? HEAD_MAX * 4 : HEAD_MAX - 100); i++)
            buf_char(&request, 'x');
        buf_str(&request, "\r\n\r\n");
        auto_buf buf b = buf_make(ANSWER_MAX);
        ask(request.p, &b, big ? NULL : "hello");
        ck_assert_msg(strstr(b.p, big ? "HTTP/1.1 431 " : "HTTP/1.1 200 "), "%s", b.p);
    }
}
END_TEST

START_TEST(a_deferred_request_is_answered_later)
{
    int fd = client();
    send_all(fd, SPAN_LIT("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
    for (int i = 0; i < TURNS_MAX && !last.held; i++)
        loop_turn(the_loop, 2000);
    ck_assert_ptr_nonnull(last.held);
    ck_assert_str_eq(last.path, "/later");
    http_respond(last.held, 201, NULL, SPAN_LIT("done"), false);
    auto_buf buf b = buf_make(ANSWER_MAX);
    receive(fd, &b, "done");
    ck_assert(strstr(b.p, "HTTP/1.1 201 "));
    ck_assert(!last.gone);
    send_all(fd, SPAN_LIT("GET /again HTTP/1.1\r\nHost: a\r\n\r\n"));
    receive(fd, &b, "hello");
    close(fd);
}
END_TEST

START_TEST(a_client_that_leaves_while_it_waits_is_noticed)
{
    int fd = client();
    send_all(fd, SPAN_LIT("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
    for (int i = 0; i < TURNS_MAX && !last.held; i++)
        loop_turn(the_loop, 2000);
    ck_assert_ptr_nonnull(last.held);
    close(fd);
    for (int i = 0; i < TURNS_MAX && !last.gone; i++)
        loop_turn(the_loop, 2000);
    ck_assert(last.gone);
    auto_buf buf b = buf_make(ANSWER_MAX);
    ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &b, "hello");
}
END_TEST

START_TEST(closing_answers_who_waits_with_503)
{
    int fd = client();
    send_all(fd, SPAN_LIT("GET /later HTTP/1.1\r\nHost: a\r\n\r\n"));
    for (int i = 0; i < TURNS_MAX && !last.held; i++)
        loop_turn(the_loop, 2000);
    http_server_close(server);
    server = NULL;
    auto_buf buf b = buf_make(ANSWER_MAX);
    receive(fd, &b, NULL);
    ck_assert(strstr(b.p, "HTTP/1.1 503 "));
    close(fd);
}
END_TEST

START_TEST(a_closed_listener_refuses_and_its_open_connections_go_on)
{
    int fd = client();
    auto_buf buf b = buf_make(ANSWER_MAX);
    send_all(fd, SPAN_LIT("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    receive(fd, &b, "hello");
    http_server_unlisten(server, &tag_a);
    buf_clear(&b);
    send_all(fd, SPAN_LIT("GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"));
    receive(fd, &b, "hello");
    ck_assert_str_eq(last.path, "/2");
    close(fd);
    struct sockaddr_storage to = address.ss;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(probe, (struct sockaddr *)&to, address.len), -1);
    close(probe);
}
END_TEST

/* ---- answers in pieces ---- */

static int open_stream(const char *request, buf *head)
{
    int fd = client();
    send_all(fd, span_of(request));
    ck_assert(!receive(fd, head, "\r\n\r\n"));
    ck_assert_ptr_nonnull(last.stream);
    return fd;
}

static void turns(unsigned n)
{
    while (n--)
        loop_turn(the_loop, 1000);
}

START_TEST(an_answer_in_pieces_arrives_piece_by_piece)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = open_stream("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", &b);
    ck_assert_ptr_nonnull(strstr(b.p, "Transfer-Encoding: chunked"));
    ck_assert_ptr_nonnull(strstr(b.p, "Content-Type: text/event-stream"));
    ck_assert_ptr_null(strstr(b.p, "one"));
    ck_assert(http_stream_write(last.stream, SPAN_LIT("one\n")));
    ck_assert(!receive(fd, &b, "one\n"));
    turns(20);
    ck_assert(http_stream_write(last.stream, SPAN_LIT("two\n")));
    ck_assert(http_stream_write(last.stream, SPAN_LIT("three\n")));
    ck_assert(!receive(fd, &b, "three\n"));
    http_stream_close(last.stream);
    ck_assert(!receive(fd, &b, "\r\n0\r\n\r\n"));
    /* The connection carries the next request. */
    send_all(fd, SPAN_LIT("GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    ck_assert(!receive(fd, &b, "hello"));
    ck_assert(!last.gone);
    close(fd);
}
END_TEST

START_TEST(an_answer_in_pieces_may_begin_later)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = client();
    send_all(fd, SPAN_LIT("GET /later HTTP/1.0\r\n\r\n"));
    turns(5);
    ck_assert_ptr_nonnull(last.held);
    begin_stream(last.held);
    ck_assert(http_stream_write(last.stream, SPAN_LIT("a piece")));
    ck_assert(!receive(fd, &b, "a piece"));
    ck_assert_ptr_null(strstr(b.p, "chunked")); /* HTTP/1.0: until the connection ends */
    http_stream_close(last.stream);
    ck_assert(receive(fd, &b, NULL));
    close(fd);
}
END_TEST

START_TEST(head_of_an_answer_in_pieces_has_no_pieces)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = client();
    send_all(fd, SPAN_LIT("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n"
                          "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
    ck_assert(!receive(fd, &b, "hello"));
    ck_assert_ptr_null(last.stream);
    ck_assert_ptr_nonnull(strstr(b.p, "text/event-stream"));
    ck_assert_ptr_nonnull(strstr(b.p, "\r\n\r\nHTTP/1.1 200 OK"));
    close(fd);
}
END_TEST

START_TEST(a_reader_that_leaves_is_noticed)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = open_stream("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", &b);
    close(fd);
    for (int i = 0; i < TURNS_MAX && !last.gone; i++)
        loop_turn(the_loop, 1000);
    ck_assert(last.gone);
}
END_TEST

START_TEST(a_reader_that_had_left_before_the_first_piece_is_noticed)
{
    int fd = client();
    send_all(fd, SPAN_LIT("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n"));
    close(fd);
    for (int i = 0; i < TURNS_MAX && !last.gone; i++)
        loop_turn(the_loop, 1000);
    ck_assert(last.gone);
}
END_TEST

START_TEST(a_reader_that_does_not_read_is_cut_off_at_the_backlog)
{
    static char block[8 * 1024];
    memset(block, 'x', sizeof block);
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = open_stream("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", &b);
    size_t written = 0;
    while (http_stream_write(last.stream, (span){block, sizeof block})) {
        written += sizeof block;
        ck_assert_uint_lt(written, 256 * 1024 * 1024); /* sockets have room for some */
        turns(1);
    }
    ck_assert_uint_ge(written, BACKLOG_MAX);
    ck_assert(!last.gone);
    turns(10);
    ck_assert(!last.gone);
    /* What the socket holds is still there; then it ends without the last chunk. */
    char end[8] = "";
    ssize_t n = 0;
    do {
        char chunk[64 * 1024];
        n = recv(fd, chunk, sizeof chunk, 0);
        if (n >= 5)
            memcpy(end, chunk + n - 5, 5);
    } while (n > 0);
    ck_assert_str_ne(end, "0\r\n\r\n");
    close(fd);
}
END_TEST

START_TEST(closing_ends_the_streams)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = open_stream("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", &b);
    int other = open_stream("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", &b);
    ck_assert(http_stream_write(last.stream, SPAN_LIT("last words")));
    http_server_close(server);
    ck_assert(last.gone);
    server = NULL;
    ck_assert(receive(other, &b, NULL));
    ck_assert_ptr_nonnull(strstr(b.p, "last words\r\n0\r\n\r\n"));
    close(fd);
    close(other);
}
END_TEST

START_TEST(a_silent_stream_outlives_the_idle_timeout)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = open_stream("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n", &b);
    int idle = client(); /* the time-out is at work */
    ck_assert(receive(idle, &b, NULL));
    for (int64_t end = loop_now_us(the_loop) + 1500000; loop_now_us(the_loop) < end;)
        loop_turn(the_loop, 100000);
    ck_assert(!last.gone);
    ck_assert(http_stream_write(last.stream, SPAN_LIT("still here")));
    ck_assert(!receive(fd, &b, "still here"));
    close(fd);
    close(idle);
}
END_TEST

START_TEST(query_parameters_are_found_and_decoded)
{
    span raw;
    span q = SPAN_LIT("a=1&audience=https%3A%2F%2Fx%2Fy+z%zz&flag&a=2");
    ck_assert(http_query_find(q, "audience", &raw));
    auto_buf buf b = buf_make(256);
    http_percent_decode(raw, true, &b);
    ck_assert_str_eq(b.p, "https://x/y z%zz");
    buf_clear(&b);
    http_percent_decode(raw, false, &b);
    ck_assert_str_eq(b.p, "https://x/y+z%zz");
    ck_assert(http_query_find(q, "a", &raw) && span_eq_str(raw, "1"));
    ck_assert(http_query_find(q, "flag", &raw) && raw.n == 0);
    ck_assert(!http_query_find(q, "aud", &raw));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("http_server");
    TCase *t = tcase_create("server");
    tcase_add_checked_fixture(t, start_patient, stop);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, the_target_is_kept_byte_for_byte);
    tcase_add_test(t, an_absolute_target_is_reduced_to_its_path_and_names_the_host);
    tcase_add_test(t, a_connection_carries_pipelined_requests);
    tcase_add_test(t, a_body_arrives_whole_in_both_framings);
    tcase_add_loop_test(t, a_malformed_or_oversized_request_is_refused_before_the_handler, 0,
                        (int)countof(bad_rows));
    tcase_add_test(t, a_body_slightly_too_large_is_read_and_answered_413);
    tcase_add_test(t, a_head_too_large_is_answered_431_and_one_below_the_limit_is_served);
    tcase_add_test(t, a_deferred_request_is_answered_later);
    tcase_add_test(t, a_client_that_leaves_while_it_waits_is_noticed);
    tcase_add_test(t, closing_answers_who_waits_with_503);
    tcase_add_test(t, a_closed_listener_refuses_and_its_open_connections_go_on);
    tcase_add_test(t, query_parameters_are_found_and_decoded);
    suite_add_tcase(s, t);
    t = tcase_create("pieces");
    tcase_add_checked_fixture(t, start_patient, stop);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, an_answer_in_pieces_arrives_piece_by_piece);
    tcase_add_test(t, an_answer_in_pieces_may_begin_later);
    tcase_add_test(t, head_of_an_answer_in_pieces_has_no_pieces);
    tcase_add_test(t, a_reader_that_leaves_is_noticed);
    tcase_add_test(t, a_reader_that_had_left_before_the_first_piece_is_noticed);
    tcase_add_test(t, a_reader_that_does_not_read_is_cut_off_at_the_backlog);
    tcase_add_test(t, closing_ends_the_streams);
    suite_add_tcase(s, t);
    t = tcase_create("impatient");
    tcase_add_checked_fixture(t, start_impatient, stop);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_silent_stream_outlives_the_idle_timeout);
    suite_add_tcase(s, t);
    return check_main(s);
}
