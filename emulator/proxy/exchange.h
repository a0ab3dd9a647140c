/* One request and its response on their way through the gateway. This is all that callers' side,
 * upstream's side and the judge (gateway/admit) share. One thread: the worker's.
 *
 * A GET over HTTP/1.1 that asks to become a WebSocket (RFC 6455 §4.1) is judged like any other and
 * forwarded as such to an upstream that speaks HTTP/1.1. Once the upstream says 101 the two
 * connections are relayed to each other, and the exchange lasts until both have ended; all that
 * went either way counts as body. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "base/buf.h"
#include "base/loop.h"
#include "base/net.h"
#include "proxy/field.h"

typedef struct exchange exchange;

/* ---- the request, readable from on_head until on_done ---- */
span exchange_method(const exchange *x);
span exchange_target(const exchange *x);  /* byte-exact */
span exchange_path(const exchange *x);    /* up to '?'; of an absolute-form target, its path */
span exchange_host(const exchange *x);    /* Host as sent, or of an absolute-form target */
span exchange_version(const exchange *x); /* "HTTP/1.1" */
/* How often the field came; *out_first (nullable) is its first value. */
size_t exchange_field(const exchange *x, const char *name, span *out_first);
/* Its i-th value, from 0; empty when there is none. */
span exchange_field_at(const exchange *x, const char *name, size_t i);
const net_addr *exchange_peer(const exchange *x);
void *exchange_tag(const exchange *x);      /* of the listener it came in by */
bool exchange_is_secure(const exchange *x); /* the caller speaks TLS */
/* "http" or "https", as sent, when the target is in absolute-form: asked of us as a proxy. Else
 * empty. */
span exchange_scheme(const exchange *x);
bool exchange_declared_length(const exchange *x, uint64_t *out_bytes);
int64_t exchange_started_us(const exchange *x); /* monotonic */
size_t exchange_request_head_bytes(const exchange *x);

/* Memory that lives as long as the exchange; never NULL. */
void *exchange_alloc(exchange *x, size_t n);
/* The judge's own data. */
void exchange_set_user(exchange *x, void *user);
void *exchange_user(const exchange *x);

/* ---- what the judge does with it: exactly one of reply and forward, at once in on_head or, after
 * exchange_defer, later from the same loop ---- */
typedef struct reply {
    unsigned status;
    const field *fields; /* copied */
    size_t field_count;
    span body;  /* copied */
    bool close; /* end the connection afterwards */
} reply;
void exchange_reply(exchange *x, const reply *r);

typedef struct forward {
    net_addr upstream;
    bool http2;              /* it speaks HTTP/2, by prior knowledge */
    int64_t patience_us;     /* for so long it may refuse connections: it is being started */
    int64_t timeout_us;      /* from now until the last byte of the response; <= 0: none */
    uint64_t body_limit;     /* of the request's body as it comes, no WebSocket's; 0: none */
    uint64_t response_limit; /* of head and body together where the length is declared; 0: none */
    /* The upstream works on it no more, be it before on_done or, where it works on for a caller
     * that has left, behind it. Once for each forward; nullable. */
    void (*over)(void *arg);
    void *over_arg;
    /* Request: the fields named in `drop` are left out (case-insensitive; hop-by-hop ones always
     * are; one entry may end in '*' and names all that begin so), then `add` is appended. Views
     * must live until on_done (exchange_alloc). */
    const char *const *drop; /* NULL-terminated */
    const field *add;
    size_t add_count;
    /* Response: likewise. */
    const char *const *response_drop;
    const field *response_add;
    size_t response_add_count;
} forward;
void exchange_forward(exchange *x, const forward *f);

/* on_done may come before the answer does (the caller left): x is then gone. */
void exchange_defer(exchange *x);

/* ---- how it can fail once it was forwarded ---- */
typedef enum proxy_failure {
    PROXY_OK,
    PROXY_CONNECT_FAILED,     /* refused, unreachable, reset before the head */
    PROXY_BAD_RESPONSE,       /* malformed head or framing, or closed before the head */
    PROXY_TRUNCATED,          /* ended in the middle of the body: too late for a page */
    PROXY_TIMEOUT,            /* timeout_us ran out */
    PROXY_REQUEST_TOO_LARGE,  /* its body passed body_limit */
    PROXY_RESPONSE_TOO_LARGE, /* it declares more than response_limit */
    PROXY_CLIENT_GONE         /* the caller left; an upstream with the whole request works on */
} proxy_failure;
const char *proxy_failure_name(proxy_failure f);
/* A clause about what went wrong, or NULL; for on_failure. */
const char *exchange_failure_detail(const exchange *x);

