/* A request that became a WebSocket (RFC 9110 §7.8): its two connections are relayed to each other
 * until both have ended, or it is cut. The caller's stays libmicrohttpd's, which closes it and
 * tells that the request is over once it is told that we are done. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "proxy/proxy_impl.h"
#include "proxy/tunnel.h"

/* In the exchange's memory. */
typedef struct h1_upgrade {
    exchange *x;
    struct MHD_UpgradeResponseHandle *handle; /* NULL: over */
    wire caller;
    upstream *up;   /* NULL: lost */
    tunnel *tunnel; /* NULL: never begun */
} h1_upgrade;

/* The caller may still be sending what nobody wants: its last words shall arrive all the same. */
static void say_goodbye(h1_upgrade *u)
{
    if (u->caller.error || u->caller.hung_up || u->x->cut)
        return;
    (void)wire_shut(&u->caller);
    u->x->conn->linger = true;
}

static void stop_relaying(h1_upgrade *u)
{
    exchange *x = u->x;
    x->request_body = tunnel_moved(u->tunnel, false);
    x->response_bytes += tunnel_moved(u->tunnel, true);
    tunnel_close(u->tunnel);
    say_goodbye(u);
    wire_return(&u->caller);
}

static void end(h1_upgrade *u)
{
    loop_timer_cancel(u->x->proxy->loop, &u->x->deadline);
    if (u->tunnel)
        stop_relaying(u);
    upstream_close(u->up);
    (void)MHD_upgrade_action(TAKE(u->handle), MHD_UPGRADE_ACTION_CLOSE);
    mhd_loop_kick(u->x->proxy->mhd); /* which reports x as completed */
}

static void on_over(void *owner)
{
    end(owner);
}

static void wake(exchange *x)
{
    (void)x; /* the tunnel sees for itself */
}

static void cut(exchange *x)
{
    if (!x->upgrade->handle)
        return; /* it ended by itself, in this turn */
    x->cut = true;
    end(x->upgrade);
}

static void relay_both(h1_upgrade *u, span from_caller, span from_upstream)
{
    loop *l = u->x->proxy->loop;
    u->tunnel = tunnel_open(
        l, &(tunnel_options){.a = &u->caller, .b = &u->up->wire, .on_over = on_over, .owner = u});
    tunnel_preface(u->tunnel, false, from_caller.p, from_caller.n);
    tunnel_preface(u->tunnel, true, from_upstream.p, from_upstream.n);
}

/* libmicrohttpd leaves the socket gathering small writes. Of the pair behind TLS this is refused.
 */
static void send_at_once(int fd)
{
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void h1_upgrade_begin(void *ctx, struct MHD_Connection *c, void *per_request, const char *behind,
                      size_t n, int fd, struct MHD_UpgradeResponseHandle *handle)
{
    static const front_ops ops = {.wake = wake, .cut = cut};
    (void)c;
    (void)per_request;
    exchange *x = ctx;
    proxy *p = x->proxy;
    h1_upgrade *u = exchange_alloc(x, sizeof *u);
    error e = {0};
    *u = (h1_upgrade){.x = x, .handle = handle, .up = call_part(x->call)};
    x->upgrade = u;
    x->front = &ops;
    h1_conn_upgraded(x->conn);
    send_at_once(fd);
    if (x->cut || !u->up || !wire_lend(&u->caller, p->loop, fd, &e)) {
        cut(x);
        return;
    }
    relay_both(u, (span){behind, n}, call_data(x->call));
    call_release(TAKE(x->call)); /* large, and of no more use */
}
