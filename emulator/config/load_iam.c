/* What IAM has beside bindings: custom roles, deny rules; and the images that stand for commands.
 */
#include "config/load.h"
#include "policy/deny.h"
#include "policy/role.h"

enum { ROLE_ID_MIN = 3, ROLE_ID_MAX = 64 };

/* ---- custom roles ---- */

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_role_id(span id)
{
    for (size_t i = 0; i < id.n; i++) {
        if (!is_letter_or_digit(id.p[i]) && id.p[i] != '_' && id.p[i] != '.')
            return false;
    }
    return id.n >= ROLE_ID_MIN && id.n <= ROLE_ID_MAX;
}

/* "R", "projects/P/roles/R" or "organizations/N/roles/R" */
static bool is_role_name(span name)
{
    span rest = name, part;
    if (span_find(name, '/') == name.n)
        return is_role_id(name);
    (void)span_cut(&rest, '/', &part);
    if (!span_eq_str(part, "projects") && !span_eq_str(part, "organizations"))
        return false;
    return span_cut(&rest, '/', &part) && part.n && span_cut(&rest, '/', &part) &&
           span_eq_str(part, "roles") && is_role_id(rest);
}

/* "run.routes.invoke" */
static bool is_permission(span text)
{
    size_t dots = 0;
    for (size_t i = 0; i < text.n; i++) {
        const bool dot = text.p[i] == '.';
        if (!dot && !is_letter_or_digit(text.p[i]))
            return false;
        if (dot && (i == 0 || i + 1 == text.n || text.p[i - 1] == '.'))
            return false;
        dots += dot;
    }
    return dots == 2;
}

void read_roles(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_map(l, "roles", entry->value))
        return;
    for (size_t i = 0; i < entry->value->count; i++) {
        const node_pair *role = &entry->value->pairs[i];
        if (is_role_name(role->key->text))
            vec_push(l->mem, &l->roles, role);
        else
            expected(l, "roles", role->key,
                     "the ID of a custom role: 3 to 64 letters, digits, '_' and '.'");
    }
}

const char *role_full_name(loader *l, span name)
{
    return span_find(name, '/') < name.n
               ? name.p
               : arena_fmt(l->mem, "projects/%s/roles/%s", l->project.id, name.p);
}

static void settle_role(loader *l, const node_pair *role)
{
    static const char wanted[] = "a permission such as " PERMISSION_INVOKE;
    const char *key = role->key->text.p, *name = role_full_name(l, role->key->text);
    const char *const none[] = {NULL}, *const *permissions = none;
    span text;
    const node *first = strmap_get(l->roles_by_name, span_of(name));
    if (first)
        diag_at(l->diags, role->key->at, "role '%s' is already defined at %s:%u", key,
                first->at.file, first->at.line);
    else
        (void)strmap_put(l->roles_by_name, span_of(name), (void *)(uintptr_t)role->key);
    read_text_list(l, role, (void *)&permissions);
    for (size_t i = 0; role->value->kind == NODE_LIST && i < role->value->count; i++) {
        const node *item = role->value->items[i];
        if (item->kind == NODE_SCALAR && read_scalar(l, key, item, wanted, &text) &&
            !is_permission(text))
            expected(l, key, item, wanted);
    }
    snapshot_builder_role(l->builder, name, permissions);
}

void settle_roles(loader *l)
{
    for (size_t i = 0; i < l->roles.count; i++)
        settle_role(l, l->roles.items[i]);
}

/* Of Cloud Run's roles and the basic ones all are known here; those of other services exist in
 * production and grant nothing here. */
static bool is_elsewhere(span role)
{
    return span_starts(role, SPAN_LIT("roles/")) && span_find(role, '.') < role.n &&
           !span_starts(role, SPAN_LIT("roles/run."));
}

bool read_role(loader *l, const node *role, span *out)
{
    if (!read_scalar(l, "role", role, "a role such as " ROLE_INVOKER, out))
        return false;
    if (role_can_invoke(*out) != ROLE_UNKNOWN || strmap_get(l->roles_by_name, *out))
        return true;
    const char *meant = diag_suggest(l->diags, *out, load_words(l, WORDS_ROLES));
    if (is_elsewhere(*out) && !*meant)
        return true;
    if (!span_starts(*out, SPAN_LIT("roles/")) && span_find(*out, '/') != out->n)
        diag_at(l->diags, role->at, "custom role %s is not defined under 'roles'%s",
                found_text(l, role), meant);
    else
        diag_at(l->diags, role->at, "unknown role %s%s", found_text(l, role), meant);
    return false;
}

