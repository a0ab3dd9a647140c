/* The topology by itself: what it leaves open, and who sits on its ports. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "cli/listeners_proc.h"

enum { WHERE_MAX = 1024 };

/* ---- what it leaves open ---- */

static bool concerns(const doctor *d, const service *svc)
{
    return !d->svc || d->svc == svc;
}

static void check_service(const doctor *d, const service *svc)
{
    auto_buf buf at = buf_make(WHERE_MAX);
    place_put(&at, svc->place, false);
    if (!svc->upstream) {
        finding *f = report_add(d->report, FINDING_WARNING, "topology", "no_upstream",
                                "%s (%s) has no upstream: callers get 503 until something is "
                                "attached",
                                svc->name, at.p ? at.p : "");
        finding_mend(f, "%s run %s -- YOUR COMMAND, or `upstream:` in the topology", d->as_invoker,
                     svc->name);
    }
    if (svc->account_is_default) {
        finding *f = report_add(
            d->report, FINDING_WARNING, "topology", "default_account",
            "%s (%s) has no service account of its own: it runs as the project's default, %s, and "
            "so does every other such service",
            svc->name, at.p ? at.p : "", svc->account->email);
        finding_mend(f, "`service_account:` in the topology");
    }
    if (svc->account->disabled) {
        finding *f = report_add(d->report, FINDING_PROBLEM, "topology", "account_disabled",
                                "%s runs as %s, which is disabled: it gets no tokens", svc->name,
                                svc->account->email);
        finding_mend(f, "gcloud iam service-accounts enable %s", svc->account->email);
    }
}

void doctor_topology(doctor *d)
{
    const size_t count = snapshot_service_count(d->s);
    report_add(d->report, FINDING_OK, "topology", "topology", "%s: %zu services, %zu bindings",
               snapshot_project(d->s)->file, count, snapshot_binding_count(d->s));
    for (size_t i = 0; i < count; i++)
        if (concerns(d, snapshot_service(d->s, i)))
            check_service(d, snapshot_service(d->s, i));
}

/* ---- ports ---- */

static bool is_invoker(const port_holder *h)
{
    return strncmp(h->command, "invoker", 7) == 0;
}

static void add_holder(buf *b, const port_holder *h)
{
    if (h->pid)
        buf_fmt(b, "process %ld (%s)", h->pid, h->command);
    else
        buf_fmt(b, "a process of user %u", h->uid);
}

/* Ours has to hold it; upstream: anybody may, unless we are about to start what should. */
static void check_port(const doctor *d, const listeners_proc *l, const char *key,
                       const char *address, bool upstream)
{
    net_addr a;
    if (!address || doctor_names_address(d->names, span_of(address), 0, &a) != NAME_FOUND)
        return;
    const port_holder h = listeners_proc_find(l, &a);
    const bool seen = h.listens && (h.pid || h.uid != getuid());
    if (!seen || is_invoker(&h) || (!h.pid && d->status))
        return;
    if (upstream && d->status)
        return;
    auto_buf buf who = buf_make(WHERE_MAX);
    add_holder(&who, &h);
    finding *f = report_add(d->report, FINDING_PROBLEM, "ports", "port_taken",
                            "%s %s is held by %s", key, address, who.p);
    finding_expect(f, upstream ? "free, so that `invoker up` can start the service there"
                               : "an invoker process");
    if (h.pid)
        finding_mend(f, "kill %ld, or change %s, or use `invoker up --ephemeral-ports`", h.pid,
                     key);
    else
        finding_mend(f, "change %s, or use `invoker up --ephemeral-ports`", key);
}

static void check_service_ports(const doctor *d, const listeners_proc *l, const service *svc)
{
    char key[WHERE_MAX];
    const struct {
        const char *kind, *address;
        bool upstream;
    } rows[] = {{"listen", svc->listen, false},
                {"metadata", svc->metadata, false},
                {"upstream", svc->command ? svc->upstream : NULL, true}};
    for (size_t i = 0; i < countof(rows); i++) {
        (void)snprintf(key, sizeof key, "services.%s.%s", svc->name, rows[i].kind);
        check_port(d, l, key, rows[i].address, rows[i].upstream);
    }
}

void doctor_ports(doctor *d)
{
    const project *p = snapshot_project(d->s);
    const size_t before = d->report->count;
    listeners_proc *l = listeners_proc_read();
    check_port(d, l, "listen.ingress", p->ingress_listen, false);
    check_port(d, l, "listen.metadata", p->metadata_listen, false);
    check_port(d, l, "listen.control", p->control_listen, false);
    for (size_t i = 0; i < snapshot_service_count(d->s); i++)
        check_service_ports(d, l, snapshot_service(d->s, i));
    listeners_proc_free(l);
    if (d->report->count == before)
        report_add(d->report, FINDING_OK, "ports", "ports",
                   "no other program holds an address of the topology");
}
