/* What becomes of a service when somebody sends it to the API: checked, filled up, and, when its
 * template is another than before, with one more revision. Pure. */
#ifndef CONTROL_RUN_CHANGE_H
#define CONTROL_RUN_CHANGE_H

#include <jansson.h>

#include "control/api.h"

/* Revisions that an entry keeps; older ones without traffic are forgotten. */
enum { RUN_REVISIONS_MAX = 100 };

typedef struct run_change {
    const snapshot *snapshot; /* in force: accounts, the project */
    const char *name;         /* of the service, from the request's URL or from metadata */
    const json_t *before;     /* its entry; NULL: the service is new */
    const json_t *wanted;     /* the Knative Service as it came in */
    const char *caller;
    int64_t now_us;
    uint64_t random; /* for the revision's suffix and the resource version */
} run_change;

/* Why it was refused, for api_fail_with. */
typedef struct run_refusal {
    api_code code;
    json_t *violations; /* of API_INVALID_ARGUMENT: the caller releases it; else NULL */
    char text[512];
} run_refusal;

/* The new entry, without "over" and addresses; the caller owns it. NULL: see *out. */
json_t *run_change_entry(const run_change *c, run_refusal *out);

/* [{"@type":BadRequest,"fieldViolations":violations}]; violations is stolen. */
json_t *run_bad_request(json_t *violations);

#endif
