/* Names: the metadata server's, those of services, those that the environment mentions. */
#include <string.h>

#include "base/clock.h"
#include "cli/doctor.h"

#define AREA "dns"

#define METADATA_NAME "metadata.google.internal"

enum { NAME_TEXT_MAX = 300, NAMES_SHOWN_MAX = 1024 };

static span host_of(span address)
{
    const char *colon = address.n ? memrchr(address.p, ':', address.n) : NULL;
    return colon && address.p[address.n - 1] != ']' ? (span){address.p, (size_t)(colon - address.p)}
                                                    : address;
}

/* The hosts of "HOST:PORT" and of proxies' URLs in the environment. */
static void want_variable(const doctor *d, const char *name)
{
    const char *value = envlist_get(d->env, name);
    if (!value)
        return;
    span s = span_of(value);
    const char *scheme = strstr(value, "://");
    if (scheme)
        s = span_from(s, (size_t)(scheme - value) + 3);
    s.n = span_find(s, '/');
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    if (at)
        s = span_from(s, (size_t)(at - s.p) + 1);
    s = host_of(s);
    if (s.n && s.n < NAME_TEXT_MAX && span_find(s, ' ') == s.n)
        doctor_names_want(d->names, s);
}

static void localhost_name(const service *svc, char out[NAME_TEXT_MAX])
{
    (void)snprintf(out, NAME_TEXT_MAX, "%.255s.localhost", svc->name);
}

static void want_all(const doctor *d)
{
    static const char *const names[] = {"GCE_METADATA_HOST", "GCE_METADATA_IP", "GCE_METADATA_ROOT",
                                        "HTTP_PROXY",        "http_proxy",      "HTTPS_PROXY",
                                        "https_proxy",       "ALL_PROXY",       "all_proxy"};
    doctor_names_want(d->names, SPAN_LIT(METADATA_NAME));
    doctor_names_want(d->names, SPAN_LIT(METADATA_NAME "."));
    if (d->control)
        doctor_names_want(d->names, host_of(span_of(d->control)));
    for (size_t i = 0; i < countof(names); i++)
        want_variable(d, names[i]);
    for (size_t i = 0; i < snapshot_service_count(d->s); i++) {
        const service *svc = snapshot_service(d->s, i);
        if (svc->upstream)
            doctor_names_want(d->names, host_of(span_of(svc->upstream)));
        if (d->svc && d->svc != svc)
            continue;
        char own[NAME_TEXT_MAX];
        localhost_name(svc, own);
        doctor_names_want(d->names, span_of(own));
        for (const char *const *h = svc->hosts; h && *h; h++)
            doctor_names_want(d->names, span_of(*h));
        for (const char *const *h = svc->addresses; h && *h; h++)
            if (!strchr(*h, '/'))
                doctor_names_want(d->names, span_of(*h));
    }
}

/* ---- what came of it ---- */

static const char *state_words(name_state state)
{
    switch (state) {
    case NAME_UNKNOWN:
        return "does not resolve";
    case NAME_HANGS:
        return "is being looked up for too long: the name server does not answer";
    case NAME_FOUND:
        return "resolves";
    }
    abort();
}

static void check_metadata_name(const doctor *d)
{
    net_addr a;
    char ip[NET_ADDR_TEXT_MAX];
    const name_state state = doctor_names_find(d->names, SPAN_LIT(METADATA_NAME), &a);
    if (state == NAME_FOUND)
        report_add(d->report, FINDING_OK, AREA, "metadata_name", METADATA_NAME " is %s",
                   net_addr_ip(&a, ip));
    else
        report_add(d->report, FINDING_OK, AREA, "metadata_name",
                   METADATA_NAME " %s: only clients that read no variable (PHP, gRPC's C core) "
                                 "need it",
                   state_words(state));
}

static void check_upstream(const doctor *d, const service *svc)
{
    const span host = host_of(span_of(svc->upstream ? svc->upstream : ""));
    const name_state state = host.n ? doctor_names_find(d->names, host, NULL) : NAME_FOUND;
    if (state == NAME_FOUND)
        return;
    finding *f = report_add(d->report, FINDING_WARNING, AREA, "upstream_name",
                            "%s's upstream %s %s here: callers get 503 unless the gateway, where "
                            "it runs, knows the name",
                            svc->name, svc->upstream, state_words(state));
    finding_mend(f, "upstream: of %s in the topology, or the name server", svc->name);
}

static void check_list(const doctor *d, const service *svc, const char *const *list,
                       const char *key, const char *what)
{
    for (; list && *list; list++) {
        name_state state = NAME_FOUND;
        if (!strchr(*list, '/'))
            state = doctor_names_find(d->names, span_of(*list), NULL);
        if (state == NAME_FOUND)
            continue;
        finding *f =
            report_add(d->report, FINDING_WARNING, AREA, "host_name", "%s: of %s: %s %s: %s", key,
                       svc->name, *list, state_words(state), what);
        finding_mend(f, "echo '127.0.0.1 %s' | sudo tee -a /etc/hosts, with the right address",
                     *list);
    }
}

static void check_localhost(const doctor *d)
{
    auto_buf buf names = buf_make(NAMES_SHOWN_MAX);
    for (size_t i = 0; i < snapshot_service_count(d->s); i++) {
        const service *svc = snapshot_service(d->s, i);
        char own[NAME_TEXT_MAX];
        localhost_name(svc, own);
        if ((!d->svc || d->svc == svc) &&
            doctor_names_find(d->names, span_of(own), NULL) != NAME_FOUND)
            buf_fmt(&names, " %s", own);
    }
    if (!names.n)
        return;
    finding *f = report_add(d->report, FINDING_WARNING, AREA, "localhost_name",
                            "the system does not resolve%s: curl and browsers know such names by "
                            "themselves, other clients do not",
                            names.p);
    finding_mend(f,
                 "echo '127.0.0.1%s' | sudo tee -a /etc/hosts, or call http://127.0.0.1:PORT or "
                 "the run.app address",
                 names.p);
}

void doctor_dns(doctor *d)
{
    const int64_t limit = clock_mono_us() + d->patience_us * 7 / 4;
    d->names = doctor_names_new();
    want_all(d);
    doctor_names_look_up(d->names, limit < d->until_us ? limit : d->until_us);
    check_metadata_name(d);
    check_localhost(d);
    for (size_t i = 0; i < snapshot_service_count(d->s); i++) {
        const service *svc = snapshot_service(d->s, i);
        if (d->svc && d->svc != svc)
            continue;
        check_upstream(d, svc);
        check_list(d, svc, svc->hosts, "hosts", "callers need it to be the ingress's address");
        check_list(d, svc, svc->addresses, "addresses",
                   "the shared metadata server does not recognise the service by it");
    }
}
