/* Callers over HTTP/2: what their requests become for an upstream, and its answers for them; what a
 * reset of either side means for the other one. */
#include "h2_peer.h"
#include "proxy/exchange_impl.h"

static void set_up_front(void)
{
    set_up();
    heard.max = 32 << 20;
}

/* What the upstream hears of a request; its connection. */
static int hear_request(const char *until)
{
    int up = peers_accept();
    hear(up, until);
    return up;
}

static void say(int up, const char *text)
{
    rig_say(&R, up, text);
}

/* ---- requests ---- */

START_TEST(an_upstream_over_http1_sees_an_ordinary_request)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c,
                              ":method: GET\n:scheme: http\n:authority: Shop.test\n"
                              ":path: /a?b=c\nx-one: 1\ncookie: a=1\ncookie: b=2\ncookie: c=3\n"
                              "x-two: 2\nte: trailers\n",
                              false);
    int up = hear_request("\r\n\r\n");
    ck_assert_str_eq(heard.p, "GET /a?b=c HTTP/1.1\r\nHost: Shop.test\r\nx-one: 1\r\n"
                              "cookie: a=1; b=2; c=3\r\nx-two: 2\r\n"
                              "TE: trailers\r\nConnection: TE\r\n\r\n");
    say(up, OK_ANSWER);
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_NO_ERROR);
    close(up);
}
END_TEST

START_TEST(host_alone_names_the_host)
{
    h2_peer *c = calling_peer();
    (void)peer_ask(c, ":method: GET\n:scheme: http\n:path: /\nhost: only.test\n", false);
    int up = hear_request("\r\n\r\n");
    ck_assert_str_eq(heard.p, "GET / HTTP/1.1\r\nhost: only.test\r\n\r\n");
    close(up);
}
END_TEST

START_TEST(a_host_that_repeats_the_authority_is_sent_once)
{
    h2_peer *c = calling_peer();
    (void)peer_ask(c, PEER_GET("/") "host: H\n", false);
    int up = hear_request("\r\n\r\n");
    ck_assert_str_eq(heard.p, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    close(up);
}
END_TEST

START_TEST(a_counted_body_arrives_counted)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/") "content-length: 5\n", true);
    peer_say_text(c, s, "hello");
    peer_end(c, s, NULL);
    int up = hear_request("hello");
    ck_assert_str_eq(heard.p, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    say(up, OK_ANSWER);
    PEERS_UNTIL(s->closed);
    close(up);
}
END_TEST

START_TEST(a_body_without_a_length_arrives_chunked_with_its_trailers)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/"), true);
    peer_say_text(c, s, "abc");
    int up = hear_request("\r\n\r\n3\r\nabc\r\n");
    ck_assert_ptr_nonnull(strstr(heard.p, "Transfer-Encoding: chunked\r\n"));
    peer_say_text(c, s, "de");
    peer_end(c, s, "x-sum: 5\nauthorization: no\n");
    hear(up, "\r\n\r\n");
    ck_assert_str_eq(heard.p, "2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n");
    close(up);
}
END_TEST

START_TEST(a_declared_empty_body_is_none)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/") "content-length: 0\n", _i == 1);
    peer_end(c, s, NULL);
    int up = hear_request("\r\n\r\n");
    ck_assert_str_eq(heard.p, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    say(up, OK_ANSWER);
    PEERS_UNTIL(s->closed);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(up);
}
END_TEST

START_TEST(an_upstream_that_asks_for_the_body_gets_it)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/") "content-length: 3\nexpect: 100-continue\n", true);
    int up = hear_request("\r\n\r\n");
    say(up, "HTTP/1.1 100 Continue\r\n\r\n");
    PEERS_UNTIL(s->sections == 1);
    ck_assert_str_eq(s->head.p, ":status: 100\n");
    peer_say_text(c, s, "abc");
    peer_end(c, s, NULL);
    hear(up, "abc");
    say(up, OK_ANSWER);
    PEERS_UNTIL(s->closed && s->sections == 2);
    close(up);
}
END_TEST

/* ---- the verdict ---- */

