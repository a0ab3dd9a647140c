/* Whose an access token is, as the metadata process said. Bounded; one thread's. */
#ifndef GATEWAY_KNOWN_TOKENS_H
#define GATEWAY_KNOWN_TOKENS_H

#include <stdint.h>

#include "base/span.h"

typedef struct known_tokens known_tokens;

known_tokens *known_tokens_new(size_t max);
void known_tokens_free(known_tokens *k); /* NULL is fine */

typedef struct token_owner {
    const char *email, *subject; /* subject: the numeric id; "" when the answer had none */
} token_owner;

/* Whose it is, or NULL; valid until the next call. Never of one that has expired. */
const token_owner *known_tokens_get(known_tokens *k, span token, int64_t now_s);
/* Copies the owner. The one that was used longest ago makes room. */
void known_tokens_put(known_tokens *k, span token, const token_owner *owner, int64_t expires_s);
void known_tokens_forget(known_tokens *k, span token);
void known_tokens_clear(known_tokens *k);
size_t known_tokens_count(const known_tokens *k);

#endif
