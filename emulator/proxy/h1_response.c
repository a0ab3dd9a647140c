/* The response's half of a call: interim heads, the head, the body, the end. */
#include "base/attr.h"
#include "proxy/h1_call_impl.h"

enum { INTERIM_MAX = 32 };

/* Over: the connection goes back where it can carry another request. */
static void finish(h1_call *c, bool excess)
{
    upstream *u = c->up;
    c->base.state = CALL_DONE;
    c->base.response.trailer_count = c->body.trailer_count;
    c->up = NULL;
    bool reusable = h1_head_keeps_alive(&c->head) && c->body.framing != H1_UNTIL_CLOSE &&
                    c->base.body_ended && !c->base.upload_over && !excess &&
                    c->out_sent == c->out.n;
    if (!c->base.body_ended)
        c->base.upload_over = true;
    if (reusable && u->wire.readable) { /* the last read filled its buffer: is there more? */
        char more;
        reusable = wire_recv(&u->wire, &more, 1) == 0;
    }
    if (reusable)
        pool_give(c->pool, u);
    else
        upstream_close(u);
}

/* Payload moves down over its framing; all n bytes behind data_end are used up. */
static void decode(h1_call *c, size_t n)
{
    size_t at = c->data_end;
    const size_t end = at + n;
    h1_result r = H1_MORE;
    while (r == H1_MORE && at < end) {
        size_t used = 0;
        span run;
        r = h1_body_feed(&c->body, c->in + at, end - at, &used, &run);
        if (run.n && run.p != c->in + c->data_end)
            memmove(c->in + c->data_end, run.p, run.n);
        c->data_end += run.n;
        at += used;
    }
    if (r == H1_BAD)
        h1_call_fail(c, PROXY_TRUNCATED, c->body.why);
    else if (r == H1_DONE)
        finish(c, at < end);
}

static void tell_head(h1_call *c, h1_framing framing)
{
    const h1_head *h = &c->head;
    c->base.response = (response_head){.status = h->status,
                                       .fields = h->fields,
                                       .field_count = h->field_count,
                                       .bytes = h->bytes,
                                       .connection_names = h->connection_names,
                                       .framing = framing,
                                       .has_length = h->has_length,
                                       .length = h->length,
                                       .trailers = c->body.trailers};
}

static void begin_body(h1_call *c, size_t received)
{
    const h1_head *h = &c->head;
    h1_framing framing = h1_framing_of(h, c->head_request);
    c->base.state = CALL_BODY;
    tell_head(c, framing);
    c->head_end = c->data = c->data_end = c->head.bytes;
    h1_body_begin(&c->body, framing, c->head.length);
    if (framing == H1_NO_BODY)
        finish(c, received > c->head.bytes);
    else if (received > c->head.bytes)
        decode(c, received - c->head.bytes);
}

/* ---- 101 ---- */

static bool lists(const h1_head *h, const char *name, span token)
{
    for (size_t i = 0; i < h->field_count; i++)
        if (span_ieq_str(h->fields[i].name, name) && header_list_has(h->fields[i].value, token))
            return true;
    return false;
}

/* What it was asked for, and not before it was. */
static bool switches_as_asked(const h1_call *c)
{
    return c->base.upgrading && c->out_sent == c->out.n &&
           lists(&c->head, "Connection", SPAN_LIT("upgrade")) &&
           lists(&c->head, "Upgrade", SPAN_LIT("websocket"));
}

static void switch_protocols(h1_call *c)
{
    if (!switches_as_asked(c)) {
        h1_call_fail(c, PROXY_BAD_RESPONSE, "the upstream switched protocols without being asked");
        return;
    }
    c->base.state = CALL_SWITCHED;
    tell_head(c, H1_NO_BODY);
    c->head_end = c->data = c->head.bytes;
}

/* ---- the head ---- */

