/* What a deny policy may say ("Deny policies: structure"). */
#include "control/iam_deny_check.h"

#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "control/iam_policy_internal.h"
#include "policy/deny.h"

enum { ID_MIN = 3, ID_MAX = 63, DESCRIPTION_MAX = 256, WHERE_MAX = 96 };

bool deny_id_check(const char *id, error *e)
{
    const size_t n = strlen(id);
    if (n >= ID_MIN && n <= ID_MAX && *id >= 'a' && *id <= 'z' &&
        strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n)
        return true;
    return error_set(e, ERR_INVALID,
                     "The policy ID \"%.128s\" is not valid: %d to %d lower case letters, digits, "
                     "hyphens and dots, a letter first.",
                     id, ID_MIN, ID_MAX);
}

static bool check_text(const json_t *object, const char *key, size_t most, const char *where,
                       error *e)
{
    const json_t *v = json_object_get(object, key);
    if (v && !json_is_string(v))
        return error_set(e, ERR_INVALID, "Invalid value at '%s.%s' (TYPE_STRING)", where, key);
    return json_string_length(v) <= most ||
           error_set(e, ERR_INVALID, "'%s.%s' is longer than %zu characters.", where, key, most);
}

static bool check_list(const json_t *rule, const char *key, bool (*check)(span text, error *e),
                       const char *where, error *e)
{
    const json_t *list = json_object_get(rule, key);
    if (list && !json_is_array(list))
        return error_set(e, ERR_INVALID, "Invalid value at '%s.%s' (a list)", where, key);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text)
            return error_set(e, ERR_INVALID, "Invalid value at '%s.%s[%zu]' (TYPE_STRING)", where,
                             key, i);
        if (!check(span_of(text), e))
            return error_wrap(e, "%s.%s[%zu]", where, key, i);
    }
    return true;
}

/* Only functions on tags may stand in a denial condition, and resources have no tags here. */
static bool check_condition(const json_t *rule, const char *where, error *e)
{
    const json_t *expr = json_object_get(rule, "denialCondition");
    if (!expr || json_is_null(expr))
        return true;
    return error_set(e, ERR_INVALID,
                     "'%s.denialCondition' cannot be evaluated here: denial conditions look at "
                     "resource tags, which are not emulated. Leave the condition out, and the rule "
                     "always applies.",
                     where);
}

static bool check_deny_rule(const json_t *rule, const char *where, error *e)
{
    static const char *const keys[] = {"deniedPrincipals",  "exceptionPrincipals",
                                       "deniedPermissions", "exceptionPermissions",
                                       "denialCondition",   NULL};
    if (!json_is_object(rule))
        return error_set(e, ERR_INVALID, "'%s' is missing.", where);
    if (!json_only_keys(rule, where, keys, e) || !check_condition(rule, where, e) ||
        !check_list(rule, "deniedPrincipals", deny_principal_check, where, e) ||
        !check_list(rule, "exceptionPrincipals", deny_principal_check, where, e) ||
        !check_list(rule, "deniedPermissions", deny_permission_check, where, e) ||
        !check_list(rule, "exceptionPermissions", deny_permission_check, where, e))
        return false;
    if (json_array_size(json_object_get(rule, "deniedPrincipals")) == 0 ||
        json_array_size(json_object_get(rule, "deniedPermissions")) == 0)
        return error_set(e, ERR_INVALID,
                         "'%s' denies nobody anything: it needs deniedPrincipals and "
                         "deniedPermissions.",
                         where);
    return true;
}

static bool check_rule(const json_t *rule, size_t i, error *e)
{
    static const char *const keys[] = {"description", "denyRule", NULL};
    char where[WHERE_MAX], inner[WHERE_MAX];
    (void)snprintf(where, sizeof where, "policy.rules[%zu]", i);
    (void)snprintf(inner, sizeof inner, "policy.rules[%zu].denyRule", i);
    if (!json_is_object(rule))
        return error_set(e, ERR_INVALID, "Invalid value at '%s' (google.iam.v2.PolicyRule)", where);
    return json_only_keys(rule, where, keys, e) &&
           check_text(rule, "description", DESCRIPTION_MAX, where, e) &&
           check_deny_rule(json_object_get(rule, "denyRule"), inner, e);
}

static bool check_annotations(const json_t *all, error *e)
{
    const char *key;
    json_t *v;
    if (all && !json_is_object(all))
        return error_set(e, ERR_INVALID, "Invalid value at 'policy.annotations' (a map)");
    json_object_foreach ((json_t *)(uintptr_t)all, key, v) {
        if (!json_is_string(v))
            return error_set(e, ERR_INVALID, "Invalid value at 'policy.annotations' (TYPE_STRING)");
    }
    return true;
}

bool deny_policy_check(const json_t *policy, error *e)
{
    static const char *const keys[] = {
        "name",       "uid",        "kind",       "displayName", "annotations",       "etag",
        "createTime", "updateTime", "deleteTime", "rules",       "managingAuthority", NULL};
    const json_t *rules = json_object_get(policy, "rules");
    if (!json_only_keys(policy, "policy", keys, e) ||
        !check_text(policy, "displayName", DENY_DISPLAY_NAME_MAX, "policy", e) ||
        !check_annotations(json_object_get(policy, "annotations"), e))
        return false;
    if (!json_is_array(rules) || json_array_size(rules) == 0)
        return error_set(e, ERR_INVALID, "The policy has no rules.");
    if (json_array_size(rules) > DENY_RULES_MAX)
        return error_set(e, ERR_INVALID, "The policy has more than %d rules.", DENY_RULES_MAX);
    for (size_t i = 0; i < json_array_size(rules); i++)
        if (!check_rule(json_array_get(rules, i), i, e))
            return false;
    return true;
}
