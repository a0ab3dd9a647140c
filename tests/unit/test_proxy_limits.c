/* Bodies that may not be larger than the judge says. */
#include "proxy_fixture.h"

#define CHUNKED "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

/* ---- the request's ---- */

static const struct {
    const char *request;
    bool fits;
} uploads[] = {
    {CHUNKED "a\r\n0123456789\r\n0\r\n\r\n", true},
    {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n", true},
    {CHUNKED "b\r\n0123456789x\r\n0\r\n\r\n", false},
    {CHUNKED "5\r\n01234\r\n5\r\n56789\r\n1\r\nx\r\n0\r\n\r\n", false},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789", true},
    {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n0123456789x", false},
};

START_TEST(a_request_body_may_be_as_large_as_the_limit_however_it_is_framed)
{
    R.forward.body_limit = 10;
    int caller = rig_caller(&R);
    rig_say(&R, caller, uploads[_i].request);
    int up = rig_accept(&R);
    if (uploads[_i].fits) {
        rig_hear(&R, up, &heard, "\r\n\r\n");
        rig_say(&R, up, OK_ANSWER);
        rig_hear(&R, caller, &heard, "ok");
        ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
        close(caller);
    } else {
        rig_hear_all(&R, caller, &heard);
        ck_assert(strncmp(heard.p, "HTTP/1.1 503 ", 13) == 0);
        ck_assert_ptr_nonnull(strstr(heard.p, "\r\nDate: "));
        ck_assert_ptr_nonnull(strstr(heard.p, "\r\nConnection: close\r\n"));
        ck_assert_ptr_nonnull(strstr(heard.p, "\r\n\r\nrequest-too-large"));
        close(caller);
        ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_REQUEST_TOO_LARGE);
        ck_assert_uint_eq(R.outcomes[0].status, 503);
        rig_gone(&R, up);
        return;
    }
    close(up);
}
END_TEST

/* Sends what the socket takes of p, over and over. */
static void push(int fd, const char *p, size_t n, size_t *at)
{
    ssize_t sent = send(fd, p + *at, n - *at, MSG_NOSIGNAL);
    if (sent > 0)
        *at = (*at + (size_t)sent) % n;
}

START_TEST(a_caller_that_uploads_on_still_hears_that_it_is_too_much)
{
    static char chunk[65536 + 16];
    int n = snprintf(chunk, sizeof chunk, "10000\r\n");
    memset(chunk + n, 'x', 65536);
    memcpy(chunk + n + 65536, "\r\n", 2);
    R.forward.body_limit = 100 * 1000;
    int caller = rig_caller(&R);
    rig_say(&R, caller, CHUNKED);
    int up = rig_accept(&R);
    auto_buf buf taken = buf_make(1 << 20);
    auto_buf buf answer = buf_make(1 << 20);
    size_t at = 0;
    RIG_UNTIL(&R, (push(caller, chunk, (size_t)n + 65538, &at), (void)rig_take(up, &taken),
                   rig_take(caller, &answer)));
    ck_assert(strncmp(answer.p, "HTTP/1.1 503 ", 13) == 0);
    ck_assert_ptr_nonnull(strstr(answer.p, "request-too-large"));
    close(caller);
    close(up);
}
END_TEST

START_TEST(without_a_limit_any_length_goes_through)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, uploads[2].request);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "0123456789x");
    close(caller);
    close(up);
}
END_TEST

START_TEST(an_answer_that_came_before_the_limit_was_passed_stands)
{
    R.forward.body_limit = 10;
    int caller = rig_caller(&R);
    rig_say(&R, caller, CHUNKED "5\r\n01234\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "01234");
    rig_say(&R, up, "HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 4\r\n\r\nmine");
    close(up);
    for (int i = 0; i < 10; i++)
        rig_turn(&R);
    rig_say(&R, caller, "10\r\n0123456789abcdef\r\n0\r\n\r\n");
    rig_hear(&R, caller, &heard, "mine");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(caller);
}
END_TEST

/* ---- the response's ---- */

enum { RESPONSE_MAX = 100 };

/* 60 bytes of head. */
#define DECLARED(n) "HTTP/1.1 200 OK\r\nContent-Length: " n "\r\nX-Padding: 1234567\r\n\r\n"

static const struct {
    const char *method, *answer;
    bool fits;
} answers[] = {
    {"GET", DECLARED("040"), true},
    {"GET", DECLARED("041"), false},
    {"GET", DECLARED("999"), false},
    {"HEAD", DECLARED("999"), true},
    {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n", true},
    {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e7\r\n", true},
    {"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n0123456789", true},
};

START_TEST(a_response_may_declare_what_the_limit_lets_through_with_its_head)
{
    ck_assert_uint_eq(strlen(DECLARED("040")), 60);
    R.forward.response_limit = RESPONSE_MAX;
    char request[64];
    (void)snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: h\r\n\r\n", answers[_i].method);
    int up;
    int caller = waiting_caller(&up, request);
    rig_say(&R, up, answers[_i].answer);
    if (answers[_i].fits) {
        rig_hear(&R, caller, &heard, "\r\n\r\n");
        ck_assert_ptr_null(strstr(heard.p, " 503 "));
        ck_assert_uint_eq(R.failures, 0);
    } else {
        rig_hear(&R, caller, &heard, "response-too-large");
        ck_assert(strncmp(heard.p, "HTTP/1.1 503 ", 13) == 0);
        ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_RESPONSE_TOO_LARGE);
    }
    close(caller);
    close(up);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_limits");
    TCase *t = tcase_create("limits");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 20);
    tcase_add_loop_test(t, a_request_body_may_be_as_large_as_the_limit_however_it_is_framed, 0,
                        (int)countof(uploads));
    tcase_add_test(t, a_caller_that_uploads_on_still_hears_that_it_is_too_much);
    tcase_add_test(t, without_a_limit_any_length_goes_through);
    tcase_add_test(t, an_answer_that_came_before_the_limit_was_passed_stands);
    tcase_add_loop_test(t, a_response_may_declare_what_the_limit_lets_through_with_its_head, 0,
                        (int)countof(answers));
    suite_add_tcase(s, t);
    return check_main(s);
}
