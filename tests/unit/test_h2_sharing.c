/* Calls that share an HTTP/2 connection to their upstream: how many, who waits for whom, and what
 * is left of those that are given up. The callers speak HTTP/1.1. */
#include "h2_peer.h"
#include "proxy/exchange_impl.h"
#include "proxy/h2_session.h"

/* ---- many on one connection ---- */

START_TEST(a_hundred_calls_share_a_connection_and_one_more_opens_another)
{
    enum { CALLS = H2_STREAMS_MAX };
    proxy_options wide = rig_options;
    wide.connections_max = 200;
    tear_down();
    rig_open_with(&R, &wide);
    heard = buf_make(1 << 20);
    R.forward.http2 = true;
    int callers[CALLS + 1];
    callers[0] = asking(RIG_GET("/0"));
    h2_peer *up = accept_peer();
    for (int i = 1; i < CALLS; i++)
        callers[i] = asking(RIG_GET("/n"));
    (void)nth_asked(up, CALLS - 1);
    ck_assert(rig_nobody_connects(&R));
    callers[CALLS] = asking(RIG_GET("/more"));
    h2_peer *more = accept_peer();
    ck_assert(has(&nth_asked(more, 0)->head, ":path: /more\n"));
    close(callers[CALLS]);
    PEERS_UNTIL(more->streams[0].closed);
    for (int i = 0; i < CALLS; i++) { /* RIG_OUTCOMES are fewer */
        close(callers[i]);
        PEERS_UNTIL((R.done = 0, up->streams[i].closed));
    }
}
END_TEST

START_TEST(no_more_calls_than_the_upstream_allows_share_a_connection)
{
    static const peer_options one_by_one = {.server = true, .streams = 1};
    int first = asking(RIG_GET("/first"));
    h2_peer *up = accept_peer_as(&one_by_one);
    (void)nth_asked(up, 0);
    peers_turns(3); /* the SETTINGS are known now */
    int second = asking(RIG_GET("/second"));
    h2_peer *other = accept_peer_as(&one_by_one);
    answer_ok(other, nth_asked(other, 0));
    hear(second, "ok");
    answer_ok(up, &up->streams[0]);
    hear(first, "ok");
    close(first);
    close(second);
}
END_TEST

/* Those that were put on it before its SETTINGS said so wait, or are refused and go elsewhere. */
START_TEST(calls_that_came_before_the_settings_are_answered_all_the_same)
{
    enum { CALLS = 4 };
    static const peer_options one_by_one = {.server = true, .streams = 1};
    int callers[CALLS];
    unsigned answered = 0;
    for (int i = 0; i < CALLS; i++)
        callers[i] = asking(RIG_GET("/n"));
    (void)accept_peer_as(&one_by_one);
    const int64_t until = clock_mono_us() + RIG_PATIENCE_US;
    while (R.done < CALLS) {
        ck_assert_msg(clock_mono_us() < until, "%u answered", answered);
        int fd = accept4(R.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0)
            (void)peer_new(fd, &one_by_one);
        peers_turn();
        for (size_t i = 0; i < PEERS_MAX; i++)
            for (size_t k = 0; peers[i] && k < peers[i]->count; k++)
                if (peers[i]->streams[k].ended && !peers[i]->streams[k].out.n &&
                    !peers[i]->streams[k].closed)
                    answer_ok(peers[i], &peers[i]->streams[k]);
        rig_turn(&R);
    }
    for (int i = 0; i < CALLS; i++) {
        hear(callers[i], "ok");
        ck_assert_int_eq(R.outcomes[i].failure, PROXY_OK);
        close(callers[i]);
    }
}
END_TEST

/* ---- callers that leave ---- */

START_TEST(an_upstream_learns_that_the_caller_left)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    PEERS_UNTIL(s->ended);
    close(caller);
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_CANCEL);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    ck_assert(!up->gone);
}
END_TEST

