/* Callers over HTTP/2 whose requests are none, and those that dawdle, say nothing or stay without
 * asking: refused, told to go, or left alone. */
#include <malloc.h>

#include "h2_peer.h"
#include "proxy/exchange_impl.h"

static int hear_request(const char *until)
{
    int up = peers_accept();
    hear(up, until);
    return up;
}

/* ---- requests that are none ---- */

START_TEST(unsound_requests_are_refused_unjudged)
{
    static const struct {
        const char *fields, *status;
    } rows[] = {
        {":method: GET\n:scheme: http\n:authority: a\n:path: /\nhost: b\n", "400"},
        {":method: GET\n:scheme: http\n:authority: u@a\n:path: /\n", "400"},
        {":method: GET\n:scheme: x\n:authority: a\n:path: b\n", "400"},
        {":method: GET\n:scheme: x\n:authority: a\n:path: http://b/\n", "400"},
        {":method: GET\n:scheme: http\n:authority: a\n:path: /#x\n", "400"},
    };
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, rows[_i].fields, false);
    PEERS_UNTIL(s->closed);
    ck_assert_msg(has(&s->head, rows[_i].status), "%s", s->head.p ? s->head.p : "reset");
    ck_assert_uint_eq(R.heads, 0);
    ck_assert_uint_eq(R.malformed_status, 400);
}
END_TEST

START_TEST(malformed_requests_are_reset)
{
    static const char *const rows[] = {
        ":method: GET\n:scheme: http\n:authority: h\n:path: /\nconnection: close\n",
        ":method: GET\n:scheme: http\n:authority: h\n:path: /\ntransfer-encoding: chunked\n",
        ":method: GET\n:scheme: http\n:authority: a/b\n:path: /\n",
        ":method: GET\n:scheme: http\n:authority: h\n:path: /\nte: gzip\n",
        ":method: GET\n:scheme: http\n:authority: h\n:path: /\nx y: 1\n",
        ":method: GET\n:scheme: http\n:authority: h\n:path: /\nx: a\rb\n",
        ":method: GET\n:scheme: http\n:authority: h\n",
        ":scheme: http\n:authority: h\n:path: /\n",
        ":method: G T\n:scheme: http\n:authority: h\n:path: /\n",
        ":method: GET\n:scheme: http\n:path: /\n",
        ":method: GET\n:scheme: http\n:authority: \n:path: /\n",
        ":method: POST\n:scheme: http\n:authority: h\n:path: /\ncontent-length: 5\n",
        ":method: POST\n:scheme: http\n:authority: h\n:path: /\ncontent-length: x\n",
    };
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, rows[_i], false);
    PEERS_UNTIL(s->closed || c->gone);
    ck_assert_msg(!s->head.n || has(&s->head, ":status: 400\n"), "%s", s->head.p);
    ck_assert_uint_eq(R.heads, 0);
    ck_assert(rig_nobody_connects(&R));
}
END_TEST

START_TEST(a_head_that_is_too_large_is_told_so)
{
    auto_buf buf head = buf_make(1 << 20);
    buf_str(&head, PEER_GET("/"));
    for (int i = 0; i < 40; i++)
        buf_fmt(&head, "x-%d: %0500d\n", i, i);
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, head.p, false);
    peer_stream *other = peer_ask(c, PEER_GET("/other"), false);
    PEERS_UNTIL(s->closed);
    ck_assert(has(&s->head, ":status: 431\n"));
    ck_assert_uint_eq(R.malformed_status, 431);
    int up = hear_request("/other");
    rig_say(&R, up, OK_ANSWER);
    PEERS_UNTIL(other->closed);
    close(up);
}
END_TEST

START_TEST(crumbs_of_a_cookie_cost_no_more_than_they_are)
{
    enum { CRUMBS = 200 };
    auto_buf buf head = buf_make(1 << 20);
    buf_str(&head, PEER_GET("/"));
    for (int i = 0; i < CRUMBS; i++)
        buf_fmt(&head, "cookie: %03d\n", i);
    h2_peer *c = calling_peer();
    (void)peer_ask(c, head.p, false);
    PEERS_UNTIL(R.heads);
    span cookie;
    ck_assert_uint_eq(exchange_field(R.last, "cookie", &cookie), 1);
    ck_assert_uint_eq(cookie.n, CRUMBS * 5 - 2);
    size_t bytes = 0;
    for (arena_block *b = R.last->arena_more; b; b = b->next)
        bytes += malloc_usable_size(b);
    ck_assert_uint_lt(bytes, 40000);
}
END_TEST

START_TEST(connect_is_the_judges_to_refuse)
{
    R.reply_status = 405;
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, ":method: CONNECT\n:authority: h:443\n", true);
    PEERS_UNTIL(s->ended);
    ck_assert(has(&s->head, ":status: 405\n"));
    ck_assert_uint_eq(R.heads, 1);
}
END_TEST

/* ---- callers that dawdle ---- */

/* One second each is the shortest that these times can be. */
static void set_up_hasty(void)
{
    proxy_options o = rig_options;
    o.head_timeout_s = 1;
    o.idle_timeout_s = 1;
    rig_open_with(&R, &o);
    heard = buf_make(32 << 20);
}

