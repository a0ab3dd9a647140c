/* WebSocket upgrades of callers over TLS, who reach libmicrohttpd by a pair of sockets. */
#include "secure_fixture.h"
#include "upgrade_fixture.h"

static void set_up_tls(void)
{
    proxy_options o = rig_options;
    o.tls = &fixture_tls;
    rig_open_with(&R, &o);
    heard = buf_make(1 << 20);
}

static SSL *secure_upgraded(int *out_fd, int *out_up)
{
    SSL *ssl = secure_caller(out_fd);
    secure_say(ssl, HANDSHAKE "early");
    *out_up = rig_accept(&R);
    rig_hear(&R, *out_up, &heard, "\r\n\r\n");
    rig_say(&R, *out_up, AGREED "greetings");
    secure_hear(ssl, "\r\n\r\ngreetings");
    rig_hear(&R, *out_up, &heard, "early");
    return ssl;
}

START_TEST(callers_over_tls_are_upgraded_likewise)
{
    int fd, up;
    SSL *ssl = secure_upgraded(&fd, &up);
    secure_say(ssl, "ping");
    rig_hear(&R, up, &heard, "ping");
    rig_say(&R, up, "pong");
    secure_hear(ssl, "pong");
    leave(ssl, fd);
    rig_gone(&R, up);
    expect_outcome(PROXY_OK);
}
END_TEST

START_TEST(each_way_may_end_by_itself_over_tls)
{
    int fd, up;
    SSL *ssl = secure_upgraded(&fd, &up);
    if (_i) {
        shutdown(up, SHUT_WR);
        buf_clear(&heard);
        RIG_UNTIL(&R, secure_take(ssl));
        secure_say(ssl, "and yet");
        rig_hear(&R, up, &heard, "and yet");
        ck_assert_uint_eq(R.done, 0);
        close(up);
    } else {
        (void)SSL_shutdown(ssl);
        buf_clear(&heard);
        rig_hear_all(&R, up, &heard);
        rig_say(&R, up, "and yet");
        secure_hear(ssl, "and yet");
        ck_assert_uint_eq(R.done, 0);
        close(up);
        buf_clear(&heard);
        RIG_UNTIL(&R, secure_take(ssl));
    }
    leave(ssl, fd);
    expect_outcome(PROXY_OK);
}
END_TEST

START_TEST(an_upstream_that_leaves_takes_a_caller_over_tls_along)
{
    int fd, up;
    SSL *ssl = secure_upgraded(&fd, &up);
    if (_i)
        reset(up);
    else
        close(up);
    RIG_UNTIL(&R, secure_take(ssl));
    proxy_drain(R.proxy, loop_now_us(R.loop) + 60 * 1000000LL, rig_on_idle, &R);
    (void)SSL_shutdown(ssl);
    leave(ssl, fd);
    RIG_UNTIL(&R, R.idle);
    expect_outcome(PROXY_OK);
}
END_TEST

START_TEST(a_cut_ends_a_connection_over_tls_whatever_the_caller_does)
{
    if (!_i)
        R.forward.timeout_us = 100 * 1000;
    int fd, up;
    SSL *ssl = secure_upgraded(&fd, &up);
    if (_i)
        proxy_drain(R.proxy, loop_now_us(R.loop) + 50 * 1000, rig_on_idle, &R);
    expect_outcome(_i ? PROXY_CLIENT_GONE : PROXY_TIMEOUT);
    buf_clear(&heard);
    RIG_UNTIL(&R, secure_take(ssl));
    rig_gone(&R, up);
    if (!_i)
        proxy_drain(R.proxy, loop_now_us(R.loop) + 60 * 1000000LL, rig_on_idle, &R);
    RIG_UNTIL(&R, R.idle);
    leave(ssl, fd);
}
END_TEST

START_TEST(closing_ends_it_over_tls)
{
    int fd, up;
    SSL *ssl = secure_upgraded(&fd, &up);
    tear_down();
    ck_assert_uint_eq(R.done, 1);
    leave(ssl, fd);
    close(up);
    set_up_tls();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_upgrade_tls");
    TCase *t = tcase_create("tls");
    tcase_add_checked_fixture(t, set_up_tls, tear_down);
    tcase_set_timeout(t, 20);
    tcase_add_test(t, callers_over_tls_are_upgraded_likewise);
    tcase_add_loop_test(t, each_way_may_end_by_itself_over_tls, 0, 2);
    tcase_add_loop_test(t, an_upstream_that_leaves_takes_a_caller_over_tls_along, 0, 2);
    tcase_add_loop_test(t, a_cut_ends_a_connection_over_tls_whatever_the_caller_does, 0, 2);
    tcase_add_test(t, closing_ends_it_over_tls);
    suite_add_tcase(s, t);
    fixture_tls_once();
    const int failed = check_main(s);
    fixture_tls_free();
    return failed;
}
