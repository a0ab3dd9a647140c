/* Deny policies (IAM v2) that come in by API. Pure; private to iam_*.c. */
#ifndef CONTROL_IAM_DENY_CHECK_H
#define CONTROL_IAM_DENY_CHECK_H

#include <jansson.h>

#include "base/error.h"
#include "base/span.h"

enum { DENY_RULES_MAX = 500, DENY_DISPLAY_NAME_MAX = 63 };

/* 3 to 63 lower case letters, digits, hyphens and dots, a letter first. */
bool deny_id_check(const char *id, error *e);

/* Fields, rules, principals, permissions. What cannot be evaluated here (conditions on tags) is
 * refused rather than kept without effect. */
bool deny_policy_check(const json_t *policy, error *e);

#endif
