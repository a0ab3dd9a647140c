/* Callers over HTTP/2 with many streams on one connection: each waits for itself only, what is
 * given up costs nothing, nobody has the worker to itself, and all of it comes to an end. */
#include "h2_peer.h"
#include "proxy/h2_session.h"
#include "proxy/proxy_impl.h"

static const peer_options no_window = {.no_window = true};

static void set_up_flow(void)
{
    set_up();
    heard.max = 32 << 20;
}

static int hear_request(const char *until)
{
    int up = peers_accept();
    hear(up, until);
    return up;
}

/* ---- many ---- */

START_TEST(a_hundred_streams_are_served_at_once_and_no_more)
{
    enum { STREAMS = H2_STREAMS_MAX };
    R.forward.http2 = true;
    h2_peer *c = calling_peer();
    peers_turns(3); /* the SETTINGS are known */
    for (int i = 0; i <= STREAMS; i++)
        (void)peer_ask(c, PEER_GET("/"), false);
    h2_peer *up = accept_peer();
    (void)nth_asked(up, STREAMS - 1);
    peers_turns(3);
    ck_assert_uint_eq(R.heads, STREAMS);
    for (int i = 0; i < STREAMS; i++) {
        answer_ok(up, &up->streams[i]);
        PEERS_UNTIL((R.done = 0, c->streams[i].closed));
    }
    PEERS_UNTIL(R.heads == STREAMS + 1);
}
END_TEST

/* ---- windows ---- */

START_TEST(a_stream_without_a_window_stops_itself_only)
{
    enum { BIG = 8 << 20 };
    h2_peer *c = calling_peer_as(&no_window);
    peer_stream *slow = peer_ask(c, PEER_GET("/slow"), false);
    int up = hear_request("/slow");
    char head[100];
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BIG);
    rig_say(&R, up, head);
    static char much[65536];
    size_t sent = 0;
    for (unsigned still = 0; still < 30; still++) {
        const ssize_t n = send(up, much, sizeof much, MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        still = n > 0 ? 0 : still;
        ck_assert_uint_lt(sent, BIG); /* it is left in the socket */
        peers_turns(1);
    }
    ck_assert_uint_eq(slow->received, 0);
    ck_assert(has(&slow->head, ":status: 200\n"));
    peer_stream *other = peer_ask(c, PEER_GET("/other"), false);
    int up2 = hear_request("/other");
    rig_say(&R, up2, "HTTP/1.1 204 No Content\r\n\r\n");
    PEERS_UNTIL(other->closed);
    ck_assert_int_eq(
        nghttp2_session_set_local_window_size(c->ng, NGHTTP2_FLAG_NONE, slow->id, 1 << 20), 0);
    PEERS_UNTIL(slow->received);
    close(up);
    close(up2);
}
END_TEST

/* The upstream reads nothing: what the caller may send ahead is bounded. */
START_TEST(an_upload_that_nobody_reads_stops_itself_only)
{
    enum { BIG = 12 << 20 };
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/slow"), true);
    int up = hear_request("\r\n\r\n");
    peer_say_much(c, s, BIG);
    size_t left = 0;
    for (unsigned still = 0; still < 30; still++) {
        still = left == peer_unsaid(s) ? still : 0;
        left = peer_unsaid(s);
        peers_turns(1);
    }
    ck_assert_uint_gt(left, 0);
    peer_stream *other = peer_ask(c, PEER_GET("/other"), false);
    int up2 = hear_request("/other");
    rig_say(&R, up2, OK_ANSWER);
    PEERS_UNTIL(other->closed);
    ck_assert_uint_eq(peer_unsaid(s), left);
    close(up2);
    peer_end(c, s, NULL);
    buf_clear(&heard);
    PEERS_UNTIL((rig_take(up, &heard),
                 heard.n > BIG && strcmp(heard.p + heard.n - 8, "x\r\n0\r\n\r\n") == 0));
    close(up);
}
END_TEST

/* Every byte counts once, whatever becomes of it: else the window that all streams share is used up
 * after 12.5 MiB. */
