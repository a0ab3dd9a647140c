/* Which fields travel, and the request head that an upstream is sent. */
#include "check_main.h"

#include "proxy/headers.h"

static const struct {
    const char *name;
    bool hop;
} names[] = {
    {"Connection", true},
    {"connection", true},
    {"KEEP-ALIVE", true},
    {"Proxy-Authorization", true},
    {"proxy-connection", true},
    {"Proxy-Authenticate", true},
    {"TE", true},
    {"Trailer", true},
    {"Transfer-Encoding", true},
    {"Upgrade", true},
    {"http2-settings", true},
    {"Proxy", false},
    {"Host", false},
    {"Content-Length", false},
    {"Te2", false},
    {"Trailers", false},
    {"Connections", false},
    {"Upgrade-Insecure-Requests", false},
    {"Authorization", false},
};

START_TEST(hop_by_hop_fields_are_known)
{
    ck_assert_int_eq(header_is_hop_by_hop(span_of(names[_i].name)), names[_i].hop);
}
END_TEST

START_TEST(connection_names_fields_but_not_what_is_for_every_recipient)
{
    const field fields[] = {
        {SPAN_LIT("A"), SPAN_LIT("close")},
        {SPAN_LIT("Connection"), SPAN_LIT("close")},
        {SPAN_LIT("connection"), SPAN_LIT(" x-one ,X-Two,, host, content-length,authorization,"
                                          "x-serverless-authorization,x-forwarded-for,cookie,"
                                          "x-forwarded,content-")},
    };
    ck_assert(header_is_named(fields, countof(fields), SPAN_LIT("X-One")));
    ck_assert(header_is_named(fields, countof(fields), SPAN_LIT("x-two")));
    ck_assert(!header_is_named(fields, countof(fields), SPAN_LIT("x-three")));
    ck_assert(!header_is_named(fields, countof(fields), SPAN_LIT("Host")));
    ck_assert(!header_is_named(fields, countof(fields), SPAN_LIT("Content-Length")));
    ck_assert(!header_is_named(fields, countof(fields), SPAN_LIT("Authorization")));
    ck_assert(!header_is_named(fields, countof(fields), SPAN_LIT("X-Serverless-Authorization")));
    ck_assert(!header_is_named(fields, countof(fields), SPAN_LIT("X-Forwarded-For")));
    ck_assert(!header_is_named(fields, countof(fields), SPAN_LIT("Cookie")));
    ck_assert(header_is_named(fields, countof(fields), SPAN_LIT("X-Forwarded")));
    ck_assert(header_is_named(fields, countof(fields), SPAN_LIT("Content-")));
}
END_TEST

START_TEST(trailers_say_nothing_that_belongs_into_a_head)
{
    static const char *const never[] = {"Content-Length",
                                        "Transfer-Encoding",
                                        "host",
                                        "Authorization",
                                        "Trailer",
                                        "Content-Type",
                                        "X-Forwarded-Proto",
                                        "Cookie",
                                        "Proxy-Connection",
                                        "Expect",
                                        "If-None-Match",
                                        "X-Serverless-Authorization",
                                        "Cache-Control",
                                        "X-Google-User"};
    static const char *const may[] = {"grpc-status",       "grpc-message", "X-Sum",
                                      "Server-Timing",     "ETag",         "Digest",
                                      "Authorization-Info"};
    for (size_t i = 0; i < countof(never); i++)
        ck_assert_msg(!header_may_trail(span_of(never[i])), "%s", never[i]);
    for (size_t i = 0; i < countof(may); i++)
        ck_assert_msg(header_may_trail(span_of(may[i])), "%s", may[i]);
}
END_TEST

static void expect_head(const head_out *h, const char *text)
{
    auto_buf buf b = buf_make(4096);
    headers_write_request(&b, h);
    ck_assert_str_eq(b.p, text);
}

