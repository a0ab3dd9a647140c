/* A listener of one worker: the tag that tells the judge by which way a request came in. */
#ifndef GATEWAY_DOOR_H
#define GATEWAY_DOOR_H

#include "gateway/view.h"
#include "proxy/exchange.h"

/* Lives as long as its worker, even when its listener is closed: open connections carry it. */
typedef struct door {
    struct door *next;
    char *service; /* NULL: the shared ingress, routed by Host */
    net_addr local;
    char server_ip[NET_ADDR_TEXT_MAX];
    proxy *proxy;           /* takes the sockets */
    net_acceptor *acceptor; /* NULL: closed */
    /* The service as the view with this serial has it. */
    uint64_t seen_serial;
    const service *seen;
} door;

/* NULL when the service is gone from the topology; not for the shared ingress. */
static inline const service *door_service(door *d, const view *v)
{
    if (d->seen_serial != v->serial) {
        d->seen = snapshot_find_service(v->snap, span_of(d->service));
        d->seen_serial = v->serial;
    }
    return d->seen;
}

#endif
