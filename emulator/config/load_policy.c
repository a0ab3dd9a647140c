/* Grants: the matrix, and raw IAM policies as `gcloud … get-iam-policy` prints them. */
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
        snapshot_builder_grant(l->builder, &(grant_spec){.service = name.p,
                                                         .role = ROLE_INVOKER,
                                                         .member = who,
                                                         .place = item->at});
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

/* of: what the binding says of each of its members; of->role NULL: nothing that is of use. */
static void settle_policy_member(loader *l, const node *item, const grant_spec *of)
{
    span text;
    member m;
    error e = {0};
    if (!read_scalar(l, "members", item, "a member such as user:alice@example.com", &text))
        return;
    if (!member_parse(text, &m, &e)) {
        diag_at(l->diags, item->at, "%s", e.text);
        return;
    }
    const char *refused = of->condition ? condition_refused_member(&m) : NULL;
    if (refused)
        diag_at(l->diags, item->at, "%s", refused);
    grant_spec g = *of;
    g.member = text.p;
    g.place = item->at;
    if (g.role)
        snapshot_builder_grant(l->builder, &g);
}

/* false: reported. */
static bool settle_condition(loader *l, const node *condition_node, span role, grant_spec *out)
{
    const char *refused = condition_refused_role(role);
    if (refused)
        diag_at(l->diags, condition_node->at, "%s", refused);
    out->condition = read_condition(l, condition_node);
    return out->condition && !refused;
}

/* whose: the policy's resource. */
static void settle_binding(loader *l, const node *map, const grant_spec *whose)
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
    grant_spec of = *whose;
    bool usable = b.role && read_role(l, b.role, &role);
    if (!b.role)
        diag_at(l->diags, map->at, "a binding needs 'role'");
    if (b.condition && !settle_condition(l, b.condition, role, &of))
        usable = false; /* a grant without its condition would be wider than what was written */
    of.role = usable ? role.p : NULL;
    if (!b.members)
        diag_at(l->diags, map->at, "a binding needs 'members'");
    else if (read_is_list(l, "members", b.members, "a list of members"))
        for (size_t i = 0; i < b.members->count; i++)
            settle_policy_member(l, b.members->items[i], &of);
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

static void settle_policy(loader *l, const node *policy, const grant_spec *whose)
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
        settle_binding(l, bindings->items[i], whose);
}

void settle_grants(loader *l)
{
    for (size_t i = 0; i < l->callers.count; i++)
        settle_caller(l, l->callers.items[i], i + 1);
    for (size_t i = 0; i < l->services.count; i++) {
        const service_draft *s = l->services.items[i];
        if (s->policy)
            settle_policy(l, s->policy, &(grant_spec){.service = s->value.name});
    }
    for (size_t i = 0; i < l->accounts.count; i++) {
        const account_draft *a = l->accounts.items[i];
        if (a->policy)
            settle_policy(l, a->policy, &(grant_spec){.account = a->value.email});
    }
    if (l->project_policy)
        settle_policy(l, l->project_policy, &(grant_spec){0});
}
