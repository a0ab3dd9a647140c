/* The Host check. */
#include "metadata/hosts.h"

#include <arpa/inet.h>

enum { PORT_DIGITS_MAX = 5, IP_TEXT_MAX = 64 };

static bool port_like(span s)
{
    uint64_t unused;
    return s.n <= PORT_DIGITS_MAX && span_u64(s, 65535, &unused);
}

static bool bracketed(span host, span *out_name)
{
    size_t end = span_find(host, ']');
    if (end == host.n)
        return false;
    span rest = span_from(host, end + 1);
    if (rest.n && (rest.p[0] != ':' || !port_like(span_from(rest, 1))))
        return false;
    *out_name = (span){host.p + 1, end - 1};
    return true;
}

bool host_without_port(span host, span *out_name)
{
    if (host.n && host.p[0] == '[')
        return bracketed(host, out_name);
    size_t colon = span_find(host, ':');
    if (colon < host.n && !port_like(span_from(host, colon + 1)))
        return false;
    span name = {host.p, colon};
    if (name.n > 1 && name.p[name.n - 1] == '.')
        name.n--;
    *out_name = name;
    return name.n > 0;
}

static bool is_ip_literal(span name)
{
    char text[IP_TEXT_MAX];
    unsigned char bytes[16];
    if (name.n >= sizeof text)
        return false;
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static bool listed(span name, const char *more)
{
    span rest = span_of(more);
    while (rest.n) {
        span one;
        (void)span_cut(&rest, ',', &one);
        if (span_ieq(name, span_trim(one)))
            return true;
    }
    return false;
}

bool host_allowed(span host, const char *more)
{
    span name;
    if (host.n == 0)
        return true;
    if (!host_without_port(host, &name))
        return false;
    if (span_ieq_str(name, "metadata.google.internal") || span_ieq_str(name, "metadata") ||
        span_ieq_str(name, "localhost"))
        return true;
    const span local = SPAN_LIT(".localhost");
    if (name.n > local.n && span_ieq(span_from(name, name.n - local.n), local))
        return true;
    return is_ip_literal(name) || listed(name, more);
}
