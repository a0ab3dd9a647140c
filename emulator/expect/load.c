/* From a test file to cases. A test whose values are lists stands for every combination. */
#include <stdlib.h>

#include "base/array.h"
#include "base/file.h"
#include "expect/reading.h"

enum { VALUES_MAX = 100 * 1000, NAME_MAX_BYTES = 1024 };

/* ---- a test ---- */

typedef enum axis_id {
    AXIS_CALLER,
    AXIS_SERVICE,
    AXIS_HOST,
    AXIS_PATH,
    AXIS_AUDIENCE,
    AXIS_TOKEN,
    AXIS_HEADER,
    AXIS_INTERNAL,
    AXIS_TIME,
    AXIS_COUNT
} axis_id;

static const struct {
    const char *key;
    value_reader *read;
} axes[AXIS_COUNT] = {
    [AXIS_CALLER] = {"caller", read_caller_value},
    [AXIS_SERVICE] = {"service", read_service_value},
    [AXIS_HOST] = {"host", read_host_value},
    [AXIS_PATH] = {"path", read_path_value},
    [AXIS_AUDIENCE] = {"audience", read_text_value},
    [AXIS_TOKEN] = {"token", read_token_value},
    [AXIS_HEADER] = {"header", read_header_value},
    [AXIS_INTERNAL] = {"internal", read_internal_value},
    [AXIS_TIME] = {"time", read_time_value},
};

typedef struct draft {
    const node *name, *expect;
    const node *axis[AXIS_COUNT];
} draft;

static const key_spec TEST_KEYS[] = {
    {"name", read_node, offsetof(draft, name)},
    {"caller", read_node, offsetof(draft, axis[AXIS_CALLER])},
    {"service", read_node, offsetof(draft, axis[AXIS_SERVICE])},
    {"host", read_node, offsetof(draft, axis[AXIS_HOST])},
    {"path", read_node, offsetof(draft, axis[AXIS_PATH])},
    {"audience", read_node, offsetof(draft, axis[AXIS_AUDIENCE])},
    {"token", read_node, offsetof(draft, axis[AXIS_TOKEN])},
    {"header", read_node, offsetof(draft, axis[AXIS_HEADER])},
    {"internal", read_node, offsetof(draft, axis[AXIS_INTERNAL])},
    {"time", read_node, offsetof(draft, axis[AXIS_TIME])},
    {"expect", read_node, offsetof(draft, expect)},
    {NULL, NULL, 0},
};

/* The values of one axis; none: the test does not mention it. */
typedef struct column {
    value *values;
    size_t count;
} column;

static bool read_column(reading *r, axis_id a, const node *n, column *out)
{
    *out = (column){0};
    if (!n)
        return true;
    const node *const one[] = {n};
    const node *const *items = n->kind == NODE_LIST ? n->items : one;
    const size_t count = n->kind == NODE_LIST ? n->count : 1;
    if (!count || count > VALUES_MAX) {
        diag_at(r->l.diags, n->at, "%s: expected 1 to %d values, found %zu", axes[a].key,
                VALUES_MAX, count);
        return false;
    }
    out->values = arena_alloc(r->l.mem, count * sizeof *out->values);
    bool good = true;
    for (size_t i = 0; i < count; i++)
        good = axes[a].read(r, axes[a].key, items[i], &out->values[out->count++]) && good;
    return good;
}

static void apply(axis_id a, const value *v, test_case *c)
{
    switch (a) {
    case AXIS_CALLER:
        c->call.caller = v->text;
        return;
    case AXIS_SERVICE:
        c->call.service = v->text;
        return;
    case AXIS_HOST:
        c->call.host = v->text;
        return;
    case AXIS_PATH:
        c->call.path = v->text;
        return;
    case AXIS_AUDIENCE:
        c->call.audience = v->text;
        return;
    case AXIS_TOKEN:
        c->call.way = (token_way)v->number;
        return;
    case AXIS_HEADER:
        c->call.header = (token_header)v->number;
        return;
    case AXIS_INTERNAL:
        c->call.internal = v->number != 0;
        return;
    case AXIS_TIME:
        c->timed = true;
        c->relative = v->relative;
        c->time_us = v->number;
        return;
    case AXIS_COUNT:
        break;
    }
    abort();
}

