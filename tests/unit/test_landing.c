/* What an accepted socket speaks, and who takes it over. */
#include "proxy/landing.h"

#include "proxy/connect.h"
#include "secure_fixture.h"

/* ---- telling them apart ---- */

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

static const struct {
    span first; /* no less than it takes to tell */
    landing_kind kind;
} kinds[] = {
    {{"\x16\x03", 2}, LANDING_TLS},
    {{PREFACE, sizeof PREFACE - 1}, LANDING_H2},
    {{"CONNECT ", 8}, LANDING_CONNECT},
    {{"G", 1}, LANDING_H1},
    {{"PU", 2}, LANDING_H1},
    {{"CONNECTS", 8}, LANDING_H1},
    {{"CA", 2}, LANDING_H1},
    {{"PRI * HTTP/1", 12}, LANDING_H1},
    {{"\x16\x02", 2}, LANDING_H1},
    {{"\x80", 1}, LANDING_H1},
    {{"\r", 1}, LANDING_H1},
};

START_TEST(the_first_bytes_tell_and_not_earlier)
{
    const span first = kinds[_i].first;
    for (size_t n = 0; n < first.n; n++)
        ck_assert_int_eq(landing_decide((span){first.p, n}), LANDING_UNDECIDED);
    ck_assert_int_eq(landing_decide(first), kinds[_i].kind);
}
END_TEST

/* ---- on real sockets ---- */

static connect_request *asked;
static unsigned gone;

static bool takes(void *ctx, void *tag)
{
    (void)ctx;
    return tag == &R;
}

static void on_connect(void *ctx, connect_request *c)
{
    (void)ctx;
    asked = c;
}

static void on_gone(void *ctx, connect_request *c)
{
    (void)ctx;
    ck_assert_ptr_eq(c, asked);
    asked = NULL;
    gone++;
}

static const connect_handler judge = {.takes = takes, .on_connect = on_connect, .on_gone = on_gone};

static void open_with(proxy_options o)
{
    o.tls = &fixture_tls;
    o.connect = &judge;
    rig_open_with(&R, &o);
    heard = buf_make(1 << 20);
    asked = NULL;
    gone = 0;
}

static void set_up_tls(void)
{
    open_with(rig_options);
}

static void reopen(void (*change)(proxy_options *o))
{
    tear_down();
    proxy_options o = rig_options;
    change(&o);
    open_with(o);
}

static void impatient(proxy_options *o)
{
    o->head_timeout_s = 1;
}

static void bored(proxy_options *o)
{
    o->idle_timeout_s = 1;
}

static void small(proxy_options *o)
{
    o->connections_max = 2;
}

static void closed_silently(int caller)
{
    rig_hear_all(&R, caller, &heard);
    ck_assert_uint_eq(heard.n, 0);
    close(caller);
}

START_TEST(a_request_that_comes_byte_by_byte_is_served)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", RIG_GET("/"),
        "COPY / HTTP/1.1\r\nHost: h\r\n\r\n", "PRI / HTTP/1.1\r\nHost: h\r\n\r\n"};
    R.reply_status = 403;
    int caller = rig_caller(&R);
    for (const char *at = requests[_i]; *at; at++) {
        rig_send(&R, caller, at, 1);
        rig_turn(&R);
    }
    rig_hear(&R, caller, &heard, "no\n");
    close(caller);
}
END_TEST

START_TEST(silence_is_an_idle_connection)
{
    reopen(bored);
    closed_silently(rig_caller(&R));
    ck_assert_uint_eq(R.malformed_status, 0);
}
END_TEST

START_TEST(a_beginning_that_decides_nothing_has_to_go_on_in_time)
{
    reopen(impatient);
    int caller = rig_caller(&R);
    rig_say(&R, caller, _i ? "CONN" : "P");
    rig_hear(&R, caller, &heard, "HTTP/1.1 408 ");
    ck_assert_uint_eq(R.malformed_status, 408);
    close(caller);
}
END_TEST

START_TEST(a_handshake_has_to_end_in_time)
{
    reopen(impatient);
    int caller = rig_caller(&R);
    rig_send(&R, caller, "\x16\x03\x01", 3);
    closed_silently(caller);
}
END_TEST

