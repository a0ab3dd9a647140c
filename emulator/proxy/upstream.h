/* One connection to an upstream: a non-blocking socket that is registered once, for both
 * directions and by edges, so that a request costs no epoll_ctl. */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H

#include <sys/types.h>

#include "base/loop.h"
#include "base/net.h"

typedef struct upstream upstream;

/* Open to this room: the flags are read on every event. One owner at a time: a call or the pool. */
struct upstream {
    loop_watch watch;
    loop *loop;
    loop_timer connect_timer;
    void (*on_event)(void *owner); /* something below changed; may close the connection */
    void *owner;
    bool connecting; /* then either connected or, with error set, not */
    bool connected;
    bool readable; /* worth a recv */
    bool writable; /* worth a send */
    bool hung_up;  /* the peer sent its FIN: read on until the end shows */
    int error;     /* errno of what broke it; ETIMEDOUT: the connect timer */
    bool reused;   /* carried a request before */
    /* the pool's */
    void *home;
    upstream *older, *newer;
    int64_t idle_since_us;
};

/* NULL and errno when the connection is refused at once. */
upstream *upstream_open(loop *l, const net_addr *a, int64_t connect_timeout_us);
void upstream_close(upstream *u);
void upstream_own(upstream *u, void (*on_event)(void *owner), void *owner);

/* Bytes sent; 0: not now (an event will tell); -1: broken, see error. */
ssize_t upstream_send(upstream *u, const void *p, size_t n);

enum { UPSTREAM_EOF = -1, UPSTREAM_BROKEN = -2 };
/* Bytes received; 0: nothing yet (an event will tell); UPSTREAM_EOF; UPSTREAM_BROKEN. */
ssize_t upstream_recv(upstream *u, void *p, size_t n);

#endif