/* "frontend-sa -> backend-api, /api/items, token expired" */
static const char *made_up_name(reading *r, const char *title, const value *const *chosen)
{
    auto_buf buf b = buf_make(NAME_MAX_BYTES);
    if (title)
        buf_fmt(&b, "%.200s: ", title);
    bool first = true;
    for (size_t a = 0; a < AXIS_COUNT; a++) {
        const char *shown = chosen[a] ? chosen[a]->shown : NULL;
        if (!shown)
            continue;
        const bool target = a == AXIS_SERVICE || a == AXIS_HOST;
        buf_fmt(&b, "%s%.200s", first ? "" : target ? " -> " : ", ", shown);
        first = false;
    }
    return arena_dup(r->s->mem, buf_view(&b));
}

bool add_case(reading *r, const test_case *c)
{
    suite *s = r->s;
    if (s->count == SUITE_CASES_MAX) {
        diag_at(r->l.diags, c->at, "more than %d cases, combinations counted in full",
                SUITE_CASES_MAX);
        return false;
    }
    s->cases = array_room(s->cases, s->count, &s->cap, sizeof *s->cases);
    s->cases[s->count++] = *c;
    return true;
}

/* Moves on to the next combination, the last axis first; false: that was the last one. */
static bool next(const column *columns, size_t *at)
{
    for (size_t a = AXIS_COUNT; a-- > 0;) {
        if (++at[a] < columns[a].count)
            return true;
        at[a] = 0;
    }
    return false;
}

/* What cannot be combined is told once per test. */
static bool check_case(reading *r, const test_case *c)
{
    hypothesis h = {.path = NULL};
    error e = {0};
    const bool good = hypothesis_make(&c->call, r->s->s, 0, &h, &e);
    hypothesis_free(&h);
    if (!good)
        diag_at(r->l.diags, c->at, "%s", e.text);
    return good;
}

static void add_combinations(reading *r, const test_case *base, const char *title,
                             const column *columns)
{
    size_t at[AXIS_COUNT] = {0};
    bool several = false;
    for (size_t a = 0; a < AXIS_COUNT; a++)
        several |= columns[a].count > 1;
    do {
        test_case c = *base;
        const value *chosen[AXIS_COUNT] = {NULL};
        for (size_t a = 0; a < AXIS_COUNT; a++) {
            if (!columns[a].count)
                continue;
            chosen[a] = &columns[a].values[at[a]];
            apply((axis_id)a, chosen[a], &c);
        }
        c.name = title && !several ? title : made_up_name(r, title, chosen);
        if (!check_case(r, &c) || !add_case(r, &c))
            return;
    } while (next(columns, at));
}

/* false: reported. */
static bool is_complete(reading *r, const node *test, const draft *d)
{
    const size_t before = diag_count(r->l.diags);
    if (!d->axis[AXIS_CALLER])
        diag_at(r->l.diags, test->at, "a test wants a caller: an account, a service, or anonymous");
    if (!d->axis[AXIS_SERVICE] && !d->axis[AXIS_HOST])
        diag_at(r->l.diags, test->at, "a test wants a service (or a host)");
    if (d->axis[AXIS_SERVICE] && d->axis[AXIS_HOST])
        diag_at(r->l.diags, d->axis[AXIS_HOST]->at,
                "service and host exclude each other: a host says which service it is");
    if (!d->expect)
        diag_at(r->l.diags, test->at, "a test wants expect: allow, refuse, 403, no_grant, ...");
    return diag_count(r->l.diags) == before;
}

static void read_test(reading *r, const node *test)
{
    draft d = {.name = NULL};
    column columns[AXIS_COUNT];
    test_case base = {.at = test->at};
    const size_t before = diag_count(r->l.diags);
    if (test->kind != NODE_MAP) {
        expected(&r->l, "tests", test, "a mapping with caller, service and expect");
        return;
    }
    read_map(&r->l, test, "a test", TEST_KEYS, &d);
    bool good = is_complete(r, test, &d);
    span title = {NULL, 0};
    if (d.name)
        good = read_scalar(&r->l, "name", d.name, "text", &title) && good;
    if (d.expect)
        good = read_expectation(r, d.expect, &base.wanted) && good;
    for (size_t a = 0; a < AXIS_COUNT; a++)
        good = read_column(r, (axis_id)a, d.axis[a], &columns[a]) && good;
    if (good && diag_count(r->l.diags) == before)
        add_combinations(r, &base, title.p, columns);
}

