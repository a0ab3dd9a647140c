/* The control room knows no gateway, the gateway no control room: each call here is handed on. */
#include "cli/gateway_backend.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "cli/backend_ask.h"
#include "cli/backend_follow.h"

/* ---- the gateway's own ---- */

static bool on_ready(void *ctx)
{
    const gateway_backend *b = ctx;
    return process_ready(b->process);
}

static void on_status(void *ctx, buf *out)
{
    const gateway_backend *b = ctx;
    process_status(b->process, out);
}

static bool on_attach(void *ctx, span name, span address, error *e)
{
    const gateway_backend *b = ctx;
    return process_attach(b->process, name, address, e);
}

static bool on_detach(void *ctx, span name, error *e)
{
    const gateway_backend *b = ctx;
    return process_detach(b->process, name, e);
}

typedef struct decisions_call {
    void (*done)(void *arg, span array);
    void *arg;
} decisions_call;

static void give_decisions(void *ctx, recent_item *items, size_t count)
{
    decisions_call *call = ctx;
    auto_buf buf b = buf_make((size_t)CONTROL_DECISIONS_MAX * 32 * 1024);
    buf_char(&b, '[');
    for (size_t i = 0; i < count && buf_ok(&b); i++) {
        const size_t whole = b.n;
        if (i)
            buf_char(&b, ',');
        recent_decision(items[i].request, &b);
        if (!buf_ok(&b))
            b.n = whole; /* as many of the newest as fit */
    }
    b.overrun = false;
    buf_char(&b, ']');
    call->done(call->arg, buf_view(&b));
    free(call);
}

static void on_decisions(void *ctx, const control_decisions_query *q,
                         void (*done)(void *arg, span array), void *arg)
{
    const gateway_backend *b = ctx;
    decisions_call *call = malloc(sizeof *call);
    if (!call)
        abort();
    *call = (decisions_call){done, arg};
    const recent_query rq = backend_decisions_query(q);
    process_recent(b->process, &rq, give_decisions, call);
}

typedef struct traffic_call {
    const process *process;
    void (*done)(void *arg, span text);
    void *arg;
} traffic_call;

static void give_traffic(void *ctx, const traffic *t)
{
    traffic_call *call = ctx;
    auto_buf buf b = buf_make(CONTROL_TRAFFIC_MAX);
    tally_json(t->tally, &b);
    buf_char(&b, '\n');
    call->done(call->arg, buf_ok(&b) ? buf_view(&b) : (span){0});
    free(call);
}

static void give_metrics(void *ctx, const traffic *t)
{
    traffic_call *call = ctx;
    auto_buf buf b = buf_make(CONTROL_TRAFFIC_MAX);
    process_metrics(call->process, t, &b);
    call->done(call->arg, buf_ok(&b) ? buf_view(&b) : (span){0});
    free(call);
}

static traffic_call *new_traffic_call(const gateway_backend *b, void (*done)(void *arg, span text),
                                      void *arg)
{
    traffic_call *call = malloc(sizeof *call);
    if (!call)
        abort();
    *call = (traffic_call){b->process, done, arg};
    return call;
}

static void on_traffic(void *ctx, void (*done)(void *arg, span text), void *arg)
{
    const gateway_backend *b = ctx;
    process_traffic(b->process, give_traffic, new_traffic_call(b, done, arg));
}

static void on_metrics(void *ctx, void (*done)(void *arg, span text), void *arg)
{
    const gateway_backend *b = ctx;
    process_traffic(b->process, give_metrics, new_traffic_call(b, done, arg));
}

/* ---- the topology and the state ---- */

static const snapshot *on_merged(void *ctx)
{
    const gateway_backend *b = ctx;
    return live_snapshot(process_live(b->process));
}

static const snapshot *on_base(void *ctx)
{
    const gateway_backend *b = ctx;
    return live_base(process_live(b->process));
}

static state *on_state(void *ctx)
{
    const gateway_backend *b = ctx;
    return live_state(process_live(b->process));
}

static bool on_new_addresses(void *ctx, control_addresses *out, error *e)
{
    const gateway_backend *b = ctx;
    new_addresses a;
    if (!process_new_addresses(b->process, &a, e))
        return false;
    memcpy(out->listen, a.listen, sizeof out->listen);
    memcpy(out->metadata, a.metadata, sizeof out->metadata);
    memcpy(out->upstream, a.upstream, sizeof out->upstream);
    return true;
}

typedef struct commit_call {
    void (*done)(void *arg, const error *e);
    void *arg;
} commit_call;

static void on_synced(void *arg)
{
    commit_call *call = arg;
    call->done(call->arg, NULL);
    free(call);
}

/* Workers and metadata process have it before whoever asked is told. */
static void on_commit(void *ctx, json_t *draft, void (*done)(void *arg, const error *e), void *arg)
{
    const gateway_backend *b = ctx;
    error e = {0};
    if (!process_commit(b->process, draft, &e)) {
        log_at(LOG_ERROR, "a change could not be kept", LOG_S("error", e.text));
        done(arg, &e);
        return;
    }
    const state *s = on_state(ctx);
    if (!state_path(s)) { /* in memory: no other process can read it */
        done(arg, NULL);
        return;
    }
    commit_call *call = malloc(sizeof *call);
    if (!call)
        abort();
    *call = (commit_call){done, arg};
    metadata_link_sync(b->link, state_serial(s), on_synced, call);
}