START_TEST(a_refusal_is_the_judges)
{
    R.reply_status = 403;
    h2_peer *c = calling_peer();
    peer_stream *get = peer_ask(c, PEER_GET("/"), false);
    peer_stream *head =
        peer_ask(c, ":method: HEAD\n:scheme: http\n:authority: h\n:path: /\n", false);
    PEERS_UNTIL(get->closed && head->closed);
    ck_assert(has(&get->head, ":status: 403\n") && has(&get->head, "\nx-judge: refused\n"));
    ck_assert(has(&get->head, "\ncontent-length: 3\n") && has(&get->head, "\ndate: "));
    ck_assert_str_eq(get->data.p, "no\n");
    ck_assert_str_eq(head->head.p, get->head.p);
    ck_assert_uint_eq(head->received, 0);
    ck_assert_uint_eq(rig_outcome(&R, 1)->status, 403);
    ck_assert(!R.outcomes[0].forwarded);
}
END_TEST

START_TEST(a_late_verdict_finds_the_body_that_came_before)
{
    R.defer = true;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/") "content-length: 100000\n", true);
    peer_say_much(c, s, 100000);
    peer_end(c, s, NULL);
    PEERS_UNTIL(!peer_unsaid(s));
    rig_judge(&R, R.last);
    int up = peers_accept();
    buf_clear(&heard);
    PEERS_UNTIL((rig_take(up, &heard), heard.n > 100000));
    say(up, OK_ANSWER);
    PEERS_UNTIL(s->closed);
    ck_assert_uint_gt(rig_outcome(&R, 0)->request_bytes, 100000);
    close(up);
}
END_TEST

START_TEST(a_late_verdict_lets_the_head_go_before_the_body)
{
    h2_peer *c = calling_peer();
    peer_stream *first = peer_ask(c, PEER_GET("/first"), false);
    int up = hear_request("/first");
    say(up, OK_ANSWER);
    PEERS_UNTIL(first->closed); /* a connection is there */
    R.defer = true;
    peer_stream *s = peer_ask(c, PEER_POST("/late"), true);
    PEERS_UNTIL(R.heads == 2);
    rig_judge(&R, R.last);
    hear(up, "/late HTTP/1.1\r\n");
    say(up, OK_ANSWER);
    PEERS_UNTIL(s->ended);
    close(up);
}
END_TEST

START_TEST(a_late_verdict_for_a_dead_upstream_is_answered)
{
    error e = {0};
    R.defer = true;
    R.forward.http2 = _i % 2;
    close(R.listener);
    R.listener = -1;
    if (_i / 2) /* refused before connect returns */
        ck_assert(net_addr_parse(SPAN_LIT("255.255.255.255:1"), &R.forward.upstream, &e));
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    PEERS_UNTIL(R.heads);
    rig_judge(&R, R.last);
    PEERS_UNTIL(s->closed);
    ck_assert(has(&s->head, ":status: 503\n"));
    ck_assert_str_eq(s->data.p, "connect-failed");
}
END_TEST

START_TEST(a_body_that_passes_its_limit_before_the_verdict_is_too_large)
{
    R.defer = true;
    R.forward.body_limit = 1000;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/"), true);
    peer_say_much(c, s, 20000);
    PEERS_UNTIL(!peer_unsaid(s));
    peers_turns(2);
    rig_judge(&R, R.last);
    PEERS_UNTIL(s->ended);
    ck_assert_str_eq(s->data.p, "request-too-large");
}
END_TEST

START_TEST(a_body_that_passes_its_limit_ends_an_answer_that_has_begun)
{
    R.forward.body_limit = 1000;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/"), true);
    peer_say_much(c, s, 500);
    int up = hear_request("xxx");
    say(up, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    PEERS_UNTIL(s->received == 4);
    peer_say_much(c, s, 5000);
    PEERS_UNTIL(s->closed);
    ck_assert_uint_ne(s->reset_code, NGHTTP2_NO_ERROR);
    close(up);
}
END_TEST

/* ---- answers ---- */

static peer_stream *answered_with(const char *answer, const char *request)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, request, false);
    int up = hear_request("\r\n\r\n");
    say(up, answer);
    close(up);
    PEERS_UNTIL(s->closed);
    return s;
}

