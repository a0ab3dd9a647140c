/* The environment of a service's process: what Cloud Run sets and where each client library looks
 * for the metadata server. Shared by `up`, `run` and `env`. */
#ifndef CLI_UP_ENV_H
#define CLI_UP_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "policy/snapshot.h"

/* A growing NULL-terminated list of "NAME=VALUE". */
typedef struct envlist {
    char **items;
    size_t count, cap;
} envlist;

void envlist_free(envlist *l);
void envlist_inherit(envlist *l, char *const *from); /* adds; NULL is fine */
const char *envlist_get(const envlist *l, const char *name);
/* value NULL: takes the variable out. */
void envlist_set(envlist *l, const char *name, const char *value);
bool envlist_equal(const envlist *a, const envlist *b);

/* One variable of a service, with what it is for. */
typedef struct service_var {
    const char *name;
    char *value;      /* NULL: must not be set */
    const char *note; /* which client reads it, what for */
    bool shell_only;  /* for people's own shells (gcloud), not part of what Cloud Run sets */
} service_var;

typedef struct service_vars {
    service_var *items;
    size_t count, cap;
} service_vars;

/* What clients trust our servers by; absolute paths. */
typedef struct trust_files {
    char *certificate; /* the local authority's alone */
    char *bundle;      /* with the system's roots */
} trust_files;

/* port: where it shall listen; NULL: its upstream's, or none. trust NULL: there is no authority. */
service_vars service_vars_make(const snapshot *s, const service *svc, const char *port,
                               const trust_files *trust);
void service_vars_free(service_vars *v);

/* value NULL: must not be set. The first of a name stays: what comes later is left out. */
void service_vars_add(service_vars *v, const char *name, const char *value, const char *note);
const service_var *service_vars_find(const service_vars *v, const char *name);

/* Puts them into an environment (all but the shell_only ones). */
void service_vars_apply(const service_vars *v, envlist *l);

/* "backend-api", "URL" → "BACKEND_API_URL": how the environment names what is a service's. */
void env_variable(buf *out, const char *name, const char *what);

/* For a client of all services: BACKEND_API_URL for each, INVOKER_CONTROL, INVOKER_INGRESS,
 * INVOKER_METADATA, and whom to trust and which proxy to use. */
void envlist_add_urls(envlist *l, const snapshot *s, const trust_files *trust);

/* "HOST:PORT" at which a listener answers local callers: 0.0.0.0 and [::] become loopback; caller
 * frees. NULL when address is NULL. */
char *reachable_address(const char *address);

#endif
