/* Policies that come in by API: types, roles, members, conditions, limits, as IAM checks them. */
#include <string.h>

#include "base/attr.h"
#include "base/hash.h"
#include "control/iam_policy_internal.h"
#include "control/iam_role_table.h"
#include "policy/condition.h"
#include "policy/role.h"

enum { TITLE_MAX = 100, DESCRIPTION_MAX = 256, WHERE_MAX = 96 };

bool json_only_keys(const json_t *object, const char *where, const char *const *keys, error *e)
{
    for (void *at = json_object_iter((json_t *)(uintptr_t)object); at;
         at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], json_object_iter_key(at)) != 0)
            i++;
        if (keys[i])
            continue;
        return error_set(e, ERR_INVALID,
                         "Invalid JSON payload received. Unknown name \"%.80s\"%s%s%s: Cannot find "
                         "field.",
                         json_object_iter_key(at), *where ? " at '" : "", where, *where ? "'" : "");
    }
    return true;
}

static bool bad_type(const char *where, const char *field, const char *type, error *e)
{
    return error_set(e, ERR_INVALID, "Invalid value at '%s.%s' (%s)", where, field, type);
}

/* ---- conditions ---- */

static bool text_fits(const json_t *expr, const char *key, size_t most, const char *where, error *e)
{
    const json_t *v = json_object_get(expr, key);
    if (v && !json_is_string(v))
        return bad_type(where, key, "TYPE_STRING", e);
    if (json_string_length(v) > most)
        return error_set(e, ERR_INVALID, "The %s of a condition has at most %zu characters.", key,
                         most);
    return true;
}

static bool check_expression(const json_t *expr, const char *role, error *e)
{
    const condition_text text = {
        .title = json_string_value(json_object_get(expr, "title")),
        .description = json_string_value(json_object_get(expr, "description")),
        .expression = json_string_value(json_object_get(expr, "expression"))};
    if (!text.title || !*text.title)
        return error_set(e, ERR_INVALID, "A condition needs a title (binding of %s).", role);
    if (!text.expression || !*text.expression)
        return error_set(e, ERR_INVALID, "A condition needs an expression (binding of %s).", role);
    cel_problem problem = {0};
    condition *c = condition_new(&text, &problem);
    if (!c)
        return error_set(e, ERR_INVALID,
                         "Condition expression compilation failed: condition \"%.100s\" of %s, "
                         "line %u, column %u: %s",
                         text.title, role, problem.line, problem.column, problem.text);
    condition_free(c);
    return true;
}

static bool check_condition(const json_t *expr, const char *role, const char *at, error *e)
{
    static const char *const keys[] = {"title", "description", "expression", "location", NULL};
    char where[WHERE_MAX];
    snprintf(where, sizeof where, "%.64s.condition", at);
    if (!json_is_object(expr))
        return bad_type(at, "condition", "google.type.Expr", e);
    if (condition_refused_role(span_of(role)))
        return error_set(e, ERR_INVALID,
                         "Conditions can't be set on basic roles (roles/owner, roles/editor, "
                         "roles/viewer): %s.",
                         role);
    return json_only_keys(expr, where, keys, e) && text_fits(expr, "title", TITLE_MAX, where, e) &&
           text_fits(expr, "description", DESCRIPTION_MAX, where, e) &&
           text_fits(expr, "expression", CEL_TEXT_MAX, where, e) &&
           text_fits(expr, "location", DESCRIPTION_MAX, where, e) &&
           check_expression(expr, role, e);
}

/* ---- roles ---- */

/* Of Cloud Run, and of the basic ones, every role is known here; of other services those that look
 * like a typing error are refused too. The rest exists in production, and grants nothing here. */
static bool all_known(span role)
{
    return span_starts(role, SPAN_LIT("roles/run.")) || span_find(role, '.') == role.n;
}

static bool check_custom_role(const snapshot *s, const char *role, error *e)
{
    const span text = span_of(role);
    if (!span_starts(text, SPAN_LIT("projects/")) && !span_starts(text, SPAN_LIT("organizations/")))
        return error_set(e, ERR_INVALID,
                         "The role name must be in the form \"roles/{role}\", "
                         "\"organizations/{organization_id}/roles/{role}\", or "
                         "\"projects/{project_id}/roles/{role}\"; this one is \"%.200s\".",
                         role);
    return snapshot_find_role(s, text) ||
           error_set(e, ERR_INVALID, "Role (%.200s) does not exist in the resource's hierarchy.",
                     role);
}

