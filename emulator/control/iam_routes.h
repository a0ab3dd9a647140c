/* The handlers of IAM v1 (see iam_routes.c for their paths). Private to iam_*.c. */
#ifndef CONTROL_IAM_ROUTES_H
#define CONTROL_IAM_ROUTES_H

#include "control/api.h"

/* ---- iam_accounts.c ---- */
api_handler iam_accounts_list, iam_accounts_get, iam_accounts_create, iam_accounts_patch,
    iam_accounts_update, iam_accounts_disable, iam_accounts_enable, iam_accounts_delete,
    iam_accounts_undelete, iam_accounts_get_policy, iam_accounts_set_policy,
    iam_accounts_test_permissions;

/* ---- iam_keys.c ---- */
api_handler iam_keys_list, iam_keys_get, iam_keys_create, iam_keys_upload, iam_keys_delete,
    iam_keys_disable, iam_keys_enable, iam_keys_certificates;

/* ---- iam_roles.c ---- */
api_handler iam_roles_list, iam_roles_get, iam_roles_list_custom, iam_roles_get_custom,
    iam_roles_testable, iam_roles_grantable;

/* ---- iam_roles_change.c ---- */
api_handler iam_roles_create, iam_roles_patch, iam_roles_delete, iam_roles_undelete;

#endif
