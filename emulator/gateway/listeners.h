/* The gateway's listening addresses: one for each service and the shared ingress, each opened once
 * per worker. Follows the topology on reload. Main thread only. */
#ifndef GATEWAY_LISTENERS_H
#define GATEWAY_LISTENERS_H

#include "gateway/worker.h"

typedef struct listeners listeners;

/* reserved: somebody (`invoker up`) holds the ports for us, so they look taken and are not. */
listeners *listeners_new(worker *const *workers, size_t count, bool reserved);
void listeners_free(listeners *l); /* NULL is fine; the workers close their sockets */

/* Opens what is new, closes what is gone. strict: stops at the first address that cannot be had
 * (start-up); else such addresses are logged and left out. */
bool listeners_follow(listeners *l, const snapshot *s, bool strict, error *e);

/* The address where a service (NULL: the ingress) can be reached; NULL: not open. */
const net_addr *listeners_find(const listeners *l, const char *service);

/* Finds out whether an address is taken by somebody else; the message names the topology's key. */
bool listeners_probe(const net_addr *a, const char *key, const char *file, error *e);

#endif
