/* From operands to trees, and what each tree is. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/import.h"
#include "config/values.h"

enum { FILES_MAX_NODES = 4 * 1000 * 1000, DEPTH_MAX = 32, PROBLEMS_MAX = 1024 * 1024 };

/* ---- trees ---- */

const char *import_text(const node *n)
{
    return n && n->kind == NODE_SCALAR && !node_is_null(n) ? n->text.p : NULL;
}

const node *import_path(const node *map, const char *const *path)
{
    for (; map && *path; path++)
        map = node_get(map, *path);
    return map;
}

/* ---- what a tree is ---- */

static void read_tree(imported *m, const node *n, const char *whose);

static void read_list(imported *m, const node *list, const char *whose)
{
    for (size_t i = 0; list->kind == NODE_LIST && i < list->count; i++)
        read_tree(m, list->items[i], whose);
}

static void read_service(imported *m, const node *map)
{
    static const char *const path[] = {"metadata", "name", NULL};
    const node *name_node = import_path(map, path);
    const char *name = import_text(name_node);
    if (!name || !value_is_service_name(span_of(name))) {
        diag_at(m->diags, name_node ? name_node->at : map->at,
                "metadata.name: expected the name of a service");
        return;
    }
    const found_service *first = imported_service(m, name);
    if (first) {
        diag_at(m->diags, map->at, "service '%s' stands at %s:%u already", name,
                first->map->at.file, first->map->at.line);
        return;
    }
    import_check_service(m, map);
    found_push(&m->services, ((found_service){name, map}));
}

static void read_account(imported *m, const node *map)
{
    const node *email_node = node_get(map, "email");
    const char *email = import_text(email_node);
    if (email && value_is_service_account_email(span_of(email)))
        found_push(&m->accounts, ((found_account){email, map}));
    else
        diag_at(m->diags, email_node->at, "email: expected a service account's");
}

static bool is_role(const node *map)
{
    const char *name = import_text(node_get(map, "name"));
    return node_get(map, "includedPermissions") && name && strstr(name, "roles/");
}

static void read_map_tree(imported *m, const node *map, const char *whose)
{
    const char *kind = import_text(node_get(map, "kind"));
    const node *items = node_get(map, "items");
    if (items)
        read_list(m, items, whose);
    else if (kind && strcmp(kind, "Service") == 0)
        read_service(m, map);
    else if (kind)
        diag_at(m->diags, map->at, "kind: expected Service, found '%.60s'", kind);
    else if (node_get(map, "email"))
        read_account(m, map);
    else if (is_role(map))
        found_push(&m->roles, map);
    else if (node_get(map, "bindings") || node_get(map, "etag"))
        found_push(&m->policies, ((found_policy){.whose = whose, .map = map}));
    else
        diag_at(m->diags, map->at,
                "neither a policy (bindings), a Cloud Run service (kind: Service), a service "
                "account (email) nor a custom role (includedPermissions)");
}

static void read_tree(imported *m, const node *n, const char *whose)
{
    if (n->kind == NODE_MAP)
        read_map_tree(m, n, whose);
    else if (n->kind == NODE_LIST)
        read_list(m, n, whose);
    else
        diag_at(m->diags, n->at, "expected what gcloud prints with --format=json, yaml or export");
}

/* ---- operands ---- */

/* "WHOSE=FILE"; a file whose name has an = in it may be given as it is. */
static void read_operand(imported *m, const char *operand)
{
    const char *equals = strchr(operand, '=');
    const bool told = equals && equals != operand && access(operand, F_OK) != 0;
    const char *path = arena_dup(m->mem, span_of(told ? equals + 1 : operand));
    auto_free char *hint =
        told ? span_dup((span){operand, (size_t)(equals - operand)}) : import_hint(path);
    error e = {0};
    size_t n;
    auto_free char *text = file_read(path, TOPOLOGY_FILE_MAX, &n, &e);
    diag_file(m->diags, path);
    if (!text) {
        const size_t skip = strlen(path);
        const bool repeats = strncmp(e.text, path, skip) == 0 && e.text[skip] == ':';
        diag_at(m->diags, (place){path, 1, 1}, "%s", repeats ? e.text + skip + 2 : e.text);
        return;
    }
    const node *root = yaml_parse(m->mem, m->diags, path, (span){text, n}, &m->budget);
    if (root)
        read_tree(m, root, arena_dup(m->mem, span_of(hint)));
}

static bool print_problems(imported *m)
{
    diagnostics problems = {0};
    if (diag_count(m->diags) == 0)
        return true;
    auto_buf buf text = buf_make(PROBLEMS_MAX);
    diag_finish(m->diags, &problems);
    diagnostics_print(&problems, &text);
    diagnostics_free(&problems);
    (void)fwrite(text.p ? text.p : "", 1, text.n, stderr);
    return false;
}

const found_service *imported_service(const imported *m, const char *name)
{
    for (size_t i = 0; i < m->services.count; i++)
        if (strcmp(m->services.items[i].name, name) == 0)
            return &m->services.items[i];
    return NULL;
}

bool import_files(char *const *operands, const import_options *o, imported *out)
{
    *out = (imported){.mem = arena_new(),
                      .diags = diag_new(),
                      .budget = {FILES_MAX_NODES, DEPTH_MAX},
                      .options = o,
                      .left_out = buf_make(PROBLEMS_MAX)};
    for (; *operands; operands++)
        read_operand(out, *operands);
    for (size_t i = 0; i < out->policies.count; i++)
        (void)import_settle_whose(out, &out->policies.items[i]);
    if (diag_count(out->diags) == 0)
        import_build(out);
    return print_problems(out);
}

void imported_free(imported *m)
{
    snapshot_unref(m->s);
    free(m->policies.items);
    free(m->services.items);
    free(m->accounts.items);
    free(m->roles.items);
    buf_free(&m->left_out);
    diag_free(m->diags);
    arena_free(m->mem);
}
