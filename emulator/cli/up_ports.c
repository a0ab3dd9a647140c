/* Which addresses a topology listens on, and the sockets that keep them. */
#include "cli/up_ports.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/net.h"

typedef struct held_port {
    char *name; /* "-": shared */
    const char *kind;
    char *configured; /* as in the file; NULL: none there */
    char effective[NET_ADDR_TEXT_MAX];
    int fd;     /* -1: our own child listens there */
    bool given; /* of a service that an API made: it is the gateway that picked it */
} held_port;

struct port_plan {
    held_port *items;
    size_t count, cap;
};

/* What one round of reserving needs. */
typedef struct planner {
    port_plan *plan;
    const port_plan *before;
    bool ephemeral;
    const snapshot *s, *file;
    buf *problems;
} planner;

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static const held_port *find(const port_plan *p, const char *name, const char *kind)
{
    for (size_t i = 0; p && i < p->count; i++)
        if (strcmp(p->items[i].name, name) == 0 && strcmp(p->items[i].kind, kind) == 0)
            return &p->items[i];
    return NULL;
}

static const held_port *find_effective(const port_plan *p, const char *effective)
{
    for (size_t i = 0; p && i < p->count; i++)
        if (strcmp(p->items[i].effective, effective) == 0)
            return &p->items[i];
    return NULL;
}

static held_port *add(port_plan *p, const char *name, const char *kind, const char *configured)
{
    if (p->count == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 16;
        held_port *bigger = realloc(p->items, p->cap * sizeof *bigger);
        if (!bigger)
            abort();
        p->items = bigger;
    }
    held_port *h = &p->items[p->count++];
    *h = (held_port){.name = span_dup(span_of(name)),
                     .kind = kind,
                     .configured = configured ? span_dup(span_of(configured)) : NULL,
                     .fd = -1};
    return h;
}

/* "services.backend-api.upstream (policies/x.yaml:14)". */
static void describe(const planner *r, const held_port *h, buf *out)
{
    const service *svc = snapshot_find_service(r->s, span_of(h->name));
    if (svc)
        buf_fmt(out, "services.%s.%s", h->name, h->kind);
    else
        buf_fmt(out, "listen.%s", h->kind);
    if (svc && svc->place.file) {
        buf_str(out, " (");
        place_put(out, svc->place, false);
        buf_char(out, ')');
    } else
        buf_fmt(out, " (%s)", snapshot_project(r->s)->file);
}

static bool complain(const planner *r, const held_port *h, const error *e)
{
    const char *what = h->configured ? h->configured : h->effective;
    if (e->kind == ERR_EXISTS)
        buf_fmt(r->problems, "%s is in use by another process; change ", what);
    else
        buf_fmt(r->problems, "%s; change ", e->text);
    describe(r, h, r->problems);
    buf_str(r->problems, e->kind == ERR_EXISTS ? " or use --ephemeral-ports\n" : "\n");
    return false;
}

static void keep(held_port *h, const held_port *old)
{
    memcpy(h->effective, old->effective, sizeof h->effective);
    h->fd = old->fd < 0 ? -1 : fcntl(old->fd, F_DUPFD_CLOEXEC, 0);
}

/* The file may have come to name an address that had been given out. */
static bool is_left_to_the_file(const planner *r, const held_port *h)
{
    const held_port *given = find_effective(r->plan, h->effective);
    if (!given || !given->given)
        return true;
    buf_fmt(r->problems, "%s is the %s address of %s, which an API made, and that of ",
            given->effective, given->kind, given->name);
    describe(r, h, r->problems);
    buf_str(r->problems, ": change that one\n");
    return false;
}

static bool reserve(const planner *r, held_port *h, net_addr *a)
{
    error e = {0};
    (void)net_addr_text(a, h->effective);
    if (net_addr_port(a) && !is_left_to_the_file(r, h))
        return false;
    const held_port *old = net_addr_port(a) ? find_effective(r->before, h->effective) : NULL;
    if (old) { /* it moved from one key to another */
        keep(h, old);
        return true;
    }
    h->fd = net_reserve(a, &e);
    if (h->fd < 0 || !net_local(h->fd, a))
        return complain(r, h, &e);
    (void)net_addr_text(a, h->effective);
    return true;
}

