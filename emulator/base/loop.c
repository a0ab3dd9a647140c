/* The event loop: one epoll instance, a binary heap of timers, a list of deferred calls. */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"

enum { EVENTS_PER_TURN = 256, IDLE_HOOKS_MAX = 4 };

typedef struct deferred {
    void (*fn)(void *);
    void *arg;
} deferred;

struct loop {
    int epoll_fd;
    int64_t now_us;
    loop_watch waker;
    void (*on_wake)(void *ctx);
    void *wake_ctx;
    _Atomic bool stop, woken;
    struct {
        int64_t (*hook)(void *ctx);
        void *ctx;
    } idle[IDLE_HOOKS_MAX];
    size_t idle_count;

    loop_timer **heap; /* [0] fires first; slot = index + 1 */
    size_t timers, timers_cap;

    deferred *later;
    size_t later_count, later_cap;

    struct epoll_event fetched[EVENTS_PER_TURN];
    int fetched_count, fetched_at; /* what this turn still has to handle */
};

static void *grown(void *p, size_t *cap, size_t size)
{
    size_t next = *cap ? *cap * 2 : 32;
    void *bigger = realloc(p, next * size);
    if (!bigger)
        abort();
    *cap = next;
    return bigger;
}

static void on_waker(loop_watch *w, uint32_t events)
{
    (void)events;
    loop *l = container_of(w, loop, waker);
    uint64_t count;
    while (read(w->fd, &count, sizeof count) < 0 && errno == EINTR)
        ;
    atomic_store(&l->woken, false);
    if (l->on_wake)
        l->on_wake(l->wake_ctx);
}

static void run_deferred(loop *l)
{
    for (size_t i = 0; i < l->later_count; i++) {
        deferred d = l->later[i]; /* fn may defer more, which moves the array */
        if (d.fn)
            d.fn(d.arg);
    }
    l->later_count = 0;
}

loop *loop_new(error *e)
{
    loop *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->waker = (loop_watch){.ready = on_waker, .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    l->now_us = clock_mono_us();
    if (l->epoll_fd < 0 || l->waker.fd < 0) {
        error_errno(e, "cannot make an event loop");
        loop_free(l);
        return NULL;
    }
    if (!loop_add(l, &l->waker, EPOLLIN, e)) {
        loop_free(l);
        return NULL;
    }
    return l;
}

void loop_free(loop *l)
{
    if (!l)
        return;
    run_deferred(l);
    if (l->epoll_fd >= 0)
        (void)close(l->epoll_fd);
    if (l->waker.fd >= 0)
        (void)close(l->waker.fd);
    free(l->heap);
    free(l->later);
    free(l);
}

/* ---- descriptors ---- */

bool loop_add(loop *l, loop_watch *w, uint32_t events, error *e)
{
    struct epoll_event event = {.events = events, .data.ptr = w};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, w->fd, &event) != 0)
        return error_errno(e, "cannot watch a descriptor");
    w->events = events;
    return true;
}

void loop_mod(loop *l, loop_watch *w, uint32_t events)
{
    if (w->events == events)
        return;
    struct epoll_event event = {.events = events, .data.ptr = w};
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, w->fd, &event) == 0)
        w->events = events;
}

void loop_del(loop *l, loop_watch *w)
{
    if (w->events == 0)
        return;
    w->events = 0;
    (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
    for (int i = l->fetched_at; i < l->fetched_count; i++)
        if (l->fetched[i].data.ptr == w)
            l->fetched[i].data.ptr = NULL;
}

/* ---- timers ---- */

static void place_timer(loop *l, size_t at, loop_timer *t)
{
    l->heap[at] = t;
    t->slot = (uint32_t)(at + 1);
}

static void sift_up(loop *l, size_t at)
{
    loop_timer *t = l->heap[at];
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (l->heap[parent]->at_us <= t->at_us)
            break;
        place_timer(l, at, l->heap[parent]);
        at = parent;
    }
    place_timer(l, at, t);
}

static void sift_down(loop *l, size_t at)
{
    loop_timer *t = l->heap[at];
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= l->timers)
            break;
        if (child + 1 < l->timers && l->heap[child + 1]->at_us < l->heap[child]->at_us)
            child++;
        if (t->at_us <= l->heap[child]->at_us)
            break;
        place_timer(l, at, l->heap[child]);
        at = child;
    }
    place_timer(l, at, t);
}

