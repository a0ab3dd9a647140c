/* Sends a lesson's request as its reader would: fetches or mints the tokens first. */
#include "cli/lesson_request.h"

#include <jansson.h>
#include <stdio.h>

enum {
    TOKEN_MAX = 64 * 1024,
    REQUEST_MAX = 256 * 1024,
    REPLY_MAX = 1024 * 1024,
    URL_MAX = 4096,
    ARGUMENTS_MAX = 16,
    PATIENCE_US = 5 * 1000 * 1000
};

const char *lesson_method(const lesson_request *r)
{
    return r->method ? r->method : "GET";
}

const char *lesson_path(const lesson_request *r)
{
    return r->path ? r->path : "/";
}

void lesson_request_text(buf *out, const lesson_request *r)
{
    buf_fmt(out, "%s %s at %s", lesson_method(r), lesson_path(r), r->to);
}

void lesson_audience(buf *out, const lesson_request *r, const carried *c,
                     void (*url)(buf *out, const void *ctx, const char *name), const void *ctx)
{
    if (!c->audience) {
        url(out, ctx, c->kind == CARRIED_RECEIVED ? c->by : r->to);
        return;
    }
    span rest = span_of(c->audience), text, name;
    while (span_cut(&rest, '{', &text)) {
        buf_span(out, text);
        (void)span_cut(&rest, '}', &name);
        auto_free char *called = span_dup(name);
        url(out, ctx, called);
    }
    buf_span(out, text);
}

static void put_url(buf *out, const void *ctx, const char *name)
{
    buf_str(out, scene_url(ctx, name));
}

/* ---- tokens ---- */

/* "HOST:PORT", or a URL of it. */
static bool address_of(const char *text, net_addr *out, error *e)
{
    span s = span_of(text);
    if (span_starts(s, SPAN_LIT("http://")))
        s = span_from(s, strlen("http://"));
    return net_addr_parse(s, out, e);
}

/* One exchange with an address of the scene; host NULL: that address. */
static bool call(const char *to, const char *host, const char *line, span fields, http_call *out,
                 error *e)
{
    char text[NET_ADDR_TEXT_MAX];
    http_call c = {.reply_max = REPLY_MAX, .connect_us = PATIENCE_US, .idle_us = PATIENCE_US};
    if (!to || !address_of(to, &c.to, e))
        return error_wrap(e, "the scene has no such address");
    auto_buf buf b = buf_make(REQUEST_MAX);
    buf_fmt(&b, "%s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%.*s\r\n", line,
            host ? host : net_addr_text(&c.to, text), SPAN_ARG(fields));
    c.request = buf_view(&b);
    if (!buf_ok(&b))
        return error_set(e, ERR_LIMIT, "%s: the request is too long", line);
    http_calls_run(&c, 1);
    *out = c;
    out->request = (span){0};
    if (c.outcome == HTTP_ANSWERED)
        return true;
    auto_buf buf why = buf_make(URL_MAX);
    http_call_trouble(&c, &why);
    http_call_free(out);
    return error_set(e, ERR_UNAVAILABLE, "%s at %s: %s", line, to, why.p ? why.p : "no answer");
}

/* The body of an answer that has to be 200. */
static bool call_for_text(const char *to, const char *line, span fields, buf *out, error *e)
{
    http_call c = {0};
    if (!call(to, NULL, line, fields, &c, e))
        return false;
    buf_span(out, c.body);
    const unsigned status = c.status;
    http_call_free(&c);
    return status == 200 || error_set(e, ERR_INVALID, "%s at %s: %u: %.200s", line, to, status,
                                      out->p ? out->p : "");
}

/* GET below the default account of a service's metadata server. */
static bool ask_metadata(const scene *s, const char *name, const char *target, buf *out, error *e)
{
    auto_buf buf line = buf_make(URL_MAX);
    buf_fmt(&line, "GET " LESSON_METADATA_PATH "/%s", target);
    return call_for_text(scene_metadata(s, name), line.p, SPAN_LIT("Metadata-Flavor: Google\r\n"),
                         out, e);
}

