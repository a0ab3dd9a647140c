/* Tokens into a tree, by recursive descent (cel-spec, "Syntax"). What CEL has and we do not is
 * refused where it stands. */
#include "cel/internal.h"

enum { LEVEL_OR = 1, LEVEL_AND, LEVEL_RELATION, LEVEL_SUM, LEVEL_PRODUCT };

static expr *parse_if(compiler *c);

/* "'x'", or "the end of the expression": for messages. */
static bool refuse_token(compiler *c, const char *wanted)
{
    enum { SHOWN_MAX = 40 };
    const span t = c->token.text;
    if (c->token.kind == TOKEN_END)
        return refuse(c, c->token.at, "the expression ends here; expected %s", wanted);
    return refuse(c, c->token.at, "found '%.*s'; expected %s",
                  t.n > SHOWN_MAX ? SHOWN_MAX : (int)t.n, t.p, wanted);
}

static bool expect(compiler *c, token_kind kind, const char *wanted)
{
    if (c->token.kind != kind)
        return refuse_token(c, wanted);
    return lex(c);
}

/* ---- making nodes ---- */

static expr *node_new(compiler *c, expr_op op, size_t at)
{
    expr *e = arena_alloc(c->mem, sizeof *e);
    e->op = op;
    e->at = at;
    e->depth = 1;
    return e;
}

/* Evaluation recurses: what is too deep ends here. false: refused. */
static bool node_add(compiler *c, expr *e, expr *child)
{
    if (child->depth >= CEL_DEPTH_MAX)
        return refuse(c, e->at,
                      "the expression is nested or chained more than %d levels deep; write lists "
                      "with `in`, or split the condition into several bindings",
                      CEL_DEPTH_MAX);
    if (child->depth >= e->depth)
        e->depth = child->depth + 1;
    if (e->last)
        e->last->next = child;
    else
        e->first = child;
    e->last = child;
    e->argc++;
    return true;
}

static expr *node_with(compiler *c, expr *e, expr *a, expr *b)
{
    if (!a || !node_add(c, e, a))
        return NULL;
    if (b && !node_add(c, e, b))
        return NULL;
    return e;
}

/* ---- literals and names ---- */

static expr *parse_constant(compiler *c, cel_value value)
{
    expr *e = node_new(c, EXPR_CONST, c->token.at);
    e->value = value;
    return lex(c) ? e : NULL;
}

static expr *parse_int(compiler *c, bool negative)
{
    const uint64_t m = c->token.magnitude;
    if (m > (uint64_t)INT64_MAX + negative) {
        (void)refuse(c, c->token.at, "this number does not fit into an int of 64 bits");
        return NULL;
    }
    const int64_t value = negative ? -1 - (int64_t)(m - 1) : (int64_t)m;
    return parse_constant(c, (cel_value){CEL_INT, {.i = negative && m == 0 ? 0 : value}});
}

static expr *parse_double(compiler *c, bool negative)
{
    return parse_constant(c, (cel_value){CEL_DOUBLE, {.d = negative ? -c->token.d : c->token.d}});
}

/* Up to the closing token, which is consumed; into e. */
static bool parse_arguments(compiler *c, expr *e, token_kind close, const char *wanted)
{
    while (c->token.kind != close) {
        expr *item = parse_if(c);
        if (!item || !node_add(c, e, item))
            return false;
        if (c->token.kind == close)
            break;
        if (!expect(c, TOKEN_COMMA, wanted))
            return false;
        if (c->token.kind == close && close == TOKEN_CLOSE)
            return refuse_token(c, "another argument behind the comma");
    }
    return lex(c);
}

static expr *parse_list(compiler *c)
{
    expr *e = node_new(c, EXPR_LIST, c->token.at);
    if (!lex(c) || !parse_arguments(c, e, TOKEN_LIST_END, "',' or ']'"))
        return NULL;
    return e;
}

static expr *parse_name(compiler *c)
{
    const token name = c->token;
    if (!lex(c))
        return NULL;
    if (c->token.kind != TOKEN_OPEN) {
        expr *e = node_new(c, EXPR_NAME, name.at);
        e->name = name.text;
        return e;
    }
    expr *e = node_new(c, EXPR_CALL, name.at);
    e->name = name.text;
    if (!lex(c) || !parse_arguments(c, e, TOKEN_CLOSE, "',' or ')'"))
        return NULL;
    return e;
}