/* ---- deny rules ---- */

typedef struct deny_draft {
    deny_rule value;
    const node *nested, *principals, *permissions;
} deny_draft;

static void read_checked(loader *l, const node_pair *entry, bool (*check)(span text, error *e),
                         const char *const **out)
{
    const node *list = entry->value;
    read_text_list(l, entry, (void *)out);
    for (size_t i = 0; list->kind == NODE_LIST && i < list->count; i++) {
        error e = {0};
        if (list->items[i]->kind == NODE_SCALAR && !check(list->items[i]->text, &e))
            diag_at(l->diags, list->items[i]->at, "%s", e.text);
    }
}

static void read_principals(loader *l, const node_pair *entry, void *into)
{
    read_checked(l, entry, deny_principal_check, into);
}

static void read_permissions(loader *l, const node_pair *entry, void *into)
{
    read_checked(l, entry, deny_permission_check, into);
}

static void read_denial_condition(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    diag_at(l->diags, entry->key->at,
            "denialCondition: such conditions look at resource tags, which are not emulated; leave "
            "it out, and the rule always applies");
}

static const key_spec DENY_KEYS[] = {
    {"deniedPrincipals", read_principals, offsetof(deny_draft, value.principals)},
    {"exceptionPrincipals", read_principals, offsetof(deny_draft, value.exception_principals)},
    {"deniedPermissions", read_permissions, offsetof(deny_draft, value.permissions)},
    {"exceptionPermissions", read_permissions, offsetof(deny_draft, value.exception_permissions)},
    {"denialCondition", read_denial_condition, 0},
    {"description", read_ignored, 0},
    {"denyRule", read_node, offsetof(deny_draft, nested)}, /* as deny policies have it: last */
    {NULL, NULL, 0},
};

void read_deny(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_list(l, "deny", entry->value, "a list of deny rules"))
        return;
    for (size_t i = 0; i < entry->value->count; i++)
        vec_push(l->mem, &l->denies, entry->value->items[i]);
}

static void settle_deny_rule(loader *l, const node *map)
{
    static const char *const none[] = {NULL};
    deny_draft d = {.value = {NULL, none, none, none, none, map->at}};
    if (map->kind != NODE_MAP) {
        expected(l, "deny", map, "a mapping with deniedPrincipals and deniedPermissions");
        return;
    }
    read_map(l, map, "a deny rule", DENY_KEYS, &d);
    const node *nested = d.nested;
    d.nested = NULL;
    if (nested)
        read_map(l, nested, "a deny rule", DENY_KEYS, &d);
    if (d.nested)
        diag_at(l->diags, d.nested->at, "denyRule stands within a denyRule");
    if (!d.value.principals[0])
        diag_at(l->diags, map->at, "a deny rule needs 'deniedPrincipals'");
    if (!d.value.permissions[0])
        diag_at(l->diags, map->at, "a deny rule needs 'deniedPermissions'");
    snapshot_builder_deny(l->builder, &d.value);
}

void settle_deny(loader *l)
{
    for (size_t i = 0; i < l->denies.count; i++)
        settle_deny_rule(l, l->denies.items[i]);
}

/* ---- images ---- */

static bool is_image(span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if ((unsigned char)text.p[i] <= ' ' || text.p[i] == 0x7f)
            return false;
    }
    return text.n > 0;
}

void read_images(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_map(l, "images", entry->value))
        return;
    for (size_t i = 0; i < entry->value->count; i++)
        vec_push(l->mem, &l->images, &entry->value->pairs[i]);
}

void settle_images(loader *l)
{
    strmap *seen = strmap_new();
    for (size_t i = 0; i < l->images.count; i++) {
        const node_pair *image = l->images.items[i];
        const char *const none[] = {NULL}, *const *command = none;
        const node *first = strmap_get(seen, image->key->text);
        if (!is_image(image->key->text))
            expected(l, "images", image->key, "an image such as gcr.io/my-project/frontend");
        if (first)
            diag_at(l->diags, image->key->at, "image '%s' is already given at %s:%u",
                    image->key->text.p, first->at.file, first->at.line);
        (void)strmap_put(seen, image->key->text, (void *)(uintptr_t)image->key);
        read_command(l, image, (void *)&command);
        snapshot_builder_image(l->builder, image->key->text.p, command);
    }
    strmap_free(seen);
}
