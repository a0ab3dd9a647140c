/* Which handler a request goes to. */
#ifndef COMMON_ROUTE_H
#define COMMON_ROUTE_H

#include "service.h"

/* Sets r->id and returns the route; else NULL and the 404 or 405 to answer. */
const route *route_find(const route *routes, request *r, reply *out_refusal);

#endif
