/* The variables and the list of exceptions as curl (its manual, "Environment"), requests, gaxios
 * and Go's net/http read them. */
#include "cli/no_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/net.h"

enum { NAME_TEXT_MAX = 512, VARIABLES_MAX = 6 };

const char *proxy_family_name(proxy_family f)
{
    static const char *const names[PROXY_FAMILIES] = {[PROXY_NEVER] = "",
                                                      [PROXY_CURL] = "curl",
                                                      [PROXY_PYTHON] = "Python",
                                                      [PROXY_NODE] = "Node",
                                                      [PROXY_GO] = "Go"};
    return names[f];
}

/* ---- one item of the list ---- */

/* Is host the domain, or a name below it? domain without a dot in front. */
static bool is_within(span host, span domain)
{
    if (!domain.n || host.n < domain.n)
        return false;
    const span tail = span_from(host, host.n - domain.n);
    if (!span_ieq(tail, domain))
        return false;
    return host.n == domain.n || host.p[host.n - domain.n - 1] == '.';
}

static bool is_address(const char *host, net_addr *out)
{
    char text[NAME_TEXT_MAX];
    (void)snprintf(text, sizeof text, strchr(host, ':') ? "[%.400s]:0" : "%.400s:0", host);
    return strcmp(host, "localhost") != 0 && net_addr_parse(span_of(text), out, NULL);
}

/* slash: only what is written as a network counts, not a single address. */
static bool in_network(const char *host, span item, bool slash)
{
    net_addr a;
    net_cidr network;
    if ((slash && span_find(item, '/') == item.n) || !is_address(host, &a))
        return false;
    return net_cidr_parse(item, &network, NULL) && net_cidr_has(&network, &a);
}

/* Leading dots do not matter; networks count since curl 7.86. */
static bool curl_item(const char *host, span item)
{
    net_addr a;
    while (item.n && item.p[0] == '.')
        item = span_from(item, 1);
    if (item.n > 2 && item.p[0] == '[' && item.p[item.n - 1] == ']')
        item = (span){item.p + 1, item.n - 2};
    return is_address(host, &a) ? in_network(host, item, false) : is_within(span_of(host), item);
}

/* requests: the end of the name, with or without a dot there, also with the port; then urllib's
 * rule. IPv4 addresses: equal, or in the network. */
static bool python_item(const char *host, uint16_t port, span item)
{
    char with_port[NAME_TEXT_MAX];
    (void)snprintf(with_port, sizeof with_port, "%.400s:%u", host, port);
    net_addr a;
    if (is_address(host, &a) && !strchr(host, ':') && in_network(host, item, true))
        return true;
    if (!is_address(host, &a) &&
        (span_ends(span_of(host), item) || span_ends(span_of(with_port), item)))
        return true;
    while (item.n && item.p[0] == '.')
        item = span_from(item, 1);
    return is_within(span_of(host), item);
}

static bool node_item(bool https, const char *host, uint16_t port, span item)
{
    char origin[NAME_TEXT_MAX];
    const bool usual = port == (https ? 443 : 80);
    (void)snprintf(origin, sizeof origin, usual ? "%s://%.400s" : "%s://%.400s:%u",
                   https ? "https" : "http", host, port);
    if (span_starts(item, SPAN_LIT("*.")))
        item = span_from(item, 1);
    if (item.n && item.p[0] == '.')
        return span_ends(span_of(host), item);
    return span_eq_str(item, host) || span_eq_str(item, origin);
}

/* The port of "name:port" has to be the URL's; ".name" is what is below it only. */
static bool go_item(const char *host, uint16_t port, span item)
{
    net_addr a;
    if (in_network(host, item, false))
        return true;
    if (is_address(host, &a))
        return false;
    span name = item;
    const size_t colon = span_find(item, ':');
    if (colon < item.n) {
        uint64_t wanted = 0;
        name.n = colon;
        if (!span_u64(span_from(item, colon + 1), UINT16_MAX, &wanted) || wanted != port)
            return false;
    }
    if (span_starts(name, SPAN_LIT("*.")))
        name = span_from(name, 1);
    if (name.n && name.p[0] == '.')
        return is_within(span_of(host), span_from(name, 1)) && strlen(host) + 1 != name.n;
    return is_within(span_of(host), name);
}

