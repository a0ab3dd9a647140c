/* Every way that an exchange can end: the answer, a time-out, a failing upstream, the worker
 * stopping. */
#include "proxy_fixture.h"

/* ---- failing upstreams ---- */

static const struct {
    const char *answer; /* NULL: a reset */
    proxy_failure failure;
} broken[] = {
    {"", PROXY_BAD_RESPONSE},
    {NULL, PROXY_CONNECT_FAILED},
    {"HTTP/1.1 200 OK\r\nContent-", PROXY_BAD_RESPONSE},
    {"220 smtp ready\r\n", PROXY_BAD_RESPONSE},
    {"HTTP/1.1 101 Switching Protocols\r\n\r\n", PROXY_BAD_RESPONSE},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     PROXY_BAD_RESPONSE},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", PROXY_BAD_RESPONSE},
};

START_TEST(a_failure_before_the_head_becomes_the_judges_page)
{
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    if (!broken[_i].answer) {
        const struct linger hard = {.l_onoff = 1};
        ck_assert_int_eq(setsockopt(up, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    } else {
        rig_say(&R, up, broken[_i].answer);
    }
    close(up);
    rig_hear(&R, caller, &heard, proxy_failure_name(broken[_i].failure));
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 503 "));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, broken[_i].failure);
    ck_assert_uint_eq(R.failures, 1);
    ck_assert_uint_eq(R.outcomes[0].status, 503);
    ck_assert(rig_nobody_connects(&R)); /* a fresh connection is not retried */
    rig_say(&R, caller, RIG_GET("/"));  /* and the caller's connection goes on */
    up = rig_accept(&R);
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_refused_connection_becomes_the_judges_page)
{
    close(R.listener);
    R.listener = -1;
    int caller = rig_caller(&R);
    rig_say(&R, caller,
            _i ? "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody" : RIG_GET("/"));
    rig_hear(&R, caller, &heard, "connect-failed");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CONNECT_FAILED);
    close(caller);
}
END_TEST

static const char *const partial[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
};

START_TEST(a_failure_in_the_middle_cuts_the_response_off)
{
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    rig_say(&R, up, partial[_i]);
    rig_hear(&R, caller, &heard, "half");
    close(up);
    buf_clear(&heard);
    rig_hear_all(&R, caller, &heard);
    ck_assert(!heard.n || !strstr(heard.p, "0\r\n\r\n"));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_TRUNCATED);
    ck_assert_uint_eq(R.outcomes[0].status, 200);
    ck_assert_uint_eq(R.failures, 0);
    close(caller);
}
END_TEST

/* ---- kept-alive connections that died ---- */

/* A caller and an upstream connection that has served once; then it is shut so that the proxy finds
 * out only by using it. */
static int caller_after_one(int *out_up)
{
    int caller = waiting_caller(out_up, RIG_GET("/1"));
    rig_say(&R, *out_up, OK_ANSWER);
    rig_hear(&R, caller, &heard, "ok");
    return caller;
}

START_TEST(a_dead_kept_alive_connection_is_tried_anew_only_where_that_is_harmless)
{
    static const struct {
        const char *request;
        bool again;
    } cases[] = {
        {RIG_GET("/2"), true},
        {"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", true},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", false},
        {"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", false},
    };
    int up;
    int caller = caller_after_one(&up);
    rig_say(&R, caller, cases[_i].request);
    rig_hear(&R, up, &heard, "\r\n\r\n"); /* it was sent on the old connection */
    close(up);
    if (cases[_i].again) {
        up = rig_accept(&R);
        rig_hear(&R, up, &heard, "\r\n\r\n");
        ck_assert_str_eq(heard.p, cases[_i].request);
        rig_say(&R, up, OK_ANSWER);
        rig_hear(&R, caller, &heard, "ok");
        close(up);
    } else {
        rig_hear(&R, caller, &heard, "HTTP/1.1 503 ");
        ck_assert(rig_nobody_connects(&R));
    }
    close(caller);
}
END_TEST

START_TEST(a_request_is_tried_anew_once)
{
    int up;
    int caller = caller_after_one(&up);
    rig_say(&R, caller, RIG_GET("/2"));
    rig_hear(&R, up, &heard, "\r\n\r\n");
    close(up);
    up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    close(up);
    rig_hear(&R, caller, &heard, "HTTP/1.1 503 ");
    ck_assert(rig_nobody_connects(&R));
    close(caller);
}
END_TEST

