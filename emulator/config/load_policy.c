/* Grants: the matrix, and raw IAM policies as `gcloud run services get-iam-policy` prints them. */
#include "config/load.h"
#include "policy/role.h"

/* ---- matrix ---- */

void read_matrix(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_map(l, "matrix", entry->value))
        return;
    for (size_t i = 0; i < entry->value->count; i++)
        vec_push(l->mem, &l->callers, &entry->value->pairs[i]);
}

/* number: of the caller, from 1. */
static void grant_one(loader *l, const char *who, const node *item, size_t number)
{
    span name;
    if (!read_scalar(l, "matrix", item, "the name of a service", &name))
        return;
    service_draft *s = find_service(l, name);
    if (!s) {
        diag_at(l->diags, item->at, "service %s in matrix is not defined%s", found_text(l, item),
                diag_suggest(l->diags, name, load_words(l, WORDS_SERVICES)));
        return;
    }
    if (s->listed_by == number) {
        diag_at(l->diags, item->at, "service '%s' is listed twice for the same caller", name.p);
        return;
    }
    s->listed_by = number;
    if (who)
        snapshot_builder_binding(l->builder, name.p, ROLE_INVOKER, who, item->at);
}

static void settle_caller(loader *l, const node_pair *caller, size_t number)
{
    const char *who = resolve_member(l, caller->key, "in matrix");
    const node *list = caller->value;
    if (!read_is_list(l, caller->key->text.p, list, "a list of services such as [backend-api]"))
        return;
    for (size_t i = 0; i < list->count; i++)
        grant_one(l, who, list->items[i], number);
}

/* ---- raw policies ---- */

typedef struct raw_binding {
    const node *role, *members, *condition;
} raw_binding;

static bool check_role(loader *l, const node *role, span *out)
{
    if (!read_scalar(l, "role", role, "a role such as roles/run.invoker", out))
        return false;
    if (role_can_invoke(*out) != ROLE_UNKNOWN)
        return true;
    if (!span_starts(*out, SPAN_LIT("roles/")) && span_find(*out, '/') != out->n)
        diag_at(l->diags, role->at,
                "role %s is a custom role: its permissions are not known here; use a predefined "
                "one such as roles/run.invoker",
                found_text(l, role));
    else
        diag_at(l->diags, role->at, "unknown role %s%s", found_text(l, role),
                diag_suggest(l->diags, *out, role_names()));
    return false;
}

static void settle_policy_member(loader *l, const node *item, const char *role,
                                 const service_draft *s)
{
    span text;
    member m;
    error e = {0};
    if (!read_scalar(l, "members", item, "a member such as user:alice@example.com", &text))
        return;
    if (!member_parse(text, &m, &e))
        diag_at(l->diags, item->at, "%s", e.text);
    else if (role)
        snapshot_builder_binding(l->builder, s ? s->value.name : NULL, role, text.p, item->at);
}

static void settle_binding(loader *l, const node *map, const service_draft *s)
{
    static const key_spec keys[] = {
        {"role", read_node, offsetof(raw_binding, role)},
        {"members", read_node, offsetof(raw_binding, members)},
        {"condition", read_node, offsetof(raw_binding, condition)},
        {NULL, NULL, 0},
    };
    raw_binding b = {0};
    span role = {0};
    if (map->kind != NODE_MAP) {
        expected(l, "bindings", map, "a mapping with role and members");
        return;
    }
    read_map(l, map, "a binding", keys, &b);
    bool usable = b.role && check_role(l, b.role, &role);
    if (!b.role)
        diag_at(l->diags, map->at, "a binding needs 'role'");
    if (b.condition) /* a grant without its condition would be wider than what was written */
        diag_at(l->diags, b.condition->at,
                "conditions are not supported yet; leave this binding out or grant without one");
    if (!b.members)
        diag_at(l->diags, map->at, "a binding needs 'members'");
    else if (read_is_list(l, "members", b.members, "a list of members"))
        for (size_t i = 0; i < b.members->count; i++)
            settle_policy_member(l, b.members->items[i], usable ? role.p : NULL, s);
}

static void read_policy_version(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "1 or 3";
    span text;
    (void)into;
    if (!read_scalar(l, "version", entry->value, wanted, &text))
        return;
    if (!span_eq_str(text, "0") && !span_eq_str(text, "1") && !span_eq_str(text, "3"))
        expected(l, "version", entry->value, wanted);
}

static void read_etag(loader *l, const node_pair *entry, void *into)
{
    span text;
    (void)into;
    (void)read_scalar(l, "etag", entry->value, "text", &text);
}

static void settle_policy(loader *l, const node *policy, const service_draft *s)
{
    static const key_spec keys[] = {
        {"bindings", read_node, 0},
        {"etag", read_etag, 0},
        {"version", read_policy_version, 0},
        {"auditConfigs", read_ignored, 0},
        {NULL, NULL, 0},
    };
    const node *bindings = NULL;
    read_map(l, policy, "a policy", keys, &bindings);
    if (!bindings || !read_is_list(l, "bindings", bindings, "a list of bindings"))
        return;
    for (size_t i = 0; i < bindings->count; i++)
        settle_binding(l, bindings->items[i], s);
}

void settle_grants(loader *l)
{
    for (size_t i = 0; i < l->callers.count; i++)
        settle_caller(l, l->callers.items[i], i + 1);
    for (size_t i = 0; i < l->services.count; i++)
        if (l->services.items[i]->policy)
            settle_policy(l, l->services.items[i]->policy, l->services.items[i]);
    if (l->project_policy)
        settle_policy(l, l->project_policy, NULL);
}
