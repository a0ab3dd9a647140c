/* Long-running operations of the Cloud Run Admin API, all of which are done when they begin. Their
 * names tell which service in which version they made, so that nothing needs to be kept of them. */
#ifndef CONTROL_RUN_OPS_H
#define CONTROL_RUN_OPS_H

#include "control/run_store.h"

/* google.longrunning.Operation with this response (stolen), of a type such as V2_SERVICE_TYPE. */
json_t *run_operation(const run_subject *s, const char *type, json_t *response);

/* For run_v2_routes. */
void run_ops_list(api_call *c);
void run_ops_get(api_call *c); /* wait too */
void run_ops_delete(api_call *c);
/* For run_v1_routes: the response is a Knative Service. */
void run_ops_wait_v1(api_call *c);

#endif
