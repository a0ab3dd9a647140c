/* Proxies that would get what is meant for the metadata server or for a service. A metadata server
 * refuses what a proxy passes on: it carries X-Forwarded-For
 * (https://cloud.google.com/compute/docs/metadata/querying-metadata). */
#include <string.h>

#include "cli/doctor.h"
#include "cli/no_proxy.h"

#define AREA "proxy"

enum { LIST_MAX = 4096, HTTP_PORT = 80 };

/* Who has the proxy in between, by the variable that says so. */
typedef struct capture {
    buf who;
    const char *variable, *proxy;
} capture;

/* "HOST:PORT" without brackets in *out_host; the caller frees. */
static uint16_t split(const char *address, uint16_t usual, char **out_host)
{
    span host = span_of(address);
    const char *colon = strrchr(address, ':');
    uint64_t port = usual;
    const bool bracket = host.n && host.p[host.n - 1] == ']';
    if (colon && !bracket && span_u64(span_of(colon + 1), UINT16_MAX, &port))
        host.n = (size_t)(colon - address);
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (span){host.p + 1, host.n - 2};
    *out_host = span_dup(host);
    return (uint16_t)port;
}

static capture captured(const doctor *d, const proxy_family *families, bool https,
                        const char *address)
{
    capture c = {.who = buf_make(LIST_MAX)};
    char *host = NULL;
    const uint16_t port = split(address, https ? 443 : HTTP_PORT, &host);
    for (; *families != PROXY_FAMILIES; families++) {
        const proxy_use use = proxy_for(*families, d->env, https, host, port);
        if (!use.proxy)
            continue;
        c.variable = use.variable;
        c.proxy = use.proxy;
        buf_fmt(&c.who, "%s%s", c.who.n ? ", " : "", proxy_family_name(*families));
    }
    free(host);
    return c;
}

static bool is_our_ingress(const doctor *d, const char *proxy)
{
    auto_free char *address = span_dup(proxy_address(proxy));
    return same_address(address, snapshot_project(d->s)->ingress_listen);
}

static void mend(const doctor *d, finding *f, const char *address)
{
    char *host = NULL;
    (void)split(address, HTTP_PORT, &host);
    if (d->mend_env)
        finding_mend(f, "%s", d->mend_env);
    else
        finding_mend(f,
                     "export NO_PROXY=\"${NO_PROXY:+$NO_PROXY,}%s\" no_proxy=\"${no_proxy:+"
                     "$no_proxy,}%s\"",
                     host, host);
    free(host);
}

/* ---- the metadata server ---- */

/* Go's, Java's and gcloud's metadata clients ask no proxy; libcurl is C++'s. */
static const proxy_family metadata_clients[] = {PROXY_PYTHON, PROXY_NODE, PROXY_CURL,
                                                PROXY_FAMILIES};

static void check_metadata(const doctor *d, const char *address)
{
    capture c = captured(d, metadata_clients, false, address);
    if (c.proxy) {
        const span at = proxy_address(c.proxy);
        finding *f = report_add(
            d->report, FINDING_PROBLEM, AREA, "proxy_metadata",
            "%s sends requests for the metadata server %s through %.*s, which it refuses: %s",
            c.variable, address, SPAN_ARG(at), c.who.p);
        finding_expect(f, "NO_PROXY and no_proxy name its host");
        mend(d, f, address);
    }
    buf_free(&c.who);
}

/* ---- services ---- */

static const proxy_family callers[] = {PROXY_PYTHON, PROXY_NODE, PROXY_CURL, PROXY_GO,
                                       PROXY_FAMILIES};

/* The host (and port) of a URL; a view. */
static span authority(const char *url, bool *out_https)
{
    span s = span_of(url);
    *out_https = span_starts(s, SPAN_LIT("https://"));
    if (*out_https)
        s = span_from(s, strlen("https://"));
    else if (span_starts(s, SPAN_LIT("http://")))
        s = span_from(s, strlen("http://"));
    return (span){s.p, span_find(s, '/')};
}

