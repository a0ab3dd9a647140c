/* Answers of JSON APIs. None of them may be kept: most hold a token. */
#include "metadata/rpc.h"

enum { MESSAGE_MAX = 16 * 1024 };

#define JSON_TYPE "application/json; charset=UTF-8"

static const struct {
    unsigned status;
    const char *name;
} codes[] = {
    [RPC_INVALID_ARGUMENT] = {400, "INVALID_ARGUMENT"},
    [RPC_FAILED_PRECONDITION] = {400, "FAILED_PRECONDITION"},
    [RPC_UNAUTHENTICATED] = {401, "UNAUTHENTICATED"},
    [RPC_PERMISSION_DENIED] = {403, "PERMISSION_DENIED"},
    [RPC_NOT_FOUND] = {404, "NOT_FOUND"},
    [RPC_METHOD_NOT_ALLOWED] = {405, "UNIMPLEMENTED"},
    [RPC_INTERNAL] = {500, "INTERNAL"},
    [RPC_UNAVAILABLE] = {503, "UNAVAILABLE"},
};

static void answer(http_request *r, unsigned status, span body)
{
    const char *extra = status == 401 ? "WWW-Authenticate" : status == 405 ? "Allow" : NULL;
    const http_field fields[] = {
        {"Content-Type", JSON_TYPE},
        {"Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"},
        {"X-Content-Type-Options", "nosniff"},
        {extra, status == 405 ? "POST" : "Bearer realm=\"https://accounts.google.com/\""},
        {0}};
    http_respond(r, status, fields, body, false);
}

void rpc_answer(http_request *r, span json)
{
    answer(r, 200, json);
}

static void member(buf *b, const char *name, const char *value)
{
    buf_fmt(b, "\"%s\":", name);
    buf_json(b, span_of(value));
}

static void put_info(buf *b, const rpc_info *info)
{
    buf_str(b, ",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",");
    member(b, "reason", info->reason);
    buf_char(b, ',');
    member(b, "domain", info->domain);
    if (info->key) {
        buf_str(b, ",\"metadata\":{");
        member(b, info->key, info->value);
        buf_char(b, '}');
    }
    buf_str(b, "}]");
}

void rpc_fail(http_request *r, rpc_code code, const rpc_info *info, const char *fmt, ...)
{
    auto_buf buf message = buf_make(MESSAGE_MAX);
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&message, fmt, args);
    va_end(args);
    auto_buf buf body = buf_make(RPC_ANSWER_MAX);
    buf_fmt(&body, "{\"error\":{\"code\":%u,\"message\":", codes[code].status);
    buf_json(&body, buf_view(&message));
    buf_char(&body, ',');
    member(&body, "status", codes[code].name);
    if (info)
        put_info(&body, info);
    buf_str(&body, "}}");
    answer(r, codes[code].status, buf_view(&body));
}

void rpc_oauth_fail(http_request *r, unsigned status, const char *what, const char *fmt, ...)
{
    auto_buf buf message = buf_make(MESSAGE_MAX);
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&message, fmt, args);
    va_end(args);
    auto_buf buf body = buf_make(RPC_ANSWER_MAX);
    buf_char(&body, '{');
    member(&body, "error", what);
    buf_str(&body, ",\"error_description\":");
    buf_json(&body, buf_view(&message));
    buf_char(&body, '}');
    answer(r, status, buf_view(&body));
}
