/* IAM v1, custom roles: create, change, delete, bring back ("IAM API: REST Resource
 * projects.roles"). */
#include <string.h>

#include "base/attr.h"
#include "control/iam_account.h"
#include "control/iam_permission.h"
#include "control/iam_policy.h"
#include "control/iam_role.h"
#include "control/iam_routes.h"

enum {
    ID_MIN = 3,
    ID_MAX = 64,
    TITLE_MAX = 100,
    DESCRIPTION_MAX = 300,
    MASK_MAX = 1024,
    PERMISSIONS_MAX = 3000
};

/* ---- what comes in ---- */

static bool check_id(api_call *c, const char *id)
{
    const size_t n = strlen(id);
    if (n >= ID_MIN && n <= ID_MAX &&
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == n)
        return true;
    api_fail(c, API_INVALID_ARGUMENT,
             "The role_id \"%.128s\" does not match the regular expression [a-zA-Z0-9_.]{3,64}.",
             id);
    return false;
}

static bool check_stage(api_call *c, const char *stage)
{
    static const char *const all[] = {"ALPHA", "BETA", "GA", "DEPRECATED", "DISABLED", "EAP"};
    for (size_t i = 0; i < countof(all); i++)
        if (!stage || strcmp(stage, all[i]) == 0)
            return true;
    api_fail(c, API_INVALID_ARGUMENT,
             "Invalid value at 'role.stage' (google.iam.admin.v1.Role.RoleLaunchStage), \"%.64s\"",
             stage);
    return false;
}

static bool check_permissions(api_call *c, const json_t *list)
{
    if (list && !json_is_array(list)) {
        api_fail(c, API_INVALID_ARGUMENT, "Invalid value at 'role.included_permissions' (a list)");
        return false;
    }
    if (json_array_size(list) > PERMISSIONS_MAX) {
        api_fail(c, API_INVALID_ARGUMENT, "A custom role has at most %d permissions.",
                 PERMISSIONS_MAX);
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *p = json_array_get(list, i);
        if (iam_permission_is_sound(p))
            continue;
        const char *text = json_string_value(p);
        api_fail(c, API_INVALID_ARGUMENT, "Permission %.128s is not valid.", text ? text : "");
        return false;
    }
    return true;
}

/* Takes what the mask names from the request's role into another. false: answered. */
static bool take_fields(api_call *c, const json_t *given, span mask, json_t *into)
{
    static const struct {
        const char *camel, *snake;
        size_t most; /* bytes of text; 0: a list */
    } fields[] = {{"title", "title", TITLE_MAX},
                  {"description", "description", DESCRIPTION_MAX},
                  {"stage", "stage", TITLE_MAX},
                  {"includedPermissions", "included_permissions", 0}};
    for (size_t i = 0; i < countof(fields); i++) {
        const char *text = NULL;
        json_t *v = json_object_get(given, fields[i].camel);
        if (mask.n > 0 && !iam_mask_has(mask, fields[i].camel, fields[i].snake))
            continue;
        if (fields[i].most && !iam_text(c, given, fields[i].camel, fields[i].most, &text))
            return false;
        if (v && !json_is_null(v))
            json_object_set(into, fields[i].camel, v);
        else
            json_object_del(into, fields[i].camel);
    }
    return check_stage(c, json_string_value(json_object_get(into, "stage"))) &&
           check_permissions(c, json_object_get(into, "includedPermissions"));
}

/* ---- writing ---- */

/* role is stolen. */
static void commit(api_call *c, const char *name, json_t *role)
{
    json_object_del(role, "etag");
    json_t *reply = iam_role_shown(role);
    json_t *draft = api_draft(c);
    state_set(draft, "roles", name, role);
    api_commit(c, draft, 200, reply);
}

static void refuse_existing(api_call *c, const json_t *role, const char *id)
{
    const char *of = snapshot_project(api_snapshot(c))->id;
    if (json_is_true(json_object_get(role, "deleted")))
        api_fail(c, API_FAILED_PRECONDITION,
                 "You can't create a role with role_id (%s) where there is an existing role with "
                 "that role_id in a deleted state.",
                 id);
    else
        api_fail(c, API_ALREADY_EXISTS, "A role named %s in projects/%s already exists.", id, of);
}

void iam_roles_create(api_call *c)
{
    char name[ROLE_NAME_MAX];
    const char *id;
    if (!api_project(c, c->params[0]) || !iam_text(c, c->body, "roleId", MASK_MAX, &id) ||
        !check_id(c, id ? id : ""))
        return;
    (void)snprintf(name, sizeof name, "projects/%s/roles/%s", snapshot_project(api_snapshot(c))->id,
                   id);
    json_auto_t *there = iam_role_custom(c, name);
    if (there) {
        refuse_existing(c, there, id);
        return;
    }
    json_auto_t *role = json_pack("{s:s, s:s}", "name", name, "stage", "ALPHA");
    json_auto_t *wanted = json_copy(json_object_get(c->body, "role"));
    if (wanted && !json_object_get(wanted, "stage"))
        json_object_set_new(wanted, "stage", json_string("ALPHA"));
    if (!wanted || take_fields(c, wanted, (span){0}, role))
        commit(c, name, json_incref(role));
}

/* The role of the path, to be changed; *out_name is its name. NULL: answered. given_etag:
 * nullable. */
static json_t *role_to_change(api_call *c, char name[ROLE_NAME_MAX], const json_t *given_etag)
{
    if (!iam_role_name(c, name))
        return NULL;
    json_auto_t *role = iam_role_custom(c, name);
    if (!role) {
        api_fail(c, API_NOT_FOUND, "The role named %.200s was not found.", name);
        return NULL;
    }
    if (!iam_etag_fits(c, "role", given_etag, json_string_value(json_object_get(role, "etag"))))
        return NULL;
    return json_incref(role);
}

void iam_roles_patch(api_call *c)
{
    char name[ROLE_NAME_MAX];
    auto_buf buf mask = buf_make(MASK_MAX);
    json_auto_t *role = role_to_change(c, name, json_object_get(c->body, "etag"));
    if (!role)
        return;
    (void)api_query(c, "updateMask", &mask);
    if (json_is_true(json_object_get(role, "deleted")))
        api_fail(c, API_FAILED_PRECONDITION, "Role %s is deleted: undelete it first.", name);
    else if (take_fields(c, c->body, buf_view(&mask), role))
        commit(c, name, json_incref(role));
}

/* A deleted role grants nothing, and stays in the policies that name it. */
void iam_roles_delete(api_call *c)
{
    char name[ROLE_NAME_MAX];
    auto_buf buf etag = buf_make(MASK_MAX);
    json_auto_t *given = api_query(c, "etag", &etag) && etag.n ? json_string(etag.p) : NULL;
    json_auto_t *role = role_to_change(c, name, given);
    if (!role)
        return;
    json_object_set_new(role, "deleted", json_true());
    commit(c, name, json_incref(role));
}

void iam_roles_undelete(api_call *c)
{
    char name[ROLE_NAME_MAX];
    json_auto_t *role = role_to_change(c, name, json_object_get(c->body, "etag"));
    if (!role)
        return;
    if (json_object_del(role, "deleted") != 0)
        api_fail(c, API_FAILED_PRECONDITION, "Role %s is not deleted.", name);
    else
        commit(c, name, json_incref(role));
}
