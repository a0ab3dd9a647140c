/* The writer's thread: woken by the workers' batches, by SIGHUP, and at the end. */
#include "gateway/recorder.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/log.h"
#include "gateway/recent.h"

enum {
    WRITE_AT = 256 * 1024,
    TEXT_MAX = 4 * 1024 * 1024,
    SAY_EACH_US = 1000 * 1000,
    STACK_BYTES = 512 * 1024
};

struct recorder {
    loop *loop;
    pthread_t thread;
    bool running; /* there is a thread */
    record_file *file;
    size_t write_at; /* bytes that are worth a write, and are but a part of a file */
    record_queue **queues;
    unsigned queue_count;
    atomic_bool reopen, stop;
    _Atomic uint64_t written, failed; /* lines, ever */
    /* the writer's own */
    buf text;
    size_t lines;       /* in text */
    bool failing;       /* the last write did not succeed */
    uint64_t unwritten; /* since then */
    uint64_t dropped;   /* known to the log */
    loop_timer say;
};

/* ---- lines ---- */

static void flush(recorder *r)
{
    error e = {0};
    if (r->lines == 0)
        return;
    const bool ok = record_file_write(r->file, buf_view(&r->text), &e);
    if (!ok) {
        if (!r->failing)
            log_at(LOG_ERROR, "decisions are not recorded", LOG_S("error", e.text));
        r->unwritten += r->lines;
        atomic_fetch_add_explicit(&r->failed, r->lines, memory_order_relaxed);
    } else if (r->failing) {
        log_at(LOG_WARN, "decisions are recorded again", LOG_I("lost", r->unwritten));
        r->unwritten = 0;
    }
    if (ok)
        atomic_fetch_add_explicit(&r->written, r->lines, memory_order_relaxed);
    r->failing = !ok;
    r->lines = 0;
    buf_clear(&r->text);
}

static void add_line(void *ctx, span kept)
{
    recorder *r = ctx;
    recent_decision((const recent_request *)(const void *)kept.p, &r->text);
    buf_char(&r->text, '\n');
    r->lines++;
    if (r->text.n >= r->write_at)
        flush(r);
}

/* ---- what went wrong is said, but not all the time ---- */

static uint64_t count_dropped(const recorder *r)
{
    uint64_t dropped = 0;
    for (unsigned i = 0; i < r->queue_count; i++)
        dropped += record_queue_dropped(r->queues[i]);
    return dropped;
}

recorder_counts recorder_count(const recorder *r)
{
    return (recorder_counts){atomic_load_explicit(&r->written, memory_order_relaxed),
                             count_dropped(r),
                             atomic_load_explicit(&r->failed, memory_order_relaxed)};
}

static void say_dropped(recorder *r)
{
    const uint64_t dropped = count_dropped(r);
    if (dropped == r->dropped)
        return;
    log_at(LOG_ERROR, "decisions come faster than they can be recorded",
           LOG_I("lost", dropped - r->dropped), LOG_I("lost_in_all", dropped));
    r->dropped = dropped;
    loop_timer_set(r->loop, &r->say, loop_now_us(r->loop) + SAY_EACH_US);
}

static void on_say(loop_timer *t)
{
    say_dropped(container_of(t, recorder, say));
}

/* ---- the thread ---- */

static void drain(recorder *r)
{
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < r->queue_count; i++)
            more |= record_queue_take(r->queues[i], add_line, r);
    }
    flush(r);
    if (!r->say.slot)
        say_dropped(r);
}

static void on_wake(void *ctx)
{
    recorder *r = ctx;
    error e = {0};
    const bool last = atomic_load(&r->stop); /* what was handed in before that is drained */
    if (atomic_exchange(&r->reopen, false) && !record_file_reopen(r->file, &e))
        log_at(LOG_ERROR, "decisions are not recorded", LOG_S("error", e.text));
    drain(r);
    if (last)
        loop_stop(r->loop);
}

static void *run(void *arg)
{
    const recorder *r = arg;
    loop_run(r->loop);
    return NULL;
}

static void wake(void *ctx)
{
    const recorder *r = ctx;
    loop_wake(r->loop);
}

/* ---- life ---- */

static bool start_thread(recorder *r, error *e)
{
    pthread_attr_t attr;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK_BYTES);
    const int failed = pthread_create(&r->thread, &attr, run, r);
    (void)pthread_attr_destroy(&attr);
    if (failed)
        return error_set(e, ERR_IO, "cannot start the recorder's thread: %s", strerror(failed));
    r->running = true;
    return true;
}

recorder *recorder_open(const record_file_options *o, unsigned workers, error *e)
{
    recorder *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that is too large (RLIMIT_FSIZE) is a full disk */
    r->text = buf_make(TEXT_MAX);
    r->write_at = o->bytes_max / 4 < WRITE_AT ? (size_t)o->bytes_max / 4 : WRITE_AT;
    r->say.fire = on_say;
    r->queues = calloc(workers ? workers : 1, sizeof(record_queue *));
    if (!r->queues)
        abort();
    while (r->queue_count < workers)
        r->queues[r->queue_count++] = record_queue_new(wake, r);
    r->file = record_file_open(o, e);
    r->loop = r->file ? loop_new(e) : NULL;
    if (r->loop)
        loop_set_wake(r->loop, on_wake, r);
    if (r->loop && start_thread(r, e))
        return r;
    recorder_close(r);
    return NULL;
}

record_queue *recorder_queue(recorder *r, unsigned worker)
{
    return r->queues[worker];
}

void recorder_reopen(recorder *r)
{
    atomic_store(&r->reopen, true);
    loop_wake(r->loop);
}

static void stop(recorder *r)
{
    atomic_store(&r->stop, true);
    loop_wake(r->loop);
    (void)pthread_join(r->thread, NULL);
    say_dropped(r);
    if (r->failing)
        log_at(LOG_ERROR, "decisions were not recorded", LOG_I("lost", r->unwritten));
}

void recorder_close(recorder *r)
{
    if (!r)
        return;
    if (r->running)
        stop(r);
    if (r->loop) {
        loop_timer_cancel(r->loop, &r->say);
        loop_free(r->loop);
    }
    for (unsigned i = 0; i < r->queue_count; i++)
        record_queue_free(r->queues[i]);
    free(r->queues);
    record_file_close(r->file);
    buf_free(&r->text);
    free(r);
}
