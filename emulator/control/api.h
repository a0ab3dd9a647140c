/* Google's APIs on the control listener: what one request of them is, and how it is answered. Each
 * API is a file with a table of routes; api_route.c finds the route, api_auth.c the caller. */
#ifndef CONTROL_API_H
#define CONTROL_API_H

#include <jansson.h>

#include "control/control.h"
#include "http/server.h"
#include "policy/snapshot.h"
#include "state/state.h"

enum { API_PARAMS_MAX = 6, API_BODY_MAX = 4 * 1024 * 1024 };

/* google.rpc.Code, as far as it is used here, with the HTTP status it is sent with. */
typedef enum api_code {
    API_INVALID_ARGUMENT,    /* 400 */
    API_FAILED_PRECONDITION, /* 400 */
    API_UNAUTHENTICATED,     /* 401 */
    API_PERMISSION_DENIED,   /* 403 */
    API_NOT_FOUND,           /* 404 */
    API_METHOD_NOT_ALLOWED,  /* 405, UNIMPLEMENTED: never 501, which clients retry */
    API_ABORTED,             /* 409 */
    API_ALREADY_EXISTS,      /* 409 */
    API_CONDITION_NOT_MET,   /* 412, FAILED_PRECONDITION */
    API_TOO_LARGE,           /* 413, INVALID_ARGUMENT */
    API_RESOURCE_EXHAUSTED,  /* 429 */
    API_INTERNAL,            /* 500: only when we cannot keep a promise (disk full) */
    API_UNAVAILABLE          /* 503: the metadata process does not answer */
} api_code;

typedef struct api_call {
    http_request *request; /* NULL once the client has left */
    const control_backend *backend;
    char *params[API_PARAMS_MAX]; /* what stands for each {} of the pattern, percent-decoded */
    char region[64];              /* before "-run." in the host (regional endpoints); "" */
    json_t *body;                 /* an object; {} when none was sent; borrowed */
    char *caller;                 /* e-mail of whose access token this is; NULL on open routes */
    void *scratch;                /* the handler's own, freed (free) with the call; NULL at first */
} api_call;

typedef void api_handler(api_call *c);

typedef struct api_route {
    const char *method;  /* "GET"; NULL ends a table */
    const char *pattern; /* "/v1/projects/{}/serviceAccounts/{}:disable": {} is one segment, or what
                            stands before the last segment's ":verb"; a last segment ** is whatever
                            follows, nothing too */
    api_handler *serve;
    bool open; /* asks for no access token */
    bool form; /* may be sent a form (application/x-www-form-urlencoded): api_forward alone */
} api_route;

/* ---- the tables, one for each API ---- */
extern const api_route run_v1_routes[], run_v2_routes[], run_iam_routes[], iam_routes[],
    iam_v2_routes[], crm_routes[], service_usage_routes[], artifact_registry_routes[],
    logging_routes[], forwarded_routes[];

/* ---- what a handler may look at; borrowed, valid until the next commit ---- */
const snapshot *api_snapshot(const api_call *c); /* file and state, in force */
const snapshot *api_base(const api_call *c);     /* the file alone */
json_t *api_entry(const api_call *c, const char *collection, const char *key); /* or NULL */
/* Is this the project, by id or number? Else answers (403 as Google does for projects that may not
 * exist) and returns false. "-" is any. */
bool api_project(api_call *c, const char *id_or_number);
/* Appends the query parameter; false when absent. */
bool api_query(const api_call *c, const char *name, buf *out);
/* Microseconds of the wall clock, and as RFC 3339 with microseconds. */
int64_t api_now_us(const api_call *c);

/* ---- exactly one answer, now or later; the call is over afterwards (after the handler returned,
 * if it is still running) ---- */
void api_reply(api_call *c, unsigned status, json_t *body); /* stolen */
void api_fail(api_call *c, api_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* With details (stolen): an array such as [{"@type":"type.googleapis.com/google.rpc.BadRequest",
 * "fieldViolations":[{"field":…,"description":…}]}]. */
void api_fail_with(api_call *c, api_code code, json_t *details, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* One BadRequest field violation: gcloud prints "FIELD: DESCRIPTION". */
void api_fail_field(api_call *c, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* ---- changing ---- */
json_t *api_draft(const api_call *c); /* see state_draft */
/* The draft (stolen) is made durable, published to the workers, taken over by the metadata process;
 * then the answer (stolen) goes out. On failure nothing changed and the answer says so. Replies
 * may come later: the call must not be touched any more. */
void api_commit(api_call *c, json_t *draft, unsigned status, json_t *reply);

/* Lets the metadata process answer (whatever needs a private key or an access token's book). */
void api_forward(api_call *c);

#endif
