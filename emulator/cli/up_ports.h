/* The ports of one running topology: kept by bound sockets from before anything starts, so that
 * every busy one is told at once and nobody else gets them while a process restarts. */
#ifndef CLI_UP_PORTS_H
#define CLI_UP_PORTS_H

#include "base/buf.h"
#include "policy/snapshot.h"

typedef struct port_plan port_plan;

/* Reserves what the snapshot (of the file, without overlay, with the state over it) needs and
 * `before` (nullable) does not hold already. With ephemeral, and for port 0, the kernel picks.
 * Services that `file` does not have keep their addresses: the gateway gave them out. NULL when any
 * is missing; *problems then has a line for each, naming the key to change. */
port_plan *port_plan_make(const snapshot *s, const snapshot *file, bool ephemeral,
                          const port_plan *before, buf *problems);
void port_plan_free(port_plan *p); /* NULL is fine */

/* The overlay (config/topology.h, addresses_read): a line for each address that is not the file's.
 */
void port_plan_overlay(const port_plan *p, buf *out);

/* Lets go of a service's upstream port just before its process starts: few programs share ports. */
void port_plan_release(port_plan *p, const char *name);

#endif