START_TEST(uploads_that_are_given_up_do_not_use_up_the_connections_window)
{
    enum { UPLOADS = 400, EACH = H2_STREAM_WINDOW }; /* 50 MiB */
    h2_peer *c = calling_peer();
    R.defer = true;
    R.reply_status = 403;
    for (unsigned i = 0; i < UPLOADS; i++) {
        peer_stream *s = peer_ask(c, PEER_POST("/"), true);
        peer_say_much(c, s, EACH);
        PEERS_UNTIL(R.heads == i + 1);
        if (i % 3 == 2) /* thrown away */
            rig_judge(&R, R.last);
        PEERS_UNTIL(!peer_unsaid(s));
        if (i % 3 == 1)
            peers_turns(2);
        peer_reset(c, s, NGHTTP2_CANCEL);
        PEERS_UNTIL((R.done = 0, s->closed));
        buf_free(&s->out);
    }
    PEERS_UNTIL((R.done = 0, !R.proxy->open_count));
    R.defer = false;
    R.reply_status = 0;
    peer_stream *last = peer_ask(c, PEER_POST("/last"), true);
    peer_say_text(c, last, "still");
    peer_end(c, last, NULL);
    int up = hear_request("still");
    rig_say(&R, up, OK_ANSWER);
    PEERS_UNTIL(last->closed);
    ck_assert(nghttp2_session_get_remote_window_size(c->ng) > H2_CONNECTION_WINDOW / 2);
    close(up);
}
END_TEST

START_TEST(uploads_to_http2_that_are_given_up_do_not_use_up_the_window)
{
    enum { UPLOADS = 200, EACH = H2_STREAM_WINDOW };
    static const peer_options hoarder = {.server = true, .hoards = true};
    R.forward.http2 = true;
    h2_peer *c = calling_peer();
    h2_peer *up = NULL;
    for (unsigned i = 0; i < UPLOADS; i++) {
        peer_stream *s = peer_ask(c, PEER_POST("/"), true);
        peer_say_much(c, s, EACH);
        if (!up)
            up = accept_peer_as(&hoarder);
        peer_stream *t = nth_asked(up, i);
        PEERS_UNTIL(!peer_unsaid(s) && t->received);
        peer_reset(c, s, NGHTTP2_CANCEL);
        PEERS_UNTIL((R.done = 0, t->closed));
        peers_turns(1);
        peer_take(up, t, t->received);
        buf_free(&s->out);
    }
    ck_assert(nghttp2_session_get_remote_window_size(c->ng) > H2_CONNECTION_WINDOW / 2);
}
END_TEST

/* ---- turns ---- */

START_TEST(a_turn_reads_a_part_of_what_is_there)
{
    enum { STREAMS = 12, A_TURNS_WORTH = 300 * 1024 };
    R.defer = true;
    h2_peer *c = peer_new(rig_caller_sized(&R, 1 << 20), &(peer_options){.server = false});
    peers_turns(3);
    for (int i = 0; i < STREAMS; i++)
        peer_say_much(c, peer_ask(c, PEER_POST("/"), true), H2_STREAM_WINDOW);
    for (int i = 0; i < STREAMS; i++)
        peer_turn(c); /* as much as the socket takes */
    rig_turn(&R);
    size_t seen = 0;
    for (const exchange *x = R.proxy->open; x; x = x->next)
        seen += x->request_body;
    ck_assert_uint_gt(seen, 0);
    ck_assert_uint_lt(seen, A_TURNS_WORTH);
    for (int i = 0; i < STREAMS; i++)
        PEERS_UNTIL(!peer_unsaid(&c->streams[i]));
}
END_TEST

START_TEST(a_turn_sends_a_part_of_what_is_there)
{
    enum { STREAMS = 40, EACH = H2_STREAM_WINDOW, A_TURNS_WORTH = 2 << 20 };
    static const peer_options wide = {.window = 1 << 20, .hoards = true};
    R.forward.http2 = true;
    h2_peer *c = calling_peer_as(&wide);
    int big = 8 << 20;
    (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
    for (int i = 0; i < STREAMS; i++)
        (void)peer_ask(c, PEER_GET("/"), false);
    h2_peer *up = accept_peer();
    for (int i = 0; i < STREAMS; i++) {
        peer_stream *t = nth_asked(up, (size_t)i);
        peer_answer(up, t, ":status: 200\n", true);
        peer_say_much(up, t, EACH);
    }
    for (int i = 0; i < STREAMS; i++)
        PEERS_UNTIL(!peer_unsaid(&up->streams[i])); /* it waits for the caller's window */
    ck_assert_int_eq(nghttp2_session_set_local_window_size(c->ng, NGHTTP2_FLAG_NONE, 0, 64 << 20),
                     0);
    peer_turn(c);
    uint64_t before = 0, after = 0;
    for (const exchange *x = R.proxy->open; x; x = x->next)
        before += x->response_bytes;
    rig_turn(&R);
    for (const exchange *x = R.proxy->open; x; x = x->next)
        after += x->response_bytes;
    ck_assert_uint_gt(after, before);
    ck_assert_uint_lt(after - before, A_TURNS_WORTH);
    for (int i = 0; i < STREAMS; i++)
        PEERS_UNTIL(c->streams[i].received == EACH);
}
END_TEST

/* ---- the end ---- */

START_TEST(draining_says_good_bye_and_waits_for_the_last_stream)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    int up = hear_request("\r\n\r\n");
    proxy_drain(R.proxy, clock_mono_us() + RIG_PATIENCE_US * 10, rig_on_idle, &R);
    PEERS_UNTIL(c->goaways);
    ck_assert_uint_eq(c->goaway_code, NGHTTP2_NO_ERROR);
    ck_assert_int_eq(c->goaway_last, s->id);
    peers_turns(3);
    ck_assert(!R.idle && !c->gone);
    rig_say(&R, up, OK_ANSWER);
    PEERS_UNTIL(R.idle && c->gone);
    ck_assert_str_eq(s->data.p, "ok");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(up);
}
END_TEST

