/* matrix: the shorthand for one case per cell. What is not listed has to be refused. */
#include <stdlib.h>

#include "expect/reading.h"
#include "expect/roster.h"

/* Which item of the list lets the caller call the service; NULL: none does. */
typedef struct grid {
    roster rows;
    size_t columns;
    const node **granted; /* NULL: not all rows are known */
    const node **named;   /* by row: the key that names the caller */
} grid;

typedef enum who { WHO_ONE, WHO_AUTHENTICATED, WHO_ALL } who;

static who who_of(span key)
{
    if (span_eq_str(key, "allUsers") || span_eq_str(key, "anonymous"))
        return WHO_ALL;
    return span_eq_str(key, "allAuthenticatedUsers") ? WHO_AUTHENTICATED : WHO_ONE;
}

static void grant(grid *g, size_t row, size_t column, const node *item)
{
    if (g->granted && !g->granted[row * g->columns + column])
        g->granted[row * g->columns + column] = item;
}

static void grant_to(grid *g, const node_pair *line, size_t row, size_t column, const node *item)
{
    const who w = who_of(line->key->text);
    if (w == WHO_ONE) {
        grant(g, row, column, item);
        return;
    }
    for (size_t i = 0; i < g->rows.count; i++)
        if (w == WHO_ALL || g->rows.emails[i])
            grant(g, i, column, item);
}

/* First all callers, so that the grid has its size before it is filled. */
static bool read_rows(reading *r, const node *map, grid *g)
{
    bool good = true;
    for (size_t i = 0; i < map->count; i++) {
        value v = {.text = NULL};
        if (who_of(map->pairs[i].key->text) != WHO_ONE)
            continue;
        good = read_caller_value(r, "matrix", map->pairs[i].key, &v) && good;
        if (good)
            (void)roster_add(&g->rows, v.text);
    }
    if (good && g->rows.count > SUITE_CASES_MAX / (g->columns ? g->columns : 1)) {
        diag_at(r->l.diags, map->at, "matrix: %zu callers x %zu services are more than %d cases",
                g->rows.count, g->columns, SUITE_CASES_MAX);
        return false;
    }
    return good;
}

static void read_line(reading *r, const node_pair *line, grid *g)
{
    value v = {.text = NULL};
    size_t row = 0;
    if (who_of(line->key->text) == WHO_ONE && read_caller_value(r, "matrix", line->key, &v)) {
        row = roster_find(&g->rows, v.text);
        if (g->granted)
            g->named[row] = line->key;
    }
    if (!read_is_list(&r->l, line->key->text.p, line->value, "a list such as [backend-api]"))
        return;
    for (size_t i = 0; i < line->value->count; i++) {
        const node *item = line->value->items[i];
        if (!read_service_value(r, line->key->text.p, item, &v))
            continue;
        const service *svc = snapshot_find_service(r->s->s, span_of(v.text));
        grant_to(g, line, row, svc->index, item);
    }
}

static void add_cells(reading *r, const node *key, const grid *g)
{
    for (size_t row = 0; row < g->rows.count; row++) {
        auto_buf buf name = buf_make(512);
        caller_put(&name, r->s->s, g->rows.emails[row]);
        for (size_t column = 0; column < g->columns; column++) {
            const service *svc = snapshot_service(r->s->s, column);
            const node *item = g->granted[row * g->columns + column];
            const node *at = item ? item : g->named[row] ? g->named[row] : key;
            const test_case c = {
                .name = arena_fmt(r->s->mem, "%s -> %s", name.p, svc->name),
                .at = at->at,
                .call = {.caller = g->rows.emails[row], .service = svc->name, .internal = true},
                .wanted = {.allows = item != NULL, .reason = REASON_COUNT_}};
            if (!add_case(r, &c))
                return;
        }
    }
}

void read_expected_matrix(loader *l, const node_pair *entry, void *into)
{
    reading *r = reading_of(l);
    (void)into;
    if (!read_is_map(l, "matrix", entry->value))
        return;
    grid g = {.rows = roster_of(r->s->s), .columns = snapshot_service_count(r->s->s)};
    const size_t before = diag_count(l->diags);
    if (read_rows(r, entry->value, &g)) {
        g.granted = arena_alloc(l->mem, (g.rows.count * g.columns + 1) * sizeof *g.granted);
        g.named = arena_alloc(l->mem, (g.rows.count + 1) * sizeof *g.named);
    }
    for (size_t i = 0; i < entry->value->count; i++)
        read_line(r, &entry->value->pairs[i], &g);
    if (g.granted && diag_count(l->diags) == before)
        add_cells(r, entry->key, &g);
    roster_free(&g.rows);
}
