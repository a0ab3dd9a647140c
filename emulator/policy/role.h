/* What predefined roles contain of the permissions that are looked at here: run.routes.invoke, the
 * one that Cloud Run checks, and those for acting as a service account. */
#ifndef POLICY_ROLE_H
#define POLICY_ROLE_H

#include "base/span.h"

#define PERMISSION_INVOKE              "run.routes.invoke"
#define PERMISSION_ACCESS_TOKEN        "iam.serviceAccounts.getAccessToken"
#define PERMISSION_ID_TOKEN            "iam.serviceAccounts.getOpenIdToken"
#define PERMISSION_IMPLICIT_DELEGATION "iam.serviceAccounts.implicitDelegation"
#define PERMISSION_SIGN_BLOB           "iam.serviceAccounts.signBlob"
#define PERMISSION_SIGN_JWT            "iam.serviceAccounts.signJwt"
#define ROLE_INVOKER                   "roles/run.invoker"

typedef enum role_verdict { ROLE_UNKNOWN, ROLE_WITHOUT_INVOKE, ROLE_WITH_INVOKE } role_verdict;

/* Custom roles (projects/P/roles/R) are ROLE_UNKNOWN. */
role_verdict role_can_invoke(span role);

/* Those of the role's permissions that are looked at here, NULL-terminated; NULL: no such role. */
const char *const *role_permissions(span role);

/* NULL-terminated names of all roles in the table, for did-you-mean and for the documents. */
const char *const *role_names(void);

#endif