void loop_timer_set(loop *l, loop_timer *t, int64_t at_us)
{
    t->at_us = at_us;
    if (!t->slot) {
        if (l->timers == l->timers_cap)
            l->heap = grown(l->heap, &l->timers_cap, sizeof(loop_timer *));
        place_timer(l, l->timers++, t);
    }
    sift_up(l, t->slot - 1u);
    sift_down(l, t->slot - 1u);
}

void loop_timer_cancel(loop *l, loop_timer *t)
{
    if (!t->slot)
        return;
    size_t at = t->slot - 1u;
    t->slot = 0;
    loop_timer *last = l->heap[--l->timers];
    if (last == t)
        return;
    place_timer(l, at, last);
    sift_up(l, at);
    sift_down(l, last->slot - 1u);
}

static void fire_due(loop *l)
{
    while (l->timers && l->heap[0]->at_us <= l->now_us) {
        loop_timer *t = l->heap[0];
        loop_timer_cancel(l, t);
        t->fire(t);
    }
}

/* ---- turns ---- */

void loop_defer(loop *l, void (*fn)(void *), void *arg)
{
    if (l->later_count == l->later_cap)
        l->later = grown(l->later, &l->later_cap, sizeof *l->later);
    l->later[l->later_count++] = (deferred){fn, arg};
}

void loop_undefer(loop *l, const void *arg)
{
    for (size_t i = 0; i < l->later_count; i++)
        if (l->later[i].arg == arg)
            l->later[i].fn = NULL;
}

void loop_set_idle_hook(loop *l, int64_t (*hook)(void *ctx), void *ctx)
{
    size_t at = 0;
    while (at < l->idle_count && l->idle[at].ctx != ctx)
        at++;
    if (hook) {
        assert(at < IDLE_HOOKS_MAX);
        l->idle[at].hook = hook;
        l->idle[at].ctx = ctx;
        l->idle_count += at == l->idle_count;
    } else if (at < l->idle_count) {
        l->idle[at] = l->idle[--l->idle_count];
    }
}

int64_t loop_now_us(const loop *l)
{
    return l->now_us;
}

void loop_set_wake(loop *l, void (*on_wake)(void *ctx), void *ctx)
{
    l->on_wake = on_wake;
    l->wake_ctx = ctx;
}

void loop_wake(loop *l)
{
    if (atomic_exchange(&l->woken, true))
        return;
    const uint64_t one = 1;
    while (write(l->waker.fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}

/* Microseconds until there is something to do, at most max_us; negative: no limit. */
static int64_t sleep_for(const loop *l, int64_t max_us)
{
    if (atomic_load(&l->stop))
        return 0;
    int64_t wait = max_us;
    if (l->timers) {
        int64_t until = l->heap[0]->at_us - clock_mono_us();
        if (until < 0)
            until = 0;
        if (wait < 0 || until < wait)
            wait = until;
    }
    return wait;
}

static int to_milliseconds(int64_t us)
{
    if (us < 0)
        return -1;
    int64_t ms = (us + 999) / 1000;
    return ms > 3600000 ? 3600000 : (int)ms;
}

static void settle(loop *l)
{
    fire_due(l);
    run_deferred(l);
}

void loop_turn(loop *l, int64_t max_us)
{
    for (size_t i = 0; i < l->idle_count; i++) {
        int64_t hook_us = l->idle[i].hook(l->idle[i].ctx);
        if (hook_us >= 0 && (max_us < 0 || hook_us < max_us))
            max_us = hook_us;
    }
    run_deferred(l);
    int n =
        epoll_wait(l->epoll_fd, l->fetched, EVENTS_PER_TURN, to_milliseconds(sleep_for(l, max_us)));
    l->now_us = clock_mono_us();
    l->fetched_count = n > 0 ? n : 0;
    for (l->fetched_at = 0; l->fetched_at < l->fetched_count;) {
        struct epoll_event event = l->fetched[l->fetched_at++];
        loop_watch *w = event.data.ptr;
        if (w)
            w->ready(w, event.events);
    }
    l->fetched_count = l->fetched_at = 0;
    settle(l);
}

void loop_run(loop *l)
{
    while (!atomic_load(&l->stop))
        loop_turn(l, -1);
    atomic_store(&l->stop, false);
}

void loop_stop(loop *l)
{
    atomic_store(&l->stop, true);
    const uint64_t one = 1;
    while (write(l->waker.fd, &one, sizeof one) < 0 && errno == EINTR)
        ;
}
