/* Addresses: parse, print, compare, match. Sockets are in net_socket.c. */
#include "base/net.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"

/* "host:port" or "[v6]:port" into its parts. */
static bool split_port(span text, span *out_host, uint16_t *out_port, error *e)
{
    span rest;
    if (text.n && text.p[0] == '[') {
        size_t close = span_find(text, ']');
        if (close == text.n)
            return error_set(e, ERR_INVALID, "'%.*s': ']' is missing", SPAN_ARG(text));
        *out_host = (span){text.p + 1, close - 1};
        rest = span_from(text, close + 1);
    } else {
        size_t colon = span_find(text, ':');
        *out_host = (span){text.p, colon};
        rest = span_from(text, colon);
    }
    uint64_t port;
    if (rest.n < 2 || rest.p[0] != ':' || !span_u64(span_from(rest, 1), 65535, &port))
        return error_set(e, ERR_INVALID,
                         "'%.*s' is not an address; expected HOST:PORT such as 127.0.0.1:8080",
                         SPAN_ARG(text));
    *out_port = (uint16_t)port;
    return true;
}

static bool parse_ip(span host, net_addr *out)
{
    char text[INET6_ADDRSTRLEN];
    if (host.n == 0 || host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    *out = (net_addr){0};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        memcpy(&out->ss, &v4, sizeof v4);
        out->len = sizeof v4;
        return true;
    }
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1) {
        memcpy(&out->ss, &v6, sizeof v6);
        out->len = sizeof v6;
        return true;
    }
    return false;
}

bool net_addr_parse(span text, net_addr *out, error *e)
{
    span host;
    uint16_t port;
    net_addr a;
    if (!split_port(text, &host, &port, e))
        return false;
    if (span_ieq_str(host, "localhost"))
        host = SPAN_LIT("127.0.0.1");
    if (!parse_ip(host, &a))
        return error_set(e, ERR_INVALID,
                         "'%.*s' has no numeric address; expected such as 127.0.0.1:8080",
                         SPAN_ARG(text));
    net_addr_set_port(&a, port);
    *out = a;
    return true;
}

bool net_addr_resolve(span text, net_addr *out, error *e)
{
    if (net_addr_parse(text, out, NULL))
        return true;
    span host;
    uint16_t port;
    if (!split_port(text, &host, &port, e))
        return false;
    auto_free char *name = span_dup(host);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(name, NULL, &hints, &found);
    if (code != 0)
        return error_set(e, ERR_NOT_FOUND, "host '%s': %s", name, gai_strerror(code));
    net_addr a = {.len = found->ai_addrlen};
    memcpy(&a.ss, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    net_addr_set_port(&a, port);
    *out = a;
    return true;
}

static struct sockaddr_in v4_of(const net_addr *a)
{
    struct sockaddr_in in;
    memcpy(&in, &a->ss, sizeof in);
    return in;
}

static struct sockaddr_in6 v6_of(const net_addr *a)
{
    struct sockaddr_in6 in;
    memcpy(&in, &a->ss, sizeof in);
    return in;
}

const char *net_addr_ip(const net_addr *a, char out[NET_ADDR_TEXT_MAX])
{
    out[0] = '\0';
    if (a->ss.ss_family == AF_INET) {
        struct sockaddr_in in = v4_of(a);
        (void)inet_ntop(AF_INET, &in.sin_addr, out, NET_ADDR_TEXT_MAX);
    } else if (a->ss.ss_family == AF_INET6) {
        struct sockaddr_in6 in = v6_of(a);
        if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr))
            (void)inet_ntop(AF_INET, &in.sin6_addr.s6_addr[12], out, NET_ADDR_TEXT_MAX);
        else
            (void)inet_ntop(AF_INET6, &in.sin6_addr, out, NET_ADDR_TEXT_MAX);
    }
    return out;
}

const char *net_addr_text(const net_addr *a, char out[NET_ADDR_TEXT_MAX])
{
    char ip[NET_ADDR_TEXT_MAX];
    net_addr_ip(a, ip);
    (void)snprintf(out, NET_ADDR_TEXT_MAX, strchr(ip, ':') ? "[%.46s]:%u" : "%.46s:%u", ip,
                   net_addr_port(a));
    return out;
}

uint16_t net_addr_port(const net_addr *a)
{
    if (a->ss.ss_family == AF_INET)
        return ntohs(v4_of(a).sin_port);
    if (a->ss.ss_family == AF_INET6)
        return ntohs(v6_of(a).sin6_port);
    return 0;
}

void net_addr_set_port(net_addr *a, uint16_t port)
{
    if (a->ss.ss_family == AF_INET) {
        struct sockaddr_in in = v4_of(a);
        in.sin_port = htons(port);
        memcpy(&a->ss, &in, sizeof in);
    } else if (a->ss.ss_family == AF_INET6) {
        struct sockaddr_in6 in = v6_of(a);
        in.sin6_port = htons(port);
        memcpy(&a->ss, &in, sizeof in);
    }
}

/* Every address as 16 bytes, IPv4 as ::ffff:a.b.c.d, so that one comparison serves both. */
static bool mapped_bytes(const net_addr *a, uint8_t out[16])
{
    if (a->ss.ss_family == AF_INET) {
        struct sockaddr_in in = v4_of(a);
        memset(out, 0, 10);
        out[10] = out[11] = 0xFF;
        memcpy(out + 12, &in.sin_addr, 4);
        return true;
    }
    if (a->ss.ss_family == AF_INET6) {
        struct sockaddr_in6 in = v6_of(a);
        memcpy(out, &in.sin6_addr, 16);
        return true;
    }
    return false;
}

bool net_addr_is_loopback(const net_addr *a)
{
    static const uint8_t v6[16] = {[15] = 1};
    uint8_t bytes[16];
    if (!mapped_bytes(a, bytes))
        return false;
    if (memcmp(bytes, v6, 16) == 0)
        return true;
    static const uint8_t v4_prefix[13] = {[10] = 0xFF, [11] = 0xFF, [12] = 127};
    return memcmp(bytes, v4_prefix, 13) == 0;
}

bool net_addr_same_ip(const net_addr *a, const net_addr *b)
{
    uint8_t left[16], right[16];
    return mapped_bytes(a, left) && mapped_bytes(b, right) && memcmp(left, right, 16) == 0;
}

bool net_cidr_parse(span text, net_cidr *out, error *e)
{
    span ip;
    span bits_text = text;
    bool has_bits = span_cut(&bits_text, '/', &ip);
    net_addr a;
    if (!parse_ip(ip, &a))
        return error_set(e, ERR_INVALID, "'%.*s' is neither an address nor a CIDR block",
                         SPAN_ARG(text));
    uint64_t width = a.ss.ss_family == AF_INET ? 32 : 128;
    uint64_t bits = width;
    if (has_bits && !span_u64(bits_text, width, &bits))
        return error_set(e, ERR_INVALID, "'%.*s': expected a prefix length of 0 to %u",
                         SPAN_ARG(text), (unsigned)width);
    net_cidr c;
    (void)mapped_bytes(&a, c.bytes);
    c.bits = (uint8_t)(128 - width + bits);
    *out = c;
    return true;
}

bool net_cidr_has(const net_cidr *c, const net_addr *a)
{
    uint8_t bytes[16];
    if (!mapped_bytes(a, bytes))
        return false;
    size_t whole = c->bits / 8u;
    if (memcmp(bytes, c->bytes, whole) != 0)
        return false;
    unsigned rest = c->bits % 8u;
    return rest == 0 || ((unsigned)(bytes[whole] ^ c->bytes[whole]) >> (8 - rest)) == 0;
}
