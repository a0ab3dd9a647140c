/* The life of an exchange between the two sides: judged, forwarded or answered, over. */
#include "proxy/exchange.h"

#include <assert.h>
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/exchange_impl.h"
#include "proxy/proxy_impl.h"

enum { SPARES_MAX = 256 };

/* ---- memory ---- */

static void on_call_changed(void *owner);
static void on_deadline(loop_timer *t);

static exchange *exchange_make(proxy *p)
{
    exchange *x = malloc(sizeof *x);
    if (!x)
        abort();
    x->arena_more = NULL;
    p->exchanges++;
    return x;
}

exchange *exchange_new(proxy *p, const front_ops *front)
{
    exchange *x = p->spares;
    if (x) {
        p->spares = x->next;
        p->spare_count--;
    } else {
        x = exchange_make(p);
    }
    memset(x, 0, offsetof(exchange, inline_fields));
    x->proxy = p;
    x->front = front;
    x->fields = x->inline_fields;
    x->field_room = EXCHANGE_FIELDS;
    x->started_us = loop_now_us(p->loop);
    x->deadline.fire = on_deadline;
    return x;
}

void exchange_free(exchange *x)
{
    x->proxy->exchanges--;
    free(x);
}

static void end_call(exchange *x)
{
    if (x->call)
        call_release(x->call);
    x->call = NULL;
}

void exchange_upstream_over(exchange *x)
{
    void (*over)(void *arg) = x->forward.over;
    x->forward.over = NULL;
    if (over)
        over(x->forward.over_arg);
}

void exchange_recycle(exchange *x)
{
    proxy *p = x->proxy;
    exchange_upstream_over(x);
    for (arena_block *b = x->arena_more; b;) {
        arena_block *next = b->next;
        free(b);
        b = next;
    }
    x->arena_more = NULL;
    end_call(x);
    if (p->spare_count == SPARES_MAX) {
        exchange_free(x);
        return;
    }
    x->next = p->spares;
    p->spares = x;
    p->spare_count++;
}

void *exchange_alloc(exchange *x, size_t n)
{
    const size_t align = sizeof(max_align_t) - 1;
    n = (n + align) & ~align;
    if (n <= EXCHANGE_ARENA - x->arena_used) {
        void *at = x->arena + x->arena_used;
        x->arena_used += n;
        return at;
    }
    const size_t header = (sizeof(arena_block) + align) & ~align;
    arena_block *b = malloc(header + n);
    if (!b)
        abort();
    b->next = x->arena_more;
    x->arena_more = b;
    return (char *)b + header;
}

span exchange_keep(exchange *x, span s)
{
    char *copy = exchange_alloc(x, s.n + 1);
    if (s.n)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return (span){copy, s.n};
}

/* ---- the judgement ---- */

void exchange_judge(exchange *x)
{
    exchange_handler *h = &x->proxy->options.handler;
    x->judged = true;
    proxy_exchange_opened(x->proxy, x);
    h->on_head(h->ctx, x);
    assert(x->verdict != VERDICT_NONE);
}

static void take_verdict(exchange *x, verdict v)
{
    assert(x->verdict == VERDICT_NONE || x->verdict == VERDICT_DEFERRED);
    bool late = x->verdict == VERDICT_DEFERRED;
    x->verdict = v;
    if (late)
        x->front->wake(x);
}

void exchange_defer(exchange *x)
{
    assert(x->verdict == VERDICT_NONE);
    x->verdict = VERDICT_DEFERRED;
}

void exchange_reply(exchange *x, const reply *r)
{
    field *fields = exchange_alloc(x, (r->field_count + 1) * sizeof *fields);
    for (size_t i = 0; i < r->field_count; i++)
        fields[i] =
            (field){exchange_keep(x, r->fields[i].name), exchange_keep(x, r->fields[i].value)};
    x->reply = *r;
    x->reply.fields = fields;
    x->reply.body = exchange_keep(x, r->body);
    x->has_reply = true;
    take_verdict(x, VERDICT_REPLY);
}

