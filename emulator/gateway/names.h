/* Host names of upstreams (containers) become addresses without ever blocking the loop: what is
 * known is answered at once, and looked up again every few seconds. One loop's thread. */
#ifndef GATEWAY_NAMES_H
#define GATEWAY_NAMES_H

#include "base/loop.h"
#include "base/net.h"
#include "base/span.h"

typedef struct host_names host_names;

/* on_change(ctx) is called on the loop's thread when a name got another address. Never NULL. */
host_names *host_names_open(loop *l, void (*on_change)(void *ctx), void *ctx);
void host_names_close(host_names *n); /* NULL is fine */

/* "127.0.0.1:9081" at once; "backend-app:9081" as last resolved, or false until it is known. Names
 * are looked up again every few seconds, as containers come and go. */
bool host_names_find(host_names *n, span text, net_addr *out);

#endif
