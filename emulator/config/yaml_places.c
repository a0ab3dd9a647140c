/* Lines and columns that libyaml does not tell, and what it should not see. */
#include "config/yaml_places.h"

static size_t leading_blanks(span line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

/* Its first line that is not empty, with the lines before it counted; what it begins with is what
 * the indentation left over. */
static span first_text(span text, uint32_t *skipped)
{
    span line = {NULL, 0};
    while (text.n && line.n == 0) {
        (void)span_cut(&text, '\n', &line);
        *skipped += line.n == 0;
    }
    return line;
}

uint32_t yaml_block_column(yaml_cursor *c, uint32_t line, span text)
{
    uint32_t at = line;
    span source;
    const span first = first_text(text, &at);
    while (c->line < at && c->rest.n) {
        (void)span_cut(&c->rest, '\n', &source);
        c->line++;
    }
    source = c->rest;
    const size_t there = leading_blanks(source), left = leading_blanks(first);
    if (c->line != at || !first.n || there < left || there - left >= UINT16_MAX)
        return 0;
    return (uint32_t)(there - left) + 1;
}

static bool begins_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

size_t yaml_characters(span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += begins_character(text.p[i]);
    return n;
}

place yaml_place_of_offset(const char *file, span text, size_t offset)
{
    place at = {file, 1, 1};
    for (size_t i = 0; i < offset && i < text.n; i++) {
        if (text.p[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (begins_character(text.p[i])) {
            at.column++;
        }
    }
    return at;
}

bool yaml_has_tag_directive(span text)
{
    span rest = text;
    span line;
    if (span_starts(rest, SPAN_LIT("\xEF\xBB\xBF")))
        rest = span_from(rest, 3);
    do {
        (void)span_cut(&rest, '\n', &line);
        if (span_starts(line, SPAN_LIT("%TAG")))
            return true;
        line = span_trim(line);
        if (line.n && line.p[0] != '#' && line.p[0] != '%' && line.p[0] != '\r')
            return false;
    } while (rest.n);
    return false;
}
