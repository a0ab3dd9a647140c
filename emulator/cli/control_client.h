/* A few calls to the control listener of a running gateway (blocking; for commands, not daemons).
 */
#ifndef CLI_CONTROL_CLIENT_H
#define CLI_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "policy/snapshot.h"

typedef struct control_reply {
    unsigned status;
    char *body; /* NUL-terminated; caller frees */
    size_t n;
} control_reply;

typedef struct control_request {
    const char *method, *path;
    const char *body;   /* NULL: none */
    const char *type;   /* of the body; NULL: JSON */
    const char *bearer; /* an access token; NULL: none */
} control_request;

/* control: "HOST:PORT" or "http://HOST:PORT". false when no answer was got, whatever the status of
 * an answer. */
bool control_send(const char *control, const control_request *r, control_reply *out, error *e);

/* control_send with a JSON body (NULL: none) and no token. */
bool control_call(const char *control, const char *method, const char *path, const char *body,
                  control_reply *out, error *e);

/* What GET /invoker/v1/decisions?QUERY lists, the newest first: an array, the caller's. NULL and
 * *e.
 */
json_t *control_decisions(const char *control, const char *query, error *e);

/* Sends requests for a service to "HOST:PORT" from now on / no longer. */
bool control_attach(const char *control, const char *name, const char *address, error *e);
bool control_detach(const char *control, const char *name, error *e);

/* Whether requests for the service go to this address now; false too when nobody answers. */
bool control_is_attached(const char *control, const char *name, const char *address);

/* The control listener to use: the option's value, else $INVOKER_CONTROL, else the topology's.
 * *out_asked: one of the first two. Caller frees; NULL when there is none. */
char *control_address(const char *option, const snapshot *s, bool *out_asked);

/* The same for a command that asks nothing but the gateway: the topology is read only when neither
 * says where it is. NULL after a message. Caller frees. */
char *control_required(const char *command, const char *option, const char *config);

/* What project, and in what region, the running gateway serves. The caller frees both texts. */
bool control_project(const char *control, char **out_id, char **out_region, error *e);

/* The topology as the running gateway has it: with the addresses that it reports, and with what its
 * APIs changed. NULL and *e when it does not answer or the file is not valid with them. The caller
 * holds one count. */
snapshot *control_load(const char *control, const char *config_path, error *e);

/* What the APIs changed, laid over the file's; NULL and *e when the gateway does not tell. The
 * caller holds one count. */
snapshot *control_merge(const char *control, snapshot *base, error *e);

/* control_load by control_address, for a name that the file (s) does not have; s where there is no
 * such gateway. The caller's count on s becomes one on the result. */
snapshot *control_load_instead(const char *option, const char *config_path, snapshot *s);

#endif
