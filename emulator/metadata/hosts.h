/* Which Host headers are answered. A browser that was led here by a DNS name under somebody else's
 * control (DNS rebinding) sends that name, so only names that nobody else can own pass. */
#ifndef METADATA_HOSTS_H
#define METADATA_HOSTS_H

#include "base/span.h"

/* The host part of "name:port", "[::1]:port", "name."; false when it is not well-formed. */
bool host_without_port(span host, span *out_name);

/* Google's names for the metadata server, loopback names, IP literals, and `more` (a
 * comma-separated list, nullable). An empty host (HTTP/1.0 without the field) passes: browsers
 * always send one. */
bool host_allowed(span host, const char *more);

#endif
