/* One look at each connection: most decide at once, and no event is registered for them here. */
#include "proxy/landing.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "proxy/h2_front.h"
#include "proxy/proxy_impl.h"

static const char too_slow[] = "HTTP/1.1 408 Request Timeout\r\n"
                               "Connection: close\r\nContent-Length: 0\r\n\r\n";

typedef struct landing {
    guest guest;
    loop_watch watch; /* until the first bytes decide */
    loop_timer deadline;
    proxy *proxy;
    wire *tls; /* in its handshake; else NULL */
    arrival from;
    bool spoke;
} landing;

/* ---- telling them apart ---- */

/* 1: begins so; 0: differs; -1: as far as it goes. */
static int begins(span seen, span with)
{
    const size_t n = seen.n < with.n ? seen.n : with.n;
    if (memcmp(seen.p, with.p, n) != 0)
        return 0;
    return n == with.n ? 1 : -1;
}

landing_kind landing_decide(span seen)
{
    const struct {
        span first;
        landing_kind kind;
    } known[] = {
        {SPAN_LIT("\x16\x03"), LANDING_TLS},
        {SPAN_LIT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), LANDING_H2},
        {SPAN_LIT("CONNECT "), LANDING_CONNECT},
    };
    if (seen.n == 0)
        return LANDING_UNDECIDED;
    for (size_t i = 0; i < countof(known); i++) {
        const int fits = begins(seen, known[i].first);
        if (fits)
            return fits > 0 ? known[i].kind : LANDING_UNDECIDED;
    }
    return LANDING_H1;
}

/* ---- those that wait ---- */

static void leave(landing *g)
{
    loop_timer_cancel(g->proxy->loop, &g->deadline);
    loop_del(g->proxy->loop, &g->watch);
    guest_leave(g->proxy, &g->guest);
    free(g);
}

static void close_landing(guest *base)
{
    landing *g = container_of(base, landing, guest);
    const int fd = g->watch.fd;
    wire *tls = g->tls;
    leave(g);
    if (tls) {
        wire_close(tls);
        free(tls);
    } else {
        (void)close(fd);
    }
}

