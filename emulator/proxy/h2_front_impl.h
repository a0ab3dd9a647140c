/* Callers' side over HTTP/2 from the inside: h2_front.c has the connections, h2_request.c and
 * h2_response.c the two halves of a stream. */
#ifndef PROXY_H2_FRONT_IMPL_H
#define PROXY_H2_FRONT_IMPL_H

#include "base/clock.h"
#include "proxy/h2_front.h"
#include "proxy/h2_session.h"
#include "proxy/proxy_impl.h"

struct h2_front {
    proxy *proxy;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    int64_t date_s; /* of date[] */
    char date[CLOCK_HTTP_DATE_MAX];
};

/* A stream that had its whole answer before its request was over. */
typedef struct h2_early {
    int64_t until_us;
    int32_t id;
} h2_early;

/* One caller's connection. */
typedef struct h2_conn {
    guest guest;
    h2_session session;
    wire *wire;
    proxy *proxy;
    exchange *streams;
    size_t stream_count;
    int32_t heading, heading_seen; /* whose header section is not complete; at the last look */
    uint64_t sent_seen;            /* bytes that had left at the last look */
    bool full_seen;                /* and more were to leave */
    size_t swallowed;              /* of requests that have their answer */
    int64_t quiet_since_us;
    loop_timer timer;
    loop_timer early_timer;
    h2_early *early; /* oldest first */
    size_t early_count, early_room;
    net_addr peer;
    void *tag;
    bool secure;
    bool greeted; /* the client's SETTINGS came */
    bool draining;
    bool unsettled; /* calls of its streams have failed, and nobody took note */
} h2_conn;

/* h2_request.c */
void h2_request_callbacks(nghttp2_session_callbacks *k);
exchange *h2_stream_of(nghttp2_session *ng, int32_t id);
/* Hands on what of the body upstream's side had no room for. */
void h2_request_go_on(exchange *x);
/* Bytes that nobody will take any more: the caller may send as many others. */
void h2_request_discard(exchange *x);

/* h2_response.c */
void h2_response_begin(exchange *x);
void h2_response_interim(exchange *x);                                  /* 100 Continue */
void h2_response_refuse(exchange *x, unsigned status, const char *why); /* never judged */

/* h2_front.c */
extern const front_ops h2_front_ops;
void h2_stream_reset(exchange *x, uint32_t code);
/* The rest of its request may come for a moment still; then the caller is told to stop. */
void h2_stream_answered_early(h2_conn *c, int32_t id);
/* The stream is closed, or its connection is. */
void h2_stream_over(exchange *x);

#endif
