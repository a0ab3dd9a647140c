/* The gate on real bytes: what libmicrohttpd repairs is refused, and what only looks unusual is
 * served, however the bytes arrive. */
#include "check_main.h"
#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "http/server.h"

enum { ANSWER_MAX = 1 << 16, TURNS_MAX = 2000 };

static loop *the_loop;
static http_server *server;
static net_addr address;
static unsigned served, smuggled;

static void on_request(void *ctx, http_request *r)
{
    (void)ctx;
    served++;
    smuggled += span_eq_str(http_path(r), "/smuggled");
    http_respond(r, 200, NULL, SPAN_LIT("hello"), true);
}

static void start(void)
{
    error e = {0};
    served = smuggled = 0;
    the_loop = loop_new(&e);
    ck_assert_msg(the_loop != NULL, "%s", e.text);
    const http_server_options o = {.handle = on_request,
                                   .head_max = 8192,
                                   .body_max = 1024,
                                   .connections_max = 8,
                                   .idle_timeout_s = 30};
    server = http_server_open(the_loop, &o, &e);
    ck_assert_msg(server != NULL, "%s", e.text);
    net_addr any;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    ck_assert(http_server_listen(server, &any, false, NULL, &address, &e));
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

static void say(int fd, span bytes, size_t step)
{
    while (bytes.n) {
        size_t n = bytes.n < step ? bytes.n : step;
        if (send(fd, bytes.p, n, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
            return; /* refused already */
        bytes = span_from(bytes, n);
        loop_turn(the_loop, 1000);
    }
}

/* All that is answered until the server closes. */
static void hear(int fd, buf *out)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        char chunk[4096];
        ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return;
        if (n > 0)
            buf_add(out, chunk, (size_t)n);
        loop_turn(the_loop, 2000);
    }
    ck_abort_msg("the connection stays open: %s", out->p ? out->p : "");
}

static unsigned count(const buf *b, const char *mark)
{
    unsigned n = 0;
    for (const char *at = b->p; at && (at = strstr(at, mark)); at++)
        n++;
    return n;
}

#define SOUND "GET /sound HTTP/1.1\r\nHost: h\r\n\r\n"
#define CLOSE "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
#define ROW(literal)                                                                               \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const span refused[] = {
    /* line ends */
    ROW("GET / HTTP/1.1\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\nY: b\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\nX: a\n\n"),
    ROW("GET / HTTP/1.0\n\n"),
    ROW("GET / HTTP/1.0\r\n\n"),
    ROW("GET / HTTP/1.0\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\r\nX: a\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\r\r\n"),
    /* NUL, which cuts a C string off */
    ROW("G\0ET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET /\0/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\0\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHo\0st: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\0\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: \0a\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\nY: c\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\0\0\nY: c\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\nY: c\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\n\0X: a\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\n\0GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\n\0x\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\n\0x\n"),
    /* lines that continue others */
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\nY: c\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n \r\nY: c\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n \r\n\r\n"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nContent-Leng: 3\r\n th\r\n\r\nabc"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nTransfer-: chunked\r\n Encoding\r\n\r\n0\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\n \r\nHost: h\r\n\r\n"),
    /* blanks and names */
    ROW("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET /  HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
    ROW("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost : h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX\t: a\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX\x80: a\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX(: a\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: \x0b\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h\r\nX: \x7f\r\n\r\n"),
    /* versions */
    ROW("GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/1.9\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
    ROW("GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
    ROW("GET / http/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET /\r\nHost: h\r\n\r\n"),
    /* hosts */
    ROW("GET / HTTP/1.1\r\nHost: user@h\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h/smuggled\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h:80x\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h:80:80\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: [::1]80\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n"),
    ROW("GET http:///smuggled HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET http:// HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET http://u:p@h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET http://h:x/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET https://?q HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    /* codings */
    ROW("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked \r\n\r\n0\r\n\r\n"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n"),
/* trailer sections */
#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    ROW(CHUNKED "X: a\nY: b\r\n\r\n"),
    ROW(CHUNKED "X: a\rb\r\n\r\n"),
    ROW(CHUNKED "X: a\0b\r\nY: c\r\n\r\n"),
    ROW(CHUNKED "X: a\r\n b\r\n\r\n"),
    ROW(CHUNKED " X: a\r\n\r\n"),
    ROW(CHUNKED "X : a\r\n\r\n"),
    ROW(CHUNKED "no colon\r\n\r\n"),
};

static void expect_refusal(span request, const char *before, size_t step)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = client();
    served = 0;
    say(fd, span_of(before), step);
    say(fd, request, step);
    say(fd, SPAN_LIT("GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"), step);
    hear(fd, &b);
    ck_assert_msg(served == (*before != '\0'), "served: %s", request.p);
    ck_assert_uint_eq(smuggled, 0);
    ck_assert_msg(count(&b, "HTTP/1.1 400 ") + count(&b, "HTTP/1.1 505 ") == 1, "%s: %s", request.p,
                  b.p ? b.p : "");
    ck_assert_uint_eq(count(&b, "Connection: close\r\n"), 1);
    close(fd);
}

START_TEST(what_the_parser_would_repair_is_refused)
{
    expect_refusal(refused[_i], "", SIZE_MAX);
}
END_TEST

START_TEST(it_is_refused_on_a_connection_that_served_already)
{
    expect_refusal(refused[_i], SOUND, SIZE_MAX);
}
END_TEST

START_TEST(it_is_refused_when_it_comes_byte_by_byte)
{
    expect_refusal(refused[_i], SOUND, 1);
}
END_TEST

START_TEST(a_request_line_without_a_method_ends_the_connection)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = client();
    say(fd, SPAN_LIT(" GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n" SOUND), SIZE_MAX);
    hear(fd, &b);
    ck_assert_uint_eq(served, 0);
    close(fd);
}
END_TEST

static const span sound[] = {
    ROW("GET / HTTP/1.0\r\n\r\n"),
    ROW("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost:h\r\nX:\r\nY: \r\nZ:  \t a b\t \r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h:80\r\nX: caf\xc3\xa9 \xff\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: h:\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"),
    ROW("GET / HTTP/1.1\r\nhOST: my_service-1.example\r\nCookie: a=b; c=\"d\"; e\r\n\r\n"),
    ROW("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("GET http://h HTTP/1.1\r\nHost: other\r\n\r\n"),
    ROW("GET https://[::1]:8?a=b&c&d=%00 HTTP/1.1\r\nHost: other\r\n\r\n"),
    ROW("GET /?a=b&c=+&&=&d HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("M-SEARCH / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:  Chunked\r\n\r\n0\r\n\r\n"),
    ROW(CHUNKED "\r\n"),
    ROW(CHUNKED "X: a\r\nY:b \r\nZ:\r\n\r\n"),
    ROW("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3;x=y\r\nabc\r\nA\r\n0123456789\r\n00\r\nX-Sum: 1\r\n\r\n"),
};

static void expect_service(span request, size_t step)
{
    auto_buf buf b = buf_make(ANSWER_MAX);
    int fd = client();
    const unsigned expected = strstr(request.p, "HTTP/1.0\r\n\r\n") ? 2 : 3; /* it closes itself */
    served = 0;
    say(fd, SPAN_LIT(SOUND), step);
    say(fd, request, step);
    if (expected == 3)
        say(fd, SPAN_LIT(CLOSE), step);
    hear(fd, &b);
    ck_assert_msg(served == expected, "%s: %s", request.p, b.p ? b.p : "");
    ck_assert_uint_eq(count(&b, "HTTP/1.1 200 "), expected);
    close(fd);
}

START_TEST(what_only_looks_unusual_is_served)
{
    expect_service(sound[_i], SIZE_MAX);
}
END_TEST

START_TEST(it_is_served_when_it_comes_byte_by_byte)
{
    expect_service(sound[_i], 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("gate");
    TCase *t = tcase_create("gate");
    tcase_add_checked_fixture(t, start, stop);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, what_the_parser_would_repair_is_refused, 0, (int)countof(refused));
    tcase_add_loop_test(t, it_is_refused_on_a_connection_that_served_already, 0,
                        (int)countof(refused));
    tcase_add_loop_test(t, it_is_refused_when_it_comes_byte_by_byte, 0, (int)countof(refused));
    tcase_add_test(t, a_request_line_without_a_method_ends_the_connection);
    tcase_add_loop_test(t, what_only_looks_unusual_is_served, 0, (int)countof(sound));
    tcase_add_loop_test(t, it_is_served_when_it_comes_byte_by_byte, 0, (int)countof(sound));
    suite_add_tcase(s, t);
    return check_main(s);
}
