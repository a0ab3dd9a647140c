/* What the judge answers by itself, at once or later, and requests that never reach it. */
#include "proxy_fixture.h"

/* ---- early answers ---- */

START_TEST(a_refusal_without_a_body_keeps_the_connection)
{
    R.reply_status = 403;
    int caller = rig_caller(&R);
    for (int i = 0; i < 2; i++) {
        rig_say(&R, caller, RIG_GET("/"));
        rig_hear(&R, caller, &heard, "\r\n\r\nno\n");
        ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 403 "));
        ck_assert_ptr_nonnull(strstr(heard.p, "X-Judge: refused\r\n"));
        ck_assert_ptr_null(strstr(heard.p, "Connection:"));
    }
    const exchange_outcome *o = rig_outcome(&R, 1);
    ck_assert(!o->forwarded);
    ck_assert_uint_eq(o->status, 403);
    ck_assert_int_eq(o->failure, PROXY_OK);
    ck_assert(rig_nobody_connects(&R));
    close(caller);
}
END_TEST

START_TEST(a_refusal_to_head_has_a_length_and_no_body)
{
    R.reply_status = 403;
    int caller = rig_caller(&R);
    rig_say(&R, caller, "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" RIG_GET("/"));
    rig_hear(&R, caller, &heard, "no\n");
    ck_assert_ptr_nonnull(strstr(heard.p, "Content-Length: 3\r\n\r\nHTTP/1.1 403 "));
    close(caller);
}
END_TEST

static const char *const unread[] = {
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\npart of it",
};

START_TEST(a_refusal_does_not_wait_for_the_body)
{
    R.reply_status = 413;
    int caller = rig_caller(&R);
    rig_say(&R, caller, unread[_i]);
    rig_hear_all(&R, caller, &heard);
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 413 "));
    ck_assert_ptr_nonnull(strstr(heard.p, "Connection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(heard.p, "\r\n\r\nno\n"));
    ck_assert_ptr_null(strstr(heard.p, "100 Continue"));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(caller);
}
END_TEST

START_TEST(a_caller_that_sends_on_after_its_refusal_can_still_read_it)
{
    R.reply_status = 403;
    int caller = rig_caller(&R);
    rig_say(&R, caller, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    (void)rig_outcome(&R, 0);
    static char block[50000];
    for (int i = 0; i < 20; i++) { /* a reset would fail one of these */
        rig_send(&R, caller, block, sizeof block);
        rig_turn(&R);
    }
    rig_hear_all(&R, caller, &heard);
    ck_assert_ptr_nonnull(strstr(heard.p, "\r\n\r\nno\n"));
    close(caller);
}
END_TEST

/* ---- later answers ---- */

START_TEST(a_deferred_judge_may_forward_later)
{
    R.defer = true;
    int caller = rig_caller(&R);
    rig_say(&R, caller, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
    RIG_UNTIL(&R, R.last);
    for (int i = 0; i < 5; i++)
        rig_turn(&R);
    ck_assert(rig_nobody_connects(&R));
    rig_judge(&R, R.last);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\nbody");
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "ok");
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_deferred_judge_may_refuse_later)
{
    R.defer = true;
    int caller = rig_caller(&R);
    rig_say(&R, caller, _i ? unread[0] : RIG_GET("/"));
    RIG_UNTIL(&R, R.last);
    R.reply_status = 401;
    rig_judge(&R, R.last);
    rig_hear(&R, caller, &heard, "\r\n\r\nno\n");
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 401 "));
    close(caller);
}
END_TEST

START_TEST(a_deferred_judge_learns_that_the_caller_left)
{
    R.defer = true;
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/"));
    RIG_UNTIL(&R, R.last);
    close(caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    ck_assert_ptr_null(R.last);
}
END_TEST

/* ---- requests that never reach the judge ---- */

static const struct {
    const char *request;
    unsigned status;
} malformed[] = {
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400},
};

START_TEST(a_malformed_request_is_refused_and_the_connection_closed)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, malformed[_i].request);
    rig_say(&R, caller, RIG_GET("/smuggled"));
    rig_hear_all(&R, caller, &heard);
    char status[16];
    (void)snprintf(status, sizeof status, "HTTP/1.1 %u ", malformed[_i].status);
    ck_assert_ptr_nonnull(strstr(heard.p, status));
    ck_assert_ptr_nonnull(strstr(heard.p, "Connection: close\r\n"));
    ck_assert_uint_eq(R.malformed_status, malformed[_i].status);
    ck_assert_uint_eq(R.heads, 0);
    ck_assert_uint_eq(R.done, 0);
    close(caller);
}
END_TEST

START_TEST(a_head_beyond_the_connection_memory_is_too_large)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
    static char filler[20000];
    memset(filler, 'x', sizeof filler);
    rig_send(&R, caller, filler, sizeof filler);
    rig_hear_all(&R, caller, &heard);
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 431 "));
    ck_assert_uint_eq(R.malformed_status, 431);
    ck_assert_uint_eq(R.heads, 0);
    close(caller);
}
END_TEST

