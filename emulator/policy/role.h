/* Which predefined roles contain run.routes.invoke (the one permission that Cloud Run checks). */
#ifndef POLICY_ROLE_H
#define POLICY_ROLE_H

#include "base/span.h"

#define PERMISSION_INVOKE "run.routes.invoke"
#define ROLE_INVOKER      "roles/run.invoker"

typedef enum role_verdict { ROLE_UNKNOWN, ROLE_WITHOUT_INVOKE, ROLE_WITH_INVOKE } role_verdict;

/* Custom roles (projects/P/roles/R) are ROLE_UNKNOWN. */
role_verdict role_can_invoke(span role);

/* NULL-terminated names of all roles in the table, for did-you-mean and for the documents. */
const char *const *role_names(void);

#endif
