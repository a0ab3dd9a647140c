/* The calls that commands make to the control listener, and what they make of the answers. */
#include "cli/control_client.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"
#include "cli/cli.h"
#include "cli/http_call.h"
#include "cli/up_env.h"
#include "config/topology.h"
#include "state/merge.h"
#include "state/state.h"

enum {
    REQUEST_MAX = 256 * 1024,
    REPLY_MAX = STATE_DOCUMENT_MAX + 16 * 1024 * 1024,
    OVERLAY_MAX = 1024 * 1024,
    PATIENCE_US = 5 * 1000 * 1000,
    PATH_TEXT_MAX = 512
};

static span host_of(const char *control)
{
    span s = span_of(control);
    if (span_starts(s, SPAN_LIT("http://")))
        s = span_from(s, strlen("http://"));
    return (span){s.p, span_find(s, '/')};
}

/* ---- one exchange ---- */

static void add_request(buf *request, span host, const control_request *r)
{
    buf_fmt(request, "%s %s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n", r->method, r->path,
            SPAN_ARG(host));
    if (r->bearer)
        buf_fmt(request, "Authorization: Bearer %s\r\n", r->bearer);
    if (r->body)
        buf_fmt(request, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                r->type ? r->type : "application/json", strlen(r->body));
    buf_fmt(request, "\r\n%s", r->body ? r->body : "");
}

static bool failed(const http_call *c, span host, const control_request *r, error *e)
{
    auto_buf buf why = buf_make(PATH_TEXT_MAX);
    http_call_trouble(c, &why);
    if (c->outcome == HTTP_NO_CONNECTION)
        return error_set(e, ERR_UNAVAILABLE,
                         "no gateway answers at %.*s (start one with 'invoker up'): %s",
                         SPAN_ARG(host), why.p);
    return error_set(e, ERR_UNAVAILABLE, "%s http://%.*s%s: %s", r->method, SPAN_ARG(host), r->path,
                     why.n ? why.p : "the answer is no HTTP/1.1");
}

bool control_send(const char *control, const control_request *r, control_reply *out, error *e)
{
    const span host = host_of(control);
    auto_buf buf request = buf_make(REQUEST_MAX);
    add_request(&request, host, r);
    http_call c = {.request = buf_view(&request),
                   .reply_max = REPLY_MAX,
                   .connect_us = PATIENCE_US,
                   .idle_us = PATIENCE_US};
    if (!buf_ok(&request))
        return error_set(e, ERR_LIMIT, "the request is too long");
    if (!net_addr_resolve(host, &c.to, e))
        return error_wrap(e, "no gateway answers at %.*s (start one with 'invoker up')",
                          SPAN_ARG(host));
    http_calls_run(&c, 1);
    const bool ok = c.outcome == HTTP_ANSWERED && span_starts(c.head, SPAN_LIT("HTTP/1.1 "));
    if (ok)
        *out = (control_reply){c.status, span_dup(c.body), c.body.n};
    else
        (void)failed(&c, host, r, e);
    http_call_free(&c);
    return ok;
}

bool control_call(const char *control, const char *method, const char *path, const char *body,
                  control_reply *out, error *e)
{
    return control_send(control, &(control_request){method, path, body, NULL, NULL}, out, e);
}

/* As control_call, and any status but 2xx is an error. */
static bool call_ok(const char *control, const char *method, const char *path, const char *body,
                    control_reply *out, error *e)
{
    if (!control_call(control, method, path, body, out, e))
        return false;
    if (out->status >= 200 && out->status < 300)
        return true;
    error_set(e, ERR_INVALID, "%s %s: status %u: %.300s", method, path, out->status, out->body);
    free(out->body);
    out->body = NULL;
    return false;
}

json_t *control_decisions(const char *control, const char *query, error *e)
{
    control_reply reply;
    auto_buf buf target = buf_make(REQUEST_MAX);
    buf_fmt(&target, "/invoker/v1/decisions?%s", query);
    if (!buf_ok(&target)) {
        error_set(e, ERR_LIMIT, "the request is too long");
        return NULL;
    }
    if (!call_ok(control, "GET", target.p, NULL, &reply, e))
        return NULL;
    json_auto_t *root = json_loadb(reply.body, reply.n, JSON_REJECT_DUPLICATES, NULL);
    json_t *list = json_object_get(root, "decisions");
    if (!json_is_array(list))
        error_set(e, ERR_INVALID, "%s does not list its decisions: %.200s", control, reply.body);
    free(reply.body);
    return json_is_array(list) ? json_incref(list) : NULL;
}

/* ---- attaching ---- */

static void upstream_path(const char *name, char out[PATH_TEXT_MAX])
{
    snprintf(out, PATH_TEXT_MAX, "/invoker/v1/services/%.200s/upstream", name);
}

bool control_attach(const char *control, const char *name, const char *address, error *e)
{
    char path[PATH_TEXT_MAX];
    upstream_path(name, path);
    auto_buf buf body = buf_make(REQUEST_MAX);
    buf_str(&body, "{\"address\":");
    buf_json(&body, span_of(address));
    buf_char(&body, '}');
    control_reply reply;
    if (!call_ok(control, "PUT", path, body.p, &reply, e))
        return false;
    free(reply.body);
    return true;
}

bool control_detach(const char *control, const char *name, error *e)
{
    char path[PATH_TEXT_MAX];
    upstream_path(name, path);
    control_reply reply;
    if (!call_ok(control, "DELETE", path, NULL, &reply, e))
        return false;
    free(reply.body);
    return true;
}

