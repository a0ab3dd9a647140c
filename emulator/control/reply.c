/* Error codes and their canonical names (Google's API design guide, "Errors"). */
#include "control/reply.h"

enum { ERROR_BODY_MAX = 64 * 1024 };

void reply_json(http_request *r, unsigned status, span body)
{
    static const http_field fields[] = {{"Content-Type", REPLY_JSON_TYPE},
                                        {"Cache-Control", "no-store"},
                                        {"X-Content-Type-Options", "nosniff"},
                                        {0}};
    http_respond(r, status, fields, body, false);
}

const char *error_status(unsigned code)
{
    static const struct {
        unsigned code;
        const char *name;
    } names[] = {{400, "INVALID_ARGUMENT"}, {401, "UNAUTHENTICATED"},  {403, "PERMISSION_DENIED"},
                 {404, "NOT_FOUND"},        {405, "UNIMPLEMENTED"},    {413, "INVALID_ARGUMENT"},
                 {415, "INVALID_ARGUMENT"}, {431, "INVALID_ARGUMENT"}, {503, "UNAVAILABLE"}};
    for (size_t i = 0; i < countof(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return "INTERNAL";
}

void error_body(unsigned code, const char *status, span message, span details, buf *out)
{
    buf_fmt(out, "{\"error\":{\"code\":%u,\"message\":", code);
    buf_json(out, message);
    buf_fmt(out, ",\"status\":\"%s\"", status);
    if (details.n) {
        buf_str(out, ",\"details\":");
        buf_span(out, details);
    }
    buf_str(out, "}}\n");
}

void reply_error_body(http_request *r, unsigned code, http_field more, span body)
{
    const http_field fields[] = {{"Content-Type", REPLY_JSON_TYPE},
                                 {"Cache-Control", "no-store"},
                                 {"X-Content-Type-Options", "nosniff"},
                                 more,
                                 {0}};
    http_respond(r, code, fields, body, false);
}

void reply_error(http_request *r, unsigned code, const char *allow, const char *fmt, ...)
{
    auto_buf buf message = buf_make(ERROR_BODY_MAX / 8);
    auto_buf buf body = buf_make(ERROR_BODY_MAX);
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&message, fmt, args);
    va_end(args);
    error_body(code, error_status(code), buf_view(&message), (span){0}, &body);
    reply_error_body(r, code, (http_field){allow ? "Allow" : NULL, allow}, buf_view(&body));
}
