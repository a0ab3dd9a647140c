/* The pool of idle upstream connections: newest first out, oldest first closed. */
#include "proxy/pool.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/hash.h"

/* One upstream address. */
typedef struct home {
    struct home *next;
    pool *pool;
    net_addr addr;
    upstream *newest, *oldest;
    unsigned idle;
} home;

struct pool {
    loop *loop;
    pool_options options;
    strmap *by_addr;
    home *homes;
    home *last; /* where the last connection was taken from: most workers know few upstreams */
    size_t idle;
    loop_timer sweep;
};

static void unlink_idle(upstream *u)
{
    home *h = u->home;
    *(u->newer ? &u->newer->older : &h->newest) = u->older;
    *(u->older ? &u->older->newer : &h->oldest) = u->newer;
    u->newer = u->older = NULL;
    h->idle--;
    h->pool->idle--;
}

static void drop_idle(upstream *u)
{
    unlink_idle(u);
    upstream_close(u);
}

/* Bytes or an end where no request is open: not to be used again. */
static void on_idle_event(void *owner)
{
    upstream *u = owner;
    if (u->wire.readable || u->wire.hung_up || u->wire.error)
        drop_idle(u);
}

static void arm_sweep(pool *p)
{
    if (p->options.idle_us > 0 && p->idle && !p->sweep.slot)
        loop_timer_set(p->loop, &p->sweep, loop_now_us(p->loop) + p->options.idle_us / 4 + 1);
}

static void on_sweep(loop_timer *t)
{
    pool *p = container_of(t, pool, sweep);
    int64_t old = loop_now_us(p->loop) - p->options.idle_us;
    for (home *h = p->homes; h; h = h->next)
        while (h->oldest && h->oldest->idle_since_us <= old)
            drop_idle(h->oldest);
    arm_sweep(p);
}

pool *pool_open(loop *l, const pool_options *o)
{
    pool *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->loop = l;
    p->options = *o;
    p->by_addr = strmap_new();
    p->sweep.fire = on_sweep;
    return p;
}

void pool_close(pool *p)
{
    if (!p)
        return;
    loop_timer_cancel(p->loop, &p->sweep);
    for (home *h = p->homes; h;) {
        while (h->oldest)
            drop_idle(h->oldest);
        home *next = h->next;
        free(h);
        h = next;
    }
    strmap_free(p->by_addr);
    free(p);
}

static span addr_key(const net_addr *a)
{
    return (span){(const char *)&a->ss, a->len};
}

static home *home_of(pool *p, const net_addr *a)
{
    if (p->last && span_eq(addr_key(&p->last->addr), addr_key(a)))
        return p->last;
    home *h = strmap_get(p->by_addr, addr_key(a));
    if (!h) {
        h = calloc(1, sizeof *h);
        if (!h)
            abort();
        h->pool = p;
        h->addr = *a;
        h->next = p->homes;
        p->homes = h;
        (void)strmap_put(p->by_addr, addr_key(a), h);
    }
    p->last = h;
    return h;
}

upstream *pool_take(pool *p, const net_addr *a, bool fresh, int64_t patience_us)
{
    home *h = home_of(p, a);
    upstream *u = fresh ? NULL : h->newest;
    if (u) {
        unlink_idle(u);
        upstream_own(u, NULL, NULL);
        u->reused = true;
        return u;
    }
    u = upstream_open(p->loop, a, p->options.connect_timeout_us, patience_us);
    if (u)
        u->home = h;
    return u;
}

void pool_give(pool *p, upstream *u)
{
    if (u->wire.readable || u->wire.hung_up || u->wire.error || p->options.idle_max == 0) {
        upstream_close(u);
        return;
    }
    home *h = u->home;
    if (h->idle >= p->options.idle_max)
        drop_idle(h->oldest);
    upstream_own(u, on_idle_event, u);
    u->idle_since_us = loop_now_us(p->loop);
    u->older = h->newest;
    if (u->older)
        u->older->newer = u;
    else
        h->oldest = u;
    h->newest = u;
    h->idle++;
    p->idle++;
    arm_sweep(p);
}

size_t pool_idle_count(const pool *p)
{
    return p->idle;
}