static expr *parse_parenthesis(compiler *c)
{
    if (!lex(c))
        return NULL;
    expr *e = parse_if(c);
    return e && expect(c, TOKEN_CLOSE, "an operator or ')'") ? e : NULL;
}

static expr *refuse_primary(compiler *c)
{
    if (c->token.kind == TOKEN_MAP)
        (void)refuse(c, c->token.at, "maps are not supported in conditions");
    else if (c->token.kind == TOKEN_NULL)
        (void)refuse(c, c->token.at,
                     "null is not supported: every attribute of a condition has a value");
    else
        (void)refuse_token(c, "a value, a name or '('");
    return NULL;
}

/* negative: a minus stood in front of a number. */
static expr *parse_primary(compiler *c, bool negative)
{
    if (c->token.kind == TOKEN_DOT) { /* a name without container: there is no other kind here */
        if (!lex(c))
            return NULL;
        if (c->token.kind != TOKEN_NAME) {
            (void)refuse_token(c, "a name behind the dot");
            return NULL;
        }
    }
    switch ((int)c->token.kind) { /* of many tokens a few */
    case TOKEN_INT:
        return parse_int(c, negative);
    case TOKEN_DOUBLE:
        return parse_double(c, negative);
    case TOKEN_STRING:
        return parse_constant(c, (cel_value){CEL_STRING, {.s = c->token.s}});
    case TOKEN_TRUE:
    case TOKEN_FALSE:
        return parse_constant(c, (cel_value){CEL_BOOL, {.b = c->token.kind == TOKEN_TRUE}});
    case TOKEN_NAME:
        return parse_name(c);
    case TOKEN_OPEN:
        return parse_parenthesis(c);
    case TOKEN_LIST:
        return parse_list(c);
    default:
        return refuse_primary(c);
    }
}

/* ---- what follows a value ---- */

static expr *parse_field(compiler *c, expr *left, token name)
{
    const size_t depth = left->depth;
    if (left->op == EXPR_NAME && depth < CEL_DEPTH_MAX) {
        const char *joined =
            arena_fmt(c->mem, "%.*s.%.*s", SPAN_ARG(left->name), SPAN_ARG(name.text));
        left->name = span_of(joined);
        left->depth++;
        return left;
    }
    expr *e = node_new(c, EXPR_SELECT, name.at);
    e->name = name.text;
    return node_with(c, e, left, NULL);
}

static expr *parse_behind_dot(compiler *c, expr *left)
{
    if (!lex(c))
        return NULL;
    const token name = c->token;
    if (name.kind == TOKEN_QUESTION) {
        (void)refuse(c, name.at, "optional fields (.?) are not supported");
        return NULL;
    }
    if (!expect(c, TOKEN_NAME, "the name of a field or function behind the dot"))
        return NULL;
    if (c->token.kind != TOKEN_OPEN)
        return parse_field(c, left, name);
    expr *e = node_new(c, EXPR_CALL, name.at);
    e->name = name.text;
    e->method = true;
    if (!node_with(c, e, left, NULL) || !lex(c) ||
        !parse_arguments(c, e, TOKEN_CLOSE, "',' or ')'"))
        return NULL;
    return e;
}

static expr *parse_member(compiler *c, bool negative)
{
    expr *e = parse_primary(c, negative);
    while (e) {
        if (c->token.kind == TOKEN_DOT) {
            e = parse_behind_dot(c, e);
        } else if (c->token.kind == TOKEN_LIST) {
            (void)refuse(c, c->token.at, "indexing with [ ] is not supported");
            return NULL;
        } else if (c->token.kind == TOKEN_MAP) {
            (void)refuse(c, c->token.at, "messages and maps are not supported in conditions");
            return NULL;
        } else {
            break;
        }
    }
    return e;
}

/* ---- operators ---- */

