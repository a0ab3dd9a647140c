/* Who is calling, told by the address a request comes from: the `addresses:` of the services
 * (addresses, CIDRs, host names). What is written as numbers goes before names, the narrowest
 * first. */
#ifndef METADATA_CALLERS_H
#define METADATA_CALLERS_H

#include "base/resolver.h"
#include "policy/snapshot.h"

enum {
    CALLERS_TTL_US = 10 * 1000000,    /* an answer of the name service is believed this long */
    CALLERS_RETRY_US = 2 * 1000000,   /* an unknown name is asked for again after this */
    CALLERS_PATIENCE_US = 2500 * 1000 /* how long a request waits for a look-up */
};

typedef enum caller_match {
    CALLER_KNOWN,
    CALLER_UNMAPPED, /* the project's default account answers */
    CALLER_UNSURE    /* a name must be looked up first; on_news will tell */
} caller_match;

typedef struct callers callers;

/* on_news(ctx): ask again for who was unsure. */
callers *callers_open(loop *l, void (*on_news)(void *ctx), void *ctx, error *e);
void callers_close(callers *c);

/* From now on by this snapshot, which the caller keeps alive. Names keep what is known of them. */
void callers_use(callers *c, const snapshot *s);

caller_match callers_find(callers *c, const net_addr *peer, const service **out);

#endif