START_TEST(a_large_head_that_fits_passes)
{
    int caller = rig_caller(&R);
    auto_buf buf request = buf_make(20000);
    buf_str(&request, "GET / HTTP/1.1\r\nHost: h\r\n");
    for (int i = 0; i < 70; i++)
        buf_fmt(&request, "X-%02d: %0100d\r\n", i, i);
    buf_str(&request, "\r\n");
    rig_say(&R, caller, request.p);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    ck_assert_str_eq(heard.p, request.p);
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "ok");
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_response_head_that_cannot_be_sent_becomes_a_page)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/"));
    int up = rig_accept(&R);
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nX: ");
    static char filler[16200];
    memset(filler, 'x', sizeof filler);
    rig_send(&R, up, filler, sizeof filler);
    rig_say(&R, up, "\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "bad-response");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_BAD_RESPONSE);
    close(up);
    close(caller);
}
END_TEST

/* ---- slow heads ---- */

static void reopen_impatient(void)
{
    rig_close(&R);
    proxy_options o = rig_options;
    o.head_timeout_s = 1;
    rig_open_with(&R, &o);
}

START_TEST(a_head_that_takes_too_long_is_given_up)
{
    static const char *const begun[] = {"G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: h\r\n"};
    reopen_impatient();
    int caller = rig_caller(&R);
    rig_say(&R, caller, begun[_i]);
    RIG_UNTIL(&R, R.malformed_status);
    ck_assert_uint_eq(R.malformed_status, 408);
    rig_hear_all(&R, caller, &heard);
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 408 "));
    close(caller);
}
END_TEST

START_TEST(neither_silence_nor_a_served_request_counts_as_a_slow_head)
{
    reopen_impatient();
    int silent = rig_caller(&R);
    int busy = rig_caller(&R);
    int dawdler = rig_caller(&R); /* its end tells that a head's time has passed */
    R.reply_status = 403;
    rig_say(&R, busy, RIG_GET("/"));
    rig_hear(&R, busy, &heard, "no\n");
    rig_say(&R, dawdler, "G");
    rig_gone(&R, dawdler);
    rig_say(&R, busy, RIG_GET("/"));
    rig_hear(&R, busy, &heard, "no\n");
    rig_say(&R, silent, RIG_GET("/"));
    rig_hear(&R, silent, &heard, "no\n");
    close(busy);
    close(silent);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_judge");
    TCase *t = tcase_create("judge");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 20);
    tcase_add_test(t, a_refusal_without_a_body_keeps_the_connection);
    tcase_add_test(t, a_refusal_to_head_has_a_length_and_no_body);
    tcase_add_loop_test(t, a_refusal_does_not_wait_for_the_body, 0, countof(unread));
    tcase_add_test(t, a_caller_that_sends_on_after_its_refusal_can_still_read_it);
    tcase_add_test(t, a_deferred_judge_may_forward_later);
    tcase_add_loop_test(t, a_deferred_judge_may_refuse_later, 0, 2);
    tcase_add_test(t, a_deferred_judge_learns_that_the_caller_left);
    tcase_add_loop_test(t, a_malformed_request_is_refused_and_the_connection_closed, 0,
                        countof(malformed));
    tcase_add_test(t, a_head_beyond_the_connection_memory_is_too_large);
    tcase_add_test(t, a_large_head_that_fits_passes);
    tcase_add_test(t, a_response_head_that_cannot_be_sent_becomes_a_page);
    tcase_add_loop_test(t, a_head_that_takes_too_long_is_given_up, 0, 3);
    tcase_add_test(t, neither_silence_nor_a_served_request_counts_as_a_slow_head);
    suite_add_tcase(s, t);
    return check_main(s);
}
