/* The request's half of a call: connection, head, body, retry. The response is in h1_response.c. */
#include <errno.h>
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/h1_call_impl.h"

enum {
    GATHER_MAX = 64 * 1024, /* of a body on its way to the socket: the window of an upload */
    FLUSH_AT = 32 * 1024,
    OUT_KEPT = 16 * 1024, /* memory that an idle object keeps */
    SPARES_MAX = 256
};

static void on_event(void *owner);
static const call_ops h1_ops;

static h1_call *of(call *base)
{
    return container_of(base, h1_call, base);
}

/* ---- life ---- */

static void let_go(h1_call *c)
{
    upstream_close(c->up);
    c->up = NULL;
}

static h1_call *make(h1_call_spares *s)
{
    h1_call *c = malloc(sizeof *c);
    if (!c)
        abort();
    memset(c, 0, offsetof(h1_call, head));
    c->home = s;
    c->out = buf_make(H1_CALL_HEAD_MAX);
    return c;
}

call *h1_call_take(h1_call_spares *s, pool *p)
{
    h1_call *c = s->first;
    if (c) {
        s->first = c->next;
        s->count--;
    } else {
        c = make(s);
    }
    c->base = (call){.ops = &h1_ops};
    c->pool = p;
    c->retried = c->body_begun = c->heard = false;
    c->interim = 0;
    c->out_sent = c->head_end = c->data = c->data_end = 0;
    buf_clear(&c->out);
    h1_head_reset(&c->head);
    return &c->base;
}

static void dispose(h1_call *c)
{
    buf_free(&c->out);
    h1_body_free(&c->body);
    free(c);
}

static void release(call *base)
{
    h1_call *c = of(base);
    h1_call_spares *s = c->home;
    let_go(c);
    if (s->count == SPARES_MAX) {
        dispose(c);
        return;
    }
    if (c->out.cap > OUT_KEPT) {
        buf_free(&c->out);
        c->out = buf_make(H1_CALL_HEAD_MAX);
    }
    c->next = s->first;
    s->first = c;
    s->count++;
}

void h1_call_spares_free(h1_call_spares *s)
{
    while (s->first) {
        h1_call *next = s->first->next;
        dispose(s->first);
        s->first = next;
    }
}

void h1_call_fail(h1_call *c, proxy_failure f, const char *why)
{
    if (c->up)
        let_go(c);
    if (c->base.state == CALL_DONE || c->base.state == CALL_FAILED)
        return;
    c->base.state = CALL_FAILED;
    c->base.failure = f;
    c->base.why = why;
}

static upstream *part(call *base)
{
    h1_call *c = of(base);
    upstream *u = TAKE(c->up);
    if (u)
        upstream_own(u, NULL, NULL);
    return u;
}

static void abort_call(call *base, proxy_failure f, const char *why)
{
    h1_call_fail(of(base), f, why);
}

/* ---- connection ---- */

static bool reach(h1_call *c, bool fresh)
{
    c->up = pool_take(c->pool, &c->to, fresh, c->base.patience_us);
    if (!c->up) {
        h1_call_fail(c, PROXY_CONNECT_FAILED, "the upstream refused the connection");
        return false;
    }
    upstream_own(c->up, on_event, c);
    return true;
}

/* A kept-alive connection that died under our hands is no answer: ask once more where asking twice
 * is harmless (RFC 9110 §9.2.2) and nothing of the body has left. */
static bool retry(h1_call *c)
{
    if (!c->up->reused || c->heard || c->retried || c->body_begun || !c->idempotent)
        return false;
    let_go(c);
    c->retried = true;
    c->out_sent = 0;
    c->base.upload_over = false;
    return reach(c, true);
}

void h1_call_lost(h1_call *c, proxy_failure f, const char *why)
{
    if (c->base.state == CALL_WAITING && retry(c))
        return;
    h1_call_fail(c, c->base.state == CALL_BODY ? PROXY_TRUNCATED : f, why);
}

/* ---- sending ---- */

static size_t out_left(const h1_call *c)
{
    return c->out.n - c->out_sent;
}

/* The upstream no longer reads. It may have said why: what it sent decides, not this error. */
static void send_failed(h1_call *c)
{
    c->base.upload_over = true;
    c->out_sent = c->out.n;
    c->up->wire.readable = true;
}

