/* Bodies through the proxy: framing, back-pressure both ways, the first byte at once, trailers,
 * early responses, 100-continue. */
#include "proxy_fixture.h"

enum { BIG = 8 * 1024 * 1024, HEARD_MAX = BIG + BIG, SMALL_WINDOW = 128 * 1024 };

static void hear_more(void)
{
    heard.max = HEARD_MAX;
}

static char pattern(size_t at)
{
    return (char)('a' + (at / 7 + at / 4093) % 26);
}

static char *big_body(void)
{
    char *p = malloc(BIG);
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < BIG; i++)
        p[i] = pattern(i);
    return p;
}

/* Sends what the socket takes of p[*at..n); false once all is gone. */
static bool push(int fd, const char *p, size_t n, size_t *at)
{
    if (*at < n) {
        ssize_t sent = send(fd, p + *at, n - *at, MSG_NOSIGNAL);
        ck_assert_msg(sent > 0 || errno == EAGAIN, "send: %s", strerror(errno));
        if (sent > 0)
            *at += (size_t)sent;
    }
    return *at < n;
}

static const char *body_of(const buf *message)
{
    const char *end = strstr(message->p, "\r\n\r\n");
    ck_assert_ptr_nonnull(end);
    return end + 4;
}

static size_t body_bytes(const buf *message)
{
    return message->n - (size_t)(body_of(message) - message->p);
}

/* ---- uploads ---- */

START_TEST(a_counted_body_arrives_whole)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "hello");
    ck_assert_str_eq(heard.p, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "ok");
    ck_assert_uint_eq(rig_outcome(&R, 0)->request_bytes, 47 + 5);
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_head_is_not_kept_back_by_a_late_body)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        rig_say(&R, caller, "ab");
        rig_hear(&R, up, &heard, "ab");
    }
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "ok");
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_chunked_body_arrives_chunked_with_its_trailers)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller,
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3;x=y\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\nContent-Length: 9\r\n\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n0\r\nX-Sum: 1\r\n\r\n");
    ck_assert_str_eq(body_of(&heard),
                     "3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: 1\r\n\r\n");
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "ok");
    close(up);
    close(caller);
}
END_TEST

/* libmicrohttpd tells the head's last field again as a trailer when the section comes in pieces. */
START_TEST(trailers_that_come_in_pieces_repeat_nothing_of_the_head)
{
    static const char *const rest[] = {"0\r\n", "\r", "\n"};
    static const char *const more[] = {"0\r\nX-Su", "m: 1\r\nAuthorization: b\r\n", "\r\n"};
    int caller = rig_caller(&R);
    rig_say(&R, caller,
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nX-Secret: a\r\n\r\n"
            "3\r\nabc\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n3\r\nabc\r\n");
    for (int i = 0; i < 3; i++) {
        rig_say(&R, caller, _i ? more[i] : rest[i]);
        rig_turn(&R);
    }
    const char *end = _i ? "0\r\nX-Sum: 1\r\n\r\n" : "0\r\n\r\n";
    rig_hear(&R, up, &heard, end);
    ck_assert_str_eq(heard.p, end);
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "ok");
    close(up);
    close(caller);
}
END_TEST

