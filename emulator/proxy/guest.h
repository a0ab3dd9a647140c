/* A caller's socket for which no HTTP connection speaks: undecided yet, in a handshake, asking for
 * a tunnel, or relayed. The proxy counts them and closes them when it ends. */
#ifndef PROXY_GUEST_H
#define PROXY_GUEST_H

#include "base/net.h"
#include "proxy/exchange.h"
#include "proxy/wire.h"

/* Embedded in the struct that owns the socket. */
typedef struct guest {
    struct guest *next, *previous;
    void (*close)(struct guest *g); /* at once, with all that it has; calls guest_leave */
    bool waited_for;                /* bytes may be on their way: draining waits for its end */
} guest;

void guest_enter(proxy *p, guest *g);
void guest_leave(proxy *p, guest *g);

/* Who a socket belongs to and by which way it came. */
typedef struct arrival {
    net_addr peer;
    void *tag;
    bool inside; /* came out of a CONNECT: no other one within */
} arrival;

/* landing.c: what the socket speaks decides who takes it over. */
void landing_take(proxy *p, int fd, const arrival *from);

/* connect.c: a request head that begins with CONNECT is in fd, unread. */
bool connect_is_for(const proxy *p, const arrival *from);
void connect_take(proxy *p, int fd, const arrival *from);

/* relay.c: HTTP/1.1 within TLS. Takes over the wire, which malloc made. */
void relay_take(proxy *p, wire *tls, const arrival *from);

#endif