/* The document that GET /invoker/v1/status answers with; a new reference, or NULL and *e. */
static json_t *fetch_status(const char *control, error *e)
{
    control_reply reply;
    if (!call_ok(control, "GET", "/invoker/v1/status", NULL, &reply, e))
        return NULL;
    json_t *status = json_loadb(reply.body, reply.n, JSON_REJECT_DUPLICATES, NULL);
    free(reply.body);
    if (!json_is_object(json_object_get(status, "services"))) {
        json_decref(status);
        error_set(e, ERR_INVALID, "%s answers, but not as a gateway's control listener", control);
        return NULL;
    }
    return status;
}

bool control_is_attached(const char *control, const char *name, const char *address)
{
    json_auto_t *status = fetch_status(control, NULL);
    const json_t *svc = json_object_get(json_object_get(status, "services"), name);
    const char *upstream = json_string_value(json_object_get(svc, "upstream"));
    return json_is_true(json_object_get(svc, "attached")) && upstream &&
           strcmp(upstream, address) == 0;
}

/* ---- where things are ---- */

char *control_address(const char *option, const snapshot *s, bool *out_asked)
{
    const char *variable = getenv("INVOKER_CONTROL");
    const char *asked = option ? option : variable && *variable ? variable : NULL;
    *out_asked = asked != NULL;
    if (asked)
        return span_dup(host_of(asked));
    return reachable_address(snapshot_project(s)->control_listen);
}

char *control_required(const char *command, const char *option, const char *config)
{
    const char *variable = getenv("INVOKER_CONTROL");
    const bool named = option || (variable && *variable);
    snapshot *s = named ? NULL : cli_load(cli_config_path(config), NULL);
    if (!named && !s)
        return NULL;
    bool asked = false;
    char *control = control_address(option, s, &asked);
    snapshot_unref(s);
    if (!control)
        (void)cli_usage_error(command, "which gateway? --control ADDRESS is missing");
    return control;
}

bool control_project(const char *control, char **out_id, char **out_region, error *e)
{
    json_auto_t *status = fetch_status(control, e);
    const char *id = json_string_value(json_object_get(status, "project"));
    const char *region = json_string_value(json_object_get(status, "region"));
    if (status && (!id || !region))
        return error_set(e, ERR_INVALID, "%s does not say what project it serves", control);
    if (!status)
        return false;
    *out_id = span_dup(span_of(id));
    *out_region = span_dup(span_of(region));
    return true;
}

/* One overlay line (config/topology.h) if the status names an address. */
static void overlay_line(buf *out, const char *name, const char *kind, const json_t *from,
                         const char *key)
{
    const char *text = json_string_value(json_object_get(from, key));
    if (!text)
        return;
    span address = host_of(text);
    buf_fmt(out, "%s %s %.*s\n", name, kind, SPAN_ARG(address));
}

static void add_overlay(const json_t *status, buf *out)
{
    json_t *services = json_object_get(status, "services");
    const char *name = NULL;
    json_t *svc = NULL;
    overlay_line(out, "-", "ingress", status, "ingress");
    overlay_line(out, "-", "metadata", status, "metadata");
    overlay_line(out, "-", "control", status, "control");
    json_object_foreach (services, name, svc) {
        overlay_line(out, name, "listen", svc, "listen");
        overlay_line(out, name, "metadata", svc, "metadata");
        overlay_line(out, name, "upstream", svc, "upstream");
    }
}

/* The loader reads overlays from files. */
static addresses *read_overlay(span text, error *e)
{
    int fd = memfd_create("addresses", MFD_CLOEXEC);
    if (fd < 0 || write(fd, text.p ? text.p : "", text.n) != (ssize_t)text.n) {
        error_errno(e, "cannot keep the addresses");
        if (fd >= 0)
            (void)close(fd);
        return NULL;
    }
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    addresses *over = addresses_read(path, e);
    (void)close(fd);
    return over;
}

static snapshot *load_over(const char *config_path, span overlay, error *e)
{
    addresses *over = read_overlay(overlay, e);
    if (!over)
        return NULL;
    diagnostics problems = {0};
    snapshot *s = topology_load(config_path, over, &problems);
    if (!s)
        error_set(e, ERR_INVALID, "%s is not valid with the addresses of the running gateway",
                  config_path);
    diagnostics_free(&problems);
    addresses_free(over);
    return s;
}

snapshot *control_merge(const char *control, snapshot *base, error *e)
{
    control_reply reply;
    if (!call_ok(control, "GET", "/invoker/v1/state", NULL, &reply, e))
        return NULL;
    json_auto_t *document = json_loadb(reply.body, reply.n, JSON_REJECT_DUPLICATES, NULL);
    free(reply.body);
    if (document)
        return state_merge(base, document, NULL, clock_wall_us());
    error_set(e, ERR_INVALID, "%s does not tell what its APIs changed", control);
    return NULL;
}

snapshot *control_load(const char *control, const char *config_path, error *e)
{
    json_auto_t *status = fetch_status(control, e);
    if (!status)
        return NULL;
    auto_buf buf overlay = buf_make(OVERLAY_MAX);
    add_overlay(status, &overlay);
    if (!buf_ok(&overlay)) {
        error_set(e, ERR_LIMIT, "the gateway at %s has too many services", control);
        return NULL;
    }
    snapshot *base = load_over(config_path, buf_view(&overlay), e);
    snapshot *all = base ? control_merge(control, base, e) : NULL;
    snapshot_unref(base);
    return all;
}

snapshot *control_load_instead(const char *option, const char *config_path, snapshot *s)
{
    bool asked;
    error e = {0};
    auto_free char *control = control_address(option, s, &asked);
    snapshot *all = control ? control_load(control, config_path, &e) : NULL;
    if (!all)
        return s;
    snapshot_unref(s);
    return all;
}
