/* Kept-alive connections, by upstream address. An idle one that stirs is closed. */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include "proxy/upstream.h"

typedef struct pool pool;

typedef struct pool_options {
    int64_t idle_us;            /* an idle connection is closed after this; <= 0: never */
    unsigned idle_max;          /* per address; the longest idle goes first */
    int64_t connect_timeout_us; /* <= 0: none */
} pool_options;

pool *pool_open(loop *l, const pool_options *o);
void pool_close(pool *p); /* closes the idle ones; those that were taken are their owners' */

/* An idle connection (`fresh`: never one of those) or a new one that is still connecting, with
 * patience as upstream_open has it; NULL and errno when that fails at once. */
upstream *pool_take(pool *p, const net_addr *a, bool fresh, int64_t patience_us);

/* Back for reuse; nothing may be left to read on it. */
void pool_give(pool *p, upstream *u);

size_t pool_idle_count(const pool *p);

#endif