static void on_deadline(loop_timer *t)
{
    landing *g = container_of(t, landing, deadline);
    if (g->spoke && !g->tls) {
        const exchange_handler *h = &g->proxy->options.handler;
        if (h->on_malformed)
            h->on_malformed(h->ctx, &g->from.peer, 408, "the request head took too long");
        (void)send(g->watch.fd, too_slow, sizeof too_slow - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    close_landing(&g->guest);
}

static landing *new_landing(proxy *p, int fd, const arrival *from)
{
    landing *g = calloc(1, sizeof *g);
    if (!g)
        abort();
    g->guest.close = close_landing;
    g->proxy = p;
    g->from = *from;
    g->watch.fd = fd;
    g->deadline.fire = on_deadline;
    guest_enter(p, &g->guest);
    return g;
}

/* Silence is an idle connection's; a beginning has to become a head in time. */
static void arm(landing *g, unsigned seconds)
{
    if (seconds)
        loop_timer_set(g->proxy->loop, &g->deadline,
                       loop_now_us(g->proxy->loop) + (int64_t)seconds * 1000000);
}

/* ---- HTTP/2 ---- */

/* w is malloc's. */
static wire *new_wire(proxy *p, int fd)
{
    error e = {0};
    wire *w = malloc(sizeof *w);
    if (!w)
        abort();
    if (wire_open(w, p->loop, fd, &e))
        return w;
    free(w);
    return NULL;
}

static void begin_h2(proxy *p, int fd, const arrival *from)
{
    wire *w = new_wire(p, fd);
    if (w)
        h2_front_adopt(p, w, &from->peer, from->tag, false);
}

/* ---- TLS ---- */

static void take_plain_text(landing *g)
{
    proxy *p = g->proxy;
    wire *w = g->tls;
    const arrival from = g->from;
    wire_own(w, NULL, NULL);
    leave(g);
    p->counted.handshakes++;
    if (tls_speaks_h2(w)) {
        p->counted.tls_http2++;
        h2_front_adopt(p, w, &from.peer, from.tag, true);
    } else {
        p->counted.tls_http1++;
        relay_take(p, w, &from);
    }
}

static void turn_away(landing *g)
{
    char peer[NET_ADDR_TEXT_MAX];
    g->proxy->counted.failed_handshakes++;
    log_at(LOG_WARN, "TLS handshake failed", LOG_S("why", tls_failure(g->tls)),
           LOG_S("peer", net_addr_ip(&g->from.peer, peer)));
    (void)wire_shut(g->tls);
    linger_add(g->proxy->linger, g->tls->watch.fd);
    close_landing(&g->guest);
}

static void on_handshake(void *owner)
{
    landing *g = owner;
    switch (tls_handshake(g->tls)) {
    case TLS_MORE:
        return;
    case TLS_DONE:
        take_plain_text(g);
        return;
    case TLS_FAILED:
        turn_away(g);
        return;
    }
}

static void begin_tls(proxy *p, int fd, const arrival *from)
{
    wire *w = new_wire(p, fd);
    if (!w)
        return;
    if (!tls_begin(p->tls, w)) {
        wire_close(w);
        free(w);
        return;
    }
    landing *g = new_landing(p, fd, from);
    g->tls = w;
    arm(g, p->options.head_timeout_s);
    wire_own(w, on_handshake, g);
    on_handshake(g);
}

/* ---- deciding ---- */

static void take_as(proxy *p, int fd, const arrival *from, landing_kind kind)
{
    if (kind == LANDING_TLS && p->tls) {
        begin_tls(p, fd, from);
    } else if (kind == LANDING_H2) {
        p->counted.http2++;
        begin_h2(p, fd, from);
    } else if (kind == LANDING_CONNECT && connect_is_for(p, from)) {
        p->counted.connect++;
        connect_take(p, fd, from);
    } else {
        p->counted.http1++;
        mhd_loop_adopt(p->mhd, fd, &from->peer,
                       &(h1_adoption){.peer = &from->peer, .tag = from->tag});
    }
}

/* The socket's first bytes, or why there are none: 0: not yet; -1: there will be none. */
static int look(int fd, char seen[LANDING_BYTES])
{
    ssize_t n;
    do {
        n = recv(fd, seen, LANDING_BYTES, MSG_PEEK | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n > 0)
        return (int)n;
    return n < 0 && errno == EAGAIN ? 0 : -1;
}

static void note_beginning(landing *g, int seen)
{
    if (seen > 0 && !g->spoke)
        arm(g, g->proxy->options.head_timeout_s);
    g->spoke = seen > 0;
}

static void on_bytes(loop_watch *w, uint32_t events)
{
    landing *g = container_of(w, landing, watch);
    char seen[LANDING_BYTES];
    const int n = look(w->fd, seen);
    if (n < 0) {
        close_landing(&g->guest);
        return;
    }
    landing_kind kind = landing_decide((span){seen, (size_t)n});
    if (kind == LANDING_UNDECIDED && n > 0 && (events & EPOLLRDHUP))
        kind = LANDING_H1; /* it will not become more */
    if (kind == LANDING_UNDECIDED) {
        note_beginning(g, n);
        return;
    }
    proxy *p = g->proxy;
    const int fd = w->fd;
    const arrival from = g->from;
    leave(g);
    take_as(p, fd, &from, kind);
}

void landing_take(proxy *p, int fd, const arrival *from)
{
    char seen[LANDING_BYTES];
    p->counted.accepted++;
    const int n = proxy_is_full(p) ? -1 : look(fd, seen);
    if (n < 0) {
        (void)close(fd);
        return;
    }
    const landing_kind kind = landing_decide((span){seen, (size_t)n});
    if (kind != LANDING_UNDECIDED) {
        take_as(p, fd, from, kind);
        return;
    }
    landing *g = new_landing(p, fd, from);
    arm(g, p->options.idle_timeout_s);
    note_beginning(g, n);
    g->watch.ready = on_bytes;
    error e = {0};
    /* by edges: bytes that decide nothing yet stay in the socket */
    if (!loop_add(p->loop, &g->watch, EPOLLIN | EPOLLRDHUP | EPOLLET, &e))
        close_landing(&g->guest);
}
