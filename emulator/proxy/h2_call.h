/* Calls over HTTP/2 by prior knowledge (h2c), many of them on one connection. */
#ifndef PROXY_H2_CALL_H
#define PROXY_H2_CALL_H

#include "proxy/call.h"
#include "proxy/h2_session.h"

/* The connections of one loop. */
typedef struct h2_pool h2_pool;

typedef struct h2_pool_options {
    int64_t idle_us;            /* a connection without calls is closed after this; <= 0: never */
    int64_t connect_timeout_us; /* <= 0: none */
} h2_pool_options;

h2_pool *h2_pool_open(h2_home *h, const h2_pool_options *o);
/* Calls must be released before. */
void h2_pool_close(h2_pool *p); /* NULL is fine */

call *h2_call_take(h2_pool *p);

#endif