START_TEST(draining_ends_connections_without_streams)
{
    h2_peer *c = calling_peer();
    peers_turns(3);
    proxy_drain(R.proxy, clock_mono_us() + RIG_PATIENCE_US * 10, rig_on_idle, &R);
    PEERS_UNTIL(R.idle && c->gone);
    ck_assert_uint_eq(c->goaways, 1);
}
END_TEST

START_TEST(draining_has_its_deadline)
{
    R.forward.http2 = _i;
    h2_peer *c = calling_peer();
    (void)peer_ask(c, PEER_GET("/"), false);
    int up = peers_accept();
    PEERS_UNTIL(R.heads);
    proxy_drain(R.proxy, clock_mono_us() + 20000, rig_on_idle, &R);
    PEERS_UNTIL(R.idle && c->gone);
    ck_assert_uint_eq(R.done, 1);
    close(up);
}
END_TEST

START_TEST(a_caller_that_comes_while_all_are_leaving_is_told_so)
{
    h2_peer *last = calling_peer();
    peer_stream *s = peer_ask(last, PEER_GET("/"), false);
    int up = hear_request("\r\n\r\n");
    proxy_drain(R.proxy, clock_mono_us() + RIG_PATIENCE_US * 10, rig_on_idle, &R);
    h2_peer *c = calling_peer();
    PEERS_UNTIL(c->goaways && c->gone);
    rig_say(&R, up, OK_ANSWER);
    PEERS_UNTIL(s->closed && R.idle);
    close(up);
}
END_TEST

START_TEST(the_proxy_may_close_with_streams_open)
{
    R.forward.http2 = _i;
    h2_peer *c = calling_peer();
    peer_stream *waiting = peer_ask(c, PEER_GET("/"), false);
    int up = peers_accept();
    h2_peer *answering = _i ? peer_new(up, &peer_upstream) : NULL;
    peer_stream *uploading = peer_ask(c, PEER_POST("/"), true);
    peer_say_much(c, uploading, 70000);
    PEERS_UNTIL(R.heads == 2);
    if (answering) {
        peer_answer(answering, nth_asked(answering, 0), ":status: 200\n", true);
        peer_say_text(answering, &answering->streams[0], "some");
        PEERS_UNTIL(waiting->received == 4);
    }
    R.defer = true;
    (void)peer_ask(c, PEER_GET("/deferred"), false);
    PEERS_UNTIL(R.heads == 3);
    proxy_close(R.proxy);
    R.proxy = NULL;
    rig_turn(&R);
    ck_assert_uint_eq(R.done, 3);
    PEERS_UNTIL(c->gone);
    if (!answering)
        close(up);
}
END_TEST

static Suite *h2_flow_suite(void)
{
    Suite *s = suite_create("h2_flow");
    TCase *t = tcase_create("flow");
    tcase_add_checked_fixture(t, set_up_flow, tear_down_h2);
    tcase_set_timeout(t, 40);
    suite_add_tcase(s, t);
    tcase_add_test(t, a_hundred_streams_are_served_at_once_and_no_more);
    tcase_add_test(t, a_stream_without_a_window_stops_itself_only);
    tcase_add_test(t, an_upload_that_nobody_reads_stops_itself_only);
    tcase_add_test(t, uploads_that_are_given_up_do_not_use_up_the_connections_window);
    tcase_add_test(t, uploads_to_http2_that_are_given_up_do_not_use_up_the_window);
    tcase_add_test(t, a_turn_reads_a_part_of_what_is_there);
    tcase_add_test(t, a_turn_sends_a_part_of_what_is_there);
    t = tcase_create("end");
    tcase_add_checked_fixture(t, set_up_flow, tear_down_h2);
    suite_add_tcase(s, t);
    tcase_add_test(t, draining_says_good_bye_and_waits_for_the_last_stream);
    tcase_add_test(t, draining_ends_connections_without_streams);
    tcase_add_loop_test(t, draining_has_its_deadline, 0, 2);
    tcase_add_test(t, a_caller_that_comes_while_all_are_leaving_is_told_so);
    tcase_add_loop_test(t, the_proxy_may_close_with_streams_open, 0, 2);
    return s;
}

int main(void)
{
    return check_main(h2_flow_suite());
}