static void flush(h1_call *c)
{
    if (!c->up || !out_left(c) || c->up->connecting || !c->up->wire.writable)
        return;
    ssize_t sent = wire_send(&c->up->wire, c->out.p + c->out_sent, out_left(c));
    if (sent < 0)
        send_failed(c);
    else
        c->out_sent += (size_t)sent;
    c->base.begun |= sent > 0;
}

/* After a failed send the upstream's own words, if any, tell why. */
static void look_for_reason(h1_call *c)
{
    if (c->base.upload_over && c->base.state == CALL_WAITING)
        h1_response_progress(c);
}

static void start(call *base, const net_addr *to, const head_out *h, bool cork)
{
    h1_call *c = of(base);
    c->to = *to;
    c->framing = h->framing;
    c->head_request = span_eq_str(h->method, "HEAD");
    c->idempotent = method_is_idempotent(h->method);
    c->base.body_ended = !h->framing.chunked && !(h->framing.has_length && h->framing.length);
    c->base.begun = false;
    c->base.state = CALL_WAITING;
    c->base.upgrading = headers_write_request(&c->out, h);
    if (!buf_ok(&c->out)) {
        h1_call_fail(c, PROXY_BAD_RESPONSE, "the request head is too large to forward");
        return;
    }
    if (!reach(c, false))
        return;
    c->up->wire.writable = !c->up->connecting;
    if (!cork)
        flush(c);
    look_for_reason(c);
}

/* Room for the next piece of the body behind what is not sent yet; the head may go now. */
static size_t make_room(h1_call *c)
{
    if (out_left(c) >= GATHER_MAX)
        flush(c);
    c->body_begun = true;
    buf_drop(&c->out, &c->out_sent, GATHER_MAX / 2);
    return out_left(c) < GATHER_MAX ? GATHER_MAX - out_left(c) : 0;
}

static void add_piece(h1_call *c, const char *p, size_t n)
{
    if (c->framing.chunked)
        buf_fmt(&c->out, "%zx\r\n", n);
    buf_add(&c->out, p, n);
    if (c->framing.chunked)
        buf_add(&c->out, "\r\n", 2);
}

static size_t take_piece(call *base, const char *p, size_t n)
{
    h1_call *c = of(base);
    if (!c->up || c->base.upload_over)
        return n;
    size_t room = make_room(c);
    if (c->base.upload_over)
        return n;
    if (n > room)
        n = room;
    if (n)
        add_piece(c, p, n);
    if (out_left(c) >= FLUSH_AT)
        flush(c);
    return n;
}

static void end(call *base, const field *trailers, size_t n)
{
    h1_call *c = of(base);
    c->base.body_ended = true;
    if (!c->up || c->base.upload_over)
        return;
    if (c->framing.chunked) {
        c->body_begun = true;
        buf_add(&c->out, "0\r\n", 3);
        for (size_t i = 0; i < n; i++) {
            buf_span(&c->out, trailers[i].name);
            buf_add(&c->out, ": ", 2);
            buf_span(&c->out, trailers[i].value);
            buf_add(&c->out, "\r\n", 2);
        }
        buf_add(&c->out, "\r\n", 2);
    }
    flush(c);
    look_for_reason(c);
}

static void flush_late(call *base)
{
    h1_call *c = of(base);
    flush(c);
    if (c->base.upload_over && c->base.state == CALL_WAITING) {
        look_for_reason(c);
        c->base.changed(c->base.owner);
    }
}

/* ---- events ---- */

static void on_event(void *owner)
{
    h1_call *c = owner;
    upstream *u = c->up;
    if (!u->connecting && !u->connected) {
        h1_call_fail(c, PROXY_CONNECT_FAILED,
                     u->wire.error == ETIMEDOUT ? "connecting to the upstream took too long"
                                                : "the upstream refused the connection");
    } else {
        if (u->wire.writable)
            flush(c);
        if (u->wire.readable && c->base.state == CALL_WAITING)
            h1_response_progress(c);
    }
    c->base.changed(c->base.owner);
}

static const call_ops h1_ops = {.start = start,
                                .send = take_piece,
                                .end = end,
                                .flush = flush_late,
                                .read = h1_response_read,
                                .data = h1_response_data,
                                .abort = abort_call,
                                .release = release,
                                .part = part};
