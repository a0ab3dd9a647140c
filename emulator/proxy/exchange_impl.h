/* An exchange from the inside: shared by exchange.c, proxy.c and the callers' sides. */
#ifndef PROXY_EXCHANGE_IMPL_H
#define PROXY_EXCHANGE_IMPL_H

#include "proxy/call.h"
#include "proxy/exchange.h"

struct MHD_Connection;
struct MHD_Response;
struct h1_conn;

/* What a callers' side does for an exchange. */
typedef struct front_ops {
    /* Something that it may be waiting for came true: the verdict, room for the request's body, the
     * response or more of it. Harmless when it does not wait. */
    void (*wake)(exchange *x);
    /* End the caller's connection now, whatever it is doing. */
    void (*cut)(exchange *x);
} front_ops;

typedef enum verdict { VERDICT_NONE, VERDICT_DEFERRED, VERDICT_REPLY, VERDICT_FORWARD } verdict;

enum { EXCHANGE_ARENA = 4096, EXCHANGE_FIELDS = 64 };

typedef struct arena_block {
    struct arena_block *next;
} arena_block;

struct exchange {
    proxy *proxy;
    exchange *next; /* in the proxy's list of spares, or of open ones */
    exchange *previous;
    const front_ops *front;

    /* the request */
    span method, target, path, host, version;
    span scheme, named_host; /* of an absolute-form target; else empty */
    span outgoing;           /* the target as the upstream is asked for it */
    field *fields;
    size_t field_count, field_room;
    head_framing framing;
    const net_addr *peer;
    void *tag;
    int64_t started_us;
    size_t head_bytes;

    /* the judgement */
    reply reply; /* the judge's, or the failure's page */
    void *user;
    verdict verdict;
    bool judged; /* on_head was called: on_done has to be */
    bool has_reply;

    /* the request's kind */
    bool has_body, expect_continue, http10, secure;
    bool answered; /* the response's head was handed to the caller's side */
    bool detached; /* the caller left and was reported; only the upstream is still busy */

    /* the response */
    forward forward;
    call *call; /* NULL until it is forwarded, and once it was upgraded */
    loop_timer deadline;
    uint64_t request_body, response_bytes;
    proxy_failure failure;
    unsigned status;

    /* either callers' side's */
    exchange *next_corked;
    bool corked;
    bool cut; /* the caller's connection, or stream, is on its way to its end */

    /* h1_front's */
    struct h1_conn *conn;
    struct MHD_Connection *mhd;
    struct MHD_Response *streaming;
    struct h1_upgrade *upgrade; /* NULL until the caller's side was upgraded */
    loop_timer continue_timer;
    int64_t hold_until_us; /* 0: was not held yet */
    enum { STAGE_HEAD, STAGE_ADMIT, STAGE_BODY, STAGE_ANSWERED } stage;
    bool suspended, held, request_ended, continue_waited;

    /* h2_front's */
    struct {
        struct h2_conn *conn;
        exchange *next, *previous; /* on its connection */
        buf pending;               /* of the request's body, for which there was no room yet */
        size_t pending_at;
        field *trailers;
        size_t trailer_count;
        size_t reply_at;  /* what of the reply's body has left */
        size_t head_cost; /* as SETTINGS_MAX_HEADER_LIST_SIZE counts */
        int32_t id;
        bool ended, end_told;      /* the request; upstream's side knows that */
        bool responding, deferred; /* the head was handed over; the body waits for more */
        bool end_sent;
        bool too_large, hosts_differ;
    } h2;

    size_t arena_used;
    arena_block *arena_more;
    field inline_fields[EXCHANGE_FIELDS];
    char arena[EXCHANGE_ARENA];
};

/* A fresh one from the proxy's spares. */
exchange *exchange_new(proxy *p, const front_ops *front);
/* A NUL-terminated copy that lives as long as x. */
span exchange_keep(exchange *x, span s);
void exchange_add_field(exchange *x, span name, span value);
void exchange_set_target(exchange *x, span target); /* copied */

/* Calls the judge. */
void exchange_judge(exchange *x);
/* Takes note of the call's end. Turns a failure that was noticed within exchange_forward into its
 * page: the judge is not called back from within its own call. */
void exchange_settle(exchange *x);
/* No head went out yet: the judge's page for f becomes the answer. */
void exchange_fail(exchange *x, proxy_failure f);

/* What was gathered for the upstream leaves when the turn is over, or (uncork) was sent already. */
void exchange_cork(exchange *x);
void exchange_uncork(exchange *x);

/* The upstream is done with it: tells whom the judge wants told, once. Before the caller has the
 * last byte, lest its next request comes before. */
void exchange_upstream_over(exchange *x);

/* The caller left: the upstream is not told once it has the whole request, else its connection is
 * closed at once. */
void exchange_client_gone(exchange *x);
/* Nothing more will be sent: the outcome is told, x goes back to the spares. */
void exchange_finish(exchange *x, bool complete);
void exchange_recycle(exchange *x);

/* detached.c: the end of an exchange whose caller has gone. */
bool exchange_may_detach(const exchange *x);
void exchange_detach(exchange *x);
void exchange_detached_over(exchange *x);

/* n more bytes of the request's body came. false: that is too much; the page for it is the answer,
 * and the upstream's connection is closed. */
bool exchange_body_fits(exchange *x, size_t n);

/* There is an answer to send: a reply, or an upstream's head. */
static inline bool exchange_has_upstream_head(const exchange *x)
{
    return x->verdict == VERDICT_FORWARD && !x->has_reply &&
           (x->call->state == CALL_BODY || x->call->state == CALL_DONE ||
            x->call->state == CALL_SWITCHED);
}

/* call_read for a callers' side. */
ssize_t exchange_read(exchange *x, char *p, size_t n);

/* The head goes out: failures from here on truncate. Does this response field travel? */
void exchange_answer_begins(exchange *x, unsigned status);
bool exchange_response_field_travels(const exchange *x, const header_names *drop, span name);

#endif
