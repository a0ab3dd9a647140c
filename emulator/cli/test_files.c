/* Finding test files and loading what they are about. */
#include "cli/test_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "cli/cli.h"

#define COMMAND "test"

enum { FILES_MAX = 10000, PROBLEMS_MAX = 4 * 1024 * 1024 };

/* ---- which files ---- */

typedef struct name_list {
    char **items;
    size_t count, cap;
} name_list;

static void names_free(name_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->items[i]);
    free(l->items);
    *l = (name_list){0};
}

static void names_add(name_list *l, char *name)
{
    l->items = array_room(l->items, l->count, &l->cap, sizeof *l->items);
    l->items[l->count++] = name;
}

static int by_name(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

static bool list_folder(const char *folder, name_list *out, error *e)
{
    DIR *d = opendir(folder);
    if (!d)
        return error_errno(e, "cannot list %s", folder);
    const bool here = strcmp(folder, ".") == 0;
    const struct dirent *entry;
    while (out->count < FILES_MAX && (entry = readdir(d)) != NULL) {
        const span name = span_of(entry->d_name);
        if (name.p[0] != '.' && span_ends(name, SPAN_LIT(".test.yaml")))
            names_add(out, here ? span_dup(name) : file_join(folder, name.p));
    }
    (void)closedir(d);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_name);
    return true;
}

static bool same_file(const char *a, const char *b)
{
    auto_free char *one = realpath(a, NULL);
    auto_free char *other = realpath(b, NULL);
    return one && other ? strcmp(one, other) == 0 : strcmp(a, b) == 0;
}

/* ---- suites ---- */

typedef struct loading {
    const test_files_options *o;
    test_suites *out;
    buf problems;
    bool failed; /* what failed was printed already */
} loading;

static void take_problems(loading *l, diagnostics *d)
{
    diagnostics_print(d, &l->problems);
    diagnostics_free(d);
}

/* NULL: it cannot be loaded, which was said. */
static suite *suite_about(loading *l, const char *topology)
{
    test_suites *all = l->out;
    for (size_t i = 0; i < all->count; i++)
        if (same_file(all->items[i]->topology, topology))
            return all->items[i];
    snapshot *s = cli_load(topology, NULL);
    if (!s)
        return NULL;
    all->items = array_room(all->items, all->count, &all->cap, sizeof(suite *));
    return all->items[all->count++] = suite_new(topology, s);
}

/* filter: leave out those that are about another topology. */
static void load_file(loading *l, const char *file, bool filter)
{
    diagnostics d = {0};
    const char *config = l->o->config;
    auto_free char *named = config && !filter ? NULL : suite_file_topology(file, &d);
    take_problems(l, &d);
    const char *topology = config && !filter ? config : named;
    if (!topology || (filter && !same_file(topology, config)))
        return;
    suite *s = suite_about(l, topology);
    l->failed |= s == NULL;
    if (s)
        (void)suite_read(s, file, &d);
    take_problems(l, &d);
}

static int load_beside(loading *l)
{
    error e = {0};
    name_list found = {0};
    const char *topology = cli_config_path(l->o->config);
    auto_free char *folder = file_dirname(topology);
    if (!list_folder(folder, &found, &e))
        return cli_failed(COMMAND, &e);
    for (size_t i = 0; i < found.count; i++)
        load_file(l, found.items[i], l->o->config != NULL);
    names_free(&found);
    if (l->out->count || l->failed || l->problems.n)
        return -1;
    return cli_usage_error(COMMAND, "no *.test.yaml in %s is about %s", folder,
                           l->o->config ? topology : "a topology");
}

int test_suites_load(const test_files_options *o, test_suites *out)
{
    loading l = {.o = o, .out = out, .problems = buf_make(PROBLEMS_MAX)};
    int status = -1;
    *out = (test_suites){0};
    if (!o->files[0])
        status = load_beside(&l);
    for (size_t i = 0; o->files[i]; i++)
        load_file(&l, o->files[i], false);
    fwrite(l.problems.p ? l.problems.p : "", 1, l.problems.n, stderr);
    if (status < 0 && (l.problems.n || l.failed))
        status = CLI_USAGE;
    buf_free(&l.problems);
    return status;
}

void test_suites_free(test_suites *s)
{
    for (size_t i = 0; i < s->count; i++)
        suite_free(s->items[i]);
    free(s->items);
    *s = (test_suites){0};
}
