/* Which files make up a topology: the one that was named and what it includes. */
#include <limits.h>
#include <stdlib.h>

#include "base/file.h"
#include "config/load.h"

static const key_spec TOP_KEYS[] = {
    {"project", read_project, 0},
    {"region", read_region, 0},
    {"listen", read_shared_listeners, 0},
    {"keys", read_keys, 0},
    {"service_accounts", read_accounts, 0},
    {"services", read_services, 0},
    {"matrix", read_matrix, 0},
    {"groups", read_groups, 0},
    {"users", read_users, 0},
    {"roles", read_roles, 0},
    {"deny", read_deny, 0},
    {"images", read_images, 0},
    {"include", read_include, 0},
    {"emulation", read_emulation, 0},
    {"limits", read_default_limits, 0},
    {"egress", read_egress, 0},
    {NULL, NULL, 0},
};

/* The error's text without the path that the diagnostic names anyway. */
static const char *without_path(const error *e, const char *path)
{
    size_t n = strlen(path);
    bool repeats = strncmp(e->text, path, n) == 0 && strncmp(e->text + n, ": ", 2) == 0;
    return repeats ? e->text + n + 2 : e->text;
}

static bool is_cycle(const source_file *from, const char *real)
{
    for (; from; from = from->includer)
        if (from->real && strcmp(from->real, real) == 0)
            return true;
    return false;
}

static bool was_read(const loader *l, const char *real)
{
    for (size_t i = 0; i < l->files.count; i++)
        if (l->files.items[i]->real && strcmp(l->files.items[i]->real, real) == 0)
            return true;
    return false;
}

/* at: where to report that it cannot be read. */
static void read_source(loader *l, source_file *f, place at)
{
    error e = {0};
    size_t n;
    auto_free char *text = file_read(f->shown, TOPOLOGY_FILE_MAX, &n, &e);
    if (!text) {
        bool named = at.file == f->shown;
        diag_at(l->diags, at, "%s%s", named ? "" : arena_fmt(l->mem, "%s: ", f->shown),
                without_path(&e, f->shown));
        l->incomplete = true;
        return;
    }
    const node *root = yaml_parse(l->mem, l->diags, f->shown, (span){text, n}, &l->budget);
    if (!root || root->kind != NODE_MAP) {
        l->incomplete = true;
        if (root)
            expected(l, "the topology", root, "a mapping with project, services, ...");
        return;
    }
    const source_file *before = l->file;
    l->file = f;
    read_map(l, root, "the topology", TOP_KEYS, l);
    l->file = before;
}

static source_file *add_file(loader *l, const char *shown, const char *real)
{
    source_file *f = arena_alloc(l->mem, sizeof *f);
    f->shown = shown;
    f->real = real ? arena_dup(l->mem, span_of(real)) : NULL;
    f->includer = l->file;
    vec_push(l->mem, &l->files, f);
    return f;
}

void read_topology(loader *l, const char *path)
{
    const char *shown = arena_dup(l->mem, span_of(path));
    auto_free char *real = realpath(path, NULL);
    source_file *f = add_file(l, shown, real);
    diag_file(l->diags, shown);
    read_source(l, f, (place){shown, 1, 1});
}

/* Relative to the including file, and written like it. */
static const char *include_path(loader *l, span name)
{
    auto_free char *dir = file_dirname(l->file->shown);
    if (strcmp(dir, ".") == 0 && !strchr(l->file->shown, '/'))
        return arena_dup(l->mem, name);
    auto_free char *joined = file_join(dir, name.p);
    return arena_dup(l->mem, span_of(joined));
}

static void include_one(loader *l, const node *item)
{
    span name;
    if (!read_scalar(l, "include", item, "a file name", &name))
        return;
    const char *shown = include_path(l, name);
    auto_free char *real = realpath(shown, NULL);
    if (real && is_cycle(l->file, real)) {
        diag_at(l->diags, item->at, "include: %s includes itself", shown);
        return;
    }
    if (real && was_read(l, real))
        return; /* two files may share a third */
    if (l->files.count > TOPOLOGY_INCLUDES_MAX) {
        diag_at(l->diags, item->at, "include: more than %d files", TOPOLOGY_INCLUDES_MAX);
        return;
    }
    read_source(l, add_file(l, shown, real), item->at);
}

void read_include(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_list(l, "include", entry->value, "a list such as [common.yaml]"))
        return;
    for (size_t i = 0; i < entry->value->count; i++)
        include_one(l, entry->value->items[i]);
}
