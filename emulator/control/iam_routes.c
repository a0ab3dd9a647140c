/* IAM v1: which path is whose ("IAM API: REST reference, v1"). */
#include "control/iam_routes.h"

#define ACCOUNTS "/v1/projects/{}/serviceAccounts"
#define ACCOUNT  ACCOUNTS "/{}"
#define KEYS     ACCOUNT "/keys"
#define ROLES    "/v1/projects/{}/roles"

const api_route iam_routes[] = {
    {.method = "GET", .pattern = ACCOUNTS, .serve = iam_accounts_list},
    {.method = "POST", .pattern = ACCOUNTS, .serve = iam_accounts_create},
    {.method = "GET", .pattern = ACCOUNT, .serve = iam_accounts_get},
    {.method = "PATCH", .pattern = ACCOUNT, .serve = iam_accounts_patch},
    {.method = "PUT", .pattern = ACCOUNT, .serve = iam_accounts_update},
    {.method = "DELETE", .pattern = ACCOUNT, .serve = iam_accounts_delete},
    {.method = "POST", .pattern = ACCOUNT ":undelete", .serve = iam_accounts_undelete},
    {.method = "POST", .pattern = ACCOUNT ":disable", .serve = iam_accounts_disable},
    {.method = "POST", .pattern = ACCOUNT ":enable", .serve = iam_accounts_enable},
    {.method = "POST", .pattern = ACCOUNT ":getIamPolicy", .serve = iam_accounts_get_policy},
    {.method = "POST", .pattern = ACCOUNT ":setIamPolicy", .serve = iam_accounts_set_policy},
    {.method = "POST",
     .pattern = ACCOUNT ":testIamPermissions",
     .serve = iam_accounts_test_permissions},
    {.method = "GET", .pattern = KEYS, .serve = iam_keys_list},
    {.method = "POST", .pattern = KEYS, .serve = iam_keys_create},
    {.method = "POST", .pattern = KEYS ":upload", .serve = iam_keys_upload},
    {.method = "GET", .pattern = KEYS "/{}", .serve = iam_keys_get},
    {.method = "DELETE", .pattern = KEYS "/{}", .serve = iam_keys_delete},
    {.method = "POST", .pattern = KEYS "/{}:disable", .serve = iam_keys_disable},
    {.method = "POST", .pattern = KEYS "/{}:enable", .serve = iam_keys_enable},
    {.method = "GET",
     .pattern = "/robot/v1/metadata/x509/{}",
     .serve = iam_keys_certificates,
     .open = true},
    {.method = "GET", .pattern = "/v1/roles", .serve = iam_roles_list},
    {.method = "GET", .pattern = "/v1/roles/{}", .serve = iam_roles_get},
    {.method = "POST", .pattern = "/v1/roles:queryGrantableRoles", .serve = iam_roles_grantable},
    {.method = "POST",
     .pattern = "/v1/permissions:queryTestablePermissions",
     .serve = iam_roles_testable},
    {.method = "GET", .pattern = ROLES, .serve = iam_roles_list_custom},
    {.method = "POST", .pattern = ROLES, .serve = iam_roles_create},
    {.method = "GET", .pattern = ROLES "/{}", .serve = iam_roles_get_custom},
    {.method = "PATCH", .pattern = ROLES "/{}", .serve = iam_roles_patch},
    {.method = "DELETE", .pattern = ROLES "/{}", .serve = iam_roles_delete},
    {.method = "POST", .pattern = ROLES "/{}:undelete", .serve = iam_roles_undelete},
    {0},
};