START_TEST(malformed_trailers_are_refused_and_the_upstream_sees_no_end)
{
    static const char *const trailers[] = {"X: a\nY: b\r\n", "X: a\rb\r\n", "X: a\r\n b\r\n",
                                           "X : a\r\n"};
    int caller = rig_caller(&R);
    rig_say(&R, caller,
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n3\r\nabc\r\n");
    auto_buf buf request = buf_make(256);
    buf_fmt(&request, "0\r\n%s\r\n", trailers[_i]);
    rig_say(&R, caller, request.p);
    rig_hear_all(&R, up, &heard);
    ck_assert_str_eq(body_of(&heard), "3\r\nabc\r\n");
    buf_clear(&heard);
    rig_hear_all(&R, caller, &heard);
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 400 "));
    ck_assert_uint_eq(R.malformed_status, 400);
    ck_assert_uint_eq(rig_outcome(&R, 0)->status, 400);
    close(up);
    close(caller);
}
END_TEST

/* Without a reader the caller gets rid of what buffers hold and no more. */
static size_t stuffed(int caller, const char *body, size_t *at)
{
    const int window = SMALL_WINDOW;
    ck_assert_int_eq(setsockopt(caller, SOL_SOCKET, SO_SNDBUF, &window, sizeof window), 0);
    size_t before;
    unsigned quiet = 0;
    do {
        before = *at;
        (void)push(caller, body, BIG, at);
        rig_turn(&R);
        quiet = before == *at ? quiet + 1 : 0;
    } while (quiet < 20);
    return *at;
}

START_TEST(an_upload_waits_for_a_slow_upstream)
{
    const int window = SMALL_WINDOW;
    ck_assert_int_eq(setsockopt(R.listener, SOL_SOCKET, SO_RCVBUF, &window, sizeof window), 0);
    auto_free char *body = big_body();
    int caller = rig_caller_sized(&R, SMALL_WINDOW);
    char head[96];
    (void)snprintf(head, sizeof head, "POST / HTTP/1.1\r\nHost: h\r\n%s: %s\r\n\r\n",
                   _i ? "Transfer-Encoding" : "Content-Length", _i ? "chunked" : "8388608");
    rig_say(&R, caller, head);
    if (_i)
        rig_say(&R, caller, "800000\r\n");
    int up = rig_accept(&R);
    size_t at = 0;
    ck_assert_uint_lt(stuffed(caller, body, &at), BIG);
    while (push(caller, body, BIG, &at) || heard.n < BIG) {
        ck_assert(!rig_take(up, &heard));
        loop_turn(R.loop, 0);
    }
    if (_i)
        rig_say(&R, caller, "\r\n0\r\n\r\n");
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    auto_buf buf answer = buf_make(4096);
    RIG_UNTIL(
        &R, (rig_take(up, &heard), rig_take(caller, &answer), answer.n && strstr(answer.p, "ok")));
    if (!_i) {
        ck_assert_uint_eq(body_bytes(&heard), BIG);
        ck_assert(memcmp(body_of(&heard), body, BIG) == 0);
    }
    ck_assert_uint_ge(rig_outcome(&R, 0)->request_bytes, BIG);
    close(up);
    close(caller);
}
END_TEST

START_TEST(an_early_response_reaches_a_caller_that_uploads_on)
{
    auto_free char *body = big_body();
    int caller = rig_caller(&R);
    rig_say(&R, caller, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 8388608\r\n\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    rig_say(&R, up, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig");
    close(up); /* with unread bytes on the way: a reset */
    size_t at = 0;
    RIG_UNTIL(&R, !push(caller, body, BIG, &at));
    rig_hear(&R, caller, &heard, "big");
    ck_assert_ptr_nonnull(strstr(heard.p, "HTTP/1.1 413 "));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(caller);
}
END_TEST

/* ---- 100-continue ---- */

#define EXPECTING "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"

START_TEST(the_upstream_decides_about_100_continue)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, EXPECTING);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "Expect: 100-continue\r\n");
    for (int i = 0; i < 5; i++)
        rig_turn(&R);
    buf_clear(&heard);
    ck_assert(!rig_take(caller, &heard));
    ck_assert_uint_eq(heard.n, 0);
    rig_say(&R, up, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_hear(&R, caller, &heard, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_say(&R, caller, "body");
    rig_hear(&R, up, &heard, "body");
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    rig_hear(&R, caller, &heard, "ok");
    close(up);
    close(caller);
}
END_TEST

START_TEST(an_upstream_may_refuse_instead_of_100_continue)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, EXPECTING);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    rig_say(&R, up, "HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno");
    rig_hear(&R, caller, &heard, "\r\n\r\nno");
    ck_assert_ptr_null(strstr(heard.p, "100 Continue"));
    rig_gone(&R, caller);
    rig_gone(&R, up);
}
END_TEST

START_TEST(an_upstream_that_ignores_expect_gets_the_body_after_a_while)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, EXPECTING);
    int up = rig_accept(&R);
    rig_hear(&R, caller, &heard, "HTTP/1.1 100 Continue\r\n\r\n");
    rig_say(&R, caller, "body");
    rig_hear(&R, up, &heard, "body");
    close(up);
    close(caller);
}
END_TEST

/* ---- downloads ---- */

