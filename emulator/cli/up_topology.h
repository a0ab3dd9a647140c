/* The topology that `up` runs: the file, plus the addresses that were picked for it. Owns the
 * reservations and the overlay file that the daemons read. */
#ifndef CLI_UP_TOPOLOGY_H
#define CLI_UP_TOPOLOGY_H

#include "cli/up_ports.h"
#include "policy/snapshot.h"

typedef struct up_topology up_topology;

/* dir: a private folder for the overlay. */
up_topology *up_topology_new(const char *path, bool ephemeral, const char *dir);
void up_topology_free(up_topology *t); /* NULL is fine */

/* Takes over what the file now says (loaded without an overlay): reserves, writes the overlay.
 * false, with a line for each problem in *problems, and nothing changed. */
bool up_topology_take(up_topology *t, snapshot *file, buf *problems);

/* With the addresses in force; NULL before the first take. Valid until the next one. */
const snapshot *up_topology_snapshot(const up_topology *t);
const char *up_topology_overlay_path(const up_topology *t);
port_plan *up_topology_ports(const up_topology *t);

#endif
