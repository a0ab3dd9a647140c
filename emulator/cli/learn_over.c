/* What the topology grants, against what the calls need. */
#include <stdlib.h>
#include <string.h>

#include "cli/learn.h"
#include "cli/yaml_out.h"
#include "policy/role.h"

enum { LINE_MAX_BYTES = 8 * 1024, USERS_SHOWN_MAX = 6 };

bool learn_is_cell(const binding *g)
{
    return !g->project_level && !g->account && !g->condition && strcmp(g->role, ROLE_INVOKER) == 0;
}

/* The need that is exactly this grant; NULL: none. */
static const need *exact_need(const learned *l, const binding *g)
{
    auto_buf buf key = buf_make(LINE_MAX_BYTES);
    if (g->project_level || g->account)
        return NULL;
    buf_fmt(&key, "n\n%s\n%s", snapshot_service(l->s, g->service)->name, g->member);
    return strmap_get(l->index, buf_view(&key));
}

static bool is_needed(const learned *l, const binding *g)
{
    const need *n = exact_need(l, g);
    if (!n)
        return false;
    return g->condition ? n->unnamed != 0 : need_counts(n) && learn_is_cell(g);
}

/* "CALLER -> SERVICE (PLACE)", with the role where it is not the usual one. */
static void put_grant(buf *b, const learned *l, const binding *g)
{
    learn_caller(b, l->s, g->member);
    buf_fmt(b, " -> %s",
            g->project_level ? "every service" : snapshot_service(l->s, g->service)->name);
    if (!learn_is_cell(g))
        buf_fmt(b, ", %s", g->role);
    if (g->condition)
        buf_str(b, " with a condition");
    if (g->place.file) {
        buf_str(b, " (");
        place_put(b, g->place, true);
        buf_char(b, ')');
    }
}

/* Those whom it let in; ": used by A and B only". */
static void put_users(buf *b, const learned *l, const binding *g)
{
    size_t shown = 0;
    for (size_t i = 0; i < l->need_count; i++) {
        const need *n = l->needs[i];
        if (n->by != g || strcmp(n->member, g->member) == 0)
            continue;
        if (shown == USERS_SHOWN_MAX) {
            buf_str(b, " and more");
            break;
        }
        buf_str(b, shown++ ? ", " : ": used by ");
        learn_caller(b, l->s, n->member);
    }
    const need *exact = exact_need(l, g);
    if (!shown && exact && exact->covered)
        buf_str(b, ": the service is open to everybody");
    else if (!shown && !exact)
        buf_str(b, ": never used");
}

void learn_over(buf *b, const learned *l)
{
    bool said = false;
    for (size_t i = 0; i < snapshot_binding_count(l->s); i++) {
        const binding *g = snapshot_binding(l->s, i);
        auto_buf buf line = buf_make(LINE_MAX_BYTES);
        if (!g->invokes || is_needed(l, g))
            continue;
        if (!said)
            yaml_put_comment(b, 0, "Granted now, and not needed for these calls:");
        said = true;
        buf_str(&line, "  ");
        put_grant(&line, l, g);
        put_users(&line, l, g);
        yaml_put_comment(b, 0, buf_ok(&line) ? line.p : "  …");
    }
}

/* ---- --diff ---- */

static size_t put_surplus(buf *b, const learned *l)
{
    size_t lines = 0;
    for (size_t i = 0; i < snapshot_binding_count(l->s); i++) {
        const binding *g = snapshot_binding(l->s, i);
        if (!learn_is_cell(g) || is_needed(l, g))
            continue;
        buf_str(b, "- ");
        put_grant(b, l, g);
        put_users(b, l, g);
        buf_char(b, '\n');
        lines++;
    }
    return lines;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "SERVICE\nMEMBER" of each cell that the topology has, sorted. */
static char **cells_of(const snapshot *s, size_t *out_count)
{
    const size_t all = snapshot_binding_count(s);
    char **cells = calloc(all + 1, sizeof *cells);
    size_t n = 0;
    if (!cells)
        abort();
    for (size_t i = 0; i < all; i++) {
        const binding *g = snapshot_binding(s, i);
        auto_buf buf key = buf_make(LINE_MAX_BYTES);
        if (!learn_is_cell(g))
            continue;
        buf_fmt(&key, "%s\n%s", snapshot_service(s, g->service)->name, g->member);
        cells[n++] = buf_ok(&key) ? buf_take(&key) : span_dup((span){0});
    }
    qsort(cells, n, sizeof *cells, by_text);
    *out_count = n;
    return cells;
}

static size_t put_missing(buf *b, const learned *l, char *const *cells, size_t count)
{
    size_t lines = 0;
    for (size_t i = 0; i < l->need_count; i++) {
        const need *n = l->needs[i];
        auto_buf buf key = buf_make(LINE_MAX_BYTES);
        buf_fmt(&key, "%s\n%s", n->service->name, n->member);
        const char *text = buf_ok(&key) ? key.p : "";
        if (!need_counts(n) || (count && bsearch(&text, cells, count, sizeof *cells, by_text)))
            continue;
        buf_str(b, "+ ");
        learn_caller(b, l->s, n->member);
        buf_fmt(b, " -> %s: ", n->service->name);
        learn_put_use(b, n);
        buf_char(b, '\n');
        lines++;
    }
    return lines;
}

size_t learn_diff(buf *b, const learned *l)
{
    size_t count = 0;
    char **cells = cells_of(l->s, &count);
    const size_t lines = put_surplus(b, l) + put_missing(b, l, cells, count);
    for (size_t i = 0; i < count; i++)
        free(cells[i]);
    free(cells);
    return lines;
}