void exchange_fail(exchange *x, proxy_failure f)
{
    exchange_handler *h = &x->proxy->options.handler;
    x->failure = f;
    x->reply = (reply){.status = 502};
    h->on_failure(h->ctx, x, f, &x->reply);
    x->has_reply = true;
}

/* Before the head went out a failure becomes a page, afterwards it ends the connection. */
static void settle_failure(exchange *x)
{
    proxy_failure f = x->call->failure;
    if (x->answered) {
        if (x->failure == PROXY_OK)
            x->failure = f == PROXY_TIMEOUT || f == PROXY_CLIENT_GONE ? f : PROXY_TRUNCATED;
        return;
    }
    if (x->has_reply || f == PROXY_CLIENT_GONE)
        return;
    exchange_fail(x, f == PROXY_TRUNCATED ? PROXY_BAD_RESPONSE : f);
}

static bool response_too_large(const exchange *x)
{
    const uint64_t most = x->forward.response_limit;
    const response_head *h = &x->call->response;
    return most && !x->answered && x->call->state == CALL_BODY && h->framing == H1_LENGTH &&
           h->length > most - (h->bytes < most ? h->bytes : most);
}

void exchange_settle(exchange *x)
{
    if (!x->call)
        return;
    if (response_too_large(x))
        call_abort(x->call, PROXY_RESPONSE_TOO_LARGE, "the response is too large");
    if (x->call->state == CALL_DONE || x->call->state == CALL_FAILED)
        exchange_upstream_over(x);
    if (x->call->state == CALL_FAILED && !x->detached)
        settle_failure(x);
}

static void on_call_changed(void *owner)
{
    exchange *x = owner;
    exchange_settle(x);
    x->front->wake(x);
}

static void on_deadline(loop_timer *t)
{
    exchange *x = container_of(t, exchange, deadline);
    bool answered = x->answered;
    if (x->call && x->call->state == CALL_DONE)
        answered = true; /* a caller that takes no answer is all that is left */
    if (x->call)
        call_abort(x->call, PROXY_TIMEOUT, "the upstream did not answer in time");
    if (answered) {
        if (x->failure == PROXY_OK)
            x->failure = PROXY_TIMEOUT;
        x->front->cut(x);
        return;
    }
    on_call_changed(x);
}

void exchange_forward(exchange *x, const forward *f)
{
    x->forward = *f;
    const bool no_host = !x->host.n && !x->named_host.n;
    char upstream_host[NET_ADDR_TEXT_MAX];
    const head_out head = {
        .method = x->method,
        .target = x->outgoing,
        .host = no_host ? span_of(net_addr_text(&f->upstream, upstream_host)) : x->named_host,
        .fields = x->fields,
        .field_count = x->field_count,
        .framing = x->framing,
        .drop = f->drop,
        .add = f->add,
        .add_count = f->add_count,
        .may_upgrade = x->conn && !x->has_body && !x->http10 && span_eq_str(x->method, "GET"),
    };
    if (f->timeout_us > 0)
        loop_timer_set(x->proxy->loop, &x->deadline, loop_now_us(x->proxy->loop) + f->timeout_us);
    x->call = f->http2 ? h2_call_take(x->proxy->h2_pool)
                       : h1_call_take(&x->proxy->h1_calls, x->proxy->pool);
    x->call->changed = on_call_changed;
    x->call->owner = x;
    x->call->patience_us = f->patience_us;
    call_start(x->call, &f->upstream, &head, x->has_body && !x->expect_continue);
    take_verdict(x, VERDICT_FORWARD);
}

bool exchange_body_fits(exchange *x, size_t n)
{
    const uint64_t most = x->forward.body_limit;
    if (!most || x->request_body + n <= most)
        return true;
    call_abort(x->call, PROXY_REQUEST_TOO_LARGE, "the request body is too large");
    exchange_settle(x);
    if (x->has_reply)
        x->request_body += n;
    return !x->has_reply;
}