START_TEST(undecided_connections_count)
{
    reopen(small);
    int first = rig_caller(&R);
    int second = rig_caller(&R);
    closed_silently(rig_caller(&R));
    close(first);
    rig_turn(&R);
    rig_turn(&R);
    R.reply_status = 403;
    int third = rig_caller(&R);
    rig_say(&R, third, RIG_GET("/"));
    rig_hear(&R, third, &heard, "no\n");
    close(second);
    close(third);
}
END_TEST

START_TEST(draining_closes_whoever_has_not_asked_for_anything)
{
    int silent = rig_caller(&R);
    int begun = rig_caller(&R);
    rig_say(&R, begun, "CON");
    int shaking = rig_caller(&R);
    rig_send(&R, shaking, "\x16\x03\x01", 3);
    rig_turn(&R);
    rig_turn(&R);
    proxy_drain(R.proxy, loop_now_us(R.loop) + 60 * 1000000LL, rig_on_idle, &R);
    RIG_UNTIL(&R, R.idle);
    closed_silently(silent);
    closed_silently(begun);
    closed_silently(shaking);
}
END_TEST

/* ---- TLS ---- */

START_TEST(requests_over_tls_are_judged_as_such)
{
    int fd;
    SSL *ssl = secure_caller(&fd);
    R.defer = true;
    secure_say(ssl, RIG_GET("/"));
    RIG_UNTIL(&R, R.last);
    ck_assert(exchange_is_secure(R.last));
    ck_assert_ptr_eq(exchange_tag(R.last), &R);
    ck_assert_uint_gt(net_addr_port(exchange_peer(R.last)), 0);
    R.reply_status = 403;
    rig_judge(&R, R.last);
    secure_hear(ssl, "no\n");
    R.defer = false;
    secure_say(ssl, RIG_GET("/again"));
    secure_hear(ssl, "no\n");
    leave(ssl, fd);
    RIG_UNTIL(&R, R.done == 2);
}
END_TEST

START_TEST(a_caller_that_leaves_over_tls_is_noticed)
{
    int fd;
    SSL *ssl = secure_caller(&fd);
    secure_say(ssl, RIG_GET("/"));
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    leave(ssl, fd);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    close(up);
}
END_TEST

START_TEST(a_head_over_tls_that_takes_too_long_is_given_up)
{
    reopen(impatient);
    int fd;
    SSL *ssl = secure_caller(&fd);
    secure_say(ssl, "GET / HT");
    secure_hear(ssl, "HTTP/1.1 408 ");
    RIG_UNTIL(&R, secure_take(ssl));
    leave(ssl, fd);
}
END_TEST

START_TEST(draining_waits_until_an_answer_over_tls_has_left)
{
    int fd;
    SSL *ssl = secure_caller(&fd);
    R.defer = true;
    secure_say(ssl, RIG_GET("/"));
    RIG_UNTIL(&R, R.last);
    proxy_drain(R.proxy, loop_now_us(R.loop) + 60 * 1000000LL, rig_on_idle, &R);
    rig_turn(&R);
    ck_assert(!R.idle);
    R.reply_status = 403;
    rig_judge(&R, R.last);
    RIG_UNTIL(&R, R.idle);
    buf_clear(&heard);
    RIG_UNTIL(&R, secure_take(ssl));
    ck_assert_ptr_nonnull(strstr(heard.p, "no\n"));
    leave(ssl, fd);
}
END_TEST

/* ---- CONNECT ---- */

#define ASK "CONNECT somewhere:443 HTTP/1.1\r\nHost: h\r\n\r\n"

static int connecting_caller(const char *behind)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, ASK);
    rig_say(&R, caller, behind);
    RIG_UNTIL(&R, asked);
    ck_assert(span_eq_str(connect_host(asked), "somewhere"));
    ck_assert_uint_eq(connect_port(asked), 443);
    ck_assert_ptr_eq(connect_tag(asked), &R);
    return caller;
}

START_TEST(connect_lands_again_with_what_came_behind_it)
{
    R.reply_status = 403;
    int caller = connecting_caller(RIG_GET("/behind"));
    connect_land(asked, &R);
    rig_hear(&R, caller, &heard, "no\n");
    ck_assert(span_starts(buf_view(&heard),
                          SPAN_LIT("HTTP/1.1 200 Connection Established\r\n\r\nHTTP/1.1 403 ")));
    rig_say(&R, caller, ASK); /* not within */
    rig_hear(&R, caller, &heard, "HTTP/1.1 400 ");
    close(caller);
}
END_TEST

