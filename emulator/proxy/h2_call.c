/* The request's half of a call over HTTP/2: head, body, second try. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/h2_call_impl.h"

enum {
    GATHER_MAX = 64 * 1024,   /* of a body on its way to frames: the window of an upload */
    OUT_MAX = 2 * GATHER_MAX, /* with what has left */
    KEPT_MAX = 64 * 1024,     /* memory that a spare keeps in each buffer */
    SPARES_MAX = 256
};

static const call_ops h2_ops;

static h2_call *of(call *base)
{
    return container_of(base, h2_call, base);
}

/* ---- life ---- */

static h2_call *make(h2_pool *p)
{
    h2_call *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->pool = p;
    h2_head_open(&c->head);
    c->out = buf_make(OUT_MAX);
    c->in = buf_make(H2_STREAM_BUFFER);
    return c;
}

call *h2_call_take(h2_pool *p)
{
    h2_call *c = p->spares;
    if (c) {
        p->spares = c->next;
        p->spare_count--;
    } else {
        c = make(p);
    }
    c->base = (call){.ops = &h2_ops};
    c->next = NULL;
    c->retried = c->fresh = c->body_begun = c->deferred = c->blocked = false;
    c->out_sent = 0;
    return &c->base;
}

static void free_trailers(h2_call *c)
{
    if (c->trailers)
        h2_head_close(c->trailers);
    free(c->trailers);
    c->trailers = NULL;
}

void h2_call_dispose(h2_call *c)
{
    h2_head_close(&c->head);
    buf_free(&c->out);
    buf_free(&c->answer_head.text);
    buf_free(&c->answer_trailers.text);
    buf_free(&c->in);
    free(c);
}

static void slim(buf *b)
{
    const size_t max = b->max;
    buf_clear(b);
    if (b->cap <= KEPT_MAX)
        return;
    buf_free(b);
    *b = buf_make(max);
}

/* The upstream is told that nobody waits any more. */
static void let_go(h2_call *c)
{
    if (!c->conn)
        return;
    h2_session *s = &c->conn->session;
    h2_answer_reset(c);
    (void)nghttp2_session_set_stream_user_data(s->ng, c->id, NULL);
    /* Its request may not have left although it has its answer. */
    (void)nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, c->id,
                                    c->base.state == CALL_DONE ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
    h2_upstream_detach(c);
    h2_session_flush_later(s);
}

static void release(call *base)
{
    h2_call *c = of(base);
    h2_pool *p = c->pool;
    let_go(c);
    h2_upstream_untell(c);
    h2_answer_reset(c);
    free_trailers(c);
    if (p->spare_count == SPARES_MAX) {
        h2_call_dispose(c);
        return;
    }
    slim(&c->out);
    slim(&c->in);
    c->next = p->spares;
    p->spares = c;
    p->spare_count++;
}

void h2_call_fail(h2_call *c, proxy_failure f, const char *why)
{
    if (c->base.state == CALL_DONE || c->base.state == CALL_FAILED)
        return;
    c->base.state = CALL_FAILED;
    c->base.failure = f;
    c->base.why = why;
}

static void abort_call(call *base, proxy_failure f, const char *why)
{
    h2_call *c = of(base);
    let_go(c);
    h2_call_fail(c, f, why);
}

/* ---- the head ---- */

static void add_fields(h2_head *out, const head_out *h)
{
    header_filter f;
    header_filter_init(&f, h);
    h2_head_clear(out);
    h2_head_add(out, SPAN_LIT(":method"), h->method);
    h2_head_add(out, SPAN_LIT(":scheme"), SPAN_LIT("http"));
    h2_head_add(out, SPAN_LIT(":authority"), f.host);
    h2_head_add(out, SPAN_LIT(":path"), h->target);
    for (size_t i = 0; i < h->field_count; i++) {
        const field *it = &h->fields[i];
        if (!span_ieq_str(it->name, "Host") && !header_is_framing(it->name) &&
            header_filter_passes(&f, it->name))
            h2_head_add(out, it->name, it->value);
    }
    if (f.trailers_welcome)
        h2_head_add(out, SPAN_LIT("te"), SPAN_LIT("trailers"));
    for (size_t i = 0; i < h->add_count; i++)
        h2_head_add(out, h->add[i].name, h->add[i].value);
    if (h->framing.has_length) {
        char digits[24];
        const int n = snprintf(digits, sizeof digits, "%" PRIu64, h->framing.length);
        h2_head_add(out, SPAN_LIT("content-length"), (span){digits, (size_t)n});
    }
}

