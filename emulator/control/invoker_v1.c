/* The gateway's own paths: health, status, decisions, what is attached. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "control/control_impl.h"
#include "control/later.h"
#include "control/reply.h"

enum { STATUS_MAX = 16 * 1024 * 1024 };

/* ---- GET ---- */

static void serve_health(control *c, http_request *r)
{
    static const http_field fields[] = {{"Content-Type", "text/plain"}, {0}};
    if (c->backend.ready(c->backend.ctx))
        http_respond(r, 200, fields, SPAN_LIT("ok\n"), true);
    else
        http_respond(r, 503, fields, SPAN_LIT("starting\n"), true);
}

static void serve_status(control *c, http_request *r)
{
    auto_buf buf b = buf_make(STATUS_MAX);
    c->backend.status(c->backend.ctx, &b);
    buf_char(&b, '\n');
    if (buf_ok(&b))
        reply_json(r, 200, buf_view(&b));
    else
        reply_error(r, 500, NULL, "the status is too large");
}

/* For commands that put the same topology together from the file and from this (`invoker run`). */
static void serve_state(control *c, http_request *r)
{
    const json_t *document = state_document(c->backend.state(c->backend.ctx));
    auto_free char *text = json_dumps(document, JSON_COMPACT);
    if (text)
        reply_json(r, 200, span_of(text));
    else
        reply_error(r, 500, NULL, "the state cannot be written as JSON");
}

static void on_decisions(void *arg, span array)
{
    http_request *r = later_end(arg);
    if (!r)
        return;
    auto_buf buf b = buf_make(array.n + 64);
    buf_str(&b, "{\"decisions\":");
    buf_span(&b, array);
    buf_str(&b, "}\n");
    reply_json(r, 200, buf_view(&b));
}

static void serve_decisions(control *c, http_request *r)
{
    control_decisions_query q;
    if (!decisions_query_read(r, "limit", 1, CONTROL_DECISIONS_DEFAULT, &q))
        return;
    c->backend.decisions(c->backend.ctx, &q, on_decisions, later_begin(r));
}

/* ---- upstreams ---- */

static span without_scheme(span s)
{
    return span_starts(s, SPAN_LIT("http://")) ? span_from(s, 7) : s;
}

static void reply_failure(http_request *r, const error *e)
{
    reply_error(r, e->kind == ERR_NOT_FOUND ? 404 : 400, NULL, "%s", e->text);
}

static void reply_upstream(http_request *r, span name, span address)
{
    auto_buf buf b = buf_make(4096);
    buf_str(&b, "{\"service\":");
    buf_json(&b, name);
    buf_str(&b, ",\"upstream\":");
    if (address.n)
        buf_json(&b, address);
    else
        buf_str(&b, "null");
    buf_fmt(&b, ",\"attached\":%s}\n", address.n ? "true" : "false");
    reply_json(r, 200, buf_view(&b));
}

static void attach(control *c, http_request *r, span name)
{
    error e = {0};
    json_error_t where;
    span text = http_body(r);
    json_auto_t *body = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &where);
    const char *address = json_string_value(json_object_get(body, "address"));
    if (!address || json_object_size(body) != 1) {
        reply_error(r, 400, NULL, "expected {\"address\":\"127.0.0.1:9000\"}");
        return;
    }
    span a = without_scheme(span_of(address));
    if (c->backend.attach(c->backend.ctx, name, a, &e))
        reply_upstream(r, name, a);
    else
        reply_failure(r, &e);
}

static void detach(control *c, http_request *r, span name)
{
    error e = {0};
    if (c->backend.detach(c->backend.ctx, name, &e))
        reply_upstream(r, name, (span){0});
    else
        reply_failure(r, &e);
}

static void serve_upstream(control *c, http_request *r, span name)
{
    if (span_eq(http_method(r), SPAN_LIT("PUT")) && !type_is_json(http_header(r, "Content-Type")))
        reply_error(r, 415, NULL, "what changes something needs Content-Type: application/json");
    else if (span_eq(http_method(r), SPAN_LIT("PUT")))
        attach(c, r, name);
    else if (span_eq(http_method(r), SPAN_LIT("DELETE")))
        detach(c, r, name);
    else
        reply_error(r, 405, "PUT, DELETE", "an upstream is set by PUT and taken away by DELETE");
}

/* ---- routing ---- */

/* /invoker/v1/services/NAME + tail. */
static bool service_path(span path, span tail, span *out_name)
{
    static const span head = {"/invoker/v1/services/", 21};
    if (path.n <= head.n + tail.n || !span_starts(path, head) || !span_ends(path, tail))
        return false;
    *out_name = (span){path.p + head.n, path.n - head.n - tail.n};
    return span_find(*out_name, '/') == out_name->n;
}

bool invoker_v1_serve(control *c, http_request *r)
{
    static const struct {
        const char *path;
        void (*serve)(control *c, http_request *r);
    } routes[] = {{"/healthz", serve_health},
                  {"/invoker/v1/status", serve_status},
                  {"/invoker/v1/state", serve_state},
                  {"/invoker/v1/decisions", serve_decisions},
                  {"/invoker/v1/decisions/stream", serve_decision_stream},
                  {"/invoker/v1/traffic", serve_traffic},
                  {"/metrics", serve_metrics},
                  {"/invoker/v1/topology", serve_topology}};
    span name;
    if (span_eq_str(http_path(r), "/reset")) {
        serve_reset(c, r);
        return true;
    }
    if (service_path(http_path(r), SPAN_LIT("/upstream"), &name)) {
        serve_upstream(c, r, name);
        return true;
    }
    if (service_path(http_path(r), SPAN_LIT("/logs"), &name)) {
        serve_lines(c, r, name);
        return true;
    }
    for (size_t i = 0; i < countof(routes); i++) {
        if (!span_eq_str(http_path(r), routes[i].path))
            continue;
        if (span_eq(http_method(r), SPAN_LIT("GET")) || span_eq(http_method(r), SPAN_LIT("HEAD")))
            routes[i].serve(c, r);
        else
            reply_error(r, 405, "GET, HEAD", "%s is read with GET", routes[i].path);
        return true;
    }
    return decision_serve(c, r);
}