/* PEERS_UNTIL with more patience. */
#define PEERS_AT_LAST(condition)                                                                   \
    for (int64_t until_ = clock_mono_us() + 2 * RIG_PATIENCE_US; !(condition); peers_turns(1))     \
    ck_assert_msg(clock_mono_us() < until_, "still waiting for: %s", #condition)

START_TEST(a_header_section_that_never_ends_is_ended)
{
    static const char half[] = {0, 0, 1, NGHTTP2_HEADERS, NGHTTP2_FLAG_NONE, 0, 0, 0, 1, '\x82'};
    h2_peer *c = calling_peer();
    peers_turns(3);
    rig_send(&R, c->fd, half, sizeof half);
    PEERS_AT_LAST(c->gone);
    ck_assert_uint_eq(c->goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
    ck_assert_uint_eq(R.heads, 0);
}
END_TEST

START_TEST(a_caller_that_never_says_its_settings_is_ended)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const int64_t until = clock_mono_us() + RIG_PATIENCE_US;
    while (!rig_take(caller, &heard)) {
        ck_assert(clock_mono_us() < until);
        rig_turn(&R);
    }
    close(caller);
}
END_TEST

START_TEST(a_caller_that_asks_nothing_is_told_good_bye)
{
    h2_peer *c = calling_peer();
    PEERS_AT_LAST(c->gone);
    ck_assert_uint_eq(c->goaways, 1);
    ck_assert_uint_eq(c->goaway_code, NGHTTP2_NO_ERROR);
}
END_TEST

START_TEST(a_caller_that_waits_for_its_answer_is_not_idle)
{
    h2_peer *c = calling_peer();
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    int up = hear_request("\r\n\r\n");
    const int64_t until = clock_mono_us() + 2500000;
    while (clock_mono_us() < until)
        peers_turns(1);
    rig_say(&R, up, OK_ANSWER);
    PEERS_UNTIL(s->closed);
    ck_assert_str_eq(s->data.p, "ok");
    close(up);
}
END_TEST

enum { FAR_AHEAD = 64 << 20 };

/* A caller that lets us send far more than the sockets hold. */
static peer_stream *greedy_stream(h2_peer **out_peer, int *out_up)
{
    h2_peer *c = calling_peer_as(&(peer_options){.window = FAR_AHEAD});
    ck_assert_int_eq(nghttp2_session_set_local_window_size(c->ng, NGHTTP2_FLAG_NONE, 0, FAR_AHEAD),
                     0);
    peer_stream *s = peer_ask(c, PEER_GET("/"), false);
    *out_peer = c;
    *out_up = hear_request("\r\n\r\n");
    rig_say(&R, *out_up, "HTTP/1.1 200 OK\r\n\r\n");
    PEERS_UNTIL(s->sections);
    return s;
}

/* What the upstream has to say is more than anybody takes. */
static void pour(int up)
{
    static char much[1 << 20];
    while (send(up, much, sizeof much, MSG_NOSIGNAL) > 0)
        continue;
}

START_TEST(a_caller_that_reads_slowly_is_left_alone)
{
    int up;
    h2_peer *c;
    peer_stream *s = greedy_stream(&c, &up);
    const int64_t until = clock_mono_us() + 3500000;
    while (clock_mono_us() < until && !c->gone) {
        uint8_t sip[32768];
        pour(up);
        const ssize_t n = recv(c->fd, sip, sizeof sip, 0);
        if (n > 0)
            ck_assert_int_eq(nghttp2_session_mem_recv(c->ng, sip, (size_t)n), n);
        else
            c->gone = n == 0;
        peer_speak(c);
        rig_turn(&R);
    }
    ck_assert(!c->gone);
    ck_assert_uint_gt(s->received, 8 << 20);
    close(up);
}
END_TEST

START_TEST(a_caller_that_reads_nothing_more_is_ended)
{
    int up;
    h2_peer *c;
    (void)greedy_stream(&c, &up);
    const int64_t until = clock_mono_us() + 2 * RIG_PATIENCE_US;
    while (!R.done) {
        ck_assert(clock_mono_us() < until);
        pour(up);
        rig_turn(&R);
    }
    ck_assert_int_eq(R.outcomes[0].failure, PROXY_CLIENT_GONE);
    close(up);
}
END_TEST

static Suite *h2_strict_suite(void)
{
    Suite *s = suite_create("h2_strict");
    TCase *t = tcase_create("unsound");
    tcase_add_checked_fixture(t, set_up, tear_down_h2);
    suite_add_tcase(s, t);
    tcase_add_loop_test(t, unsound_requests_are_refused_unjudged, 0, 5);
    tcase_add_loop_test(t, malformed_requests_are_reset, 0, 13);
    tcase_add_test(t, a_head_that_is_too_large_is_told_so);
    tcase_add_test(t, crumbs_of_a_cookie_cost_no_more_than_they_are);
    tcase_add_test(t, connect_is_the_judges_to_refuse);
    t = tcase_create("dawdling");
    tcase_add_checked_fixture(t, set_up_hasty, tear_down_h2);
    tcase_set_timeout(t, 20);
    suite_add_tcase(s, t);
    tcase_add_test(t, a_header_section_that_never_ends_is_ended);
    tcase_add_test(t, a_caller_that_never_says_its_settings_is_ended);
    tcase_add_test(t, a_caller_that_asks_nothing_is_told_good_bye);
    tcase_add_test(t, a_caller_that_waits_for_its_answer_is_not_idle);
    tcase_add_test(t, a_caller_that_reads_slowly_is_left_alone);
    tcase_add_test(t, a_caller_that_reads_nothing_more_is_ended);
    return s;
}

int main(void)
{
    return check_main(h2_strict_suite());
}
