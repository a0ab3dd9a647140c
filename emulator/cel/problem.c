/* Problems with their place, and the words they are told in. */
#include <stdarg.h>
#include <stdio.h>

#include "cel/internal.h"

void place_in(span text, size_t at, uint32_t *out_line, uint32_t *out_column)
{
    uint32_t line = 1, column = 1;
    for (size_t i = 0; i < at && i < text.n; i++) {
        if (text.p[i] == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)text.p[i] & 0xC0) != 0x80) {
            column++;
        }
    }
    *out_line = line;
    *out_column = column;
}

bool refuse(compiler *c, size_t at, const char *fmt, ...)
{
    if (c->failed)
        return false;
    va_list args;
    va_start(args, fmt);
    c->failed = true;
    place_in(c->text, at, &c->out->line, &c->out->column);
    (void)vsnprintf(c->out->text, sizeof c->out->text, fmt, args);
    va_end(args);
    return false;
}

const char *type_name(unsigned type)
{
    static const char *const names[] = {
        [CEL_BOOL] = "a bool",           [CEL_INT] = "an int",
        [CEL_DOUBLE] = "a double",       [CEL_STRING] = "a string",
        [CEL_TIMESTAMP] = "a timestamp", [CEL_DURATION] = "a duration",
        [TYPE_LIST] = "a list",
    };
    return names[type];
}
