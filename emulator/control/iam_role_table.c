/* The table of predefined roles. */
#include "control/iam_role_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

#define PROJECT_READ " resourcemanager.projects.get resourcemanager.projects.list"
#define RUN_READ                                                                                   \
    "run.configurations.get run.configurations.list run.executions.get run.executions.list "       \
    "run.jobs.get run.jobs.getIamPolicy run.jobs.list run.locations.list run.operations.get "      \
    "run.operations.list run.revisions.get run.revisions.list run.routes.get run.routes.list "     \
    "run.services.get run.services.getIamPolicy run.services.list run.tasks.get run.tasks.list"
#define RUN_DEVELOP                                                                                \
    RUN_READ " run.executions.cancel run.executions.delete run.jobs.create run.jobs.delete "       \
             "run.jobs.run run.jobs.runWithOverrides run.jobs.update run.operations.delete "       \
             "run.revisions.delete run.routes.invoke run.services.create run.services.delete "     \
             "run.services.update"
#define RUN_ADMIN RUN_DEVELOP " run.jobs.setIamPolicy run.services.setIamPolicy"
#define ACCOUNT_READ                                                                               \
    "iam.serviceAccounts.get iam.serviceAccounts.getIamPolicy iam.serviceAccounts.list"
#define ACCOUNT_WRITE                                                                              \
    ACCOUNT_READ " iam.serviceAccounts.create iam.serviceAccounts.delete "                         \
                 "iam.serviceAccounts.disable iam.serviceAccounts.enable "                         \
                 "iam.serviceAccounts.setIamPolicy iam.serviceAccounts.undelete "                  \
                 "iam.serviceAccounts.update"
#define KEY_READ "iam.serviceAccountKeys.get iam.serviceAccountKeys.list"
#define KEY_WRITE                                                                                  \
    KEY_READ " iam.serviceAccountKeys.create iam.serviceAccountKeys.delete "                       \
             "iam.serviceAccountKeys.disable iam.serviceAccountKeys.enable"
#define ROLE_READ "iam.roles.get iam.roles.list"
#define ROLE_WRITE                                                                                 \
    ROLE_READ " iam.roles.create iam.roles.delete iam.roles.undelete iam.roles.update"
#define ACCOUNT_ACT "iam.serviceAccounts.actAs"

