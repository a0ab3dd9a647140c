/* A remembered request as JSON: as a decision, and as the log entry it has in production. */
#include <stdlib.h>

#include "base/clock.h"
#include "decision/evidence_json.h"
#include "gateway/recent_impl.h"
#include "gateway/request_log.h"

enum { URL_MAX = 1024, ADVICE_MAX = 1024, NUMBER_TEXT_MAX = 32 };

/* ---- a decision ---- */

/* Without the query: it is the place where secrets are put by mistake. */
static span path_of(span target)
{
    const span path = {target.p, span_find(target, '?')};
    return (span){path.p, path.n < 256 ? path.n : 256};
}

static void add_optional(buf *b, const char *key, span value)
{
    if (value.n == 0)
        return;
    buf_str(b, ",\"");
    buf_str(b, key);
    buf_str(b, "\":");
    buf_json(b, value);
}

static void add_head(buf *b, const recent_request *r)
{
    char time[CLOCK_RFC3339_MAX], id[INSERT_ID_LEN + 1];
    clock_rfc3339(r->wall_us, 6, time);
    recent_insert_id(r, id);
    buf_fmt(b, "{\"id\":\"%s\",\"timestamp\":\"%s\",\"status\":%u,\"allowed\":%s", id, time,
            r->status, r->decided && !r->refused && !r->audited ? "true" : "false");
    buf_fmt(b, ",\"enforced\":%s", r->audited ? "false" : "true");
}

void recent_decision(const recent_request *r, buf *b)
{
    recalled c = {.kid = NULL};
    if (r->has_evidence)
        recent_recall(r, &c);
    const evidence *e = r->has_evidence ? &c.evidence : NULL;
    add_head(b, r);
    if (r->decided)
        add_optional(b, "reason", span_of(reason_info(r->reason)->name));
    add_optional(b, "service", request_text(r, PART_SERVICE));
    add_optional(b, "method", request_text(r, PART_METHOD));
    add_optional(b, "path", path_of(request_text(r, PART_TARGET)));
    add_optional(b, "host", request_text(r, PART_HOST));
    add_optional(b, "caller", request_text(r, PART_CALLER));
    if (e)
        add_optional(b, "header", span_of(token_header_field(e->header)));
    if (r->failure != PROXY_OK)
        add_optional(b, "failure", span_of(proxy_failure_name(r->failure)));
    add_optional(b, "explanation", request_text(r, PART_EXPLANATION));
    add_optional(b, "fix", request_text(r, PART_FIX));
    if (e)
        evidence_json_terraform(b, e);
    add_optional(b, "local_fix", request_text(r, PART_LOCAL_FIX));
    if (r->decided)
        add_optional(b, "learn_more", span_of(reason_info(r->reason)->learn_more));
    if (e)
        evidence_json(b, e);
    buf_fmt(b, ",\"latency_us\":%lld,\"trace\":\"%s\"}", (long long)r->latency_us, r->trace);
    recalled_free(&c);
}

/* ---- a log entry ---- */

/* Foreign bytes that are no UTF-8 become U+FFFD, as everywhere. */
static json_t *string_of(span s)
{
    json_t *v = json_stringn(s.n ? s.p : "", s.n);
    if (v)
        return v;
    auto_buf buf b = buf_make(SIZE_MAX / 2);
    buf_json(&b, s);
    return json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static void put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        abort();
}

static void put_text(json_t *object, const char *key, span value)
{
    if (value.n)
        put(object, key, string_of(value));
}

static void put_str(json_t *object, const char *key, const char *value)
{
    put_text(object, key, span_of(value));
}

/* 64-bit integers are strings in protobuf's JSON. */
static void put_u64(json_t *object, const char *key, uint64_t value)
{
    auto_buf buf b = buf_make(NUMBER_TEXT_MAX);
    buf_u64(&b, value);
    put_text(object, key, buf_view(&b));
}

static void put_time(json_t *object, const char *key, int64_t wall_us, int digits)
{
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(wall_us, digits, time);
    put_str(object, key, time);
}

static json_t *resource_of(const recent_request *r, const project *p)
{
    const span name = request_text(r, PART_SERVICE);
    json_t *labels = json_object();
    put_str(labels, "project_id", p->id);
    put_str(labels, "location", p->region);
    put_text(labels, "service_name", name);
    put_text(labels, "configuration_name", name);
    put_text(labels, "revision_name", request_text(r, PART_REVISION));
    return json_pack("{s:s,s:o}", "type", "cloud_run_revision", "labels", labels);
}

