/* One connection to an upstream: a wire that may still be connecting. */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include "base/net.h"
#include "proxy/wire.h"

typedef struct upstream upstream;

/* Open to this room. One owner at a time: a call, a session or the pool. */
struct upstream {
    wire wire; /* its error is ETIMEDOUT when the connect timer ran out */
    loop_timer connect_timer, again;
    net_addr to;
    int64_t connect_timeout_us, patient_until_us;
    bool open;                     /* wire has a socket: it has none between two attempts */
    void (*on_event)(void *owner); /* something changed; may close the connection */
    void *owner;
    bool connecting; /* then either connected or, with an error set, not */
    bool connected;
    bool reused; /* carried a request before */
    /* the pool's */
    void *home;
    upstream *older, *newer;
    int64_t idle_since_us;
};

/* NULL and errno when the connection is refused at once. patience_us: for so long it goes on trying
 * where connections are refused, since whoever is to listen there is being started; connecting all
 * the while. */
upstream *upstream_open(loop *l, const net_addr *a, int64_t connect_timeout_us,
                        int64_t patience_us);
void upstream_close(upstream *u);
void upstream_own(upstream *u, void (*on_event)(void *owner), void *owner);

#endif
