/* The worker's proxy from the inside. */
#ifndef PROXY_PROXY_IMPL_H
#define PROXY_PROXY_IMPL_H

#include "http/mhd_loop.h"
#include "proxy/connect.h"
#include "proxy/exchange_impl.h"
#include "proxy/guest.h"
#include "proxy/h1_call.h"
#include "proxy/h2_call.h"
#include "proxy/linger.h"
#include "proxy/pool.h"
#include "proxy/tls.h"

typedef struct relay relay;

/* What mhd_loop_adopting_tag() is while libmicrohttpd is handed a caller's connection. */
typedef struct h1_adoption {
    const net_addr *peer;
    void *tag;
    relay *relay; /* between it and TLS; NULL: it is the caller's own socket */
} h1_adoption;

/* One caller's HTTP/1.1 connection. */
typedef struct h1_conn {
    loop_watch watch; /* the caller's end of stream, by edge */
    loop_timer head_timer;
    proxy *proxy;
    struct h1_conn *next, *previous;
    exchange *x; /* the request that is open, from its request line on */
    void *tag;
    relay *relay;     /* NULL: none, or not any more */
    bool secure;      /* the caller speaks TLS */
    bool gone;        /* the caller left */
    bool half_closed; /* it sends nothing more, but may be waiting for an answer */
    bool linger;      /* it may still be sending: read that before closing */
    uint64_t requests, requests_seen, bytes_seen; /* at the last look of head_timer */
    net_addr peer;
} h1_conn;

struct proxy {
    loop *loop;
    proxy_options options;
    pool *pool;
    h1_call_spares h1_calls;
    h2_home h2_home;
    h2_pool *h2_pool;
    struct h2_front *h2_front; /* NULL without a callers' side */
    mhd_loop *mhd;
    linger_list *linger;
    tls_context *tls; /* NULL: not spoken */
    connect_handler connect;
    guest *guests;
    size_t guest_count;
    h1_conn *conns;
    proxy_connections counted; /* `open` is not kept here */
    size_t conn_count;         /* without those behind a relay, who are guests */
    size_t open_count;         /* exchanges from on_head to on_done */
    exchange *open;
    exchange *detached; /* their callers have gone */
    size_t detached_count;
    exchange *spares;
    size_t spare_count, exchanges;
    exchange *corked; /* what was gathered for upstreams, sent when the turn is over */
    fetch *fetches;
    unsigned held; /* exchanges that wait without being suspended */
    bool draining, closing;
    loop_timer drain_timer;
    void (*on_idle)(void *ctx);
    void *idle_ctx;
};

void exchange_free(exchange *x);
void proxy_exchange_opened(proxy *p, exchange *x);
void proxy_exchange_closed(proxy *p, exchange *x);
/* No further caller is let in. */
bool proxy_is_full(const proxy *p);

/* h1_front.c */
mhd_loop *h1_front_open(proxy *p, error *e);
void h1_front_wait(exchange *x);

/* h1_conn.c */
void h1_conns_shut_idle(proxy *p); /* ends connections without a request */
void h1_conns_cut_all(proxy *p);   /* and those with one; nothing is suspended afterwards */
/* Its socket is somebody else's to watch from here on, though not to close. */
void h1_conn_upgraded(h1_conn *conn);
void h1_conn_notify(void *ctx, struct MHD_Connection *c, void **per_connection,
                    enum MHD_ConnectionNotificationCode what);

/* relay.c */
uint64_t relay_received(const relay *r);  /* from the caller, without what TLS adds */
void relay_meet(relay *r, h1_conn *conn); /* NULL: it is closed */
void relay_upgraded(relay *r);            /* HTTP/1.1 is no longer spoken */

/* h1_upgrade.c: takes x to the upstream's new protocol; libmicrohttpd calls it behind the 101. */
void h1_upgrade_begin(void *x, struct MHD_Connection *c, void *per_request, const char *behind,
                      size_t n, int fd, struct MHD_UpgradeResponseHandle *handle);

/* h1_reply.c: queues what x has to say; MHD_NO: close the connection. */
enum MHD_Result h1_reply_queue(exchange *x);
/* A reply of ours in the middle of a request's body; ends the connection. */
enum MHD_Result h1_reply_at_once(exchange *x);
enum MHD_Result h1_reply_malformed(struct MHD_Connection *c, const char *why);

/* fetch.c */
void fetch_cancel_all(proxy *p);

#endif
