/* Addresses of the topology, recognised. */
#include <string.h>

#include "cli/doctor.h"

/* "localhost:1" and "0.0.0.0:1" are 127.0.0.1:1; a name without a port is not looked at. */
static bool parse(const char *text, net_addr *out)
{
    auto_free char *reachable = reachable_address(text);
    return reachable && net_addr_parse(span_of(reachable), out, NULL);
}

bool same_address(const char *a, const char *b)
{
    net_addr x, y;
    if (!a || !b)
        return false;
    if (strcmp(a, b) == 0)
        return true;
    return parse(a, &x) && parse(b, &y) && net_addr_port(&x) == net_addr_port(&y) &&
           net_addr_same_ip(&x, &y);
}

static bool of_service(const service *svc, const char *value, whose *out)
{
    const struct {
        whose_kind kind;
        const char *address;
    } rows[] = {{WHOSE_METADATA, svc->metadata},
                {WHOSE_GATEWAY, svc->listen},
                {WHOSE_UPSTREAM, svc->upstream}};
    for (size_t i = 0; i < countof(rows); i++) {
        if (!same_address(value, rows[i].address))
            continue;
        *out = (whose){rows[i].kind, svc};
        return true;
    }
    return false;
}

whose whose_address(const snapshot *s, const char *value)
{
    const project *p = snapshot_project(s);
    whose found = {WHOSE_NOBODYS, NULL};
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        if (of_service(snapshot_service(s, i), value, &found))
            return found;
    if (same_address(value, p->metadata_listen))
        found.kind = WHOSE_SHARED_METADATA;
    else if (same_address(value, p->ingress_listen))
        found.kind = WHOSE_INGRESS;
    else if (same_address(value, p->control_listen))
        found.kind = WHOSE_CONTROL;
    return found;
}

void whose_words(whose w, buf *out)
{
    const char *name = w.svc ? w.svc->name : "";
    switch (w.kind) {
    case WHOSE_NOBODYS:
        buf_str(out, "no address of the topology");
        return;
    case WHOSE_METADATA:
        buf_fmt(out, "%s's metadata server", name);
        return;
    case WHOSE_SHARED_METADATA:
        buf_str(out, "the shared metadata server, which tells callers apart by their address");
        return;
    case WHOSE_GATEWAY:
        buf_fmt(out, "%s itself at the gateway, no metadata server", name);
        return;
    case WHOSE_UPSTREAM:
        buf_fmt(out, "%s's own process, no metadata server", name);
        return;
    case WHOSE_INGRESS:
        buf_str(out, "the gateway's shared ingress, no metadata server");
        return;
    case WHOSE_CONTROL:
        buf_str(out, "the gateway's control listener, no metadata server");
        return;
    }
    abort();
}

char *wanted_metadata(const snapshot *s, const service *svc)
{
    return reachable_address(svc && svc->metadata ? svc->metadata
                                                  : snapshot_project(s)->metadata_listen);
}
