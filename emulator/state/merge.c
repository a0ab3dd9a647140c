/* Base first, in its order; what an entry stands over is left out, and the entries follow. */
#include "state/merge.h"

#include <stdlib.h>

#include "state/entry.h"
#include "state/state.h"

enum { TEXT_MAX = 1024 };

typedef struct merge {
    const snapshot *base;
    json_t *document;
    snapshot_builder *builder;
} merge;

static json_t *collection(const merge *m, const char *name)
{
    return json_object_get(m->document, name);
}

static bool is_deleted(const json_t *entry)
{
    return json_is_true(json_object_get(entry, "deleted"));
}

/* ---- accounts ---- */

static void put_account(const merge *m, const char *email, const json_t *entry)
{
    if (is_deleted(entry))
        return;
    snapshot_builder_account(
        m->builder, &(account){.email = email,
                               .unique_id = entry_text(entry, "uniqueId"),
                               .display_name = entry_text(entry, "displayName"),
                               .description = entry_text(entry, "description"),
                               .disabled = json_is_true(json_object_get(entry, "disabled"))});
}

static void merge_accounts(const merge *m)
{
    json_t *all = collection(m, "accounts");
    const char *email;
    const json_t *entry;
    for (size_t i = 0; i < snapshot_account_count(m->base); i++) {
        const account *a = snapshot_account(m->base, i);
        entry = json_object_get(all, a->email);
        if (state_account_counts(m->base, a->email, entry))
            put_account(m, a->email, entry);
        else
            snapshot_builder_account(m->builder, a);
    }
    json_object_foreach (all, email, entry)
        if (!snapshot_find_account(m->base, span_of(email)) && !entry_text(entry, "over"))
            put_account(m, email, entry);
}

/* ---- people, roles, images, deny rules of the file ---- */

static void copy_rest(const merge *m)
{
    snapshot_copy_people(m->builder, m->base);
    snapshot_copy_rules(m->builder, m->base);
}

static bool is_off(const json_t *role)
{
    const char *stage = entry_text(role, "stage");
    return is_deleted(role) || (stage && strcmp(stage, "DISABLED") == 0);
}

/* A role of the same name that an API made wins; one that is deleted or disabled grants nothing. */
static void merge_roles(const merge *m)
{
    json_t *all = collection(m, "roles");
    const char *name;
    const json_t *entry;
    json_object_foreach (all, name, entry) {
        const char **permissions =
            entry_strings(is_off(entry) ? NULL : json_object_get(entry, "includedPermissions"));
        snapshot_builder_role(m->builder, name, permissions);
        free(permissions);
    }
    snapshot_copy_roles(m->builder, m->base);
}

static void put_deny_rule(const merge *m, const char *policy, const json_t *rule)
{
    const json_t *d = json_object_get(rule, "denyRule");
    const char **principals = entry_strings(json_object_get(d, "deniedPrincipals"));
    const char **spared = entry_strings(json_object_get(d, "exceptionPrincipals"));
    const char **permissions = entry_strings(json_object_get(d, "deniedPermissions"));
    const char **left = entry_strings(json_object_get(d, "exceptionPermissions"));
    auto_buf buf text = buf_make(TEXT_MAX);
    buf_fmt(&text, "deny policy %s", policy);
    auto_free char *where = buf_take(&text);
    snapshot_builder_deny(m->builder, &(deny_rule){.policy = policy,
                                                   .principals = principals,
                                                   .exception_principals = spared,
                                                   .permissions = permissions,
                                                   .exception_permissions = left,
                                                   .place = {where, 0, 0}});
    free(principals);
    free(spared);
    free(permissions);
    free(left);
}

static void merge_deny(const merge *m)
{
    const char *id;
    const json_t *entry;
    json_object_foreach (collection(m, "deny"), id, entry) {
        const json_t *rules = json_object_get(entry, "rules");
        for (size_t i = 0; !is_deleted(entry) && i < json_array_size(rules); i++)
            put_deny_rule(m, id, json_array_get(rules, i));
    }
}

/* ---- services ---- */

