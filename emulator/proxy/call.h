/* The upstream's side as the exchange sees it: one request to an upstream and its response, over
 * whatever protocol (h1_call, h2_call). Pulled by its owner: no more is taken from the upstream
 * than there is room for. */
#ifndef PROXY_CALL_H
#define PROXY_CALL_H

#include <sys/types.h>

#include "base/net.h"
#include "proxy/exchange.h"
#include "proxy/h1_parse.h"
#include "proxy/headers.h"

typedef enum call_state {
    CALL_IDLE,
    CALL_WAITING, /* for the response head */
    CALL_BODY,    /* the head is there; more of the body is to come */
    CALL_DONE,    /* the whole response was received; data() may still hold some of it */
    CALL_FAILED,  /* see failure and why */
    CALL_SWITCHED /* the upstream agreed to be upgraded: see call_part */
} call_state;

/* Valid from CALL_BODY or CALL_SWITCHED until the call is released; views into its memory. */
typedef struct response_head {
    unsigned status;
    const field *fields;
    size_t field_count;
    size_t bytes;          /* as received, about */
    bool connection_names; /* Connection names further fields */
    h1_framing framing;    /* H1_CHUNKED where the length is not known (HTTP/2 without one) */
    bool has_length;
    uint64_t length;
    const field *trailers; /* in CALL_DONE */
    size_t trailer_count;
} response_head;

typedef struct call call;

/* See the functions of the same names below. */
typedef struct call_ops {
    void (*start)(call *c, const net_addr *to, const head_out *h, bool cork);
    size_t (*send)(call *c, const char *p, size_t n);
    void (*end)(call *c, const field *trailers, size_t n);
    void (*flush)(call *c);
    ssize_t (*read)(call *c, char *p, size_t n);
    span (*data)(const call *c);
    void (*abort)(call *c, proxy_failure f, const char *why);
    void (*release)(call *c);
    struct upstream *(*part)(call *c); /* NULL: never in CALL_SWITCHED */
    bool cancels; /* the upstream learns at once, and at no cost to others, that the caller left */
} call_ops;

struct call {
    const call_ops *ops;
    /* state, data or room changed; never called from within a function of the call */
    void (*changed)(void *owner);
    void *owner;
    call_state state;
    proxy_failure failure;
    const char *why;
    bool upgrading;      /* it was asked for an upgrade */
    bool got_continue;   /* the upstream said 100 */
    bool upload_over;    /* it takes no more of the body: the rest is swallowed */
    bool body_ended;     /* the whole request was handed over */
    bool begun;          /* HTTP/1.1: some of it has left towards the upstream */
    int64_t patience_us; /* set before it starts; see upstream_open */
    uint32_t reset_code; /* of HTTP/2 (RFC 9113 §7), where the upstream reset the stream */
    response_head response;
};

/* Sends h, whose views need not outlive this. cork: the head waits for the body's first bytes or
 * call_flush. The state may be CALL_FAILED when this returns. */
static inline void call_start(call *c, const net_addr *to, const head_out *h, bool cork)
{
    c->ops->start(c, to, h, cork);
}

/* How many of the n > 0 body bytes were taken; none: wait for changed. They are gathered: flush at
 * the end of the turn. */
static inline size_t call_send(call *c, const char *p, size_t n)
{
    return c->ops->send(c, p, n);
}

/* The body is complete; trailers go out when its length was not declared. */
static inline void call_end(call *c, const field *trailers, size_t n)
{
    c->ops->end(c, trailers, n);
}

/* Sends what was gathered. From outside of any other call: may call changed. */
static inline void call_flush(call *c)
{
    c->ops->flush(c);
}

enum { CALL_WAIT = 0, CALL_END = -1, CALL_BROKEN = -2 };
/* Takes payload: bytes copied to p (at most n > 0), or one of the above. */
static inline ssize_t call_read(call *c, char *p, size_t n)
{
    return c->ops->read(c, p, n);
}

/* What call_read says when nothing is there: for the two that implement it. */
static inline ssize_t call_dry(const call *c)
{
    switch (c->state) {
    case CALL_DONE:
        return CALL_END;
    case CALL_BODY:
        return CALL_WAIT;
    case CALL_IDLE:
    case CALL_WAITING:
    case CALL_FAILED:
    case CALL_SWITCHED:
        break;
    }
    return CALL_BROKEN;
}

/* Payload that is there already, without taking it: all that is left of it in CALL_DONE. */
static inline span call_data(const call *c)
{
    return c->ops->data(c);
}

/* Ends it as failed (unless it is over) and lets go of the upstream. changed is not called. */
static inline void call_abort(call *c, proxy_failure f, const char *why)
{
    c->ops->abort(c, f, why);
}

/* In CALL_SWITCHED: the connection that speaks another protocol now is the asker's to close. What
 * came behind the head is in call_data. NULL: it was lost. */
static inline struct upstream *call_part(call *c)
{
    return c->ops->part(c);
}

/* Ends it if it is under way; c is gone. */
static inline void call_release(call *c)
{
    c->ops->release(c);
}

#endif
