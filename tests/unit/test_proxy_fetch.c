/* The pool's own GET: one result, whatever happens. */
#include "proxy_fixture.h"

static struct {
    unsigned calls, status;
    char body[64];
    char why[ERROR_TEXT_MAX];
} got;

static void forget(void)
{
    memset(&got, 0, sizeof got);
}

static void on_result(void *ctx, unsigned status, span body, const error *e)
{
    ck_assert_ptr_eq(ctx, &got);
    got.calls++;
    got.status = status;
    (void)snprintf(got.body, sizeof got.body, "%.*s", SPAN_ARG(body));
    (void)snprintf(got.why, sizeof got.why, "%s", e ? e->text : "");
    ck_assert_int_eq(status == 0, e != NULL);
}

static fetch *start(int64_t timeout_us)
{
    fetch *f = proxy_fetch(R.proxy, &(fetch_request){.to = &R.forward.upstream,
                                                     .host = SPAN_LIT("keys.local"),
                                                     .target = SPAN_LIT("/certs?x=1"),
                                                     .answer_max = 10,
                                                     .timeout_us = timeout_us,
                                                     .on_result = on_result,
                                                     .ctx = &got});
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(got.calls, 0);
    return f;
}

static const struct {
    const char *answer;
    unsigned status;
    const char *body, *why;
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789", 200, "0123456789", ""},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 200,
     "abc", ""},
    {"HTTP/1.0 200 OK\r\n\r\nold", 200, "old", ""},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, "", ""},
    {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n0123456789a", 0, "", "too large"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", 0, "", "broke off"},
    {"", 0, "", "without answering"},
    {"nonsense\r\n", 0, "", "HTTP/1.x"},
};

START_TEST(an_answer_is_told_once)
{
    (void)start(RIG_PATIENCE_US);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    ck_assert_str_eq(heard.p, "GET /certs?x=1 HTTP/1.1\r\nHost: keys.local\r\nAccept: */*\r\n\r\n");
    rig_say(&R, up, answers[_i].answer);
    close(up);
    RIG_UNTIL(&R, got.calls);
    for (int i = 0; i < 3; i++)
        rig_turn(&R);
    ck_assert_uint_eq(got.calls, 1);
    ck_assert_uint_eq(got.status, answers[_i].status);
    ck_assert_msg(strstr(got.why, answers[_i].why) != NULL, "said: %s", got.why);
    if (answers[_i].status)
        ck_assert_str_eq(got.body, answers[_i].body);
}
END_TEST

START_TEST(a_refused_connection_is_told_after_the_call_returned)
{
    close(R.listener);
    R.listener = -1;
    (void)start(RIG_PATIENCE_US);
    RIG_UNTIL(&R, got.calls);
    ck_assert_uint_eq(got.status, 0);
}
END_TEST

START_TEST(silence_is_told_when_the_time_is_up)
{
    (void)start(20000);
    int up = rig_accept(&R);
    RIG_UNTIL(&R, got.calls);
    ck_assert_ptr_nonnull(strstr(got.why, "in time"));
    rig_gone(&R, up);
}
END_TEST

START_TEST(a_cancelled_fetch_tells_nothing)
{
    fetch *f = start(20000);
    int up = rig_accept(&R);
    fetch_cancel(f);
    rig_gone(&R, up);
    ck_assert_uint_eq(got.calls, 0);
}
END_TEST

START_TEST(closing_the_proxy_ends_a_fetch_without_a_word)
{
    (void)start(RIG_PATIENCE_US);
    int up = rig_accept(&R);
    proxy_close(R.proxy);
    R.proxy = NULL;
    ck_assert_uint_eq(got.calls, 0);
    close(up);
}
END_TEST

static char max_age[32];

static void on_header(void *ctx, unsigned status, span body, const error *e)
{
    (void)body;
    (void)e;
    ck_assert_uint_eq(status, 200);
    fetch *f = *(fetch **)ctx;
    (void)snprintf(max_age, sizeof max_age, "%.*s", SPAN_ARG(fetch_header(f, "cache-control")));
    ck_assert_uint_eq(fetch_header(f, "Absent").n, 0);
}

START_TEST(a_proxy_without_callers_fetches_and_tells_the_answers_fields)
{
    proxy_options o = rig_options;
    o.connections_max = 0;
    rig_close(&R);
    rig_open_with(&R, &o);
    fetch *f = NULL;
    f = proxy_fetch(R.proxy, &(fetch_request){.to = &R.forward.upstream,
                                              .host = SPAN_LIT("h"),
                                              .target = SPAN_LIT("/"),
                                              .answer_max = 100,
                                              .timeout_us = RIG_PATIENCE_US,
                                              .on_result = on_header,
                                              .ctx = &f});
    int up = rig_accept(&R);
    rig_say(&R, up, "HTTP/1.1 200 OK\r\nCache-Control: max-age=9\r\nContent-Length: 1\r\n\r\nx");
    RIG_UNTIL(&R, max_age[0]);
    ck_assert_str_eq(max_age, "max-age=9");
    proxy_drain(R.proxy, loop_now_us(R.loop), rig_on_idle, &R);
    RIG_UNTIL(&R, R.idle);
    close(up);
}
END_TEST

