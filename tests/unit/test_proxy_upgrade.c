/* WebSocket upgrades through the proxy: the handshake, what comes with it, and every way it ends.
 */
#include <malloc.h>

#include "upgrade_fixture.h"

/* ---- the handshake ---- */

static const char *const asking[] = {
    HANDSHAKE,
    ASK_WITH("connection: keep-alive, upgrade\r\nupgrade: WebSocket\r\n"),
    ASK_WITH("Upgrade: foo, websocket\r\nConnection: keep-alive\r\nConnection: TE,Upgrade\r\n"
             "TE: trailers\r\n"),
    ASK_WITH(ASK "Content-Length: 0\r\n"),
};

START_TEST(a_handshake_reaches_the_upstream_and_its_answer_the_caller)
{
    const field added[] = {{SPAN_LIT("server"), SPAN_LIT("Front")}};
    static const char *const dropped[] = {"Sec-WebSocket-Protocol", NULL};
    R.forward.response_add = added;
    R.forward.response_add_count = countof(added);
    R.forward.response_drop = dropped;
    int up;
    int caller = waiting_caller(&up, asking[_i]);
    ck_assert(has("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"));
    ck_assert_ptr_null(strstr(strstr(heard.p, "Upgrade: ") + 9, "Upgrade: "));
    ck_assert(has("\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"));
    ck_assert(has("\r\nSec-WebSocket-Version: 13\r\n"));
    ck_assert(!has("TE:"));
    rig_say(&R, up, AGREED);
    rig_hear(&R, caller, &heard, "\r\n\r\n");
    ck_assert(span_starts(buf_view(&heard), SPAN_LIT("HTTP/1.1 101 ")));
    ck_assert(has("\r\nConnection: Upgrade\r\n"));
    ck_assert(has("\r\nUpgrade: websocket\r\n"));
    ck_assert(has("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    ck_assert(has("\r\nserver: Front\r\n"));
    ck_assert(!has("Sec-WebSocket-Protocol") && !has("Keep-Alive") && !has("Content-Length"));
    rig_say(&R, caller, "ping");
    rig_hear(&R, up, &heard, "ping");
    rig_say(&R, up, "pong");
    rig_hear(&R, caller, &heard, "pong");
    ck_assert_uint_eq(R.done, 0);
    close(caller);
    rig_gone(&R, up);
    expect_outcome(PROXY_OK);
    ck_assert_uint_eq(R.heads, 1);
    ck_assert_uint_eq(R.outcomes[0].request_bytes, strlen(asking[_i]) + 4);
    ck_assert_uint_gt(R.outcomes[0].response_bytes, 4);
}
END_TEST

static const char *const not_asking[] = {
    ASK_WITH("Connection: keep-alive\r\nUpgrade: websocket\r\n"),
    ASK_WITH("Connection: Upgrade\r\n"),
    ASK_WITH("Connection: Upgrade\r\nUpgrade: foo\r\n"),
    ASK_WITH("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"),
    ASK_WITH("Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n"),
    ASK_WITH("Connection: Upgraded\r\nUpgrade: websockets\r\n"),
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n" ASK "\r\nx",
    "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n" ASK "\r\nx",
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n" ASK "\r\n",
    "GET / HTTP/1.0\r\nHost: h\r\n" ASK "\r\n",
};

START_TEST(what_is_no_handshake_is_an_ordinary_request)
{
    int up;
    int caller = waiting_caller(&up, not_asking[_i]);
    ck_assert(!has("\r\nUpgrade:") && !has("\r\nConnection:"));
    rig_say(&R, up, AGREED); /* unasked */
    rig_hear(&R, caller, &heard, "bad-response");
    ck_assert(has(" 503 "));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_BAD_RESPONSE);
    rig_gone(&R, up);
    close(caller);
}
END_TEST

static const char *const other_switches[] = {
    SWITCH "\r\n",
    SWITCH "Upgrade: websocket\r\n\r\n",
    SWITCH "Connection: Upgrade\r\n\r\n",
    SWITCH "Connection: Upgrade\r\nUpgrade: foo\r\n\r\n",
    SWITCH "Connection: close\r\nUpgrade: websocket\r\n\r\n",
};

START_TEST(an_upstream_that_switches_to_something_else_is_an_error)
{
    int up;
    int caller = waiting_caller(&up, HANDSHAKE);
    rig_say(&R, up, other_switches[_i]);
    rig_hear(&R, caller, &heard, "bad-response");
    ck_assert(has("HTTP/1.1 503 "));
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_BAD_RESPONSE);
    rig_gone(&R, up);
    rig_say(&R, caller, RIG_GET("/next")); /* the caller's connection goes on */
    up = rig_accept(&R);
    close(up);
    close(caller);
}
END_TEST

