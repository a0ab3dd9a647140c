/* Looking things up in an overlay of addresses (topology.h). */
#ifndef CONFIG_ADDRESSES_H
#define CONFIG_ADDRESSES_H

#include "config/topology.h"

/* The address, or NULL when the overlay (which may be NULL) says nothing. name "-": a shared
 * listener. */
const char *addresses_get(const addresses *a, const char *name, const char *kind);

#endif
