/* The response's half of a caller's stream: a reply of ours, or an upstream's response as it comes.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "proxy/h2_front_impl.h"

#define PLAIN_TEXT "text/plain; charset=utf-8"

enum { LINE_COST = 4 }; /* ": " and the line's end over HTTP/1.1: sizes in the log compare */

/* ---- the head ---- */

static void add_number(h2_head *h, span name, uint64_t value)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%" PRIu64, value);
    h2_head_add(h, name, (span){digits, (size_t)n});
}

/* Formatted once a second. */
static span http_date(h2_front *f)
{
    const int64_t now_us = clock_now_us(clock_system());
    if (f->date_s != now_us / 1000000) {
        clock_http_date(now_us, f->date);
        f->date_s = now_us / 1000000;
    }
    return span_of(f->date);
}

static h2_head *begin_head(exchange *x, unsigned status)
{
    h2_head *h = x->proxy->h2_home.head;
    h2_head_clear(h);
    add_number(h, SPAN_LIT(":status"), status);
    return h;
}

static void add_reply(exchange *x, h2_head *h)
{
    const reply *r = &x->reply;
    h2_head_add(h, SPAN_LIT("date"), http_date(x->proxy->h2_front));
    for (size_t i = 0; i < r->field_count; i++)
        h2_head_add(h, r->fields[i].name, r->fields[i].value);
    add_number(h, SPAN_LIT("content-length"), r->body.n);
}

static bool says_length(const exchange *x, const response_head *r)
{
    if (!r->has_length || r->status == 204)
        return false;
    return r->framing == H1_LENGTH || !r->length || r->status == 304 ||
           span_eq_str(x->method, "HEAD");
}

static void add_upstream(exchange *x, h2_head *h)
{
    const response_head *r = &x->call->response;
    bool dated = false;
    header_names drop;
    header_names_init(&drop, x->forward.response_drop);
    for (size_t i = 0; i < r->field_count; i++) {
        const field *f = &r->fields[i];
        if (!exchange_response_field_travels(x, &drop, f->name))
            continue;
        dated |= f->name.n == 4 && span_ieq_str(f->name, "date");
        h2_head_add(h, f->name, f->value);
    }
    for (size_t i = 0; i < x->forward.response_add_count; i++)
        h2_head_add(h, x->forward.response_add[i].name, x->forward.response_add[i].value);
    if (!dated)
        h2_head_add(h, SPAN_LIT("date"), http_date(x->proxy->h2_front));
    if (says_length(x, r))
        add_number(h, SPAN_LIT("content-length"), r->length);
}

/* ---- the body ---- */

static ssize_t reply_piece(exchange *x, uint8_t *p, size_t n, uint32_t *flags)
{
    const span left = span_from(x->reply.body, x->h2.reply_at);
    const size_t take = left.n < n ? left.n : n;
    memcpy(p, left.p, take);
    x->h2.reply_at += take;
    x->response_bytes += take;
    if (take == left.n)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)take;
}

/* Nothing follows, or trailers do (gRPC has its status there). */
static void end_body(exchange *x, uint32_t *flags)
{
    const response_head *r = &x->call->response;
    const header_names none = {.n = 0};
    h2_head *h = x->proxy->h2_home.head;
    nghttp2_nv nv[H2_FIELDS_MAX];
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    h2_head_clear(h);
    for (size_t i = 0; i < r->trailer_count; i++)
        if (exchange_response_field_travels(x, &none, r->trailers[i].name))
            h2_head_add(h, r->trailers[i].name, r->trailers[i].value);
    if (!h->count)
        return;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    (void)nghttp2_submit_trailer(x->h2.conn->session.ng, x->h2.id, nv, h2_head_view(h, nv));
}

/* The upstream's own code where it had one. */
static ssize_t broken(exchange *x)
{
    if (x->failure == PROXY_OK)
        x->failure = PROXY_TRUNCATED;
    x->cut = true;
    h2_stream_reset(x, x->call->reset_code ? x->call->reset_code : NGHTTP2_INTERNAL_ERROR);
    return NGHTTP2_ERR_DEFERRED;
}

