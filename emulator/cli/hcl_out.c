/* Quoted templates: "Strings and Templates" in Terraform's documentation. */
#include "cli/hcl_out.h"

static void put_char(buf *b, char c, char next)
{
    if (c == '"' || c == '\\')
        buf_fmt(b, "\\%c", c);
    else if (c == '\n')
        buf_str(b, "\\n");
    else if (c == '\r')
        buf_str(b, "\\r");
    else if (c == '\t')
        buf_str(b, "\\t");
    else if ((unsigned char)c < 0x20 || c == 0x7F)
        buf_fmt(b, "\\u%04X", (unsigned char)c);
    else if ((c == '$' || c == '%') && next == '{')
        buf_fmt(b, "%c%c", c, c);
    else
        buf_char(b, c);
}

void hcl_put_text(buf *b, span text)
{
    buf_char(b, '"');
    for (size_t i = 0; i < text.n;) {
        const size_t n = utf8_length(span_from(text, i));
        if (n == 0)
            buf_str(b, "\xEF\xBF\xBD");
        else if (n == 1)
            put_char(b, text.p[i], (char)(i + 1 < text.n ? text.p[i + 1] : '\0'));
        else
            buf_add(b, text.p + i, n);
        i += n ? n : 1;
    }
    buf_char(b, '"');
}

static bool is_given(const hcl_pair *p)
{
    return p->text || p->expression || (p->list && p->list[0]);
}

static void put_value(buf *b, const hcl_pair *p)
{
    if (p->text) {
        hcl_put_text(b, span_of(p->text));
        return;
    }
    if (p->expression) {
        buf_str(b, p->expression);
        return;
    }
    buf_char(b, '[');
    for (size_t i = 0; p->list[i]; i++) {
        buf_str(b, i ? ", " : "");
        hcl_put_text(b, span_of(p->list[i]));
    }
    buf_char(b, ']');
}

void hcl_put_pairs(buf *b, unsigned depth, const hcl_pair *pairs)
{
    size_t width = 0;
    for (const hcl_pair *p = pairs; p->key; p++)
        if (is_given(p) && strlen(p->key) > width)
            width = strlen(p->key);
    for (const hcl_pair *p = pairs; p->key; p++) {
        if (!is_given(p))
            continue;
        buf_fmt(b, "%*s%-*s = ", (int)depth * 2, "", (int)width, p->key);
        put_value(b, p);
        buf_char(b, '\n');
    }
}

bool hcl_put_name(buf *b, span text)
{
    bool tells = text.n > 0;
    char before = '_';
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        const bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'z';
        const bool upper = c >= 'A' && c <= 'Z';
        tells = tells && (lower || digit || c == '-') && !(c == '-' && before == '_');
        before = (char)(digit || lower || upper ? c : '_');
        buf_char(b, before);
    }
    return tells && before != '_';
}
