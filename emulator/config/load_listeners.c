/* Where everything listens: the overlay, default ports, and clashes between listeners. */
#include "base/net.h"
#include "config/load.h"
#include "config/values.h"

enum { FIRST_LISTEN_PORT = 8081, FIRST_METADATA_PORT = 8181, PORTS = 65536 };

typedef struct listener {
    net_addr address;
    place at;
    const char *label; /* "listen of service 'frontend'" */
    struct listener *same_port;
} listener;

typedef struct port_map {
    listener *by_port[PORTS];
    bool taken[PORTS]; /* not for defaults: listeners, and upstreams on this machine */
} port_map;

/* ---- clashes ---- */

static bool is_wildcard(const net_addr *a)
{
    char ip[NET_ADDR_TEXT_MAX];
    net_addr_ip(a, ip);
    return strcmp(ip, "0.0.0.0") == 0 || strcmp(ip, "::") == 0;
}

/* A listener on [::] takes IPv4 connections too. */
static bool overlap(const net_addr *a, const net_addr *b)
{
    if (net_addr_same_ip(a, b))
        return true;
    bool same_family = a->ss.ss_family == b->ss.ss_family;
    const net_addr *wild = is_wildcard(a) ? a : is_wildcard(b) ? b : NULL;
    return wild && (same_family || wild->ss.ss_family == AF_INET6);
}

static const listener *find_overlap(const port_map *ports, const net_addr *a)
{
    const listener *other = ports->by_port[net_addr_port(a)];
    while (other && !overlap(&other->address, a))
        other = other->same_port;
    return other;
}

static void add_listener(loader *l, port_map *ports, const char *text, place at, const char *label)
{
    net_addr a;
    if (!text || !net_addr_parse(span_of(text), &a, NULL) || net_addr_port(&a) == 0)
        return;
    const listener *other = find_overlap(ports, &a);
    if (other) {
        diag_at(l->diags, at, "%s: %s is already taken by the %s (%s:%u)", label, text,
                other->label, other->at.file, other->at.line);
        return;
    }
    uint16_t port = net_addr_port(&a);
    listener *added = arena_alloc(l->mem, sizeof *added);
    *added = (listener){a, at, label, ports->by_port[port]};
    ports->by_port[port] = added;
    ports->taken[port] = true;
}

/* ---- what the file and the overlay say ---- */

typedef struct shared_listener {
    const char *kind, *by_default;
    const char **listen;
    place *at;
} shared_listener;

static void add_shared(loader *l, port_map *ports, const shared_listener *s, bool written)
{
    if ((s->at->file != NULL) != written)
        return;
    place at = written ? *s->at : (place){l->project.file, 1, 1};
    add_listener(l, ports, *s->listen, at,
                 arena_fmt(l->mem, "shared %s listener%s", s->kind, written ? "" : " by default"));
}

/* Defaults first, so that a clash is reported where something is written. */
static void settle_shared(loader *l, port_map *ports)
{
    project *p = &l->project;
    const shared_listener all[] = {
        {"ingress", "127.0.0.1:8080", &p->ingress_listen, &l->ingress_at},
        {"metadata", "127.0.0.1:8180", &p->metadata_listen, &l->metadata_at},
        {"control", "127.0.0.1:8079", &p->control_listen, &l->control_at},
    };
    for (size_t i = 0; i < countof(all); i++) {
        const char *over = addresses_get(l->over, "-", all[i].kind);
        if (over)
            *all[i].listen = over;
        if (!*all[i].listen)
            *all[i].listen = all[i].by_default;
    }
    for (size_t i = 0; i < countof(all); i++)
        add_shared(l, ports, &all[i], false);
    for (size_t i = 0; i < countof(all); i++)
        add_shared(l, ports, &all[i], true);
}

static void settle_written(loader *l, port_map *ports, service_draft *s)
{
    const char *name = s->value.name;
    const char *listen = addresses_get(l->over, name, "listen");
    const char *metadata = addresses_get(l->over, name, "metadata");
    const char *upstream = addresses_get(l->over, name, "upstream");
    if (listen)
        s->value.listen = listen;
    if (metadata)
        s->value.metadata = metadata;
    if (upstream)
        s->value.upstream = upstream;
    add_listener(l, ports, s->value.listen, s->listen_at,
                 arena_fmt(l->mem, "listen of service '%s'", name));
    add_listener(l, ports, s->value.metadata, s->metadata_at,
                 arena_fmt(l->mem, "metadata of service '%s'", name));
    net_addr a;
    if (s->value.upstream && net_addr_parse(span_of(s->value.upstream), &a, NULL) &&
        (net_addr_is_loopback(&a) || is_wildcard(&a)))
        ports->taken[net_addr_port(&a)] = true;
}

/* ---- defaults ---- */

static const char *next_free(loader *l, port_map *ports, uint32_t *from, place at)
{
    while (*from < PORTS && ports->taken[*from])
        (*from)++;
    if (*from >= PORTS) {
        diag_at(l->diags, at, "no port is left for this service's listeners");
        return "127.0.0.1:0";
    }
    ports->taken[*from] = true;
    return arena_fmt(l->mem, "127.0.0.1:%u", (*from)++);
}

/* http://LISTEN; a wildcard address is reached at the loopback one. */
static const char *default_url(loader *l, const char *listen)
{
    net_addr a;
    if (!net_addr_parse(span_of(listen), &a, NULL) || !is_wildcard(&a))
        return arena_fmt(l->mem, "http://%s", listen);
    bool v4 = a.ss.ss_family == AF_INET;
    return arena_fmt(l->mem, "http://%s:%u", v4 ? "127.0.0.1" : "[::1]", net_addr_port(&a));
}

static void settle_defaults(loader *l, port_map *ports)
{
    uint32_t listen_port = FIRST_LISTEN_PORT;
    uint32_t metadata_port = FIRST_METADATA_PORT;
    for (size_t i = 0; i < l->services.count; i++) {
        service_draft *s = l->services.items[i];
        if (!s->value.listen)
            s->value.listen = next_free(l, ports, &listen_port, s->value.place);
        if (!s->value.metadata && !s->metadata_off)
            s->value.metadata = next_free(l, ports, &metadata_port, s->value.place);
        if (!s->value.url)
            s->value.url = default_url(l, s->value.listen);
    }
}

/* A gateway whose upstream is the gateway would call itself until its descriptors are gone. */
static void check_loop(loader *l, const port_map *ports, const service_draft *s)
{
    net_addr a;
    if (!s->value.upstream || !net_addr_parse(span_of(s->value.upstream), &a, NULL))
        return;
    const listener *own = find_overlap(ports, &a);
    if (own)
        diag_at(l->diags, s->upstream_at,
                "upstream: %s is the emulator's own %s; an upstream is where the service's process "
                "listens",
                s->value.upstream, own->label);
}

void settle_listeners(loader *l)
{
    port_map *ports = calloc(1, sizeof *ports);
    if (!ports)
        abort();
    settle_shared(l, ports);
    for (size_t i = 0; i < l->services.count; i++)
        settle_written(l, ports, l->services.items[i]);
    settle_defaults(l, ports);
    for (size_t i = 0; i < l->services.count; i++)
        check_loop(l, ports, l->services.items[i]);
    free(ports);
}
