/* The event loop: order of timers, dropped events, wake-ups from other threads, signals. */
#include "check_main.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/loop.h"
#include "base/signals.h"

static loop *l;

static void setup(void)
{
    l = loop_new(NULL);
    ck_assert_ptr_nonnull(l);
}

static void teardown(void)
{
    loop_free(l);
}

typedef struct tick {
    loop_timer timer;
    unsigned *counter;
    unsigned fired_as; /* 1 for the first that fired; 0: never */
} tick;

static void on_tick(loop_timer *t)
{
    tick *k = container_of(t, tick, timer);
    k->fired_as = ++*k->counter;
}

START_TEST(timers_fire_in_the_order_of_their_times)
{
    enum { MANY = 500 };
    static tick ticks[MANY];
    unsigned counter = 0;
    int64_t start = loop_now_us(l);
    for (size_t i = 0; i < MANY; i++) {
        ticks[i] = (tick){.timer.fire = on_tick, .counter = &counter};
        /* 7 is coprime to MANY: every offset comes once, in scattered order. */
        loop_timer_set(l, &ticks[i].timer, start - MANY + (int64_t)(i * 7 % MANY));
    }
    for (size_t i = 0; i < MANY; i += 2)
        loop_timer_cancel(l, &ticks[i].timer);
    loop_timer_cancel(l, &ticks[0].timer);
    loop_turn(l, 0);
    ck_assert_uint_eq(counter, MANY / 2);
    for (size_t i = 1; i < MANY; i += 2)
        for (size_t j = 1; j < MANY; j += 2)
            if (i * 7 % MANY < j * 7 % MANY)
                ck_assert_uint_lt(ticks[i].fired_as, ticks[j].fired_as);
}
END_TEST

START_TEST(a_timer_that_is_set_again_moves)
{
    unsigned counter = 0;
    tick first = {.timer.fire = on_tick, .counter = &counter};
    tick second = first;
    loop_timer_set(l, &first.timer, loop_now_us(l) - 2);
    loop_timer_set(l, &second.timer, loop_now_us(l) - 1);
    loop_timer_set(l, &first.timer, loop_now_us(l));
    loop_turn(l, 0);
    ck_assert_uint_eq(second.fired_as, 1);
    ck_assert_uint_eq(first.fired_as, 2);
}
END_TEST

typedef struct end {
    loop_watch watch;
    struct end *peer;
    unsigned seen;
} end;

static void on_end(loop_watch *w, uint32_t events)
{
    (void)events;
    end *e = container_of(w, end, watch);
    e->seen++;
    loop_del(l, &e->watch);
    loop_del(l, &e->peer->watch); /* its event was fetched already and must not arrive */
}

START_TEST(an_event_of_a_removed_watch_never_arrives)
{
    int a[2], b[2];
    ck_assert_int_eq(pipe(a), 0);
    ck_assert_int_eq(pipe(b), 0);
    end first = {.watch = {.ready = on_end, .fd = a[0]}};
    end second = {.watch = {.ready = on_end, .fd = b[0]}, .peer = &first};
    first.peer = &second;
    ck_assert(loop_add(l, &first.watch, EPOLLIN, NULL));
    ck_assert(loop_add(l, &second.watch, EPOLLIN, NULL));
    ck_assert_int_eq(write(a[1], "x", 1), 1);
    ck_assert_int_eq(write(b[1], "x", 1), 1);
    loop_turn(l, 1000);
    loop_turn(l, 0);
    ck_assert_uint_eq(first.seen + second.seen, 1);
    for (int i = 0; i < 2; i++) {
        (void)close(a[i]);
        (void)close(b[i]);
    }
}
END_TEST

static void on_deferred(void *arg)
{
    unsigned *count = arg;
    if (++*count == 1)
        loop_defer(l, on_deferred, arg);
}

START_TEST(deferred_calls_run_at_the_end_of_the_turn)
{
    unsigned count = 0;
    loop_defer(l, on_deferred, &count);
    ck_assert_uint_eq(count, 0);
    loop_turn(l, 0);
    ck_assert_uint_eq(count, 2);
}
END_TEST

START_TEST(a_call_whose_owner_is_gone_is_not_made)
{
    unsigned gone = 0;
    unsigned left = 0;
    loop_defer(l, on_deferred, &gone);
    loop_defer(l, on_deferred, &left);
    loop_undefer(l, &gone);
    loop_turn(l, 0);
    ck_assert_uint_eq(gone, 0);
    ck_assert_uint_gt(left, 0);
}
END_TEST

static void on_wake(void *ctx)
{
    ++*(unsigned *)ctx;
    loop_stop(l);
}

static void *wake_from_elsewhere(void *arg)
{
    (void)arg;
    loop_wake(l);
    return NULL;
}

START_TEST(another_thread_wakes_the_loop)
{
    unsigned woken = 0;
    loop_set_wake(l, on_wake, &woken);
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, wake_from_elsewhere, NULL), 0);
    loop_run(l);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(woken, 1);
}
END_TEST

static int64_t idle(void *ctx)
{
    ++*(unsigned *)ctx;
    return 0;
}

START_TEST(the_idle_hook_runs_before_each_sleep_and_bounds_it)
{
    unsigned turns = 0;
    loop_set_idle_hook(l, idle, &turns);
    loop_turn(l, -1);
    loop_turn(l, -1);
    ck_assert_uint_eq(turns, 2);
}
END_TEST

static void on_signal(void *ctx, int signo)
{
    *(int *)ctx = signo;
    loop_stop(l);
}

START_TEST(a_signal_is_an_event)
{
    static const int list[] = {SIGHUP, SIGTERM, 0};
    int seen = 0;
    signals *s = signals_open(l, list, on_signal, &seen, NULL);
    ck_assert_ptr_nonnull(s);
    ck_assert_int_eq(kill(getpid(), SIGHUP), 0);
    loop_run(l);
    ck_assert_int_eq(seen, SIGHUP);
    signals_close(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("loop");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, timers_fire_in_the_order_of_their_times);
    tcase_add_test(c, a_timer_that_is_set_again_moves);
    tcase_add_test(c, an_event_of_a_removed_watch_never_arrives);
    tcase_add_test(c, deferred_calls_run_at_the_end_of_the_turn);
    tcase_add_test(c, a_call_whose_owner_is_gone_is_not_made);
    tcase_add_test(c, another_thread_wakes_the_loop);
    tcase_add_test(c, the_idle_hook_runs_before_each_sleep_and_bounds_it);
    tcase_add_test(c, a_signal_is_an_event);
    suite_add_tcase(s, c);
    return check_main(s);
}
