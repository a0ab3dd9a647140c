/* Conditions of bindings, compiled when they are read: a mistake is told at its line and column. */
#include "config/load.h"

typedef struct condition_draft {
    const node *title, *description, *expression;
} condition_draft;

static bool read_text(loader *l, const char *key, const node *n, const char **out)
{
    span text;
    if (!n || node_is_null(n))
        return true;
    if (!read_scalar(l, key, n, "text", &text))
        return false;
    *out = text.p;
    return true;
}

static void report_problem(loader *l, const node *map, const condition_draft *d,
                           const cel_problem *p)
{
    place at;
    if (!p->line || !d->expression)
        diag_at(l->diags, map->at, "condition: %s", p->text);
    else if (node_text_place(d->expression, p->line, p->column, &at))
        diag_at(l->diags, at, "expression: %s", p->text);
    else
        diag_at(l->diags, d->expression->at, "expression: %s (its line %u, column %u)", p->text,
                p->line, p->column);
}

static bool compiles(loader *l, const node *map, const condition_draft *d,
                     const condition_text *text)
{
    cel_problem problem = {0};
    condition *c = condition_new(text, &problem);
    const bool ok = c != NULL;
    if (!ok)
        report_problem(l, map, d, &problem);
    condition_free(c);
    return ok;
}

condition_text *read_condition(loader *l, const node *map)
{
    static const key_spec keys[] = {
        {"title", read_node, offsetof(condition_draft, title)},
        {"description", read_node, offsetof(condition_draft, description)},
        {"expression", read_node, offsetof(condition_draft, expression)},
        {"location", read_ignored, 0},
        {NULL, NULL, 0},
    };
    condition_draft d = {0};
    if (map->kind != NODE_MAP) {
        expected(l, "condition", map, "a mapping with title and expression");
        return NULL;
    }
    read_map(l, map, "a condition", keys, &d);
    condition_text *text = arena_alloc(l->mem, sizeof *text);
    *text = (condition_text){0};
    if (!read_text(l, "title", d.title, &text->title) ||
        !read_text(l, "description", d.description, &text->description) ||
        !read_text(l, "expression", d.expression, &text->expression))
        return NULL;
    return compiles(l, map, &d, text) ? text : NULL;
}