static json_t *http_request_of(const recent_request *r)
{
    auto_buf buf text = buf_make(URL_MAX);
    json_t *h = json_object();
    put(h, "requestMethod", string_of(request_text(r, PART_METHOD)));
    buf_str(&text, r->https ? "https://" : "http://");
    buf_span(&text, request_text(r, PART_HOST));
    buf_span(&text, request_text(r, PART_TARGET));
    put_text(h, "requestUrl", buf_view(&text));
    put_u64(h, "requestSize", r->request_bytes);
    if (r->status)
        put(h, "status", json_integer(r->status));
    put_u64(h, "responseSize", r->response_bytes);
    put_text(h, "userAgent", request_text(r, PART_USER_AGENT));
    put_text(h, "remoteIp", request_text(r, PART_REMOTE_IP));
    put_text(h, "referer", request_text(r, PART_REFERER));
    put_text(h, "serverIp", request_text(r, PART_SERVER_IP));
    buf_clear(&text);
    log_latency(&text, r->latency_us, r->refused);
    put_text(h, "latency", buf_view(&text));
    put_text(h, "protocol", request_text(r, PART_PROTOCOL));
    return h;
}

static json_t *labels_of(const recent_request *r)
{
    const span file = request_text(r, PART_GRANTED_FILE);
    json_t *labels = json_object();
    put_text(labels, "instanceId", request_text(r, PART_INSTANCE));
    if (r->decided)
        put_str(labels, "invoker/reason", reason_info(r->reason)->name);
    if (r->audited)
        put_str(labels, "invoker/enforced", "false");
    put_text(labels, "invoker/caller", request_text(r, PART_CALLER));
    if (file.n) {
        auto_buf buf where = buf_make(file.n + NUMBER_TEXT_MAX);
        buf_span(&where, file);
        if (r->granted_line)
            buf_fmt(&where, ":%u", r->granted_line);
        put_text(labels, "invoker/granted_at", buf_view(&where));
    }
    if (r->failure != PROXY_OK)
        put_str(labels, "invoker/failure", proxy_failure_name(r->failure));
    put_text(labels, "invoker/explanation", request_text(r, PART_EXPLANATION));
    put_text(labels, "invoker/fix", request_text(r, PART_FIX));
    put_text(labels, "invoker/local_fix", request_text(r, PART_LOCAL_FIX));
    return labels;
}

/* What the two kinds of entries have in common. */
static json_t *entry_of(const recent_request *r, const project *p, const char *log,
                        const char *severity)
{
    json_t *e = json_object();
    char span_id[16];
    ids_hex(span_id, sizeof span_id, r->span_id);
    put(e, "logName", json_sprintf("projects/%s/logs/run.googleapis.com%%2F%s", p->id, log));
    put_time(e, "timestamp", r->wall_us, 6);
    put_time(e, "receiveTimestamp", r->wall_us + r->latency_us, 9);
    put_str(e, "severity", severity);
    put(e, "trace", json_sprintf("projects/%s/traces/%s", p->id, r->trace));
    put_text(e, "spanId", (span){span_id, sizeof span_id});
    put(e, "traceSampled", json_boolean(r->sampled));
    put(e, "resource", resource_of(r, p));
    return e;
}

json_t *recent_advice_entry(const recent_request *r, const project *p)
{
    json_t *e = entry_of(r, p, "stderr", "ERROR");
    auto_buf buf b = buf_make(ADVICE_MAX);
    buf_str(&b, "invoker: ");
    buf_span(&b, request_text(r, PART_EXPLANATION));
    if (request_text(r, PART_LOCAL_FIX).n) {
        buf_str(&b, " Here: ");
        buf_span(&b, request_text(r, PART_LOCAL_FIX));
    }
    put_text(e, "textPayload", buf_view(&b));
    return e;
}

json_t *recent_log_entry(const recent_request *r, const project *p)
{
    const bool warned = r->audited && r->status < 400;
    json_t *e = entry_of(r, p, "requests", warned ? "WARNING" : log_severity(r->status));
    char id[INSERT_ID_LEN + 1];
    recent_insert_id(r, id);
    put_str(e, "insertId", id);
    put(e, "labels", labels_of(r));
    put(e, "httpRequest", http_request_of(r));
    put_str(e, "textPayload", r->text_payload);
    return e;
}