START_TEST(a_download_waits_for_a_slow_caller)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n800000\r\n",
        "HTTP/1.1 200 OK\r\n\r\n"};
    auto_free char *body = big_body();
    int caller = rig_caller_sized(&R, SMALL_WINDOW);
    rig_say(&R, caller, "GET / HTTP/1.0\r\nHost: h\r\n\r\n"); /* hears the body unframed */
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    rig_say(&R, up, heads[_i]);
    size_t at = 0;
    ck_assert_uint_lt(stuffed(up, body, &at), BIG);
    buf_clear(&heard);
    while (push(up, body, BIG, &at)) {
        ck_assert(!rig_take(caller, &heard));
        loop_turn(R.loop, 0);
    }
    if (_i == 1)
        rig_say(&R, up, "\r\n0\r\n\r\n");
    close(up);
    rig_hear_all(&R, caller, &heard);
    ck_assert_uint_eq(body_bytes(&heard), BIG);
    ck_assert(memcmp(body_of(&heard), body, BIG) == 0);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    ck_assert_uint_ge(rig_outcome(&R, 0)->response_bytes, BIG);
    close(caller);
}
END_TEST

START_TEST(each_event_of_a_stream_leaves_at_once)
{
    static const char *const heads[] = {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\n\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"};
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/"));
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    rig_say(&R, up, heads[_i]);
    rig_hear(&R, caller, &heard, "\r\n\r\n"); /* the head, before there is any body */
    for (int i = 0; i < 3; i++) {
        rig_say(&R, up, _i == 0 ? "a\r\ndata: 1\n\n\n\r\n" : "data: 1\n\n\n");
        rig_hear(&R, caller, &heard, "data: 1\n\n");
    }
    close(up);
    if (_i == 0) /* without its last chunk it is not whole, and must not look so */
        rig_hear_all(&R, caller, &heard);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, _i == 0 ? PROXY_TRUNCATED : PROXY_OK);
    ck_assert(_i > 0 || !strstr(heard.p, "0\r\n\r\n"));
    close(caller);
}
END_TEST

START_TEST(trailers_of_a_response_reach_the_caller)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/"));
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    if (_i)
        rig_hear(&R, caller, &heard, "abc"); /* streamed, then the end; or all in one piece */
    rig_say(&R, up, "0\r\nX-Sum: 9\r\nConnection: x\r\nContent-Length: 3\r\n\r\n");
    rig_hear(&R, caller, &heard, "0\r\nX-Sum: 9\r\n\r\n");
    rig_say(&R, caller, RIG_GET("/again"));
    rig_hear(&R, up, &heard, "/again");
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_small_chunked_response_stays_chunked)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/"));
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    rig_say(&R, up,
            "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    rig_hear(&R, caller, &heard, "0\r\n\r\n");
    ck_assert_str_eq(heard.p, "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nabcde\r\n0\r\n\r\n");
    close(up);
    close(caller);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_body");
    TCase *t = tcase_create("body");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_checked_fixture(t, hear_more, NULL);
    tcase_set_timeout(t, 30);
    tcase_add_test(t, a_counted_body_arrives_whole);
    tcase_add_test(t, a_head_is_not_kept_back_by_a_late_body);
    tcase_add_test(t, a_chunked_body_arrives_chunked_with_its_trailers);
    tcase_add_loop_test(t, trailers_that_come_in_pieces_repeat_nothing_of_the_head, 0, 2);
    tcase_add_loop_test(t, malformed_trailers_are_refused_and_the_upstream_sees_no_end, 0, 4);
    tcase_add_loop_test(t, an_upload_waits_for_a_slow_upstream, 0, 2);
    tcase_add_test(t, an_early_response_reaches_a_caller_that_uploads_on);
    tcase_add_test(t, the_upstream_decides_about_100_continue);
    tcase_add_test(t, an_upstream_may_refuse_instead_of_100_continue);
    tcase_add_test(t, an_upstream_that_ignores_expect_gets_the_body_after_a_while);
    tcase_add_loop_test(t, a_download_waits_for_a_slow_caller, 0, 3);
    tcase_add_loop_test(t, each_event_of_a_stream_leaves_at_once, 0, 3);
    tcase_add_loop_test(t, trailers_of_a_response_reach_the_caller, 0, 2);
    tcase_add_test(t, a_small_chunked_response_stays_chunked);
    suite_add_tcase(s, t);
    return check_main(s);
}
