/* CONNECT: the head of such a request is read by ourselves, and a judge says what the connection
 * becomes: a caller's connection as any other, or a blind tunnel. */
#ifndef PROXY_CONNECT_H
#define PROXY_CONNECT_H

#include "base/net.h"
#include "base/span.h"

typedef struct connect_request connect_request;

typedef struct connect_handler {
    /* Is CONNECT for a connection that came in with this tag? Else it is a request as any other. */
    bool (*takes)(void *ctx, void *tag);
    /* Calls exactly one of the three verdicts, at once or later from the same loop. */
    void (*on_connect)(void *ctx, connect_request *c);
    /* The client left before there was a verdict: c is gone when this returns. */
    void (*on_gone)(void *ctx, connect_request *c);
    void *ctx;
} connect_handler;

/* ---- the request, readable until the verdict ---- */
span connect_host(const connect_request *c); /* IPv6 without its brackets; NUL-terminated */
uint16_t connect_port(const connect_request *c);
const net_addr *connect_peer(const connect_request *c);
void *connect_tag(const connect_request *c);
void connect_set_user(connect_request *c, void *user);
void *connect_user(const connect_request *c);

/* ---- the verdicts; c is gone when they return ---- */
/* What follows is spoken to the proxy itself, as if accepted with this tag. */
void connect_land(connect_request *c, void *tag);
/* To a; refused with 502 when it cannot be reached in time. */
void connect_through(connect_request *c, const net_addr *a);
void connect_refuse(connect_request *c, unsigned status, span text); /* text/plain */

/* ---- the head ---- */
/* "host:port", "[v6]:port"; with a default port "host" alone, too. IPv6 loses its brackets. */
bool connect_authority(span authority, uint16_t default_port, span *out_host, uint16_t *out_port);

enum { CONNECT_HEAD_MAX = 8 * 1024 };

typedef struct connect_head {
    span host; /* views; IPv6 without its brackets */
    uint16_t port;
    size_t bytes;    /* the head with its empty line */
    const char *why; /* static; when it is malformed */
} connect_head;

typedef enum connect_parsed { CONNECT_MORE, CONNECT_DONE, CONNECT_BAD } connect_parsed;
connect_parsed connect_parse(span seen, connect_head *out);

#endif
