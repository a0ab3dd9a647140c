/* Functions on strings, and what turns other values into them. */
#include <inttypes.h>
#include <stdio.h>

#include "cel/internal.h"

char *run_take(run *r, size_t n)
{
    if (n > RUN_SCRATCH - r->used || !run_spend(r, n))
        return NULL;
    char *p = r->scratch + r->used;
    r->used += n;
    return p;
}

/* The first place of needle in text at or behind from; text.n + 1: none. */
static size_t search_span(span text, size_t from, span needle)
{
    const span rest = span_from(text, from);
    if (needle.n == 0)
        return from;
    const char *found = rest.n ? memmem(rest.p, rest.n, needle.p, needle.n) : NULL;
    return found ? (size_t)(found - text.p) : text.n + 1;
}

bool call_search(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    const span text = v[0].s, part = v[1].s;
    if (!run_spend(r, text.n + part.n))
        return false;
    switch (e->call->what) {
    case WHAT_STARTS:
        out->b = span_starts(text, part);
        return true;
    case WHAT_ENDS:
        out->b = span_ends(text, part);
        return true;
    case WHAT_CONTAINS:
        out->b = search_span(text, 0, part) <= text.n;
        return true;
    default:
        abort();
    }
}

/* In code points. */
bool call_size(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)e;
    if (!run_spend(r, v->s.n))
        return false;
    out->i = 0;
    for (size_t i = 0; i < v->s.n; i++)
        out->i += ((unsigned char)v->s.p[i] & 0xC0) != 0x80;
    return true;
}

bool call_concat(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    const span a = v[0].s, b = v[1].s;
    char *p = run_take(r, a.n + b.n);
    (void)e;
    if (!p)
        return false;
    if (a.n)
        memcpy(p, a.p, a.n);
    if (b.n)
        memcpy(p + a.n, b.p, b.n);
    out->s = (span){p, a.n + b.n};
    return true;
}

bool call_to_string(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    char text[TIME_TEXT_MAX];
    size_t n = 0;
    (void)e;
    switch (v->kind) {
    case CEL_STRING:
        out->s = v->s;
        return true;
    case CEL_BOOL:
        out->s = v->b ? SPAN_LIT("true") : SPAN_LIT("false");
        return true;
    case CEL_INT:
        n = (size_t)snprintf(text, sizeof text, "%" PRId64, v->i);
        break;
    case CEL_TIMESTAMP:
        n = timestamp_print(v->i, text);
        break;
    case CEL_DURATION:
        n = duration_print(v->i, text);
        break;
    case CEL_DOUBLE: /* not offered: its digits differ from one implementation to the next */
        abort();
    }
    char *p = run_take(r, n);
    if (!p)
        return false;
    memcpy(p, text, n);
    out->s = (span){p, n};
    return true;
}

/* ---- extract (IAM docs, "Extract and operate on substrings") ---- */

typedef struct template_parts {
    span before, behind; /* the braces */
} template_parts;

/* What follows the first `before`, up to the next `behind`; "" when either is missing. */
bool call_extract(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    const template_parts *t = e->prepared;
    const span text = v[0].s;
    out->s = (span){text.p, 0};
    if (!run_spend(r, text.n + t->before.n + t->behind.n))
        return false;
    size_t from = search_span(text, 0, t->before);
    if (from > text.n)
        return true;
    from += t->before.n;
    const size_t end = t->behind.n ? search_span(text, from, t->behind) : text.n;
    if (end <= text.n)
        out->s = (span){text.p + from, end - from};
    return true;
}

static bool is_identifier(span s)
{
    for (size_t i = 0; i < s.n; i++) {
        const char ch = s.p[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
              (i > 0 && ch >= '0' && ch <= '9')))
            return false;
    }
    return s.n > 0;
}

bool prepare_extract(compiler *c, expr *e)
{
    const expr *arg = e->first->next;
    template_parts *t = arena_alloc(c->mem, sizeof *t);
    span rest = arg->value.s, name = {0};
    if (arg->op != EXPR_CONST)
        return refuse(c, arg->at,
                      "extract() needs its template as a literal, such as "
                      "\"/locations/{location}/\"");
    if (!span_cut(&rest, '{', &t->before) || !span_cut(&rest, '}', &name) || !is_identifier(name) ||
        span_find(rest, '{') < rest.n || span_find(rest, '}') < rest.n)
        return refuse(c, arg->at,
                      "the template of extract() needs one name in braces, such as "
                      "\"/locations/{location}/\"");
    t->behind = rest;
    e->prepared = t;
    return true;
}