START_TEST(a_fetch_reuses_a_connection)
{
    int up = -1;
    for (unsigned i = 1; i <= 2; i++) {
        (void)start(RIG_PATIENCE_US);
        up = up < 0 ? rig_accept(&R) : up;
        rig_hear(&R, up, &heard, "\r\n\r\n");
        rig_say(&R, up, answers[0].answer);
        RIG_UNTIL(&R, got.calls == 1);
        ck_assert_uint_eq(got.status, 200);
        got.calls = 0;
    }
    ck_assert(rig_nobody_connects(&R));
    close(up);
}
END_TEST

static void post(span method, span body)
{
    const field fields[] = {{SPAN_LIT("Content-Type"), SPAN_LIT("a/b")},
                            {SPAN_LIT("Authorization"), SPAN_LIT("Bearer x")}};
    (void)proxy_fetch(R.proxy, &(fetch_request){.to = &R.forward.upstream,
                                                .method = method,
                                                .host = SPAN_LIT("h"),
                                                .target = SPAN_LIT("/t"),
                                                .fields = fields,
                                                .field_count = countof(fields),
                                                .body = body,
                                                .answer_max = 10,
                                                .timeout_us = RIG_PATIENCE_US,
                                                .on_result = on_result,
                                                .ctx = &got});
}

#define POST_FIELDS "Host: h\r\nAccept: */*\r\nContent-Type: a/b\r\nAuthorization: Bearer x\r\n"

static const struct {
    span method, body;
    const char *heard;
} posts[] = {
    {{"POST", 4},
     {"hello", 5},
     "POST /t HTTP/1.1\r\n" POST_FIELDS "Content-Length: 5\r\n\r\nhello"},
    {{"POST", 4}, {"", 0}, "POST /t HTTP/1.1\r\n" POST_FIELDS "Content-Length: 0\r\n\r\n"},
    {{"DELETE", 6}, {"", 0}, "DELETE /t HTTP/1.1\r\n" POST_FIELDS "\r\n"},
};

START_TEST(method_fields_and_body_are_sent)
{
    post(posts[_i].method, posts[_i].body);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, posts[_i].body.n ? "hello" : "\r\n\r\n");
    ck_assert_str_eq(heard.p, posts[_i].heard);
    rig_say(&R, up, answers[0].answer);
    RIG_UNTIL(&R, got.calls);
    ck_assert_uint_eq(got.status, 200);
    close(up);
}
END_TEST

START_TEST(a_large_body_is_sent_piece_by_piece)
{
    static char big[3 * 1024 * 1024];
    static char sink[65536];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '!';
    post(SPAN_LIT("POST"), (span){big, sizeof big});
    int up = rig_accept(&R);
    size_t total = 0;
    char last = 0;
    while (last != '!') {
        ssize_t n = recv(up, sink, sizeof sink, MSG_DONTWAIT);
        ck_assert(n != 0);
        if (n > 0) {
            total += (size_t)n;
            last = sink[n - 1];
        } else {
            rig_turn(&R);
        }
    }
    ck_assert_uint_gt(total, sizeof big);
    rig_say(&R, up, answers[0].answer);
    RIG_UNTIL(&R, got.calls);
    ck_assert_uint_eq(got.status, 200);
    close(up);
}
END_TEST

START_TEST(an_answer_before_the_whole_body_is_taken_counts)
{
    static char big[8 * 1024 * 1024];
    memset(big, 'x', sizeof big);
    post(SPAN_LIT("POST"), (span){big, sizeof big});
    int up = rig_accept(&R);
    rig_say(&R, up, "HTTP/1.1 413 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    RIG_UNTIL(&R, got.calls);
    ck_assert_uint_eq(got.status, 413);
    ck_assert_str_eq(got.body, "no");
    close(up);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_fetch");
    TCase *t = tcase_create("fetch");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_checked_fixture(t, forget, NULL);
    tcase_add_loop_test(t, an_answer_is_told_once, 0, countof(answers));
    tcase_add_test(t, a_refused_connection_is_told_after_the_call_returned);
    tcase_add_test(t, silence_is_told_when_the_time_is_up);
    tcase_add_test(t, a_cancelled_fetch_tells_nothing);
    tcase_add_test(t, closing_the_proxy_ends_a_fetch_without_a_word);
    tcase_add_test(t, a_proxy_without_callers_fetches_and_tells_the_answers_fields);
    tcase_add_test(t, a_fetch_reuses_a_connection);
    tcase_add_loop_test(t, method_fields_and_body_are_sent, 0, countof(posts));
    tcase_add_test(t, a_large_body_is_sent_piece_by_piece);
    tcase_add_test(t, an_answer_before_the_whole_body_is_taken_counts);
    suite_add_tcase(s, t);
    return check_main(s);
}
