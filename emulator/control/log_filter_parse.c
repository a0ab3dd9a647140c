/* The grammar: AND of (OR of ([NOT] term)); a term is a comparison, a bare value, a function or a
 * whole expression in parentheses. */
#include "control/log_filter_impl.h"

enum { SEGMENTS_MAX = 32 };

typedef struct parser {
    span text;
    lexeme now;
    size_t end; /* of what `now` stands for */
    arena *arena;
    unsigned depth;
    const comparison
        *field; /* within the parentheses behind "FIELD =": what they are compared to */
    error *e;
} parser;

static node *parse_and(parser *p);

static node *fail(const parser *p, size_t at, const char *what)
{
    (void)lex_fail(p->text, at, p->e, "%s", what);
    return NULL;
}

static bool advance(parser *p, bool value)
{
    if (!lex_next(p->text, p->end, value, &p->now, p->e))
        return false;
    p->end = p->now.at + p->now.raw.n;
    return true;
}

static node *make(parser *p, node_kind kind, node *left, node *right)
{
    node *n = arena_alloc(p->arena, sizeof *n);
    *n = (node){.kind = kind, .left = left, .right = right};
    return n;
}

/* ---- texts ---- */

/* What a value stands for, kept in the arena. */
static bool value_text(parser *p, const lexeme *l, span *out)
{
    auto_buf buf b = buf_make(p->text.n);
    if (l->kind != LEX_STRING)
        buf_span(&b, l->raw);
    else if (!lex_unquote(p->text, l->at, l->raw, &b, p->e))
        return false;
    *out = (span){arena_dup(p->arena, buf_view(&b)), b.n};
    return true;
}

/* One segment of a field's path, at *at in the lexeme; moves behind it. */
static bool segment(parser *p, const lexeme *l, size_t *at, const char **out)
{
    const span rest = span_from(l->raw, *at);
    auto_buf buf b = buf_make(p->text.n);
    if (rest.n == 0 || rest.p[0] != '"') {
        const size_t n = span_find(rest, '.');
        if (n == 0)
            return lex_fail(p->text, l->at + *at, p->e, "a field's name has an empty part");
        *out = arena_dup(p->arena, (span){rest.p, n});
        *at += n;
        return true;
    }
    size_t n = 1;
    while (rest.p[n] != '"')
        n += 1u + (rest.p[n] == '\\');
    if (!lex_unquote(p->text, l->at + *at, (span){rest.p, n + 1}, &b, p->e))
        return false;
    *out = arena_dup(p->arena, buf_view(&b));
    *at += n + 1;
    return true;
}

static bool resolve(parser *p, const lexeme *l, comparison *c)
{
    const char *segments[SEGMENTS_MAX];
    size_t count = 0, at = 0;
    if (l->kind != LEX_TEXT)
        return lex_fail(p->text, l->at, p->e, "expected a field's name in front of the operator");
    for (;;) {
        if (count == SEGMENTS_MAX)
            return lex_fail(p->text, l->at, p->e, "a field's name has too many parts");
        if (!segment(p, l, &at, &segments[count++]))
            return false;
        if (at == l->raw.n)
            break;
        if (l->raw.p[at++] != '.')
            return lex_fail(p->text, l->at + at - 1, p->e, "expected '.' between a name's parts");
    }
    return field_find(p->arena, segments, count, c) ||
           lex_fail(p->text, l->at, p->e, "LogEntry has no field \"%.*s\"", SPAN_ARG(l->raw));
}

/* ---- comparisons ---- */

static node *finish_comparison(parser *p, const comparison *field, const lexeme *value)
{
    node *n = make(p, NODE_COMPARISON, NULL, NULL);
    const char *expected = NULL;
    n->comparison = *field;
    if (!value_text(p, value, &n->comparison.text))
        return NULL;
    if (field_value(&n->comparison, &expected))
        return n;
    (void)lex_fail(p->text, value->at, p->e, "expected %s, not %.*s", expected,
                   SPAN_ARG(value->raw));
    return NULL;
}

/* FIELD = (a OR b): `now` is the opening parenthesis. */
static node *parse_values(parser *p, const comparison *field)
{
    if (field->op != OP_EQ && field->op != OP_HAS)
        return fail(p, p->now.at, "several values can be compared with = and : only");
    const comparison *outer = p->field;
    const size_t open = p->now.at;
    p->field = field;
    node *n = advance(p, false) ? parse_and(p) : NULL;
    p->field = outer;
    if (!n)
        return NULL;
    if (p->now.kind != LEX_CLOSE)
        return fail(p, open, "'(' has no ')'");
    return advance(p, false) ? n : NULL;
}

/* `now` is the operator behind the name. */
static node *parse_comparison(parser *p, const lexeme *name)
{
    comparison c = {.op = p->now.op};
    if (p->field)
        return fail(p, p->now.at,
                    "expected a value: what is within these parentheses is compared "
                    "with the field in front of them");
    if (c.op == OP_MATCH || c.op == OP_NOMATCH)
        return fail(p, p->now.at, "regular expressions are not supported here (use : or =)");
    if (!resolve(p, name, &c) || !advance(p, true))
        return NULL;
    if (p->now.kind == LEX_OPEN)
        return parse_values(p, &c);
    const lexeme value = p->now;
    if (value.kind != LEX_TEXT && value.kind != LEX_STRING)
        return fail(p, value.at, "expected a value");
    node *n = finish_comparison(p, &c, &value);
    return n && advance(p, false) ? n : NULL;
}

/* ---- functions ---- */

