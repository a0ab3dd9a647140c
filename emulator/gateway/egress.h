/* The shared ingress as an HTTP proxy: what is ours is spoken to ourselves, everything else goes
 * out only where the topology says `egress: allow`. One worker's, touched by its thread only. */
#ifndef GATEWAY_EGRESS_H
#define GATEWAY_EGRESS_H

#include "base/buf.h"
#include "gateway/door.h"
#include "proxy/connect.h"

typedef struct egress egress;

/* doors: the worker's list, which outlives it. first: taken over by count. */
egress *egress_new(loop *l, door *const *doors, view *first);
void egress_free(egress *g);               /* nobody may wait any more; NULL is fine */
void egress_take_view(egress *g, view *v); /* takes over the count */

/* Whose address that is at which port: of a listener, or of a `url:`. NULL: nobody's. */
door *egress_door(const egress *g, span host, uint16_t port);

/* May somebody at `peer` have requests passed on to other hosts? Else *out_why is a text that names
 * the host and what mends it. */
bool egress_may(const view *v, const net_addr *peer, span host, buf *out_why);

/* A look-up, embedded in its owner. */
typedef struct egress_wait {
    /* Once, perhaps before egress_find returns. NULL: there is no such host, or none that this
     * peer may be led to. */
    void (*done)(struct egress_wait *w, const net_addr *a);
    struct egress_wait *next, **link; /* link: NULL when it does not wait */
    char *name;
    uint16_t port;
    bool near; /* asked from this machine */
} egress_wait;

/* w->done is set. */
void egress_find(egress *g, egress_wait *w, const net_addr *peer, span host, uint16_t port);
void egress_cancel(egress_wait *w); /* harmless when it does not wait */

/* connect_policy.c: the judge of CONNECT. */
connect_handler egress_connect_handler(egress *g);
const view *egress_view(const egress *g);

#endif
