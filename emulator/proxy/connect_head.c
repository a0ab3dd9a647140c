/* The head of a CONNECT request (RFC 9110 §9.3.6, RFC 9112 §3.2.3). */
#include "proxy/connect.h"
#include "proxy/h1_line.h"

static bool sound_host(span host)
{
    for (size_t i = 0; i < host.n; i++) {
        const unsigned char c = (unsigned char)host.p[i];
        if (c <= ' ' || c >= 0x7F || strchr("/\\@?#\"<>{}|^`%[]", c))
            return false;
    }
    return host.n > 0 && host.n <= 255;
}

bool connect_authority(span authority, uint16_t default_port, span *out_host, uint16_t *out_port)
{
    const bool v6 = authority.n && authority.p[0] == '[';
    span rest = v6 ? span_from(authority, 1) : authority;
    span host;
    const bool cut = span_cut(&rest, v6 ? ']' : ':', &host);
    uint64_t port = default_port;
    if (v6) {
        if (!cut || span_find(host, ':') == host.n || (rest.n && rest.p[0] != ':'))
            return false;
        rest = span_from(rest, rest.n != 0);
    }
    if (!sound_host(host) || (rest.n && !span_u64(rest, UINT16_MAX, &port)) || port == 0)
        return false;
    *out_host = host;
    *out_port = (uint16_t)port;
    return true;
}

static const char *request_line(span line, bool *out_host_needed, connect_head *out)
{
    span method;
    span target;
    if (!span_cut(&line, ' ', &method) || !span_cut(&line, ' ', &target) ||
        !span_eq_str(method, "CONNECT"))
        return "the request line is not 'CONNECT host:port HTTP/1.1'";
    *out_host_needed = span_eq_str(line, "HTTP/1.1");
    if (!*out_host_needed && !span_eq_str(line, "HTTP/1.0"))
        return "the request line is not 'CONNECT host:port HTTP/1.1'";
    return connect_authority(target, 0, &out->host, &out->port)
               ? NULL
               : "the target of CONNECT is not 'host:port'";
}

/* Host may name somebody else; it is not looked at. */
static const char *take_field(span line, unsigned *hosts)
{
    field f;
    const char *why = h1_line_field(line, &f);
    if (why)
        return why;
    if (span_ieq_str(f.name, "Content-Length") || span_ieq_str(f.name, "Transfer-Encoding"))
        return "CONNECT has no body";
    if (span_ieq_str(f.name, "Host") && ++*hosts > 1)
        return "Host was sent more than once";
    return NULL;
}

static connect_parsed bad(connect_head *out, const char *why)
{
    out->why = why;
    return CONNECT_BAD;
}

connect_parsed connect_parse(span seen, connect_head *out)
{
    *out = (connect_head){0};
    const char *why = NULL;
    bool host_needed = false;
    unsigned hosts = 0;
    size_t scanned = 0;
    span line;
    for (size_t begin = 0;; begin = scanned) {
        if (!h1_line_complete(seen.p, begin, &scanned, seen.n, &line, &why))
            break;
        if (begin > 0 && line.n == 0) {
            if (host_needed && !hosts)
                return bad(out, "Host is missing");
            out->bytes = scanned;
            return CONNECT_DONE;
        }
        why = begin == 0 ? request_line(line, &host_needed, out) : take_field(line, &hosts);
        if (why)
            break;
    }
    if (!why && seen.n >= CONNECT_HEAD_MAX)
        why = "the request head is too large";
    return why ? bad(out, why) : CONNECT_MORE;
}
