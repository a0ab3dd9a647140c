/* Which fields travel through a proxy and how a request head is written for the upstream. */
#ifndef PROXY_HEADERS_H
#define PROXY_HEADERS_H

#include "base/buf.h"
#include "proxy/exchange.h"

/* Connection, HTTP2-Settings, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding, Upgrade
 * (RFC 9110 §7.6.1, RFC 7540 §3.2.1). */
bool header_is_hop_by_hop(span name);

/* A Connection field among them names this one. What is for every recipient cannot be named away
 * (RFC 9110 §7.6.1): credentials, Host, what describes the content, who sent it and by which way.
 */
bool header_is_named(const field *fields, size_t n, span name);

/* May stand in a trailer section that is passed on: nothing that frames, routes, authenticates or
 * changes what the head said (RFC 9110 §6.5.1). */
bool header_may_trail(span name);

/* A list of tokens has this one, whatever its case. */
bool header_list_has(span list, span token);

/* A drop list with the lengths found out once. */
enum { HEADER_NAMES_MAX = 32 };
typedef struct header_names {
    size_t n;
    span names[HEADER_NAMES_MAX];
    span prefix; /* of the one entry that may end in '*': all names that begin so */
} header_names;
void header_names_init(header_names *out, const char *const *list /* NULL-terminated or NULL */);
bool header_names_have(const header_names *names, span name);

/* What the upstream is told about the body. */
typedef struct head_framing {
    bool chunked;
    bool has_length;
    uint64_t length;
} head_framing;

typedef struct head_out {
    span method, target;
    span host; /* overrides Host where the target named another; else empty */
    const field *fields;
    size_t field_count;
    head_framing framing;
    const char *const *drop;
    const field *add;
    size_t add_count;
    bool may_upgrade; /* to WebSocket, where its fields ask for that (RFC 6455 §4.1) */
} head_out;

/* Which of its fields travel, found out before the first one is written. */
typedef struct header_filter {
    const head_out *h;
    header_names drop;
    span host;             /* what the upstream is told; empty: nothing */
    bool connection_names; /* Connection names more than itself */
    bool host_seen;        /* among the fields */
    bool trailers_welcome; /* the caller said TE: trailers */
    bool upgrade_named;    /* Connection names Upgrade, */
    bool to_websocket;     /* which names websocket */
} header_filter;
void header_filter_init(header_filter *out, const head_out *h);
/* Not for framing fields: those are the writer's own. */
bool header_filter_passes(const header_filter *f, span name);
bool header_is_framing(span name); /* Content-Length, Transfer-Encoding */

bool method_is_idempotent(span method); /* RFC 9110 §9.2.2 */

/* Appends the whole request head. Order, case and duplicates of the caller's fields are kept; our
 * own framing stands where the caller's stood. true: it asks for an upgrade to WebSocket. */
bool headers_write_request(buf *out, const head_out *h);

#endif
