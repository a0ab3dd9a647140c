/* A worker's proxy: opening, draining, closing. */
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/h2_front.h"
#include "proxy/proxy_impl.h"

static void on_drain_timer(loop_timer *t);

static void look_whether_idle(proxy *p);

static bool open_callers_side(proxy *p, const proxy_options *o, error *e)
{
    if (o->connect)
        p->connect = *o->connect;
    if (o->tls)
        p->tls = tls_context_new(o->tls);
    p->h2_front = h2_front_open(p);
    p->mhd = h1_front_open(p, e);
    return p->mhd != NULL;
}

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
    h2_home_open(&p->h2_home, l);
    p->h2_pool = h2_pool_open(&p->h2_home,
                              &(h2_pool_options){.idle_us = (int64_t)o->upstream_idle_s * 1000000,
                                                 .connect_timeout_us = o->connect_timeout_us});
    p->linger = linger_open(l);
    p->drain_timer.fire = on_drain_timer;
    if (!o->connections_max || open_callers_side(p, o, e))
        return p;
    proxy_close(p);
    return NULL;
}

/* ---- callers ---- */

void proxy_adopt(proxy *p, int fd, const net_addr *peer, void *tag)
{
    landing_take(p, fd, &(arrival){.peer = *peer, .tag = tag});
}

proxy_connections proxy_count_connections(const proxy *p)
{
    proxy_connections c = p->counted;
    c.open = p->guest_count + p->conn_count;
    return c;
}

bool proxy_is_full(const proxy *p)
{
    return p->guest_count + p->conn_count >= p->options.connections_max;
}

void guest_enter(proxy *p, guest *g)
{
    g->previous = NULL;
    g->next = p->guests;
    if (g->next)
        g->next->previous = g;
    p->guests = g;
    p->guest_count++;
}

void guest_leave(proxy *p, guest *g)
{
    *(g->previous ? &g->previous->next : &p->guests) = g->next;
    if (g->next)
        g->next->previous = g->previous;
    p->guest_count--;
    look_whether_idle(p);
}

/* waited_for: those for whose end draining waits, too. */
static void close_guests(proxy *p, bool waited_for)
{
    for (guest *g = p->guests; g;) {
        guest *next = g->next;
        if (waited_for || !g->waited_for)
            g->close(g);
        g = next;
    }
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
    look_whether_idle(p);
}

/* ---- the end ---- */

static bool is_idle(const proxy *p)
{
    return !p->open_count && !p->guests;
}

/* By the timer: this is called from within libmicrohttpd, which proxy_close ends. */
static void look_whether_idle(proxy *p)
{
    if (p->draining && p->on_idle && is_idle(p))
        loop_timer_set(p->loop, &p->drain_timer, loop_now_us(p->loop));
}

static void on_drain_timer(loop_timer *t)
{
    proxy *p = container_of(t, proxy, drain_timer);
    if (is_idle(p)) {
        report_idle(p);
        return;
    }
    h1_conns_cut_all(p); /* their ends arm the timer again */
    close_guests(p, true);
}

void proxy_drain(proxy *p, int64_t deadline_us, void (*on_idle)(void *ctx), void *ctx)
{
    p->draining = true;
    p->on_idle = on_idle;
    p->idle_ctx = ctx;
    h1_conns_shut_idle(p);
    h2_front_drain(p);
    close_guests(p, false);
    loop_timer_set(p->loop, &p->drain_timer, is_idle(p) ? loop_now_us(p->loop) : deadline_us);
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
        close_guests(p, true);
        mhd_loop_close(p->mhd);
    }
    h2_front_close(p->h2_front);
    tls_context_free(p->tls);
    loop_timer_cancel(p->loop, &p->drain_timer);
    while (p->detached)
        exchange_detached_over(p->detached);
    for (exchange *x = p->spares; x;) {
        exchange *next = x->next;
        exchange_free(x);
        x = next;
    }
    h1_call_spares_free(&p->h1_calls);
    h2_pool_close(p->h2_pool);
    h2_home_close(&p->h2_home);
    linger_close(p->linger);
    pool_close(p->pool);
    loop_undefer(p->loop, p);
    free(p);
}
