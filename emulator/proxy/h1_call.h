/* One request to an upstream and its response over HTTP/1.1: takes a connection from the pool,
 * sends, retries once where that is safe, parses, gives the connection back. Pulled by its owner:
 * nothing is read from the upstream that there is no room for. */
#ifndef PROXY_H1_CALL_H
#define PROXY_H1_CALL_H

#include "base/buf.h"
#include "proxy/exchange.h"
#include "proxy/h1_parse.h"
#include "proxy/headers.h"
#include "proxy/pool.h"

enum {
    H1_CALL_IN = 32 * 1024,       /* the head and what of the body came with it; then a window */
    H1_CALL_HEAD_MAX = 256 * 1024 /* request head */
};

typedef enum h1_call_state {
    H1_CALL_IDLE,
    H1_CALL_WAITING, /* for the response head */
    H1_CALL_BODY,    /* head is there; more of the body is to come */
    H1_CALL_DONE,    /* the whole response was received; data() may still hold some of it */
    H1_CALL_FAILED   /* see failure and why */
} h1_call_state;

typedef struct h1_call h1_call;
struct h1_call {
    /* the owner's */
    pool *pool;
    void (*changed)(h1_call *c); /* state, data or room changed; never called from within a call */

    h1_call_state state;
    proxy_failure failure;
    const char *why;
    bool got_continue; /* the upstream said 100 */
    bool upload_over;  /* it takes no more of the body: the rest is swallowed */

    /* private from here on */
    net_addr to;
    upstream *up;
    head_framing framing;
    bool head_request, idempotent, retried;
    bool body_begun, body_ended, heard;
    unsigned interim;
    buf out; /* head, and the gathered part of the body */
    size_t out_sent;
    size_t head_end;       /* where the body begins in in[] */
    size_t data, data_end; /* payload that was received and not taken */
    h1_body body;
    h1_head head; /* views into in[]; valid from H1_CALL_BODY until h1_call_reset */
    char in[H1_CALL_IN];
};

/* Once per object. */
void h1_call_init(h1_call *c, pool *p, void (*changed)(h1_call *c));
void h1_call_free(h1_call *c);

/* Ready for another request; ends one that is still under way. */
void h1_call_reset(h1_call *c);

/* Sends h. cork: the head waits for the body's first bytes or h1_call_flush. The state may be
 * H1_CALL_FAILED when this returns. */
void h1_call_start(h1_call *c, const net_addr *to, const head_out *h, bool cork);
void h1_call_flush(h1_call *c);
/* As h1_call_flush, from outside of any other call: may call changed. */
void h1_call_flush_late(h1_call *c);

/* How many of the n > 0 body bytes were taken; none: wait for changed. They are gathered: flush at
 * the end of the turn. */
size_t h1_call_send(h1_call *c, const char *p, size_t n);
/* The body is complete; trailers go out when it was chunked. */
void h1_call_end(h1_call *c, const field *trailers, size_t n);

/* Ends it as failed (unless it is over) and closes the connection. changed is not called. */
void h1_call_abort(h1_call *c, proxy_failure f, const char *why);

/* Payload that is there already, without taking it. */
static inline span h1_call_data(const h1_call *c)
{
    return (span){c->in + c->data, c->data_end - c->data};
}

enum { H1_CALL_WAIT = 0, H1_CALL_END = -1, H1_CALL_BROKEN = -2 };
/* Takes payload: bytes copied to p (at most n > 0), or one of the above. */
ssize_t h1_call_read(h1_call *c, char *p, size_t n);

#endif
