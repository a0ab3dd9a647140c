/* Connections to upstreams over HTTP/2: found by address, shared by calls, closed when idle. */
#include <errno.h>
#include <stdlib.h>

#include "base/attr.h"
#include "proxy/h2_call_impl.h"

/* ---- telling ---- */

void h2_upstream_tell(h2_upstream *u, h2_call *c)
{
    if (c->teller)
        return;
    c->teller = u;
    c->next_told = u->told;
    u->told = c;
}

void h2_upstream_untell(h2_call *c)
{
    if (!c->teller)
        return;
    h2_call **at = &c->teller->told;
    while (*at != c)
        at = &(*at)->next_told;
    *at = c->next_told;
    c->teller = NULL;
}

static void tell_all(h2_upstream *u)
{
    while (u->told) {
        h2_call *c = u->told;
        h2_upstream_untell(c);
        c->base.changed(c->base.owner);
    }
}

/* ---- calls ---- */

void h2_upstream_attach(h2_upstream *u, h2_call *c)
{
    loop_timer_cancel(u->pool->home->loop, &u->idle);
    c->conn = u;
    c->previous = NULL;
    c->next = u->calls;
    if (c->next)
        c->next->previous = c;
    u->calls = c;
    u->call_count++;
    h2_session_flush_later(&u->session);
}

void h2_upstream_detach(h2_call *c)
{
    h2_upstream *u = TAKE(c->conn);
    if (!u)
        return;
    *(c->previous ? &c->previous->next : &u->calls) = c->next;
    if (c->next)
        c->next->previous = c->previous;
    c->next = c->previous = NULL;
    u->reused |= c->base.state == CALL_DONE;
    loop *l = u->pool->home->loop;
    if (--u->call_count == 0 && u->pool->options.idle_us > 0)
        loop_timer_set(l, &u->idle, loop_now_us(l) + u->pool->options.idle_us);
}

/* ---- the end of a connection ---- */

static void conn_free(h2_upstream *u)
{
    h2_pool *p = u->pool;
    *(u->previous ? &u->previous->next : &p->conns) = u->next;
    if (u->next)
        u->next->previous = u->previous;
    loop_timer_cancel(p->home->loop, &u->idle);
    h2_session_end(&u->session);
    upstream_close(u->up);
    free(u);
}

static const char *why_lost(const h2_upstream *u)
{
    if (u->up->connected)
        return "the upstream closed the connection, or does not speak HTTP/2";
    return u->up->wire.error == ETIMEDOUT ? "connecting to the upstream took too long"
                                          : "the upstream refused the connection";
}

/* Not from within a callback of nghttp2. */
static void lose(h2_upstream *u)
{
    const bool connected = u->up->connected;
    const bool worked = connected && u->reused;
    u->closing = true;
    while (u->calls) {
        h2_call *c = u->calls;
        h2_call_lost(c, connected ? PROXY_BAD_RESPONSE : PROXY_CONNECT_FAILED,
                     worked && c->idempotent, why_lost(u));
        if (!c->conn)
            h2_upstream_tell(u, c);
    }
    tell_all(u);
    conn_free(u);
}

static void after(h2_session *s)
{
    h2_upstream *u = container_of(s, h2_upstream, session);
    tell_all(u);
    if (h2_session_is_over(s))
        lose(u);
}

static void on_event(void *owner)
{
    h2_upstream *u = owner;
    if (u->up->connecting)
        return;
    if (!u->up->connected) {
        lose(u);
        return;
    }
    u->session.waits = false;
    h2_session_receive(&u->session);
}

/* Says good-bye and ends when that has left. */
static void on_idle(loop_timer *t)
{
    h2_upstream *u = container_of(t, h2_upstream, idle);
    u->closing = true;
    (void)nghttp2_session_terminate_session(u->session.ng, NGHTTP2_NO_ERROR);
    h2_session_flush_later(&u->session);
}

/* ---- a new one ---- */

static nghttp2_session *new_session(h2_pool *p, h2_upstream *u)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_ANSWER_HEAD_MAX},
    };
    nghttp2_session *ng;
    if (nghttp2_session_client_new2(&ng, p->callbacks, u, p->session_options) != 0)
        abort();
    (void)nghttp2_submit_settings(ng, NGHTTP2_FLAG_NONE, settings, countof(settings));
    (void)nghttp2_session_set_local_window_size(ng, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW);
    return ng;
}

static h2_upstream *conn_new(h2_pool *p, const net_addr *to, int64_t patience_us)
{
    upstream *up = upstream_open(p->home->loop, to, p->options.connect_timeout_us, patience_us);
    if (!up)
        return NULL;
    h2_upstream *u = calloc(1, sizeof *u);
    if (!u)
        abort();
    u->pool = p;
    u->up = up;
    u->to = *to;
    u->idle.fire = on_idle;
    u->session.waits = true;
    u->session.after = after;
    upstream_own(up, on_event, u);
    h2_session_begin(&u->session, p->home, new_session(p, u), &up->wire);
    u->next = p->conns;
    if (u->next)
        u->next->previous = u;
    p->conns = u;
    return u;
}

static bool has_room(const h2_upstream *u)
{
    const uint32_t theirs =
        nghttp2_session_get_remote_settings(u->session.ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return !u->closing && u->call_count < H2_STREAMS_MAX && u->call_count < theirs;
}

static bool same_addr(const net_addr *a, const net_addr *b)
{
    return a->len == b->len && memcmp(&a->ss, &b->ss, a->len) == 0;
}

h2_upstream *h2_upstream_take(h2_pool *p, const net_addr *to, bool fresh, int64_t patience_us)
{
    for (h2_upstream *u = fresh ? NULL : p->conns; u; u = u->next)
        if (has_room(u) && same_addr(&u->to, to))
            return u;
    return conn_new(p, to, patience_us);
}

/* ---- the pool ---- */

h2_pool *h2_pool_open(h2_home *h, const h2_pool_options *o)
{
    h2_pool *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    p->home = h;
    p->options = *o;
    p->callbacks = h2_answer_callbacks();
    p->session_options = h2_options_new();
    return p;
}

void h2_pool_close(h2_pool *p)
{
    if (!p)
        return;
    for (h2_upstream *u = p->conns; u;) {
        h2_upstream *next = u->next;
        conn_free(u);
        u = next;
    }
    while (p->spares) {
        h2_call *next = p->spares->next;
        h2_call_dispose(p->spares);
        p->spares = next;
    }
    nghttp2_session_callbacks_del(p->callbacks);
    nghttp2_option_del(p->session_options);
    free(p);
}
