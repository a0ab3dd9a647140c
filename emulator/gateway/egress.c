/* Hosts outside the topology: who may ask for them, and where they are. */
#include "gateway/egress.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/resolver.h"
#include "config/values.h"

struct egress {
    loop *loop;
    door *const *doors;
    view *view;
    resolver *resolver; /* made with the first name */
    egress_wait *waiting;
};

egress *egress_new(loop *l, door *const *doors, view *first)
{
    egress *g = calloc(1, sizeof *g);
    if (!g)
        abort();
    *g = (egress){.loop = l, .doors = doors, .view = first};
    return g;
}

void egress_free(egress *g)
{
    if (!g)
        return;
    resolver_close(g->resolver);
    view_unref(g->view);
    free(g);
}

void egress_take_view(egress *g, view *v)
{
    view_unref(g->view);
    g->view = v;
}

const view *egress_view(const egress *g)
{
    return g->view;
}

/* ---- our own ---- */

static bool parse_host(span host, uint16_t port, net_addr *out)
{
    char text[NET_ADDR_TEXT_MAX];
    const bool v6 = span_find(host, ':') < host.n;
    if (host.n + 10 > sizeof text)
        return false;
    auto_buf buf b = buf_make(sizeof text - 1);
    buf_fmt(&b, v6 ? "[%.*s]:%u" : "%.*s:%u", SPAN_ARG(host), port);
    return net_addr_parse(buf_view(&b), out, NULL);
}

static bool is_wildcard(const net_addr *a)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&a->ss;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&a->ss;
    return a->ss.ss_family == AF_INET ? v4->sin_addr.s_addr == htonl(INADDR_ANY)
                                      : IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr);
}

static bool listens_at(const door *d, const net_addr *a)
{
    if (!d->acceptor || net_addr_port(&d->local) != net_addr_port(a))
        return false;
    return net_addr_same_ip(&d->local, a) || (is_wildcard(&d->local) && net_addr_is_loopback(a));
}

static door *door_of(const egress *g, const char *service_name)
{
    for (door *d = *g->doors; d; d = d->next)
        if (d->service && strcmp(d->service, service_name) == 0)
            return d;
    return NULL;
}

static door *door_by_url(const egress *g, span host, uint16_t port)
{
    const snapshot *s = g->view->snap;
    for (size_t i = 0; i < snapshot_service_count(s); i++) {
        const service *svc = snapshot_service(s, i);
        origin o;
        if (svc->url && value_origin(span_of(svc->url), &o) && o.port == port &&
            span_ieq(o.host, host))
            return door_of(g, svc->name);
    }
    return NULL;
}

door *egress_door(const egress *g, span host, uint16_t port)
{
    net_addr a;
    if (parse_host(host, port, &a))
        for (door *d = *g->doors; d; d = d->next)
            if (listens_at(d, &a))
                return d;
    return door_by_url(g, host, port);
}

/* ---- who may ---- */

bool egress_may(const view *v, const net_addr *peer, span host, buf *out_why)
{
    const project *p = snapshot_project(v->snap);
    if (!p->egress_allow) {
        buf_fmt(out_why,
                "%.*s is not a host of this topology, and nothing else is passed on. To let "
                "requests out, write `egress: allow` at the top level of %s.\n",
                SPAN_ARG(host), p->file);
        return false;
    }
    if (net_addr_is_loopback(peer) || view_is_internal(v, peer))
        return true;
    buf_fmt(out_why,
            "%.*s is not a host of this topology, and `egress: allow` in %s is for callers on this "
            "machine and at the services' `addresses:` only.\n",
            SPAN_ARG(host), p->file);
    return false;
}

/* From elsewhere nobody is led to what listens on this machine's own loopback, or is told by the
 * link: those take whoever reaches them for a neighbour. */
static bool is_for_neighbours(const net_addr *a)
{
    static const char *const near[] = {"0.0.0.0/8", "169.254.0.0/16", "fe80::/10", "::/128"};
    if (net_addr_is_loopback(a))
        return true;
    for (size_t i = 0; i < countof(near); i++) {
        net_cidr c;
        if (net_cidr_parse(span_of(near[i]), &c, NULL) && net_cidr_has(&c, a))
            return true;
    }
    return false;
}

/* ---- where ---- */

static void finish(egress_wait *w, const net_addr *addresses, size_t count)
{
    egress_cancel(w);
    for (size_t i = 0; i < count; i++) {
        if (!w->near && is_for_neighbours(&addresses[i]))
            continue;
        net_addr a = addresses[i];
        net_addr_set_port(&a, w->port);
        w->done(w, &a);
        return;
    }
    w->done(w, NULL);
}

static egress_wait *waiting_for(const egress *g, const char *name)
{
    egress_wait *w = g->waiting;
    while (w && strcmp(w->name, name) != 0)
        w = w->next;
    return w;
}

/* Whoever asked for the same name meanwhile is served by the same answer. */
static void on_result(void *ctx, const char *name, const net_addr *addresses, size_t count)
{
    const egress *g = ctx;
    for (egress_wait *w; (w = waiting_for(g, name));)
        finish(w, addresses, count);
}

void egress_find(egress *g, egress_wait *w, const net_addr *peer, span host, uint16_t port)
{
    net_addr numeric;
    w->port = port;
    w->near = net_addr_is_loopback(peer);
    if (parse_host(host, port, &numeric)) {
        finish(w, &numeric, 1);
        return;
    }
    if (!g->resolver)
        g->resolver = resolver_open(g->loop, on_result, g, NULL);
    w->name = span_dup(host);
    w->next = g->waiting;
    w->link = &g->waiting;
    if (w->next)
        w->next->link = &w->next;
    g->waiting = w;
    if (!g->resolver || !resolver_ask(g->resolver, w->name))
        finish(w, NULL, 0);
}

void egress_cancel(egress_wait *w)
{
    if (!w->link)
        return;
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    w->link = NULL;
    free(TAKE(w->name));
}
