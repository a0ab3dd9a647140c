/* Requests and responses that pass: heads, targets, framing without bodies to speak of. */
#include "proxy_fixture.h"

/* The upstream hears a head, says answer; the caller hears until `last`. */
static void exchange_texts(int caller, int upstream, const char *answer, const char *last)
{
    rig_hear(&R, upstream, &heard, "\r\n\r\n");
    rig_say(&R, upstream, answer);
    rig_hear(&R, caller, &heard, last);
}

START_TEST(a_request_and_its_response_pass_with_their_fields)
{
    static const char *const drop[] = {"X-Goog", NULL};
    static const char *const response_drop[] = {"Server", NULL};
    const field add[] = {{SPAN_LIT("X-Forwarded-For"), SPAN_LIT("1.2.3.4")}};
    const field response_add[] = {{SPAN_LIT("Server"), SPAN_LIT("Front")}};
    R.forward.drop = drop;
    R.forward.add = add;
    R.forward.add_count = 1;
    R.forward.response_drop = response_drop;
    R.forward.response_add = response_add;
    R.forward.response_add_count = 1;
    int caller = rig_caller(&R);
    rig_say(&R, caller,
            "GET /a%2fb/%41?q=%20&r HTTP/1.1\r\nhost: h\r\nAccept: 1\r\nx-goog: 1\r\naccept: 2\r\n"
            "Connection: keep-alive, x-hop\r\nX-Hop: 1\r\n\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    ck_assert_str_eq(heard.p, "GET /a%2fb/%41?q=%20&r HTTP/1.1\r\nhost: h\r\nAccept: 1\r\n"
                              "accept: 2\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n");
    rig_say(&R, up,
            "HTTP/1.1 201 Whatever\r\nDate: D\r\nSet-Cookie: a=1\r\nServer: mine\r\n"
            "set-cookie: b=2\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n"
            "Content-Length: 2\r\n\r\nhi");
    rig_hear(&R, caller, &heard, "hi");
    ck_assert_str_eq(heard.p, "HTTP/1.1 201 Created\r\nDate: D\r\nSet-Cookie: a=1\r\n"
                              "set-cookie: b=2\r\nServer: Front\r\nContent-Length: 2\r\n\r\nhi");
    const exchange_outcome *o = rig_outcome(&R, 0);
    ck_assert_int_eq(o->failure, PROXY_OK);
    ck_assert_uint_eq(o->status, 201);
    ck_assert(o->forwarded);
    close(up);
    close(caller);
}
END_TEST

static const char *const targets[] = {"/",       "/%00",        "/a/../b//c/.",     "/?",
                                      "/?a=b&a", "/%e4%ZZ+%2B", "/*;p=1,2?x=/y?&=", "/\xc3\xa9"};

START_TEST(a_target_arrives_byte_for_byte)
{
    int caller = rig_caller(&R);
    auto_buf buf request = buf_make(1024);
    buf_fmt(&request, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", targets[_i]);
    rig_say(&R, caller, request.p);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    ck_assert_str_eq(heard.p, request.p);
    close(up);
    close(caller);
}
END_TEST

START_TEST(an_absolute_target_names_the_host_and_is_asked_for_as_a_path)
{
    R.defer = true;
    int caller = rig_caller(&R);
    rig_say(&R, caller, "GET http://real.example:81?x=1 HTTP/1.1\r\nHost: other\r\n\r\n");
    RIG_UNTIL(&R, R.last);
    ck_assert(span_eq_str(exchange_host(R.last), "real.example:81"));
    ck_assert(span_eq_str(exchange_path(R.last), "/"));
    ck_assert(span_eq_str(exchange_target(R.last), "http://real.example:81?x=1"));
    exchange_forward(R.last, &R.forward);
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    ck_assert_str_eq(heard.p, "GET /?x=1 HTTP/1.1\r\nHost: real.example:81\r\n\r\n");
    close(up);
    close(caller);
}
END_TEST

START_TEST(the_judge_sees_the_request)
{
    R.defer = true;
    int caller = rig_caller(&R);
    rig_say(&R, caller,
            "POST /p?q HTTP/1.1\r\nHost: H:1\r\nA: 1\r\na: 2\r\nContent-Length: 9\r\n\r\n");
    RIG_UNTIL(&R, R.last);
    exchange *x = R.last;
    span first = {0};
    uint64_t length = 0;
    ck_assert(span_eq_str(exchange_method(x), "POST"));
    ck_assert(span_eq_str(exchange_path(x), "/p"));
    ck_assert(span_eq_str(exchange_host(x), "H:1"));
    ck_assert(span_eq_str(exchange_version(x), "HTTP/1.1"));
    ck_assert_uint_eq(exchange_field(x, "A", &first), 2);
    ck_assert(span_eq_str(first, "1"));
    ck_assert_uint_eq(exchange_field(x, "B", NULL), 0);
    ck_assert(exchange_declared_length(x, &length) && length == 9);
    ck_assert_ptr_eq(exchange_tag(x), &R);
    ck_assert(net_addr_is_loopback(exchange_peer(x)));
    ck_assert_uint_eq(exchange_request_head_bytes(x), 64);
    memset(exchange_alloc(x, 100000), 1, 100000); /* beyond its first block */
    close(caller);
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_CLIENT_GONE);
}
END_TEST

