/* The response's half of a call over HTTP/2: what nghttp2 tells, and payload on its way to whoever
 * pulls it. */
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/h2_call_impl.h"

enum { INTERIM_MAX = 32, STATUS_DIGITS = 3 };

static h2_call *call_of(nghttp2_session *ng, int32_t id)
{
    return nghttp2_session_get_stream_user_data(ng, id);
}

static void changed(void *ctx, h2_call *c)
{
    h2_upstream_tell(ctx, c);
}

/* The call fails by what it was told, and the upstream learns that we give up. */
static void give_up(h2_call *c, const char *why)
{
    h2_upstream *u = c->conn;
    call_abort(&c->base, c->base.state == CALL_BODY ? PROXY_TRUNCATED : PROXY_BAD_RESPONSE, why);
    if (u)
        h2_upstream_tell(u, c);
}

/* ---- fields ---- */

static void section_clear(h2_section *s)
{
    s->text.max = H2_ANSWER_HEAD_MAX;
    buf_clear(&s->text);
    s->count = 0;
}

static bool section_add(h2_section *s, span name, span value)
{
    if (s->count == H1_FIELDS_MAX)
        return false;
    buf_span(&s->text, name);
    buf_span(&s->text, value);
    s->sizes[s->count].name_n = (uint32_t)name.n;
    s->sizes[s->count++].value_n = (uint32_t)value.n;
    return buf_ok(&s->text);
}

/* The text has stopped moving. */
static void section_view(h2_section *s)
{
    const char *p = s->text.p;
    for (size_t i = 0; i < s->count; i++) {
        const span name = {p, s->sizes[i].name_n};
        const span value = {p + name.n, s->sizes[i].value_n};
        s->fields[i] = (field){name, value};
        p += name.n + value.n;
    }
}

static unsigned status_of(span value)
{
    uint64_t status = 0;
    return value.n == STATUS_DIGITS && span_u64(value, 999, &status) ? (unsigned)status : 0;
}

static int on_header(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *ctx)
{
    (void)ctx;
    (void)flags;
    h2_call *c = call_of(ng, frame->hd.stream_id);
    if (!c || frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    const span n = {(const char *)name, name_n};
    const span v = {(const char *)value, value_n};
    h2_section *s = c->base.state == CALL_WAITING ? &c->answer_head : &c->answer_trailers;
    if (n.n && n.p[0] == ':')
        c->base.response.status = status_of(v);
    else if (!section_add(s, n, v))
        give_up(c, "the response head is too large");
    return 0;
}

static void set_head(h2_call *c, bool over)
{
    response_head *r = &c->base.response;
    section_view(&c->answer_head);
    r->fields = c->answer_head.fields;
    r->field_count = c->answer_head.count;
    r->bytes = c->answer_head.text.n + 4 * r->field_count;
    for (size_t i = 0; i < r->field_count; i++)
        if (span_eq_str(r->fields[i].name, "content-length"))
            r->has_length = span_u64(r->fields[i].value, INT64_MAX, &r->length);
    if (over || c->head_request || r->status == 204 || r->status == 304)
        r->framing = H1_NO_BODY;
    else
        r->framing = r->has_length ? H1_LENGTH : H1_CHUNKED;
}

static void set_trailers(h2_call *c)
{
    section_view(&c->answer_trailers);
    c->base.response.trailers = c->answer_trailers.fields;
    c->base.response.trailer_count = c->answer_trailers.count;
}

static void finish(h2_call *c)
{
    c->base.state = CALL_DONE;
    if (!c->base.body_ended)
        c->base.upload_over = true;
}

static void take_head(h2_call *c, bool over)
{
    const unsigned status = c->base.response.status;
    if (status < 200) {
        if (over || status == 101 || ++c->interim > INTERIM_MAX)
            give_up(c, "the upstream sent interim answers and no final one");
        c->base.got_continue |= status == 100;
        section_clear(&c->answer_head);
        return;
    }
    c->base.state = CALL_BODY;
    set_head(c, over);
    if (over)
        finish(c);
}

static int on_frame(nghttp2_session *ng, const nghttp2_frame *frame, void *ctx)
{
    h2_upstream *u = ctx;
    if (frame->hd.type == NGHTTP2_GOAWAY)
        u->closing = true;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    h2_call *c = call_of(ng, frame->hd.stream_id);
    if (!c)
        return 0;
    const bool over = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS && c->base.state == CALL_WAITING) {
        take_head(c, over);
    } else if (over) {
        set_trailers(c);
        finish(c);
    }
    changed(u, c);
    return 0;
}

/* ---- payload ---- */

/* Bounded by the window, which opens again as payload is taken. */
static int on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *p, size_t n,
                   void *ctx)
{
    (void)flags;
    h2_call *c = call_of(ng, id);
    if (!c || c->base.state != CALL_BODY) {
        (void)nghttp2_session_consume(ng, id, n);
        return 0;
    }
    buf_drop(&c->in, &c->in_taken, H2_STREAM_WINDOW);
    buf_add(&c->in, p, n);
    changed(ctx, c);
    return 0;
}

span h2_answer_data(const call *base)
{
    const h2_call *c = (const h2_call *)base; /* its first member */
    return (span){c->in.p ? c->in.p + c->in_taken : NULL, c->in.n - c->in_taken};
}

static void consumed(h2_call *c, size_t n)
{
    if (!c->conn)
        return;
    h2_session *s = &c->conn->session;
    (void)nghttp2_session_consume(s->ng, c->id, n);
    h2_session_flush_later(s);
}

void h2_answer_reset(h2_call *c)
{
    if (c->in.n > c->in_taken)
        consumed(c, c->in.n - c->in_taken);
    buf_clear(&c->in);
    c->in_taken = 0;
    c->interim = 0;
    section_clear(&c->answer_head);
    section_clear(&c->answer_trailers);
}

ssize_t h2_answer_read(call *base, char *p, size_t n)
{
    h2_call *c = container_of(base, h2_call, base);
    const span there = h2_answer_data(base);
    if (there.p && there.n) {
        const size_t take = there.n < n ? there.n : n;
        memcpy(p, there.p, take);
        c->in_taken += take;
        consumed(c, take);
        return (ssize_t)take;
    }
    return call_dry(base);
}

/* ---- the end of a stream ---- */

static int on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *ctx)
{
    h2_upstream *u = ctx;
    h2_call *c = call_of(ng, id);
    if (!c)
        return 0;
    if (c->in.n > c->in_taken) /* what waits to be taken no longer counts */
        (void)nghttp2_session_consume_connection(ng, c->in.n - c->in_taken);
    c->base.reset_code = code;
    if (c->base.state == CALL_DONE || c->base.state == CALL_FAILED)
        h2_upstream_detach(c);
    else
        h2_call_lost(c, PROXY_BAD_RESPONSE, code == NGHTTP2_REFUSED_STREAM,
                     "the upstream reset the stream");
    changed(u, c);
    return 0;
}

nghttp2_session_callbacks *h2_answer_callbacks(void)
{
    nghttp2_session_callbacks *k;
    if (nghttp2_session_callbacks_new(&k) != 0)
        abort();
    nghttp2_session_callbacks_set_on_header_callback(k, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(k, h2_refuse_field);
    nghttp2_session_callbacks_set_on_frame_recv_callback(k, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(k, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(k, on_close);
    return k;
}
