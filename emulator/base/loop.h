/* One thread's event loop: epoll, a timer heap, deferred frees. Touched by its own thread only,
 * except loop_wake() and loop_stop(). */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/error.h"

typedef struct loop loop;

/* Embedded in the struct that owns the descriptor. */
typedef struct loop_watch {
    void (*ready)(struct loop_watch *w, uint32_t events);
    int fd;
    uint32_t events; /* as registered; 0 = not registered */
} loop_watch;

/* Embedded in its owner; slot is the loop's. Zero-initialise, then set fire. */
typedef struct loop_timer {
    void (*fire)(struct loop_timer *t);
    int64_t at_us;
    uint32_t slot; /* 1-based place in the heap; 0 = not armed */
} loop_timer;

loop *loop_new(error *e);
void loop_free(loop *l); /* runs what was deferred; registered descriptors stay open */

/* Registers w->fd for events (EPOLLIN, EPOLLOUT, EPOLLRDHUP, EPOLLET …). */
bool loop_add(loop *l, loop_watch *w, uint32_t events, error *e);

/* Changes the events of a registered watch; no system call when they are the same. */
void loop_mod(loop *l, loop_watch *w, uint32_t events);

/* Takes a watch out; harmless when it is not registered. Events of it that were already fetched in
 * this turn are dropped, so the owner may be freed at once. */
void loop_del(loop *l, loop_watch *w);

/* Arms (or re-arms) for the monotonic time at_us; cancel is harmless when not armed. */
void loop_timer_set(loop *l, loop_timer *t, int64_t at_us);
void loop_timer_cancel(loop *l, loop_timer *t);

/* Calls fn(arg) at the end of this turn, after all events and timers. */
void loop_defer(loop *l, void (*fn)(void *), void *arg);

/* Calls that were deferred with arg are not made: whoever owns it ends before the turn does. */
void loop_undefer(loop *l, const void *arg);

/* Called in each turn after the events were handled and before the loop sleeps; returns the longest
 * time it may sleep in microseconds (negative: no limit). At most four hooks per loop, told apart
 * by ctx; hook == NULL removes the one with that ctx. */
void loop_set_idle_hook(loop *l, int64_t (*hook)(void *ctx), void *ctx);

/* The monotonic time at which this turn began, microseconds. No system call. */
int64_t loop_now_us(const loop *l);

/* Runs on_wake(ctx) on the loop's thread soon; callable from any thread, calls coalesce. */
void loop_set_wake(loop *l, void (*on_wake)(void *ctx), void *ctx);
void loop_wake(loop *l);

/* Runs until loop_stop(); any thread or signal handler may stop it. */
void loop_run(loop *l);
void loop_stop(loop *l);

/* One turn, sleeping at the most max_us (negative: until something happens). */
void loop_turn(loop *l, int64_t max_us);

#endif
