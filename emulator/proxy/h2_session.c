/* Frames in, frames out. */
#include "proxy/h2_session.h"

#include <stdlib.h>

#include "base/attr.h"

enum {
    READ_BLOCK = 32 * 1024,
    READS_PER_TURN = 8, /* then others have their turn */
    SEND_BLOCK = 64 * 1024,
    SENDS_PER_TURN = 8,
    FRAME_MAX = 9 + 16384,
    OUT_MAX = SEND_BLOCK + FRAME_MAX,
    FIELD_BOUND = 64 /* what HPACK may add to a field */
};

void h2_home_open(h2_home *h, loop *l)
{
    *h = (h2_home){.loop = l, .scratch = buf_make(OUT_MAX), .head = malloc(sizeof(h2_head))};
    if (!h->head)
        abort();
    h2_head_open(h->head);
}

void h2_home_close(h2_home *h)
{
    loop_undefer(h->loop, h);
    buf_free(&h->scratch);
    h2_head_close(h->head);
    free(h->head);
}

static void on_again(loop_timer *t)
{
    h2_session_receive(container_of(t, h2_session, again));
}

/* A timer that is due at once would still fire in this turn. */
static void go_on_in_next_turn(h2_session *s)
{
    loop *l = s->home->loop;
    loop_timer_set(l, &s->again, loop_now_us(l) + 1);
}

void h2_session_begin(h2_session *s, h2_home *h, nghttp2_session *ng, wire *w)
{
    s->ng = ng;
    s->wire = w;
    s->home = h;
    s->out = buf_make(OUT_MAX);
    s->again.fire = on_again;
}

void h2_session_end(h2_session *s)
{
    if (s->dirty) {
        h2_session **at = &s->home->dirty;
        while (*at != s)
            at = &(*at)->next_dirty;
        *at = s->next_dirty;
        s->dirty = false;
    }
    loop_timer_cancel(s->home->loop, &s->again);
    nghttp2_session_del(s->ng);
    buf_free(&s->out);
}

/* ---- sending ---- */

static ssize_t send_some(h2_session *s, const char *p, size_t n)
{
    const ssize_t sent = wire_send(s->wire, p, n);
    if (sent < 0)
        s->broken = true;
    else
        s->sent += (uint64_t)sent;
    return sent;
}

/* What the wire did not take before; true when it is all gone. */
static bool send_rest(h2_session *s)
{
    if (s->out.n == 0)
        return true;
    const ssize_t sent = send_some(s, s->out.p + s->out_sent, s->out.n - s->out_sent);
    if (sent < 0)
        return false;
    s->out_sent += (size_t)sent;
    if (s->out_sent < s->out.n)
        return false;
    buf_free(&s->out);
    s->out = buf_make(OUT_MAX);
    s->out_sent = 0;
    return true;
}

static void gather(h2_session *s, buf *b)
{
    buf_clear(b);
    while (b->n < SEND_BLOCK) {
        const uint8_t *p;
        ssize_t n = nghttp2_session_mem_send(s->ng, &p);
        if (n < 0)
            s->broken = true;
        if (n <= 0)
            return;
        buf_add(b, p, (size_t)n);
    }
}

static void flush(h2_session *s)
{
    buf *b = &s->home->scratch;
    unsigned sends = 0;
    while (!s->waits && !s->broken && s->wire->writable && send_rest(s)) {
        if (sends++ == SENDS_PER_TURN) {
            go_on_in_next_turn(s);
            return;
        }
        gather(s, b);
        if (b->n == 0)
            return;
        const ssize_t sent = send_some(s, b->p, b->n);
        if (sent >= 0 && (size_t)sent < b->n)
            buf_add(&s->out, b->p + sent, b->n - (size_t)sent);
    }
}

static void run_dirty(void *arg)
{
    h2_home *h = arg;
    while (h->dirty) {
        h2_session *s = h->dirty;
        h->dirty = s->next_dirty;
        s->dirty = false;
        flush(s);
        s->after(s);
    }
}