START_TEST(order_case_and_duplicates_are_kept)
{
    const field fields[] = {
        {SPAN_LIT("hOST"), SPAN_LIT("a.example")}, {SPAN_LIT("Accept"), SPAN_LIT("a")},
        {SPAN_LIT("x-Y"), SPAN_LIT("1")},          {SPAN_LIT("accept"), SPAN_LIT("b")},
        {SPAN_LIT("X-Empty"), SPAN_LIT("")},       {SPAN_LIT("x-y"), SPAN_LIT("2")},
    };
    expect_head(&(head_out){.method = SPAN_LIT("GET"),
                            .target = SPAN_LIT("/a%2Fb?c=%20"),
                            .fields = fields,
                            .field_count = countof(fields)},
                "GET /a%2Fb?c=%20 HTTP/1.1\r\nhOST: a.example\r\nAccept: a\r\nx-Y: 1\r\n"
                "accept: b\r\nX-Empty: \r\nx-y: 2\r\n\r\n");
}
END_TEST

START_TEST(what_must_not_travel_is_left_out_and_what_is_added_comes_last)
{
    const field fields[] = {
        {SPAN_LIT("Host"), SPAN_LIT("h")},
        {SPAN_LIT("Connection"), SPAN_LIT("Upgrade, X-Hop")},
        {SPAN_LIT("Upgrade"), SPAN_LIT("websocket")},
        {SPAN_LIT("X-Hop"), SPAN_LIT("1")},
        {SPAN_LIT("x-forwarded-proto"), SPAN_LIT("gopher")},
        {SPAN_LIT("Proxy-Authorization"), SPAN_LIT("x")},
        {SPAN_LIT("Keep-Alive"), SPAN_LIT("5")},
        {SPAN_LIT("X-Stay"), SPAN_LIT("1")},
    };
    const char *const drop[] = {"X-Forwarded-Proto", NULL};
    const field add[] = {{SPAN_LIT("X-Forwarded-Proto"), SPAN_LIT("https")}};
    expect_head(&(head_out){.method = SPAN_LIT("GET"),
                            .target = SPAN_LIT("/"),
                            .fields = fields,
                            .field_count = countof(fields),
                            .drop = drop,
                            .add = add,
                            .add_count = 1},
                "GET / HTTP/1.1\r\nHost: h\r\nX-Stay: 1\r\nX-Forwarded-Proto: https\r\n\r\n");
}
END_TEST

START_TEST(one_entry_of_a_drop_list_may_name_all_that_begin_so)
{
    const char *const drop[] = {"X-Google-*", "Forwarded", NULL};
    header_names list;
    header_names_init(&list, drop);
    ck_assert(header_names_have(&list, SPAN_LIT("x-google-user")));
    ck_assert(header_names_have(&list, SPAN_LIT("forwarded")));
    ck_assert(!header_names_have(&list, SPAN_LIT("X-Goog")));
    ck_assert(!header_names_have(&list, SPAN_LIT("Forwarded-For")));
    header_names_init(&list, NULL);
    ck_assert(!header_names_have(&list, SPAN_LIT("X-Google-User")));
}
END_TEST

