/* Callers' side over HTTP/1.1: libmicrohttpd parses and sends, this file owns its suspend and
 * resume rules. A request's calls: head (judged there), body pieces, end (answered there). */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "http/gate.h"
#include "proxy/h1_line.h"
#include "proxy/proxy_impl.h"

enum {
    SWALLOW_MAX = 64 * 1024 * 1024, /* of an upload whose answer is known already */
    CONTINUE_US = 1000 * 1000,      /* for an upstream that ignores Expect */
    HELD_MAX = 64,
    HOLD_US = 2000
};

/* ---- waiting: one flag each for suspended and held, here only ---- */

void h1_front_wait(exchange *x)
{
    if (x->suspended)
        return;
    x->suspended = true;
    MHD_suspend_connection(x->mhd);
}

static void release(exchange *x)
{
    if (!x->held)
        return;
    x->held = false;
    x->proxy->held--;
    mhd_loop_release(x->proxy->mhd);
}

/* For the upstream's answer, which mostly comes soon: held for a moment, then suspended. Called
 * anew by every run of the daemon while held. */
static void wait_for_answer(exchange *x)
{
    proxy *p = x->proxy;
    const int64_t now = loop_now_us(p->loop);
    if (!x->held && !x->hold_until_us && p->held < HELD_MAX) {
        x->held = true;
        x->hold_until_us = now + HOLD_US;
        p->held++;
        mhd_loop_hold(p->mhd);
    } else if (!x->held || now >= x->hold_until_us) {
        release(x);
        h1_front_wait(x);
    }
}

static void wake(exchange *x)
{
    if (x->suspended) {
        x->suspended = false;
        MHD_resume_connection(x->mhd);
    } else if (!x->held) {
        return;
    }
    release(x);
    mhd_loop_kick(x->proxy->mhd);
}

static void cut(exchange *x)
{
    x->cut = true;
    if (x->conn)
        (void)shutdown(x->conn->watch.fd, SHUT_RDWR);
    wake(x);
}

static const front_ops h1_ops = {.wake = wake, .cut = cut};

/* ---- the head ---- */

static enum MHD_Result see_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    exchange_add_field(ctx, (span){name, name_n}, (span){value, value ? value_n : 0});
    return MHD_YES;
}

static enum MHD_Result malformed(exchange *x, const char *why)
{
    const exchange_handler *h = &x->proxy->options.handler;
    x->stage = STAGE_ANSWERED;
    x->conn->linger = true;
    mhd_loop_kick(x->proxy->mhd);
    if (h->on_malformed)
        h->on_malformed(h->ctx, x->peer, 400, why);
    return h1_reply_malformed(x->mhd, why);
}

static size_t head_bytes(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

/* The upstream has neither asked for the body nor answered without it. */
static bool waits_for_continue(exchange *x)
{
    if (!x->expect_continue || x->call->got_continue || x->continue_waited)
        return false;
    if (!x->continue_timer.slot)
        loop_timer_set(x->proxy->loop, &x->continue_timer,
                       loop_now_us(x->proxy->loop) + CONTINUE_US);
    return true;
}

/* An answer that is queued in the first call leaves without the body being read, and ends the
 * connection. */
static enum MHD_Result admitted_with_body(exchange *x)
{
    if (x->has_reply || (x->expect_continue && exchange_has_upstream_head(x))) {
        x->conn->linger = true;
        mhd_loop_kick(x->proxy->mhd);
        return h1_reply_queue(x);
    }
    if (waits_for_continue(x)) {
        h1_front_wait(x);
        return MHD_YES;
    }
    if (!x->expect_continue)
        exchange_cork(x);
    mhd_loop_kick(x->proxy->mhd); /* 100 Continue, or the body's first bytes */
    x->stage = STAGE_BODY;
    return MHD_YES;
}

/* The first call, again and again until the judge and, for Expect, the upstream have spoken. */
static enum MHD_Result admitted(exchange *x)
{
    exchange_settle(x);
    if (x->verdict == VERDICT_DEFERRED) {
        h1_front_wait(x);
        return MHD_YES;
    }
    if (x->has_body)
        return admitted_with_body(x);
    x->stage = STAGE_BODY;
    return MHD_YES;
}

static void on_continue_timer(loop_timer *t)
{
    exchange *x = container_of(t, exchange, continue_timer);
    x->continue_waited = true;
    wake(x);
}

static enum MHD_Result take_head(exchange *x, const char *method, const char *version)
{
    gate_facts facts = {0};
    const char *why = gate_check(x->mhd, method, x->target.p, version, &facts);
    if (!why && span_eq_str(span_of(method), "CONNECT"))
        why = "CONNECT is not supported";
    if (why)
        return malformed(x, why);
    x->method = span_of(method);
    x->version = span_of(version);
    x->host = facts.host;
    x->framing = (head_framing){facts.chunked, facts.has_length, facts.length};
    x->has_body = facts.has_body;
    x->expect_continue = facts.expect_continue && facts.has_body && !facts.http10;
    x->http10 = facts.http10;
    x->head_bytes = head_bytes(x->mhd);
    x->continue_timer.fire = on_continue_timer;
    (void)MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, see_field, x);
    x->stage = STAGE_ADMIT;
    x->conn->requests++;
    exchange_judge(x);
    return admitted(x);
}

