/* CONNECT at the shared ingress: hosts of the topology are spoken to right here. */
#include <stdlib.h>

#include "base/log.h"
#include "gateway/egress.h"

enum { REASON_MAX = 2048 };

typedef struct connecting {
    egress_wait wait;
    connect_request *request;
} connecting;

static bool takes(void *ctx, void *tag)
{
    (void)ctx;
    const door *d = tag;
    return d->service == NULL;
}

static void on_found(egress_wait *w, const net_addr *a)
{
    connecting *k = container_of(w, connecting, wait);
    connect_request *c = k->request;
    free(k);
    if (a) {
        connect_through(c, a);
        return;
    }
    auto_buf buf b = buf_make(REASON_MAX);
    buf_fmt(&b, "%.*s cannot be reached: there is no such host.\n", SPAN_ARG(connect_host(c)));
    connect_refuse(c, 502, buf_view(&b));
}

static void go_out(egress *g, connect_request *c)
{
    connecting *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    k->wait.done = on_found;
    k->request = c;
    connect_set_user(c, k);
    egress_find(g, &k->wait, connect_peer(c), connect_host(c), connect_port(c));
}

static void refuse(connect_request *c, span why)
{
    char ip[NET_ADDR_TEXT_MAX];
    log_at(LOG_WARN, "CONNECT refused", LOG_V("host", connect_host(c)),
           LOG_I("port", connect_port(c)), LOG_S("peer", net_addr_ip(connect_peer(c), ip)));
    connect_refuse(c, 403, why);
}

static void on_connect(void *ctx, connect_request *c)
{
    egress *g = ctx;
    const view *v = egress_view(g);
    const span host = connect_host(c);
    door *own = egress_door(g, host, connect_port(c));
    if (own) {
        connect_land(c, own);
        return;
    }
    if (snapshot_route_host(v->snap, host, NULL)) {
        connect_land(c, connect_tag(c));
        return;
    }
    auto_buf buf why = buf_make(REASON_MAX);
    if (egress_may(v, connect_peer(c), host, &why))
        go_out(g, c);
    else
        refuse(c, buf_view(&why));
}

static void on_gone(void *ctx, connect_request *c)
{
    (void)ctx;
    connecting *k = connect_user(c);
    egress_cancel(&k->wait);
    free(k);
}

connect_handler egress_connect_handler(egress *g)
{
    return (connect_handler){
        .takes = takes, .on_connect = on_connect, .on_gone = on_gone, .ctx = g};
}
