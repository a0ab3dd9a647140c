/* A small blocking HTTP/1.1 client for the control listener, and the calls that commands make. */
#include "cli/control_client.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"
#include "cli/up_env.h"
#include "config/topology.h"
#include "state/merge.h"
#include "state/state.h"

enum {
    REQUEST_MAX = 256 * 1024,
    REPLY_MAX = STATE_DOCUMENT_MAX + 16 * 1024 * 1024,
    OVERLAY_MAX = 1024 * 1024,
    CHUNK = 16 * 1024,
    TIMEOUT_S = 5,
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

static int connect_to(span host, error *e)
{
    net_addr a;
    if (!net_addr_resolve(host, &a, e))
        return -1;
    int fd = net_connect(&a, e);
    if (fd < 0)
        return -1;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int failure = ETIMEDOUT;
    socklen_t n = sizeof failure;
    if (poll(&p, 1, TIMEOUT_S * 1000) == 1)
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &n);
    if (failure == 0)
        return fd;
    (void)close(fd);
    errno = failure;
    error_errno(e, "cannot connect to %.*s", SPAN_ARG(host));
    return -1;
}

static bool wait_for(int fd, short events, error *e)
{
    struct pollfd p = {.fd = fd, .events = events};
    int got = 0;
    do {
        got = poll(&p, 1, TIMEOUT_S * 1000);
    } while (got < 0 && errno == EINTR);
    return got == 1 || error_set(e, ERR_UNAVAILABLE, "no answer within %d s", TIMEOUT_S);
}

static bool send_all(int fd, span bytes, error *e)
{
    while (bytes.n) {
        if (!wait_for(fd, POLLOUT, e))
            return false;
        ssize_t put = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno(e, "the connection broke");
        if (put > 0)
            bytes = span_from(bytes, (size_t)put);
    }
    return true;
}

/* Until the other side closes: we asked for it. */
static bool receive_all(int fd, buf *into, error *e)
{
    char chunk[CHUNK];
    for (;;) {
        if (!wait_for(fd, POLLIN, e))
            return false;
        ssize_t got = recv(fd, chunk, sizeof chunk, 0);
        if (got == 0)
            return buf_ok(into) || error_set(e, ERR_LIMIT, "the answer is too long");
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return error_errno(e, "the connection broke");
        if (got > 0)
            buf_add(into, chunk, (size_t)got);
    }
}

/* "HTTP/1.1 200 OK…\r\n\r\n" + body. */
static bool parse_reply(span text, control_reply *out, buf *out_head, error *e)
{
    static const char end_of_head[] = "\r\n\r\n";
    uint64_t status = 0;
    const char *end = text.n ? memmem(text.p, text.n, end_of_head, strlen(end_of_head)) : NULL;
    bool ok = end && span_starts(text, SPAN_LIT("HTTP/1.1 ")) &&
              span_u64((span){text.p + 9, 3}, 599, &status);
    if (!ok)
        return error_set(e, ERR_INVALID, "the answer is no HTTP");
    size_t head = (size_t)(end - text.p) + strlen(end_of_head);
    if (out_head)
        buf_add(out_head, text.p, head);
    *out = (control_reply){(unsigned)status, span_dup(span_from(text, head)), text.n - head};
    return true;
}

static bool exchange(int fd, span host, const control_request *r, control_reply *out, error *e)
{
    auto_buf buf request = buf_make(REQUEST_MAX);
    const span name = r->host ? span_of(r->host) : host;
    buf_fmt(&request, "%s %s HTTP/1.1\r\nHost: %.*s\r\nConnection: close\r\n%s", r->method, r->path,
            SPAN_ARG(name), r->fields ? r->fields : "");
    if (r->bearer)
        buf_fmt(&request, "Authorization: Bearer %s\r\n", r->bearer);
    if (r->body)
        buf_fmt(&request, "Content-Type: %s\r\nContent-Length: %zu\r\n",
                r->type ? r->type : "application/json", strlen(r->body));
    buf_fmt(&request, "\r\n%s", r->body ? r->body : "");
    auto_buf buf reply = buf_make(REPLY_MAX);
    return send_all(fd, buf_view(&request), e) && receive_all(fd, &reply, e) &&
           parse_reply(buf_view(&reply), out, r->out_head, e);
}

bool control_send(const char *control, const control_request *r, control_reply *out, error *e)
{
    span host = host_of(control);
    int fd = connect_to(host, e);
    if (fd < 0)
        return error_wrap(e, "no gateway answers at %.*s (start one with 'invoker up')",
                          SPAN_ARG(host));
    bool ok = exchange(fd, host, r, out, e);
    (void)close(fd);
    return ok || error_wrap(e, "%s http://%.*s%s", r->method, SPAN_ARG(host), r->path);
}

bool control_call(const char *control, const char *method, const char *path, const char *body,
                  control_reply *out, error *e)
{
    const control_request r = {.method = method, .path = path, .body = body};
    return control_send(control, &r, out, e);
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

/* What the APIs changed, laid over the file's; NULL and *e when the gateway does not tell. */
static snapshot *merge_state(const char *control, snapshot *base, error *e)
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
    snapshot *all = base ? merge_state(control, base, e) : NULL;
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
