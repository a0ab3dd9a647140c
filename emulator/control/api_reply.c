/* Answers of the APIs: resources, errors, what waits for a commit or for the metadata process. */
#include <assert.h>
#include <stdlib.h>

#include "control/api_impl.h"
#include "control/reply.h"

enum { TOO_LARGE = 413 };
enum { MESSAGE_MAX = 16 * 1024, ERROR_MAX = 256 * 1024, FIELD_MAX = 1024, TARGET_MAX = 64 * 1024 };

static const struct {
    unsigned http;
    const char *name;
} codes[] = {
    [API_INVALID_ARGUMENT] = {400, "INVALID_ARGUMENT"},
    [API_FAILED_PRECONDITION] = {400, "FAILED_PRECONDITION"},
    [API_UNAUTHENTICATED] = {401, "UNAUTHENTICATED"},
    [API_PERMISSION_DENIED] = {403, "PERMISSION_DENIED"},
    [API_NOT_FOUND] = {404, "NOT_FOUND"},
    [API_METHOD_NOT_ALLOWED] = {405, "UNIMPLEMENTED"},
    [API_ABORTED] = {409, "ABORTED"},
    [API_ALREADY_EXISTS] = {409, "ALREADY_EXISTS"},
    [API_CONDITION_NOT_MET] = {412, "FAILED_PRECONDITION"},
    [API_TOO_LARGE] = {413, "INVALID_ARGUMENT"},
    [API_RESOURCE_EXHAUSTED] = {429, "RESOURCE_EXHAUSTED"},
    [API_INTERNAL] = {500, "INTERNAL"},
    [API_UNAVAILABLE] = {503, "UNAVAILABLE"},
};

void api_reply(api_call *c, unsigned status, json_t *body)
{
    api_session *s = api_session_of(c);
    assert(!s->answered);
    if (c->request) {
        auto_free char *text = json_dumps(body, JSON_INDENT(2));
        if (!text)
            abort();
        auto_buf buf b = buf_make(SIZE_MAX / 4);
        buf_str(&b, text);
        buf_char(&b, '\n');
        reply_json(c->request, status, buf_view(&b));
    }
    json_decref(body);
    api_over(s);
}

/* ---- errors ---- */

static void give_error(api_call *c, api_code code, json_t *details, http_field more, span message)
{
    api_session *s = api_session_of(c);
    assert(!s->answered);
    if (c->request) {
        auto_free char *text = details ? json_dumps(details, JSON_COMPACT) : NULL;
        auto_buf buf b = buf_make(ERROR_MAX);
        error_body(codes[code].http, codes[code].name, message, span_of(text), &b);
        if (!buf_ok(&b)) {
            buf_clear(&b);
            error_body(codes[code].http, codes[code].name, message, (span){0}, &b);
        }
        reply_error_body(c->request, codes[code].http, more, buf_view(&b));
    }
    json_decref(details);
    api_over(s);
}

static void fail_va(api_call *c, api_code code, json_t *details, const char *fmt, va_list args)
    PRINTF_LIKE(4, 0);

static void fail_va(api_call *c, api_code code, json_t *details, const char *fmt, va_list args)
{
    auto_buf buf message = buf_make(MESSAGE_MAX);
    buf_vfmt(&message, fmt, args);
    give_error(c, code, details, (http_field){0}, buf_view(&message));
}

void api_fail(api_call *c, api_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_va(c, code, NULL, fmt, args);
    va_end(args);
}

void api_fail_with(api_call *c, api_code code, json_t *details, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fail_va(c, code, details, fmt, args);
    va_end(args);
}

/* Bytes that are not UTF-8 cannot be a JSON string's. */
static json_t *text_json(span s)
{
    auto_buf buf quoted = buf_make((size_t)MESSAGE_MAX * 6);
    buf_json(&quoted, s);
    json_t *v = json_loadb(quoted.p, quoted.n, JSON_DECODE_ANY, NULL);
    if (!v)
        abort();
    return v;
}

