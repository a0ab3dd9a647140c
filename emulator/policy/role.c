/* The predefined roles by name, as published in Google's role reference: the ones that contain
 * run.routes.invoke or let one act as a service account, and those that people take for such. */
#include "policy/role.h"

#include <stdlib.h>

#include "base/attr.h"

#define ROLES(X)                                                                                   \
    X(ROLE_WITH_INVOKE, "roles/run.invoker")                                                       \
    X(ROLE_WITH_INVOKE, "roles/run.servicesInvoker")                                               \
    X(ROLE_WITH_INVOKE, "roles/run.admin")                                                         \
    X(ROLE_WITH_INVOKE, "roles/run.developer")                                                     \
    X(ROLE_WITH_INVOKE, "roles/run.editor")                                                        \
    X(ROLE_WITH_INVOKE, "roles/run.sourceDeveloper")                                               \
    X(ROLE_WITH_INVOKE, "roles/owner")                                                             \
    X(ROLE_WITH_INVOKE, "roles/editor")                                                            \
    X(ROLE_WITH_INVOKE, "roles/cloudfunctions.admin")                                              \
    X(ROLE_WITH_INVOKE, "roles/cloudfunctions.developer")                                          \
    X(ROLE_WITH_INVOKE, "roles/cloudfunctions.editor")                                             \
    X(ROLE_WITH_INVOKE, "roles/firebase.admin")                                                    \
    X(ROLE_WITH_INVOKE, "roles/firebase.developAdmin")                                             \
    X(ROLE_WITH_INVOKE, "roles/iam.devOps")                                                        \
    X(ROLE_WITH_INVOKE, "roles/iam.mlEngineer")                                                    \
    X(ROLE_WITH_INVOKE, "roles/iam.dataScientist")                                                 \
    X(ROLE_WITH_INVOKE, "roles/run.serviceAgent")                                                  \
    X(ROLE_WITH_INVOKE, "roles/cloudfunctions.serviceAgent")                                       \
    X(ROLE_WITH_INVOKE, "roles/aiplatform.serviceAgent")                                           \
    X(ROLE_WITH_INVOKE, "roles/dialogflow.serviceAgent")                                           \
    X(ROLE_WITH_INVOKE, "roles/integrations.serviceAgent")                                         \
    X(ROLE_WITH_INVOKE, "roles/firebaseapphosting.serviceAgent")                                   \
    X(ROLE_WITH_INVOKE, "roles/firebasedataconnect.serviceAgent")                                  \
    X(ROLE_WITH_INVOKE, "roles/spanner.serviceAgent")                                              \
    X(ROLE_WITH_INVOKE, "roles/ces.serviceAgent")                                                  \
    X(ROLE_WITH_INVOKE, "roles/visionai.serviceAgent")                                             \
    X(ROLE_WITH_INVOKE, "roles/monitoring.notificationServiceAgent")                               \
    X(ROLE_WITHOUT_INVOKE, "roles/viewer")                                                         \
    X(ROLE_WITHOUT_INVOKE, "roles/browser")                                                        \
    X(ROLE_WITHOUT_INVOKE, "roles/run.viewer")                                                     \
    X(ROLE_WITHOUT_INVOKE, "roles/run.builder")                                                    \
    X(ROLE_WITHOUT_INVOKE, "roles/run.jobsExecutor")                                               \
    X(ROLE_WITHOUT_INVOKE, "roles/run.jobsExecutorWithOverrides")                                  \
    X(ROLE_WITHOUT_INVOKE, "roles/cloudfunctions.invoker")                                         \
    X(ROLE_WITHOUT_INVOKE, "roles/cloudfunctions.viewer")                                          \
    X(ROLE_WITHOUT_INVOKE, "roles/iam.serviceAccountUser")                                         \
    X(ROLE_WITHOUT_INVOKE, "roles/iam.serviceAccountTokenCreator")                                 \
    X(ROLE_WITHOUT_INVOKE, "roles/iam.serviceAccountOpenIdTokenCreator")                           \
    X(ROLE_WITHOUT_INVOKE, "roles/iam.workloadIdentityUser")                                       \
    X(ROLE_WITHOUT_INVOKE, "roles/iam.serviceAccountAdmin")                                        \
    X(ROLE_WITHOUT_INVOKE, "roles/iam.serviceAccountKeyAdmin")                                     \
    X(ROLE_WITHOUT_INVOKE, "roles/iam.securityAdmin")

role_verdict role_can_invoke(span role)
{
    static const struct {
        role_verdict verdict;
        span name;
    } table[] = {
#define X(verdict, name) {verdict, {name, sizeof(name) - 1}},
        ROLES(X)
#undef X
    };
    for (size_t i = 0; i < countof(table); i++) {
        if (span_eq(role, table[i].name))
            return table[i].verdict;
    }
    return ROLE_UNKNOWN;
}

const char *const *role_permissions(span role)
{
    static const char *const invoke[] = {PERMISSION_INVOKE, NULL}, *const nothing[] = {NULL};
    static const char *const tokens[] = {
        PERMISSION_ACCESS_TOKEN, PERMISSION_ID_TOKEN, PERMISSION_IMPLICIT_DELEGATION,
        PERMISSION_SIGN_BLOB,    PERMISSION_SIGN_JWT, NULL};
    static const char *const id_token[] = {PERMISSION_ID_TOKEN, NULL};
    static const char *const workload[] = {PERMISSION_ACCESS_TOKEN, PERMISSION_ID_TOKEN, NULL};
    if (span_eq_str(role, "roles/iam.serviceAccountTokenCreator"))
        return tokens;
    if (span_eq_str(role, "roles/iam.serviceAccountOpenIdTokenCreator"))
        return id_token;
    if (span_eq_str(role, "roles/iam.workloadIdentityUser"))
        return workload;
    switch (role_can_invoke(role)) {
    case ROLE_WITH_INVOKE:
        return invoke;
    case ROLE_WITHOUT_INVOKE:
        return nothing;
    case ROLE_UNKNOWN:
        return NULL;
    }
    abort();
}

const char *const *role_names(void)
{
    static const char *const names[] = {
#define X(verdict, name) name,
        ROLES(X)
#undef X
            NULL};
    return names;
}
