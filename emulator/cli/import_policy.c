/* Policies and custom roles. */
#include <stdlib.h>

#include "base/hash.h"
#include "cli/import.h"
#include "policy/role.h"

enum { LINE_MAX_BYTES = 8192 };

/* ---- conditions ---- */

static void report_expression(imported *m, const node *map, const cel_problem *p)
{
    const node *expression = node_get(map, "expression");
    place at;
    if (!p->line || !expression)
        diag_at(m->diags, map->at, "condition: %s", p->text);
    else if (node_text_place(expression, p->line, p->column, &at))
        diag_at(m->diags, at, "expression: %s", p->text);
    else
        diag_at(m->diags, expression->at, "expression: %s (its line %u, column %u)", p->text,
                p->line, p->column);
}

/* false: reported. */
static bool read_condition(imported *m, const node *map, const char *role, condition_text *out)
{
    const char *refused = condition_refused_role(span_of(role));
    if (map->kind != NODE_MAP || refused) {
        diag_at(m->diags, map->at, "%s",
                refused ? refused : "condition: expected title and expression");
        return false;
    }
    *out = (condition_text){import_text(node_get(map, "title")),
                            import_text(node_get(map, "description")),
                            import_text(node_get(map, "expression"))};
    cel_problem problem = {0};
    condition *c = condition_new(out, &problem);
    if (!c)
        report_expression(m, map, &problem);
    const bool good = c != NULL;
    condition_free(c);
    return good;
}

/* ---- roles ---- */

static bool is_custom(span role)
{
    return span_starts(role, SPAN_LIT("projects/")) ||
           span_starts(role, SPAN_LIT("organizations/"));
}

/* Would a topology take it? Roles of other services grant nothing and are taken, those of Cloud Run
 * and what looks like a slip of the pen are not. */
static bool is_known(span role)
{
    return role_can_invoke(role) != ROLE_UNKNOWN || is_custom(role) ||
           (span_find(role, '.') < role.n && !span_starts(role, SPAN_LIT("roles/run.")) &&
            !did_you_mean(role, role_names()));
}

/* NULL: reported, or left out. */
static const char *read_role(imported *m, const node *map)
{
    const node *n = node_get(map, "role");
    const char *role = import_text(n);
    if (!role || (!is_custom(span_of(role)) && !span_starts(span_of(role), SPAN_LIT("roles/")))) {
        diag_at(m->diags, n ? n->at : map->at, "role: expected a role such as " ROLE_INVOKER);
        return NULL;
    }
    if (is_known(span_of(role)) || m->options->topology)
        return role;
    buf_fmt(&m->left_out, "%s:%u: left out: role %.200s is not known here\n", n->at.file,
            n->at.line, role);
    return NULL;
}

/* ---- bindings ---- */

static void add_member(imported *m, snapshot_builder *b, const node *n, const grant_spec *of)
{
    member who;
    error e = {0};
    const char *text = import_text(n);
    if (!text) {
        diag_at(m->diags, n->at, "members: expected a member such as user:alice@example.com");
        return;
    }
    if (!member_parse(span_of(text), &who, &e)) {
        diag_at(m->diags, n->at, "%s", e.text);
        return;
    }
    const char *refused = of->condition ? condition_refused_member(&who) : NULL;
    if (refused)
        diag_at(m->diags, n->at, "%s", refused);
    grant_spec g = *of;
    g.member = text;
    g.place = n->at;
    snapshot_builder_grant(b, &g);
}

static void add_binding(imported *m, snapshot_builder *b, const node *map, const found_policy *p)
{
    condition_text text;
    if (map->kind != NODE_MAP) {
        diag_at(m->diags, map->at, "bindings: expected role and members");
        return;
    }
    const node *members = node_get(map, "members"), *when = node_get(map, "condition");
    grant_spec g = {.service = p->service, .account = p->account, .role = read_role(m, map)};
    if (!g.role)
        return;
    if (when && !node_is_null(when)) {
        if (!read_condition(m, when, g.role, &text))
            return;
        g.condition = &text;
    }
    if (!members || members->kind != NODE_LIST) {
        diag_at(m->diags, members ? members->at : map->at, "members: expected a list");
        return;
    }
    for (size_t i = 0; i < members->count; i++)
        add_member(m, b, members->items[i], &g);
}

void import_add_policy(imported *m, snapshot_builder *b, const found_policy *p)
{
    const node *bindings = node_get(p->map, "bindings");
    if (!bindings || node_is_null(bindings))
        return;
    if (bindings->kind != NODE_LIST)
        diag_at(m->diags, bindings->at, "bindings: expected a list");
    for (size_t i = 0; bindings->kind == NODE_LIST && i < bindings->count; i++)
        add_binding(m, b, bindings->items[i], p);
}

/* ---- custom roles ---- */

void import_add_role(imported *m, snapshot_builder *b, const node *role)
{
    const node *list = node_get(role, "includedPermissions");
    const size_t count = list->kind == NODE_LIST ? list->count : 0;
    const char **permissions = arena_alloc(m->mem, (count + 1) * sizeof(*permissions));
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (import_text(list->items[i]))
            permissions[n++] = import_text(list->items[i]);
    snapshot_builder_role(b, import_text(node_get(role, "name")), permissions);
}

static bool is_described(const imported *m, const char *role)
{
    for (size_t i = 0; i < m->roles.count; i++)
        if (strcmp(import_text(node_get(m->roles.items[i], "name")), role) == 0)
            return true;
    return m->options->topology && snapshot_find_role(m->options->topology, span_of(role));
}

static void add_missing_role(imported *m, snapshot_builder *b, strmap *seen,
                             const node *binding_map)
{
    static const char *const nothing[] = {NULL};
    const node *n = node_get(binding_map, "role");
    const char *role = import_text(n);
    if (!role || !is_custom(span_of(role)) || is_described(m, role) ||
        !strmap_put(seen, span_of(role), (void *)(uintptr_t)role))
        return;
    buf_fmt(&m->left_out,
            "%s:%u: what %.200s permits is not told; import what 'gcloud iam roles describe' "
            "prints, too\n",
            n->at.file, n->at.line, role);
    snapshot_builder_role(b, role, nothing);
}

void import_add_missing_roles(imported *m, snapshot_builder *b)
{
    strmap *seen = strmap_new();
    for (size_t i = 0; i < m->policies.count; i++) {
        const node *bindings = node_get(m->policies.items[i].map, "bindings");
        for (size_t k = 0; bindings && bindings->kind == NODE_LIST && k < bindings->count; k++)
            add_missing_role(m, b, seen, bindings->items[k]);
    }
    strmap_free(seen);
}
