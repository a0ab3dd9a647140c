/* Text into tokens (cel-spec, "Syntax"). */
#include <errno.h>
#include <stdio.h>

#include "cel/internal.h"

enum { NUMBER_MAX = 400 };

static unsigned char byte_at(const compiler *c, size_t at)
{
    return at < c->text.n ? (unsigned char)c->text.p[at] : 0;
}

static bool is_digit(unsigned char ch)
{
    return ch >= '0' && ch <= '9';
}
static bool is_letter(unsigned char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_';
}
static bool is_hex(unsigned char ch)
{
    return is_digit(ch) || (ch >= 'a' && ch <= 'f') || (ch >= 'A' && ch <= 'F');
}

/* Blanks, and comments up to the end of their line. */
static size_t skip_blanks(const compiler *c, size_t at)
{
    for (;;) {
        const unsigned char ch = byte_at(c, at);
        if (at < c->text.n && (ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r' || ch == '\f')) {
            at++;
        } else if (ch == '/' && byte_at(c, at + 1) == '/') {
            while (at < c->text.n && byte_at(c, at) != '\n')
                at++;
        } else {
            return at;
        }
    }
}

static bool finish(compiler *c, token_kind kind, size_t end)
{
    c->token.kind = kind;
    c->token.text = (span){c->text.p + c->token.at, end - c->token.at};
    c->next = end;
    return true;
}

/* ---- numbers ---- */

static bool lex_hex(compiler *c, size_t at)
{
    uint64_t value = 0;
    const size_t from = at;
    for (; is_hex(byte_at(c, at)); at++) {
        const unsigned char ch = byte_at(c, at);
        const int digit = is_digit(ch) ? ch - '0' : (ch | 0x20) - 'a' + 10;
        if (value >> 60)
            return refuse(c, c->token.at, "this number does not fit into an int of 64 bits");
        value = value << 4 | (uint64_t)digit;
    }
    if (at == from)
        return refuse(c, c->token.at, "expected hexadecimal digits behind 0x");
    c->token.magnitude = value;
    return finish(c, TOKEN_INT, at);
}

static bool lex_double(compiler *c, size_t end)
{
    char text[NUMBER_MAX];
    const size_t n = end - c->token.at;
    if (n >= sizeof text)
        return refuse(c, c->token.at, "this number is longer than %d characters", NUMBER_MAX - 1);
    memcpy(text, c->text.p + c->token.at, n);
    text[n] = '\0';
    errno = 0;
    c->token.d = strtod(text, NULL);
    if (errno == ERANGE && (c->token.d > 1 || c->token.d < -1))
        return refuse(c, c->token.at, "this number does not fit into a double");
    return finish(c, TOKEN_DOUBLE, end);
}

static size_t skip_digits(const compiler *c, size_t at)
{
    while (is_digit(byte_at(c, at)))
        at++;
    return at;
}

static bool lex_decimal(compiler *c, size_t end)
{
    const span digits = {c->text.p + c->token.at, end - c->token.at};
    if (!span_u64(digits, UINT64_MAX, &c->token.magnitude))
        return refuse(c, c->token.at, "this number does not fit into an int of 64 bits");
    return finish(c, TOKEN_INT, end);
}

static bool lex_number(compiler *c)
{
    size_t at = c->token.at;
    bool ok, whole = true;
    if (byte_at(c, at) == '0' && (byte_at(c, at + 1) | 0x20u) == 'x') {
        ok = lex_hex(c, at + 2);
    } else {
        at = skip_digits(c, at);
        if (byte_at(c, at) == '.' && is_digit(byte_at(c, at + 1))) {
            whole = false;
            at = skip_digits(c, at + 1);
        }
        const bool sign = byte_at(c, at + 1) == '+' || byte_at(c, at + 1) == '-';
        if ((byte_at(c, at) | 0x20u) == 'e' && is_digit(byte_at(c, at + 1 + sign))) {
            whole = false;
            at = skip_digits(c, at + 1 + sign);
        }
        ok = whole ? lex_decimal(c, at) : lex_double(c, at);
    }
    if (!ok)
        return false;
    if ((byte_at(c, c->next) | 0x20u) == 'u' && !is_letter(byte_at(c, c->next + 1)))
        return refuse(c, c->token.at,
                      "unsigned numbers are not supported; write the number without the u");
    if (is_letter(byte_at(c, c->next)))
        return refuse(c, c->next, "expected an operator between the number and what follows it");
    return true;
}

/* ---- strings ---- */

/* Of the closing quotes, or the end of the text. */
static size_t string_end(const compiler *c, size_t at, span quotes, bool raw)
{
    for (; at < c->text.n; at++) {
        if (span_starts(span_from(c->text, at), quotes))
            return at;
        if (quotes.n == 1 && (byte_at(c, at) == '\n' || byte_at(c, at) == '\r'))
            return c->text.n;
        if (byte_at(c, at) == '\\' && !raw)
            at++;
    }
    return c->text.n;
}

/* quote: where the first one stands, behind the prefix. */
static bool lex_string(compiler *c, size_t quote, bool raw)
{
    const char q = c->text.p[quote];
    const char three[] = {q, q, q};
    span quotes = {three, 3};
    if (!span_starts(span_from(c->text, quote), quotes))
        quotes.n = 1;
    const size_t from = quote + quotes.n;
    const size_t end = string_end(c, from, quotes, raw);
    if (end >= c->text.n)
        return refuse(c, c->token.at, "this string does not end; close it with %.*s",
                      SPAN_ARG(quotes));
    return lex_decode(c, from, end, raw, &c->token.s) && finish(c, TOKEN_STRING, end + quotes.n);
}

/* ---- names ---- */

static bool is_reserved(span name)
{
    static const char *const words[] = {
        "as",  "break", "const",   "continue",  "else",   "for", "function", "if",   "import",
        "let", "loop",  "package", "namespace", "return", "var", "void",     "while"};
    for (size_t i = 0; i < countof(words); i++)
        if (span_eq_str(name, words[i]))
            return true;
    return false;
}

static bool lex_name(compiler *c)
{
    static const token_kind words[] = {TOKEN_IN, TOKEN_TRUE, TOKEN_FALSE, TOKEN_NULL};
    static const char *const texts[] = {"in", "true", "false", "null"};
    size_t end = c->token.at;
    while (is_letter(byte_at(c, end)) || is_digit(byte_at(c, end)))
        end++;
    const span name = {c->text.p + c->token.at, end - c->token.at};
    if (byte_at(c, end) == '"' || byte_at(c, end) == '\'') {
        if (span_ieq_str(name, "r"))
            return lex_string(c, end, true);
        if (span_ieq_str(name, "b") || span_ieq_str(name, "br") || span_ieq_str(name, "rb"))
            return refuse(c, c->token.at, "bytes are not supported; write a string, without the b");
    }
    for (size_t i = 0; i < countof(words); i++)
        if (span_eq_str(name, texts[i]))
            return finish(c, words[i], end);
    if (is_reserved(name))
        return refuse(c, c->token.at, "'%.*s' is a reserved word", SPAN_ARG(name));
    return finish(c, TOKEN_NAME, end);
}

/* ---- operators ---- */

static bool lex_unknown(compiler *c)
{
    const char ch = c->text.p[c->token.at];
    if (ch == '=')
        return refuse(c, c->token.at, "found '=': write == to compare");
    if (ch == '&' || ch == '|')
        return refuse(c, c->token.at, "found a single '%c': write %c%c", ch, ch, ch);
    if (ch == '`')
        return refuse(c, c->token.at, "names in backticks are not supported");
    if (ch >= 0x21 && ch < 0x7f)
        return refuse(c, c->token.at, "found '%c', which CEL does not know outside of strings", ch);
    return refuse(c, c->token.at, "found a character that CEL does not know outside of strings");
}

static bool lex_operator(compiler *c)
{
    static const char *const texts[] = {
#define X(id, text) text,
        CEL_TOKENS(X)
#undef X
    };
    const span rest = span_from(c->text, c->token.at);
    for (size_t i = TOKEN_OR; i < countof(texts); i++) /* longer ones come first in the table */
        if (!is_letter((unsigned char)texts[i][0]) && span_starts(rest, span_of(texts[i])))
            return finish(c, (token_kind)i, c->token.at + strlen(texts[i]));
    return lex_unknown(c);
}

bool lex(compiler *c)
{
    const size_t at = skip_blanks(c, c->next);
    const unsigned char ch = byte_at(c, at);
    c->token = (token){.at = at};
    if (at >= c->text.n)
        return finish(c, TOKEN_END, c->text.n);
    if (is_digit(ch) || (ch == '.' && is_digit(byte_at(c, at + 1))))
        return lex_number(c);
    if (ch == '"' || ch == '\'')
        return lex_string(c, at, false);
    if (is_letter(ch))
        return lex_name(c);
    return lex_operator(c);
}