START_TEST(connections_are_kept_alive_on_both_sides)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/1"));
    int up = rig_accept(&R);
    exchange_texts(caller, up, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none", "one");
    for (int i = 0; i < 3; i++) {
        rig_say(&R, caller, RIG_GET("/2"));
        exchange_texts(caller, up, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo", "two");
    }
    ck_assert(rig_nobody_connects(&R));
    close(up);
    close(caller);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/1") RIG_GET("/2") RIG_GET("/3"));
    int up = rig_accept(&R);
    for (unsigned i = 1; i <= 3; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "GET /%u HTTP", i);
        rig_hear(&R, up, &heard, line);
        ck_assert_ptr_null(strstr(heard.p + 1, "GET"));
        char answer[80];
        (void)snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nbody-%u",
                       i);
        rig_say(&R, up, answer);
        rig_hear(&R, caller, &heard, answer + strlen(answer) - 6);
    }
    close(up);
    close(caller);
}
END_TEST

static const struct {
    const char *method, *answer, *expected;
    bool closes;
} bodiless[] = {
    {"HEAD", "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 12345\r\n\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 12345\r\n\r\n", false},
    {"HEAD", "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n",
     "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: D\r\n\r\n", true},
    {"GET", "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n",
     "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n", false},
    {"GET", "HTTP/1.1 304 Not Modified\r\nDate: D\r\nContent-Length: 7\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nDate: D\r\nContent-Length: 7\r\n\r\n", false},
    {"GET", "HTTP/1.1 304 Not Modified\r\nDate: D\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nConnection: close\r\nDate: D\r\n\r\n", true},
    {"GET", "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\n\r\n", false},
};

START_TEST(responses_without_a_body_keep_their_meaning)
{
    int caller = rig_caller(&R);
    char request[80];
    (void)snprintf(request, sizeof request, "%s / HTTP/1.1\r\nHost: h\r\n\r\n",
                   bodiless[_i].method);
    rig_say(&R, caller, request);
    int up = rig_accept(&R);
    exchange_texts(caller, up, bodiless[_i].answer, "\r\n\r\n");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    if (bodiless[_i].closes) {
        rig_hear_all(&R, caller, &heard);
    } else {
        rig_say(&R, caller, request); /* nothing stray stands before the next response */
        exchange_texts(caller, up, bodiless[_i].answer, "\r\n\r\n");
    }
    ck_assert_str_eq(heard.p, bodiless[_i].expected);
    close(up);
    close(caller);
}
END_TEST

START_TEST(interim_responses_are_skipped)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, RIG_GET("/"));
    int up = rig_accept(&R);
    exchange_texts(caller, up,
                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 2\r\n\r\nok",
                   "ok");
    ck_assert_str_eq(heard.p, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 2\r\n\r\nok");
    close(up);
    close(caller);
}
END_TEST

START_TEST(an_http_10_caller_gets_what_it_understands)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, "GET / HTTP/1.0\r\n\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    char addr[NET_ADDR_TEXT_MAX];
    char expected[160];
    (void)snprintf(expected, sizeof expected, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
                   net_addr_text(&R.forward.upstream, addr));
    ck_assert_str_eq(heard.p, expected);
    rig_say(&R, up,
            "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    buf_clear(&heard);
    rig_hear_all(&R, caller, &heard);
    ck_assert_str_eq(heard.p, "HTTP/1.1 200 OK\r\nConnection: close\r\nDate: D\r\n\r\nabcde");
    ck_assert_int_eq(rig_outcome(&R, 0)->failure, PROXY_OK);
    close(up);
    close(caller);
}
END_TEST

START_TEST(heads_may_come_one_byte_at_a_time)
{
    static const char request[] = RIG_GET("/slow");
    static const char answer[] = "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "3\r\nabc\r\n0\r\n\r\n";
    int caller = rig_caller(&R);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        rig_send(&R, caller, request + i, 1);
        loop_turn(R.loop, 0);
    }
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    for (size_t i = 0; i < sizeof answer - 1; i++) {
        rig_send(&R, up, answer + i, 1);
        loop_turn(R.loop, 0);
    }
    rig_hear(&R, caller, &heard, "0\r\n\r\n");
    ck_assert_str_eq(heard.p, "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n");
    close(up);
    close(caller);
}
END_TEST

START_TEST(an_upgrade_to_http2_travels_as_an_ordinary_request)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
    int up = rig_accept(&R);
    rig_hear(&R, up, &heard, "\r\n\r\n");
    ck_assert_str_eq(heard.p, RIG_GET("/"));
    close(up);
    close(caller);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("proxy_forward");
    TCase *t = tcase_create("forward");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_request_and_its_response_pass_with_their_fields);
    tcase_add_loop_test(t, a_target_arrives_byte_for_byte, 0, countof(targets));
    tcase_add_test(t, an_absolute_target_names_the_host_and_is_asked_for_as_a_path);
    tcase_add_test(t, the_judge_sees_the_request);
    tcase_add_test(t, connections_are_kept_alive_on_both_sides);
    tcase_add_test(t, pipelined_requests_are_answered_in_order);
    tcase_add_loop_test(t, responses_without_a_body_keep_their_meaning, 0, countof(bodiless));
    tcase_add_test(t, interim_responses_are_skipped);
    tcase_add_test(t, an_http_10_caller_gets_what_it_understands);
    tcase_add_test(t, heads_may_come_one_byte_at_a_time);
    tcase_add_test(t, an_upgrade_to_http2_travels_as_an_ordinary_request);
    suite_add_tcase(s, t);
    return check_main(s);
}
