/* The topology that `up` runs: the file, plus the addresses that were picked for it, plus what the
 * gateway's APIs changed since (state/). Owns the reservations and the overlay file that the
 * daemons read. */
#ifndef CLI_UP_TOPOLOGY_H
#define CLI_UP_TOPOLOGY_H

#include "base/loop.h"
#include "cli/up_ports.h"
#include "policy/snapshot.h"

typedef struct up_topology up_topology;

typedef struct up_topology_options {
    const char *path;
    const char *dir;       /* private, for the overlay */
    const char *state_dir; /* where the gateway keeps the state; made when missing */
    bool ephemeral;
    /* The state changed, and up_topology_snapshot with it: services came, changed or went. daemons:
     * the overlay is another one than before, so they have to read it again. From the loop. */
    void (*on_change)(void *ctx, bool daemons);
    void *ctx;
} up_topology_options;

/* NULL and *e: the state cannot be read. The options' strings must outlive it. */
up_topology *up_topology_new(loop *l, const up_topology_options *o, error *e);
void up_topology_free(up_topology *t); /* NULL is fine */

/* Takes over what the file now says (loaded without an overlay): reserves, writes the overlay.
 * false, with a line for each problem in *problems, and nothing changed. */
bool up_topology_take(up_topology *t, snapshot *file, buf *problems);

/* With the addresses in force; NULL before the first take. Valid until the next one, or until the
 * state changes. */
const snapshot *up_topology_snapshot(const up_topology *t);
/* Is the service one that the file has? Else an API made it. */
bool up_topology_is_in_file(const up_topology *t, const char *service_name);
const char *up_topology_overlay_path(const up_topology *t);
port_plan *up_topology_ports(const up_topology *t);

#endif
