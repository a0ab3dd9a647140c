/* Addresses and sockets. */
#include "check_main.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/net.h"

static const struct {
    const char *text, *printed; /* NULL: refused */
} addresses[] = {
    {"127.0.0.1:8080", "127.0.0.1:8080"},
    {"localhost:1", "127.0.0.1:1"},
    {"0.0.0.0:0", "0.0.0.0:0"},
    {"[::1]:65535", "[::1]:65535"},
    {"[::ffff:10.0.0.1]:80", "10.0.0.1:80"},
    {"127.0.0.1", NULL},
    {"127.0.0.1:", NULL},
    {"127.0.0.1:65536", NULL},
    {"127.0.0.1:80x", NULL},
    {"example.test:80", NULL},
    {"::1:80", NULL},
    {"[::1:80", NULL},
    {"[::1]80", NULL},
    {":80", NULL},
    {"", NULL},
};

START_TEST(only_numeric_addresses_with_a_port_are_parsed)
{
    error e = {0};
    net_addr a;
    bool ok = net_addr_parse(span_of(addresses[_i].text), &a, &e);
    ck_assert(ok == (addresses[_i].printed != NULL));
    if (!ok) {
        ck_assert_int_eq(e.kind, ERR_INVALID);
        return;
    }
    char text[NET_ADDR_TEXT_MAX];
    ck_assert_str_eq(net_addr_text(&a, text), addresses[_i].printed);
}
END_TEST

static const struct {
    const char *block, *address;
    bool has;
} blocks[] = {
    {"10.1.0.0/16", "10.1.255.1:1", true},
    {"10.1.0.0/16", "10.2.0.1:1", false},
    {"10.1.0.0/16", "[::ffff:10.1.0.9]:1", true},
    {"10.0.0.128/25", "10.0.0.127:1", false},
    {"10.0.0.128/25", "10.0.0.200:1", true},
    {"0.0.0.0/0", "1.2.3.4:1", true},
    {"0.0.0.0/0", "[::1]:1", false},
    {"fd00::/8", "[fdff::1]:1", true},
    {"fd00::/8", "[fe00::1]:1", false},
    {"172.30.0.12", "172.30.0.12:9", true},
    {"172.30.0.12", "172.30.0.13:9", false},
};

START_TEST(a_block_has_its_addresses_only)
{
    net_cidr c;
    net_addr a;
    ck_assert(net_cidr_parse(span_of(blocks[_i].block), &c, NULL));
    ck_assert(net_addr_parse(span_of(blocks[_i].address), &a, NULL));
    ck_assert(net_cidr_has(&c, &a) == blocks[_i].has);
}
END_TEST

START_TEST(a_wrong_block_is_refused)
{
    static const char *const wrong[] = {"10.0.0.0/33", "10.0.0.0/", "x/8",
                                        "::/129",      "10.0.0/8",  ""};
    net_cidr c;
    error e = {0};
    for (size_t i = 0; i < countof(wrong); i++)
        ck_assert_msg(!net_cidr_parse(span_of(wrong[i]), &c, &e), "%s", wrong[i]);
}
END_TEST

static const struct {
    const char *a, *b;
    bool same, loopback;
} peers[] = {
    {"127.0.0.1:1", "127.0.0.1:2", true, true},
    {"127.9.9.9:1", "127.0.0.1:2", false, true},
    {"[::1]:1", "127.0.0.1:2", false, true},
    {"10.0.0.1:1", "[::ffff:10.0.0.1]:2", true, false},
};

START_TEST(addresses_compare_without_their_port)
{
    net_addr a, b;
    ck_assert(net_addr_parse(span_of(peers[_i].a), &a, NULL));
    ck_assert(net_addr_parse(span_of(peers[_i].b), &b, NULL));
    ck_assert(net_addr_same_ip(&a, &b) == peers[_i].same);
    ck_assert(net_addr_is_loopback(&a) == peers[_i].loopback);
}
END_TEST

static net_addr any_port(void)
{
    net_addr a;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, NULL));
    return a;
}

START_TEST(a_busy_port_is_reported_and_a_reserved_one_can_be_shared)
{
    error e = {0};
    net_addr a = any_port();
    int reserved = net_reserve(&a, &e);
    ck_assert_int_ge(reserved, 0);
    ck_assert(net_local(reserved, &a));
    int first = net_listen(&a, true, &e);
    int second = net_listen(&a, true, &e);
    ck_assert_int_ge(first, 0);
    ck_assert_int_ge(second, 0);
    ck_assert_int_lt(net_listen(&a, false, &e), 0);
    ck_assert_int_eq(e.kind, ERR_EXISTS);
    ck_assert_int_lt(net_reserve(&a, &e), 0);
    (void)close(first);
    (void)close(second);
    (void)close(reserved);
}
END_TEST

typedef struct guest {
    loop *loop;
    net_acceptor *acceptor;
    int fd;
    uint16_t port;
} guest;

static void on_accept(void *ctx, int fd, const net_addr *peer)
{
    guest *g = ctx;
    g->fd = fd;
    g->port = net_addr_port(peer);
    net_acceptor_close(g->acceptor); /* from inside the callback, as a limit would */
    loop_stop(g->loop);
}

START_TEST(an_accepted_socket_belongs_to_the_callee)
{
    net_addr a = any_port();
    int fd = net_listen(&a, false, NULL);
    ck_assert(net_local(fd, &a));
    guest g = {.loop = loop_new(NULL), .fd = -1};
    g.acceptor = net_acceptor_open(g.loop, fd, on_accept, &g, NULL);
    ck_assert_ptr_nonnull(g.acceptor);
    int client = net_connect(&a, NULL);
    ck_assert_int_ge(client, 0);
    loop_run(g.loop);
    net_addr local;
    ck_assert(net_local(client, &local));
    ck_assert_uint_eq(net_addr_port(&local), g.port);
    (void)close(client);
    (void)close(g.fd);
    loop_free(g.loop);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("net");
    TCase *c = tcase_create("all");
    tcase_add_loop_test(c, only_numeric_addresses_with_a_port_are_parsed, 0,
                        (int)countof(addresses));
    tcase_add_loop_test(c, a_block_has_its_addresses_only, 0, (int)countof(blocks));
    tcase_add_test(c, a_wrong_block_is_refused);
    tcase_add_loop_test(c, addresses_compare_without_their_port, 0, (int)countof(peers));
    tcase_add_test(c, a_busy_port_is_reported_and_a_reserved_one_can_be_shared);
    tcase_add_test(c, an_accepted_socket_belongs_to_the_callee);
    suite_add_tcase(s, c);
    return check_main(s);
}
