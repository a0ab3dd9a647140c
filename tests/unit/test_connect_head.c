/* The head of a CONNECT request. */
#include "base/attr.h"
#include "base/buf.h"
#include "check_main.h"
#include "proxy/connect.h"

#define HEAD(line, fields) line " HTTP/1.1\r\n" fields "\r\n"
#define HOST               "Host: x\r\n"

static const struct {
    const char *head, *host;
    unsigned port;
} sound[] = {
    {HEAD("CONNECT a.example:443", HOST), "a.example", 443},
    {HEAD("CONNECT 127.0.0.1:1", HOST), "127.0.0.1", 1},
    {HEAD("CONNECT [::1]:65535", HOST), "::1", 65535},
    {HEAD("CONNECT a:1", "Host: other\r\nProxy-Authorization: Basic x\r\nX: \t y \r\n"), "a", 1},
    {"CONNECT a:1 HTTP/1.0\r\n\r\n", "a", 1},
};

START_TEST(a_sound_head_names_host_and_port)
{
    connect_head h;
    const span head = span_of(sound[_i].head);
    ck_assert_int_eq(connect_parse(head, &h), CONNECT_DONE);
    ck_assert_uint_eq(h.bytes, head.n);
    ck_assert(span_eq_str(h.host, sound[_i].host));
    ck_assert_uint_eq(h.port, sound[_i].port);
    for (size_t n = 0; n < head.n; n++)
        ck_assert_int_eq(connect_parse((span){head.p, n}, &h), CONNECT_MORE);
}
END_TEST

START_TEST(bytes_behind_the_head_are_not_looked_at)
{
    connect_head h;
    const span head = SPAN_LIT(HEAD("CONNECT a:1", HOST) "\x16\x03\0\n\n\n");
    ck_assert_int_eq(connect_parse(head, &h), CONNECT_DONE);
    ck_assert_uint_eq(h.bytes, head.n - 6);
}
END_TEST

static const char *const unsound[] = {
    HEAD("CONNECT a", HOST),
    HEAD("CONNECT a:", HOST),
    HEAD("CONNECT :1", HOST),
    HEAD("CONNECT a:0", HOST),
    HEAD("CONNECT a:65536", HOST),
    HEAD("CONNECT a:1x", HOST),
    HEAD("CONNECT a:-1", HOST),
    HEAD("CONNECT a:1:2", HOST),
    HEAD("CONNECT ::1:2", HOST),
    HEAD("CONNECT [::1]", HOST),
    HEAD("CONNECT [::1]2", HOST),
    HEAD("CONNECT [a]:2", HOST),
    HEAD("CONNECT me@a:1", HOST),
    HEAD("CONNECT a/b:1", HOST),
    HEAD("CONNECT http://a:1", HOST),
    HEAD("CONNECT a%41:1", HOST),
    HEAD("CONNECT  a:1", HOST),
    HEAD("connect a:1", HOST),
    HEAD("GET a:1", HOST),
    "CONNECT a:1\r\n\r\n",
    "CONNECT a:1 HTTP/1.1 \r\n" HOST "\r\n",
    "CONNECT a:1 HTTP/2.0\r\n" HOST "\r\n",
    "CONNECT a:1 HTTP/1.1\n" HOST "\r\n",
    HEAD("CONNECT a:1", ""),
    HEAD("CONNECT a:1", HOST HOST),
    HEAD("CONNECT a:1", HOST "Content-Length: 0\r\n"),
    HEAD("CONNECT a:1", HOST "Transfer-Encoding: chunked\r\n"),
    HEAD("CONNECT a:1", HOST "X : y\r\n"),
    HEAD("CONNECT a:1", HOST " folded\r\n"),
    HEAD("CONNECT a:1", HOST "X: \x01\r\n"),
    HEAD("CONNECT a:1", HOST "nothing\r\n"),
};

START_TEST(an_unsound_head_is_refused_with_a_reason)
{
    connect_head h;
    ck_assert_int_eq(connect_parse(span_of(unsound[_i]), &h), CONNECT_BAD);
    ck_assert_ptr_nonnull(h.why);
}
END_TEST

START_TEST(a_head_has_a_largest_size)
{
    connect_head h;
    auto_buf buf b = buf_make(2 * CONNECT_HEAD_MAX);
    buf_str(&b, "CONNECT a:1 HTTP/1.1\r\n" HOST "X: ");
    while (b.n < CONNECT_HEAD_MAX)
        buf_char(&b, 'x');
    ck_assert_int_eq(connect_parse((span){b.p, CONNECT_HEAD_MAX - 1}, &h), CONNECT_MORE);
    ck_assert_int_eq(connect_parse((span){b.p, CONNECT_HEAD_MAX}, &h), CONNECT_BAD);
}
END_TEST

START_TEST(an_authority_may_have_a_default_port)
{
    span host;
    uint16_t port;
    ck_assert(connect_authority(SPAN_LIT("a.example"), 80, &host, &port));
    ck_assert_uint_eq(port, 80);
    ck_assert(connect_authority(SPAN_LIT("[::1]"), 443, &host, &port));
    ck_assert(span_eq_str(host, "::1"));
    ck_assert_uint_eq(port, 443);
    ck_assert(connect_authority(SPAN_LIT("a.example:8080"), 80, &host, &port));
    ck_assert_uint_eq(port, 8080);
    ck_assert(!connect_authority(SPAN_LIT("a.example"), 0, &host, &port));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("connect_head");
    TCase *c = tcase_create("head");
    tcase_add_loop_test(c, a_sound_head_names_host_and_port, 0, (int)countof(sound));
    tcase_add_test(c, bytes_behind_the_head_are_not_looked_at);
    tcase_add_loop_test(c, an_unsound_head_is_refused_with_a_reason, 0, (int)countof(unsound));
    tcase_add_test(c, a_head_has_a_largest_size);
    tcase_add_test(c, an_authority_may_have_a_default_port);
    suite_add_tcase(s, c);
    return check_main(s);
}
