/* A filter's text, cut into what its grammar speaks of. */
#include <stdarg.h>
#include <stdio.h>

#include "control/log_filter_impl.h"

/* ---- places ---- */

bool lex_fail(span text, size_t at, error *e, const char *fmt, ...)
{
    char what[ERROR_TEXT_MAX / 2];
    unsigned line = 1, column = 1;
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    for (size_t i = 0; i < at && i < text.n; i++) {
        const bool continues = ((unsigned char)text.p[i] & 0xC0) == 0x80;
        column = text.p[i] == '\n' ? 1 : column + !continues;
        line += text.p[i] == '\n';
    }
    return error_set(e, ERR_INVALID, "Unparseable filter: %s at line %u, column %u", what, line,
                     column);
}

/* ---- characters ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_text(char c)
{
    return is_blank(c) || c == '\0' || strchr("(),:=<>!\"'", c) != NULL;
}

static bool starts(span text, size_t at, const char *with)
{
    return span_starts(span_from(text, at), span_of(with));
}

/* Blanks, and comments from -- to the end of their line. */
static size_t skip_blanks(span text, size_t at)
{
    while (at < text.n) {
        if (is_blank(text.p[at]))
            at++;
        else if (starts(text, at, "--"))
            at += span_find(span_from(text, at), '\n');
        else
            break;
    }
    return at;
}

/* ---- pieces ---- */

/* Length of the string that begins at `at`, quotes included. */
static bool string_length(span text, size_t at, size_t *out_n, error *e)
{
    for (size_t i = at + 1; i < text.n; i++) {
        if (text.p[i] == text.p[at]) {
            *out_n = i + 1 - at;
            return true;
        }
        i += text.p[i] == '\\';
    }
    return lex_fail(text, at, e, "a string has no closing quote");
}

static size_t plain_length(span text, size_t at)
{
    size_t n = 0;
    while (at + n < text.n && !ends_text(text.p[at + n]))
        n++;
    return n;
}

/* a.b."c d".e is one piece. */
static bool lex_text(span text, size_t at, lexeme *out, error *e)
{
    size_t end = at + plain_length(text, at), n = 0;
    while (end < text.n && text.p[end - 1] == '.' && text.p[end] == '"') {
        if (!string_length(text, end, &n, e))
            return false;
        end += n;
        end += plain_length(text, end);
    }
    out->raw = (span){text.p + at, end - at};
    out->kind = span_eq_str(out->raw, "AND")   ? LEX_AND
                : span_eq_str(out->raw, "OR")  ? LEX_OR
                : span_eq_str(out->raw, "NOT") ? LEX_NOT
                                               : LEX_TEXT;
    return true;
}

static bool lex_operator(span text, size_t at, lexeme *out)
{
    static const struct {
        const char *text;
        filter_op op;
    } operators[] = {{"=~", OP_MATCH}, {"!~", OP_NOMATCH}, {"!=", OP_NE},
                     {">=", OP_GE},    {"<=", OP_LE},      {"=", OP_EQ},
                     {">", OP_GT},     {"<", OP_LT},       {":", OP_HAS}};
    for (size_t i = 0; i < countof(operators); i++)
        if (starts(text, at, operators[i].text)) {
            *out = (lexeme){.kind = LEX_OPERATOR,
                            .op = operators[i].op,
                            .at = at,
                            .raw = {text.p + at, strlen(operators[i].text)}};
            return true;
        }
    return false;
}

bool lex_next(span text, size_t from, bool value, lexeme *out, error *e)
{
    const size_t at = skip_blanks(text, from);
    *out = (lexeme){.kind = LEX_END, .at = at, .raw = {text.p + at, 0}};
    if (at == text.n)
        return true;
    const char c = text.p[at];
    out->raw.n = 1;
    if (c == '"' || c == '\'') {
        out->kind = LEX_STRING;
        return string_length(text, at, &out->raw.n, e);
    }
    if (c == '(' || c == ')' || c == ',') {
        out->kind = c == '(' ? LEX_OPEN : c == ')' ? LEX_CLOSE : LEX_COMMA;
        return true;
    }
    if (c == '-' && !value) {
        out->kind = LEX_MINUS;
        return true;
    }
    if (lex_operator(text, at, out))
        return true;
    if (ends_text(c))
        return lex_fail(text, at, e, "unexpected '%c'", c ? c : '?');
    return lex_text(text, at, out, e);
}

/* ---- escapes ---- */

static bool simple_escape(char c, char *out)
{
    static const char names[] = "abfnrtv\\\"'?", values[] = "\a\b\f\n\r\t\v\\\"'?";
    const char *hit = c ? strchr(names, c) : NULL;
    if (hit)
        *out = values[hit - names];
    return hit != NULL;
}

static int digit_of(char c, unsigned base)
{
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : -1;
    return d < (int)base ? d : -1;
}

/* As many digits as `wanted`, from the front of *s. */
static bool digits(span *s, size_t wanted, unsigned base, uint32_t *out)
{
    uint32_t value = 0;
    for (size_t i = 0; i < wanted; i++) {
        const int d = i < s->n ? digit_of(s->p[i], base) : -1;
        if (d < 0)
            return false;
        value = value * base + (uint32_t)d;
    }
    *s = span_from(*s, wanted);
    *out = value;
    return true;
}

static bool add_code_point(buf *out, uint32_t c)
{
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return false;
    if (c < 0x80) {
        buf_char(out, (char)c);
        return true;
    }
    const unsigned behind = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    buf_char(out, (char)((0xF00u >> behind & 0xFFu) | c >> (6 * behind)));
    for (unsigned i = behind; i-- > 0;)
        buf_char(out, (char)(0x80u | (c >> (6 * i) & 0x3Fu)));
    return true;
}

/* *s stands behind the backslash. */
static bool add_escape(span *s, buf *out)
{
    char simple = 0;
    uint32_t code = 0;
    if (s->n && simple_escape(s->p[0], &simple)) {
        buf_char(out, simple);
        *s = span_from(*s, 1);
        return true;
    }
    if (s->n && s->p[0] >= '0' && s->p[0] <= '7')
        return digits(s, 3, 8, &code) && add_code_point(out, code);
    const size_t wanted = !s->n            ? 0
                          : s->p[0] == 'x' ? 2
                          : s->p[0] == 'u' ? 4
                          : s->p[0] == 'U' ? 8
                                           : 0;
    if (!wanted)
        return false;
    *s = span_from(*s, 1);
    return digits(s, wanted, 16, &code) && add_code_point(out, code);
}

bool lex_unquote(span text, size_t at, span raw, buf *out, error *e)
{
    span rest = {raw.p + 1, raw.n - 2};
    while (rest.n) {
        const size_t plain = span_find(rest, '\\');
        buf_add(out, rest.p, plain);
        rest = span_from(rest, plain);
        if (!rest.n)
            break;
        const size_t here = at + (size_t)(rest.p - raw.p);
        rest = span_from(rest, 1);
        if (!add_escape(&rest, out))
            return lex_fail(text, here, e, "unknown escape sequence in a string");
    }
    return true;
}
