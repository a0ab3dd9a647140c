/* What follows from a verdict: a page or the way to the upstream, and the report at the end. */
#include <stdlib.h>

#include "gateway/admission.h"

enum { REPLY_FIELDS_MAX = 6 };

/* Only where somebody asked for it: production has no such field. */
static bool tells_decision(const admit *a, const admission *m)
{
    return a->o.decision_header || snapshot_emulation(m->hold->view->snap)->decision_header;
}

/* "ID REASON": the log entry's insertId, under which `invoker why` knows the request. */
static span decision_value(admit *a, const admission *m)
{
    const uint64_t id[2] = {m->insert_id, m->trace.span_id};
    char text[INSERT_ID_LEN + 1];
    insert_id_text(id, text);
    buf_clear(&a->scratch);
    buf_str(&a->scratch, text);
    if (m->decided)
        buf_fmt(&a->scratch, " %s", reason_info(m->reason)->name);
    return judge_keep(m->x, buf_view(&a->scratch));
}

void admission_page(admit *a, admission *m, error_page p, bool challenge, reply *out)
{
    const error_page_info *info = pages_info(p);
    field *fields = exchange_alloc(m->x, REPLY_FIELDS_MAX * sizeof *fields);
    size_t n = 0;
    fields[n++] = (field){SPAN_LIT("content-type"), span_of(info->content_type)};
    if (challenge)
        fields[n++] = (field){SPAN_LIT("WWW-Authenticate"), SPAN_LIT(PAGE_CHALLENGE)};
    if (!info->robot) {
        fields[n++] = (field){SPAN_LIT("server"), SPAN_LIT(PAGE_SERVER)};
        fields[n++] = (field){SPAN_LIT("x-cloud-trace-context"),
                              (span){m->response_trace, m->response_trace_n}};
        fields[n++] = (field){SPAN_LIT("alt-svc"), SPAN_LIT(PAGE_ALT_SVC)};
    }
    if (tells_decision(a, m))
        fields[n++] = (field){SPAN_LIT(DECISION_HEADER), decision_value(a, m)};
    buf_clear(&a->scratch);
    pages_body(&a->scratch, p, exchange_path(m->x));
    *out = (reply){.status = info->status,
                   .fields = fields,
                   .field_count = n,
                   .body = judge_keep(m->x, buf_view(&a->scratch))};
}

void admission_refuse(admit *a, admission *m, error_page p, bool challenge)
{
    if (!m->text_payload)
        m->text_payload = pages_info(p)->log_text;
    reply r;
    admission_page(a, m, p, challenge, &r);
    exchange_reply(m->x, &r);
}

static void give_back(void *taken)
{
    capacity_give(taken);
}

/* Cloud Run docs "Using HTTP/2": towards the container HTTP/2 is downgraded, except for native gRPC
 * and where the service asks for HTTP/2 end to end. */
static bool wants_http2(const admission *m)
{
    span type = {0};
    if (m->service->use_http2)
        return true;
    return span_eq_str(exchange_version(m->x), "HTTP/2") &&
           exchange_field(m->x, "Content-Type", &type) == 1 &&
           span_starts(type, SPAN_LIT("application/grpc"));
}

/* Google's limits hold for containers that speak HTTP/1, however the caller speaks. */
static bool too_large(const admission *m)
{
    const uint64_t most = m->h2c ? 0 : m->service->body_limit;
    uint64_t bytes = 0;
    return most && exchange_declared_length(m->x, &bytes) && bytes > most;
}

/* A command that the topology names is run by whoever asked for patience; what was attached is
 * somebody else's to start. */
static int64_t patience_of(const admit *a, const admission *m, const view_service *vs)
{
    return m->service->command && vs->kind == UPSTREAM_TOPOLOGY ? a->o.start_wait_us : 0;
}

void admission_forward(admit *a, admission *m)
{
    const view_service *vs = &m->hold->view->services[m->service->index];
    m->h2c = wants_http2(m);
    if (too_large(m)) {
        admission_explain_too_large(a, m);
        admission_refuse(a, m, ERROR_413, false);
        return;
    }
    if (vs->kind == UPSTREAM_NONE) {
        admission_explain_missing_upstream(a, m);
        admission_refuse(a, m, ERROR_503, false);
        return;
    }
    if (vs->capacity &&
        !capacity_take(vs->capacity, m->service->max_instances * m->service->concurrency)) {
        admission_explain_no_instance(a, m);
        admission_refuse(a, m, ERROR_429, false);
        return;
    }
    forwarding *w = exchange_alloc(m->x, sizeof *w);
    forwarding_fill(w, m->x, &m->trace, span_of(m->peer_ip),
                    (span){m->response_trace, m->response_trace_n}, m->header, m->token,
                    &a->scratch);
    if (tells_decision(a, m))
        forwarding_tell(w, decision_value(a, m));
    m->at = tally_enter(a->o.tally, m->hold->view, m->service);
    exchange_forward(m->x, &(forward){.upstream = vs->upstream,
                                      .http2 = m->h2c,
                                      .patience_us = patience_of(a, m, vs),
                                      .timeout_us = m->service->timeout_us,
                                      .body_limit = m->h2c ? 0 : m->service->body_limit,
                                      .response_limit = m->h2c ? 0 : m->service->response_limit,
                                      .over = vs->capacity ? give_back : NULL,
                                      .over_arg = vs->capacity,
                                      .drop = w->drop,
                                      .add = w->add,
                                      .add_count = w->adds,
                                      .response_drop = w->response_drop,
                                      .response_add = w->response_add,
                                      .response_add_count = w->response_adds});
}

