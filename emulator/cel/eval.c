/* Walks the checked tree. An error is a third answer beside true and false, which && and || absorb
 * when their other side decides alone (cel-spec, "Logical Operators"). */
#include "cel/internal.h"

static cel_value of_bool(bool b)
{
    return (cel_value){CEL_BOOL, {.b = b}};
}

static bool eval_logic(run *r, const expr *e, cel_value *out)
{
    const bool decides = e->op == EXPR_OR; /* the value of one side that settles the matter */
    cel_value left = {0}, right = {0};
    const bool left_ok = eval(r, e->first, &left);
    if (left_ok && left.b == decides) {
        *out = left;
        return true;
    }
    if (!eval(r, e->first->next, &right))
        return false;
    *out = right;
    return left_ok || right.b == decides;
}

static bool equal(cel_value a, cel_value b)
{
    switch (a.kind) {
    case CEL_BOOL:
        return a.b == b.b;
    case CEL_DOUBLE:
        return a.d >= b.d && a.d <= b.d; /* false for NaN */
    case CEL_STRING:
        return span_eq(a.s, b.s);
    case CEL_INT:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return a.i == b.i;
    }
    abort();
}

/* Strings by code points, which in UTF-8 is by bytes. */
static int compare_spans(span a, span b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    const int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static bool less(cel_value a, cel_value b)
{
    switch (a.kind) {
    case CEL_BOOL:
        return !a.b && b.b;
    case CEL_DOUBLE:
        return a.d < b.d;
    case CEL_STRING:
        return compare_spans(a.s, b.s) < 0;
    case CEL_INT:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return a.i < b.i;
    }
    abort();
}

static bool eval_comparison(run *r, const expr *e, cel_value *out)
{
    cel_value a = {0}, b = {0};
    if (!eval(r, e->first, &a) || !eval(r, e->first->next, &b))
        return false;
    if (a.kind == CEL_STRING && !run_spend(r, a.s.n < b.s.n ? a.s.n : b.s.n))
        return false;
    bool is = false;
    if (e->op == EXPR_EQ || e->op == EXPR_NE)
        is = equal(a, b) == (e->op == EXPR_EQ);
    else if (e->op == EXPR_LT || e->op == EXPR_LE)
        is = less(a, b) || (e->op == EXPR_LE && equal(a, b));
    else
        is = less(b, a) || (e->op == EXPR_GE && equal(a, b));
    *out = of_bool(is);
    return true;
}

/* An error in any item is one of the whole: the list is made before it is searched. */
static bool eval_in(run *r, const expr *e, cel_value *out)
{
    cel_value what = {0}, item = {0};
    bool found = false;
    if (!eval(r, e->first, &what))
        return false;
    for (const expr *i = e->first->next->first; i; i = i->next) {
        if (!eval(r, i, &item) || (item.kind == CEL_STRING && !run_spend(r, item.s.n)))
            return false;
        found = found || equal(what, item);
    }
    *out = of_bool(found);
    return true;
}

static bool eval_call(run *r, const expr *e, cel_value *out)
{
    cel_value args[CALL_ARGS_MAX] = {0};
    size_t n = 0;
    for (const expr *arg = e->first; arg; arg = arg->next)
        if (!eval(r, arg, &args[n++]))
            return false;
    out->kind = (cel_kind)e->call->out;
    return e->call->call(r, e, args, out);
}

static bool eval_not(run *r, const expr *e, cel_value *out)
{
    cel_value v = {0};
    if (!eval(r, e->first, &v))
        return false;
    *out = of_bool(!v.b);
    return true;
}

static bool eval_if(run *r, const expr *e, cel_value *out)
{
    cel_value test = {0};
    if (!eval(r, e->first, &test))
        return false;
    const expr *yes = e->first->next;
    return eval(r, test.b ? yes : yes->next, out);
}

static bool eval_const(run *r, const expr *e, cel_value *out)
{
    (void)r;
    *out = e->value;
    return true;
}

static bool eval_attribute(run *r, const expr *e, cel_value *out)
{
    *out = r->attributes[e->index];
    return true;
}

bool eval(run *r, const expr *e, cel_value *out)
{
    /* Names, fields and lists by themselves do not get through the check. */
    static bool (*const evals[])(run *, const expr *, cel_value *) = {
        [EXPR_CONST] = eval_const,   [EXPR_ATTRIBUTE] = eval_attribute,
        [EXPR_CALL] = eval_call,     [EXPR_IN] = eval_in,
        [EXPR_NOT] = eval_not,       [EXPR_AND] = eval_logic,
        [EXPR_OR] = eval_logic,      [EXPR_IF] = eval_if,
        [EXPR_EQ] = eval_comparison, [EXPR_NE] = eval_comparison,
        [EXPR_LT] = eval_comparison, [EXPR_LE] = eval_comparison,
        [EXPR_GT] = eval_comparison, [EXPR_GE] = eval_comparison,
    };
    return run_spend(r, 1) && evals[e->op](r, e, out);
}
