/* One record in Cloud Logging's JSON, and as a line for people. */
#include <stdlib.h>

#include "base/clock.h"
#include "gateway/request_log.h"

/* The length is known when this is compiled; half of an entry is the same for all requests. */
#define add_lit(b, literal) buf_add((b), (literal), sizeof(literal) - 1)

enum { TARGET_SHOWN_MAX = 8192, HEADER_SHOWN_MAX = 1024 };

static span shown(span s, size_t max)
{
    return (span){s.p, s.n < max ? s.n : max};
}

const char *log_severity(unsigned status)
{
    if (status >= 500)
        return "ERROR";
    return status >= 400 ? "WARNING" : "INFO";
}

/* What should have been refused is a warning at least. */
static const char *severity_of(const record *r)
{
    return r->audited && r->outcome.status < 400 ? "WARNING" : log_severity(r->outcome.status);
}

static void add_text(buf *b, const char *key, span value)
{
    if (value.n == 0)
        return;
    buf_str(b, key);
    buf_json(b, value);
}

void log_latency(buf *b, int64_t latency_us, bool refused)
{
    if (refused) {
        add_lit(b, "0s");
        return;
    }
    const int64_t us = latency_us > 0 ? latency_us : 0;
    char digits[9];
    uint64_t fraction = (uint64_t)(us % 1000000) * 1000;
    for (size_t i = sizeof digits; i-- > 0; fraction /= 10)
        digits[i] = (char)('0' + fraction % 10);
    buf_i64(b, us / 1000000);
    buf_char(b, '.');
    buf_add(b, digits, sizeof digits);
    buf_char(b, 's');
}

static void add_url(buf *b, const record *r)
{
    char small[512];
    span scheme = r->https ? SPAN_LIT("https://") : SPAN_LIT("http://");
    span target = shown(r->target, TARGET_SHOWN_MAX);
    add_lit(b, ",\"requestUrl\":");
    if (scheme.n + r->host.n + target.n <= sizeof small) {
        memcpy(small, scheme.p, scheme.n);
        if (r->host.n)
            memcpy(small + scheme.n, r->host.p, r->host.n);
        memcpy(small + scheme.n + r->host.n, target.p, target.n);
        buf_json(b, (span){small, scheme.n + r->host.n + target.n});
        return;
    }
    auto_buf buf url = buf_make(scheme.n + r->host.n + target.n);
    buf_span(&url, scheme);
    buf_span(&url, r->host);
    buf_span(&url, target);
    buf_json(b, buf_view(&url));
}

static void add_http_request(buf *b, const record *r)
{
    add_lit(b, ",\"httpRequest\":{\"requestMethod\":");
    buf_json(b, r->method);
    add_url(b, r);
    add_lit(b, ",\"requestSize\":\"");
    buf_u64(b, r->outcome.request_bytes);
    buf_char(b, '"');
    if (r->outcome.status) {
        add_lit(b, ",\"status\":");
        buf_u64(b, r->outcome.status);
    }
    add_lit(b, ",\"responseSize\":\"");
    buf_u64(b, r->outcome.response_bytes);
    buf_char(b, '"');
    add_text(b, ",\"userAgent\":", shown(r->user_agent, HEADER_SHOWN_MAX));
    add_text(b, ",\"remoteIp\":", r->remote_ip);
    add_text(b, ",\"referer\":", shown(r->referer, HEADER_SHOWN_MAX));
    add_text(b, ",\"serverIp\":", r->server_ip);
    add_lit(b, ",\"latency\":\"");
    log_latency(b, r->outcome.latency_us, record_refused(r));
    buf_char(b, '"');
    add_text(b, ",\"protocol\":", r->version);
    buf_char(b, '}');
}

static void add_labels(buf *b, const record *r, const view_service *vs)
{
    if (!r->outcome.forwarded && !r->audited)
        return;
    add_lit(b, ",\"labels\":{");
    if (r->outcome.forwarded) {
        add_lit(b, "\"instanceId\":\"");
        buf_add(b, vs->instance_id, INSTANCE_ID_LEN);
        add_lit(b, "\"");
    }
    if (r->audited) {
        buf_str(b, r->outcome.forwarded ? "," : "");
        add_lit(b, "\"invoker/enforced\":\"false\"");
    }
    add_lit(b, "}");
}

/* Not in production's entries: why, and what mends it. */
static void add_invoker(buf *b, const record *r)
{
    add_lit(b, ",\"invoker\":{\"service\":");
    buf_json(b, span_of(r->service->name));
    if (r->decided) {
        add_lit(b, ",\"reason\":");
        buf_json(b, span_of(reason_info(r->reason)->name));
    }
    if (r->audited) {
        add_lit(b, ",\"enforced\":false,\"would_be\":");
        buf_u64(b, reason_status(r->reason));
    }
    add_text(b, ",\"caller\":", r->caller);
    if (r->granted_file) {
        add_lit(b, ",\"granted_at\":");
        buf_json(b, span_of(r->granted_file));
        if (r->granted_line) {
            add_lit(b, ",\"granted_line\":");
            buf_u64(b, r->granted_line);
        }
    }
    if (r->outcome.failure != PROXY_OK) {
        add_lit(b, ",\"failure\":");
        buf_json(b, span_of(proxy_failure_name(r->outcome.failure)));
    }
    add_text(b, ",\"explanation\":", r->explanation);
    add_text(b, ",\"fix\":", r->fix);
    add_text(b, ",\"local_fix\":", r->local_fix);
    buf_char(b, '}');
}

