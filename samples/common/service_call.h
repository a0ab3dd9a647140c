/* Calls another Cloud Run service with this service's own ID token. */
#ifndef COMMON_SERVICE_CALL_H
#define COMMON_SERVICE_CALL_H

#include "fetch.h"

typedef struct service_call {
    const char *url;    /* the called service's base URL, which is the token's audience too */
    const char *path;   /* starts with a slash */
    const char *method; /* NULL: GET */
    const char *body;   /* JSON; NULL for none */
    size_t body_size;
    /* The end user's own Authorization value, or NULL. With it the two-header pattern applies: the
     * user's stays in Authorization for the called program, the service's goes into
     * X-Serverless-Authorization, which Cloud Run prefers when it decides. */
    const char *user_authorization;
    const char *trace; /* the incoming X-Cloud-Trace-Context, passed on; NULL for none */
} service_call;

/* True whatever the status is, once the whole answer is there; false when there was no token or no
 * answer. A 401 with a kept token is tried once more with a fresh one. */
bool call_service(const service_call *call, answer *out_answer, problem *p);

#endif