void h2_session_flush_later(h2_session *s)
{
    h2_home *h = s->home;
    if (s->dirty)
        return;
    if (!h->dirty)
        loop_defer(h->loop, run_dirty, h);
    s->dirty = true;
    s->next_dirty = h->dirty;
    h->dirty = s;
}

/* ---- receiving ---- */

/* No client preface, a flood, a header section without end: the peer is told, and no more heard. */
static void stop_listening(h2_session *s)
{
    s->deaf = true;
    (void)nghttp2_session_terminate_session(s->ng, NGHTTP2_ENHANCE_YOUR_CALM);
}

void h2_session_receive(h2_session *s)
{
    char block[READ_BLOCK];
    for (unsigned reads = 0; s->wire->readable && !s->broken && !s->deaf; reads++) {
        if (reads == READS_PER_TURN) {
            go_on_in_next_turn(s);
            break;
        }
        ssize_t n = wire_recv(s->wire, block, sizeof block);
        if (n == 0)
            break;
        if (n < 0)
            s->broken = true;
        else if (nghttp2_session_mem_recv(s->ng, (const uint8_t *)block, (size_t)n) < 0)
            stop_listening(s);
    }
    h2_session_flush_later(s);
}

bool h2_session_is_over(const h2_session *s)
{
    if (s->broken)
        return true;
    return s->out.n == 0 && !nghttp2_session_want_read(s->ng) && !nghttp2_session_want_write(s->ng);
}

/* ---- in common ---- */

nghttp2_option *h2_options_new(void)
{
    nghttp2_option *o;
    if (nghttp2_option_new(&o) != 0)
        abort();
    nghttp2_option_set_no_auto_window_update(o, 1);
    /* Of a section that is larger it would say nothing at all, and the stream would hang. */
    nghttp2_option_set_max_send_header_block_length(o, H2_HEAD_MAX + H2_FIELDS_MAX * FIELD_BOUND);
    return o;
}

int h2_refuse_field(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *ctx)
{
    (void)ng;
    (void)frame;
    (void)name;
    (void)name_n;
    (void)value;
    (void)value_n;
    (void)flags;
    (void)ctx;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* ---- header sections ---- */

void h2_head_open(h2_head *h)
{
    h->text = buf_make(H2_HEAD_MAX);
    h2_head_clear(h);
}

void h2_head_close(h2_head *h)
{
    buf_free(&h->text);
}

void h2_head_clear(h2_head *h)
{
    buf_clear(&h->text);
    h->count = 0;
    h->overrun = false;
}

void h2_head_add(h2_head *h, span name, span value)
{
    if (h->count == H2_FIELDS_MAX) {
        h->overrun = true;
        return;
    }
    const size_t at = h->text.n;
    buf_span(&h->text, name);
    buf_span(&h->text, value);
    if (!buf_ok(&h->text)) {
        h->overrun = true;
        return;
    }
    for (size_t i = at; i < at + name.n; i++)
        if (h->text.p[i] >= 'A' && h->text.p[i] <= 'Z')
            h->text.p[i] = (char)(h->text.p[i] | 0x20);
    h->sizes[h->count].name_n = (uint32_t)name.n;
    h->sizes[h->count++].value_n = (uint32_t)value.n;
}

/* Different in each request: in the table of repeated fields (RFC 7541 §2.3.2) they would only push
 * out what does come again. */
static uint8_t flags_of(span name)
{
    const bool unique =
        span_eq_str(name, "traceparent") || span_eq_str(name, "x-cloud-trace-context");
    return unique ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
}

size_t h2_head_view(const h2_head *h, nghttp2_nv out[H2_FIELDS_MAX])
{
    uint8_t *at = (uint8_t *)h->text.p;
    for (size_t i = 0; i < h->count; i++) {
        out[i] = (nghttp2_nv){.name = at,
                              .namelen = h->sizes[i].name_n,
                              .value = at + h->sizes[i].name_n,
                              .valuelen = h->sizes[i].value_n,
                              .flags = flags_of((span){(char *)at, h->sizes[i].name_n})};
        at += h->sizes[i].name_n + h->sizes[i].value_n;
    }
    return h->count;
}
