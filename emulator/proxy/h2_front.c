/* Callers' HTTP/2 connections: taken over, watched, ended. */
#include "proxy/h2_front_impl.h"

#include <stdlib.h>

#include "base/attr.h"

/* Long enough for a caller to see the answer and stop by itself. */
enum { EARLY_GRACE_US = 100 * 1000 };

static int64_t now_us(const h2_conn *c)
{
    return loop_now_us(c->proxy->loop);
}

/* ---- streams ---- */

void h2_stream_reset(exchange *x, uint32_t code)
{
    h2_session *s = &x->h2.conn->session;
    (void)nghttp2_submit_rst_stream(s->ng, NGHTTP2_FLAG_NONE, x->h2.id, code);
    h2_session_flush_later(s);
}

static void unlink_stream(exchange *x)
{
    h2_conn *c = x->h2.conn;
    *(x->h2.previous ? &x->h2.previous->h2.next : &c->streams) = x->h2.next;
    if (x->h2.next)
        x->h2.next->h2.previous = x->h2.previous;
    c->quiet_since_us = now_us(c);
    c->stream_count--;
    if (c->heading == x->h2.id)
        c->heading = 0;
}

void h2_stream_over(exchange *x)
{
    unlink_stream(x);
    exchange_uncork(x);
    buf_free(&x->h2.pending);
    exchange_finish(x, x->h2.end_sent && !x->cut);
}

/* ---- answered early ---- */

void h2_stream_answered_early(h2_conn *c, int32_t id)
{
    if (c->early_count == c->early_room) {
        c->early_room = c->early_room ? 2 * c->early_room : 8;
        c->early = realloc(c->early, c->early_room * sizeof *c->early);
        if (!c->early)
            abort();
    }
    c->early[c->early_count++] = (h2_early){now_us(c) + EARLY_GRACE_US, id};
    if (!c->early_timer.slot)
        loop_timer_set(c->proxy->loop, &c->early_timer, c->early[0].until_us);
}

static void on_early(loop_timer *t)
{
    h2_conn *c = container_of(t, h2_conn, early_timer);
    nghttp2_session *ng = c->session.ng;
    size_t over = 0;
    for (; over < c->early_count && c->early[over].until_us <= now_us(c); over++)
        if (nghttp2_session_get_stream_remote_close(ng, c->early[over].id) == 0)
            (void)nghttp2_submit_rst_stream(ng, NGHTTP2_FLAG_NONE, c->early[over].id,
                                            NGHTTP2_NO_ERROR);
    c->early_count -= over;
    memmove(c->early, c->early + over, c->early_count * sizeof *c->early);
    if (c->early_count)
        loop_timer_set(c->proxy->loop, t, c->early[0].until_us);
    h2_session_flush_later(&c->session);
}

/* ---- what an exchange asks of its callers' side ---- */

/* The call failed within one of our own calls to it. */
static bool failed_unnoticed(const exchange *x)
{
    return x->call && x->call->state == CALL_FAILED && !x->has_reply && !x->answered &&
           x->call->failure != PROXY_CLIENT_GONE;
}

static void wake(exchange *x)
{
    h2_session *s = &x->h2.conn->session;
    h2_request_go_on(x);
    if (failed_unnoticed(x)) {
        x->h2.conn->unsettled = true; /* not now: the judge may be at work */
    } else if (x->h2.responding) {
        if (x->h2.deferred) {
            x->h2.deferred = false;
            (void)nghttp2_session_resume_data(s->ng, x->h2.id);
        }
    } else if (x->has_reply || exchange_has_upstream_head(x)) {
        h2_response_begin(x);
    } else if (x->call && x->call->got_continue && x->expect_continue) {
        h2_response_interim(x);
    }
    h2_session_flush_later(s);
}

static void cut(exchange *x)
{
    if (x->cut)
        return;
    x->cut = true;
    h2_stream_reset(x, NGHTTP2_INTERNAL_ERROR);
}

const front_ops h2_front_ops = {.wake = wake, .cut = cut};

/* ---- connections ---- */

static void conn_free(h2_conn *c)
{
    proxy *p = c->proxy;
    while (c->streams)
        h2_stream_over(c->streams);
    loop_timer_cancel(p->loop, &c->timer);
    loop_timer_cancel(p->loop, &c->early_timer);
    free(c->early);
    h2_session_end(&c->session);
    /* Bytes that the caller is still sending would turn our last words into a reset. */
    if (!c->session.broken && !c->wire->hung_up && !p->closing) {
        (void)wire_shut(c->wire);
        linger_add(p->linger, c->wire->watch.fd);
    }
    wire_close(c->wire);
    free(c->wire);
    guest_leave(p, &c->guest);
    free(c);
}