/* ---- heads and bodies leave together, at the end of the turn at the latest ---- */

static void flush_corked(void *arg)
{
    proxy *p = arg;
    while (p->corked) {
        exchange *x = p->corked;
        p->corked = x->next_corked;
        x->corked = false;
        call_flush(x->call);
    }
}

void exchange_cork(exchange *x)
{
    proxy *p = x->proxy;
    if (x->corked)
        return;
    if (!p->corked)
        loop_defer(p->loop, flush_corked, p);
    x->corked = true;
    x->next_corked = p->corked;
    p->corked = x;
}

void exchange_uncork(exchange *x)
{
    if (!x->corked)
        return;
    exchange **at = &x->proxy->corked;
    while (*at != x)
        at = &(*at)->next_corked;
    *at = x->next_corked;
    x->corked = false;
}

/* ---- the response ---- */

void exchange_answer_begins(exchange *x, unsigned status)
{
    x->answered = true;
    x->status = status;
}

bool exchange_response_field_travels(const exchange *x, const header_names *drop, span name)
{
    if (name.n == 14 && span_ieq_str(name, "Content-Length"))
        return false; /* the caller's side frames by itself */
    if (header_is_hop_by_hop(name) || header_names_have(drop, name))
        return false;
    if (!x->call->response.connection_names)
        return true;
    for (size_t i = 0; i < x->call->response.field_count; i++) {
        const field *f = &x->call->response.fields[i];
        if (f->name.n == 10 && header_is_named(f, 1, name))
            return false;
    }
    return true;
}

ssize_t exchange_read(exchange *x, char *p, size_t n)
{
    ssize_t got = call_read(x->call, p, n);
    if (x->call->state == CALL_DONE)
        exchange_upstream_over(x);
    return got;
}

/* ---- the end ---- */

void exchange_client_gone(exchange *x)
{
    if (x->failure == PROXY_OK)
        x->failure = PROXY_CLIENT_GONE;
    if (x->call && !exchange_may_detach(x))
        call_abort(x->call, PROXY_CLIENT_GONE, "the caller left");
    x->front->cut(x);
}

void exchange_finish(exchange *x, bool complete)
{
    proxy *p = x->proxy;
    if (!complete && x->failure == PROXY_OK)
        x->failure = PROXY_CLIENT_GONE;
    const bool outlives = !complete && exchange_may_detach(x);
    if (!outlives) {
        loop_timer_cancel(p->loop, &x->deadline);
        end_call(x);
    }
    if (x->judged) {
        const exchange_outcome o = {
            .failure = x->failure,
            .status = x->answered ? x->status : 0,
            .forwarded = x->verdict == VERDICT_FORWARD,
            .request_bytes = x->head_bytes + x->request_body,
            .response_bytes = x->response_bytes,
            .latency_us = loop_now_us(p->loop) - x->started_us,
        };
        exchange_handler *h = &p->options.handler;
        h->on_done(h->ctx, x, &o);
        proxy_exchange_closed(p, x);
    }
    if (outlives)
        exchange_detach(x);
    else
        exchange_recycle(x);
}

const char *exchange_failure_detail(const exchange *x)
{
    return x->call ? x->call->why : NULL;
}

const char *proxy_failure_name(proxy_failure f)
{
    switch (f) {
    case PROXY_OK:
        return "ok";
    case PROXY_CONNECT_FAILED:
        return "connect-failed";
    case PROXY_BAD_RESPONSE:
        return "bad-response";
    case PROXY_TRUNCATED:
        return "truncated";
    case PROXY_TIMEOUT:
        return "timeout";
    case PROXY_REQUEST_TOO_LARGE:
        return "request-too-large";
    case PROXY_RESPONSE_TOO_LARGE:
        return "response-too-large";
    case PROXY_CLIENT_GONE:
        return "client-gone";
    }
    abort();
}
