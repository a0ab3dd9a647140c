/* Names and types: what the parser left open is settled, what does not fit is refused. */
#include <assert.h>

#include "base/buf.h"
#include "cel/internal.h"

enum { SHOWN_MAX = 60, KNOWN_MAX = 200 };

static int shown(span s)
{
    return s.n > SHOWN_MAX ? SHOWN_MAX : (int)s.n;
}

/* ---- names ---- */

static bool find_attribute(const compiler *c, span name, size_t *out_index)
{
    for (size_t i = 0; c->attributes[i].name; i++) {
        if (span_eq_str(name, c->attributes[i].name)) {
            *out_index = i;
            return true;
        }
    }
    return false;
}

/* "request.time.seconds": an attribute with a field behind it. */
static bool refuse_field(compiler *c, const expr *e)
{
    for (size_t i = 0; c->attributes[i].name; i++) {
        const span known = span_of(c->attributes[i].name);
        if (e->name.n > known.n && span_starts(e->name, known) && e->name.p[known.n] == '.')
            return refuse(c, e->at, "%s is %s, which has no fields%s", known.p,
                          type_name(c->attributes[i].kind),
                          c->attributes[i].kind == CEL_TIMESTAMP
                              ? "; ask functions such as .getHours() of it"
                              : "");
    }
    return true;
}

static bool check_name(compiler *c, expr *e)
{
    size_t i = 0;
    if (find_attribute(c, e->name, &i)) {
        e->op = EXPR_ATTRIBUTE;
        e->index = i;
        e->type = c->attributes[i].kind;
        return true;
    }
    if (!refuse_field(c, e))
        return false;
    const char *why = refused_attribute(e->name);
    if (why)
        return refuse(c, e->at, "%.*s: %s", shown(e->name), e->name.p, why);
    auto_buf buf known = buf_make(KNOWN_MAX);
    for (i = 0; c->attributes[i].name; i++)
        buf_fmt(&known, "%s%s", i ? ", " : "", c->attributes[i].name);
    return refuse(c, e->at, "unknown attribute '%.*s'; known here: %s", shown(e->name), e->name.p,
                  known.p);
}

/* ---- operators ---- */

static bool want_bool(compiler *c, const expr *e, const char *where)
{
    if (e->type == CEL_BOOL)
        return true;
    return refuse(c, e->at, "%s needs true or false on each side, and here is %s", where,
                  type_name(e->type));
}

/* How two types that do not go together could. */
static const char *cure(unsigned a, unsigned b)
{
    enum { NUMBERS = 1 << CEL_INT | 1 << CEL_DOUBLE };
    static const struct {
        unsigned one, other; /* bits */
        const char *text;
    } rows[] = {
        {1 << CEL_INT, 1 << CEL_DOUBLE,
         "; write 1.0 instead of 1, or convert with double(…) or int(…)"},
        {1 << CEL_STRING, 1 << CEL_TIMESTAMP,
         "; write timestamp(\"2030-01-01T00:00:00Z\") around the text"},
        {1 << CEL_STRING, 1 << CEL_DURATION, "; write duration(\"60s\") around the text"},
        {1 << CEL_STRING, NUMBERS, "; convert with string(…) or int(…)"},
        {1 << CEL_TIMESTAMP, NUMBERS,
         "; write timestamp(…) around the number, or int(…) around the timestamp"},
    };
    for (size_t i = 0; i < countof(rows); i++)
        if ((rows[i].one >> a & rows[i].other >> b & 1u) ||
            (rows[i].one >> b & rows[i].other >> a & 1u))
            return rows[i].text;
    return "";
}

static bool check_comparison(compiler *c, expr *e)
{
    const unsigned a = e->first->type, b = e->first->next->type;
    e->type = CEL_BOOL;
    if (a == TYPE_LIST || b == TYPE_LIST)
        return refuse(c, e->first->type == TYPE_LIST ? e->first->at : e->first->next->at,
                      "lists are supported to the right of `in` only: write x in [\"a\", \"b\"]");
    if (a != b)
        return refuse(c, e->at, "'%.*s' compares %s with %s%s", SPAN_ARG(e->name), type_name(a),
                      type_name(b), cure(a, b));
    return true;
}

static bool check_in(compiler *c, expr *e)
{
    const expr *what = e->first, *list = e->first->next;
    e->type = CEL_BOOL;
    if (list->type != TYPE_LIST)
        return refuse(c, list->at, "`in` needs a list such as [\"a\", \"b\"] on its right side%s",
                      list->type == CEL_STRING ? "; for parts of a text write .contains(…)" : "");
    if (what->type == TYPE_LIST)
        return refuse(c, what->at, "lists of lists are not supported");
    for (const expr *item = list->first; item; item = item->next)
        if (item->type != what->type)
            return refuse(c, item->at, "`in` looks for %s, and this is %s%s", type_name(what->type),
                          type_name(item->type), cure(what->type, item->type));
    return true;
}

static bool check_if(compiler *c, expr *e)
{
    const expr *test = e->first, *yes = test->next, *no = yes->next;
    e->type = yes->type;
    if (test->type != CEL_BOOL)
        return refuse(c, test->at, "what stands before '?' has to be true or false, and is %s",
                      type_name(test->type));
    if (yes->type == TYPE_LIST || no->type == TYPE_LIST)
        return refuse(c, e->at, "lists are supported directly behind `in` only");
    if (yes->type != no->type)
        return refuse(c, e->at, "'?:' chooses between %s and %s; both have to be of one type%s",
                      type_name(yes->type), type_name(no->type), cure(yes->type, no->type));
    return true;
}