START_TEST(an_idle_connection_that_the_upstream_closed_is_not_used)
{
    int up;
    int caller = caller_after_one(&up);
    close(up);
    for (int i = 0; i < 5; i++)
        rig_turn(&R);
    rig_say(&R, caller, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    up = rig_accept(&R);
    rig_hear(&R, up, &heard, "POST");
    rig_say(&R, up, OK_ANSWER);
    rig_hear(&R, caller, &heard, "ok");
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_connection_with_stray_bytes_is_not_used_again)
{
    int up;
    int caller = waiting_caller(&up, RIG_GET("/1"));
    rig_say(&R, up, OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
    rig_hear(&R, caller, &heard, "ok");
    rig_gone(&R, up);
    rig_say(&R, caller, RIG_GET("/2"));
    up = rig_accept(&R);
    rig_say(&R, up, OK_ANSWER);
    rig_hear(&R, caller, &heard, "ok");
    ck_assert_ptr_null(strstr(heard.p, "forged"));
    close(up);
    close(caller);
}
END_TEST

/* ---- time runs out ---- */

START_TEST(a_silent_upstream_times_out_with_the_judges_page)
{
    R.forward.timeout_us = 30000;
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    rig_hear(&R, caller, &heard, "timeout");
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 504 "));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_TIMEOUT);
    rig_gone(&R, up);
    close(caller);
}
END_TEST

START_TEST(a_response_that_takes_too_long_is_cut_off)
{
    R.forward.timeout_us = 30000;
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    rig_say(&R, up, partial[_i]);
    rig_hear(&R, caller, &heard, "half");
    rig_gone(&R, caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_TIMEOUT);
    ck_assert_uint_eq(R.failures, 0);
    rig_gone(&R, up);
}
END_TEST

/* ---- the worker stops ---- */

START_TEST(draining_lets_an_exchange_end_and_then_closes_its_connection)
{
    int up;
    int caller = waiting_caller(&up, RIG_GET("/"));
    int idle_caller = rig_caller(&R);
    proxy_drain(R.proxy, loop_now_us(R.loop) + RIG_PATIENCE_US, rig_on_idle, &R);
    rig_gone(&R, idle_caller);
    ck_assert(!R.idle);
    rig_say(&R, up, OK_ANSWER);
    buf_clear(&heard);
    rig_hear_all(&R, caller, &heard);
    ck_assert_ptr_nonnull(strstr(heard.p, "Connection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(heard.p, "\r\n\r\nok"));
    RIG_UNTIL(&R, R.idle);
    ck_assert_int_eq(R.outcomes[0].failure, PROXY_OK);
    close(up);
    close(caller);
}
END_TEST

START_TEST(draining_without_an_exchange_is_over_at_once)
{
    proxy_drain(R.proxy, loop_now_us(R.loop) + RIG_PATIENCE_US, rig_on_idle, &R);
    RIG_UNTIL(&R, R.idle);
}
END_TEST

/* Exchanges in every kind of wait at once: held, suspended, streaming, uploading, with the judge.
 */
static void many_waits(int callers[5], int ups[5])
{
    static const char *const requests[] = {
        RIG_GET("/waits"), RIG_GET("/streams"),
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"};
    for (int i = 0; i < 4; i++)
        callers[i] = waiting_caller(&ups[i], requests[i]);
    rig_say(&R, ups[1], partial[0]);
    rig_hear(&R, callers[1], &heard, "half");
    R.defer = true;
    callers[4] = rig_caller(&R);
    rig_say(&R, callers[4], RIG_GET("/deferred"));
    RIG_UNTIL(&R, R.heads == 5);
    ups[4] = -1;
    for (int i = 0; i < 10; i++)
        rig_turn(&R);
}

START_TEST(the_drains_deadline_cancels_whatever_waits)
{
    int callers[5], ups[5];
    many_waits(callers, ups);
    proxy_drain(R.proxy, loop_now_us(R.loop) + 20000, rig_on_idle, &R);
    RIG_UNTIL(&R, R.idle);
    ck_assert_uint_eq(R.done, 5);
    for (int i = 0; i < 5; i++) {
        rig_gone(&R, callers[i]);
        if (ups[i] >= 0)
            rig_gone(&R, ups[i]);
    }
}
END_TEST

START_TEST(closing_with_waiting_exchanges_ends_each_of_them)
{
    int callers[5], ups[5];
    many_waits(callers, ups);
    proxy_close(R.proxy);
    R.proxy = NULL;
    ck_assert_uint_eq(R.done, 5);
    for (int i = 0; i < 5; i++) {
        buf_clear(&heard);
        rig_hear_all(&R, callers[i], &heard);
        close(callers[i]);
        if (ups[i] >= 0)
            close(ups[i]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_ends");
    TCase *t = tcase_create("ends");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 20);
    tcase_add_loop_test(t, a_failure_before_the_head_becomes_the_judges_page, 0, countof(broken));
    tcase_add_loop_test(t, a_refused_connection_becomes_the_judges_page, 0, 2);
    tcase_add_loop_test(t, a_failure_in_the_middle_cuts_the_response_off, 0, countof(partial));
    tcase_add_loop_test(t, a_dead_kept_alive_connection_is_tried_anew_only_where_that_is_harmless,
                        0, 4);
    tcase_add_test(t, a_request_is_tried_anew_once);
    tcase_add_test(t, an_idle_connection_that_the_upstream_closed_is_not_used);
    tcase_add_test(t, a_connection_with_stray_bytes_is_not_used_again);
    tcase_add_test(t, a_silent_upstream_times_out_with_the_judges_page);
    tcase_add_loop_test(t, a_response_that_takes_too_long_is_cut_off, 0, countof(partial));
    tcase_add_test(t, draining_lets_an_exchange_end_and_then_closes_its_connection);
    tcase_add_test(t, draining_without_an_exchange_is_over_at_once);
    tcase_add_test(t, the_drains_deadline_cancels_whatever_waits);
    tcase_add_test(t, closing_with_waiting_exchanges_ends_each_of_them);
    suite_add_tcase(s, t);
    return check_main(s);
}