static bool check_role(const snapshot *s, const char *role, error *e)
{
    const span text = span_of(role);
    if (!span_starts(text, SPAN_LIT("roles/")) || text.n == 6)
        return check_custom_role(s, role, e);
    if (role_can_invoke(text) != ROLE_UNKNOWN || iam_role_find(text))
        return true;
    const char *meant = did_you_mean(text, role_names());
    if (!meant && !all_known(text))
        return true;
    return error_set(e, ERR_INVALID, "Role %.200s is not supported for this resource.%s%s%s", role,
                     meant ? " Did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

/* ---- bindings ---- */

static bool check_members(const snapshot *s, const json_t *members, const char *where, error *e)
{
    if (members && !json_is_array(members))
        return bad_type(where, "members", "a list of strings", e);
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *m = json_array_get(members, i);
        if (!json_is_string(m))
            return bad_type(where, "members", "TYPE_STRING", e);
        if (!policy_member_check(s, json_string_value(m), e))
            return false;
    }
    return true;
}

/* A condition on everybody: "Overview of IAM Conditions" rules it out. */
static bool check_conditioned(const json_t *members, error *e)
{
    for (size_t i = 0; i < json_array_size(members); i++) {
        member m;
        const char *text = json_string_value(json_array_get(members, i));
        if (member_parse(span_of(text), &m, NULL) && condition_refused_member(&m))
            return error_set(e, ERR_INVALID,
                             "Conditions can't be set on bindings of allUsers or "
                             "allAuthenticatedUsers: %s.",
                             text);
    }
    return true;
}

static bool check_binding(const snapshot *s, const json_t *b, size_t i, error *e)
{
    static const char *const keys[] = {"role", "members", "condition", NULL};
    char where[WHERE_MAX];
    snprintf(where, sizeof where, "policy.bindings[%zu]", i);
    if (!json_is_object(b))
        return error_set(e, ERR_INVALID, "Invalid value at '%s' (google.iam.v1.Binding)", where);
    if (!json_only_keys(b, where, keys, e))
        return false;
    const char *role = json_string_value(json_object_get(b, "role"));
    if (!role)
        return bad_type(where, "role", "TYPE_STRING", e);
    const json_t *expr = json_object_get(b, "condition"), *members = json_object_get(b, "members");
    return check_role(s, role, e) && check_members(s, members, where, e) &&
           (!expr || (check_conditioned(members, e) && check_condition(expr, role, where, e)));
}

/* Every occurrence counts. */
static bool check_size(const json_t *bindings, error *e)
{
    size_t principals = 0, groups = 0, i, k;
    json_t *b, *m;
    json_array_foreach (bindings, i, b)
        json_array_foreach (json_object_get(b, "members"), k, m) {
            principals++;
            groups += span_starts(span_of(json_string_value(m)), SPAN_LIT("group:"));
        }
    if (principals > POLICY_PRINCIPALS_MAX)
        return error_set(e, ERR_INVALID,
                         "The number of members in the policy (%zu) is larger than the maximum "
                         "allowed size %d.",
                         principals, POLICY_PRINCIPALS_MAX);
    if (groups > POLICY_GROUPS_MAX)
        return error_set(e, ERR_INVALID,
                         "The number of groups in the policy (%zu) is larger than the maximum "
                         "allowed size %d.",
                         groups, POLICY_GROUPS_MAX);
    return true;
}

bool policy_bindings_check(const snapshot *s, const json_t *bindings, json_t **out, error *e)
{
    if (bindings && !json_is_array(bindings))
        return bad_type("policy", "bindings", "a list of bindings", e);
    for (size_t i = 0; i < json_array_size(bindings); i++)
        if (!check_binding(s, json_array_get(bindings, i), i, e))
            return false;
    json_auto_t *normal = policy_bindings_normal(bindings);
    if (!check_size(normal, e))
        return false;
    *out = json_incref(normal);
    return true;
}

static bool is_public(const json_t *m)
{
    const span text = span_of(json_string_value(m));
    return span_eq(text, SPAN_LIT("allUsers")) || span_eq(text, SPAN_LIT("allAuthenticatedUsers"));
}

static bool has_member(const json_t *bindings, const json_t *wanted)
{
    size_t i, k;
    json_t *b, *m;
    json_array_foreach (bindings, i, b)
        json_array_foreach (json_object_get(b, "members"), k, m) {
            if (json_equal(m, wanted))
                return true;
        }
    return false;
}

bool policy_public_members_check(const json_t *bindings, const json_t *before, error *e)
{
    size_t i, k;
    json_t *b, *m;
    json_array_foreach (bindings, i, b)
        json_array_foreach (json_object_get(b, "members"), k, m) {
            if (is_public(m) && !has_member(before, m))
                return error_set(
                    e, ERR_INVALID,
                    "Project does not support allUsers and allAuthenticatedUsers as "
                    "members in a Binding of a Policy: %s is to have %s. Grant it on the "
                    "service.",
                    json_string_value(m), json_string_value(json_object_get(b, "role")));
        }
    return true;
}

bool policy_version_check(const json_t *version, const json_t *bindings, error *e)
{
    const json_int_t v = json_integer_value(version);
    if (version && !json_is_integer(version))
        return bad_type("policy", "version", "TYPE_INT32", e);
    if (v != 0 && v != 1 && v != 3)
        return error_set(e, ERR_INVALID,
                         "Invalid policy version %lld. Valid policy versions are 0, 1, and 3.",
                         (long long)v);
    if (v != 3 && policy_has_conditions(bindings))
        return error_set(e, ERR_INVALID,
                         "A policy with conditional role bindings must be set with version 3; this "
                         "one says %lld.",
                         (long long)v);
    return true;
}
