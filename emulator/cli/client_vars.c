/* Names that are common to many clients; a list of hosts that no proxy sees. */
#include "cli/client_vars.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/buf.h"

enum { LIST_MAX = 256 * 1024, URL_MAX = 512 };

/* Names below .localhost are not among them: the proxy knows them, not every resolver does. */
#define NEVER_PROXIED "127.0.0.1,localhost,::1,169.254.169.254,metadata.google.internal"

void client_vars_add_trust(service_vars *v, const trust_files *trust)
{
    service_vars_add(v, "SSL_CERT_FILE", trust->bundle,
                     "TLS: trust the emulator's certificates, too. OpenSSL, Go, Ruby, Rust, .NET");
    service_vars_add(v, "CURL_CA_BUNDLE", trust->bundle, "the same: curl");
    service_vars_add(v, "REQUESTS_CA_BUNDLE", trust->bundle, "the same: Python's requests");
    service_vars_add(v, "NODE_EXTRA_CA_CERTS", trust->certificate, "the same: Node");
    service_vars_add(v, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", trust->bundle,
                     "the same: gRPC's C core");
}

/* ---- lists of hosts ---- */

static bool has_item(span list, span item)
{
    span one;
    bool more = true;
    while (more) {
        more = span_cut(&list, ',', &one);
        if (span_eq(span_trim(one), item))
            return true;
    }
    return false;
}

/* The list with those items of `more` behind it that it lacks; "*" is everything already. */
static char *no_proxy_with(const char *now, const char *more)
{
    span rest = span_of(more), item, old = span_trim(span_of(now ? now : ""));
    if (span_eq(old, SPAN_LIT("*")))
        return span_dup(old);
    auto_buf buf list = buf_make(LIST_MAX);
    buf_span(&list, old);
    bool left = true;
    while (left) {
        left = span_cut(&rest, ',', &item);
        if (has_item(buf_view(&list), item))
            continue;
        if (list.n)
            buf_char(&list, ',');
        buf_span(&list, item);
    }
    char *text = buf_take(&list);
    return text ? text : span_dup(span_of(more));
}

/* "10.0.0.5:8180" → "10.0.0.5", "[fd00::1]:80" → "fd00::1" */
static char *host_of(const char *address)
{
    const char *colon = strrchr(address, ':');
    span host = {address, colon ? (size_t)(colon - address) : strlen(address)};
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = (span){host.p + 1, host.n - 2};
    return span_dup(host);
}

/* ---- proxies ---- */

/* Programs differ in which spelling they read: a service's own env: speaks for both. */
static const char *already(const service_vars *v, const char *upper, const char *lower)
{
    const service_var *given = service_vars_find(v, upper);
    if (!given)
        given = service_vars_find(v, lower);
    return given ? given->value : NULL;
}

static void add_both(service_vars *v, const char *upper, const char *lower, const char *value,
                     const char *note)
{
    const char *given = already(v, upper, lower);
    auto_free char *same = span_dup(span_of(given ? given : value));
    service_vars_add(v, upper, same, note);
    service_vars_add(v, lower, same, NULL);
}

/* One spelling's list, from what the user has under it, else under the other one. */
static char *exceptions(const char *name, const char *other, const char *metadata)
{
    const char *now = getenv(name);
    auto_free char *list = no_proxy_with(now ? now : getenv(other), NEVER_PROXIED);
    if (!metadata)
        return TAKE(list);
    auto_free char *host = host_of(metadata);
    return no_proxy_with(list, host);
}

static void add_exceptions(service_vars *v, const char *metadata)
{
    static const char note[] = "these go straight there: a proxy's X-Forwarded-For is refused by "
                               "the metadata server";
    const char *given = already(v, "NO_PROXY", "no_proxy");
    if (given) {
        add_both(v, "NO_PROXY", "no_proxy", given, note);
        return;
    }
    auto_free char *upper = exceptions("NO_PROXY", "no_proxy", metadata);
    auto_free char *lower = exceptions("no_proxy", "NO_PROXY", metadata);
    service_vars_add(v, "NO_PROXY", upper, note);
    service_vars_add(v, "no_proxy", lower, NULL);
}

static void add_proxy(service_vars *v, const char *address)
{
    auto_buf buf url = buf_make(URL_MAX);
    buf_fmt(&url, "http://%s", address);
    auto_free char *proxy = buf_take(&url);
    if (!proxy)
        return;
    add_both(v, "HTTPS_PROXY", "https_proxy", proxy,
             "the ingress stands in for every run.app address and for NAME.localhost");
    add_both(v, "HTTP_PROXY", "http_proxy", proxy, NULL);
    service_vars_add(v, "NODE_USE_ENV_PROXY", "1", "Node heeds the proxy variables only then");
}

void client_vars_add(service_vars *v, const project *p, const char *metadata,
                     const trust_files *trust)
{
    if (trust)
        client_vars_add_trust(v, trust);
    auto_free char *front_door = reachable_address(p->ingress_listen);
    if (front_door)
        add_proxy(v, front_door);
    add_exceptions(v, metadata);
}