/* Drops a 1xx head; true when there was a reason to go on. */
static bool skip_interim(h1_call *c)
{
    if (++c->interim > INTERIM_MAX) {
        h1_call_fail(c, PROXY_BAD_RESPONSE, "the upstream sent too many interim responses");
        return false;
    }
    if (c->head.status == 100)
        c->base.got_continue = true;
    size_t rest = c->data_end - c->head.bytes;
    memmove(c->in, c->in + c->head.bytes, rest);
    c->data_end = rest;
    h1_head_reset(&c->head);
    return true;
}

/* data_end is how much of the head has been received. */
static void parse_head(h1_call *c)
{
    for (;;) {
        h1_result r = h1_head_feed(&c->head, c->in, c->data_end);
        if (r == H1_MORE)
            return;
        if (r == H1_BAD) {
            h1_call_fail(c, PROXY_BAD_RESPONSE, c->head.why);
            return;
        }
        if (c->head.status >= 200) {
            begin_body(c, c->data_end);
            return;
        }
        if (c->head.status == 101) {
            switch_protocols(c);
            return;
        }
        if (!skip_interim(c))
            return;
    }
}

static void lost_before_head(h1_call *c, ssize_t how)
{
    if (how == WIRE_EOF)
        h1_call_lost(c, PROXY_BAD_RESPONSE, "the upstream closed the connection without answering");
    else
        h1_call_lost(c, PROXY_CONNECT_FAILED, "the upstream reset the connection");
}

void h1_response_progress(h1_call *c)
{
    while (c->base.state == CALL_WAITING && c->up && c->up->wire.readable && !c->up->connecting) {
        ssize_t n = wire_recv(&c->up->wire, c->in + c->data_end, sizeof c->in - c->data_end);
        if (n < 0) {
            lost_before_head(c, n);
            return;
        }
        if (n == 0)
            return;
        c->heard = true;
        c->data_end += (size_t)n;
        parse_head(c);
    }
}

/* ---- the body, pulled ---- */

static void body_lost(h1_call *c, ssize_t how)
{
    if (how == WIRE_EOF && h1_body_eof(&c->body) == H1_DONE)
        finish(c, false);
    else
        h1_call_fail(c, PROXY_TRUNCATED, "the upstream broke off in the middle of the response");
}

/* Straight into the reader's memory: nothing to decode. */
static ssize_t read_direct(h1_call *c, char *p, size_t n)
{
    if (c->body.framing == H1_LENGTH && c->body.left < n)
        n = (size_t)c->body.left;
    ssize_t got = wire_recv(&c->up->wire, p, n);
    if (got < 0) {
        body_lost(c, got);
        return c->base.state == CALL_DONE ? CALL_END : CALL_BROKEN;
    }
    size_t used = 0;
    span run;
    if (got > 0 && h1_body_feed(&c->body, p, (size_t)got, &used, &run) == H1_DONE)
        finish(c, false);
    return got;
}

/* Refills the empty window. */
static void refill(h1_call *c)
{
    c->data = c->data_end = c->head_end;
    while (c->base.state == CALL_BODY && c->data == c->data_end && c->up->wire.readable) {
        ssize_t n = wire_recv(&c->up->wire, c->in + c->data_end, sizeof c->in - c->data_end);
        if (n < 0)
            body_lost(c, n);
        else if (n > 0)
            decode(c, (size_t)n);
    }
}

span h1_response_data(const call *base)
{
    const h1_call *c = (const h1_call *)base; /* its first member */
    return (span){c->in + c->data, c->data_end - c->data};
}

ssize_t h1_response_read(call *base, char *p, size_t n)
{
    h1_call *c = container_of(base, h1_call, base);
    if (c->data == c->data_end && c->base.state == CALL_BODY) {
        if (!c->up->wire.readable)
            return CALL_WAIT;
        if (c->body.framing != H1_CHUNKED)
            return read_direct(c, p, n);
        refill(c);
    }
    size_t there = c->data_end - c->data;
    if (there) {
        size_t take = there < n ? there : n;
        memcpy(p, c->in + c->data, take);
        c->data += take;
        return (ssize_t)take;
    }
    return call_dry(&c->base);
}
