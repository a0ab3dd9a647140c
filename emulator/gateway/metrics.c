/* What the gateway counts, as Prometheus wants it. The same counters are behind the status and
 * GET /invoker/v1/traffic. */
#include "base/metrics.h"

#include <stdlib.h>

#include "gateway/process_impl.h"

/* ---- decisions ---- */

static void add_decisions(buf *b, const tally *t)
{
    static const char name[] = "invoker_decisions_total";
    const counts *c = tally_decisions(t);
    const counts_cell **all = counts_sorted(c);
    metric_family(b, name, METRIC_COUNTER,
                  "Decisions by service, caller (e-mail, anonymous or unverified) and reason; "
                  "enforced is false where audit mode let a refused request pass.");
    for (size_t i = 0; i < counts_size(c); i++) {
        const metric_label labels[] = {
            {"service", counts_text(all[i], 0)},
            {"caller", counts_text(all[i], 1)},
            {"reason", span_of(reason_info(tally_reason(all[i]))->name)},
            {"enforced", tally_enforced(all[i]) ? SPAN_LIT("true") : SPAN_LIT("false")},
            {0}};
        metric_sample(b, name, labels, all[i]->count);
    }
    free(all);
    metric_single(b, "invoker_decisions_overflow_total", METRIC_COUNTER,
                  "Requests that are missing above, as too many things were to be told apart.",
                  tally_overflow(t));
    metric_family(b, "invoker_counting_since_timestamp_seconds", METRIC_GAUGE,
                  "When what is counted of requests began: with the process, or the last reset.");
    metric_seconds(b, "invoker_counting_since_timestamp_seconds", NULL, tally_since_us(t));
}

static void add_requests(buf *b, const process *p)
{
    const process_requests r = process_count_requests(p);
    static const char name[] = "invoker_requests_total";
    const struct {
        span outcome;
        unsigned long long count;
    } all[] = {{SPAN_LIT("allowed"), r.allowed},
               {SPAN_LIT("refused"), r.refused},
               {SPAN_LIT("failed"), r.failed}};
    metric_family(b, name, METRIC_COUNTER,
                  "Requests that are over: allowed, refused, or failed on their way.");
    for (size_t i = 0; i < countof(all); i++) {
        const metric_label labels[] = {{"outcome", all[i].outcome}, {0}};
        metric_sample(b, name, labels, all[i].count);
    }
    metric_single(b, "invoker_audited_requests_total", METRIC_COUNTER,
                  "Requests that audit mode let pass, though they would be refused.", r.audited);
    metric_single(b, "invoker_malformed_requests_total", METRIC_COUNTER,
                  "Requests that were no valid HTTP.", r.malformed);
}

static void add_tokens(buf *b, const tally_tokens *t)
{
    uint64_t missed = t->keyless;
    for (size_t i = 0; i < TALLY_TOKEN_RESULTS; i++)
        missed += t->judged[i];
    static const char cache[] = "invoker_token_cache_total";
    metric_family(b, cache, METRIC_COUNTER,
                  "Identity tokens that were looked up among those verified before.");
    metric_sample(b, cache, (metric_label[]){{"result", SPAN_LIT("hit")}, {0}}, t->remembered);
    metric_sample(b, cache, (metric_label[]){{"result", SPAN_LIT("miss")}, {0}}, missed);
    static const char name[] = "invoker_token_verifications_total";
    metric_family(b, name, METRIC_COUNTER,
                  "Identity tokens that were verified, by result; ok, bad_signature and bad_claims "
                  "cost an RSA operation each.");
    for (size_t i = 0; i < TALLY_TOKEN_RESULTS; i++) {
        const metric_label labels[] = {{"result", span_of(jws_result_name((jws_result)i))}, {0}};
        metric_sample(b, name, labels, t->judged[i]);
    }
}

/* ---- services ---- */

static void add_in_flight(buf *b, const tally_service *s)
{
    const metric_label labels[] = {{"service", span_of(s->name)}, {0}};
    metric_sample(b, "invoker_requests_in_flight", labels, s->in_flight);
}

static void add_classes(buf *b, const tally_service *s)
{
    static const span names[TALLY_CLASSES] = {
        {"1xx", 3}, {"2xx", 3}, {"3xx", 3}, {"4xx", 3}, {"5xx", 3}};
    for (size_t i = 0; i < TALLY_CLASSES; i++) {
        const metric_label labels[] = {{"service", span_of(s->name)}, {"class", names[i]}, {0}};
        if (s->classes[i])
            metric_sample(b, "invoker_responses_total", labels, s->classes[i]);
    }
}

static void add_one_latency(buf *b, const tally_service *s, const tally_latency *l, span forwarded)
{
    const metric_label labels[] = {{"service", span_of(s->name)}, {"forwarded", forwarded}, {0}};
    if (l->count)
        metric_histogram_sample(b, "invoker_request_duration_seconds", labels,
                                &(metric_histogram){.bounds_us = TALLY_BOUNDS_US,
                                                    .counts = l->buckets,
                                                    .bound_count = TALLY_BUCKETS,
                                                    .total = l->count,
                                                    .sum_us = l->sum_us});
}

static void add_latencies(buf *b, const tally_service *s)
{
    add_one_latency(b, s, &s->forwarded, SPAN_LIT("true"));
    add_one_latency(b, s, &s->answered, SPAN_LIT("false"));
}

/* What is not the container's or the way to it: the caller's size, and the caller's leaving. */
static bool is_upstream_error(proxy_failure f)
{
    return f != PROXY_OK && f != PROXY_REQUEST_TOO_LARGE && f != PROXY_CLIENT_GONE;
}