/* Either only `!` or only `-`, any number of them, as the grammar has it. */
static expr *parse_unary(compiler *c)
{
    size_t at[CEL_DEPTH_MAX];
    size_t count = 0;
    const token_kind kind = c->token.kind;
    if (kind != TOKEN_NOT && kind != TOKEN_MINUS)
        return parse_member(c, false);
    while (c->token.kind == kind) {
        if (count == CEL_DEPTH_MAX) {
            (void)refuse(c, c->token.at, "more than %d signs in a row", CEL_DEPTH_MAX);
            return NULL;
        }
        at[count++] = c->token.at;
        if (!lex(c))
            return NULL;
    }
    const bool number = c->token.kind == TOKEN_INT || c->token.kind == TOKEN_DOUBLE;
    const bool negative = kind == TOKEN_MINUS && number;
    expr *e = parse_member(c, negative);
    for (count -= negative; e && count > 0; count--) {
        expr *outer = node_new(c, kind == TOKEN_NOT ? EXPR_NOT : EXPR_CALL, at[count - 1]);
        outer->name = SPAN_LIT("-");
        e = node_with(c, outer, e, NULL);
    }
    return e;
}

typedef struct operator_row {
    token_kind token;
    int level;
    expr_op op;
} operator_row;

static const operator_row *find_operator(token_kind kind)
{
    static const operator_row rows[] = {
        {TOKEN_OR, LEVEL_OR, EXPR_OR},           {TOKEN_AND, LEVEL_AND, EXPR_AND},
        {TOKEN_EQ, LEVEL_RELATION, EXPR_EQ},     {TOKEN_NE, LEVEL_RELATION, EXPR_NE},
        {TOKEN_LT, LEVEL_RELATION, EXPR_LT},     {TOKEN_LE, LEVEL_RELATION, EXPR_LE},
        {TOKEN_GT, LEVEL_RELATION, EXPR_GT},     {TOKEN_GE, LEVEL_RELATION, EXPR_GE},
        {TOKEN_IN, LEVEL_RELATION, EXPR_IN},     {TOKEN_PLUS, LEVEL_SUM, EXPR_CALL},
        {TOKEN_MINUS, LEVEL_SUM, EXPR_CALL},     {TOKEN_STAR, LEVEL_PRODUCT, EXPR_CALL},
        {TOKEN_SLASH, LEVEL_PRODUCT, EXPR_CALL}, {TOKEN_PERCENT, LEVEL_PRODUCT, EXPR_CALL},
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].token == kind)
            return &rows[i];
    return NULL;
}

/* All operators of this level and above; each level associates to the left. */
static expr *parse_binary(compiler *c, int level)
{
    expr *left = level > LEVEL_PRODUCT ? parse_unary(c) : parse_binary(c, level + 1);
    const operator_row *row;
    while (left && (row = find_operator(c->token.kind)) && row->level == level) {
        expr *e = node_new(c, row->op, c->token.at);
        e->name = c->token.text;
        if (!lex(c))
            return NULL;
        expr *right = parse_binary(c, level + 1);
        left = right ? node_with(c, e, left, right) : NULL;
    }
    return left;
}

static expr *parse_choice(compiler *c, expr *test)
{
    expr *e = node_new(c, EXPR_IF, c->token.at);
    if (!lex(c))
        return NULL;
    expr *yes = parse_binary(c, LEVEL_OR);
    if (!yes || !expect(c, TOKEN_COLON, "an operator or ':'"))
        return NULL;
    expr *no = parse_if(c);
    if (!no || !node_add(c, e, test) || !node_add(c, e, yes) || !node_add(c, e, no))
        return NULL;
    return e;
}

static expr *parse_if(compiler *c)
{
    if (c->nesting == CEL_DEPTH_MAX) {
        (void)refuse(c, c->token.at, "the expression is nested more than %d levels deep",
                     CEL_DEPTH_MAX);
        return NULL;
    }
    c->nesting++;
    expr *e = parse_binary(c, LEVEL_OR);
    if (e && c->token.kind == TOKEN_QUESTION)
        e = parse_choice(c, e);
    c->nesting--;
    return e;
}

expr *parse(compiler *c)
{
    if (!lex(c))
        return NULL;
    if (c->token.kind == TOKEN_END) {
        (void)refuse(c, 0,
                     "the expression is empty; write what has to hold, such as "
                     "request.time < timestamp(\"2030-01-01T00:00:00Z\")");
        return NULL;
    }
    expr *e = parse_if(c);
    if (e && c->token.kind != TOKEN_END) {
        (void)refuse_token(c, "an operator, or the end");
        return NULL;
    }
    return e;
}
