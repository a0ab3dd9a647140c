/* A small HTTP service: a table of routes, run until SIGTERM. */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include <stdbool.h>

#include "reply.h"

enum { REQUEST_BODY_MAX = 64 * 1024, CALLER_MAX = 256 };

/* Borrowed for the time of the handler. */
typedef struct request {
    const char *method; /* a HEAD arrives as GET */
    const char *path;   /* as sent, without the query */
    const char *id;     /* what stood for the "*" of the route, or NULL */
    const char *authorization;
    const char *trace; /* X-Cloud-Trace-Context; like the others NULL when absent */
    const char *body;  /* NUL-terminated, never NULL */
    size_t body_size;
    char caller[CALLER_MAX]; /* who Cloud Run says is calling; for the log only */
} request;

typedef reply handler(const request *r, void *context);

typedef struct route {
    const char *method;
    const char *path; /* a last segment of "*" stands for any one segment */
    handler *handle;
} route;

typedef struct service {
    const char *name;
    const route *routes; /* ends with a NULL method */
    void *context;
    bool is_public; /* nobody has judged the callers' headers: believe none of them */
} service;

/* Before anything else in main: signals, libraries, the name in the log. */
void service_start(const char *name);

/* Serves on $HOST:$PORT until SIGTERM or SIGINT; the exit status of the program. */
int service_run(const service *s);

/* The body as a JSON object, or NULL and the 400 to answer. The caller decrefs. */
json_t *request_json(const request *r, reply *out_refusal);

#endif
