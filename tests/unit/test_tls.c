/* A wire that speaks TLS, against OpenSSL's own client at the other end of a socketpair. */
#include "tls_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"

enum { PATIENCE_US = 3000000, MUCH = 3 * 1024 * 1024 };

static loop *l;
static tls_context *context;
static wire w;
static bool wire_is_open;
static int client_fd;
static SSL *client;

static void on_event(void *owner)
{
    (void)owner;
}

static void set_up(void)
{
    int fds[2];
    error e = {0};
    l = loop_new(NULL);
    context = tls_context_new(&fixture_tls);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert(wire_open(&w, l, fds[0], &e));
    wire_own(&w, on_event, NULL);
    ck_assert(tls_begin(context, &w));
    wire_is_open = true;
    client_fd = fds[1];
    client = NULL;
}

static void hang_up(void)
{
    if (wire_is_open)
        wire_close(&w);
    wire_is_open = false;
}

static void tear_down(void)
{
    hang_up();
    SSL_free(client);
    if (client_fd >= 0)
        close(client_fd);
    tls_context_free(context);
    loop_free(l);
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        const int64_t until_ = clock_mono_us() + PATIENCE_US;                                      \
        while (!(condition)) {                                                                     \
            ck_assert_msg(clock_mono_us() < until_, "still waiting for: %s", #condition);          \
            loop_turn(l, 1000);                                                                    \
        }                                                                                          \
    } while (0)

/* Both to their end: how it came out at the server; *out_client is what the client got. */
static tls_progress shake(const char *name, const char *alpn, int *out_client)
{
    client = fixture_dial(client_fd, name, alpn);
    tls_progress at = TLS_MORE;
    int done = 0;
    UNTIL((at == TLS_MORE ? at = tls_handshake(&w) : at,
           done = at == TLS_FAILED || done == 1 ? done : SSL_do_handshake(client),
           at == TLS_FAILED || (at == TLS_DONE && done == 1)));
    *out_client = done;
    return at;
}

static void agree(void)
{
    int done;
    ck_assert_int_eq(shake("known.test", NULL, &done), TLS_DONE);
}

static void client_says(const void *p, size_t n)
{
    ck_assert_int_eq(SSL_write(client, p, (int)n), (int)n);
}

START_TEST(bytes_travel_both_ways)
{
    char in[16];
    ssize_t n = 0;
    agree();
    client_says("hello", 5);
    UNTIL((n = wire_recv(&w, in, sizeof in)) > 0);
    ck_assert_int_eq(n, 5);
    ck_assert_int_eq(memcmp(in, "hello", 5), 0);
    ck_assert_uint_eq(w.received, 5);
    ck_assert_int_eq(wire_send(&w, "back", 4), 4);
    UNTIL((n = SSL_read(client, in, sizeof in)) > 0);
    ck_assert_int_eq(n, 4);
}
END_TEST

static const struct {
    const char *offered;
    bool agreed, h2;
} alpn_rows[] = {
    {NULL, true, false},
    {"\x08http/1.1", true, false},
    {"\x02h2", true, true},
    {"\x08http/1.1\x02h2", true, true},
    {"\x06spdy/3\x08http/1.1", true, false},
    {"\x06spdy/3", false, false},
};

START_TEST(protocols_are_agreed_on)
{
    int done;
    const tls_progress at = shake(NULL, alpn_rows[_i].offered, &done);
    ck_assert_int_eq(at, alpn_rows[_i].agreed ? TLS_DONE : TLS_FAILED);
    if (at == TLS_DONE)
        ck_assert_int_eq(tls_speaks_h2(&w), alpn_rows[_i].h2);
}
END_TEST

START_TEST(an_unknown_name_is_an_alert)
{
    int done;
    ck_assert_int_eq(shake("unknown.test", NULL, &done), TLS_FAILED);
    ck_assert_ptr_nonnull(strstr(tls_failure(&w), "no certificate for the name"));
    ERR_clear_error();
    UNTIL(!fixture_waits(client, SSL_do_handshake(client)));
    ck_assert_int_eq(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_UNRECOGNIZED_NAME);
}
END_TEST

START_TEST(what_is_not_tls_fails)
{
    ck_assert_int_eq(send(client_fd, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    tls_progress at = TLS_MORE;
    UNTIL((at = tls_handshake(&w)) != TLS_MORE);
    ck_assert_int_eq(at, TLS_FAILED);
}
END_TEST

START_TEST(who_leaves_in_the_handshake_fails_it)
{
    ck_assert_int_eq(tls_handshake(&w), TLS_MORE);
    close(client_fd);
    client_fd = -1;
    tls_progress at = TLS_MORE;
    UNTIL((at = tls_handshake(&w)) != TLS_MORE);
    ck_assert_int_eq(at, TLS_FAILED);
    ck_assert_ptr_nonnull(strstr(tls_failure(&w), "left"));
}
END_TEST

/* Decrypted bytes of which the socket knows nothing. */
START_TEST(it_stays_readable_as_long_as_openssl_holds_bytes)
{
    char big[10000] = {0};
    char in[100];
    ssize_t n = 0;
    agree();
    client_says(big, sizeof big);
    client_says(big, sizeof big);
    UNTIL((n = wire_recv(&w, in, sizeof in)) > 0);
    size_t got = (size_t)n;
    while (w.readable && (n = wire_recv(&w, in, sizeof in)) > 0)
        got += (size_t)n;
    ck_assert_uint_eq(got, 2 * sizeof big);
    ck_assert(!w.readable);
    client_says("x", 1);
    UNTIL(w.readable);
    ck_assert_int_eq(wire_recv(&w, in, sizeof in), 1);
}
END_TEST

static char pattern(size_t i)
{
    return (char)(i * 11 >> 4);
}

START_TEST(what_does_not_leave_at_once_leaves_later_unchanged)
{
    agree();
    char *out = malloc(MUCH);
    char *in = malloc(MUCH);
    for (size_t i = 0; i < MUCH; i++)
        out[i] = pattern(i);
    size_t sent = 0;
    size_t got = 0;
    unsigned stalled = 0;
    while (got < MUCH) {
        const ssize_t n = sent < MUCH ? wire_send(&w, out + sent, MUCH - sent) : 0;
        ck_assert_int_ge(n, 0);
        sent += (size_t)n;
        stalled += sent < MUCH && !w.writable;
        const int read = SSL_read(client, in + got, (int)(MUCH - got));
        got += read > 0 ? (size_t)read : 0;
        loop_turn(l, 0);
    }
    ck_assert_uint_gt(stalled, 0);
    ck_assert_int_eq(memcmp(in, out, MUCH), 0);
    free(in);
    free(out);
}
END_TEST

START_TEST(the_end_of_what_is_sent_is_told_and_receiving_goes_on)
{
    char in[16];
    int n = 0;
    agree();
    ck_assert_int_eq(wire_send(&w, "bye", 3), 3);
    ck_assert(wire_shut(&w));
    UNTIL((n = SSL_read(client, in, sizeof in)) > 0);
    ck_assert_int_eq(n, 3);
    UNTIL((n = SSL_read(client, in, sizeof in), !fixture_waits(client, n)));
    ck_assert_int_eq(SSL_get_error(client, n), SSL_ERROR_ZERO_RETURN);
    client_says("still here", 10);
    UNTIL(wire_recv(&w, in, sizeof in) == 10);
}
END_TEST

START_TEST(closing_says_farewell)
{
    char in[16];
    int n = 0;
    agree();
    hang_up();
    UNTIL((n = SSL_read(client, in, sizeof in), !fixture_waits(client, n)));
    ck_assert_int_eq(SSL_get_error(client, n), SSL_ERROR_ZERO_RETURN);
}
END_TEST

START_TEST(an_end_with_or_without_farewell_is_the_end)
{
    char in[16];
    ssize_t n = 0;
    agree();
    ck_assert(fixture_waits(client, SSL_read(client, in, sizeof in))); /* takes the ticket */
    if (_i)
        ck_assert_int_ge(SSL_shutdown(client), 0);
    close(client_fd);
    client_fd = -1;
    UNTIL((n = wire_recv(&w, in, sizeof in)) != 0);
    ck_assert_int_eq(n, WIRE_EOF);
}
END_TEST

int main(void)
{
    fixture_tls_once();
    Suite *s = suite_create("tls");
    TCase *c = tcase_create("handshake");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_loop_test(c, protocols_are_agreed_on, 0, (int)countof(alpn_rows));
    tcase_add_test(c, an_unknown_name_is_an_alert);
    tcase_add_test(c, what_is_not_tls_fails);
    tcase_add_test(c, who_leaves_in_the_handshake_fails_it);
    suite_add_tcase(s, c);
    c = tcase_create("bytes");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, bytes_travel_both_ways);
    tcase_add_test(c, it_stays_readable_as_long_as_openssl_holds_bytes);
    tcase_add_test(c, what_does_not_leave_at_once_leaves_later_unchanged);
    tcase_add_test(c, the_end_of_what_is_sent_is_told_and_receiving_goes_on);
    tcase_add_test(c, closing_says_farewell);
    tcase_add_loop_test(c, an_end_with_or_without_farewell_is_the_end, 0, 2);
    suite_add_tcase(s, c);
    const int failed = check_main(s);
    fixture_tls_free();
    return failed;
}