/* The connection is not up when they leave: nothing of them may be left for when it is. */
START_TEST(callers_that_leave_before_the_connection_is_up_leave_nothing)
{
    enum { CALLS = 6 };
    static const int order[][CALLS] = {
        {0, 1, 2, 3, 4, -1}, {5, 3, 1, 0, -1, -1}, {2, 4, 0, 5, 1, 3}, {5, 4, 3, 2, 1, 0}};
    proxy_options o = rig_options;
    o.connect_timeout_us = 0;
    tear_down();
    rig_open_with(&R, &o);
    heard = buf_make(1 << 20);
    R.forward.http2 = true;
    R.defer = true;
    int callers[CALLS];
    exchange *open[CALLS];
    for (unsigned i = 0; i < CALLS; i++) {
        callers[i] = asking(RIG_GET("/"));
        RIG_UNTIL(&R, R.heads == i + 1);
        open[i] = R.last;
    }
    for (int i = 0; i < CALLS; i++)
        exchange_forward(open[i], &R.forward); /* the connection is up in the next turn */
    unsigned gone = 0;
    for (int i = 0; i < CALLS && order[_i][i] >= 0; i++, gone++)
        exchange_client_gone(open[order[_i][i]]);
    h2_peer *up = accept_peer();
    PEERS_UNTIL(R.done == gone);
    for (unsigned i = gone; i < CALLS; i++)
        answer_ok(up, nth_asked(up, i - gone));
    PEERS_UNTIL(R.done == CALLS);
    peers_turns(3);
    ck_assert_uint_eq(up->count, CALLS - gone);
    for (int i = 0; i < CALLS; i++)
        close(callers[i]);
}
END_TEST

START_TEST(the_proxy_may_close_with_calls_in_flight)
{
    int waiting = asking(RIG_GET("/waiting"));
    h2_peer *up = accept_peer();
    (void)nth_asked(up, 0);
    int streaming = asking(RIG_GET("/streaming"));
    peer_stream *s = nth_asked(up, 1);
    peer_answer(up, s, ":status: 200\n", true);
    peer_say_text(up, s, "some");
    hear(streaming, "some");
    int uploading = asking("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nh");
    (void)nth_asked(up, 2);
    proxy_close(R.proxy);
    R.proxy = NULL;
    rig_turn(&R); /* whatever was put off is harmless */
    ck_assert_uint_eq(R.done, 3);
    close(waiting);
    close(streaming);
    close(uploading);
}
END_TEST

/* ---- back-pressure ---- */

static size_t push(int fd, size_t n)
{
    static char much[65536];
    size_t sent = 0;
    while (sent < n) {
        ssize_t one = send(fd, much, n - sent < sizeof much ? n - sent : sizeof much, MSG_NOSIGNAL);
        if (one <= 0)
            break;
        sent += (size_t)one;
    }
    return sent;
}

START_TEST(an_upload_waits_for_the_upstreams_window)
{
    enum { BIG = 24 << 20, BOUND = 16 << 20 }; /* sockets hold some MiB, too */
    static const peer_options hoarder = {.server = true, .hoards = true};
    int caller = asking("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 25165824\r\n\r\n");
    h2_peer *up = accept_peer_as(&hoarder);
    peer_stream *s = nth_asked(up, 0);
    size_t sent = 0;
    for (unsigned still = 0; still < 50; still++) {
        const size_t more = push(caller, BIG - sent);
        sent += more;
        if (more)
            still = 0;
        peers_turns(1);
    }
    ck_assert_uint_eq(s->received, 65535);
    ck_assert_uint_lt(sent, BOUND);
    size_t taken = 0;
    PEERS_UNTIL((sent += push(caller, BIG - sent), peer_take(up, s, s->received - taken),
                 taken = s->received, s->ended));
    ck_assert_uint_eq(s->received, BIG);
    answer_ok(up, s);
    hear(caller, "ok");
    close(caller);
}
END_TEST

