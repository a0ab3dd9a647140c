/* Idle upstream connections: reuse, limits, and closing what stirs. */
#include "check_main.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "proxy/pool.h"

static loop *L;
static pool *P;
static net_addr addr;
static int listener;

static void open_pool(int64_t idle_us, unsigned idle_max)
{
    P = pool_open(L, &(pool_options){idle_us, idle_max, 2000000});
}

static void set_up(void)
{
    error e = {0};
    L = loop_new(&e);
    net_addr any;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    listener = net_listen(&any, false, &e);
    ck_assert(listener >= 0 && net_local(listener, &addr));
}

static void tear_down(void)
{
    pool_close(P);
    loop_free(L);
    close(listener);
}

#define UNTIL(condition)                                                                           \
    for (int64_t until_ = clock_mono_us() + 3000000; !(condition); loop_turn(L, 2000))             \
    ck_assert_msg(clock_mono_us() < until_, "still waiting for: %s", #condition)

/* A connection whose other end is *out_peer. */
static upstream *connected(int *out_peer)
{
    upstream *u = pool_take(P, &addr, false, 0);
    ck_assert_ptr_nonnull(u);
    ck_assert(!u->reused);
    UNTIL(!u->connecting);
    ck_assert(u->connected);
    UNTIL((*out_peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
    return u;
}

START_TEST(the_connection_that_was_used_last_is_used_next)
{
    open_pool(0, 8);
    int a_peer, b_peer;
    upstream *a = connected(&a_peer);
    upstream *b = connected(&b_peer);
    pool_give(P, a);
    pool_give(P, b);
    ck_assert_uint_eq(pool_idle_count(P), 2);
    ck_assert_ptr_eq(pool_take(P, &addr, false, 0), b);
    ck_assert(b->reused);
    ck_assert_ptr_eq(pool_take(P, &addr, false, 0), a);
    ck_assert_uint_eq(pool_idle_count(P), 0);
    upstream_close(a);
    upstream_close(b);
    close(a_peer);
    close(b_peer);
}
END_TEST

START_TEST(a_fresh_connection_is_never_an_idle_one)
{
    open_pool(0, 8);
    int peer;
    pool_give(P, connected(&peer));
    upstream *u = pool_take(P, &addr, true, 0);
    ck_assert(u && !u->reused);
    ck_assert_uint_eq(pool_idle_count(P), 1);
    upstream_close(u);
    close(peer);
}
END_TEST

START_TEST(addresses_do_not_share_connections)
{
    open_pool(0, 8);
    int peer;
    pool_give(P, connected(&peer));
    net_addr other = addr;
    net_addr_set_port(&other, (uint16_t)(net_addr_port(&addr) ^ 1u));
    upstream *u = pool_take(P, &other, false, 0);
    ck_assert(!u || !u->reused);
    ck_assert_uint_eq(pool_idle_count(P), 1);
    upstream_close(u);
    close(peer);
}
END_TEST

START_TEST(beyond_the_limit_the_longest_idle_is_closed)
{
    open_pool(0, 2);
    upstream *u[3];
    int peer[3];
    for (int i = 0; i < 3; i++)
        u[i] = connected(&peer[i]);
    for (int i = 0; i < 3; i++)
        pool_give(P, u[i]);
    ck_assert_uint_eq(pool_idle_count(P), 2);
    char c;
    UNTIL(recv(peer[0], &c, 1, 0) == 0);
    ck_assert(recv(peer[1], &c, 1, 0) < 0 && errno == EAGAIN);
    for (int i = 0; i < 3; i++)
        close(peer[i]);
}
END_TEST

START_TEST(a_limit_of_none_keeps_none)
{
    open_pool(0, 0);
    int peer;
    pool_give(P, connected(&peer));
    ck_assert_uint_eq(pool_idle_count(P), 0);
    close(peer);
}
END_TEST

START_TEST(an_idle_connection_that_stirs_is_closed)
{
    open_pool(0, 8);
    int peer;
    upstream *u = connected(&peer);
    pool_give(P, u);
    if (_i)
        ck_assert_int_eq(send(peer, "x", 1, 0), 1);
    else
        close(peer);
    UNTIL(pool_idle_count(P) == 0);
    if (_i)
        close(peer);
}
END_TEST

START_TEST(an_idle_connection_is_closed_in_time)
{
    open_pool(20000, 8);
    int peer;
    pool_give(P, connected(&peer));
    UNTIL(pool_idle_count(P) == 0);
    char c;
    UNTIL(recv(peer, &c, 1, 0) == 0);
    close(peer);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pool");
    TCase *t = tcase_create("pool");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, the_connection_that_was_used_last_is_used_next);
    tcase_add_test(t, a_fresh_connection_is_never_an_idle_one);
    tcase_add_test(t, addresses_do_not_share_connections);
    tcase_add_test(t, beyond_the_limit_the_longest_idle_is_closed);
    tcase_add_test(t, a_limit_of_none_keeps_none);
    tcase_add_loop_test(t, an_idle_connection_that_stirs_is_closed, 0, 2);
    tcase_add_test(t, an_idle_connection_is_closed_in_time);
    suite_add_tcase(s, t);
    return check_main(s);
}