START_TEST(an_answer_keeps_its_length_and_loses_what_is_for_one_hop)
{
    peer_stream *s =
        answered_with("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, X-Hop\r\n"
                      "X-Hop: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nUpgrade: h2c\r\n"
                      "Proxy-Authenticate: b\r\nX-MIXED:   Value \t\r\nX-8bit: \xE4\xF6\r\n"
                      "X-Empty:\r\nDate: now\r\n\r\nok",
                      PEER_GET("/"));
    ck_assert_str_eq(s->head.p, ":status: 200\nx-mixed: Value\nx-8bit: \xE4\xF6\nx-empty: \n"
                                "date: now\ncontent-length: 2\n");
    ck_assert_str_eq(s->data.p, "ok");
    ck_assert_uint_eq(s->reset_code, NGHTTP2_NO_ERROR);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
}
END_TEST

START_TEST(a_chunked_answer_loses_its_chunks_and_keeps_its_trailers)
{
    peer_stream *s = answered_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                   "3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum:  5 \r\n"
                                   "Connection: x\r\nTransfer-Encoding: y\r\n\r\n",
                                   PEER_GET("/"));
    ck_assert(!has(&s->head, "content-length") && !has(&s->head, "transfer-encoding"));
    ck_assert_str_eq(s->data.p, "abcde");
    ck_assert_str_eq(s->trailers.p, "x-sum: 5\n");
}
END_TEST

START_TEST(an_answer_until_close_ends_there)
{
    peer_stream *s = answered_with("HTTP/1.1 200 OK\r\n\r\nall of it", PEER_GET("/"));
    ck_assert_str_eq(s->data.p, "all of it");
    ck_assert_uint_eq(s->reset_code, NGHTTP2_NO_ERROR);
}
END_TEST

START_TEST(answers_without_content_say_what_they_may)
{
    static const struct {
        const char *request, *answer, *length;
    } rows[] = {
        {"HEAD", "200 OK\r\nContent-Length: 77\r\n\r\n", "content-length: 77\n"},
        {"HEAD", "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", NULL},
        {"GET", "304 Not Modified\r\nContent-Length: 77\r\n\r\n", "content-length: 77\n"},
        {"GET", "204 No Content\r\n\r\n", NULL},
        {"GET", "204 No Content\r\nContent-Length: 0\r\n\r\n", NULL},
        {"GET", "200 OK\r\nContent-Length: 0\r\n\r\n", "content-length: 0\n"},
    };
    char request[128];
    char answer[256];
    (void)snprintf(request, sizeof request, ":method: %s\n:scheme: http\n:authority: h\n:path: /\n",
                   rows[_i].request);
    (void)snprintf(answer, sizeof answer, "HTTP/1.1 %s", rows[_i].answer);
    peer_stream *s = answered_with(answer, request);
    ck_assert_uint_eq(s->received, 0);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_NO_ERROR);
    if (rows[_i].length)
        ck_assert(has(&s->head, rows[_i].length));
    else
        ck_assert(!has(&s->head, "content-length"));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
}
END_TEST

/* nghttp2 by itself sends no header section that might take more than 64 KiB. */
START_TEST(a_large_head_arrives)
{
    enum { FIELDS = 120 };
    auto_buf buf head = buf_make(1 << 20);
    buf_str(&head, ":status: 200\n");
    for (int i = 0; i < FIELDS; i++)
        buf_fmt(&head, "x-%03d: %0535d\n", i, i);
    R.forward.http2 = true;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    h2_peer *up = accept_peer();
    peer_answer(up, nth_asked(up, 0), head.p, false);
    PEERS_UNTIL(s->closed);
    ck_assert(has(&s->head, ":status: 200\n"));
    ck_assert_uint_gt(s->head.n, head.n);
}
END_TEST

START_TEST(sizes_are_told_as_over_http1)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/") "x-one: 1\n", true);
    peer_say_text(c, s, "hello");
    peer_end(c, s, NULL);
    int up = hear_request("0\r\n\r\n");
    say(up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: x\r\n\r\nok");
    PEERS_UNTIL(s->closed);
    /* each of the 5 and 3 fields as a line that ends with CR LF */
    const exchange_outcome *o = rig_outcome(&R, 0);
    ck_assert_uint_eq(o->request_bytes, strlen(PEER_POST("/") "x-one: 1\n") + 5 + strlen("hello"));
    ck_assert_uint_eq(o->response_bytes, s->head.n + 3 + strlen("ok"));
    close(up);
}
END_TEST

