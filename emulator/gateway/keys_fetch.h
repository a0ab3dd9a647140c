/* The public keys: fetched from the metadata process (or read from a file), kept as long as its
 * Cache-Control says, fetched again when a token names an unknown one. Main thread only. The
 * gateway never opens a private key. */
#ifndef GATEWAY_KEYS_FETCH_H
#define GATEWAY_KEYS_FETCH_H

#include "gateway/names.h"
#include "jose/jwks.h"
#include "proxy/exchange.h"

typedef struct keys_fetch keys_fetch;

typedef struct keys_fetch_options {
    loop *loop;
    proxy *proxy;
    host_names *names;
    /* An attempt is over: keys are the callee's, or NULL when it failed (the former ones stay). */
    void (*on_attempt)(void *ctx, jwks *keys);
    void *ctx;
} keys_fetch_options;

keys_fetch *keys_fetch_new(const keys_fetch_options *o);
void keys_fetch_free(keys_fetch *f); /* NULL is fine */

/* A file's name, or http://HOST:PORT/PATH; starts the first attempt at once. The same source as
 * before changes nothing. false and *e when it is neither. */
bool keys_fetch_source(keys_fetch *f, const char *source, error *e);

/* A token names a key that is not here: an attempt, unless one was made just now. */
void keys_fetch_ask(keys_fetch *f);

/* An attempt in any case (SIGHUP). */
void keys_fetch_now(keys_fetch *f);

/* max-age of a Cache-Control value in seconds, or fallback; no-store and no-cache count as 0. */
int64_t cache_control_max_age(span value, int64_t fallback);

#endif
