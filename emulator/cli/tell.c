/* Paragraphs, broken at blanks. */
#include "cli/tell.h"

#include <stdarg.h>

#include "base/span.h"

enum { COLUMNS = 80, FIELD_COLUMNS = 14 };

/* What it takes on a terminal: continuation bytes of UTF-8 take nothing. */
static size_t columns_of(span s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

/* One paragraph; its first line begins at `column`, the others at `indent`. */
static void put_paragraph(FILE *out, size_t column, size_t indent, span text)
{
    span one;
    bool first = true;
    while (text.n) {
        (void)span_cut(&text, ' ', &one);
        if (!one.n)
            continue;
        const size_t width = columns_of(one);
        if (!first && column + 1 + width > COLUMNS) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", SPAN_ARG(one));
        column += width;
        first = false;
    }
    fputc('\n', out);
}

void tell_text(const teller *t, size_t indent, const char *text)
{
    if (!t->out || !text)
        return;
    span rest = span_of(text), line;
    while (rest.n) {
        (void)span_cut(&rest, '\n', &line);
        fprintf(t->out, "%*s", (int)indent, "");
        if (line.n && line.p[0] == ' ')
            fprintf(t->out, "%.*s\n", SPAN_ARG(line));
        else
            put_paragraph(t->out, indent, indent, line);
    }
}

void tell_field(const teller *t, const char *name, const char *text)
{
    if (!t->out || !text || !*text)
        return;
    fprintf(t->out, "  %-11s ", name);
    put_paragraph(t->out, FIELD_COLUMNS, FIELD_COLUMNS, span_of(text));
}

void tell_line(const teller *t, tell_style style, const char *fmt, ...)
{
    static const char *const starts[] = {
        [TELL_PLAIN] = "",          [TELL_BOLD] = "\033[1m",   [TELL_DIM] = "\033[2m",
        [TELL_GOOD] = "\033[1;32m", [TELL_BAD] = "\033[1;31m",
    };
    if (!t->out)
        return;
    const bool painted = t->colour && style != TELL_PLAIN;
    va_list args;
    va_start(args, fmt);
    if (painted)
        fputs(starts[style], t->out);
    vfprintf(t->out, fmt, args);
    fputs(painted ? "\033[0m\n" : "\n", t->out);
    va_end(args);
    fflush(t->out);
}

void tell_raw(const teller *t, const char *text)
{
    if (!t->out || !text)
        return;
    fputs(text, t->out);
    fflush(t->out);
}
