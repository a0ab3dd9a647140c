/* Requests that wait. Each ends in one of four ways: what it waits for, its time-out, the client
 * leaving, the server stopping. */
#include <stdlib.h>

#include "metadata/answer.h"
#include "metadata/room.h"

static void forget(waiter *w)
{
    loop_timer_cancel(w->room->loop, &w->timer);
    if (w->previous)
        w->previous->next = w->next;
    else
        w->room->waiters = w->next;
    if (w->next)
        w->next->previous = w->previous;
    free(w);
}

static void on_gone(void *ctx)
{
    forget(ctx);
}

static void on_timeout(loop_timer *t)
{
    waiter *w = container_of(t, waiter, timer);
    metadata *m = w->room;
    http_request *r = w->request;
    bool for_caller = w->for_caller;
    forget(w);
    if (for_caller)
        answer_try_again(r);
    else
        (void)serve_again(m, r, NULL);
}

static waiter *add(metadata *m, http_request *r)
{
    waiter *w = calloc(1, sizeof *w);
    if (!w)
        abort();
    *w = (waiter){.next = m->waiters, .room = m, .request = r, .timer = {.fire = on_timeout}};
    if (w->next)
        w->next->previous = w;
    m->waiters = w;
    http_defer(r, on_gone, w);
    return w;
}

void waiters_add_change(metadata *m, http_request *r, const char *etag, int64_t timeout_us)
{
    waiter *w = add(m, r);
    memcpy(w->etag, etag, ETAG_TEXT);
    if (timeout_us >= 0)
        loop_timer_set(m->loop, &w->timer, loop_now_us(m->loop) + timeout_us);
}

void waiters_add_caller(metadata *m, http_request *r)
{
    waiter *w = add(m, r);
    w->for_caller = true;
    loop_timer_set(m->loop, &w->timer, loop_now_us(m->loop) + CALLERS_PATIENCE_US);
}

void waiters_changed(metadata *m)
{
    waiter *next = NULL;
    for (waiter *w = m->waiters; w; w = next) {
        next = w->next;
        if (!w->for_caller && serve_again(m, w->request, w->etag))
            forget(w);
    }
    waiters_news(m);
}

void waiters_news(void *room)
{
    metadata *m = room;
    waiter *next = NULL;
    for (waiter *w = m->waiters; w; w = next) {
        caller unused;
        next = w->next;
        if (!w->for_caller || who_calls(m, w->request, &unused) == CALLER_UNSURE)
            continue;
        http_request *r = w->request;
        forget(w);
        serve_request(m, r);
    }
}

void waiters_free(metadata *m)
{
    for (waiter *w = m->waiters, *next; w; w = next) {
        next = w->next;
        forget(w);
    }
}