typedef struct exchange_outcome {
    proxy_failure failure;
    unsigned status; /* sent to the caller; 0: none */
    bool forwarded;
    uint64_t request_bytes;  /* head and body as received */
    uint64_t response_bytes; /* head (about) and body as sent */
    int64_t latency_us;
} exchange_outcome;

/* The judge. */
typedef struct exchange_handler {
    /* The head is complete and sound; no body byte was read, no 100 Continue sent. */
    void (*on_head)(void *ctx, exchange *x);
    /* The upstream failed before a response head: fill *out with the page (views must live until
     * on_done). Not called for PROXY_CLIENT_GONE and PROXY_TRUNCATED, and never from within
     * exchange_forward. */
    void (*on_failure)(void *ctx, exchange *x, proxy_failure f, reply *out);
    /* A request was malformed and is answered 400 (why is a static sentence), or its head was too
     * large (431, 414) or too slow (408): for the log. No exchange exists. Nullable. */
    void (*on_malformed)(void *ctx, const net_addr *peer, unsigned status, const char *why);
    /* Everything is over; x is freed after this returns. Called for every on_head. */
    void (*on_done)(void *ctx, exchange *x, const exchange_outcome *o);
    void *ctx;
} exchange_handler;

/* ---- the worker's proxy: callers' side, upstream pool ---- */
typedef struct proxy proxy;

typedef struct proxy_options {
    exchange_handler handler;
    size_t connection_memory;   /* per caller connection; bounds the request head */
    unsigned connections_max;   /* 0: no callers' side at all, proxy_fetch only */
    unsigned idle_timeout_s;    /* caller connections */
    unsigned head_timeout_s;    /* for a complete request head (slow clients) */
    unsigned upstream_idle_s;   /* kept-alive upstream connections */
    unsigned upstream_idle_max; /* per upstream address */
    int64_t connect_timeout_us;
    /* Both are copied. */
    const struct tls_options *tls;         /* proxy/tls.h; NULL: TLS is not spoken */
    const struct connect_handler *connect; /* proxy/connect.h; NULL: CONNECT is not known */
} proxy_options;

proxy *proxy_open(loop *l, const proxy_options *o, error *e);

/* A listening socket that was accepted from on this worker's loop: hands sockets in with `tag`. */
void proxy_adopt(proxy *p, int fd, const net_addr *peer, void *tag);

/* Callers' connections so far, and now. */
typedef struct proxy_connections {
    uint64_t accepted;              /* all, those that ended before they said anything too */
    uint64_t http1, http2, connect; /* by what they began with */
    uint64_t tls_http1, tls_http2;  /* within TLS, by its ALPN */
    uint64_t handshakes, failed_handshakes; /* of TLS */
    uint64_t open;
} proxy_connections;
proxy_connections proxy_count_connections(const proxy *p);

/* Lets running exchanges end until deadline_us (monotonic), cancels the rest; on_idle is called
 * when nothing is left, then proxy_close() may be. */
void proxy_drain(proxy *p, int64_t deadline_us, void (*on_idle)(void *ctx), void *ctx);
void proxy_close(proxy *p);

/* A request by the pool's own client, for the JWKS and whatever else the main thread asks the
 * metadata process: on_result(ctx, status, body, e) once, after this returned; status 0 with *e on
 * failure. Nothing of r need outlive the call but ctx. */
typedef struct fetch_request {
    const net_addr *to;
    span method; /* empty: GET */
    span host, target;
    const field *fields; /* besides Host, Accept and what frames the body */
    size_t field_count;  /* at most FETCH_FIELDS_MAX */
    span body;
    size_t answer_max; /* bytes of its body */
    int64_t timeout_us;
    void (*on_result)(void *ctx, unsigned status, span body, const error *e);
    void *ctx;
} fetch_request;
enum { FETCH_FIELDS_MAX = 8 };
typedef struct fetch fetch;
fetch *proxy_fetch(proxy *p, const fetch_request *r);
void fetch_cancel(fetch *f);

/* The first field of that name in the answer; empty when there is none. Within on_result only. */
span fetch_header(const fetch *f, const char *name);

#endif
