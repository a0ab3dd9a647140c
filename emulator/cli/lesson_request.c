/* Sends a lesson's request as its reader would: fetches or mints the tokens first. */
#include "cli/lesson_request.h"

#include <jansson.h>
#include <stdio.h>

enum { TOKEN_MAX = 64 * 1024, NAME_MAX_BYTES = 64, URL_MAX = 4096, ARGUMENTS_MAX = 16 };

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

/* GET below the default account of a service's metadata server. */
static bool ask_metadata(const scene *s, const char *name, const char *target, buf *out, error *e)
{
    auto_buf buf path = buf_make(URL_MAX);
    buf_fmt(&path, LESSON_METADATA_PATH "/%s", target);
    const control_request ask = {
        .method = "GET", .path = path.p, .fields = "Metadata-Flavor: Google\r\n"};
    control_reply reply;
    if (!control_send(scene_metadata(s, name), &ask, &reply, e))
        return false;
    buf_str(out, reply.body);
    const unsigned status = reply.status;
    free(reply.body);
    return status == 200 || error_set(e, ERR_INVALID, "%s's metadata server answers %u: %.200s",
                                      name, status, out->p ? out->p : "");
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
    const control_request ask = {
        .method = "GET", .path = "/received/authorization", .fields = field.p};
    control_reply reply;
    if (!control_send(scene_url(s, c->by), &ask, &reply, e))
        return false;
    buf_span(out, (span){reply.body, strcspn(reply.body, "\n")});
    const unsigned status = reply.status;
    free(reply.body);
    return status == 200 || error_set(e, ERR_INVALID, "%s answers %u", c->by, status);
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

bool lesson_send(const scene *s, const lesson_request *r, lesson_answer *out, error *e)
{
    auto_buf buf fields = buf_make(4 * TOKEN_MAX);
    buf_str(&fields, "User-Agent: invoker-lesson\r\n");
    if (!put_header(s, r, "Authorization", &r->authorization, &fields, e) ||
        !put_header(s, r, "X-Serverless-Authorization", &r->serverless, &fields, e))
        return false;
    for (size_t i = 0; i < LESSON_FIELDS_MAX && r->fields[i]; i++)
        buf_fmt(&fields, "%s\r\n", r->fields[i]);
    *out = (lesson_answer){.head = buf_make(TOKEN_MAX)};
    const control_request ask = {.method = lesson_method(r),
                                 .path = lesson_path(r),
                                 .host = r->host,
                                 .fields = fields.p,
                                 .out_head = &out->head};
    return control_send(r->host ? scene_ingress(s) : scene_url(s, r->to), &ask, &out->reply, e);
}

void lesson_answer_free(lesson_answer *a)
{
    free(a->reply.body);
    buf_free(&a->head);
    *a = (lesson_answer){0};
}

bool lesson_answer_field(const lesson_answer *a, const char *name, span *out)
{
    span rest = buf_view(&a->head), line;
    while (rest.n) {
        (void)span_cut(&rest, '\n', &line);
        span value = line, field;
        if (!span_cut(&value, ':', &field) || !span_ieq_str(field, name))
            continue;
        if (span_ends(value, SPAN_LIT("\r")))
            value.n--;
        *out = span_trim(value);
        return true;
    }
    return false;
}