START_TEST(a_caller_that_does_not_read_stops_its_own_stream_only)
{
    enum { BIG = 8 << 20, SMALL_BUFFER = 8192 };
    int slow = rig_caller_sized(&R, SMALL_BUFFER);
    rig_say(&R, slow, RIG_GET("/slow"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    peer_answer(up, s, ":status: 200\ncontent-length: 8388608\n", true);
    peer_say_much(up, s, BIG);
    peer_end(up, s, NULL);
    peers_turns(30);
    const size_t said = s->out_at;
    ck_assert_uint_ge(said, H2_STREAM_WINDOW);
    ck_assert_uint_lt(said, H2_STREAM_WINDOW + 512 * 1024);
    int other = asking(RIG_GET("/other"));
    answer_ok(up, nth_asked(up, 1));
    hear(other, "ok");
    ck_assert_uint_eq(s->out_at, said);
    buf_clear(&heard);
    PEERS_UNTIL((rig_take(slow, &heard), heard.n > BIG));
    ck_assert_int_eq(rig_outcome(&R, 1)->failure, PROXY_OK);
    close(slow);
    close(other);
}
END_TEST

/* What was received for callers that left counts as taken: else the connection's window is used up
 * some day and all stand still. */
START_TEST(downloads_that_are_given_up_do_not_use_up_the_connections_window)
{
    enum { CALLS = 250, EACH = 256 * 1024, SMALL_BUFFER = 8192 }; /* of 12.5 MiB */
    int first = asking(RIG_GET("/first"));
    h2_peer *up = accept_peer();
    answer_ok(up, nth_asked(up, 0));
    hear(first, "ok");
    for (unsigned i = 1; i <= CALLS; i++) {
        int caller = rig_caller_sized(&R, SMALL_BUFFER);
        rig_say(&R, caller, RIG_GET("/much"));
        peer_stream *s = nth_asked(up, i);
        peer_answer(up, s, ":status: 200\n", true);
        peer_say_much(up, s, EACH);
        PEERS_UNTIL(s->out_at >= H2_STREAM_WINDOW);
        close(caller);
        PEERS_UNTIL((R.done = 1, s->closed));
        buf_free(&s->out);
    }
    R.done = 0;
    rig_say(&R, first, RIG_GET("/last"));
    answer_ok(up, nth_asked(up, CALLS + 1));
    hear(first, "ok");
    ck_assert(rig_nobody_connects(&R));
    close(first);
}
END_TEST

START_TEST(an_answer_may_come_while_the_upload_goes_on)
{
    int caller = asking("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nsome");
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    answer_ok(up, s);
    PEERS_UNTIL(!peer_unsaid(s));
    peers_turns(3);
    (void)push(caller, 100000 - 4);
    hear(caller, "ok");
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_NO_ERROR);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(caller);
}
END_TEST

/* ---- idle connections ---- */

static void open_with_short_idle(void)
{
    proxy_options hasty = rig_options;
    hasty.upstream_idle_s = 1;
    tear_down();
    rig_open_with(&R, &hasty);
    heard = buf_make(1 << 20);
    R.forward.http2 = true;
}

START_TEST(an_idle_connection_is_closed_with_a_good_bye)
{
    open_with_short_idle();
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    answer_ok(up, nth_asked(up, 0));
    hear(caller, "ok");
    PEERS_UNTIL(up->gone);
    ck_assert_uint_eq(up->goaways, 1);
    ck_assert_uint_eq(up->goaway_code, NGHTTP2_NO_ERROR);
    close(caller);
}
END_TEST

START_TEST(an_upstream_that_says_good_bye_is_not_asked_again)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    answer_ok(up, nth_asked(up, 0));
    hear(caller, "ok");
    ck_assert_int_eq(nghttp2_session_terminate_session(up->ng, NGHTTP2_NO_ERROR), 0);
    PEERS_UNTIL(up->gone);
    rig_say(&R, caller, RIG_GET("/again"));
    h2_peer *next = accept_peer();
    answer_ok(next, nth_asked(next, 0));
    hear(caller, "ok");
    close(caller);
}
END_TEST

static Suite *h2_sharing_suite(void)
{
    Suite *s = suite_create("h2_sharing");
    TCase *t = tcase_create("sharing");
    tcase_add_checked_fixture(t, set_up_h2, tear_down_h2);
    tcase_add_test(t, a_hundred_calls_share_a_connection_and_one_more_opens_another);
    tcase_add_test(t, no_more_calls_than_the_upstream_allows_share_a_connection);
    tcase_add_test(t, calls_that_came_before_the_settings_are_answered_all_the_same);
    tcase_add_test(t, an_idle_connection_is_closed_with_a_good_bye);
    tcase_add_test(t, an_upstream_that_says_good_bye_is_not_asked_again);
    suite_add_tcase(s, t);
    t = tcase_create("leaving");
    tcase_add_checked_fixture(t, set_up_h2, tear_down_h2);
    tcase_add_test(t, an_upstream_learns_that_the_caller_left);
    tcase_add_loop_test(t, callers_that_leave_before_the_connection_is_up_leave_nothing, 0, 4);
    tcase_add_test(t, the_proxy_may_close_with_calls_in_flight);
    suite_add_tcase(s, t);
    t = tcase_create("back-pressure");
    tcase_add_checked_fixture(t, set_up_h2, tear_down_h2);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, an_upload_waits_for_the_upstreams_window);
    tcase_add_test(t, a_caller_that_does_not_read_stops_its_own_stream_only);
    tcase_add_test(t, downloads_that_are_given_up_do_not_use_up_the_connections_window);
    tcase_add_test(t, an_answer_may_come_while_the_upload_goes_on);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return check_main(h2_sharing_suite());
}
