/* IAM v1, roles: predefined and custom ones, to read ("IAM API: REST Resource roles"). */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "control/iam_account.h"
#include "control/iam_etag.h"
#include "control/iam_role.h"
#include "control/iam_role_table.h"
#include "control/iam_routes.h"
#include "policy/role.h"

enum { PAGE = 300, PAGE_MAX = 1000 };

/* ---- as JSON ---- */

json_t *iam_role_shown(const json_t *role)
{
    json_t *out = json_copy((json_t *)(uintptr_t)role);
    char etag[ETAG_TEXT];
    const char *stage = json_string_value(json_object_get(out, "stage"));
    json_object_del(out, "etag");
    if (stage && strcmp(stage, "ALPHA") == 0)
        json_object_del(out, "stage"); /* what IAM leaves out */
    etag_make(out, (span){0}, etag);
    json_object_set_new(out, "etag", json_string(etag));
    return out;
}

static json_t *words(span text)
{
    json_t *out = json_array();
    span word;
    while (text.n > 0) {
        (void)span_cut(&text, ' ', &word);
        json_array_append_new(out, json_stringn(word.p, word.n));
    }
    return out;
}

static json_t *texts(const char *const *list)
{
    json_t *out = json_array();
    for (; list && *list; list++)
        json_array_append_new(out, json_string(*list));
    return out;
}

/* Of a role that is known by name alone, what it can do here. */
static json_t *predefined(const char *name)
{
    const iam_role *r = iam_role_find(span_of(name));
    const char *const *held = role_permissions(span_of(name));
    if (!r && !held)
        return NULL;
    json_t *permissions = r ? words(span_of(r->permissions)) : texts(held);
    json_auto_t *role = json_pack("{s:s, s:s, s:s, s:o}", "name", name, "title",
                                  r ? r->title : name + strlen("roles/"), "stage", "GA",
                                  "includedPermissions", permissions);
    if (r)
        json_object_set_new(role, "description", json_string(r->description));
    return iam_role_shown(role);
}

json_t *iam_role_custom(const api_call *c, const char *name)
{
    const json_t *entry = api_entry(c, "roles", name);
    if (entry)
        return iam_role_shown(entry);
    const custom_role *r = snapshot_find_role(api_base(c), span_of(name));
    if (!r)
        return NULL;
    json_auto_t *role =
        json_pack("{s:s, s:s, s:s, s:o}", "name", name, "title", strrchr(name, '/') + 1, "stage",
                  "GA", "includedPermissions", texts(r->permissions));
    return iam_role_shown(role);
}

bool iam_role_name(api_call *c, char out[ROLE_NAME_MAX])
{
    if (!api_project(c, c->params[0]))
        return false;
    (void)snprintf(out, ROLE_NAME_MAX, "projects/%s/roles/%.128s",
                   snapshot_project(api_snapshot(c))->id, c->params[1] ? c->params[1] : "");
    return true;
}

/* ---- lists ---- */

static bool is_asked(const api_call *c, const char *name, const char *value)
{
    auto_buf buf text = buf_make(16);
    return api_query(c, name, &text) && span_ieq_str(buf_view(&text), value);
}

/* The roles are stolen. */
static void reply_page(api_call *c, json_t *roles, bool full)
{
    iam_page page;
    if (iam_page_of(c, PAGE, PAGE_MAX, json_array_size(roles), &page)) {
        json_t *part = json_array();
        for (size_t i = page.from; i < page.to; i++) {
            json_t *role = json_array_get(roles, i);
            if (!full)
                json_object_del(role, "includedPermissions");
            json_array_append(part, role);
        }
        json_t *reply = json_pack("{s:o}", "roles", part);
        if (*page.next)
            json_object_set_new(reply, "nextPageToken", json_string(page.next));
        api_reply(c, 200, reply);
    }
    json_decref(roles);
}

static json_t *all_predefined(void)
{
    json_auto_t *by_name = json_object();
    json_t *out = json_array();
    const char *const *names = role_names();
    const char *name;
    json_t *ignored;
    for (size_t i = 0; i < iam_role_count(); i++)
        json_object_set_new(by_name, iam_role_at(i)->name, json_null());
    for (; *names; names++)
        json_object_set_new(by_name, *names, json_null());
    json_object_foreach (by_name, name, ignored)
        json_array_append_new(out, predefined(name));
    return out;
}

void iam_roles_list(api_call *c)
{
    reply_page(c, all_predefined(), is_asked(c, "view", "FULL"));
}

void iam_roles_list_custom(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return;
    const snapshot *base = api_base(c);
    const bool deleted_too = is_asked(c, "showDeleted", "true");
    json_auto_t *draft = api_draft(c);
    json_auto_t *names = json_object();
    json_t *roles = json_array(), *ignored;
    const char *name;
    for (size_t i = 0; i < snapshot_role_count(base); i++)
        json_object_set_new(names, snapshot_role(base, i)->name, json_null());
    json_object_foreach (json_object_get(draft, "roles"), name, ignored)
        json_object_set_new(names, name, json_null());
    json_object_foreach (names, name, ignored) {
        json_t *role = iam_role_custom(c, name);
        if (deleted_too || !json_is_true(json_object_get(role, "deleted")))
            json_array_append(roles, role);
        json_decref(role);
    }
    reply_page(c, roles, is_asked(c, "view", "FULL"));
}

/* ---- one ---- */

static void reply_role(api_call *c, const char *name, json_t *role)
{
    if (role)
        api_reply(c, 200, role);
    else
        api_fail(c, API_NOT_FOUND, "The role named %.200s was not found.", name);
}

void iam_roles_get(api_call *c)
{
    char name[ROLE_NAME_MAX];
    (void)snprintf(name, sizeof name, "roles/%.128s", c->params[0]);
    reply_role(c, name, predefined(name));
}

void iam_roles_get_custom(api_call *c)
{
    char name[ROLE_NAME_MAX];
    if (iam_role_name(c, name))
        reply_role(c, name, iam_role_custom(c, name));
}

/* ---- what there is to grant ---- */

void iam_roles_grantable(api_call *c)
{
    const char *view = json_string_value(json_object_get(c->body, "view"));
    reply_page(c, all_predefined(), view && strcmp(view, "FULL") == 0);
}

void iam_roles_testable(api_call *c)
{
    char **names = iam_permissions();
    json_t *list = json_array();
    for (size_t i = 0; names[i]; i++)
        json_array_append_new(list, json_pack("{s:s, s:s}", "name", names[i], "stage", "GA"));
    iam_permissions_free(names);
    api_reply(c, 200, json_pack("{s:o}", "permissions", list));
}