static void start(call *base, const net_addr *to, const head_out *h, bool cork)
{
    h2_call *c = of(base);
    (void)cork; /* everything leaves when the turn is over */
    c->to = *to;
    c->head_request = span_eq_str(h->method, "HEAD");
    c->idempotent = method_is_idempotent(h->method);
    c->declared = h->framing.has_length;
    c->has_body = h->framing.chunked || (h->framing.has_length && h->framing.length);
    c->base.body_ended = !c->has_body;
    c->base.state = CALL_WAITING;
    add_fields(&c->head, h);
    if (c->head.overrun)
        h2_call_fail(c, PROXY_BAD_RESPONSE, "the request head is too large to forward");
    else
        h2_call_submit(c);
}

/* ---- the stream ---- */

static ssize_t next_piece(nghttp2_session *ng, int32_t id, uint8_t *p, size_t n, uint32_t *flags,
                          nghttp2_data_source *source, void *ctx)
{
    (void)source;
    (void)ctx;
    h2_call *c = nghttp2_session_get_stream_user_data(ng, id);
    if (!c)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    const size_t there = c->out.n - c->out_sent;
    const size_t take = there < n ? there : n;
    if (!take && !c->base.body_ended) {
        c->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (take)
        memcpy(p, c->out.p + c->out_sent, take);
    c->out_sent += take;
    if (c->blocked) {
        c->blocked = false;
        h2_upstream_tell(c->conn, c);
    }
    if (!c->base.body_ended || take < there)
        return (ssize_t)take;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (c->trailers) {
        nghttp2_nv nv[H2_FIELDS_MAX];
        const size_t count = h2_head_view(c->trailers, nv);
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        (void)nghttp2_submit_trailer(ng, id, nv, count);
    }
    return (ssize_t)take;
}

static bool submit_on(h2_upstream *u, h2_call *c)
{
    nghttp2_nv nv[H2_FIELDS_MAX];
    const size_t count = h2_head_view(&c->head, nv);
    const nghttp2_data_provider body = {.read_callback = next_piece};
    c->id = nghttp2_submit_request(u->session.ng, NULL, nv, count, c->has_body ? &body : NULL, c);
    if (c->id < 0) {
        u->closing = true; /* out of stream ids, or on its way out */
        return false;
    }
    h2_upstream_attach(u, c);
    return true;
}

void h2_call_submit(h2_call *c)
{
    h2_answer_reset(c);
    c->base.reset_code = 0;
    for (unsigned tries = 0; tries < 2; tries++) {
        h2_upstream *u = h2_upstream_take(c->pool, &c->to, c->fresh, c->base.patience_us);
        if (!u)
            break;
        if (submit_on(u, c))
            return;
    }
    h2_call_fail(c, PROXY_CONNECT_FAILED, "the upstream refused the connection");
}

/* Bytes of the body that have left cannot be sent twice. */
void h2_call_lost(h2_call *c, proxy_failure f, bool harmless, const char *why)
{
    h2_upstream_detach(c);
    if (!harmless || c->retried || c->body_begun || c->base.state != CALL_WAITING) {
        h2_call_fail(c, c->base.state == CALL_BODY ? PROXY_TRUNCATED : f, why);
        return;
    }
    c->retried = c->fresh = true;
    c->deferred = false;
    h2_call_submit(c);
}

/* ---- the body ---- */

static void go_on(h2_call *c)
{
    h2_session *s = &c->conn->session;
    if (c->deferred) {
        c->deferred = false;
        (void)nghttp2_session_resume_data(s->ng, c->id);
    }
    h2_session_flush_later(s);
}

static size_t take_piece(call *base, const char *p, size_t n)
{
    h2_call *c = of(base);
    if (!c->conn || c->base.upload_over)
        return n;
    buf_drop(&c->out, &c->out_sent, GATHER_MAX);
    const size_t room = GATHER_MAX - (c->out.n - c->out_sent);
    c->blocked = n > room;
    if (c->blocked)
        n = room;
    c->body_begun = true;
    if (n) {
        buf_add(&c->out, p, n);
        go_on(c);
    }
    return n;
}

static void end(call *base, const field *trailers, size_t n)
{
    h2_call *c = of(base);
    if (c->base.body_ended)
        return;
    c->base.body_ended = true;
    if (!c->conn || c->base.upload_over)
        return;
    if (n && !c->declared) {
        c->trailers = malloc(sizeof *c->trailers);
        if (!c->trailers)
            abort();
        h2_head_open(c->trailers);
        for (size_t i = 0; i < n; i++)
            h2_head_add(c->trailers, trailers[i].name, trailers[i].value);
    }
    go_on(c);
}

static void flush(call *base)
{
    (void)base; /* by itself, when the turn is over */
}

static const call_ops h2_ops = {.start = start,
                                .send = take_piece,
                                .end = end,
                                .flush = flush,
                                .read = h2_answer_read,
                                .data = h2_answer_data,
                                .abort = abort_call,
                                .release = release,
                                .cancels = true};