static ssize_t upstream_piece(exchange *x, uint8_t *p, size_t n, uint32_t *flags)
{
    const ssize_t got = exchange_read(x, (char *)p, n);
    if (got == CALL_WAIT) {
        x->h2.deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (got == CALL_BROKEN)
        return broken(x);
    if (got > 0)
        x->response_bytes += (uint64_t)got;
    if (got == CALL_END || (x->call->state == CALL_DONE && !call_data(x->call).n))
        end_body(x, flags);
    return got > 0 ? got : 0;
}

static ssize_t next_piece(nghttp2_session *ng, int32_t id, uint8_t *p, size_t n, uint32_t *flags,
                          nghttp2_data_source *source, void *ctx)
{
    (void)source;
    (void)ctx;
    exchange *x = h2_stream_of(ng, id);
    if (!x)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (x->cut)
        return NGHTTP2_ERR_DEFERRED; /* its reset is on the way */
    return x->has_reply ? reply_piece(x, p, n, flags) : upstream_piece(x, p, n, flags);
}

static void submit(exchange *x, h2_head *h, bool has_body)
{
    nghttp2_nv nv[H2_FIELDS_MAX];
    const nghttp2_data_provider body = {.read_callback = next_piece};
    h2_session *s = &x->h2.conn->session;
    x->h2.responding = true;
    x->response_bytes += h->text.n + LINE_COST * h->count;
    if (nghttp2_submit_response(s->ng, x->h2.id, nv, h2_head_view(h, nv),
                                has_body ? &body : NULL) != 0)
        h2_stream_reset(x, NGHTTP2_INTERNAL_ERROR);
    h2_session_flush_later(s);
}

static bool upstream_has_body(const exchange *x)
{
    const call *c = x->call;
    if (c->response.framing == H1_NO_BODY || span_eq_str(x->method, "HEAD"))
        return false;
    return c->state != CALL_DONE || call_data(c).n || c->response.trailer_count;
}

void h2_response_begin(exchange *x)
{
    const unsigned status = x->has_reply ? x->reply.status : x->call->response.status;
    h2_head *h = begin_head(x, status);
    if (x->has_reply)
        add_reply(x, h);
    else
        add_upstream(x, h);
    if (h->overrun && !x->has_reply) {
        call_abort(x->call, PROXY_BAD_RESPONSE, "the response head is too large");
        exchange_fail(x, PROXY_BAD_RESPONSE);
        h2_response_begin(x);
        return;
    }
    exchange_answer_begins(x, status);
    submit(x, h,
           x->has_reply ? x->reply.body.n && !span_eq_str(x->method, "HEAD")
                        : upstream_has_body(x));
}

void h2_response_interim(exchange *x)
{
    nghttp2_nv nv[H2_FIELDS_MAX];
    const h2_head *h = begin_head(x, 100);
    x->expect_continue = false;
    (void)nghttp2_submit_headers(x->h2.conn->session.ng, NGHTTP2_FLAG_NONE, x->h2.id, NULL, nv,
                                 h2_head_view(h, nv), NULL);
}

void h2_response_refuse(exchange *x, unsigned status, const char *why)
{
    const exchange_handler *handler = &x->proxy->options.handler;
    if (handler->on_malformed)
        handler->on_malformed(handler->ctx, x->peer, status, why);
    const size_t n = strlen(why);
    char *text = exchange_alloc(x, n + 1);
    memcpy(text, why, n + 1);
    text[n] = '\n';
    static const field fields[] = {
        {{"content-type", sizeof "content-type" - 1}, {PLAIN_TEXT, sizeof PLAIN_TEXT - 1}}};
    x->reply = (reply){.status = status, .fields = fields, .field_count = 1, .body = {text, n + 1}};
    x->has_reply = true;
    h2_response_begin(x);
}
