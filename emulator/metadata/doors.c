/* The listeners follow the snapshot: those that are gone close, new ones open, the rest stay. */
#include <stdlib.h>

#include "base/log.h"
#include "metadata/room.h"

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static const char *door_label(const door *d)
{
    return d->service ? d->service : "(shared)";
}

/* The door of this name; a closed one may change its address. */
static door *door_for(metadata *m, const char *name, const char *address)
{
    door *free_one = NULL;
    for (door *d = m->doors; d; d = d->next) {
        if (!same_text(d->service, name))
            continue;
        if (d->open && strcmp(d->address, address) == 0)
            return d;
        if (!d->open)
            free_one = d;
    }
    if (!free_one) {
        free_one = calloc(1, sizeof *free_one);
        if (!free_one)
            abort();
        free_one->service = name ? span_dup(span_of(name)) : NULL;
        free_one->next = m->doors;
        m->doors = free_one;
    }
    free(free_one->address);
    free_one->address = span_dup(span_of(address));
    return free_one;
}

static void want(metadata *m, const char *name, const char *address)
{
    if (address)
        door_for(m, name, address)->wanted = true;
}

static void want_one(metadata *m, const char *as)
{
    const project *p = snapshot_project(m->snapshot);
    const service *svc = as ? snapshot_find_service(m->snapshot, span_of(as)) : NULL;
    const char *address = m->options.listen;
    if (!address && svc)
        address = svc->metadata;
    want(m, as, address ? address : p->metadata_listen);
}

static void want_all(metadata *m)
{
    want(m, NULL, snapshot_project(m->snapshot)->metadata_listen);
    for (size_t i = 0; i < snapshot_service_count(m->snapshot); i++) {
        const service *svc = snapshot_service(m->snapshot, i);
        want(m, svc->name, svc->metadata);
    }
}

static void close_unwanted(metadata *m)
{
    for (door *d = m->doors; d; d = d->next) {
        if (!d->open || d->wanted)
            continue;
        http_server_unlisten(m->server, d);
        d->open = false;
        log_at(LOG_INFO, "stopped listening", LOG_S("address", d->address),
               LOG_S("service", door_label(d)));
    }
}

static bool say_how_to_mend(metadata *m, const door *d, error *e)
{
    const char *file = snapshot_project(m->snapshot)->file;
    auto_buf buf where = buf_make(512);
    if (m->options.listen)
        buf_str(&where, "change --listen");
    else if (d->service)
        buf_fmt(&where, "change 'metadata:' of service '%s' in %s", d->service, file);
    else
        buf_fmt(&where, "change 'metadata:' under 'listen:' in %s", file);
    const char *other = e->kind == ERR_EXISTS ? ", or stop the process that listens there" : "";
    if (e->kind == ERR_PERMISSION)
        other = ", or allow ports below 1024 (net.ipv4.ip_unprivileged_port_start)";
    error copy = *e;
    return error_set(e, copy.kind, "%s; %s%s", copy.text, where.p ? where.p : "", other);
}

static bool open_door(metadata *m, door *d, error *e)
{
    net_addr address, bound;
    char text[NET_ADDR_TEXT_MAX];
    if (!net_addr_parse(span_of(d->address), &address, e) ||
        !http_server_listen(m->server, &address, m->options.addresses_path != NULL, d, &bound, e))
        return say_how_to_mend(m, d, e);
    d->open = true;
    log_at(LOG_INFO, "listening", LOG_S("address", net_addr_text(&bound, text)),
           LOG_S("service", door_label(d)));
    return true;
}

bool doors_follow(metadata *m, bool starting, error *e)
{
    for (door *d = m->doors; d; d = d->next)
        d->wanted = false;
    if (m->options.as_service || m->options.listen)
        want_one(m, m->options.as_service);
    else
        want_all(m);
    close_unwanted(m);
    for (door *d = m->doors; d; d = d->next) {
        d->now = d->service ? snapshot_find_service(m->snapshot, span_of(d->service)) : NULL;
        error local = {0};
        if (!d->wanted || d->open || open_door(m, d, &local))
            continue;
        if (starting) {
            *e = local;
            return false;
        }
        log_at(LOG_ERROR, "cannot listen", LOG_S("detail", local.text));
    }
    return true;
}

void doors_free(metadata *m)
{
    while (m->doors) {
        door *d = m->doors;
        m->doors = d->next;
        free(d->service);
        free(d->address);
        free(d);
    }
}