START_TEST(a_refused_handshake_is_answered_and_the_connection_goes_on)
{
    R.reply_status = 403;
    int caller = rig_caller(&R);
    rig_say(&R, caller, HANDSHAKE);
    rig_hear(&R, caller, &heard, "no\n");
    ck_assert(has("HTTP/1.1 403 ") && has("X-Judge: refused"));
    ck_assert(rig_nobody_connects(&R));
    rig_say(&R, caller, HANDSHAKE);
    rig_hear(&R, caller, &heard, "no\n");
    ck_assert_uint_eq(rig_outcome(&R, 1)->status, 403);
    close(caller);
}
END_TEST

START_TEST(an_answer_other_than_101_is_an_ordinary_one)
{
    int up;
    int caller = waiting_caller(&up, HANDSHAKE);
    rig_say(&R, up, OK_ANSWER);
    rig_hear(&R, caller, &heard, "ok");
    ck_assert(has("HTTP/1.1 200 "));
    ck_assert_uint_eq(rig_outcome(&R, 0)->status, 200);
    rig_say(&R, caller, HANDSHAKE); /* on the same two connections */
    rig_hear(&R, up, &heard, "Upgrade: websocket");
    rig_say(&R, up, AGREED);
    rig_hear(&R, caller, &heard, "101 ");
    close(up);
    rig_gone(&R, caller);
    ck_assert_uint_eq(rig_outcome(&R, 1)->status, 101);
}
END_TEST

