/* Few services are ever attached: a list will do. */
#include "gateway/upstreams.h"

#include <stdlib.h>

typedef struct attached {
    struct attached *next;
    char *service;
    net_addr address;
} attached;

struct upstreams {
    host_names *names;
    attached *list;
};

upstreams *upstreams_new(host_names *r)
{
    upstreams *u = calloc(1, sizeof *u);
    if (!u)
        abort();
    u->names = r;
    return u;
}

/* The link that points at the service's entry, or at the NULL that ends the list. */
static attached **find(upstreams *u, span name)
{
    attached **at = &u->list;
    while (*at && !span_eq_str(name, (*at)->service))
        at = &(*at)->next;
    return at;
}

static void drop(attached **at)
{
    attached *gone = *at;
    *at = gone->next;
    free(gone->service);
    free(gone);
}

void upstreams_free(upstreams *u)
{
    if (!u)
        return;
    while (u->list)
        drop(&u->list);
    free(u);
}

void upstreams_attach(upstreams *u, span name, const net_addr *a)
{
    attached **at = find(u, name);
    if (!*at) {
        *at = calloc(1, sizeof **at);
        if (!*at)
            abort();
        (*at)->service = span_dup(name);
    }
    (*at)->address = *a;
}

bool upstreams_detach(upstreams *u, span name)
{
    attached **at = find(u, name);
    if (!*at)
        return false;
    drop(at);
    return true;
}

upstream_kind upstreams_find(const upstreams *u, const service *s, net_addr *out)
{
    for (const attached *a = u->list; a; a = a->next)
        if (span_eq_str(span_of(s->name), a->service)) {
            *out = a->address;
            return UPSTREAM_ATTACHED;
        }
    if (s->upstream && host_names_find(u->names, span_of(s->upstream), out))
        return UPSTREAM_TOPOLOGY;
    return UPSTREAM_NONE;
}