/* log_id("run.googleapis.com/stdout"): `now` is the opening parenthesis. */
static node *parse_function(parser *p, const lexeme *name)
{
    if (!span_ieq_str(name->raw, "log_id")) {
        (void)lex_fail(p->text, name->at, p->e,
                       "the function %.*s is not supported here (log_id is)", SPAN_ARG(name->raw));
        return NULL;
    }
    if (!advance(p, true))
        return NULL;
    const lexeme id = p->now;
    node *n = make(p, NODE_LOG_ID, NULL, NULL);
    auto_buf buf encoded = buf_make(3 * p->text.n);
    span text;
    if (id.kind != LEX_STRING && id.kind != LEX_TEXT)
        return fail(p, id.at, "log_id expects the ID of a log");
    if (!value_text(p, &id, &text) || !advance(p, false))
        return NULL;
    if (p->now.kind != LEX_CLOSE)
        return fail(p, p->now.at, "expected ')': log_id takes one ID");
    buf_percent(&encoded, text);
    n->comparison.text = (span){arena_dup(p->arena, buf_view(&encoded)), encoded.n};
    return advance(p, false) ? n : NULL;
}

/* ---- terms ---- */

static node *parse_bare(parser *p)
{
    const lexeme first = p->now;
    if (!advance(p, false))
        return NULL;
    if (p->now.kind == LEX_OPERATOR)
        return parse_comparison(p, &first);
    if (p->field)
        return finish_comparison(p, p->field, &first);
    if (first.kind == LEX_TEXT && p->now.kind == LEX_OPEN && p->now.at == first.at + first.raw.n)
        return parse_function(p, &first);
    node *n = make(p, NODE_ANYWHERE, NULL, NULL);
    return value_text(p, &first, &n->comparison.text) ? n : NULL;
}

static node *parse_group(parser *p)
{
    const size_t open = p->now.at;
    node *n = advance(p, false) ? parse_and(p) : NULL;
    if (!n)
        return NULL;
    if (p->now.kind != LEX_CLOSE)
        return fail(p, open, "'(' has no ')'");
    return advance(p, false) ? n : NULL;
}

static node *parse_not(parser *p);

static node *parse_term(parser *p)
{
    switch (p->now.kind) {
    case LEX_NOT:
    case LEX_MINUS:
        return parse_not(p);
    case LEX_OPEN:
        return parse_group(p);
    case LEX_TEXT:
    case LEX_STRING:
        return parse_bare(p);
    case LEX_END:
        return fail(p, p->now.at, "the filter ends where a comparison is expected");
    case LEX_CLOSE:
        return fail(p, p->now.at, "unexpected ')'");
    case LEX_COMMA:
        return fail(p, p->now.at, "unexpected ','");
    case LEX_OPERATOR:
        return fail(p, p->now.at, "expected a field's name in front of the operator");
    case LEX_AND:
    case LEX_OR:
        return fail(p, p->now.at, "expected a comparison on both sides of AND and OR");
    }
    abort();
}

/* Everything that nests comes by here. */
static node *parse_nested(parser *p)
{
    if (++p->depth > LOG_FILTER_DEPTH_MAX)
        return fail(p, p->now.at, "too much is nested");
    node *n = parse_term(p);
    p->depth--;
    return n;
}

static node *parse_not(parser *p)
{
    /* -5 is a value where values are listed, else what must not be there. */
    node *n = advance(p, false) ? parse_nested(p) : NULL;
    return n ? make(p, NODE_NOT, n, NULL) : NULL;
}

static node *parse_or(parser *p)
{
    node *left = parse_nested(p);
    while (left && p->now.kind == LEX_OR) {
        node *right = advance(p, false) ? parse_nested(p) : NULL;
        left = right ? make(p, NODE_OR, left, right) : NULL;
    }
    return left;
}

static node *parse_and(parser *p)
{
    node *left = parse_or(p);
    while (left && p->now.kind != LEX_END && p->now.kind != LEX_CLOSE) {
        const bool spelt_out = p->now.kind == LEX_AND;
        node *right = !spelt_out || advance(p, false) ? parse_or(p) : NULL;
        left = right ? make(p, NODE_AND, left, right) : NULL;
    }
    return left;
}

/* ---- the whole ---- */

static bool check_characters(span text, error *e)
{
    size_t count = 0, at = 0;
    for (; at < text.n; count++) {
        const size_t n = utf8_length(span_from(text, at));
        if (n == 0 || text.p[at] == '\0')
            return lex_fail(text, at, e, "the filter is not valid UTF-8");
        at += n;
    }
    if (count > LOG_FILTER_CHARACTERS_MAX)
        return error_set(e, ERR_INVALID, "The filter has %zu characters; %d are allowed", count,
                         LOG_FILTER_CHARACTERS_MAX);
    return true;
}

static bool parse(log_filter *f, span text, error *e)
{
    parser p = {.text = text, .arena = f->arena, .e = e};
    if (!check_characters(text, e) || !advance(&p, false))
        return false;
    if (p.now.kind == LEX_END)
        return true;
    f->root = parse_and(&p);
    if (f->root && p.now.kind == LEX_CLOSE)
        return lex_fail(text, p.now.at, e, "')' closes nothing");
    return f->root != NULL;
}

log_filter *log_filter_new(span text, error *e)
{
    log_filter *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->arena = arena_new();
    if (parse(f, text, e))
        return f;
    log_filter_free(f);
    return NULL;
}

void log_filter_free(log_filter *f)
{
    if (!f)
        return;
    arena_free(f->arena);
    free(f);
}
