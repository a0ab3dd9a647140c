/* Two socketpairs with a tunnel between their inner ends. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "check_main.h"
#include "proxy/tunnel.h"

enum { PATIENCE_US = 3000000, MUCH = 4 * 1024 * 1024 };

static loop *l;
static wire a, b;
static int outer_a, outer_b; /* -1: closed */
static tunnel *t;
static unsigned over, moved;

static void on_over(void *owner)
{
    (void)owner;
    over++;
    tunnel_close(t);
    t = NULL;
    wire_close(&a);
    wire_close(&b);
}

static void on_moved(void *owner)
{
    (void)owner;
    moved++;
}

static int wire_pair(wire *w)
{
    int fds[2];
    error e = {0};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    ck_assert(wire_open(w, l, fds[0], &e));
    return fds[1];
}

static void open_tunnel(bool b_ends)
{
    over = moved = 0;
    l = loop_new(NULL);
    outer_a = wire_pair(&a);
    outer_b = wire_pair(&b);
    t = tunnel_open(
        l, &(tunnel_options){
               .a = &a, .b = &b, .b_ends = b_ends, .on_over = on_over, .on_moved = on_moved});
}

static void set_up(void)
{
    open_tunnel(false);
}

static void tear_down(void)
{
    if (t) {
        tunnel_close(t);
        wire_close(&a);
        wire_close(&b);
    }
    loop_free(l);
    if (outer_a >= 0)
        close(outer_a);
    if (outer_b >= 0)
        close(outer_b);
}

