/* The request's half of a call: connection, head, body, retry. The response is in h1_response.c. */
#include "proxy/h1_call.h"

#include <errno.h>

#include "proxy/h1_response.h"

enum {
    GATHER_MAX = 64 * 1024, /* of a body on its way to the socket: the window of an upload */
    FLUSH_AT = 32 * 1024,
    OUT_KEPT = 16 * 1024 /* memory that an idle object keeps */
};

static void on_event(void *owner);

static void let_go(h1_call *c)
{
    upstream_close(c->up);
    c->up = NULL;
}

void h1_call_free(h1_call *c)
{
    let_go(c);
    buf_free(&c->out);
    h1_body_free(&c->body);
}

void h1_call_reset(h1_call *c)
{
    if (c->up)
        let_go(c);
    if (c->out.cap > OUT_KEPT)
        buf_free(&c->out);
    c->out.max = H1_CALL_HEAD_MAX;
    buf_clear(&c->out);
    c->state = H1_CALL_IDLE;
    c->failure = PROXY_OK;
    c->why = NULL;
    c->got_continue = c->upload_over = c->retried = false;
    c->body_begun = c->body_ended = c->heard = false;
    c->interim = 0;
    c->out_sent = c->head_end = c->data = c->data_end = 0;
    h1_head_reset(&c->head);
}

void h1_call_init(h1_call *c, pool *p, void (*changed)(h1_call *c))
{
    memset(c, 0, offsetof(h1_call, head));
    c->pool = p;
    c->changed = changed;
    c->out = buf_make(H1_CALL_HEAD_MAX);
    h1_call_reset(c);
}

void h1_call_abort(h1_call *c, proxy_failure f, const char *why)
{
    if (c->up)
        let_go(c);
    if (c->state == H1_CALL_DONE || c->state == H1_CALL_FAILED)
        return;
    c->state = H1_CALL_FAILED;
    c->failure = f;
    c->why = why;
}

/* ---- connection ---- */

static bool method_is_idempotent(span m) /* RFC 9110 §9.2.2 */
{
    static const char *const idempotent[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < countof(idempotent); i++)
        if (span_eq_str(m, idempotent[i]))
            return true;
    return false;
}

static bool reach(h1_call *c, bool fresh)
{
    c->up = pool_take(c->pool, &c->to, fresh);
    if (!c->up) {
        h1_call_abort(c, PROXY_CONNECT_FAILED, "the upstream refused the connection");
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
    c->upload_over = false;
    return reach(c, true);
}

void h1_call_lost(h1_call *c, proxy_failure f, const char *why)
{
    if (c->state == H1_CALL_WAITING && retry(c))
        return;
    h1_call_abort(c, c->state == H1_CALL_BODY ? PROXY_TRUNCATED : f, why);
}

/* ---- sending ---- */

static size_t out_left(const h1_call *c)
{
    return c->out.n - c->out_sent;
}

/* The upstream no longer reads. It may have said why: what it sent decides, not this error. */
static void send_failed(h1_call *c)
{
    c->upload_over = true;
    c->out_sent = c->out.n;
    c->up->wire.readable = true;
}

void h1_call_flush(h1_call *c)
{
    if (!c->up || !out_left(c) || c->up->connecting || !c->up->wire.writable)
        return;
    ssize_t sent = wire_send(&c->up->wire, c->out.p + c->out_sent, out_left(c));
    if (sent < 0)
        send_failed(c);
    else
        c->out_sent += (size_t)sent;
}

/* After a failed send the upstream's own words, if any, tell why. */
static void look_for_reason(h1_call *c)
{
    if (c->upload_over && c->state == H1_CALL_WAITING)
        h1_response_progress(c);
}

void h1_call_start(h1_call *c, const net_addr *to, const head_out *h, bool cork)
{
    c->to = *to;
    c->framing = h->framing;
    c->head_request = span_eq_str(h->method, "HEAD");
    c->idempotent = method_is_idempotent(h->method);
    c->body_ended = !h->framing.chunked && !(h->framing.has_length && h->framing.length);
    c->state = H1_CALL_WAITING;
    headers_write_request(&c->out, h);
    if (!buf_ok(&c->out)) {
        h1_call_abort(c, PROXY_BAD_RESPONSE, "the request head is too large to forward");
        return;
    }
    if (!reach(c, false))
        return;
    c->up->wire.writable = !c->up->connecting;
    if (!cork)
        h1_call_flush(c);
    look_for_reason(c);
}

/* Room for the next piece of the body behind what is not sent yet; the head may go now. */
static size_t make_room(h1_call *c)
{
    if (out_left(c) >= GATHER_MAX)
        h1_call_flush(c);
    c->body_begun = true;
    if (!out_left(c)) {
        buf_clear(&c->out);
        c->out_sent = 0;
    } else if (c->out_sent >= GATHER_MAX / 2) {
        c->out.n -= c->out_sent;
        memmove(c->out.p, c->out.p + c->out_sent, c->out.n);
        c->out_sent = 0;
    }
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

size_t h1_call_send(h1_call *c, const char *p, size_t n)
{
    if (!c->up || c->upload_over)
        return n;
    size_t room = make_room(c);
    if (c->upload_over)
        return n;
    if (n > room)
        n = room;
    if (n)
        add_piece(c, p, n);
    if (out_left(c) >= FLUSH_AT)
        h1_call_flush(c);
    return n;
}

void h1_call_end(h1_call *c, const field *trailers, size_t n)
{
    c->body_ended = true;
    if (!c->up || c->upload_over)
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
    h1_call_flush(c);
    look_for_reason(c);
}

void h1_call_flush_late(h1_call *c)
{
    h1_call_flush(c);
    if (c->upload_over && c->state == H1_CALL_WAITING) {
        look_for_reason(c);
        c->changed(c);
    }
}

/* ---- events ---- */

static void on_event(void *owner)
{
    h1_call *c = owner;
    upstream *u = c->up;
    if (!u->connecting && !u->connected) {
        h1_call_abort(c, PROXY_CONNECT_FAILED,
                      u->wire.error == ETIMEDOUT ? "connecting to the upstream took too long"
                                                 : "the upstream refused the connection");
    } else {
        if (u->wire.writable)
            h1_call_flush(c);
        if (u->wire.readable && c->state == H1_CALL_WAITING)
            h1_response_progress(c);
    }
    c->changed(c);
}