/* ---- the body ---- */

static enum MHD_Result swallow(exchange *x, size_t *n)
{
    x->request_body += *n;
    *n = 0;
    return x->request_body > SWALLOW_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result take_body(exchange *x, const char *data, size_t *n)
{
    mhd_loop_kick(x->proxy->mhd); /* there may be more */
    if (x->has_reply || x->call->upload_over)
        return swallow(x, n);
    if (!exchange_body_fits(x, *n))
        return h1_reply_at_once(x);
    size_t taken = call_send(x->call, data, *n);
    x->request_body += taken;
    *n -= taken;
    exchange_cork(x);
    if (taken)
        return MHD_YES; /* a rest is offered again */
    if (exchange_has_upstream_head(x)) {
        /* It answered and stopped reading; it may want its answer taken first, which HTTP/1.1
         * through libmicrohttpd cannot do before the upload is over. */
        x->call->upload_over = true;
        return swallow(x, n);
    }
    h1_front_wait(x); /* offered again after the resume */
    return MHD_YES;
}

/* ---- the end of the request ---- */

typedef struct trailer_list {
    field fields[H1_TRAILER_FIELDS_MAX];
    size_t n;
} trailer_list;

static void see_trailer(void *ctx, span name, span value)
{
    trailer_list *t = ctx;
    if (t->n < countof(t->fields) && header_may_trail(name))
        t->fields[t->n++] = (field){name, value};
}

/* NULL, or what is wrong with the trailers: then the upstream never sees the end of the body. */
static const char *end_request(exchange *x)
{
    x->request_ended = true;
    exchange_uncork(x);
    if (x->verdict != VERDICT_FORWARD)
        return NULL;
    trailer_list t;
    t.n = 0;
    const char *why =
        x->framing.chunked ? gate_trailers(x->mhd, x->method.p, see_trailer, &t) : NULL;
    if (why)
        call_abort(x->call, PROXY_CLIENT_GONE, why);
    else if (x->has_body)
        call_end(x->call, t.fields, t.n);
    return why;
}

static enum MHD_Result end_call(exchange *x)
{
    const char *why = x->request_ended ? NULL : end_request(x);
    if (why) {
        exchange_answer_begins(x, 400);
        return malformed(x, why);
    }
    exchange_settle(x);
    if (x->has_reply || exchange_has_upstream_head(x)) {
        mhd_loop_kick(x->proxy->mhd);
        return h1_reply_queue(x);
    }
    wait_for_answer(x);
    return MHD_YES;
}

/* ---- libmicrohttpd's callbacks ---- */

static enum MHD_Result on_call(void *ctx, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *data, size_t *n,
                               void **per_request)
{
    (void)ctx;
    (void)url;
    (void)c;
    exchange *x = *per_request;
    if (!x || x->cut || x->conn->gone)
        return MHD_NO;
    if (x->suspended) /* a chunked upload calls on while suspended: take nothing */
        return MHD_YES;
    switch (x->stage) {
    case STAGE_HEAD:
        return take_head(x, method, version);
    case STAGE_ADMIT:
        return admitted(x);
    case STAGE_BODY:
        return *n ? take_body(x, data, n) : end_call(x);
    case STAGE_ANSWERED:
        break;
    }
    return MHD_NO;
}

static void *on_raw_target(void *ctx, const char *uri, struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    h1_conn *conn = info->socket_context;
    exchange *x = exchange_new(ctx, &h1_ops);
    exchange_set_target(x, span_of(uri));
    x->conn = conn;
    x->mhd = c;
    x->peer = &conn->peer;
    x->tag = conn->tag;
    x->secure = conn->secure;
    conn->x = x;
    return x;
}

/* What libmicrohttpd refused by itself (431, 414, 400) never became a call. */
static void report_unseen(exchange *x)
{
    const exchange_handler *h = &x->proxy->options.handler;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_HTTP_STATUS);
    if (!info)
        return;
    x->conn->linger = true;
    if (h->on_malformed)
        h->on_malformed(h->ctx, x->peer, info->http_status,
                        info->http_status == 431 ? "the request head is too large"
                                                 : "the request head cannot be parsed");
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **per_request,
                         enum MHD_RequestTerminationCode how)
{
    (void)ctx;
    (void)c;
    exchange *x = *per_request;
    if (!x)
        return;
    *per_request = NULL;
    if (x->stage == STAGE_HEAD)
        report_unseen(x);
    x->suspended = false;
    release(x);
    x->conn->x = NULL;
    exchange_uncork(x);
    loop_timer_cancel(x->proxy->loop, &x->continue_timer);
    if (x->streaming)
        MHD_destroy_response(x->streaming);
    exchange_finish(x, how == MHD_REQUEST_TERMINATED_COMPLETED_OK && !x->cut);
}

mhd_loop *h1_front_open(proxy *p, error *e)
{
    return mhd_loop_open(p->loop,
                         &(mhd_loop_options){.handle = on_call,
                                             .completed = on_completed,
                                             .raw_target = on_raw_target,
                                             .connection = h1_conn_notify,
                                             .ctx = p,
                                             .connection_memory = p->options.connection_memory,
                                             .connections_max = p->options.connections_max,
                                             .idle_timeout_s = p->options.idle_timeout_s},
                         e);
}
