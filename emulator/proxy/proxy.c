/* A worker's proxy: opening, draining, closing. */
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/proxy_impl.h"

static void on_drain_timer(loop_timer *t);

proxy *proxy_open(loop *l, const proxy_options *o, error *e)
{
    proxy *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->loop = l;
    p->options = *o;
    p->pool = pool_open(l, &(pool_options){.idle_us = (int64_t)o->upstream_idle_s * 1000000,
                                           .idle_max = o->upstream_idle_max,
                                           .connect_timeout_us = o->connect_timeout_us});
    p->linger = linger_open(l);
    p->drain_timer.fire = on_drain_timer;
    if (o->connections_max)
        p->mhd = h1_front_open(p, e);
    if (!p->mhd && o->connections_max) {
        proxy_close(p);
        return NULL;
    }
    return p;
}

void proxy_adopt(proxy *p, int fd, const net_addr *peer, void *tag)
{
    mhd_loop_adopt(p->mhd, fd, peer, tag);
}

/* ---- the exchanges that are open ---- */

void proxy_exchange_opened(proxy *p, exchange *x)
{
    x->previous = NULL;
    x->next = p->open;
    if (x->next)
        x->next->previous = x;
    p->open = x;
    p->open_count++;
}

static void report_idle(proxy *p)
{
    void (*on_idle)(void *ctx) = TAKE(p->on_idle);
    loop_timer_cancel(p->loop, &p->drain_timer);
    if (on_idle)
        on_idle(p->idle_ctx);
}

void proxy_exchange_closed(proxy *p, exchange *x)
{
    *(x->previous ? &x->previous->next : &p->open) = x->next;
    if (x->next)
        x->next->previous = x->previous;
    p->open_count--;
    /* by the timer: this is called from within libmicrohttpd, which proxy_close ends */
    if (p->draining && p->on_idle && p->open_count == 0)
        loop_timer_set(p->loop, &p->drain_timer, loop_now_us(p->loop));
}

/* ---- the end ---- */

static void on_drain_timer(loop_timer *t)
{
    proxy *p = container_of(t, proxy, drain_timer);
    if (p->open_count)
        h1_conns_cut_all(p); /* their ends arm the timer again */
    else
        report_idle(p);
}

void proxy_drain(proxy *p, int64_t deadline_us, void (*on_idle)(void *ctx), void *ctx)
{
    p->draining = true;
    p->on_idle = on_idle;
    p->idle_ctx = ctx;
    h1_conns_shut_idle(p);
    loop_timer_set(p->loop, &p->drain_timer, p->open_count ? deadline_us : loop_now_us(p->loop));
}

void proxy_close(proxy *p)
{
    if (!p)
        return;
    p->draining = p->closing = true;
    p->on_idle = NULL;
    fetch_cancel_all(p);
    if (p->mhd) {
        h1_conns_cut_all(p);
        mhd_loop_close(p->mhd);
    }
    loop_timer_cancel(p->loop, &p->drain_timer);
    while (p->detached)
        exchange_detached_over(p->detached);
    for (exchange *x = p->spares; x;) {
        exchange *next = x->next;
        exchange_free(x);
        x = next;
    }
    h1_call_spares_free(&p->h1_calls);
    linger_close(p->linger);
    pool_close(p->pool);
    free(p);
}
