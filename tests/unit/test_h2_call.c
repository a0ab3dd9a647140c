/* Upstreams over HTTP/2: what they are asked, what becomes of their answers, how it can fail. The
 * callers speak HTTP/1.1. */
#include "h2_peer.h"

static const char *body_of(const buf *message)
{
    const char *end = strstr(message->p, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    return end + 4;
}

/* ---- requests ---- */

START_TEST(an_upstream_is_asked_with_pseudo_fields_and_lower_case_names)
{
    int caller = asking("GET /a?b=c HTTP/1.1\r\nHost: Shop.test\r\nX-Mixed: One\r\n"
                        "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
                        "Proxy-Connection: x\r\nUpgrade: foo\r\nTE: trailers\r\n"
                        "Cookie: a=1\r\n\r\n");
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    PEERS_UNTIL(s->ended);
    ck_assert_str_eq(s->head.p, ":method: GET\n:scheme: http\n:authority: Shop.test\n"
                                ":path: /a?b=c\nx-mixed: One\ncookie: a=1\nte: trailers\n");
    answer_ok(up, s);
    hear(caller, "ok");
    close(caller);
}
END_TEST

START_TEST(fields_are_dropped_and_added_as_over_http1)
{
    static const char *const drop[] = {"X-Forwarded-*", "X-Secret", NULL};
    const field add[] = {{SPAN_LIT("X-Added"), SPAN_LIT("1")}};
    R.forward.drop = drop;
    R.forward.add = add;
    R.forward.add_count = 1;
    int caller = asking("GET / HTTP/1.1\r\nHost: h\r\nX-Secret: s\r\nX-Forwarded-For: 1\r\n\r\n");
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    ck_assert_str_eq(s->head.p, ":method: GET\n:scheme: http\n:authority: h\n:path: /\n"
                                "x-added: 1\n");
    close(caller);
}
END_TEST

START_TEST(a_counted_body_arrives_with_its_length)
{
    int caller = asking("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    PEERS_UNTIL(s->ended);
    ck_assert(has(&s->head, "content-length: 5\n"));
    ck_assert_str_eq(s->data.p, "hello");
    answer_ok(up, s);
    hear(caller, "ok");
    ck_assert_uint_eq(rig_outcome(&R, 0)->request_bytes, 47 + 5);
    close(caller);
}
END_TEST

START_TEST(a_chunked_body_arrives_without_a_length_and_with_its_trailers)
{
    int caller = asking("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n");
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    PEERS_UNTIL(s->ended);
    ck_assert(!has(&s->head, "content-length") && !has(&s->head, "transfer-encoding"));
    ck_assert_str_eq(s->data.p, "abcde");
    ck_assert_str_eq(s->trailers.p, "x-sum: 5\n");
    answer_ok(up, s);
    hear(caller, "ok");
    close(caller);
}
END_TEST

START_TEST(an_upstream_that_asks_for_the_body_gets_it)
{
    int caller = asking("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                        "Expect: 100-continue\r\n\r\n");
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    ck_assert(!s->ended);
    peer_interim(up, s, ":status: 100\n");
    hear(caller, "100 Continue\r\n\r\n");
    rig_say(&R, caller, "abc");
    PEERS_UNTIL(s->ended);
    ck_assert_str_eq(s->data.p, "abc");
    answer_ok(up, s);
    hear(caller, "ok");
    close(caller);
}
END_TEST

/* ---- answers ---- */

START_TEST(a_short_answer_arrives_in_one_piece)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    peer_answer(up, s, ":status: 201\ncontent-length: 2\nx-up: 1\n", true);
    peer_say_text(up, s, "ok");
    peer_end(up, s, NULL);
    hear(caller, "\r\n\r\nok");
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 201 Created\r\n"));
    ck_assert_ptr_nonnull(strstr(heard.p, "Content-Length: 2\r\n"));
    ck_assert_ptr_nonnull(strstr(heard.p, "x-up: 1\r\n"));
    const exchange_outcome *o = rig_outcome(&R, 0);
    ck_assert_int_eq(o->failure, PROXY_OK);
    ck_assert_uint_eq(o->status, 201);
    close(caller);
}
END_TEST

START_TEST(an_answer_without_a_length_is_chunked)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    peer_answer(up, s, ":status: 200\n", true);
    peer_say_text(up, s, "first");
    hear(caller, "5\r\nfirst\r\n");
    ck_assert_ptr_nonnull(strstr(heard.p, "Transfer-Encoding: chunked\r\n"));
    peer_say_text(up, s, "second");
    peer_end(up, s, NULL);
    hear(caller, "6\r\nsecond\r\n0\r\n\r\n");
    close(caller);
}
END_TEST

START_TEST(trailers_come_back_chunked)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    peer_answer(up, s, ":status: 200\n", true);
    peer_say_text(up, s, "abc");
    peer_end(up, s, "grpc-status: 0\ncontent-type: no\n");
    hear(caller, "0\r\ngrpc-status: 0\r\n\r\n");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(caller);
}
END_TEST

