/* The request's half of a caller's stream: fields into an exchange, the body on to upstream's side
 * as fast as that takes it. */
#include "http/gate.h"
#include "proxy/h2_front_impl.h"

enum {
    LINE_COST = 4,   /* ": " and the line's end over HTTP/1.1: sizes in the log compare */
    FIELD_COST = 32, /* SETTINGS_MAX_HEADER_LIST_SIZE counts it for each (RFC 9113 §6.5.2) */
    SWALLOW_MAX = 4 * 1024 * 1024
};

exchange *h2_stream_of(nghttp2_session *ng, int32_t id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

/* ---- the head ---- */

static int on_begin(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    h2_conn *c = ctx;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    exchange *x = exchange_new(c->proxy, &h2_front_ops);
    x->peer = &c->peer;
    x->tag = c->tag;
    x->secure = c->secure;
    x->version = SPAN_LIT("HTTP/2");
    x->h2.conn = c;
    x->h2.id = frame->hd.stream_id;
    x->h2.pending = buf_make(H2_STREAM_BUFFER);
    x->h2.next = c->streams;
    if (x->h2.next)
        x->h2.next->h2.previous = x;
    c->streams = x;
    c->stream_count++;
    c->heading = x->h2.id;
    (void)nghttp2_session_set_stream_user_data(ng, x->h2.id, x);
    return 0;
}

static void take_pseudo(exchange *x, span name, span value)
{
    if (span_eq_str(name, ":method"))
        x->method = exchange_keep(x, value);
    else if (span_eq_str(name, ":path"))
        exchange_set_target(x, value);
    else if (span_eq_str(name, ":authority"))
        x->host = x->named_host = exchange_keep(x, value);
}

static bool is_cookie(const field *f)
{
    return span_eq_str(f->name, "cookie");
}

static char *add_crumb(char *at, span crumb, bool first)
{
    if (!first) {
        *at++ = ';';
        *at++ = ' ';
    }
    memcpy(at, crumb.p, crumb.n);
    return at + crumb.n;
}

/* Cookie crumbs are one field again towards HTTP/1.1 (RFC 9113 §8.2.3). */
static void join_crumbs(exchange *x)
{
    size_t bytes = 0, kept = 0;
    for (size_t i = 0; i < x->field_count; i++)
        bytes += is_cookie(&x->fields[i]) ? x->fields[i].value.n + 2 : 0;
    if (!bytes)
        return;
    char *joined = exchange_alloc(x, bytes), *end = joined;
    field *cookie = NULL;
    for (size_t i = 0; i < x->field_count; i++) {
        const field f = x->fields[i];
        if (is_cookie(&f))
            end = add_crumb(end, f.value, !cookie);
        if (is_cookie(&f) && cookie)
            continue;
        x->fields[kept] = f;
        if (is_cookie(&f))
            cookie = &x->fields[kept];
        kept++;
    }
    x->field_count = kept;
    if (cookie)
        cookie->value = (span){joined, (size_t)(end - joined)};
}

static void take_field(exchange *x, span name, span value)
{
    const span kept = exchange_keep(x, value);
    if (span_eq_str(name, "host") && x->named_host.n) {
        x->h2.hosts_differ |= !span_ieq(kept, x->named_host);
        return;
    }
    if (span_eq_str(name, "host"))
        x->host = kept;
    else if (span_eq_str(name, "content-length"))
        x->framing.has_length = span_u64(kept, INT64_MAX, &x->framing.length);
    else if (span_eq_str(name, "expect"))
        x->expect_continue = span_ieq_str(kept, "100-continue");
    exchange_add_field(x, exchange_keep(x, name), kept);
}

static void take_trailer(exchange *x, span name, span value)
{
    if (x->h2.trailer_count == H1_TRAILER_FIELDS_MAX || !header_may_trail(name))
        return;
    if (!x->h2.trailers)
        x->h2.trailers = exchange_alloc(x, H1_TRAILER_FIELDS_MAX * sizeof *x->h2.trailers);
    x->h2.trailers[x->h2.trailer_count++] =
        (field){exchange_keep(x, name), exchange_keep(x, value)};
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *ctx)
{
    (void)ctx;
    (void)flags;
    exchange *x = h2_stream_of(ng, frame->hd.stream_id);
    if (!x)
        return 0;
    const span n = {(const char *)name, name_n};
    const span v = {(const char *)value, value_n};
    x->head_bytes += n.n + v.n + LINE_COST;
    x->h2.head_cost += n.n + v.n + FIELD_COST;
    if (x->h2.head_cost > x->proxy->options.connection_memory)
        x->h2.too_large = true;
    else if (x->judged)
        take_trailer(x, n, v);
    else if (n.n && n.p[0] == ':')
        take_pseudo(x, n, v);
    else
        take_field(x, n, v);
    return 0;
}

/* What nghttp2 lets through and HTTP does not allow; NULL: nothing. */
static const char *fault_of(const exchange *x)
{
    if (x->h2.hosts_differ)
        return "Host differs from :authority";
    if (!x->host.n)
        return "Host is missing";
    if (!gate_sound_authority(x->host))
        return "the host is none";
    if (x->scheme.n)
        return "the request target is not a path"; /* of schemes that nghttp2 does not know */
    return gate_target_fault(x->method, x->target);
}

static void judge(exchange *x)
{
    exchange_judge(x);
    exchange_settle(x);
    h2_front_ops.wake(x);
}

static void take_head(exchange *x, bool over)
{
    x->h2.conn->heading = 0;
    x->h2.ended = over;
    x->has_body = !over;
    join_crumbs(x);
    x->framing.chunked = x->has_body && !x->framing.has_length;
    if (span_eq_str(x->method, "CONNECT")) /* names a host and nothing else */
        exchange_set_target(x, x->host);
    const char *fault = span_eq_str(x->method, "CONNECT") ? NULL : fault_of(x);
    if (x->h2.too_large)
        h2_response_refuse(x, 431, "the request head is too large");
    else if (fault)
        h2_response_refuse(x, 400, fault);
    else
        judge(x);
}

/* ---- the body ---- */

static bool is_unwanted(const exchange *x)
{
    if (x->cut || x->has_reply || !x->judged)
        return true;
    return x->call && (x->call->upload_over || x->call->state == CALL_FAILED);
}

static void consumed(exchange *x, size_t n)
{
    if (n)
        (void)nghttp2_session_consume(x->h2.conn->session.ng, x->h2.id, n);
}

void h2_request_discard(exchange *x)
{
    consumed(x, x->h2.pending.n - x->h2.pending_at);
    buf_free(&x->h2.pending);
    x->h2.pending = buf_make(H2_STREAM_BUFFER);
    x->h2.pending_at = 0;
}

static size_t hand_on(exchange *x, const char *p, size_t n)
{
    const size_t taken = call_send(x->call, p, n);
    if (taken)
        exchange_cork(x);
    consumed(x, taken);
    return taken;
}

static void keep(exchange *x, const char *p, size_t n)
{
    buf *b = &x->h2.pending;
    buf_drop(b, &x->h2.pending_at, H2_STREAM_WINDOW);
    buf_add(b, p, n);
}

static void end(exchange *x)
{
    if (!x->h2.ended || x->h2.end_told || x->verdict != VERDICT_FORWARD)
        return;
    x->h2.end_told = true;
    exchange_uncork(x);
    if (x->has_body)
        call_end(x->call, x->h2.trailers, x->h2.trailer_count);
}

/* Of what came before the verdict nothing was counted. The page follows when the turn is over: the
 * judge may be at work. */
static bool passes_limit(exchange *x)
{
    const uint64_t most = x->forward.body_limit;
    if (!most || x->request_body <= most)
        return false;
    call_abort(x->call, PROXY_REQUEST_TOO_LARGE, "the request body is too large");
    h2_request_discard(x);
    return true;
}

void h2_request_go_on(exchange *x)
{
    if (is_unwanted(x)) {
        h2_request_discard(x);
        return;
    }
    if (x->verdict != VERDICT_FORWARD || passes_limit(x))
        return;
    if (x->has_body && !x->request_body)
        exchange_cork(x); /* its head need not wait for it */
    buf *b = &x->h2.pending;
    while (x->h2.pending_at < b->n) {
        const size_t taken = hand_on(x, b->p + x->h2.pending_at, b->n - x->h2.pending_at);
        if (!taken)
            return;
        x->h2.pending_at += taken;
    }
    if (b->n)
        h2_request_discard(x); /* nothing is left but the memory */
    end(x);
}

/* Of a request that has its answer; when it goes on for too long the caller is told to stop. */
static void swallow(h2_conn *c, int32_t id, size_t n)
{
    nghttp2_session *ng = c->session.ng;
    (void)nghttp2_session_consume(ng, id, n);
    c->swallowed += n;
    if (c->swallowed < SWALLOW_MAX)
        return;
    c->swallowed = 0;
    (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
}

static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data, size_t n,
                   void *ctx)
{
    (void)flags;
    exchange *x = h2_stream_of(ng, id);
    const char *p = (const char *)data;
    if (!x) {
        swallow(ctx, id, n);
        return 0;
    }
    const bool fits = is_unwanted(x) || x->verdict != VERDICT_FORWARD || exchange_body_fits(x, n);
    if (fits)
        x->request_body += n;
    if (is_unwanted(x)) {
        consumed(x, n);
        h2_front_ops.wake(x); /* it may be unwanted since now */
        return 0;
    }
    if (x->verdict == VERDICT_FORWARD && !x->h2.pending.n) {
        const size_t taken = hand_on(x, p, n);
        p += taken;
        n -= taken;
    }
    if (n)
        keep(x, p, n);
    return 0;
}

/* ---- frames ---- */

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    h2_conn *c = ctx;
    if (frame->hd.type == NGHTTP2_SETTINGS)
        c->greeted = true;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    exchange *x = h2_stream_of(ng, frame->hd.stream_id);
    if (!x)
        return 0;
    const bool over = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        take_head(x, over);
    } else if (over) {
        x->h2.ended = true;
        h2_front_ops.wake(x);
    }
    return 0;
}

static void forget(nghttp2_session *ng, exchange *x)
{
    (void)nghttp2_session_set_stream_user_data(ng, x->h2.id, NULL);
    h2_request_discard(x);
    h2_stream_over(x);
}

/* Whoever has had the whole answer may still be sending its request: that is read and thrown away,
 * for a reset at once would be taken for a failure by some clients (curl 7.88). */
static int on_sent(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    (void)ctx;
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    exchange *x = h2_stream_of(ng, frame->hd.stream_id);
    if (!x)
        return 0;
    x->h2.end_sent = true;
    if (!x->h2.ended) {
        h2_stream_answered_early(x->h2.conn, x->h2.id);
        forget(ng, x);
    }
    return 0;
}

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *ctx)
{
    (void)ctx;
    (void)code;
    exchange *x = h2_stream_of(ng, id);
    if (!x)
        return 0;
    forget(ng, x);
    return 0;
}

void h2_request_callbacks(nghttp2_session_callbacks *k)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(k, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(k, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(k, h2_refuse_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(k, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(k, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(k, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(k, on_close);
}
