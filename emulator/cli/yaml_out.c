/* Double-quoted scalars follow YAML 1.2.2 §5.7; libyaml and PyYAML read them alike. */
#include "cli/yaml_out.h"

enum { SIMPLE_KEY_MAX = 1000 }; /* of a key before its colon: 1024 characters in every reader */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words that some reader takes for null or a bool. */
static bool is_word(span text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};
    for (size_t i = 0; i < countof(words); i++)
        if (span_ieq_str(text, words[i]))
            return true;
    return false;
}

/* 8080, 1.5, 1e3, 0x1f, 12:30, 2026-01-01; not 127.0.0.1:8080, 10.0.0.0/8, v1. */
static bool is_like_a_number(span text)
{
    static const char others[] = "._+-:eExXoOabcdfABCDF";
    size_t dots = 0;
    if (is_letter(text.p[0]))
        return span_ieq_str(text, "inf") || span_ieq_str(text, "nan");
    for (size_t i = 0; i < text.n; i++) {
        dots += text.p[i] == '.';
        if (!is_digit(text.p[i]) && !strchr(others, text.p[i]))
            return span_ieq_str(text, ".inf") || span_ieq_str(text, ".nan");
    }
    return dots < 2;
}

static bool is_plain(span text)
{
    static const char inside[] = "._/@+-:", first[] = "./_";
    if (text.n == 0 || text.p[text.n - 1] == ':')
        return false;
    if (!is_letter(text.p[0]) && !is_digit(text.p[0]) && !strchr(first, text.p[0]))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!is_letter(text.p[i]) && !is_digit(text.p[i]) &&
            (text.p[i] == '\0' || !strchr(inside, text.p[i])))
            return false;
    return !is_word(text) && !is_like_a_number(text) && !span_eq_str(text, "...");
}

/* Of a well-formed sequence. */
static uint32_t code_point(span sequence)
{
    static const unsigned char lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t c = (unsigned char)sequence.p[0] & lead[sequence.n];
    for (size_t i = 1; i < sequence.n; i++)
        c = c << 6 | ((unsigned char)sequence.p[i] & 0x3FU);
    return c;
}

/* What may not, or not everywhere, stand in a file as it is, and what ends a line. */
static bool is_escaped(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF ||
           c == 0xFFFE || c == 0xFFFF;
}

static void put_escape(buf *b, uint32_t c)
{
    if (c == '\n')
        buf_str(b, "\\n");
    else if (c == '\t')
        buf_str(b, "\\t");
    else if (c < 0x100)
        buf_fmt(b, "\\x%02X", (unsigned)c);
    else
        buf_fmt(b, "\\u%04X", (unsigned)c);
}

static void put_quoted(buf *b, span text)
{
    buf_char(b, '"');
    while (text.n) {
        size_t n = utf8_length(text);
        span one = n ? (span){text.p, n} : SPAN_LIT("\xEF\xBF\xBD");
        uint32_t c = code_point(one);
        if (is_escaped(c)) {
            put_escape(b, c);
        } else {
            if (c == '"' || c == '\\')
                buf_char(b, '\\');
            buf_span(b, one);
        }
        text = span_from(text, n ? n : 1);
    }
    buf_char(b, '"');
}

void yaml_put_text(buf *b, span text)
{
    if (is_plain(text))
        buf_span(b, text);
    else
        put_quoted(b, text);
}

void yaml_put_indent(buf *b, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buf_str(b, "  ");
}

/* A long key has to be announced. */
static void put_key(buf *b, unsigned depth, const char *key)
{
    bool is_long = strlen(key) > SIMPLE_KEY_MAX;
    yaml_put_indent(b, depth);
    if (is_long)
        buf_str(b, "? ");
    yaml_put_text(b, span_of(key));
    if (is_long) {
        buf_char(b, '\n');
        yaml_put_indent(b, depth);
    }
    buf_char(b, ':');
}

void yaml_put_key(buf *b, unsigned depth, const char *key)
{
    put_key(b, depth, key);
    buf_char(b, '\n');
}

void yaml_put_pair(buf *b, unsigned depth, const char *key, const char *text)
{
    if (!text)
        return;
    put_key(b, depth, key);
    buf_char(b, ' ');
    yaml_put_text(b, span_of(text));
    buf_char(b, '\n');
}

void yaml_put_bool(buf *b, unsigned depth, const char *key, bool value)
{
    yaml_put_indent(b, depth);
    buf_fmt(b, "%s: %s\n", key, value ? "true" : "false");
}

void yaml_put_flow(buf *b, unsigned depth, const char *key, const char *const *list)
{
    if (!list || !*list)
        return;
    put_key(b, depth, key);
    buf_str(b, " [");
    for (size_t i = 0; list[i]; i++) {
        buf_str(b, i ? ", " : "");
        yaml_put_text(b, span_of(list[i]));
    }
    buf_str(b, "]\n");
}

void yaml_put_comment(buf *b, unsigned depth, const char *text)
{
    yaml_put_indent(b, depth);
    buf_str(b, "# ");
    for (span rest = span_of(text); rest.n;) {
        size_t n = utf8_length(rest);
        bool bad = n == 0 || is_escaped(code_point((span){rest.p, n}));
        buf_span(b, bad ? SPAN_LIT("?") : (span){rest.p, n});
        rest = span_from(rest, n ? n : 1);
    }
    buf_char(b, '\n');
}
