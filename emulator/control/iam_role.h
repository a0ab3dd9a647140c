/* Roles as IAM v1 shows them. Private to iam_*.c. */
#ifndef CONTROL_IAM_ROLE_H
#define CONTROL_IAM_ROLE_H

#include "control/api.h"

enum { ROLE_NAME_MAX = 256 };

/* "projects/P/roles/R" of the path (params 0 and 1). false: answered, another project. */
bool iam_role_name(api_call *c, char out[ROLE_NAME_MAX]);

/* The custom role, from the state or from the topology's file: a new object, with its etag and
 * permissions; NULL: there is none. */
json_t *iam_role_custom(const api_call *c, const char *name);

/* A role as the state keeps it, with the etag that follows from it; a new reference. */
json_t *iam_role_shown(const json_t *role);

#endif