START_TEST(connect_goes_through)
{
    int caller = connecting_caller("early");
    connect_through(asked, &R.forward.upstream);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "early");
    rig_say(&R, up, "late");
    rig_hear(&R, caller, &heard, "Established\r\n\r\nlate");
    close(caller);
    rig_gone(&R, up);
}
END_TEST

START_TEST(connect_to_nobody_is_502)
{
    int caller = connecting_caller("");
    close(R.listener);
    R.listener = -1;
    connect_through(asked, &R.forward.upstream);
    rig_hear(&R, caller, &heard, "cannot be reached");
    ck_assert(span_starts(buf_view(&heard), SPAN_LIT("HTTP/1.1 502 Bad Gateway\r\n")));
    close(caller);
}
END_TEST

START_TEST(connect_can_be_refused)
{
    int caller = connecting_caller("");
    connect_refuse(asked, 403, SPAN_LIT("not there\n"));
    rig_hear_all(&R, caller, &heard);
    ck_assert(span_starts(buf_view(&heard), SPAN_LIT("HTTP/1.1 403 Forbidden\r\n")));
    ck_assert(span_ends(buf_view(&heard), SPAN_LIT("\r\n\r\nnot there\n")));
    close(caller);
}
END_TEST

START_TEST(a_connect_that_nobody_waits_for_is_forgotten)
{
    int caller = connecting_caller("");
    const struct linger hard = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(caller, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(caller);
    RIG_UNTIL(&R, gone == 1);
}
END_TEST

START_TEST(closing_forgets_connects_and_tunnels)
{
    int through = connecting_caller("");
    connect_through(asked, &R.forward.upstream);
    rig_hear(&R, through, &heard, "Established");
    asked = NULL;
    int waiting = connecting_caller("");
    proxy_close(R.proxy);
    ck_assert_uint_eq(gone, 1);
    R.proxy = proxy_open(R.loop, &rig_options, NULL);
    close(through);
    close(waiting);
}
END_TEST

START_TEST(a_connect_head_has_to_end_in_time)
{
    reopen(impatient);
    int caller = rig_caller(&R);
    rig_say(&R, caller, "CONNECT a:1 HTTP/1.1\r\n");
    rig_hear(&R, caller, &heard, "HTTP/1.1 408 ");
    close(caller);
}
END_TEST

int main(void)
{
    fixture_tls_once();
    Suite *s = suite_create("landing");
    TCase *c = tcase_create("landing");
    tcase_add_checked_fixture(c, set_up_tls, tear_down);
    tcase_add_loop_test(c, the_first_bytes_tell_and_not_earlier, 0, (int)countof(kinds));
    tcase_add_loop_test(c, a_request_that_comes_byte_by_byte_is_served, 0, 4);
    tcase_add_test(c, silence_is_an_idle_connection);
    tcase_add_loop_test(c, a_beginning_that_decides_nothing_has_to_go_on_in_time, 0, 2);
    tcase_add_test(c, a_handshake_has_to_end_in_time);
    tcase_add_test(c, undecided_connections_count);
    tcase_add_test(c, draining_closes_whoever_has_not_asked_for_anything);
    suite_add_tcase(s, c);
    c = tcase_create("tls");
    tcase_add_checked_fixture(c, set_up_tls, tear_down);
    tcase_add_test(c, requests_over_tls_are_judged_as_such);
    tcase_add_test(c, a_caller_that_leaves_over_tls_is_noticed);
    tcase_add_test(c, a_head_over_tls_that_takes_too_long_is_given_up);
    tcase_add_test(c, draining_waits_until_an_answer_over_tls_has_left);
    suite_add_tcase(s, c);
    c = tcase_create("connect");
    tcase_add_checked_fixture(c, set_up_tls, tear_down);
    tcase_add_test(c, connect_lands_again_with_what_came_behind_it);
    tcase_add_test(c, connect_goes_through);
    tcase_add_test(c, connect_to_nobody_is_502);
    tcase_add_test(c, connect_can_be_refused);
    tcase_add_test(c, a_connect_that_nobody_waits_for_is_forgotten);
    tcase_add_test(c, closing_forgets_connects_and_tunnels);
    tcase_add_test(c, a_connect_head_has_to_end_in_time);
    suite_add_tcase(s, c);
    const int failed = check_main(s);
    fixture_tls_free();
    return failed;
}