static bool plan_one(const planner *r, const char *name, const char *kind, const char *configured)
{
    held_port *h = add(r->plan, name, kind, configured);
    const held_port *old = find(r->before, name, kind);
    if (old && same_text(old->configured, configured)) {
        keep(h, old);
        return true;
    }
    error e = {0};
    net_addr a;
    if (!net_addr_resolve(span_of(configured ? configured : "127.0.0.1:0"), &a, &e))
        return complain(r, h, &e);
    if (r->ephemeral)
        net_addr_set_port(&a, 0);
    return reserve(r, h, &a);
}

/* Of a service that an API made. While it runs, what cannot be held is the gateway's to complain
 * about; before anything runs the address has to be free. */
static bool plan_given(const planner *r, const char *name, const char *kind, const char *given)
{
    held_port *h = add(r->plan, name, kind, given);
    h->given = true;
    const held_port *old = find(r->before, name, kind);
    if (old && same_text(old->configured, given)) {
        keep(h, old);
        return true;
    }
    error e = {0};
    net_addr a;
    if (net_addr_parse(span_of(given), &a, &e)) {
        (void)net_addr_text(&a, h->effective);
        h->fd = net_reserve(&a, &e);
    }
    if (h->fd >= 0 || r->before)
        return true;
    buf_fmt(r->problems,
            "%s is the %s address of %s, which an API made: %s; stop whoever uses it, or start "
            "with another --state folder\n",
            given, kind, name, e.text);
    return false;
}

static bool plan_made(const planner *r, const service *svc)
{
    bool ok = true;
    if (svc->listen)
        ok = plan_given(r, svc->name, "listen", svc->listen) && ok;
    if (svc->metadata)
        ok = plan_given(r, svc->name, "metadata", svc->metadata) && ok;
    if (svc->command && svc->upstream)
        ok = plan_given(r, svc->name, "upstream", svc->upstream) && ok;
    return ok;
}

static bool plan_service(const planner *r, const service *svc)
{
    bool ok = true;
    if (svc->listen)
        ok = plan_one(r, svc->name, "listen", svc->listen) && ok;
    if (svc->metadata)
        ok = plan_one(r, svc->name, "metadata", svc->metadata) && ok;
    if (svc->command)
        ok = plan_one(r, svc->name, "upstream", svc->upstream) && ok;
    return ok;
}

static bool plan_services(const planner *r, bool in_file)
{
    bool ok = true;
    for (size_t i = 0; i < snapshot_service_count(r->s); i++) {
        const service *svc = snapshot_service(r->s, i);
        if ((snapshot_find_service(r->file, span_of(svc->name)) != NULL) == in_file)
            ok = (in_file ? plan_service(r, svc) : plan_made(r, svc)) && ok;
    }
    return ok;
}

port_plan *port_plan_make(const snapshot *s, const snapshot *file, bool ephemeral,
                          const port_plan *before, buf *problems)
{
    port_plan *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    const planner r = {p, before, ephemeral, s, file, problems};
    const project *shared = snapshot_project(s);
    const struct {
        const char *kind, *address;
    } listeners[] = {
        {"ingress", shared->ingress_listen},
        {"metadata", shared->metadata_listen},
        {"control", shared->control_listen},
    };
    /* What was given out comes first: what the kernel picks is then another one. */
    bool ok = plan_services(&r, false);
    for (size_t i = 0; i < countof(listeners); i++)
        if (listeners[i].address)
            ok = plan_one(&r, "-", listeners[i].kind, listeners[i].address) && ok;
    ok = plan_services(&r, true) && ok;
    if (ok)
        return p;
    port_plan_free(p);
    return NULL;
}

static void let_go(held_port *h)
{
    if (h->fd >= 0)
        (void)close(h->fd);
    h->fd = -1;
}

void port_plan_free(port_plan *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        let_go(&p->items[i]);
        free(p->items[i].name);
        free(p->items[i].configured);
    }
    free(p->items);
    free(p);
}

void port_plan_overlay(const port_plan *p, buf *out)
{
    for (size_t i = 0; i < p->count; i++) {
        const held_port *h = &p->items[i];
        if (!same_text(h->configured, h->effective))
            buf_fmt(out, "%s %s %s\n", h->name, h->kind, h->effective);
    }
}

void port_plan_release(port_plan *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->items[i].name, name) == 0 && strcmp(p->items[i].kind, "upstream") == 0)
            let_go(&p->items[i]);
}