START_TEST(interim_responses_before_the_switch_are_skipped)
{
    int up;
    int caller = waiting_caller(&up, HANDSHAKE);
    rig_say(&R, up, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" AGREED "hello");
    rig_hear(&R, caller, &heard, "hello");
    ck_assert(has("HTTP/1.1 101 "));
    close(up);
    rig_gone(&R, caller);
}
END_TEST

START_TEST(an_upgraded_connection_is_not_used_for_another_request)
{
    int up;
    int caller = upgraded_caller(&up);
    close(up);
    rig_gone(&R, caller);
    int other;
    caller = waiting_caller(&other, RIG_GET("/"));
    rig_say(&R, other, OK_ANSWER);
    rig_hear(&R, caller, &heard, "ok");
    close(caller);
    close(other);
}
END_TEST

/* ---- what comes with the handshake ---- */

START_TEST(bytes_behind_either_head_arrive_first_and_in_order)
{
    int up;
    int caller = waiting_caller(&up, HANDSHAKE "early ");
    rig_say(&R, caller, "and ");
    rig_say(&R, up, AGREED "greetings ");
    rig_say(&R, up, "to you.");
    rig_say(&R, caller, "late.");
    rig_hear(&R, up, &heard, "early and late.");
    ck_assert_uint_eq(heard.n, strlen("early and late."));
    rig_hear(&R, caller, &heard, "to you.");
    ck_assert(has("\r\n\r\ngreetings to you."));
    close(caller);
    rig_gone(&R, up);
    ck_assert_uint_eq(rig_outcome(&R, 0)->request_bytes, strlen(HANDSHAKE "early and late."));
}
END_TEST

static void expect_pattern(size_t from, size_t n)
{
    ck_assert_uint_eq(heard.n, from + n);
    for (size_t at = 0; at < n; at++)
        ck_assert_int_eq(heard.p[from + at], (char)(at * 7 + at / 251));
}

START_TEST(much_behind_either_head_is_not_lost)
{
    enum { MUCH = 20000 };
    auto_free char *pattern = malloc(MUCH);
    for (size_t at = 0; at < MUCH; at++)
        pattern[at] = (char)(at * 7 + at / 251);
    int up;
    int caller = rig_caller(&R);
    auto_buf buf both = buf_make(64 * 1024);
    buf_str(&both, HANDSHAKE);
    buf_add(&both, pattern, MUCH);
    rig_send(&R, caller, both.p, both.n);
    up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    buf_clear(&both);
    buf_str(&both, AGREED);
    buf_add(&both, pattern, MUCH);
    rig_send(&R, up, both.p, both.n);
    buf_clear(&heard);
    RIG_UNTIL(&R, (rig_take(up, &heard), heard.n == MUCH));
    expect_pattern(0, MUCH);
    buf_clear(&heard);
    RIG_UNTIL(&R, (rig_take(caller, &heard),
                   heard.n > MUCH && has("\r\n\r\n") &&
                       heard.n == (size_t)(strstr(heard.p, "\r\n\r\n") + 4 - heard.p) + MUCH));
    expect_pattern(heard.n - MUCH, MUCH);
    close(caller);
    rig_gone(&R, up);
}
END_TEST

/* ---- back-pressure ---- */

/* As much as goes out while nobody at the other end reads. */
static size_t flood(int fd)
{
    static const char block[64 * 1024];
    size_t sent = 0;
    for (unsigned quiet = 0; quiet < 20;) {
        ssize_t n = send(fd, block, sizeof block, MSG_NOSIGNAL);
        quiet = n > 0 ? 0 : quiet + 1;
        sent += n > 0 ? (size_t)n : 0;
        ck_assert_uint_lt(sent, 256u * 1024 * 1024);
        rig_turn(&R);
    }
    return sent;
}

static size_t swallow(int fd, size_t n)
{
    static char bin[256 * 1024];
    size_t got = 0;
    while (got < n) {
        ssize_t r = recv(fd, bin, sizeof bin, 0);
        got += r > 0 ? (size_t)r : 0;
        ck_assert(r > 0 || errno == EAGAIN);
        rig_turn(&R);
    }
    return got;
}

START_TEST(who_does_not_read_slows_the_sender_and_costs_no_memory)
{
    int up;
    int caller = upgraded_caller(&up);
    const int from = _i ? up : caller;
    const int to = _i ? caller : up;
    const size_t before = mallinfo2().uordblks;
    const size_t sent = flood(from);
    ck_assert_uint_le(mallinfo2().uordblks, before + 64 * 1024);
    rig_say(&R, to, "meanwhile"); /* the other way is free */
    rig_hear(&R, from, &heard, "meanwhile");
    ck_assert_uint_eq(swallow(to, sent), sent);
    rig_say(&R, from, "the rest");
    rig_hear(&R, to, &heard, "the rest");
    close(caller);
    close(up);
    expect_outcome(PROXY_OK);
    const uint64_t moved = _i ? R.outcomes[0].response_bytes : R.outcomes[0].request_bytes;
    ck_assert_uint_gt(moved, sent);
    ck_assert_uint_lt(moved, sent + 1000);
}
END_TEST

/* ---- the end ---- */

START_TEST(each_way_may_end_by_itself)
{
    int up;
    int caller = upgraded_caller(&up);
    const int first = _i ? up : caller;
    const int second = _i ? caller : up;
    rig_say(&R, first, "that is all");
    shutdown(first, SHUT_WR);
    buf_clear(&heard);
    rig_hear_all(&R, second, &heard);
    ck_assert(has("that is all"));
    rig_say(&R, second, "and yet");
    rig_hear(&R, first, &heard, "and yet");
    ck_assert_uint_eq(R.done, 0);
    close(second);
    rig_gone(&R, first);
    expect_outcome(PROXY_OK);
}
END_TEST

/* 0, 1: the caller leaves; 2, 3: the upstream does. Gently, then with a reset. */
START_TEST(who_leaves_takes_the_other_along)
{
    int up;
    int caller = upgraded_caller(&up);
    const int leaver = _i < 2 ? caller : up;
    if (_i % 2)
        reset(leaver);
    else
        close(leaver);
    rig_gone(&R, leaver == up ? caller : up);
    expect_outcome(PROXY_OK);
}
END_TEST

START_TEST(last_words_reach_a_caller_that_is_still_sending)
{
    int up;
    int caller = upgraded_caller(&up);
    rig_say(&R, up, "bye");
    rig_say(&R, caller, "unread");
    rig_turn(&R);
    close(up); /* with unread bytes: a reset */
    for (unsigned i = 0; i < 50 && R.done == 0; i++) {
        (void)send(caller, "more", 4, MSG_NOSIGNAL);
        rig_turn(&R);
    }
    buf_clear(&heard);
    rig_hear_all(&R, caller, &heard);
    ck_assert(has("bye"));
    close(caller);
    expect_outcome(PROXY_OK);
}
END_TEST

START_TEST(a_caller_that_leaves_before_the_answer_takes_the_upstream_along)
{
    int up;
    int caller = waiting_caller(&up, HANDSHAKE);
    close(caller);
    rig_gone(&R, up);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
    ck_assert_uint_eq(R.outcomes[0].status, 0);
}
END_TEST

START_TEST(an_upstream_that_leaves_with_its_answer_is_told)
{
    int up;
    int caller = waiting_caller(&up, HANDSHAKE);
    rig_say(&R, up, AGREED "bye");
    close(up);
    buf_clear(&heard);
    rig_hear_all(&R, caller, &heard);
    ck_assert(has("HTTP/1.1 101 ") && has("\r\n\r\nbye"));
    close(caller);
    expect_outcome(PROXY_OK);
}
END_TEST

static void on_over(void *arg)
{
    ++*(unsigned *)arg;
}

START_TEST(it_is_bound_by_the_timeout)
{
    unsigned over = 0;
    R.forward.timeout_us = 100 * 1000;
    R.forward.over = on_over;
    R.forward.over_arg = &over;
    int up;
    int caller = upgraded_caller(&up);
    rig_say(&R, caller, "hi");
    rig_hear(&R, up, &heard, "hi");
    ck_assert_uint_eq(over, 0); /* it counts for as long as it lasts */
    rig_gone(&R, caller);
    rig_gone(&R, up);
    expect_outcome(PROXY_TIMEOUT);
    ck_assert_uint_eq(over, 1);
    ck_assert_int_ge(R.outcomes[0].latency_us, 100 * 1000);
}
END_TEST

START_TEST(a_handshake_without_an_answer_times_out_with_the_judges_page)
{
    R.forward.timeout_us = 50 * 1000;
    int up;
    int caller = waiting_caller(&up, HANDSHAKE);
    rig_hear(&R, caller, &heard, "timeout");
    ck_assert(has("HTTP/1.1 504 "));
    rig_gone(&R, up);
    close(caller);
}
END_TEST

START_TEST(draining_waits_for_its_end)
{
    int up;
    int caller = upgraded_caller(&up);
    proxy_drain(R.proxy, loop_now_us(R.loop) + 60 * 1000000LL, rig_on_idle, &R);
    rig_say(&R, caller, "still");
    rig_hear(&R, up, &heard, "still");
    ck_assert(!R.idle);
    close(up);
    rig_gone(&R, caller);
    RIG_UNTIL(&R, R.idle);
    expect_outcome(PROXY_OK);
}
END_TEST

START_TEST(the_drains_deadline_cuts_it)
{
    int up;
    int caller = upgraded_caller(&up);
    proxy_drain(R.proxy, loop_now_us(R.loop) + 50 * 1000LL, rig_on_idle, &R);
    RIG_UNTIL(&R, R.idle);
    rig_gone(&R, caller);
    rig_gone(&R, up);
    expect_outcome(PROXY_CLIENT_GONE);
}
END_TEST

START_TEST(closing_ends_all_of_them)
{
    int callers[8], ups[8];
    for (size_t i = 0; i < countof(callers); i++)
        callers[i] = upgraded_caller(&ups[i]);
    tear_down();
    ck_assert_uint_eq(R.done, countof(callers));
    for (size_t i = 0; i < countof(callers); i++) {
        ck_assert_uint_eq(R.outcomes[i].status, 101);
        close(callers[i]);
        close(ups[i]);
    }
    set_up();
}
END_TEST

static void add_handshake_tests(TCase *t)
{
    tcase_add_loop_test(t, a_handshake_reaches_the_upstream_and_its_answer_the_caller, 0,
                        countof(asking));
    tcase_add_loop_test(t, what_is_no_handshake_is_an_ordinary_request, 0, countof(not_asking));
    tcase_add_loop_test(t, an_upstream_that_switches_to_something_else_is_an_error, 0,
                        countof(other_switches));
    tcase_add_test(t, a_refused_handshake_is_answered_and_the_connection_goes_on);
    tcase_add_test(t, an_answer_other_than_101_is_an_ordinary_one);
    tcase_add_test(t, interim_responses_before_the_switch_are_skipped);
    tcase_add_test(t, an_upgraded_connection_is_not_used_for_another_request);
    tcase_add_test(t, bytes_behind_either_head_arrive_first_and_in_order);
    tcase_add_test(t, much_behind_either_head_is_not_lost);
}

static void add_relay_tests(TCase *t)
{
    tcase_add_loop_test(t, who_does_not_read_slows_the_sender_and_costs_no_memory, 0, 2);
    tcase_add_loop_test(t, each_way_may_end_by_itself, 0, 2);
    tcase_add_loop_test(t, who_leaves_takes_the_other_along, 0, 4);
    tcase_add_test(t, last_words_reach_a_caller_that_is_still_sending);
    tcase_add_test(t, a_caller_that_leaves_before_the_answer_takes_the_upstream_along);
    tcase_add_test(t, an_upstream_that_leaves_with_its_answer_is_told);
    tcase_add_test(t, it_is_bound_by_the_timeout);
    tcase_add_test(t, a_handshake_without_an_answer_times_out_with_the_judges_page);
    tcase_add_test(t, draining_waits_for_its_end);
    tcase_add_test(t, the_drains_deadline_cuts_it);
    tcase_add_test(t, closing_ends_all_of_them);
}

int main(void)
{
    Suite *s = suite_create("proxy_upgrade");
    TCase *t = tcase_create("handshake");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 20);
    add_handshake_tests(t);
    suite_add_tcase(s, t);
    t = tcase_create("relay");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 20);
    add_relay_tests(t);
    suite_add_tcase(s, t);
    return check_main(s);
}
