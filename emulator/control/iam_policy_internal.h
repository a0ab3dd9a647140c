/* Parts of iam_policy.c that look at no request. Private to iam_*.c. */
#ifndef CONTROL_IAM_POLICY_INTERNAL_H
#define CONTROL_IAM_POLICY_INTERNAL_H

#include <jansson.h>

#include "base/error.h"
#include "policy/snapshot.h"

enum { POLICY_PRINCIPALS_MAX = 1500, POLICY_GROUPS_MAX = 250 };

/* The bindings that the snapshot holds for a on, by role and condition; a new array. */
json_t *policy_bindings_of(const snapshot *s, const char *on);

/* What a policy's "bindings" must be: checked, equal ones joined, sorted, without doubles. *out is
 * a new array; false and *e as Google words it. s: the accounts and roles that exist. */
bool policy_bindings_check(const snapshot *s, const json_t *bindings, json_t **out, error *e);

/* 0, 1 or 3, and not less than what the bindings need. */
bool policy_version_check(const json_t *version, const json_t *bindings, error *e);

/* A project's policy takes no allUsers and no allAuthenticatedUsers, but keeps those that the file
 * states (before: the bindings in force). */
bool policy_public_members_check(const json_t *bindings, const json_t *before, error *e);

bool policy_has_conditions(const json_t *bindings);

/* One member, as IAM accepts it. */
bool policy_member_check(const snapshot *s, const char *member, error *e);

/* Joins bindings of the same role and condition, sorts, drops doubles and what has no member. */
json_t *policy_bindings_normal(const json_t *bindings);

/* An object has no keys but these (NULL-terminated); else *e as protobuf's JSON reader says it. */
bool json_only_keys(const json_t *object, const char *where, const char *const *keys, error *e);

#endif