/* ---- calls ---- */

static bool is_operator(const expr *e)
{
    return e->name.n == 1 && strchr("+-*/%", e->name.p[0]) != NULL;
}

/* "a string, an int". */
static void describe_wanted(const overload *o, buf *out)
{
    for (size_t i = 0; i < o->argc; i++)
        buf_fmt(out, "%s%s", i ? ", " : "", type_name(o->in[i]));
}

static void describe_found(const expr *e, buf *out)
{
    for (const expr *arg = e->first; arg; arg = arg->next)
        buf_fmt(out, "%s%s", arg == e->first ? "" : ", ", type_name(arg->type));
    if (!e->first)
        buf_str(out, "nothing");
}

static bool refuse_operator(compiler *c, const expr *e)
{
    assert(e->first && e->last);
    const unsigned a = e->first->type, b = e->last->type;
    if (e->argc == 1)
        return refuse(c, e->at, "'-' needs a number, and here is %s", type_name(a));
    return refuse(c, e->at, "'%.*s' is not defined for %s and %s%s", SPAN_ARG(e->name),
                  type_name(a), type_name(b), cure(a, b));
}

/* The name is known, in this form or in the other one. */
static bool refuse_arguments(compiler *c, const expr *e, const overload *known)
{
    auto_buf buf found = buf_make(KNOWN_MAX), wanted = buf_make(KNOWN_MAX);
    if (known->method != e->method)
        return refuse(c, e->at, "write %s%.*s(…)%s", known->method ? "x." : "", shown(e->name),
                      e->name.p, known->method ? "" : " around the value, not behind a dot");
    describe_found(e, &found);
    describe_wanted(known, &wanted);
    return refuse(c, e->at, "%.*s takes %s%s%s, and here is %s", shown(e->name), e->name.p,
                  wanted.p, known->method ? " (in front of the dot first)" : "",
                  overload_named(e->name, e->method, 1) ? " (among others)" : "", found.p);
}

static bool refuse_call(compiler *c, const expr *e)
{
    if (is_operator(e))
        return refuse_operator(c, e);
    const overload *known = overload_named(e->name, e->method, 0);
    if (!known)
        known = overload_named(e->name, !e->method, 0);
    if (known)
        return refuse_arguments(c, e, known);
    return refuse(c, e->at,
                  "unknown function '%.*s'; supported are the functions on strings, timestamps and "
                  "durations that IAM's attribute reference lists",
                  shown(e->name), e->name.p);
}

static bool check_call(compiler *c, expr *e)
{
    e->call = overload_find(e->name, e->method, e->first, e->argc);
    if (!e->call)
        return refuse_call(c, e);
    e->type = e->call->out;
    return !e->call->prepare || e->call->prepare(c, e);
}

/* Macros and other constructs are told by their name, before anything about what they are given. */
static bool check_known(compiler *c, const expr *e)
{
    if (e->op != EXPR_CALL || is_operator(e))
        return true;
    size_t unused;
    if (e->method && e->first->op == EXPR_NAME && !find_attribute(c, e->first->name, &unused)) {
        const char *whole =
            arena_fmt(c->mem, "%.*s.%.*s", SPAN_ARG(e->first->name), SPAN_ARG(e->name));
        const char *why = refused_attribute(span_of(whole));
        if (why)
            return refuse(c, e->first->at, "%.*s: %s", SHOWN_MAX, whole, why);
    }
    const char *why = refused_function(e->name);
    if (why)
        return refuse(c, e->at, "%.*s(): %s", shown(e->name), e->name.p, why);
    return true;
}

static bool check_logic(compiler *c, expr *e)
{
    e->type = CEL_BOOL;
    if (e->op == EXPR_NOT)
        return e->first->type == CEL_BOOL ||
               refuse(c, e->first->at, "'!' needs true or false, and here is %s",
                      type_name(e->first->type));
    const char *where = e->op == EXPR_AND ? "'&&'" : "'||'";
    return want_bool(c, e->first, where) && want_bool(c, e->first->next, where);
}

static bool check_list(compiler *c, expr *e)
{
    e->type = TYPE_LIST;
    for (const expr *item = e->first; item; item = item->next)
        if (item->type == TYPE_LIST)
            return refuse(c, item->at, "lists of lists are not supported");
    return true;
}

static bool check_const(compiler *c, expr *e)
{
    (void)c;
    e->type = e->value.kind;
    return true;
}

static bool check_select(compiler *c, expr *e)
{
    return refuse(c, e->at, "%s has no field '%.*s'; a function is called with ()",
                  type_name(e->first->type), shown(e->name), e->name.p);
}

/* The children first. */
bool check(compiler *c, expr *e)
{
    static bool (*const checks[])(compiler *, expr *) = {
        [EXPR_CONST] = check_const,   [EXPR_NAME] = check_name,     [EXPR_ATTRIBUTE] = check_name,
        [EXPR_SELECT] = check_select, [EXPR_CALL] = check_call,     [EXPR_LIST] = check_list,
        [EXPR_IN] = check_in,         [EXPR_NOT] = check_logic,     [EXPR_AND] = check_logic,
        [EXPR_OR] = check_logic,      [EXPR_IF] = check_if,         [EXPR_EQ] = check_comparison,
        [EXPR_NE] = check_comparison, [EXPR_LT] = check_comparison, [EXPR_LE] = check_comparison,
        [EXPR_GT] = check_comparison, [EXPR_GE] = check_comparison,
    };
    if (!check_known(c, e))
        return false;
    for (expr *child = e->first; child; child = child->next)
        if (!check(c, child))
            return false;
    return checks[e->op](c, e);
}
