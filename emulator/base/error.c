/* Fills the one error type. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void error_set_text(error *e, error_kind kind, const char *fmt, ...)
{
    if (!e)
        return;
    e->kind = kind;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
}

static error_kind kind_of_errno(int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EEXIST:
    case EADDRINUSE:
        return ERR_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS:
        return ERR_PERMISSION;
    case ENOMEM:
        return ERR_MEMORY;
    case EMFILE:
    case ENFILE:
    case ENOSPC:
        return ERR_LIMIT;
    case ECONNREFUSED:
    case ETIMEDOUT:
    case EHOSTUNREACH:
        return ERR_UNAVAILABLE;
    default:
        return ERR_IO;
    }
}

void error_errno_text(error *e, const char *fmt, ...)
{
    int code = errno;
    if (!e)
        return;
    e->kind = kind_of_errno(code);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof e->text - 1)
        return;
    char reason[128];
    const char *text = strerror_r(code, reason, sizeof reason);
    (void)snprintf(e->text + n, sizeof e->text - (size_t)n, ": %s", text);
}

void error_wrap_text(error *e, const char *fmt, ...)
{
    if (!e)
        return;
    char inner[ERROR_TEXT_MAX];
    memcpy(inner, e->text, sizeof inner);
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(e->text, sizeof e->text, fmt, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof e->text - 1)
        return;
    size_t room = sizeof e->text - (size_t)n;
    int kept = room > 3 ? (int)(room - 3) : 0;
    (void)snprintf(e->text + n, room, ": %.*s", kept, inner);
}