START_TEST(head_is_answered_with_the_length_and_without_a_body)
{
    int caller = asking("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n");
    h2_peer *up = accept_peer();
    peer_answer(up, nth_asked(up, 0), ":status: 200\ncontent-length: 77\n", false);
    hear(caller, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(heard.p, "Content-Length: 77\r\n"));
    ck_assert_str_eq(body_of(&heard), "");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(caller);
}
END_TEST

START_TEST(an_answer_without_content_ends_with_its_head)
{
    static const char *const heads[] = {":status: 204\n", ":status: 304\netag: x\n",
                                        ":status: 200\ncontent-length: 0\n", ":status: 200\n"};
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_answer(up, nth_asked(up, 0), heads[_i], false);
    hear(caller, "\r\n\r\n");
    ck_assert_str_eq(body_of(&heard), "");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(caller);
}
END_TEST

START_TEST(interim_answers_are_skipped)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    peer_interim(up, s, ":status: 103\nlink: x\n");
    peer_interim(up, s, ":status: 102\n");
    answer_ok(up, s);
    hear(caller, "ok");
    ck_assert_ptr_null(strstr(heard.p, "link"));
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 200 OK\r\n"));
    close(caller);
}
END_TEST

START_TEST(interim_answers_without_end_are_a_bad_response)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    for (int i = 0; i < 40; i++)
        peer_interim(up, s, ":status: 103\n");
    hear(caller, "bad-response");
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_CANCEL);
    close(caller);
}
END_TEST

START_TEST(a_head_that_is_too_large_is_a_bad_response)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    auto_buf buf head = buf_make(1 << 20);
    buf_str(&head, ":status: 200\n");
    for (int i = 0; i < 6; i++) {
        buf_fmt(&head, "x-%d: ", i);
        for (int k = 0; k < 12000; k++)
            buf_char(&head, 'v');
        buf_char(&head, '\n');
    }
    peer_answer(up, s, head.p, false);
    hear(caller, "bad-response");
    close(caller);
}
END_TEST

/* ---- failures ---- */

START_TEST(a_reset_before_the_head_is_a_bad_response)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_reset(up, nth_asked(up, 0), NGHTTP2_INTERNAL_ERROR);
    hear(caller, "bad-response");
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 503 "));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_BAD_RESPONSE);
    ck_assert(rig_nobody_connects(&R));
    close(caller);
}
END_TEST

START_TEST(a_reset_in_the_body_truncates)
{
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    peer_answer(up, s, ":status: 200\ncontent-length: 100\n", true);
    peer_say_text(up, s, "some");
    hear(caller, "some");
    peer_reset(up, s, NGHTTP2_INTERNAL_ERROR);
    PEERS_UNTIL(rig_take(caller, &heard));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_TRUNCATED);
    close(caller);
}
END_TEST

START_TEST(a_refused_stream_is_asked_once_more)
{
    int caller = asking("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    h2_peer *first = accept_peer();
    peer_reset(first, nth_asked(first, 0), NGHTTP2_REFUSED_STREAM);
    PEERS_UNTIL(first->streams[0].closed);
    h2_peer *second = accept_peer();
    if (_i == 0) {
        answer_ok(second, nth_asked(second, 0));
        hear(caller, "ok");
        ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    } else {
        peer_reset(second, nth_asked(second, 0), NGHTTP2_REFUSED_STREAM);
        hear(caller, "bad-response");
    }
    close(caller);
}
END_TEST

START_TEST(a_stream_behind_a_goaway_is_asked_again)
{
    int one = asking(RIG_GET("/one"));
    h2_peer *first = accept_peer();
    peer_stream *s = nth_asked(first, 0);
    int two = asking(RIG_GET("/two"));
    (void)nth_asked(first, 1);
    ck_assert_int_eq(
        nghttp2_submit_goaway(first->ng, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR, NULL, 0), 0);
    peers_turn();
    h2_peer *second = accept_peer();
    peer_stream *again = nth_asked(second, 0);
    ck_assert(has(&again->head, ":path: /two\n"));
    answer_ok(second, again);
    hear(two, "ok");
    answer_ok(first, s);
    hear(one, "ok");
    PEERS_UNTIL(first->gone);
    close(one);
    close(two);
}
END_TEST

START_TEST(a_refused_connection_is_told)
{
    close(R.listener);
    R.listener = -1;
    int caller = asking(RIG_GET("/"));
    hear(caller, "connect-failed");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CONNECT_FAILED);
    close(caller);
}
END_TEST

