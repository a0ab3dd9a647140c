/* A circle of batches: the worker fills the one at `filled`, the other end empties the one at
 * `emptied`; each of the two counters is written by one thread only. */
#include "gateway/record_queue.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

enum { HAND_OVER_US = 50 * 1000 };

typedef struct batch {
    char *bytes; /* NULL until it is needed for the first time */
    size_t n;
} batch;

struct record_queue {
    void (*wake)(void *ctx);
    void *ctx;
    loop *loop; /* NULL: not attached */
    loop_timer timer;
    batch batches[RECORD_BATCHES];
    _Alignas(64) _Atomic uint64_t filled; /* batches handed over so far */
    _Atomic uint64_t dropped;
    _Alignas(64) _Atomic uint64_t emptied;
};

static void hand_over(record_queue *q)
{
    const uint64_t filled = atomic_load_explicit(&q->filled, memory_order_relaxed);
    if (q->batches[filled % RECORD_BATCHES].n == 0)
        return;
    atomic_store_explicit(&q->filled, filled + 1, memory_order_release);
    q->wake(q->ctx);
}

/* The batch that is being filled; NULL: all are waiting to be emptied. */
static batch *at_hand(record_queue *q)
{
    const uint64_t filled = atomic_load_explicit(&q->filled, memory_order_relaxed);
    if (filled - atomic_load_explicit(&q->emptied, memory_order_acquire) == RECORD_BATCHES)
        return NULL;
    return &q->batches[filled % RECORD_BATCHES];
}

static void hand_over_if_any(record_queue *q)
{
    if (at_hand(q))
        hand_over(q);
}

static void on_timer(loop_timer *t)
{
    hand_over_if_any(container_of(t, record_queue, timer));
}

record_queue *record_queue_new(void (*wake)(void *ctx), void *ctx)
{
    record_queue *q = aligned_alloc(alignof(record_queue), sizeof *q);
    if (!q)
        abort();
    memset(q, 0, sizeof *q);
    q->wake = wake;
    q->ctx = ctx;
    q->timer.fire = on_timer;
    return q;
}

void record_queue_free(record_queue *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < RECORD_BATCHES; i++)
        free(q->batches[i].bytes);
    free(q);
}

/* ---- the worker's end ---- */

void record_queue_attach(record_queue *q, loop *l)
{
    q->loop = l;
}

void record_queue_detach(record_queue *q)
{
    if (!q->loop)
        return;
    loop_timer_cancel(q->loop, &q->timer);
    q->loop = NULL;
    hand_over_if_any(q);
}

/* Of a record with its length in front of it, in a batch. */
static size_t taken_by(size_t n)
{
    const size_t alignment = alignof(max_align_t);
    return alignment + (n + alignment - 1) / alignment * alignment;
}

void record_queue_add(record_queue *q, span record)
{
    const size_t room = taken_by(record.n);
    assert(room <= RECORD_BATCH_BYTES);
    batch *b = at_hand(q);
    if (b && RECORD_BATCH_BYTES - b->n < room) {
        hand_over(q);
        b = at_hand(q);
    }
    if (!b) {
        atomic_fetch_add_explicit(&q->dropped, 1, memory_order_relaxed);
        return;
    }
    if (!b->bytes && !(b->bytes = malloc(RECORD_BATCH_BYTES)))
        abort();
    memcpy(b->bytes + b->n, &record.n, sizeof record.n);
    memcpy(b->bytes + b->n + alignof(max_align_t), record.p, record.n);
    b->n += room;
    if (!q->timer.slot && q->loop)
        loop_timer_set(q->loop, &q->timer, loop_now_us(q->loop) + HAND_OVER_US);
}

/* ---- the other end ---- */

bool record_queue_take(record_queue *q, void (*each)(void *ctx, span record), void *ctx)
{
    const uint64_t emptied = atomic_load_explicit(&q->emptied, memory_order_relaxed);
    if (emptied == atomic_load_explicit(&q->filled, memory_order_acquire))
        return false;
    batch *b = &q->batches[emptied % RECORD_BATCHES];
    for (size_t at = 0; at < b->n;) {
        span record = {b->bytes + at + alignof(max_align_t), 0};
        memcpy(&record.n, b->bytes + at, sizeof record.n);
        each(ctx, record);
        at += taken_by(record.n);
    }
    b->n = 0;
    atomic_store_explicit(&q->emptied, emptied + 1, memory_order_release);
    return true;
}

uint64_t record_queue_dropped(record_queue *q)
{
    return atomic_load_explicit(&q->dropped, memory_order_relaxed);
}
