#include "problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "text.h"

bool problem_set(problem *p, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->text, sizeof p->text, format, arguments);
    va_end(arguments);
    text_printable(p->text);
    return false;
}
