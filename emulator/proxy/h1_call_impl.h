/* A call over HTTP/1.1 from the inside: h1_call.c sends the request, h1_response.c receives. */
#ifndef PROXY_H1_CALL_IMPL_H
#define PROXY_H1_CALL_IMPL_H

#include "base/buf.h"
#include "proxy/h1_call.h"

enum {
    H1_CALL_IN = 32 * 1024,       /* the head and what of the body came with it; then a window */
    H1_CALL_HEAD_MAX = 256 * 1024 /* request head */
};

typedef struct h1_call {
    call base;
    pool *pool;
    h1_call_spares *home;
    struct h1_call *next;
    net_addr to;
    upstream *up;
    head_framing framing;
    bool head_request, idempotent, retried;
    bool body_begun, heard;
    unsigned interim;
    buf out; /* head, and the gathered part of the body */
    size_t out_sent;
    size_t head_end;       /* where the body begins in in[] */
    size_t data, data_end; /* payload that was received and not taken */
    h1_body body;
    h1_head head; /* views into in[] */
    char in[H1_CALL_IN];
} h1_call;

/* Receives towards the response head (CALL_WAITING). */
void h1_response_progress(h1_call *c);
ssize_t h1_response_read(call *base, char *p, size_t n);
span h1_response_data(const call *base);

/* The connection is gone: retries or fails. */
void h1_call_lost(h1_call *c, proxy_failure f, const char *why);
/* As call_abort. */
void h1_call_fail(h1_call *c, proxy_failure f, const char *why);

#endif
