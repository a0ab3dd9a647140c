/* Where each service's own process listens: what was attached while running (`invoker run`, the
 * control listener), else what the topology says. Main thread only. */
#ifndef GATEWAY_UPSTREAMS_H
#define GATEWAY_UPSTREAMS_H

#include "gateway/names.h"
#include "policy/snapshot.h"

typedef struct upstreams upstreams;

upstreams *upstreams_new(host_names *r);
void upstreams_free(upstreams *u); /* NULL is fine */

/* Wins over the topology until detached; replaces an earlier one. */
void upstreams_attach(upstreams *u, span name, const net_addr *a);
/* false when nothing was attached. */
bool upstreams_detach(upstreams *u, span name);

typedef enum upstream_kind { UPSTREAM_NONE, UPSTREAM_TOPOLOGY, UPSTREAM_ATTACHED } upstream_kind;

/* *out is written unless it is UPSTREAM_NONE (nothing stated, or a name not resolved yet). */
upstream_kind upstreams_find(const upstreams *u, const service *s, net_addr *out);

#endif
