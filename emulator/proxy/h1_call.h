/* A call over HTTP/1.1: takes a connection from the pool, sends, retries once where that is safe,
 * parses, gives the connection back. */
#ifndef PROXY_H1_CALL_H
#define PROXY_H1_CALL_H

#include "proxy/call.h"
#include "proxy/pool.h"

/* Those that are not in use, kept because each is large. */
typedef struct h1_call_spares {
    struct h1_call *first;
    size_t count;
} h1_call_spares;

/* From the spares, or new; goes back there when it is released. */
call *h1_call_take(h1_call_spares *s, pool *p);
void h1_call_spares_free(h1_call_spares *s);

#endif