static const iam_role roles[] = {
    {"roles/browser", "Browser", "Access to browse GCP resources.",
     "resourcemanager.projects.get resourcemanager.projects.getIamPolicy "
     "resourcemanager.projects.list"},
    {"roles/editor", "Editor", "View, create, update, and delete most Google Cloud resources.",
     RUN_DEVELOP " " ACCOUNT_READ " " ACCOUNT_ACT " " KEY_READ " " ROLE_READ PROJECT_READ},
    {"roles/iam.denyAdmin", "Deny Admin",
     "Deny admin role, with permissions to read and modify "
     "deny policies",
     "iam.denypolicies.create iam.denypolicies.delete iam.denypolicies.get iam.denypolicies.list "
     "iam.denypolicies.update"},
    {"roles/iam.denyReviewer", "Deny Reviewer",
     "Deny Reviewer role, with permissions to read deny policies",
     "iam.denypolicies.get iam.denypolicies.list"},
    {"roles/iam.roleAdmin", "Role Administrator",
     "Provides access to all custom roles in the project.", ROLE_WRITE PROJECT_READ},
    {"roles/iam.roleViewer", "Role Viewer",
     "Provides read access to all custom roles in the project.", ROLE_READ PROJECT_READ},
    {"roles/iam.securityAdmin", "Security Admin",
     "Security admin role, with permissions to get and set any IAM policy.",
     "iam.serviceAccounts.getIamPolicy iam.serviceAccounts.list iam.serviceAccounts.setIamPolicy "
     "resourcemanager.projects.getIamPolicy resourcemanager.projects.setIamPolicy "
     "run.services.getIamPolicy run.services.list run.services.setIamPolicy"},
    {"roles/iam.securityReviewer", "Security Reviewer",
     "Provides permissions to list all resources and allow policies on them.",
     "iam.roles.list iam.serviceAccounts.getIamPolicy iam.serviceAccounts.list "
     "resourcemanager.projects.getIamPolicy resourcemanager.projects.list "
     "run.services.getIamPolicy run.services.list"},
    {"roles/iam.serviceAccountAdmin", "Service Account Admin",
     "Create and manage service accounts.", ACCOUNT_WRITE PROJECT_READ},
    {"roles/iam.serviceAccountCreator", "Create Service Accounts",
     "Access to create service accounts.",
     "iam.serviceAccounts.create iam.serviceAccounts.get iam.serviceAccounts.list" PROJECT_READ},
    {"roles/iam.serviceAccountDeleter", "Delete Service Accounts",
     "Access to delete service accounts.",
     "iam.serviceAccounts.delete iam.serviceAccounts.get iam.serviceAccounts.list" PROJECT_READ},
    {"roles/iam.serviceAccountKeyAdmin", "Service Account Key Admin",
     "Create and manage (and rotate) service account keys.",
     KEY_WRITE " iam.serviceAccounts.get iam.serviceAccounts.list" PROJECT_READ},
    {"roles/iam.serviceAccountOpenIdTokenCreator",
     "Service Account OpenID Connect Identity Token Creator",
     "Create OpenID Connect (OIDC) identity tokens", "iam.serviceAccounts.getOpenIdToken"},
    {"roles/iam.serviceAccountTokenCreator", "Service Account Token Creator",
     "Impersonate service accounts (create OAuth2 access tokens, sign blobs or JWTs, etc).",
     "iam.serviceAccounts.get iam.serviceAccounts.getAccessToken "
     "iam.serviceAccounts.getOpenIdToken iam.serviceAccounts.implicitDelegation "
     "iam.serviceAccounts.list iam.serviceAccounts.signBlob iam.serviceAccounts.signJwt"},
    {"roles/iam.serviceAccountUser", "Service Account User",
     "Run operations as the service account.",
     "iam.serviceAccounts.actAs iam.serviceAccounts.get iam.serviceAccounts.list" PROJECT_READ},
    {"roles/iam.serviceAccountViewer", "View Service Accounts",
     "Read access to service accounts, metadata, and keys.",
     KEY_READ " " ACCOUNT_READ PROJECT_READ},
    {"roles/iam.workloadIdentityUser", "Workload Identity User",
     "Impersonate service accounts from federated workloads",
     "iam.serviceAccounts.get iam.serviceAccounts.getAccessToken "
     "iam.serviceAccounts.getOpenIdToken iam.serviceAccounts.list"},
    {"roles/owner", "Owner", "Full access to most Google Cloud resources.",
     RUN_ADMIN " " ACCOUNT_WRITE " " ACCOUNT_ACT " " KEY_WRITE " " ROLE_WRITE PROJECT_READ
               " resourcemanager.projects.getIamPolicy resourcemanager.projects.setIamPolicy"},
    {"roles/run.admin", "Cloud Run Admin", "Full control over all Cloud Run resources.",
     RUN_ADMIN PROJECT_READ},
    {"roles/run.builder", "Cloud Run Builder",
     "Can build Cloud Run functions and source deployed "
     "services.",
     "artifactregistry.repositories.downloadArtifacts "
     "artifactregistry.repositories.uploadArtifacts logging.logEntries.create "
     "storage.objects.get storage.objects.list"},
    {"roles/run.developer", "Cloud Run Developer",
     "Read and write access to all Cloud Run resources.", RUN_DEVELOP PROJECT_READ},
    {"roles/run.editor", "Cloud Run Editor", "Can edit all Cloud Run resources.",
     RUN_DEVELOP PROJECT_READ},
    {"roles/run.invoker", "Cloud Run Invoker",
     "Can invoke Cloud Run services and execute Cloud "
     "Run jobs.",
     "run.instances.invoke run.jobs.run run.routes.invoke"},
    {"roles/run.jobsExecutor", "Cloud Run Jobs Executor", "Can execute and cancel Cloud Run jobs.",
     "run.executions.cancel run.jobs.run"},
    {"roles/run.jobsExecutorWithOverrides", "Cloud Run Jobs Executor With Overrides",
     "Can execute and cancel Cloud Run jobs with overrides.",
     "run.executions.cancel run.jobs.run run.jobs.runWithOverrides"},
    {"roles/run.serviceAgent", "Cloud Run Service Agent",
     "Gives Cloud Run service account access to managed resources.", "run.routes.invoke"},
    {"roles/run.servicesInvoker", "Cloud Run Service Invoker", "Can invoke Cloud Run services.",
     "run.routes.invoke"},
    {"roles/run.sourceDeveloper", "Cloud Run Source Developer",
     "Deploy and manage Cloud Run source deployed resources.", RUN_DEVELOP PROJECT_READ},
    {"roles/run.sourceViewer", "Cloud Run Source Viewer",
     "View Cloud Run source deployed resources.", RUN_READ PROJECT_READ},
    {"roles/run.viewer", "Cloud Run Viewer",
     "Can view the state of all Cloud Run resources, "
     "including IAM policies.",
     RUN_READ PROJECT_READ},
    {"roles/viewer", "Viewer", "View most Google Cloud resources.",
     RUN_READ " " ACCOUNT_READ " " KEY_READ " " ROLE_READ PROJECT_READ},
};

size_t iam_role_count(void)
{
    return countof(roles);
}

const iam_role *iam_role_at(size_t i)
{
    return &roles[i];
}

const iam_role *iam_role_find(span name)
{
    for (size_t i = 0; i < countof(roles); i++)
        if (span_eq_str(name, roles[i].name))
            return &roles[i];
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **iam_permissions(void)
{
    size_t most = 1;
    for (size_t i = 0; i < countof(roles); i++)
        for (const char *p = roles[i].permissions; p; p = strchr(p + 1, ' '))
            most++;
    char **list = calloc(most, sizeof *list);
    if (!list)
        abort();
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < countof(roles); i++) {
        span rest = span_of(roles[i].permissions), one;
        while (rest.n > 0) {
            (void)span_cut(&rest, ' ', &one);
            list[n++] = span_dup(one);
        }
    }
    qsort(list, n, sizeof *list, by_text);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && strcmp(list[kept - 1], list[i]) == 0)
            free(list[i]);
        else
            list[kept++] = list[i];
    }
    list[kept] = NULL;
    return list;
}

void iam_permissions_free(char **list)
{
    for (size_t i = 0; list && list[i]; i++)
        free(list[i]);
    free(list);
}