static bool item_has(proxy_family f, bool https, const char *host, uint16_t port, span item)
{
    switch (f) {
    case PROXY_CURL:
        return curl_item(host, item);
    case PROXY_PYTHON:
        return python_item(host, port, item);
    case PROXY_NODE:
        return node_item(https, host, port, item);
    case PROXY_GO:
        return go_item(host, port, item);
    case PROXY_NEVER:
    case PROXY_FAMILIES:
        return true;
    }
    abort();
}

bool no_proxy_has(proxy_family f, const char *list, bool https, const char *host, uint16_t port)
{
    span rest = span_of(list), item;
    if (f != PROXY_NODE && span_eq(span_trim(rest), SPAN_LIT("*")))
        return true;
    for (bool more = true; more;) {
        more = span_cut(&rest, ',', &item);
        item = span_trim(item);
        if (item.n && (item_has(f, https, host, port, item) ||
                       (f == PROXY_GO && span_eq(item, SPAN_LIT("*")))))
            return true;
    }
    return false;
}

/* ---- the variables ---- */

/* Which are read for the proxy, the first that is set counts; and which for the exceptions. */
typedef struct variables {
    const char *http[VARIABLES_MAX], *https[VARIABLES_MAX], *except[VARIABLES_MAX];
} variables;

static const variables *variables_of(proxy_family f)
{
    static const variables table[PROXY_FAMILIES] = {
        /* HTTP_PROXY is what a CGI script's caller may set, so curl reads the lower case only. */
        [PROXY_CURL] = {{"http_proxy", "all_proxy", "ALL_PROXY"},
                        {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
                        {"no_proxy", "NO_PROXY"}},
        [PROXY_PYTHON] = {{"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"},
                          {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"},
                          {"no_proxy", "NO_PROXY"}},
        [PROXY_NODE] = {{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"},
                        {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"},
                        {"NO_PROXY", "no_proxy"}},
        [PROXY_GO] = {{"HTTP_PROXY", "http_proxy"},
                      {"HTTPS_PROXY", "https_proxy"},
                      {"NO_PROXY", "no_proxy"}}};
    return &table[f];
}

static const char *first_set(const envlist *env, const char *const *names, const char **out_name)
{
    for (; *names; names++) {
        const char *value = envlist_get(env, *names);
        if (!value || !*value)
            continue;
        *out_name = *names;
        return value;
    }
    return NULL;
}

/* Go never asks a proxy for the machine itself. */
static bool is_own_machine(const char *host)
{
    net_addr a;
    return strcmp(host, "localhost") == 0 || (is_address(host, &a) && net_addr_is_loopback(&a));
}

proxy_use proxy_for(proxy_family f, const envlist *env, bool https, const char *host, uint16_t port)
{
    const variables *v = variables_of(f);
    proxy_use use = {0};
    const char *unused = NULL;
    use.proxy = first_set(env, https ? v->https : v->http, &use.variable);
    const char *except = first_set(env, v->except, &unused);
    /* To gaxios a NO_PROXY that is empty is there, too. */
    if (f == PROXY_NODE && envlist_get(env, "NO_PROXY"))
        except = envlist_get(env, "NO_PROXY");
    const bool straight = (except && no_proxy_has(f, except, https, host, port)) ||
                          (f == PROXY_GO && is_own_machine(host));
    return use.proxy && !straight ? use : (proxy_use){0};
}

span proxy_address(const char *proxy)
{
    span s = span_of(proxy);
    const char *scheme = strstr(proxy, "://");
    if (scheme)
        s = span_from(s, (size_t)(scheme - proxy) + 3);
    s.n = span_find(s, '/');
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    return at ? span_from(s, (size_t)(at - s.p) + 1) : s;
}
