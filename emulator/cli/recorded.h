/* One decision as the gateway tells it (an item of GET /invoker/v1/decisions, a line of a
 * recording), as a struct. */
#ifndef CLI_RECORDED_H
#define CLI_RECORDED_H

#include <jansson.h>

#include "decision/decide.h"

/* What the decision was made from, but for the topology. */
typedef struct recorded_facts {
    bool by_run_app_host, internal, reserved_path;
    token_header header;
    token_state token;
    claims *claims; /* NULL: there were none */
} recorded_facts;

/* Texts are views of the JSON value, "" where it has none. */
typedef struct recorded {
    const char *id, *service, *method, *path, *host, *caller, *explanation, *fix;
    int64_t time_us;
    unsigned status;
    bool decided; /* false: it was never judged, and there is no reason */
    bool allowed;
    bool enforced; /* false: refused, but audit mode let it pass */
    reason reason;
    bool has_facts;
    recorded_facts facts;
} recorded;

/* false and *e: it is no decision, or one of another version with words that are not known here. */
bool recorded_read(const json_t *json, recorded *out, error *e);
void recorded_free(recorded *r);

#endif
