/* Routes of the control listener. */
#include "control/control.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "control/reply.h"
#include "http/server.h"

enum {
    HEAD_MAX = 8 * 1024,
    BODY_MAX = 64 * 1024,
    STATUS_MAX = 16 * 1024 * 1024,
    CONNECTIONS_MAX = 64,
    IDLE_TIMEOUT_S = 30
};

struct control {
    control_backend backend;
    http_server *server;
    char *address; /* NULL: listens nowhere */
};

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

/* A request that waits for the workers' answers. */
typedef struct pending {
    http_request *request; /* NULL: the client left */
} pending;

static void on_gone(void *ctx)
{
    pending *p = ctx;
    p->request = NULL;
}

static void on_decisions(void *arg, span array)
{
    pending *p = arg;
    if (p->request) {
        auto_buf buf b = buf_make(array.n + 64);
        buf_str(&b, "{\"decisions\":");
        buf_span(&b, array);
        buf_str(&b, "}\n");
        reply_json(p->request, 200, buf_view(&b));
    }
    free(p);
}

/* false: the request was answered with what is wrong. */
static bool read_query(http_request *r, control_decisions_query *q)
{
    auto_buf buf limit = buf_make(32);
    auto_buf buf refused = buf_make(32);
    auto_buf buf name = buf_make(sizeof q->service - 1);
    uint64_t n = CONTROL_DECISIONS_DEFAULT;
    if (http_query_get(r, "limit", true, &limit) &&
        (!buf_ok(&limit) || !span_u64(buf_view(&limit), CONTROL_DECISIONS_MAX, &n) || n == 0)) {
        reply_error(r, 400, NULL, "limit is a number from 1 to %d", CONTROL_DECISIONS_MAX);
        return false;
    }
    if (http_query_get(r, "service", true, &name) && !buf_ok(&name)) {
        reply_error(r, 400, NULL, "a service's name is not that long");
        return false;
    }
    (void)http_query_get(r, "refused", true, &refused);
    *q = (control_decisions_query){.limit = (size_t)n};
    q->refused =
        span_eq(buf_view(&refused), SPAN_LIT("1")) || span_eq(buf_view(&refused), SPAN_LIT("true"));
    if (name.n)
        memcpy(q->service, name.p, name.n);
    return true;
}

static void serve_decisions(control *c, http_request *r)
{
    control_decisions_query q;
    if (!read_query(r, &q))
        return;
    pending *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->request = r;
    http_defer(r, on_gone, p);
    c->backend.decisions(c->backend.ctx, &q, on_decisions, p);
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
    if (span_eq(http_method(r), SPAN_LIT("PUT")))
        attach(c, r, name);
    else if (span_eq(http_method(r), SPAN_LIT("DELETE")))
        detach(c, r, name);
    else
        reply_error(r, 405, "PUT, DELETE", "an upstream is set by PUT and taken away by DELETE");
}

/* ---- routing ---- */

static bool upstream_path(span path, span *out_name)
{
    static const span head = {"/invoker/v1/services/", 21};
    static const span tail = {"/upstream", 9};
    if (path.n <= head.n + tail.n || !span_starts(path, head) || !span_ends(path, tail))
        return false;
    *out_name = (span){path.p + head.n, path.n - head.n - tail.n};
    return span_find(*out_name, '/') == out_name->n;
}

static void route(control *c, http_request *r)
{
    static const struct {
        const char *path;
        void (*serve)(control *c, http_request *r);
    } routes[] = {{"/healthz", serve_health},
                  {"/invoker/v1/status", serve_status},
                  {"/invoker/v1/decisions", serve_decisions}};
    span name;
    if (upstream_path(http_path(r), &name)) {
        serve_upstream(c, r, name);
        return;
    }
    for (size_t i = 0; i < countof(routes); i++) {
        if (!span_eq_str(http_path(r), routes[i].path))
            continue;
        if (span_eq(http_method(r), SPAN_LIT("GET")) || span_eq(http_method(r), SPAN_LIT("HEAD")))
            routes[i].serve(c, r);
        else
            reply_error(r, 405, "GET, HEAD", "%s is read with GET", routes[i].path);
        return;
    }
    reply_error(r, 404, NULL, "there is nothing at %.*s", SPAN_ARG(http_path(r)));
}

static bool is_json(span type)
{
    span media;
    (void)span_cut(&type, ';', &media);
    return span_ieq_str(span_trim(media), "application/json");
}

/* Can a web page of somebody else's not send this without asking first? A bare DELETE is always
 * asked for, and the asking is refused here. */
static bool is_harmless(const http_request *r)
{
    span m = http_method(r);
    return span_eq(m, SPAN_LIT("GET")) || span_eq(m, SPAN_LIT("HEAD")) ||
           span_eq(m, SPAN_LIT("OPTIONS")) ||
           (span_eq(m, SPAN_LIT("DELETE")) && http_body(r).n == 0) ||
           is_json(http_header(r, "Content-Type"));
}

static void handle(void *ctx, http_request *r)
{
    if (!host_is_ours(http_host(r)))
        reply_error(r, 403, NULL,
                    "this listener answers to addresses, localhost and names without a dot, not "
                    "to the Host \"%.*s\"",
                    SPAN_ARG(http_host(r)));
    else if (!is_harmless(r))
        reply_error(r, 415, NULL, "what changes something needs Content-Type: application/json");
    else
        route(ctx, r);
}

/* ---- life ---- */

control *control_open(loop *l, const control_backend *b, error *e)
{
    control *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->backend = *b;
    c->server = http_server_open(l,
                                 &(http_server_options){.handle = handle,
                                                        .ctx = c,
                                                        .head_max = HEAD_MAX,
                                                        .body_max = BODY_MAX,
                                                        .connections_max = CONNECTIONS_MAX,
                                                        .idle_timeout_s = IDLE_TIMEOUT_S},
                                 e);
    if (c->server)
        return c;
    free(c);
    return NULL;
}

void control_close(control *c)
{
    if (!c)
        return;
    http_server_close(c->server);
    free(c->address);
    free(c);
}

bool control_listen(control *c, const char *address, bool reserved, error *e)
{
    if (address == c->address || (address && c->address && strcmp(address, c->address) == 0))
        return true;
    char *mine = address ? span_dup(span_of(address)) : NULL;
    net_addr a;
    /* The copy is the tag: it tells this listener apart from the next one. */
    if (mine && (!net_addr_resolve(span_of(mine), &a, e) ||
                 !http_server_listen(c->server, &a, reserved, mine, NULL, e))) {
        free(mine);
        return error_wrap(e, "listen.control");
    }
    if (mine && !net_addr_is_loopback(&a))
        log_at(LOG_WARN, "the control listener can be reached from other machines",
               LOG_S("listen.control", mine));
    if (c->address)
        http_server_unlisten(c->server, c->address);
    free(c->address);
    c->address = mine;
    return true;
}