#define UNTIL(condition)                                                                           \
    do {                                                                                           \
        const int64_t until_ = clock_mono_us() + PATIENCE_US;                                      \
        while (!(condition)) {                                                                     \
            ck_assert_msg(clock_mono_us() < until_, "still waiting for: %s", #condition);          \
            loop_turn(l, 2000);                                                                    \
        }                                                                                          \
    } while (0)

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* One recv: -1: nothing yet, 0: the end. */
static ssize_t take(int fd, buf *in)
{
    char block[32768];
    const ssize_t n = recv(fd, block, sizeof block, 0);
    if (n > 0)
        buf_add(in, block, (size_t)n);
    return n;
}

static void hear(int fd, const char *text)
{
    auto_buf buf in = buf_make(1 << 20);
    UNTIL((take(fd, &in), in.n >= strlen(text)));
    ck_assert_str_eq(in.p, text);
}

static void settle(void)
{
    for (int i = 0; i < 20; i++)
        loop_turn(l, 0);
}

static void drop(int *fd)
{
    close(*fd);
    *fd = -1;
}

START_TEST(both_ways_carry_bytes)
{
    say(outer_a, "hello");
    hear(outer_b, "hello");
    say(outer_b, "and back");
    hear(outer_a, "and back");
    ck_assert_uint_eq(tunnel_moved(t, false), 5);
    ck_assert_uint_eq(tunnel_moved(t, true), 8);
    ck_assert_uint_eq(moved, 1);
}
END_TEST

START_TEST(what_was_received_before_goes_first)
{
    tunnel_preface(t, false, "first ", 6);
    tunnel_preface(t, true, "back", 4);
    say(outer_a, "second");
    hear(outer_b, "first second");
    hear(outer_a, "back");
}
END_TEST

/* All that fits into what lies between, and no more. */
static size_t push_all(int fd)
{
    static const char block[32768];
    size_t sent = 0;
    for (int idle = 0; idle < 10;) {
        const ssize_t n = send(fd, block, sizeof block, MSG_NOSIGNAL);
        idle = n > 0 ? 0 : idle + 1;
        sent += n > 0 ? (size_t)n : 0;
        loop_turn(l, 0);
    }
    return sent;
}

START_TEST(a_slow_reader_holds_the_sender_back)
{
    const size_t sent = push_all(outer_a);
    ck_assert_uint_lt(sent, MUCH);
    ck_assert_uint_eq(push_all(outer_a), 0);
    auto_buf buf in = buf_make(MUCH);
    UNTIL((take(outer_b, &in), in.n == sent));
    say(outer_a, "goes on");
    hear(outer_b, "goes on");
}
END_TEST

static char pattern(size_t i)
{
    return (char)(i * 7 >> 3);
}

/* true: `there` has enough. */
static bool exchange_some(size_t *sent_a, size_t *sent_b, buf *there, buf *back)
{
    char block[4096];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = pattern(*sent_a + i);
    ssize_t n = send(outer_a, block, sizeof block, MSG_NOSIGNAL);
    *sent_a += n > 0 ? (size_t)n : 0;
    n = send(outer_b, block, 100, MSG_NOSIGNAL);
    *sent_b += n > 0 ? (size_t)n : 0;
    (void)take(outer_b, there);
    (void)take(outer_a, back);
    return there->n >= MUCH / 4;
}

START_TEST(much_passes_both_ways_at_once_unchanged)
{
    auto_buf buf there = buf_make(MUCH);
    auto_buf buf back = buf_make(MUCH);
    size_t sent_a = 0;
    size_t sent_b = 0;
    UNTIL(exchange_some(&sent_a, &sent_b, &there, &back));
    size_t same = 0;
    while (same < there.n && there.p[same] == pattern(same))
        same++;
    ck_assert_uint_eq(same, there.n);
    ck_assert_uint_gt(back.n, 0);
}
END_TEST

START_TEST(an_end_is_passed_on_and_the_other_way_goes_on)
{
    say(outer_a, "last words");
    ck_assert_int_eq(shutdown(outer_a, SHUT_WR), 0);
    hear(outer_b, "last words");
    auto_buf buf in = buf_make(64);
    UNTIL(take(outer_b, &in) == 0);
    ck_assert_uint_eq(over, 0);
    say(outer_b, "the answer");
    hear(outer_a, "the answer");
    ck_assert_int_eq(shutdown(outer_b, SHUT_WR), 0);
    UNTIL(over == 1);
    ck_assert_int_eq(take(outer_a, &in), 0);
}
END_TEST

START_TEST(an_end_behind_held_bytes_waits_for_them)
{
    const size_t sent = push_all(outer_a);
    ck_assert_int_eq(shutdown(outer_a, SHUT_WR), 0);
    settle();
    ck_assert_uint_eq(over, 0);
    auto_buf buf in = buf_make(MUCH);
    UNTIL(take(outer_b, &in) == 0);
    ck_assert_uint_eq(in.n, sent);
}
END_TEST

START_TEST(a_broken_caller_ends_it_at_once)
{
    say(outer_b, "never read");
    settle();
    drop(&outer_a); /* with bytes unread: a reset */
    UNTIL(over == 1);
    auto_buf buf in = buf_make(64);
    UNTIL(take(outer_b, &in) == 0);
}
END_TEST

START_TEST(what_a_broken_other_side_said_still_arrives)
{
    say(outer_a, "never read");
    settle();
    say(outer_b, "farewell");
    drop(&outer_b); /* with bytes unread: a reset */
    hear(outer_a, "farewell");
    UNTIL(over == 1);
}
END_TEST

START_TEST(an_end_of_b_can_be_the_end_of_it_all)
{
    tear_down();
    open_tunnel(true);
    say(outer_b, "bye");
    ck_assert_int_eq(shutdown(outer_b, SHUT_WR), 0);
    UNTIL(over == 1);
    hear(outer_a, "bye");
}
END_TEST

START_TEST(an_end_of_b_may_become_the_end_of_it_all_later)
{
    ck_assert_int_eq(shutdown(outer_b, SHUT_WR), 0);
    auto_buf buf in = buf_make(64);
    UNTIL(take(outer_a, &in) == 0);
    settle();
    ck_assert_uint_eq(over, 0);
    tunnel_set_b_ends(t, true);
    drop(&outer_b);
    UNTIL(over == 1);
}
END_TEST

START_TEST(a_caller_that_hangs_up_on_a_full_b_ends_it)
{
    tear_down();
    open_tunnel(true);
    (void)push_all(outer_a);
    ck_assert_uint_eq(over, 0);
    ck_assert_int_eq(shutdown(outer_a, SHUT_WR), 0);
    UNTIL(over == 1);
}
END_TEST

START_TEST(closing_it_leaves_the_wires_open)
{
    say(outer_a, "on its way");
    settle();
    tunnel_close(t);
    t = NULL;
    ck_assert_int_eq(wire_send(&a, "x", 1), 1);
    hear(outer_a, "x");
    wire_close(&a);
    wire_close(&b);
}
END_TEST

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    Suite *s = suite_create("tunnel");
    TCase *c = tcase_create("relay");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, both_ways_carry_bytes);
    tcase_add_test(c, what_was_received_before_goes_first);
    tcase_add_test(c, a_slow_reader_holds_the_sender_back);
    tcase_add_test(c, much_passes_both_ways_at_once_unchanged);
    suite_add_tcase(s, c);
    c = tcase_create("end");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, an_end_is_passed_on_and_the_other_way_goes_on);
    tcase_add_test(c, an_end_behind_held_bytes_waits_for_them);
    tcase_add_test(c, a_broken_caller_ends_it_at_once);
    tcase_add_test(c, what_a_broken_other_side_said_still_arrives);
    tcase_add_test(c, an_end_of_b_can_be_the_end_of_it_all);
    tcase_add_test(c, an_end_of_b_may_become_the_end_of_it_all_later);
    tcase_add_test(c, a_caller_that_hangs_up_on_a_full_b_ends_it);
    tcase_add_test(c, closing_it_leaves_the_wires_open);
    suite_add_tcase(s, c);
    return check_main(s);
}
