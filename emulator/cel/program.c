/* The front door: text to program, program to answer. */
#include "cel/internal.h"

enum { BLOCK_BYTES = 2048 }; /* of a program's memory: most are small, and there may be many */

struct cel_program {
    arena *mem;
    span text;
    const expr *root;
};

static bool acceptable(compiler *c)
{
    if (c->text.n > CEL_TEXT_MAX)
        return refuse(c, 0, "the expression is longer than %d bytes", CEL_TEXT_MAX);
    for (size_t i = 0; i < c->text.n;) {
        const size_t n = utf8_length(span_from(c->text, i));
        if (n == 0)
            return refuse(c, i, "the expression is not UTF-8 text");
        if (c->text.p[i] == '\0')
            return refuse(c, i, "the expression contains a NUL character");
        i += n;
    }
    return true;
}

static bool check_root(compiler *c, expr *root)
{
    if (!check(c, root))
        return false;
    if (root->type == CEL_BOOL)
        return true;
    return refuse(c, root->at,
                  "the expression yields %s; a condition has to yield true or false, so compare it "
                  "with something",
                  type_name(root->type));
}

cel_program *cel_compile(span text, const cel_attribute *attributes, cel_problem *out)
{
    arena *mem = arena_new_of(BLOCK_BYTES);
    compiler c = {.text = text, .mem = mem, .attributes = attributes, .out = out};
    bool ok = acceptable(&c);
    if (ok) {
        c.text = (span){arena_dup(mem, text), text.n};
        expr *root = parse(&c);
        ok = root && check_root(&c, root);
        if (ok) {
            cel_program *p = arena_alloc(mem, sizeof *p);
            *p = (cel_program){mem, c.text, root};
            return p;
        }
    }
    arena_free(mem);
    return NULL;
}

void cel_free(cel_program *p)
{
    if (p)
        arena_free(p->mem);
}

cel_result cel_eval(const cel_program *p, const cel_value *values)
{
    run r; /* not initialised as a whole: the scratch is large and mostly unused */
    r.attributes = values;
    r.steps = RUN_STEPS;
    r.used = 0;
    cel_value out = {0};
    if (!eval(&r, p->root, &out))
        return CEL_FAILED;
    return out.b ? CEL_TRUE : CEL_FALSE;
}

/* In the order of the text: *left counts down. */
static const expr *find_logical(const expr *e, size_t *left)
{
    const bool counts = e->op == EXPR_NOT || e->op == EXPR_AND || e->op == EXPR_OR;
    const bool prefix = e->op == EXPR_NOT;
    if (prefix && (*left)-- == 0)
        return e;
    for (const expr *child = e->first; child; child = child->next) {
        if (counts && !prefix && child != e->first && (*left)-- == 0)
            return e;
        const expr *found = find_logical(child, left);
        if (found)
            return found;
    }
    return NULL;
}

bool cel_logical_operator(const cel_program *p, size_t n, uint32_t *out_line, uint32_t *out_column)
{
    const expr *e = find_logical(p->root, &n);
    if (e)
        place_in(p->text, e->at, out_line, out_column);
    return e != NULL;
}
