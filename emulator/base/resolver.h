/* Host names to addresses without blocking the loop: a helper thread asks the system's resolver. */
#ifndef BASE_RESOLVER_H
#define BASE_RESOLVER_H

#include "base/loop.h"
#include "base/net.h"

enum { RESOLVED_MAX = 16 }; /* addresses kept per name */

typedef struct resolver resolver;

/* on_result runs on the loop's thread; count 0: the name is unknown (for now). */
typedef void (*resolver_fn)(void *ctx, const char *name, const net_addr *addresses, size_t count);

resolver *resolver_open(loop *l, resolver_fn on_result, void *ctx, error *e);

/* A look-up that is under way is not waited for; its result is dropped. */
void resolver_close(resolver *r);

/* Starts a look-up; the thread is made with the first one. false: too many are under way. */
bool resolver_ask(resolver *r, const char *name);

#endif
