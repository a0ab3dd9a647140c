/* The predefined roles that are described here: those of Cloud Run, those for service accounts, the
 * basic ones ("IAM basic and predefined roles reference"). Pure data. */
#ifndef CONTROL_IAM_ROLE_TABLE_H
#define CONTROL_IAM_ROLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

typedef struct iam_role {
    const char *name;        /* "roles/run.invoker" */
    const char *title;       /* "Cloud Run Invoker" */
    const char *description; /* "Can invoke …" */
    /* Separated by blanks, in order. Complete for the roles that grant invoking and impersonation
     * alone; of the wider ones what concerns Cloud Run and service accounts. */
    const char *permissions;
} iam_role;

size_t iam_role_count(void);
const iam_role *iam_role_at(size_t i);
const iam_role *iam_role_find(span name); /* NULL: not described */

/* Every permission that a role above contains, sorted, each once; NULL-terminated. */
char **iam_permissions(void);
void iam_permissions_free(char **list);

#endif
