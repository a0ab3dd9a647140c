/* Calls over HTTP/2 from the inside: h2_call.c sends the request, h2_answer.c receives,
 * h2_upstream.c has the connections. */
#ifndef PROXY_H2_CALL_IMPL_H
#define PROXY_H2_CALL_IMPL_H

#include "proxy/h2_call.h"
#include "proxy/upstream.h"

struct h2_upstream;

/* A header section as it is received. */
typedef struct h2_section {
    buf text; /* names and values, one behind the other */
    size_t count;
    struct {
        uint32_t name_n, value_n;
    } sizes[H1_FIELDS_MAX];
    field fields[H1_FIELDS_MAX]; /* once it is complete */
} h2_section;

typedef struct h2_call {
    call base;
    h2_pool *pool;
    struct h2_upstream *conn; /* NULL: not begun, or over */
    int32_t id;
    struct h2_call *next, *previous; /* on its connection, or (next) among the spares */
    struct h2_call *next_told;
    struct h2_upstream *teller; /* in whose list of those to be told it is */
    net_addr to;
    bool head_request, idempotent, retried, fresh;
    bool has_body, declared; /* declared: Content-Length was sent, so trailers are not */
    bool body_begun, deferred, blocked;
    h2_head head; /* the request's, kept for a second try */
    h2_head *trailers;
    buf out; /* of the request's body, not yet in frames */
    size_t out_sent;

    h2_section answer_head, answer_trailers;
    unsigned interim;
    buf in; /* payload that was not taken */
    size_t in_taken;
} h2_call;

/* One connection. */
typedef struct h2_upstream {
    h2_session session;
    h2_pool *pool;
    struct h2_upstream *next, *previous;
    upstream *up;
    net_addr to;
    loop_timer idle;
    h2_call *calls;
    size_t call_count;
    h2_call *told; /* calls whose owners are to hear of a change, when nghttp2 is done */
    bool reused;   /* carried a call to its end */
    bool closing;  /* takes no new calls */
} h2_upstream;

struct h2_pool {
    h2_home *home;
    h2_pool_options options;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *session_options;
    h2_upstream *conns;
    h2_call *spares;
    size_t spare_count;
};

/* h2_upstream.c: a connection with room, or NULL and errno. fresh: a new one; patience_us of it:
 * see upstream_open. */
h2_upstream *h2_upstream_take(h2_pool *p, const net_addr *to, bool fresh, int64_t patience_us);
void h2_upstream_attach(h2_upstream *u, h2_call *c);
void h2_upstream_detach(h2_call *c); /* harmless when it is not attached */
/* c's owner hears of a change when nghttp2 is done with what came; or, after all, not. */
void h2_upstream_tell(h2_upstream *u, h2_call *c);
void h2_upstream_untell(h2_call *c);

/* h2_call.c */
void h2_call_submit(h2_call *c);
/* The stream or its connection is gone: asks once more, where asking twice is harmless (harmless:
 * as far as the caller of this knows), or fails. */
void h2_call_lost(h2_call *c, proxy_failure f, bool harmless, const char *why);
void h2_call_dispose(h2_call *c);
void h2_call_fail(h2_call *c, proxy_failure f, const char *why);

/* h2_answer.c */
nghttp2_session_callbacks *h2_answer_callbacks(void);
ssize_t h2_answer_read(call *base, char *p, size_t n);
span h2_answer_data(const call *base);
/* Forgets the response; payload that nobody took is counted as taken. */
void h2_answer_reset(h2_call *c);

#endif
