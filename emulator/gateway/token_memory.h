/* Tokens that were verified before, so that a repeated caller costs a lookup and not a signature
 * check. Bounded; one thread's. Holds identities, never permissions: the policy is asked each time.
 */
#ifndef GATEWAY_TOKEN_MEMORY_H
#define GATEWAY_TOKEN_MEMORY_H

#include "base/span.h"
#include "jose/claims.h"

typedef struct token_memory token_memory;

enum { TOKEN_MEMORY_TOKEN_MAX = 4096 }; /* longer ones are verified each time */

/* Room for about `entries` tokens (rounded up to a power of two). */
token_memory *token_memory_new(size_t entries);
void token_memory_free(token_memory *m); /* NULL is fine */

/* The claims of a remembered token, or NULL; never those of one whose exp has passed. Valid until
 * the next put or clear. */
const claims *token_memory_get(token_memory *m, span token, int64_t now_s);

/* Remembers a verified token and takes over its claims; a token used longer ago makes room. Returns
 * the claims if they were taken, else NULL: they stay the caller's (too long, or without exp). */
const claims *token_memory_put(token_memory *m, span token, claims *c, int64_t now_s);

/* Forgets all: the keys have changed. */
void token_memory_clear(token_memory *m);

size_t token_memory_count(const token_memory *m);

#endif
