/* Reads a pipe on the loop; writes without blocking to a descriptor that others use too, so that it
 * cannot simply be made non-blocking. */
#include "cli/run_tee.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { READ_BYTES = 16 * 1024, STALLED_PAUSE_US = 20 * 1000 };

struct run_tee {
    loop *loop;
    loop_watch watch;
    loop_timer pause;
    int to_fd, child_fd;
    log_channel *channel;
    buf held; /* read, but not written yet */
    size_t written;
    bool deaf; /* nobody will ever read our stream again */
};

/* Does it take some bytes now? Of a pipe poll promises PIPE_BUF bytes. */
static bool sink_takes(const run_tee *t, int timeout_ms)
{
    struct pollfd p = {.fd = t->to_fd, .events = POLLOUT};
    return poll(&p, 1, timeout_ms) != 0;
}

/* The reader of our stream has gone: CMD shall learn of it at its next write, as it would without
 * us. */
static void give_up(run_tee *t)
{
    t->deaf = true;
    loop_timer_cancel(t->loop, &t->pause);
    loop_del(t->loop, &t->watch);
    (void)close(t->watch.fd);
    t->watch.fd = -1;
}

/* false: the reader has stalled. */
static bool write_held(run_tee *t)
{
    while (t->written < t->held.n && !t->deaf) {
        const span rest = span_from(buf_view(&t->held), t->written);
        if (!sink_takes(t, 0))
            return false;
        const ssize_t put = write(t->to_fd, rest.p, rest.n < PIPE_BUF ? rest.n : PIPE_BUF);
        if (put > 0)
            t->written += (size_t)put;
        else if (put < 0 && errno == EAGAIN)
            return false;
        else if (put < 0 && errno != EINTR)
            give_up(t);
    }
    buf_clear(&t->held);
    t->written = 0;
    return true;
}

/* false when there is nothing more to read now. */
static bool read_once(run_tee *t)
{
    char bytes[READ_BYTES];
    const ssize_t got = t->deaf ? -1 : read(t->watch.fd, bytes, sizeof bytes);
    if (got <= 0)
        return got < 0 && errno == EINTR;
    buf_add(&t->held, bytes, (size_t)got);
    log_channel_bytes(t->channel, (span){bytes, (size_t)got});
    return true;
}

static void stall(run_tee *t)
{
    loop_del(t->loop, &t->watch);
    loop_timer_set(t->loop, &t->pause, loop_now_us(t->loop) + STALLED_PAUSE_US);
}

static void on_output(loop_watch *w, uint32_t events)
{
    (void)events;
    run_tee *t = container_of(w, run_tee, watch);
    (void)read_once(t);
    if (!write_held(t))
        stall(t);
}

static void on_pause_over(loop_timer *timer)
{
    run_tee *t = container_of(timer, run_tee, pause);
    if (!write_held(t))
        stall(t);
    else if (!t->deaf && !loop_add(t->loop, &t->watch, EPOLLIN, NULL))
        give_up(t);
}

run_tee *run_tee_open(loop *l, int to_fd, log_channel *channel, error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_errno(e, "cannot make a pipe");
        return NULL;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    run_tee *t = calloc(1, sizeof *t);
    if (!t)
        abort();
    *t = (run_tee){.loop = l,
                   .watch = {.ready = on_output, .fd = ends[0]},
                   .pause = {.fire = on_pause_over},
                   .to_fd = to_fd,
                   .child_fd = ends[1],
                   .channel = channel,
                   .held = buf_make(READ_BYTES)};
    if (loop_add(l, &t->watch, EPOLLIN, e))
        return t;
    run_tee_close(t, 0);
    return NULL;
}

int run_tee_child_fd(const run_tee *t)
{
    return t->child_fd;
}

static void drain(run_tee *t, int64_t end_us)
{
    while (!t->deaf) {
        if (write_held(t)) {
            if (!read_once(t))
                return;
            continue;
        }
        const int64_t left_us = end_us - clock_mono_us();
        if (left_us <= 0 || !sink_takes(t, (int)(left_us / 1000) + 1))
            return;
    }
}

void run_tee_close(run_tee *t, int64_t max_us)
{
    if (!t)
        return;
    drain(t, clock_mono_us() + max_us);
    log_channel_end(t->channel);
    if (!t->deaf)
        give_up(t);
    (void)close(t->child_fd);
    buf_free(&t->held);
    free(t);
}