static void merge_services(const merge *m)
{
    json_t *all = collection(m, "services");
    const char *name;
    const json_t *entry;
    for (size_t i = 0; i < snapshot_service_count(m->base); i++) {
        const service *s = snapshot_service(m->base, i);
        entry = json_object_get(all, s->name);
        if (!state_service_counts(m->base, s->name, entry))
            snapshot_copy_service(m->builder, s);
        else if (!is_deleted(entry))
            merge_service(m->builder, m->base, s, s->name, entry);
    }
    json_object_foreach (all, name, entry)
        if (!snapshot_find_service(m->base, span_of(name)) && !entry_text(entry, "over") &&
            !is_deleted(entry))
            merge_service(m->builder, m->base, NULL, name, entry);
}

/* ---- policies ---- */

static void put_binding(const merge *m, const grant_spec *of, const json_t *written)
{
    const json_t *c = json_object_get(written, "condition");
    const condition_text text = {entry_text(c, "title"), entry_text(c, "description"),
                                 entry_text(c, "expression")};
    const json_t *members = json_object_get(written, "members");
    grant_spec g = *of;
    g.role = entry_text(written, "role");
    g.condition = c ? &text : NULL;
    for (size_t i = 0; g.role && i < json_array_size(members); i++) {
        g.member = json_string_value(json_array_get(members, i));
        if (g.member)
            snapshot_builder_grant(m->builder, &g);
    }
}

static void put_policy(const merge *m, const char *whose, const json_t *entry)
{
    const char *by = entry_text(entry, "by"), *when = entry_text(entry, "updated");
    auto_buf buf text = buf_make(TEXT_MAX);
    buf_fmt(&text, "set by %s%s%s", by ? by : "an API", when ? " at " : "", when ? when : "");
    auto_free char *where = buf_take(&text);
    grant_spec of = {.place = {where, 0, 0}};
    span r = span_of(whose);
    const span services = SPAN_LIT("services/"), accounts = SPAN_LIT("serviceAccounts/");
    if (span_starts(r, services))
        of.service = whose + services.n;
    else if (span_starts(r, accounts))
        of.account = whose + accounts.n;
    const json_t *bindings = json_object_get(entry, "bindings");
    for (size_t i = 0; i < json_array_size(bindings); i++)
        put_binding(m, &of, json_array_get(bindings, i));
}

/* Is the policy that g belongs to one of those? */
static bool is_of_any(const merge *m, const binding *g, json_t *entries)
{
    const char *whose;
    const json_t *entry;
    json_object_foreach (entries, whose, entry)
        if (binding_of(m->base, g, whose))
            return true;
    return false;
}

static void merge_policies(const merge *m)
{
    json_t *counting = json_object(); /* the entries that do, by resource */
    const char *whose;
    json_t *entry;
    if (!counting)
        abort();
    json_object_foreach (collection(m, "policies"), whose, entry)
        if (state_policy_counts(m->base, whose, entry))
            (void)json_object_set(counting, whose, entry);
    for (size_t i = 0; i < snapshot_binding_count(m->base); i++)
        if (!is_of_any(m, snapshot_binding(m->base, i), counting))
            snapshot_copy_binding(m->builder, m->base, snapshot_binding(m->base, i));
    json_object_foreach (counting, whose, entry)
        put_policy(m, whose, entry);
    json_decref(counting);
}

snapshot *state_merge(snapshot *base, const json_t *document, const snapshot *before,
                      int64_t now_us)
{
    if (state_is_empty(document) && !emulation_is_delayed(snapshot_emulation(base)))
        return snapshot_ref(base);
    merge m = {.base = base,
               .document = json_copy((json_t *)(uintptr_t)document),
               .builder = snapshot_builder_new()};
    if (!m.document)
        abort();
    snapshot_builder_project(m.builder, snapshot_project(base));
    snapshot_builder_emulation(m.builder, snapshot_emulation(base));
    merge_accounts(&m);
    copy_rest(&m);
    merge_services(&m);
    merge_roles(&m);
    merge_deny(&m);
    merge_policies(&m);
    json_decref(m.document);
    return snapshot_build(m.builder, before, now_us);
}
