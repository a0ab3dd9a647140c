/* Error codes and their canonical names (Google's API design guide, "Errors"). */
#include "control/reply.h"

enum { ERROR_BODY_MAX = 16 * 1024 };

#define JSON_TYPE "application/json; charset=UTF-8"

void reply_json(http_request *r, unsigned status, span body)
{
    static const http_field fields[] = {{"Content-Type", JSON_TYPE},
                                        {"Cache-Control", "no-store"},
                                        {"X-Content-Type-Options", "nosniff"},
                                        {0}};
    http_respond(r, status, fields, body, false);
}

static const char *canonical(unsigned code)
{
    static const struct {
        unsigned code;
        const char *name;
    } names[] = {{400, "INVALID_ARGUMENT"}, {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},
                 {405, "UNIMPLEMENTED"},    {415, "INVALID_ARGUMENT"},  {503, "UNAVAILABLE"}};
    for (size_t i = 0; i < countof(names); i++)
        if (names[i].code == code)
            return names[i].name;
    return "INTERNAL";
}

void reply_error(http_request *r, unsigned code, const char *allow, const char *fmt, ...)
{
    auto_buf buf message = buf_make(ERROR_BODY_MAX / 4);
    auto_buf buf body = buf_make(ERROR_BODY_MAX);
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&message, fmt, args);
    va_end(args);
    buf_fmt(&body, "{\"error\":{\"code\":%u,\"message\":", code);
    buf_json(&body, buf_view(&message));
    buf_fmt(&body, ",\"status\":\"%s\"}}\n", canonical(code));
    const http_field fields[] = {{"Content-Type", JSON_TYPE},
                                 {"Cache-Control", "no-store"},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {allow ? "Allow" : NULL, allow},
                                 {0}};
    http_respond(r, code, fields, buf_view(&body), false);
}

static bool is_port(span s)
{
    uint64_t port;
    return span_u64(s, 65535, &port);
}

bool host_is_ours(span host)
{
    net_addr ignored;
    if (host.n && host.p[0] == '[') {
        size_t end = span_find(host, ']');
        if (end == host.n)
            return false;
        if (end + 1 < host.n)
            return net_addr_parse(host, &ignored, NULL);
        auto_buf buf with_port = buf_make(256);
        buf_span(&with_port, host);
        buf_str(&with_port, ":0");
        return buf_ok(&with_port) && net_addr_parse(buf_view(&with_port), &ignored, NULL);
    }
    span name;
    span port = host;
    if (span_cut(&port, ':', &name) && !is_port(port))
        return false;
    if (name.n == 0)
        return false;
    net_cidr address;
    if (span_find(name, '/') == name.n && net_cidr_parse(name, &address, NULL))
        return true;
    static const char local[] = ".localhost";
    size_t n = sizeof local - 1;
    return span_find(name, '.') == name.n ||
           (name.n > n && span_ieq((span){name.p + name.n - n, n}, SPAN_LIT(".localhost")));
}
