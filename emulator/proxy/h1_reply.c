/* What a caller is answered, in libmicrohttpd's terms: a reply of ours, an upstream's response that
 * is already complete (one write), or one that is streamed. */
#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "base/clock.h"
#include "proxy/proxy_impl.h"

enum {
    BLOCK = 64 * 1024,     /* of a streamed response with a length */
    ENTRY_COST = 64,       /* libmicrohttpd's bookkeeping per field of a request */
    FIXED_HEAD_COST = 512, /* status line and the fields that it adds */
    AT_ONCE_MAX = 64 * 1024
};

static void *writable(const void *p)
{
    union { /* libmicrohttpd takes a pointer to writable bytes and does not write to them */
        const void *in;
        void *out;
    } u = {.in = p};
    return u.out;
}

static struct MHD_Response *whole(span body)
{
    static char nothing[1];
    struct MHD_Response *r = MHD_create_response_from_buffer(
        body.n, body.n ? writable(body.p) : nothing, MHD_RESPMEM_PERSISTENT);
    if (!r)
        abort();
    return r;
}

static size_t add_field(exchange *x, struct MHD_Response *r, span name, span value)
{
    char *text = exchange_alloc(x, name.n + value.n + 2);
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    if (value.n)
        memcpy(text + name.n + 1, value.p, value.n);
    text[name.n + 1 + value.n] = '\0';
    /* An empty value is refused: such a field is left out. */
    (void)MHD_add_response_header(r, text, text + name.n + 1);
    return name.n + value.n + 4;
}

static enum MHD_Result queue(exchange *x, struct MHD_Response *r, unsigned status, bool close)
{
    if (close || x->proxy->draining)
        (void)MHD_add_response_header(r, "Connection", "close");
    exchange_answer_begins(x, status);
    x->stage = STAGE_ANSWERED;
    return MHD_queue_response(x->mhd, status, r);
}

/* ---- replies of ours ---- */

static enum MHD_Result queue_reply(exchange *x)
{
    const reply *p = &x->reply;
    struct MHD_Response *r = whole(p->body);
    x->response_bytes = FIXED_HEAD_COST / 4 + p->body.n;
    for (size_t i = 0; i < p->field_count; i++)
        x->response_bytes += add_field(x, r, p->fields[i].name, p->fields[i].value);
    enum MHD_Result result = queue(x, r, p->status, p->close);
    MHD_destroy_response(r);
    return result;
}

/* libmicrohttpd takes no answer before it has read the whole body, so this goes past it. Nothing
 * else is waiting to be sent: the socket has room for it. */
enum MHD_Result h1_reply_at_once(exchange *x)
{
    const reply *p = &x->reply;
    auto_buf buf out = buf_make(AT_ONCE_MAX);
    char date[CLOCK_HTTP_DATE_MAX];
    clock_http_date(clock_wall_us(), date);
    buf_fmt(&out, "HTTP/1.1 %u %s\r\nDate: %s\r\n", p->status, MHD_get_reason_phrase_for(p->status),
            date);
    for (size_t i = 0; i < p->field_count; i++)
        buf_fmt(&out, "%.*s: %.*s\r\n", SPAN_ARG(p->fields[i].name), SPAN_ARG(p->fields[i].value));
    buf_fmt(&out, "Connection: close\r\nContent-Length: %zu\r\n\r\n", p->body.n);
    buf_span(&out, p->body);
    ssize_t sent = send(x->conn->watch.fd, out.p, out.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    x->response_bytes = sent > 0 ? (uint64_t)sent : 0;
    x->conn->linger = true;
    x->stage = STAGE_ANSWERED;
    exchange_answer_begins(x, p->status);
    return MHD_NO;
}

enum MHD_Result h1_reply_malformed(struct MHD_Connection *c, const char *why)
{
    char text[160];
    int n = snprintf(text, sizeof text, "%s\n", why);
    struct MHD_Response *r =
        MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY);
    if (!r)
        abort();
    (void)MHD_add_response_header(r, "Content-Type", "text/plain; charset=utf-8");
    (void)MHD_add_response_header(r, "Connection", "close");
    enum MHD_Result result = MHD_queue_response(c, 400, r);
    MHD_destroy_response(r);
    return result;
}

/* ---- an upstream's response ---- */

static void add_trailers(exchange *x)
{
    const response_head *h = &x->call->response;
    if (h->framing != H1_CHUNKED || !x->streaming)
        return;
    for (size_t i = 0; i < h->trailer_count; i++) {
        const field *f = &h->trailers[i];
        if (!header_may_trail(f->name) ||
            !exchange_response_field_travels(x, &(header_names){.n = 0}, f->name))
            continue;
        auto_free char *name = span_dup(f->name);
        auto_free char *value = span_dup(f->value);
        (void)MHD_add_response_footer(x->streaming, name, value);
    }
}

