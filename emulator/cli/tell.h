/* Telling: paragraphs for terminals of 80 columns. */
#ifndef CLI_TELL_H
#define CLI_TELL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"

/* out NULL: nothing is told. */
typedef struct teller {
    FILE *out;
    bool colour;
} teller;

typedef enum tell_style { TELL_PLAIN, TELL_BOLD, TELL_DIM, TELL_GOOD, TELL_BAD } tell_style;

/* A paragraph for each line of the text, broken at blanks and indented; lines that begin with a
 * blank stay as they are. NULL is fine. */
void tell_text(const teller *t, size_t indent, const char *text);

/* "name       text", broken like a paragraph beside the name. */
void tell_field(const teller *t, const char *name, const char *text);

/* One line, as it is. */
void tell_line(const teller *t, tell_style style, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As it is; a question stays on its line. */
void tell_raw(const teller *t, const char *text);

#endif