/* ---- the reset ---- */

typedef struct reset_call {
    void (*done)(void *arg, bool changed, const error *e);
    void *arg;
    unsigned outstanding;
    bool changed;
} reset_call;

/* The workers are one to be waited for, the metadata process another. */
static void one_reset(void *arg)
{
    reset_call *call = arg;
    if (--call->outstanding)
        return;
    call->done(call->arg, call->changed, NULL);
    free(call);
}

static void on_reset(void *ctx, void (*done)(void *arg, bool changed, const error *e), void *arg)
{
    const gateway_backend *b = ctx;
    error e = {0};
    reset_call *call = malloc(sizeof *call);
    if (!call)
        abort();
    *call = (reset_call){done, arg, 2, false};
    if (!process_reset(b->process, &call->changed, one_reset, call, &e)) {
        log_at(LOG_ERROR, "the reset failed", LOG_S("error", e.text));
        done(arg, false, &e);
        free(call);
        return;
    }
    const state *s = on_state(ctx);
    if (call->changed && state_path(s))
        metadata_link_sync(b->link, state_serial(s), one_reset, call);
    else
        one_reset(call);
}

/* ---- requests, as the log has them ---- */

typedef struct requests_call {
    void (*done)(void *arg, const control_request *all, size_t count);
    void *arg;
} requests_call;

static void give_requests(void *ctx, recent_item *items, size_t count)
{
    requests_call *call = ctx;
    control_request *all = calloc(count ? count : 1, sizeof *all);
    if (!all)
        abort();
    for (size_t i = 0; i < count; i++) {
        const recent_request *r = items[i].request;
        all[i] = (control_request){
            .time_us = items[i].wall_us, .request = r, .unserved = recent_is_unserved(r)};
        recent_insert_id(r, all[i].insert_id);
    }
    call->done(call->arg, all, count);
    free(all);
    free(call);
}

static void on_requests(void *ctx, const control_requests_query *q,
                        void (*done)(void *arg, const control_request *all, size_t count),
                        void *arg)
{
    const gateway_backend *b = ctx;
    requests_call *call = malloc(sizeof *call);
    if (!call)
        abort();
    *call = (requests_call){done, arg};
    recent_query rq = {.limit = q->limit ? q->limit : SIZE_MAX,
                       .logged = true,
                       .from_us = q->from_us,
                       .till_us = q->till_us};
    memcpy(rq.service, q->service, sizeof rq.service);
    process_recent(b->process, &rq, give_requests, call);
}

static json_t *on_log_entry(void *ctx, const control_request *r)
{
    const project *p = snapshot_project(on_merged(ctx));
    return r->advice ? recent_advice_entry(r->request, p) : recent_log_entry(r->request, p);
}

/* ---- the metadata process ---- */

static void on_identify(void *ctx, span token,
                        void (*done)(void *arg, const char *email, const error *e), void *arg)
{
    const gateway_backend *b = ctx;
    metadata_link_identify(b->link, token, done, arg);
}

typedef struct forward_call {
    void (*done)(void *arg, const control_answer *a, const error *e);
    void *arg;
} forward_call;

static void on_answer(void *arg, const metadata_answer *a, const error *e)
{
    forward_call *call = arg;
    if (a)
        call->done(call->arg,
                   &(control_answer){.status = a->status,
                                     .type = a->type,
                                     .caching = a->caching,
                                     .flavor = a->flavor,
                                     .challenge = a->challenge,
                                     .body = a->body},
                   NULL);
    else
        call->done(call->arg, NULL, e);
    free(call);
}

static void on_forward(void *ctx, const control_question *q,
                       void (*done)(void *arg, const control_answer *a, const error *e), void *arg)
{
    const gateway_backend *b = ctx;
    forward_call *call = malloc(sizeof *call);
    if (!call)
        abort();
    *call = (forward_call){done, arg};
    metadata_link_ask(b->link,
                      &(metadata_question){.method = q->method,
                                           .target = q->target,
                                           .host = q->host,
                                           .authorization = q->authorization,
                                           .type = q->type,
                                           .flavor = q->flavor,
                                           .body = q->body},
                      on_answer, call);
}

control_backend gateway_backend_of(gateway_backend *b)
{
    return (control_backend){.ready = on_ready,
                             .status = on_status,
                             .attach = on_attach,
                             .detach = on_detach,
                             .decisions = on_decisions,
                             .follow = backend_follow,
                             .unfollow = backend_unfollow,
                             .traffic = on_traffic,
                             .metrics = on_metrics,
                             .requests = on_requests,
                             .log_entry = on_log_entry,
                             .merged = on_merged,
                             .base = on_base,
                             .state = on_state,
                             .new_addresses = on_new_addresses,
                             .clock = clock_system(),
                             .identify = on_identify,
                             .commit = on_commit,
                             .reset = on_reset,
                             .forward = on_forward,
                             .why = backend_why,
                             .inspect = backend_inspect,
                             .ctx = b};
}