/* nghttp2 as a caller takes the field out, so that its size has to tell. */
START_TEST(nothing_is_said_of_the_length_of_204)
{
    h2_peer *c = calling_peer();
    for (unsigned i = 0; i < 2; i++) {
        peer_stream *s = peer_ask(c, PEER_GET("/"), false);
        int up = hear_request("\r\n\r\n");
        say(up, i ? "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
                  : "HTTP/1.1 204 No Content\r\n\r\n");
        close(up);
        PEERS_UNTIL(s->closed && R.done == i + 1);
    }
    ck_assert_uint_eq(R.outcomes[0].response_bytes, R.outcomes[1].response_bytes);
}
END_TEST

START_TEST(a_connection_that_breaks_in_the_body_resets_the_stream)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    int up = hear_request("\r\n\r\n");
    say(up, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    PEERS_UNTIL(s->received == 4);
    close(up);
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_INTERNAL_ERROR);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_TRUNCATED);
}
END_TEST

START_TEST(an_answer_may_come_while_the_upload_goes_on)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/"), true);
    peer_say_text(c, s, "some");
    int up = hear_request("some");
    say(up, OK_ANSWER);
    PEERS_UNTIL(s->ended);
    ck_assert_str_eq(s->data.p, "ok");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    peer_say_much(c, s, 500000); /* thrown away */
    peer_end(c, s, NULL);
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_NO_ERROR);
    close(up);
}
END_TEST

START_TEST(what_took_too_long_is_told_or_reset)
{
    R.forward.timeout_us = 30000;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    int up = hear_request("\r\n\r\n");
    if (_i) {
        say(up, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
        PEERS_UNTIL(s->closed);
        ck_assert_uint_eq(s->reset_code, NGHTTP2_INTERNAL_ERROR);
    } else {
        PEERS_UNTIL(s->closed);
        ck_assert(has(&s->head, ":status: 504\n"));
    }
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_TIMEOUT);
    close(up);
}
END_TEST

/* ---- resets ---- */

START_TEST(an_upstream_over_http1_works_on_when_the_caller_resets)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    int up = hear_request("\r\n\r\n");
    peer_reset(c, s, NGHTTP2_CANCEL);
    PEERS_UNTIL(R.done == 1);
    ck_assert_int_eq(R.outcomes[0].failure, PROXY_CLIENT_GONE);
    char byte;
    ck_assert_int_lt(recv(up, &byte, 1, 0), 0);
    say(up, OK_ANSWER);
    peer_stream *next = peer_ask(c, PEER_GET("/next"), false);
    hear(up, "/next"); /* on the same connection */
    say(up, OK_ANSWER);
    PEERS_UNTIL(next->closed);
    close(up);
}
END_TEST

START_TEST(half_a_request_is_broken_off_when_the_caller_resets)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/"), true);
    peer_say_text(c, s, "some");
    int up = hear_request("some");
    peer_reset(c, s, NGHTTP2_CANCEL);
    PEERS_UNTIL(rig_take(up, &heard));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    close(up);
}
END_TEST

START_TEST(resets_pass_through_between_http2_sides)
{
    R.forward.http2 = true;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/"), true);
    h2_peer *up = accept_peer();
    peer_stream *t = nth_asked(up, 0);
    if (_i) {
        peer_answer(up, t, ":status: 200\n", true);
        peer_say_text(up, t, "some");
        PEERS_UNTIL(s->received == 4);
        peer_reset(up, t, NGHTTP2_ENHANCE_YOUR_CALM);
        PEERS_UNTIL(s->closed);
        ck_assert_uint_eq(s->reset_code, NGHTTP2_ENHANCE_YOUR_CALM);
        ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_TRUNCATED);
    } else {
        peer_reset(c, s, NGHTTP2_CANCEL);
        PEERS_UNTIL(t->closed);
        ck_assert_uint_eq(t->reset_code, NGHTTP2_CANCEL);
        ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    }
    ck_assert(!c->gone && !up->gone);
}
END_TEST

/* Its code says that asking again is safe, which it no longer is. */
START_TEST(the_code_of_a_first_try_is_not_the_second_ones)
{
    R.forward.http2 = true;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    h2_peer *up = accept_peer();
    peer_reset(up, nth_asked(up, 0), NGHTTP2_REFUSED_STREAM);
    PEERS_UNTIL(up->streams[0].closed);
    h2_peer *again = accept_peer();
    peer_answer(again, nth_asked(again, 0), ":status: 200\n", true);
    peer_say_text(again, &again->streams[0], "some");
    PEERS_UNTIL(s->received == 4);
    peer_free(again);
    PEERS_UNTIL(s->closed);
    ck_assert_uint_eq(s->reset_code, NGHTTP2_INTERNAL_ERROR);
}
END_TEST

