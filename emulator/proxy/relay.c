/* HTTP/1.1 within TLS: libmicrohttpd reads from one end of a socketpair, the other one is relayed
 * to the wire. */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "proxy/proxy_impl.h"
#include "proxy/tunnel.h"

struct relay {
    guest guest;
    proxy *proxy;
    wire *tls;
    wire inner;
    tunnel *tunnel;
    h1_conn *conn; /* at the other end of the pair; NULL: not any more */
    bool upgraded;
};

uint64_t relay_received(const relay *r)
{
    return r->tls->received;
}

void relay_meet(relay *r, h1_conn *conn)
{
    r->conn = conn;
    if (!conn && r->upgraded)
        tunnel_set_b_ends(r->tunnel, true);
}

/* Behind the pair is no libmicrohttpd any more: each way may end by itself, until both are over. */
void relay_upgraded(relay *r)
{
    r->upgraded = true;
    tunnel_set_b_ends(r->tunnel, false);
}

static void drop_wire(wire *w)
{
    wire_close(w);
    free(w);
}

static void close_relay(guest *g)
{
    relay *r = container_of(g, relay, guest);
    tunnel_close(r->tunnel);
    drop_wire(r->tls);
    wire_close(&r->inner);
    if (r->conn)
        r->conn->relay = NULL;
    guest_leave(r->proxy, g);
    free(r);
}

static void on_over(void *owner)
{
    relay *r = owner;
    if (!r->tls->error && !r->tls->hung_up) {
        (void)wire_shut(r->tls);
        linger_add(r->proxy->linger, r->tls->watch.fd);
    }
    close_relay(&r->guest);
}

/* libmicrohttpd runs in this turn still, instead of after the next look at all descriptors. */
static void on_moved(void *owner)
{
    const relay *r = owner;
    if (!r->upgraded)
        mhd_loop_kick(r->proxy->mhd);
}

void relay_take(proxy *p, wire *tls, const arrival *from)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        drop_wire(tls);
        return;
    }
    relay *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    *r = (relay){.guest = {.close = close_relay, .waited_for = true}, .proxy = p, .tls = tls};
    guest_enter(p, &r->guest);
    mhd_loop_adopt(p->mhd, pair[1], &from->peer,
                   &(h1_adoption){.peer = &from->peer, .tag = from->tag, .relay = r});
    error e = {0};
    if (!wire_open(&r->inner, p->loop, pair[0], &e)) {
        if (r->conn)
            r->conn->relay = NULL;
        drop_wire(tls);
        guest_leave(p, &r->guest);
        free(r);
        return;
    }
    r->tunnel = tunnel_open(p->loop, &(tunnel_options){.a = tls,
                                                       .b = &r->inner,
                                                       .b_ends = true,
                                                       .on_over = on_over,
                                                       .on_moved = on_moved,
                                                       .owner = r});
}