static bool fetch_identity(const scene *s, const char *from, span audience, buf *out, error *e)
{
    auto_buf buf target = buf_make(URL_MAX);
    buf_str(&target, "identity?audience=");
    buf_percent(&target, audience);
    return ask_metadata(s, from, target.p, out, e);
}

static bool fetch_access(const scene *s, const char *from, buf *out, error *e)
{
    auto_buf buf text = buf_make(TOKEN_MAX);
    if (!ask_metadata(s, from, "token", &text, e))
        return false;
    json_auto_t *root = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    const char *token = json_string_value(json_object_get(root, "access_token"));
    if (!token)
        return error_set(e, ERR_INVALID, "the metadata server gives no access_token");
    buf_str(out, token);
    return true;
}

static bool mint(const scene *s, const carried *c, const char *audience, buf *out, error *e)
{
    const char *words[ARGUMENTS_MAX] = {"invoker", "token",      "--as",
                                        c->from,   "--audience", audience};
    for (size_t i = 0; i < LESSON_OPTIONS_MAX && c->options[i]; i++)
        words[6 + i] = c->options[i];
    return scene_run(s, words, out, e);
}

/* What `by` gets as Authorization when `from` calls it, as it is after Cloud Run had it. */
static bool receive(const scene *s, const carried *c, span audience, buf *out, error *e)
{
    auto_buf buf token = buf_make(TOKEN_MAX);
    auto_buf buf field = buf_make(TOKEN_MAX + URL_MAX);
    if (!fetch_identity(s, c->from, audience, &token, e))
        return false;
    buf_fmt(&field, "Authorization: Bearer %s\r\n", token.p);
    if (!call_for_text(scene_url(s, c->by), "GET /received/authorization", buf_view(&field), out,
                       e))
        return false;
    out->n = span_find(buf_view(out), '\n');
    out->p[out->n] = '\0';
    return true;
}

/* ---- headers ---- */

static bool put_header(const scene *s, const lesson_request *r, const char *name, const carried *c,
                       buf *out, error *e)
{
    auto_buf buf audience = buf_make(URL_MAX);
    auto_buf buf value = buf_make(TOKEN_MAX);
    lesson_audience(&audience, r, c, put_url, s);
    const span aud = buf_view(&audience);
    bool ok = true;
    switch (c->kind) {
    case CARRIED_NOTHING:
        return true;
    case CARRIED_IDENTITY:
        ok = fetch_identity(s, c->from, aud, &value, e);
        break;
    case CARRIED_ACCESS:
        ok = fetch_access(s, c->from, &value, e);
        break;
    case CARRIED_MINTED:
        ok = mint(s, c, audience.p, &value, e);
        break;
    case CARRIED_RECEIVED:
        ok = receive(s, c, aud, &value, e);
        break;
    case CARRIED_TEXT:
        buf_str(&value, c->from);
        break;
    }
    const bool whole = c->kind == CARRIED_TEXT || c->kind == CARRIED_RECEIVED;
    buf_fmt(out, "%s: %s%s\r\n", name, whole ? "" : "Bearer ", value.p ? value.p : "");
    return ok;
}

bool lesson_send(const scene *s, const lesson_request *r, http_call *out, error *e)
{
    auto_buf buf fields = buf_make(REQUEST_MAX);
    auto_buf buf line = buf_make(URL_MAX);
    buf_str(&fields, "User-Agent: invoker-lesson\r\n");
    if (!put_header(s, r, "Authorization", &r->authorization, &fields, e) ||
        !put_header(s, r, "X-Serverless-Authorization", &r->serverless, &fields, e))
        return false;
    for (size_t i = 0; i < LESSON_FIELDS_MAX && r->fields[i]; i++)
        buf_fmt(&fields, "%s\r\n", r->fields[i]);
    buf_fmt(&line, "%s %s", lesson_method(r), lesson_path(r));
    return call(r->host ? scene_ingress(s) : scene_url(s, r->to), r->host, line.p,
                buf_view(&fields), out, e);
}