START_TEST(an_upstream_that_speaks_http1_is_a_bad_response)
{
    int caller = asking(RIG_GET("/"));
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    rig_say(&R, up, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    if (_i)
        close(up);
    hear(caller, "bad-response");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_BAD_RESPONSE);
    ck_assert(rig_nobody_connects(&R));
    close(caller);
    if (!_i)
        close(up);
}
END_TEST

/* Of several calls on a connection that never worked none is worth a second one. */
START_TEST(all_calls_of_a_dead_connection_fail_alike)
{
    enum { CALLS = 3 };
    int callers[CALLS];
    callers[0] = asking(RIG_GET("/0"));
    h2_peer *up = accept_peer();
    for (int i = 1; i < CALLS; i++)
        callers[i] = asking(RIG_GET("/n"));
    (void)nth_asked(up, CALLS - 1);
    peer_free(up);
    for (int i = 0; i < CALLS; i++) {
        hear(callers[i], "bad-response");
        close(callers[i]);
    }
    ck_assert(rig_nobody_connects(&R));
}
END_TEST

START_TEST(a_kept_connection_that_died_is_no_answer)
{
    int caller = asking(RIG_GET("/first"));
    h2_peer *up = accept_peer();
    answer_ok(up, nth_asked(up, 0));
    hear(caller, "ok");
    rig_say(&R, caller, RIG_GET("/second"));
    (void)nth_asked(up, 1);
    peer_free(up);
    up = accept_peer();
    answer_ok(up, nth_asked(up, 0));
    hear(caller, "ok");
    ck_assert_int_eq(rig_outcome(&R, 1)->failure, PROXY_OK);
    close(caller);
}
END_TEST

START_TEST(an_upstream_that_takes_too_long_is_reset)
{
    R.forward.timeout_us = 30000;
    int caller = asking(RIG_GET("/"));
    h2_peer *up = accept_peer();
    peer_stream *s = nth_asked(up, 0);
    hear(caller, "timeout");
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 504 "));
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_CANCEL);
    close(caller);
}
END_TEST

static Suite *h2_call_suite(void)
{
    Suite *s = suite_create("h2_call");
    TCase *t = tcase_create("requests");
    tcase_add_checked_fixture(t, set_up_h2, tear_down_h2);
    tcase_add_test(t, an_upstream_is_asked_with_pseudo_fields_and_lower_case_names);
    tcase_add_test(t, fields_are_dropped_and_added_as_over_http1);
    tcase_add_test(t, a_counted_body_arrives_with_its_length);
    tcase_add_test(t, a_chunked_body_arrives_without_a_length_and_with_its_trailers);
    tcase_add_test(t, an_upstream_that_asks_for_the_body_gets_it);
    suite_add_tcase(s, t);
    t = tcase_create("answers");
    tcase_add_checked_fixture(t, set_up_h2, tear_down_h2);
    tcase_add_test(t, a_short_answer_arrives_in_one_piece);
    tcase_add_test(t, an_answer_without_a_length_is_chunked);
    tcase_add_test(t, trailers_come_back_chunked);
    tcase_add_test(t, head_is_answered_with_the_length_and_without_a_body);
    tcase_add_loop_test(t, an_answer_without_content_ends_with_its_head, 0, 4);
    tcase_add_test(t, interim_answers_are_skipped);
    tcase_add_test(t, interim_answers_without_end_are_a_bad_response);
    tcase_add_test(t, a_head_that_is_too_large_is_a_bad_response);
    suite_add_tcase(s, t);
    t = tcase_create("failures");
    tcase_add_checked_fixture(t, set_up_h2, tear_down_h2);
    tcase_add_test(t, a_reset_before_the_head_is_a_bad_response);
    tcase_add_test(t, a_reset_in_the_body_truncates);
    tcase_add_loop_test(t, a_refused_stream_is_asked_once_more, 0, 2);
    tcase_add_test(t, a_stream_behind_a_goaway_is_asked_again);
    tcase_add_test(t, a_refused_connection_is_told);
    tcase_add_loop_test(t, an_upstream_that_speaks_http1_is_a_bad_response, 0, 2);
    tcase_add_test(t, all_calls_of_a_dead_connection_fail_alike);
    tcase_add_test(t, a_kept_connection_that_died_is_no_answer);
    tcase_add_test(t, an_upstream_that_takes_too_long_is_reset);
    suite_add_tcase(s, t);
    return s;
}

int main(void)
{
    return check_main(h2_call_suite());
}