static bool check_service(const doctor *d, const service *svc)
{
    bool https = false;
    auto_free char *host = span_dup(authority(svc->url, &https));
    capture c = captured(d, callers, https, host);
    const bool foreign = c.proxy && !is_our_ingress(d, c.proxy);
    if (foreign) {
        const span at = proxy_address(c.proxy);
        finding *f = report_add(d->report, FINDING_PROBLEM, AREA, "proxy_service",
                                "%s sends calls of %s (%s) through %.*s: %s", c.variable, svc->name,
                                svc->url, SPAN_ARG(at), c.who.p);
        finding_expect(f, "NO_PROXY and no_proxy name its host");
        mend(d, f, host);
    }
    buf_free(&c.who);
    return foreign;
}

/* Production URLs work when the ingress is the proxy; to another proxy, or without one, they are
 * Google's. */
static void check_run_app(const doctor *d)
{
    if (!d->svc || !snapshot_project(d->s)->ingress_listen)
        return;
    const service *any = snapshot_service(d->s, 0);
    const char *url = any->deterministic_url ? any->deterministic_url : any->hash_url;
    bool https = true;
    auto_free char *host = span_dup(authority(url, &https));
    capture c = captured(d, callers, true, host);
    if (!c.proxy || !is_our_ingress(d, c.proxy)) {
        auto_free char *front = reachable_address(snapshot_project(d->s)->ingress_listen);
        finding *f =
            report_add(d->report, FINDING_WARNING, AREA, "proxy_run_app",
                       "https://…run.app addresses leave for Google: HTTPS_PROXY is %s%s",
                       c.proxy ? "another proxy's" : "not set",
                       envlist_get(d->env, "NO_PROXY") ? ", or NO_PROXY excepts them" : "");
        finding_expect(f, "HTTPS_PROXY=http://%s, unless the process calls no such address", front);
        if (d->mend_env)
            finding_mend(f, "%s", d->mend_env);
    }
    buf_free(&c.who);
}

/* ---- where programs differ ---- */

/* One spelling of a pair that programs read either of. */
static void check_pair(const doctor *d, const char *upper, const char *lower)
{
    const char *a = envlist_get(d->env, upper), *b = envlist_get(d->env, lower);
    if (!a == !b && (!a || strcmp(a, b) == 0))
        return;
    finding *f = report_add(d->report, FINDING_WARNING, AREA, "proxy_spelling",
                            "%s is %s, %s is %s: Go and Node read the first, curl and Python the "
                            "second where both are set; curl reads http_proxy in lower case only",
                            upper, a ? a : "not set", lower, b ? b : "not set");
    if (d->mend_env)
        finding_mend(f, "%s", d->mend_env);
    else
        finding_mend(f, "export %s=\"$%s\"", a ? lower : upper, a ? upper : lower);
}

void doctor_env_proxies(doctor *d)
{
    const size_t before = d->report->count;
    const char *given = envlist_get(d->env, "GCE_METADATA_HOST");
    auto_free char *wanted = wanted_metadata(d->s, d->svc);
    if (given && *given && !strchr(given, '/'))
        check_metadata(d, given);
    else if (wanted)
        check_metadata(d, wanted);
    bool foreign = false;
    for (size_t i = 0; i < snapshot_service_count(d->s) && !foreign; i++)
        foreign = check_service(d, snapshot_service(d->s, i));
    check_run_app(d);
    check_pair(d, "HTTP_PROXY", "http_proxy");
    check_pair(d, "HTTPS_PROXY", "https_proxy");
    check_pair(d, "NO_PROXY", "no_proxy");
    if (d->report->count == before)
        report_add(d->report, FINDING_OK, AREA, "proxy",
                   "no proxy gets what is meant for the metadata server or a service");
}
