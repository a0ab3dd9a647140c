/* Records from one thread to another: in order, whole, bounded. */
#include "check_main.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "gateway/record_queue.h"

static record_queue *queue;
static loop *the_loop;
static atomic_uint wakes;

static void on_wake(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&wakes, 1);
}

static void setup(void)
{
    error e = {0};
    wakes = 0;
    the_loop = loop_new(&e);
    ck_assert_ptr_nonnull(the_loop);
    queue = record_queue_new(on_wake, NULL);
    record_queue_attach(queue, the_loop);
}

static void teardown(void)
{
    record_queue_detach(queue);
    record_queue_free(queue);
    loop_free(the_loop);
}

static void collect(void *ctx, span record)
{
    buf *out = ctx;
    ck_assert_uint_eq((uintptr_t)record.p % _Alignof(max_align_t), 0);
    buf_fmt(out, "[%.*s]", SPAN_ARG(record));
}

START_TEST(records_are_handed_over_in_order_a_moment_later)
{
    auto_buf buf got = buf_make(4096);
    record_queue_add(queue, SPAN_LIT("one"));
    record_queue_add(queue, SPAN_LIT("a longer one than that"));
    ck_assert(!record_queue_take(queue, collect, &got));
    for (int i = 0; i < 1000 && wakes == 0; i++)
        loop_turn(the_loop, 10 * 1000);
    ck_assert_uint_eq(wakes, 1);
    ck_assert(record_queue_take(queue, collect, &got));
    ck_assert_str_eq(got.p, "[one][a longer one than that]");
    ck_assert(!record_queue_take(queue, collect, &got));
    record_queue_add(queue, SPAN_LIT("two"));
    for (int i = 0; i < 1000 && wakes == 1; i++)
        loop_turn(the_loop, 10 * 1000);
    ck_assert(record_queue_take(queue, collect, &got));
    ck_assert_str_eq(got.p, "[one][a longer one than that][two]");
}
END_TEST

START_TEST(the_last_ones_are_handed_over_at_the_end)
{
    auto_buf buf got = buf_make(4096);
    record_queue_add(queue, SPAN_LIT("one"));
    record_queue_detach(queue);
    ck_assert(record_queue_take(queue, collect, &got));
    ck_assert_str_eq(got.p, "[one]");
}
END_TEST

static void count(void *ctx, span record)
{
    (void)record;
    ++*(uint64_t *)ctx;
}

START_TEST(more_than_fits_is_dropped_and_counted)
{
    static char record[10 * 1000];
    uint64_t added = 0, got = 0;
    while (record_queue_dropped(queue) < 3) {
        record_queue_add(queue, (span){record, sizeof record});
        added++;
        ck_assert_uint_lt(added, 1000 * 1000);
    }
    /* Less than a record is left over in each batch. */
    ck_assert_uint_ge(added * sizeof record, (size_t)RECORD_BATCHES * RECORD_BATCH_BYTES * 9 / 10);
    while (record_queue_take(queue, count, &got))
        continue;
    ck_assert_uint_eq(got, added - 3);
    record_queue_add(queue, SPAN_LIT("again"));
    record_queue_detach(queue);
    ck_assert(record_queue_take(queue, count, &got));
    ck_assert_uint_eq(record_queue_dropped(queue), 3);
}
END_TEST

/* ---- two threads ---- */

enum { RECORDS = 200 * 1000 };

static void *put_in(void *arg)
{
    (void)arg;
    char text[600];
    for (unsigned i = 0; i < RECORDS; i++) {
        const size_t n = sizeof i + i % 500;
        memset(text, (int)(i & 0x7F), sizeof text);
        memcpy(text, &i, sizeof i);
        record_queue_add(queue, (span){text, n});
    }
    record_queue_detach(queue);
    return NULL;
}

typedef struct taken {
    uint64_t count;
    unsigned next;
    bool wrong;
} taken;

static void look(void *ctx, span record)
{
    taken *t = ctx;
    unsigned i = 0;
    memcpy(&i, record.p, sizeof i);
    t->wrong |= i < t->next || record.n != sizeof i + i % 500;
    for (size_t at = sizeof i; at < record.n; at++)
        t->wrong |= record.p[at] != (char)(i & 0x7F);
    t->next = i + 1;
    t->count++;
}

START_TEST(what_one_thread_puts_in_another_takes_out_whole)
{
    pthread_t thread;
    taken t = {0};
    ck_assert_int_eq(pthread_create(&thread, NULL, put_in, NULL), 0);
    while (t.count + record_queue_dropped(queue) < RECORDS)
        (void)record_queue_take(queue, look, &t);
    (void)pthread_join(thread, NULL);
    ck_assert(!record_queue_take(queue, look, &t));
    ck_assert(!t.wrong);
    ck_assert_uint_eq(t.count + record_queue_dropped(queue), RECORDS);
    ck_assert_uint_gt(t.count, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record_queue");
    TCase *t = tcase_create("queue");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, records_are_handed_over_in_order_a_moment_later);
    tcase_add_test(t, the_last_ones_are_handed_over_at_the_end);
    tcase_add_test(t, more_than_fits_is_dropped_and_counted);
    tcase_add_test(t, what_one_thread_puts_in_another_takes_out_whole);
    suite_add_tcase(s, t);
    return check_main(s);
}