static void add_trace(buf *b, const record *r, const project *p)
{
    char span_id[16];
    ids_hex(span_id, sizeof span_id, r->trace->span_id);
    add_lit(b, ",\"trace\":\"projects/");
    buf_str(b, p->id);
    add_lit(b, "/traces/");
    buf_add(b, r->trace->id, TRACE_ID_LEN);
    add_lit(b, "\",\"spanId\":\"");
    buf_add(b, span_id, sizeof span_id);
    buf_str(b, r->trace->sampled ? "\",\"traceSampled\":true" : "\",\"traceSampled\":false");
}

/* The last second that was formatted: it is the same for thousands of requests. */
static void add_time(buf *b, log_state *state, int64_t wall_us, unsigned digits)
{
    static const size_t whole = sizeof "2026-05-10T05:57:08" - 1;
    if (wall_us / 1000000 != state->second || !state->text[0]) {
        state->second = wall_us / 1000000;
        clock_rfc3339(wall_us, 0, state->text);
    }
    char fraction[11] = ".000000000";
    uint64_t us = (uint64_t)(wall_us % 1000000);
    for (size_t i = 6; i > 0; i--, us /= 10)
        fraction[i] = (char)('0' + us % 10);
    buf_add(b, state->text, whole);
    buf_add(b, fraction, 1 + digits);
    buf_char(b, 'Z');
}

void request_log_json(buf *b, const record *r, log_state *state)
{
    char insert_id[INSERT_ID_LEN + 1];
    insert_id_text(r->insert_id, insert_id);
    const project *p = snapshot_project(r->view->snap);
    const view_service *vs = &r->view->services[r->service->index];
    add_lit(b, "{\"insertId\":\"");
    buf_add(b, insert_id, INSERT_ID_LEN);
    add_lit(b, "\",\"logName\":\"projects/");
    buf_str(b, p->id);
    add_lit(b, "/logs/run.googleapis.com%2Frequests\",\"timestamp\":\"");
    add_time(b, state, r->wall_us, 6);
    add_lit(b, "\",\"receiveTimestamp\":\"");
    add_time(b, state, r->wall_us + r->outcome.latency_us, 9);
    add_lit(b, "\",\"severity\":\"");
    buf_str(b, severity_of(r));
    buf_char(b, '"');
    add_trace(b, r, p);
    add_labels(b, r, vs);
    add_lit(b, ",\"resource\":");
    buf_add(b, vs->log_resource, vs->log_resource_n);
    add_http_request(b, r);
    if (r->text_payload) {
        add_lit(b, ",\"textPayload\":");
        buf_json(b, span_of(r->text_payload));
    }
    add_invoker(b, r);
    buf_char(b, '}');
}

/* Printable ASCII as it is, everything else as \xNN: no foreign text may move a terminal's cursor.
 */
static void add_clean(buf *b, span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= ' ' && c < 0x7F && c != '\\')
            buf_char(b, (char)c);
        else
            buf_fmt(b, "\\x%02x", c);
    }
}

static void add_sentence(buf *b, const char *label, span text)
{
    if (text.n == 0)
        return;
    buf_str(b, label);
    for (size_t i = 0; i < text.n; i++) {
        bool control = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7F;
        if (control)
            buf_char(b, ' ');
        else
            buf_char(b, text.p[i]);
    }
}

void request_log_text(buf *b, const record *r)
{
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(r->wall_us, 3, time);
    const char *level = r->outcome.status >= 500                 ? "error"
                        : r->outcome.status >= 400 || r->audited ? "warning"
                                                                 : "info";
    buf_fmt(b, "%.12s gateway  %-7s %s ", time + 11, level, r->service->name);
    add_clean(b, r->method);
    buf_char(b, ' ');
    add_clean(b, shown(r->target, HEADER_SHOWN_MAX));
    buf_fmt(b, " %u", r->outcome.status);
    if (!record_refused(r))
        buf_fmt(b, " %d.%03dms", (int)(r->outcome.latency_us / 1000),
                (int)(r->outcome.latency_us % 1000));
    if (r->audited)
        buf_fmt(b, " audit: would be refused %u", reason_status(r->reason));
    if (r->decided)
        buf_fmt(b, " %s", reason_info(r->reason)->name);
    if (r->caller.n) {
        buf_char(b, ' ');
        add_clean(b, r->caller);
    }
    if (r->outcome.failure != PROXY_OK)
        buf_fmt(b, " %s", proxy_failure_name(r->outcome.failure));
    add_sentence(b, ": ", r->explanation);
    add_sentence(b, " | fix: ", r->fix);
    add_sentence(b, " | here: ", r->local_fix);
}