START_TEST(trailers_pass_through_between_http2_sides)
{
    R.forward.http2 = true;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_POST("/") "te: trailers\n", true);
    peer_say_text(c, s, "ask");
    peer_end(c, s, "x-sum: 3\n");
    h2_peer *up = accept_peer();
    peer_stream *t = nth_asked(up, 0);
    PEERS_UNTIL(t->ended);
    ck_assert(has(&t->head, "te: trailers\n"));
    ck_assert_str_eq(t->trailers.p, "x-sum: 3\n");
    peer_answer(up, t, ":status: 200\n", true);
    if (_i)
        peer_say_text(up, t, "answer");
    peer_end(up, t, "grpc-status: 0\n");
    PEERS_UNTIL(s->closed);
    ck_assert_str_eq(s->trailers.p ? s->trailers.p : "", "grpc-status: 0\n");
    ck_assert_uint_eq(s->reset_code, NGHTTP2_NO_ERROR);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
}
END_TEST

static TCase *front_case(Suite *s, const char *name)
{
    TCase *t = tcase_create(name);
    tcase_add_checked_fixture(t, set_up_front, tear_down_h2);
    suite_add_tcase(s, t);
    return t;
}

static Suite *h2_front_suite(void)
{
    Suite *s = suite_create("h2_front");
    TCase *t = front_case(s, "requests");
    tcase_add_test(t, an_upstream_over_http1_sees_an_ordinary_request);
    tcase_add_test(t, host_alone_names_the_host);
    tcase_add_test(t, a_host_that_repeats_the_authority_is_sent_once);
    tcase_add_test(t, a_counted_body_arrives_counted);
    tcase_add_test(t, a_body_without_a_length_arrives_chunked_with_its_trailers);
    tcase_add_loop_test(t, a_declared_empty_body_is_none, 0, 2);
    tcase_add_test(t, an_upstream_that_asks_for_the_body_gets_it);
    t = front_case(s, "verdict");
    tcase_add_test(t, a_refusal_is_the_judges);
    tcase_add_test(t, a_late_verdict_finds_the_body_that_came_before);
    tcase_add_test(t, a_late_verdict_lets_the_head_go_before_the_body);
    tcase_add_loop_test(t, a_late_verdict_for_a_dead_upstream_is_answered, 0, 4);
    tcase_add_test(t, a_body_that_passes_its_limit_before_the_verdict_is_too_large);
    tcase_add_test(t, a_body_that_passes_its_limit_ends_an_answer_that_has_begun);
    t = front_case(s, "answers");
    tcase_add_test(t, an_answer_keeps_its_length_and_loses_what_is_for_one_hop);
    tcase_add_test(t, a_chunked_answer_loses_its_chunks_and_keeps_its_trailers);
    tcase_add_test(t, an_answer_until_close_ends_there);
    tcase_add_loop_test(t, answers_without_content_say_what_they_may, 0, 6);
    tcase_add_test(t, a_large_head_arrives);
    tcase_add_test(t, sizes_are_told_as_over_http1);
    tcase_add_test(t, nothing_is_said_of_the_length_of_204);
    tcase_add_test(t, a_connection_that_breaks_in_the_body_resets_the_stream);
    tcase_add_test(t, an_answer_may_come_while_the_upload_goes_on);
    tcase_add_loop_test(t, what_took_too_long_is_told_or_reset, 0, 2);
    t = front_case(s, "resets");
    tcase_add_test(t, an_upstream_over_http1_works_on_when_the_caller_resets);
    tcase_add_test(t, half_a_request_is_broken_off_when_the_caller_resets);
    tcase_add_loop_test(t, resets_pass_through_between_http2_sides, 0, 2);
    tcase_add_test(t, the_code_of_a_first_try_is_not_the_second_ones);
    tcase_add_loop_test(t, trailers_pass_through_between_http2_sides, 0, 2);
    return s;
}

int main(void)
{
    return check_main(h2_front_suite());
}