/* ---- the file ---- */

static void read_tests(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_list(l, "tests", entry->value, "a list of tests"))
        return;
    for (size_t i = 0; i < entry->value->count; i++)
        read_test(reading_of(l), entry->value->items[i]);
}

static const key_spec TOP_KEYS[] = {
    {"topology", read_ignored, 0}, /* suite_file_topology */
    {"tests", read_tests, 0},
    {"matrix", read_expected_matrix, 0},
    {NULL, NULL, 0},
};

/* The file's mapping, in mem; NULL: reported. */
static const node *parse(loader *l, const char *path)
{
    error e = {0};
    size_t n = 0;
    diag_file(l->diags, path);
    auto_free char *text = file_read(path, TOPOLOGY_FILE_MAX, &n, &e);
    if (!text) {
        const size_t named = strlen(path);
        const bool repeats =
            strncmp(e.text, path, named) == 0 && strncmp(e.text + named, ": ", 2) == 0;
        diag_at(l->diags, (place){path, 1, 1}, "%s", repeats ? e.text + named + 2 : e.text);
        return NULL;
    }
    const node *root = yaml_parse(l->mem, l->diags, path, (span){text, n}, &l->budget);
    if (root && root->kind == NODE_MAP)
        return root;
    if (root)
        expected(l, "the test file", root, "a mapping with topology and tests");
    return NULL;
}

static loader loader_for(arena *mem)
{
    return (loader){
        .mem = mem, .diags = diag_new(), .budget = {TOPOLOGY_NODES_MAX, TOPOLOGY_DEPTH_MAX}};
}

bool suite_read(suite *s, const char *path, diagnostics *out)
{
    reading r = {.l = loader_for(s->mem), .s = s, .file = arena_dup(s->mem, span_of(path))};
    s->files = array_room(s->files, s->file_count, &s->file_cap, sizeof *s->files);
    s->files[s->file_count++] = r.file;
    const node *root = parse(&r.l, r.file);
    if (root)
        read_map(&r.l, root, "the test file", TOP_KEYS, &r);
    if (root && diag_count(r.l.diags) == 0 && !node_get(root, "tests") && !node_get(root, "matrix"))
        diag_at(r.l.diags, root->at, "neither tests: nor matrix: is there, so nothing is tested");
    const bool good = diag_count(r.l.diags) == 0;
    diag_finish(r.l.diags, out);
    diag_free(r.l.diags);
    return good;
}

/* x.yaml beside x.test.yaml; NULL: the name has another form. */
static char *topology_beside(const char *path)
{
    const span ending = SPAN_LIT(".test.yaml");
    const span name = span_of(path);
    if (!span_ends(name, ending) || name.n == ending.n)
        return NULL;
    auto_buf buf b = buf_make(name.n + 8);
    buf_add(&b, name.p, name.n - ending.n);
    buf_str(&b, ".yaml");
    return buf_take(&b);
}

char *suite_file_topology(const char *path, diagnostics *out)
{
    arena *mem = arena_new();
    loader l = loader_for(mem);
    char *found = NULL;
    span name;
    const node *root = parse(&l, path);
    const node *given = root ? node_get(root, "topology") : NULL;
    if (given && read_scalar(&l, "topology", given, "a file name", &name)) {
        auto_free char *dir = file_dirname(path);
        const bool plain = strcmp(dir, ".") == 0 && !strchr(path, '/');
        found = plain ? span_dup(name) : file_join(dir, name.p);
    } else if (root && !given) {
        found = topology_beside(path);
        if (!found)
            diag_at(l.diags, root->at, "topology: is missing: the file that the tests are about");
    }
    diag_finish(l.diags, out);
    diag_free(l.diags);
    arena_free(mem);
    return found;
}