static void count_outcome(admit *a, const record *r)
{
    admit_counters *c = a->o.counters;
    admission_count(&c->requests);
    if (r->audited)
        admission_count(&c->audited);
    if (record_refused(r))
        admission_count(&c->refused);
    else if (r->outcome.failure != PROXY_OK ||
             (record_troubled(r) && !(r->audited && r->outcome.forwarded)))
        admission_count(&c->failed);
    else
        admission_count(&c->allowed);
}

/* What is logged is how the container was spoken to, whatever the caller speaks. */
static span logged_protocol(const admission *m)
{
    const span version = exchange_version(m->x);
    if (m->h2c)
        return SPAN_LIT("H2C");
    return span_eq_str(version, "HTTP/2") ? SPAN_LIT("HTTP/1.1") : version;
}

/* The verification keys that there were, where a token named none of them. */
static span published_keys(admit *a, const admission *m)
{
    const jwks *keys = m->hold->view->keys;
    buf *b = &a->scratch;
    if (m->reason != REASON_UNKNOWN_KEY || !keys)
        return (span){NULL, 0};
    buf_clear(b);
    for (size_t i = 0; i < jwks_count(keys); i++)
        buf_fmt(b, "%s%s", i ? ", " : "", jwks_kid(keys, i));
    return buf_view(b);
}

static evidence evidence_about(admit *a, const admission *m)
{
    const snapshot *s = m->hold->view->snap;
    evidence e = evidence_of(s, &m->verdict, &m->facts, m->wall_us);
    e.audience_index = m->audience_index;
    e.keys = published_keys(a, m);
    if (m->reason == REASON_UNKNOWN_HOST)
        e.near_host = evidence_near_host(s, exchange_host(m->x));
    return e;
}

static void remember(admit *a, const admission *m, const record *r)
{
    const bool late = m->epoch != a->epoch;
    if (!late)
        tally_add(a->o.tally, r, m->binding, m->header != HEADER_NONE);
    if (late && !a->o.records)
        return;
    if (late && !a->late)
        a->late = recent_new();
    const span kept = recent_add(late ? a->late : a->o.recent, r);
    if (a->o.records)
        record_queue_add(a->o.records, kept);
}

void admission_report(admit *a, const admission *m, const exchange_outcome *o)
{
    record r = {.wall_us = m->wall_us,
                .ended_us = loop_now_us(a->o.loop),
                .view = m->hold->view,
                .service = m->service,
                .reason = m->reason,
                .decided = m->decided,
                .audited = m->audited,
                .unlogged = m->unlogged || !m->service,
                .unserved = m->unserved,
                .https = m->by_run_app_host || exchange_is_secure(m->x),
                .method = exchange_method(m->x),
                .target = exchange_target(m->x),
                .host = exchange_host(m->x),
                .version = logged_protocol(m),
                .remote_ip = span_of(m->peer_ip),
                .server_ip = span_of(m->door->server_ip),
                .caller = m->caller,
                .explanation = m->explanation,
                .fix = m->fix,
                .local_fix = m->local_fix,
                .text_payload = m->text_payload,
                .trace = &m->trace,
                .insert_id = {m->insert_id, m->trace.span_id},
                .token = m->judged,
                .outcome = *o};
    evidence e;
    if (m->decided) {
        e = evidence_about(a, m);
        r.evidence = &e;
    }
    if (m->binding) {
        r.granted_file = m->binding->place.file;
        r.granted_line = m->binding->place.line;
    }
    (void)exchange_field(m->x, "User-Agent", &r.user_agent);
    (void)exchange_field(m->x, "Referer", &r.referer);
    if (m->epoch == a->epoch)
        count_outcome(a, &r);
    if (m->passed_on)
        return;
    remember(a, m, &r);
    request_log_add(a->o.log, &r);
}