static void add_failures(buf *b, const tally_service *s)
{
    for (proxy_failure f = PROXY_OK; f <= PROXY_CLIENT_GONE; f++) {
        const metric_label labels[] = {
            {"service", span_of(s->name)}, {"kind", span_of(proxy_failure_name(f))}, {0}};
        if (is_upstream_error(f) && s->failures[f])
            metric_sample(b, "invoker_upstream_errors_total", labels, s->failures[f]);
    }
    const metric_label none[] = {
        {"service", span_of(s->name)}, {"kind", SPAN_LIT("no-container")}, {0}};
    if (s->unserved)
        metric_sample(b, "invoker_upstream_errors_total", none, s->unserved);
}

static void add_gone(buf *b, const tally_service *s)
{
    const metric_label labels[] = {{"service", span_of(s->name)}, {0}};
    if (s->failures[PROXY_CLIENT_GONE])
        metric_sample(b, "invoker_client_disconnects_total", labels,
                      s->failures[PROXY_CLIENT_GONE]);
}

static void add_services(buf *b, const tally *t)
{
    static const struct {
        const char *name, *help;
        metric_kind kind;
        void (*add)(buf *b, const tally_service *s);
    } families[] = {
        {"invoker_requests_in_flight", "Requests that are at a service's container now.",
         METRIC_GAUGE, add_in_flight},
        {"invoker_responses_total", "Answers to callers, by class of status.", METRIC_COUNTER,
         add_classes},
        {"invoker_request_duration_seconds",
         "From a request's head to the end of its answer, by the container (forwarded) or by the "
         "gateway itself.",
         METRIC_HISTOGRAM, add_latencies},
        {"invoker_upstream_errors_total",
         "Requests that the container failed, or that found none, by kind.", METRIC_COUNTER,
         add_failures},
        {"invoker_client_disconnects_total", "Requests whose callers left before the end.",
         METRIC_COUNTER, add_gone}};
    for (size_t f = 0; f < countof(families); f++) {
        metric_family(b, families[f].name, families[f].kind, families[f].help);
        for (size_t i = 0; i < tally_service_count(t); i++)
            families[f].add(b, tally_service_at(t, i));
    }
}

/* ---- the process ---- */

static void add_connections(buf *b, const proxy_connections *c)
{
    static const char name[] = "invoker_connections_total";
    const struct {
        span protocol;
        uint64_t count;
    } all[] = {{SPAN_LIT("http1"), c->http1},
               {SPAN_LIT("http2"), c->http2},
               {SPAN_LIT("connect"), c->connect},
               {SPAN_LIT("tls_http1"), c->tls_http1},
               {SPAN_LIT("tls_http2"), c->tls_http2}};
    metric_family(b, name, METRIC_COUNTER, "Callers' connections, by what they began to speak.");
    for (size_t i = 0; i < countof(all); i++) {
        const metric_label labels[] = {{"protocol", all[i].protocol}, {0}};
        metric_sample(b, name, labels, all[i].count);
    }
    metric_single(b, "invoker_connections_accepted_total", METRIC_COUNTER,
                  "Callers' connections, those too that ended before they said anything.",
                  c->accepted);
    metric_single(b, "invoker_connections_open", METRIC_GAUGE, "Callers' connections now.",
                  c->open);
    static const char tls[] = "invoker_tls_handshakes_total";
    metric_family(b, tls, METRIC_COUNTER, "TLS handshakes with callers.");
    metric_sample(b, tls, (metric_label[]){{"result", SPAN_LIT("ok")}, {0}}, c->handshakes);
    metric_sample(b, tls, (metric_label[]){{"result", SPAN_LIT("failed")}, {0}},
                  c->failed_handshakes);
}

static void add_keys(buf *b, const process *p)
{
    static const char name[] = "invoker_jwks_fetches_total";
    metric_family(b, name, METRIC_COUNTER, "Attempts to get the verification keys.");
    metric_sample(b, name, (metric_label[]){{"result", SPAN_LIT("ok")}, {0}}, p->fetched_keys);
    metric_sample(b, name, (metric_label[]){{"result", SPAN_LIT("failed")}, {0}},
                  p->failed_fetches);
    metric_single(b, "invoker_jwks_keys", METRIC_GAUGE, "Verification keys that are known.",
                  p->keys ? jwks_count(p->keys) : 0);
}

static void add_recorder(buf *b, const process *p)
{
    static const char name[] = "invoker_recorded_decisions_total";
    const recorder_counts c = p->recorder ? recorder_count(p->recorder) : (recorder_counts){0};
    metric_family(b, name, METRIC_COUNTER,
                  "Decisions for the file of --record: written, dropped as they came too fast, or "
                  "failed to be written.");
    metric_sample(b, name, (metric_label[]){{"result", SPAN_LIT("written")}, {0}}, c.written);
    metric_sample(b, name, (metric_label[]){{"result", SPAN_LIT("dropped")}, {0}}, c.dropped);
    metric_sample(b, name, (metric_label[]){{"result", SPAN_LIT("failed")}, {0}}, c.failed);
}

void process_metrics(const process *p, const traffic *t, buf *b)
{
    add_decisions(b, t->tally);
    add_requests(b, p);
    add_services(b, t->tally);
    add_tokens(b, tally_tokens_of(t->tally));
    add_connections(b, &t->connections);
    add_keys(b, p);
    add_recorder(b, p);
    live_metrics(p->live, b);
    metric_single(b, "invoker_resets_total", METRIC_COUNTER, "POST /reset.", p->resets);
    metric_single(b, "invoker_workers", METRIC_GAUGE, "Worker threads.", p->worker_count);
    metric_single(b, "invoker_ready", METRIC_GAUGE, "Whether everything answers.", p->ready);
    metrics_of_process(b, p->started_wall_us);
}
