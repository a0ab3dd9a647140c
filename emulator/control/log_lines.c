/* POST /invoker/v1/services/NAME/logs: what a container wrote, sent by whoever runs it.
 *
 *   {"stream":"stdout","lines":[{"time":"2026-05-10T05:57:08.647307Z","text":"listening"}],"lost":3}
 *
 * lost (optional) counts lines in front of these that the sender could not keep. */
#include <stdlib.h>

#include "base/clock.h"
#include "control/control_impl.h"
#include "control/reply.h"

enum { LINES_MAX = 10000 };

/* One body; the lines are looked at twice: all are sound, or none is taken. */
typedef struct batch {
    json_t *lines;
    line_stream stream;
    json_int_t lost;
} batch;

static bool stream_of(const char *name, line_stream *out)
{
    if (!name)
        return false;
    *out = strcmp(name, "stderr") == 0 ? STREAM_STDERR : STREAM_STDOUT;
    return *out == STREAM_STDERR || strcmp(name, "stdout") == 0;
}

static bool line_of(const json_t *v, int64_t *out_us, span *out_text)
{
    const json_t *text = json_object_get(v, "text");
    const char *time = json_string_value(json_object_get(v, "time"));
    *out_text = (span){json_string_value(text), json_string_length(text)};
    return json_is_string(text) && clock_parse_rfc3339(span_of(time), out_us);
}

static bool read_batch(const json_t *body, batch *out, error *e)
{
    const json_t *lost = json_object_get(body, "lost");
    size_t i = 0;
    json_t *one = NULL;
    out->lines = json_object_get(body, "lines");
    out->lost = json_integer_value(lost);
    if (!stream_of(json_string_value(json_object_get(body, "stream")), &out->stream))
        return error_set(e, ERR_INVALID, "stream is \"stdout\" or \"stderr\"");
    if (!json_is_array(out->lines) || json_array_size(out->lines) > LINES_MAX)
        return error_set(e, ERR_INVALID, "lines is a list of at most %d lines", LINES_MAX);
    if (lost && (!json_is_integer(lost) || out->lost < 0))
        return error_set(e, ERR_INVALID, "lost is the number of lines that are missing");
    json_array_foreach (out->lines, i, one) {
        int64_t us;
        span text;
        if (!line_of(one, &us, &text))
            return error_set(e, ERR_INVALID,
                             "lines[%zu]: expected {\"time\":\"2026-05-10T05:57:08.647307Z\","
                             "\"text\":\"…\"}",
                             i);
    }
    return true;
}

/* Just before the first line behind the gap. */
static void add_loss(control *c, container_line line, json_int_t lost)
{
    auto_buf buf b = buf_make(256);
    buf_fmt(&b, "invoker: %lld lines before this are lost: the gateway did not take them",
            (long long)lost);
    line.about_loss = true;
    line.text = buf_view(&b);
    log_store_add(c->logs, &line);
}

static void keep(control *c, const service *s, const batch *b)
{
    const control_backend *back = &c->backend;
    container_line line = {.received_us = control_now_us(back),
                           .stream = b->stream,
                           .service = span_of(s->name),
                           .revision = span_of(s->revision)};
    size_t i = 0;
    json_t *one = NULL;
    bool told = b->lost == 0;
    json_array_foreach (b->lines, i, one) {
        (void)line_of(one, &line.time_us, &line.text);
        if (!told)
            add_loss(c, line, b->lost);
        told = true;
        log_store_add(c->logs, &line);
    }
}

static void take(control *c, http_request *r, span name)
{
    error e = {0};
    json_error_t where;
    const span text = http_body(r);
    const snapshot *snap = c->backend.merged(c->backend.ctx);
    const service *s = snapshot_find_service(snap, name);
    json_auto_t *body =
        json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    batch b;
    if (!s)
        reply_error(r, 404, NULL, "there is no service \"%.*s\" in %s", SPAN_ARG(name),
                    snapshot_project(snap)->file);
    else if (!body)
        reply_error(r, 400, NULL, "line %d, column %d: %s", where.line, where.column, where.text);
    else if (!read_batch(body, &b, &e))
        reply_error(r, 400, NULL, "%s", e.text);
    else {
        keep(c, s, &b);
        reply_json(r, 200, SPAN_LIT("{}\n"));
    }
}

void serve_lines(control *c, http_request *r, span name)
{
    if (!span_eq(http_method(r), SPAN_LIT("POST")))
        reply_error(r, 405, "POST",
                    "a container's lines are sent by POST; they are read with 'gcloud run services "
                    "logs read' (POST /v2/entries:list)");
    else if (!type_is_json(http_header(r, "Content-Type")))
        reply_error(r, 415, NULL, "what changes something needs Content-Type: application/json");
    else
        take(c, r, name);
}
