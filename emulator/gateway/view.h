/* Everything a worker needs to judge and route, as one immutable, counted value: the topology's
 * snapshot, the verification keys, where the upstreams are. The main thread makes a new one for
 * each change and posts it; a worker swaps its own pointer between two events. */
#ifndef GATEWAY_VIEW_H
#define GATEWAY_VIEW_H

#include <stdatomic.h>

#include "base/net.h"
#include "gateway/capacity.h"
#include "gateway/upstreams.h"
#include "jose/jwks.h"
#include "policy/snapshot.h"

enum { INSTANCE_ID_LEN = 64 };

typedef struct view_service {
    upstream_kind kind;
    net_addr upstream;  /* unless kind is UPSTREAM_NONE */
    capacity *capacity; /* NULL: no limit */
    char instance_id[INSTANCE_ID_LEN + 1];
    char *log_resource; /* the log entry's resource object: the same for each request */
    size_t log_resource_n;
} view_service;

typedef struct view {
    atomic_uint refs;
    uint64_t serial; /* no two views of a process have the same */
    snapshot *snap;
    jwks *keys;              /* NULL: none yet */
    uint64_t keys_attempt;   /* counts the attempts to fetch them, failed ones too */
    int64_t keys_attempt_us; /* monotonic time of the last attempt's end */
    view_service *services;  /* by service index */
    net_cidr *internal;
    size_t internal_count;
} view;

typedef struct view_parts {
    uint64_t serial;
    snapshot *snap; /* counted by the view itself, as are the keys */
    jwks *keys;
    uint64_t keys_attempt;
    int64_t keys_attempt_us;
    const upstreams *upstreams;
    const view *before; /* the one that this replaces: requests in flight count on; nullable */
} view_parts;

/* The caller holds one count. */
view *view_new(const view_parts *p);
view *view_ref(view *v);
void view_unref(view *v); /* NULL is fine; any thread */

/* Does a request from this peer count as internal traffic (ingress: internal)? In production that
 * is what arrives from the project's VPC. Here the VPC is the literal addresses and CIDRs under the
 * services' addresses: keys; everything else, this machine's own loopback included, is the
 * internet. */
bool view_is_internal(const view *v, const net_addr *peer);

#endif