static void close_guest(guest *g)
{
    h2_conn *c = container_of(g, h2_conn, guest);
    c->session.broken = true;
    for (exchange *x = c->streams; x; x = x->h2.next)
        if (x->call)
            call_abort(x->call, PROXY_CLIENT_GONE, "the gateway is stopping");
    conn_free(c);
}

static void settle_streams(h2_conn *c)
{
    c->unsettled = false;
    for (exchange *x = c->streams; x; x = x->h2.next) {
        if (!failed_unnoticed(x))
            continue;
        exchange_settle(x);
        wake(x);
    }
}

static void after(h2_session *s)
{
    h2_conn *c = container_of(s, h2_conn, session);
    if (c->unsettled)
        settle_streams(c);
    c->guest.waited_for = c->draining || c->stream_count || s->out.n;
    if (h2_session_is_over(s))
        conn_free(c);
}

static void on_event(void *owner)
{
    h2_conn *c = owner;
    h2_session_receive(&c->session);
}

static void terminate(h2_conn *c, uint32_t code)
{
    (void)nghttp2_session_terminate_session(c->session.ng, code);
    h2_session_flush_later(&c->session);
}

/* ---- those that dawdle ---- */

static bool is_stuck(h2_conn *c)
{
    const bool full = c->session.out.n > 0;
    const bool stuck = full && c->full_seen && c->sent_seen == c->session.sent;
    c->full_seen = full;
    c->sent_seen = c->session.sent;
    return stuck;
}

static void on_timer(loop_timer *t)
{
    h2_conn *c = container_of(t, h2_conn, timer);
    const proxy_options *o = &c->proxy->options;
    const bool dawdles = c->heading && c->heading == c->heading_seen;
    const int64_t idle_us = (int64_t)o->idle_timeout_s * 1000000;
    c->heading_seen = c->heading;
    loop_timer_set(c->proxy->loop, t, now_us(c) + (int64_t)o->head_timeout_s * 1000000);
    if (is_stuck(c) || !c->greeted) {
        c->session.broken = true;
        h2_session_flush_later(&c->session);
    } else if (dawdles) {
        terminate(c, NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (idle_us && !c->stream_count && now_us(c) - c->quiet_since_us >= idle_us) {
        terminate(c, NGHTTP2_NO_ERROR);
    }
}

/* ---- taking over ---- */

static nghttp2_session *new_session(h2_front *f, h2_conn *c)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)f->proxy->options.connection_memory},
    };
    nghttp2_session *ng;
    if (nghttp2_session_server_new2(&ng, f->callbacks, c, f->options) != 0)
        abort();
    (void)nghttp2_submit_settings(ng, NGHTTP2_FLAG_NONE, settings, countof(settings));
    (void)nghttp2_session_set_local_window_size(ng, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW);
    return ng;
}

static void say_good_bye(h2_conn *c)
{
    c->draining = c->guest.waited_for = true; /* for the good-bye at least */
    (void)nghttp2_submit_goaway(c->session.ng, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(c->session.ng),
                                NGHTTP2_NO_ERROR, NULL, 0);
    h2_session_flush_later(&c->session);
}

void h2_front_adopt(proxy *p, wire *w, const net_addr *peer, void *tag, bool secure)
{
    h2_conn *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->proxy = p;
    c->wire = w;
    c->peer = *peer;
    c->tag = tag;
    c->secure = secure;
    c->quiet_since_us = now_us(c);
    c->timer.fire = on_timer;
    c->early_timer.fire = on_early;
    c->guest.close = close_guest;
    guest_enter(p, &c->guest);
    if (p->options.head_timeout_s)
        loop_timer_set(p->loop, &c->timer,
                       now_us(c) + (int64_t)p->options.head_timeout_s * 1000000);
    h2_session_begin(&c->session, &p->h2_home, new_session(p->h2_front, c), w);
    c->session.after = after;
    wire_own(w, on_event, c);
    if (p->draining)
        say_good_bye(c);
    h2_session_receive(&c->session);
}

void h2_front_drain(proxy *p)
{
    for (guest *g = p->guests; g; g = g->next)
        if (g->close == close_guest)
            say_good_bye(container_of(g, h2_conn, guest));
}

h2_front *h2_front_open(proxy *p)
{
    h2_front *f = calloc(1, sizeof *f);
    if (!f)
        abort();
    f->proxy = p;
    f->options = h2_options_new();
    if (nghttp2_session_callbacks_new(&f->callbacks) != 0)
        abort();
    h2_request_callbacks(f->callbacks);
    return f;
}

void h2_front_close(h2_front *f)
{
    if (!f)
        return;
    nghttp2_session_callbacks_del(f->callbacks);
    nghttp2_option_del(f->options);
    free(f);
}