START_TEST(framing_is_ours_and_stands_where_the_callers_stood)
{
    const field counted[] = {{SPAN_LIT("content-length"), SPAN_LIT("0005")},
                             {SPAN_LIT("Host"), SPAN_LIT("h")}};
    head_out h = {.method = SPAN_LIT("POST"),
                  .target = SPAN_LIT("/"),
                  .fields = counted,
                  .field_count = countof(counted),
                  .framing = {.has_length = true, .length = 5}};
    expect_head(&h, "POST / HTTP/1.1\r\nContent-Length: 5\r\nHost: h\r\n\r\n");
    const field chunked[] = {{SPAN_LIT("Host"), SPAN_LIT("h")},
                             {SPAN_LIT("transfer-encoding"), SPAN_LIT("Chunked")},
                             {SPAN_LIT("A"), SPAN_LIT("b")}};
    h.fields = chunked;
    h.field_count = countof(chunked);
    h.framing = (head_framing){.chunked = true};
    expect_head(&h, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nA: b\r\n\r\n");
}
END_TEST

START_TEST(a_missing_host_is_given_and_another_one_is_replaced)
{
    head_out h = {.method = SPAN_LIT("GET"), .target = SPAN_LIT("/"), .host = SPAN_LIT("up:1")};
    expect_head(&h, "GET / HTTP/1.1\r\nHost: up:1\r\n\r\n");
    const field fields[] = {{SPAN_LIT("Host"), SPAN_LIT("other")}};
    h.fields = fields;
    h.field_count = 1;
    expect_head(&h, "GET / HTTP/1.1\r\nHost: up:1\r\n\r\n");
}
END_TEST

START_TEST(a_caller_that_takes_trailers_is_announced)
{
    const field fields[] = {{SPAN_LIT("Host"), SPAN_LIT("h")},
                            {SPAN_LIT("Connection"), SPAN_LIT("TE")},
                            {SPAN_LIT("te"), SPAN_LIT("deflate;q=0.5, trailers")}};
    expect_head(&(head_out){.method = SPAN_LIT("GET"),
                            .target = SPAN_LIT("/"),
                            .fields = fields,
                            .field_count = countof(fields)},
                "GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\nConnection: TE\r\n\r\n");
}
END_TEST

static const struct {
    const char *connection, *upgrade;
    bool allowed, asked;
} upgrades[] = {
    {"Upgrade", "websocket", true, true},    {"keep-alive, upgrade", "x, WebSocket", true, true},
    {"Upgrade", "websocket", false, false},  {"keep-alive", "websocket", true, false},
    {"Upgrade", "h2c", true, false},         {"Upgrade", "websockets", true, false},
    {"X-Upgrade", "websocket", true, false},
};

START_TEST(an_upgrade_to_websocket_is_asked_for_where_it_may_be)
{
    const field fields[] = {{SPAN_LIT("Host"), SPAN_LIT("h")},
                            {SPAN_LIT("upgrade"), span_of(upgrades[_i].upgrade)},
                            {SPAN_LIT("connection"), span_of(upgrades[_i].connection)},
                            {SPAN_LIT("Sec-WebSocket-Key"), SPAN_LIT("key")}};
    const head_out h = {.method = SPAN_LIT("GET"),
                        .target = SPAN_LIT("/"),
                        .fields = fields,
                        .field_count = countof(fields),
                        .may_upgrade = upgrades[_i].allowed};
    auto_buf buf b = buf_make(4096);
    ck_assert(headers_write_request(&b, &h) == upgrades[_i].asked);
    ck_assert_str_eq(b.p, upgrades[_i].asked
                              ? "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: key\r\n"
                                "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
                              : "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: key\r\n\r\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("headers");
    TCase *t = tcase_create("headers");
    tcase_add_loop_test(t, hop_by_hop_fields_are_known, 0, countof(names));
    tcase_add_test(t, connection_names_fields_but_not_what_is_for_every_recipient);
    tcase_add_test(t, trailers_say_nothing_that_belongs_into_a_head);
    tcase_add_loop_test(t, an_upgrade_to_websocket_is_asked_for_where_it_may_be, 0,
                        countof(upgrades));
    tcase_add_test(t, order_case_and_duplicates_are_kept);
    tcase_add_test(t, what_must_not_travel_is_left_out_and_what_is_added_comes_last);
    tcase_add_test(t, one_entry_of_a_drop_list_may_name_all_that_begin_so);
    tcase_add_test(t, framing_is_ours_and_stands_where_the_callers_stood);
    tcase_add_test(t, a_missing_host_is_given_and_another_one_is_replaced);
    tcase_add_test(t, a_caller_that_takes_trailers_is_announced);
    suite_add_tcase(s, t);
    return check_main(s);
}