void api_fail_field(api_call *c, const char *name, const char *fmt, ...)
{
    auto_buf buf why = buf_make(MESSAGE_MAX);
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&why, fmt, args);
    va_end(args);
    json_t *details =
        json_pack("[{s:s,s:[{s:o,s:o}]}]", "@type", "type.googleapis.com/google.rpc.BadRequest",
                  "fieldViolations", "field", text_json(span_of(name)), "description",
                  text_json(buf_view(&why)));
    api_fail_with(c, API_INVALID_ARGUMENT, details, "%s: %s", name, why.p ? why.p : "");
}

void api_unauthenticated(api_call *c, const char *reason, const char *message)
{
    json_t *details =
        json_pack("[{s:s,s:s,s:s}]", "@type", "type.googleapis.com/google.rpc.ErrorInfo", "reason",
                  reason, "domain", "googleapis.com");
    give_error(c, API_UNAUTHENTICATED, details,
               (http_field){"WWW-Authenticate", "Bearer realm=\"https://accounts.google.com/\""},
               span_of(message));
}

/* ---- changing ---- */

static void on_committed(void *arg, const error *e)
{
    api_session *s = arg;
    if (e)
        api_fail(&s->call, API_INTERNAL, "the change could not be kept, nothing changed: %s",
                 e->text);
    else
        api_reply(&s->call, s->status, TAKE(s->reply));
}

void api_commit(api_call *c, json_t *draft, unsigned status, json_t *reply)
{
    api_session *s = api_session_of(c);
    s->status = status;
    s->reply = reply;
    c->backend->commit(c->backend->ctx, draft, on_committed, s);
}

/* ---- forwarding ---- */

/* NULL: none; http_respond then leaves the field out. */
static const char *value_of(span s, buf *b)
{
    buf_span(b, s);
    return s.n && buf_ok(b) ? b->p : NULL;
}

static void relay(http_request *r, const control_answer *a)
{
    auto_buf buf type = buf_make(FIELD_MAX);
    auto_buf buf flavor = buf_make(FIELD_MAX);
    auto_buf buf challenge = buf_make(FIELD_MAX);
    auto_buf buf caching = buf_make(FIELD_MAX);
    const char *cache = value_of(a->caching, &caching);
    const http_field fields[] = {{"Content-Type", value_of(a->type, &type)},
                                 {"Cache-Control", cache ? cache : "no-store"},
                                 {"Metadata-Flavor", value_of(a->flavor, &flavor)},
                                 {"WWW-Authenticate", value_of(a->challenge, &challenge)},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {0}};
    http_respond(r, a->status, fields, a->body, false);
}

static void on_forwarded(void *arg, const control_answer *a, const error *e)
{
    api_session *s = arg;
    if (!a) {
        api_fail(&s->call, API_UNAVAILABLE, NO_METADATA, e->text);
        return;
    }
    if (a->status == TOO_LARGE) { /* its HTTP server says so, which words no API's errors */
        api_fail(&s->call, API_TOO_LARGE, "the request body is too large");
        return;
    }
    if (s->call.request)
        relay(s->call.request, a);
    api_over(s);
}

void api_forward(api_call *c)
{
    const http_request *r = c->request;
    auto_buf buf target = buf_make(TARGET_MAX);
    buf_span(&target, http_path(r));
    if (http_query(r).n) {
        buf_char(&target, '?');
        buf_span(&target, http_query(r));
    }
    const control_question q = {.method = http_method(r),
                                .target = buf_view(&target),
                                .host = http_host(r),
                                .authorization = http_header(r, "Authorization"),
                                .type = http_header(r, "Content-Type"),
                                .flavor = http_header(r, "Metadata-Flavor"),
                                .body = http_body(r)};
    c->backend->forward(c->backend->ctx, &q, on_forwarded, api_session_of(c));
}
