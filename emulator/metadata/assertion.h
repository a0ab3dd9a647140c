/* The assertions with which programs log in by a service account's key (RFC 7523; docs: "Using
 * OAuth 2.0 for Server to Server Applications"). Pure. */
#ifndef METADATA_ASSERTION_H
#define METADATA_ASSERTION_H

#include <jansson.h>

#include "base/buf.h"
#include "policy/snapshot.h"

/* What an assertion is held against. */
typedef struct assertion_world {
    const snapshot *snapshot;
    /* The account's "keys" as the state has them (state/state.h); NULL: it has none. */
    const json_t *(*keys)(void *ctx, const account *a);
    void *ctx;
    int64_t now_s;
    const char *hosts; /* as host_allowed has them: this server's own names */
} assertion_world;

/* Zero-initialise; buf_free both. */
typedef struct assertion {
    const account *account;
    buf scopes;   /* as access_scopes writes them; empty: an identity token is wanted */
    buf audience; /* of which */
} assertion;

/* How OAuth answers, and what only the log says; NULL: nothing more. */
typedef struct assertion_fault {
    unsigned status;
    const char *what, *text, *detail;
} assertion_fault;

/* false: *fault says why. */
bool assertion_read(const assertion_world *w, span token, assertion *out, assertion_fault *fault);

#endif
