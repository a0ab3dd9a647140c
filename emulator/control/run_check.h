/* What a Cloud Run Service has to look like to be taken. Every problem is found in one go, each as
 * one field violation of google.rpc.BadRequest, which gcloud prints as "FIELD: DESCRIPTION". Pure:
 * what depends on other things (accounts, revisions, the region) is looked at elsewhere. */
#ifndef CONTROL_RUN_CHECK_H
#define CONTROL_RUN_CHECK_H

#include <jansson.h>

#include "policy/snapshot.h"

/* Appends {"field":…,"description":…}; a list that is long already stays as it is. */
void run_violation(json_t *list, const char *field, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A Knative v1 Service as it came in; nulls count as absent. */
void run_check_service(json_t *list, const json_t *doc, const project *p);

/* Its spec.template.spec; the part of the above that concerns containers. */
void run_check_template_spec(json_t *list, const json_t *spec);

/* ---- for the two of them ---- */
/* The member `name` of o, which stands at the path `at`: NULL when absent, or reported, when it is
 * of another type. JSON_TRUE stands for both booleans. */
json_t *run_check_member(json_t *list, const json_t *o, const char *at, const char *name,
                         json_type type);
/* The same for a whole number within a range; false when there is none. */
bool run_check_number(json_t *list, const json_t *o, const char *at, const char *name, int64_t min,
                      int64_t max);

#endif