static ssize_t on_read(void *ctx, uint64_t at, char *p, size_t n)
{
    (void)at;
    exchange *x = ctx;
    if (x->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    ssize_t got = exchange_read(x, p, n);
    if (got > 0) {
        x->response_bytes += (uint64_t)got;
        mhd_loop_kick(x->proxy->mhd);
        return got;
    }
    if (got == CALL_WAIT) {
        h1_front_wait(x);
        return 0;
    }
    if (got == CALL_BROKEN) {
        if (x->failure == PROXY_OK)
            x->failure = PROXY_TRUNCATED;
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    add_trailers(x);
    mhd_loop_kick(x->proxy->mhd);
    return MHD_CONTENT_READER_END_OF_STREAM;
}

static size_t pieces(span text, char separator)
{
    size_t n = text.n > 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == separator;
    return n;
}

/* What libmicrohttpd keeps of the request in the connection's memory: its bytes, an entry for each
 * field and query parameter, and each cookie once more. */
static size_t request_memory(const exchange *x)
{
    size_t entries = x->field_count + pieces(span_from(x->outgoing, x->path.n), '&');
    size_t bytes = x->head_bytes;
    for (size_t i = 0; i < x->field_count; i++) {
        const field *f = &x->fields[i];
        if (f->name.n == 6 && span_ieq_str(f->name, "Cookie")) {
            entries += pieces(f->value, ';');
            bytes += f->value.n;
        }
    }
    return bytes + entries * ENTRY_COST;
}

/* A response whose fields libmicrohttpd cannot send for want of connection memory would end the
 * connection without a word. */
static bool head_fits(const exchange *x)
{
    size_t used = request_memory(x) + FIXED_HEAD_COST + x->call->response.bytes;
    for (size_t i = 0; i < x->forward.response_add_count; i++)
        used += x->forward.response_add[i].name.n + x->forward.response_add[i].value.n + 4;
    return used <= x->proxy->options.connection_memory;
}

static struct MHD_Response *streamed(exchange *x, uint64_t size)
{
    const bool chunked = size == MHD_SIZE_UNKNOWN && !x->http10;
    struct MHD_Response *r =
        MHD_create_response_from_callback(size, chunked ? 1 : BLOCK, on_read, x, NULL);
    if (!r)
        abort();
    x->streaming = r;
    return r;
}

/* No body travels, but what it would have been is said: HEAD and 304. */
static struct MHD_Response *bodiless(exchange *x)
{
    const response_head *h = &x->call->response;
    if (!span_eq_str(x->method, "HEAD") && h->status != 304)
        return whole((span){0});
    if (h->has_length)
        return streamed(x, h->length);
    /* Without a length nothing may be said of it; libmicrohttpd leaves framing fields out only
     * where the end of the connection is the framing. */
    struct MHD_Response *r = streamed(x, MHD_SIZE_UNKNOWN);
    (void)MHD_set_response_options(r, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return r;
}

static struct MHD_Response *response_for(exchange *x)
{
    const response_head *h = &x->call->response;
    switch (h->framing) {
    case H1_NO_BODY:
        return bodiless(x);
    case H1_LENGTH:
        if (x->call->state == CALL_DONE)
            return whole(call_data(x->call));
        return streamed(x, h->length);
    case H1_CHUNKED:
    case H1_UNTIL_CLOSE:
        break;
    }
    if (x->call->state == CALL_DONE && h->framing == H1_CHUNKED && !x->http10 && !h->trailer_count)
        return whole(call_data(x->call));
    return streamed(x, MHD_SIZE_UNKNOWN);
}

static void add_fields(exchange *x, struct MHD_Response *r)
{
    const response_head *h = &x->call->response;
    header_names drop;
    header_names_init(&drop, x->forward.response_drop);
    for (size_t i = 0; i < h->field_count; i++) {
        const field *f = &h->fields[i];
        if (exchange_response_field_travels(x, &drop, f->name))
            x->response_bytes += add_field(x, r, f->name, f->value);
    }
    for (size_t i = 0; i < x->forward.response_add_count; i++) {
        const field *f = &x->forward.response_add[i];
        x->response_bytes += add_field(x, r, f->name, f->value);
    }
}

static enum MHD_Result queue_upstream(exchange *x)
{
    struct MHD_Response *r = response_for(x);
    x->response_bytes = FIXED_HEAD_COST / 4;
    if (!x->streaming)
        x->response_bytes += call_data(x->call).n;
    add_fields(x, r);
    if (!x->streaming && x->call->response.framing == H1_CHUNKED)
        (void)MHD_add_response_header(r, "Transfer-Encoding", "chunked");
    enum MHD_Result result = queue(x, r, x->call->response.status, false);
    if (!x->streaming)
        MHD_destroy_response(r); /* a streamed one is kept for its trailers */
    return result;
}

/* libmicrohttpd says Connection: Upgrade by itself, and to close such a connection means nothing.
 */
static enum MHD_Result queue_upgrade(exchange *x)
{
    struct MHD_Response *r = MHD_create_response_for_upgrade(h1_upgrade_begin, x);
    if (!r)
        abort();
    x->response_bytes = FIXED_HEAD_COST / 4;
    (void)MHD_add_response_header(r, "Upgrade", "websocket");
    add_fields(x, r);
    exchange_answer_begins(x, x->call->response.status);
    x->stage = STAGE_ANSWERED;
    enum MHD_Result result = MHD_queue_response(x->mhd, x->status, r);
    MHD_destroy_response(r);
    return result;
}

enum MHD_Result h1_reply_queue(exchange *x)
{
    if (!x->has_reply && !head_fits(x)) {
        call_abort(x->call, PROXY_BAD_RESPONSE, NULL);
        x->call->why = "the response head is too large";
        exchange_fail(x, PROXY_BAD_RESPONSE);
    }
    if (x->has_reply)
        return queue_reply(x);
    return x->call->state == CALL_SWITCHED ? queue_upgrade(x) : queue_upstream(x);
}
