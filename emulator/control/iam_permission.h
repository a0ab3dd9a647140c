/* Permissions as roles name them: "run.routes.invoke". Private to iam_*.c. */
#ifndef CONTROL_IAM_PERMISSION_H
#define CONTROL_IAM_PERMISSION_H

#include <jansson.h>
#include <stdbool.h>

/* SERVICE.RESOURCE.VERB, without wildcards. */
bool iam_permission_is_sound(const json_t *p);

#endif
