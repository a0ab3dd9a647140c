/* Which requests a foreign web page can have caused. */
#include "control/reply.h"

static bool is_port(span s)
{
    uint64_t port;
    return span_u64(s, 65535, &port);
}

static bool literal_is_ours(span host)
{
    net_addr ignored;
    size_t end = span_find(host, ']');
    if (end == host.n)
        return false;
    if (end + 1 < host.n)
        return net_addr_parse(host, &ignored, NULL);
    auto_buf buf with_port = buf_make(256);
    buf_span(&with_port, host);
    buf_str(&with_port, ":0");
    return buf_ok(&with_port) && net_addr_parse(buf_view(&with_port), &ignored, NULL);
}

bool host_is_ours(span host)
{
    if (host.n && host.p[0] == '[')
        return literal_is_ours(host);
    span name;
    span port = host;
    if (span_cut(&port, ':', &name) && !is_port(port))
        return false;
    if (name.n == 0)
        return false;
    net_cidr address;
    if (span_find(name, '/') == name.n && net_cidr_parse(name, &address, NULL))
        return true;
    static const char local[] = ".localhost";
    size_t n = sizeof local - 1;
    return span_find(name, '.') == name.n || span_ieq_str(name, "metadata.google.internal") ||
           (name.n > n && span_ieq((span){name.p + name.n - n, n}, SPAN_LIT(".localhost")));
}

bool origin_is_foreign(span origin, span host)
{
    static const span scheme = {"http://", 7};
    return !span_starts(origin, scheme) || !span_ieq(span_from(origin, scheme.n), host);
}

static bool is_navigation(const http_request *r)
{
    span m = http_method(r);
    return (span_eq_str(m, "GET") || span_eq_str(m, "HEAD")) &&
           span_eq_str(http_header(r, "Sec-Fetch-Mode"), "navigate");
}

bool is_cross_site(const http_request *r)
{
    if (http_has_header(r, "Origin") && origin_is_foreign(http_header(r, "Origin"), http_host(r)))
        return true;
    span site = http_header(r, "Sec-Fetch-Site");
    return site.n && !span_eq_str(site, "same-origin") && !span_eq_str(site, "none") &&
           !is_navigation(r);
}
