/* Reads what an ID token says. Nothing here verifies a signature: Cloud Run has judged an incoming
 * token before the container sees it (and removed its signature), and an outgoing one is judged by
 * the service that receives it. */
#ifndef COMMON_JWT_H
#define COMMON_JWT_H

#include <jansson.h>
#include <stddef.h>

enum { JWT_SIZE_MAX = 16 * 1024 };

/* The payload of a compact token, or NULL when it is not one. The caller decrefs. */
json_t *jwt_payload(const char *token);

/* Behind "Bearer " of an Authorization value (the scheme in any case), or NULL. */
const char *bearer_token(const char *authorization);

/* Writes the e-mail address in the token of an Authorization value, for the log only; what is no
 * such token gives "unknown", no header at all "anonymous". */
void caller_email(const char *authorization, char *out, size_t out_size);

#endif
