/* A caller's HTTP/1.1 connection beside its requests: who it is, whether it left, whether it
 * dawdles over a request head, how it is closed. */
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "proxy/proxy_impl.h"

static const char too_slow[] = "HTTP/1.1 408 Request Timeout\r\n"
                               "Connection: close\r\nContent-Length: 0\r\n\r\n";

enum { HALF_CLOSED_US = 1000 * 1000 };

/* The edge comes once, perhaps while libmicrohttpd is not looking because the connection is
 * suspended: it is remembered. */
static void on_hang_up(loop_watch *w, uint32_t events)
{
    h1_conn *conn = container_of(w, h1_conn, watch);
    exchange *x = conn->x;
    if (!(events & (EPOLLHUP | EPOLLERR)) && !(x && x->judged)) {
        /* A whole request may have come together with this end; a half one would stay, for
         * libmicrohttpd misses an end that comes together with data. */
        conn->half_closed = true;
        loop_timer_set(conn->proxy->loop, &conn->head_timer,
                       loop_now_us(conn->proxy->loop) + HALF_CLOSED_US);
        return;
    }
    if (x && x->stage == STAGE_ANSWERED && (!x->streaming || x->call->state == CALL_DONE))
        return; /* all is said: whether it was still heard, libmicrohttpd finds out */
    conn->gone = true;
    if (x && x->judged)
        exchange_client_gone(x);
}

static uint64_t bytes_received(const h1_conn *conn)
{
    if (conn->secure)
        return conn->relay ? relay_received(conn->relay) : conn->bytes_seen;
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    if (getsockopt(conn->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &n) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

/* A head was begun and has not become a request since the last look. */
static bool is_dawdling(h1_conn *conn)
{
    bool served = conn->requests != conn->requests_seen;
    conn->requests_seen = conn->requests;
    if (conn->x) {
        int64_t age = loop_now_us(conn->proxy->loop) - conn->x->started_us;
        return !conn->x->judged && age >= (int64_t)conn->proxy->options.head_timeout_s * 1000000;
    }
    uint64_t bytes = bytes_received(conn);
    bool more = bytes != conn->bytes_seen;
    conn->bytes_seen = bytes;
    return more && !served;
}

static void arm(h1_conn *conn)
{
    proxy *p = conn->proxy;
    if (p->options.head_timeout_s)
        loop_timer_set(p->loop, &conn->head_timer,
                       loop_now_us(p->loop) + (int64_t)p->options.head_timeout_s * 1000000);
}

static void on_head_timer(loop_timer *t)
{
    h1_conn *conn = container_of(t, h1_conn, head_timer);
    if (conn->half_closed) {
        if (conn->x && conn->x->judged)
            loop_timer_set(conn->proxy->loop, t, loop_now_us(conn->proxy->loop) + HALF_CLOSED_US);
        else
            (void)shutdown(conn->watch.fd, SHUT_RDWR);
        return;
    }
    if (!is_dawdling(conn)) {
        arm(conn);
        return;
    }
    const exchange_handler *h = &conn->proxy->options.handler;
    if (h->on_malformed)
        h->on_malformed(h->ctx, &conn->peer, 408, "the request head took too long");
    (void)send(conn->watch.fd, too_slow, sizeof too_slow - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(conn->watch.fd, SHUT_RDWR);
}

static void *conn_open(proxy *p, struct MHD_Connection *c)
{
    h1_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        abort();
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    const h1_adoption *adoption = mhd_loop_adopting_tag(p->mhd);
    conn->proxy = p;
    conn->tag = adoption->tag;
    conn->peer = *adoption->peer;
    conn->relay = adoption->relay;
    conn->secure = conn->relay != NULL;
    if (conn->relay)
        relay_meet(conn->relay, conn);
    else
        p->conn_count++;
    conn->watch = (loop_watch){.ready = on_hang_up, .fd = fd->connect_fd};
    conn->head_timer.fire = on_head_timer;
    conn->next = p->conns;
    if (conn->next)
        conn->next->previous = conn;
    p->conns = conn;
    error e = {0};
    if (!loop_add(p->loop, &conn->watch, EPOLLRDHUP | EPOLLET, &e))
        conn->gone = true;
    arm(conn);
    return conn;
}

static void conn_close(proxy *p, h1_conn *conn)
{
    loop_timer_cancel(p->loop, &conn->head_timer);
    loop_del(p->loop, &conn->watch);
    if (conn->relay)
        relay_meet(conn->relay, NULL); /* which lingers by itself */
    else if (conn->linger && !conn->secure && !conn->gone && !p->closing)
        linger_add(p->linger, conn->watch.fd);
    if (!conn->secure)
        p->conn_count--;
    *(conn->previous ? &conn->previous->next : &p->conns) = conn->next;
    if (conn->next)
        conn->next->previous = conn->previous;
    free(conn);
}

void h1_conn_notify(void *ctx, struct MHD_Connection *c, void **per_connection,
                    enum MHD_ConnectionNotificationCode what)
{
    switch (what) {
    case MHD_CONNECTION_NOTIFY_STARTED:
        *per_connection = conn_open(ctx, c);
        break;
    case MHD_CONNECTION_NOTIFY_CLOSED:
        conn_close(ctx, *per_connection);
        *per_connection = NULL;
        break;
    }
}

void h1_conn_upgraded(h1_conn *conn)
{
    loop_timer_cancel(conn->proxy->loop, &conn->head_timer);
    loop_del(conn->proxy->loop, &conn->watch);
    if (conn->relay)
        relay_upgraded(conn->relay);
}

void h1_conns_shut_idle(proxy *p)
{
    for (h1_conn *c = p->conns; c; c = c->next)
        if (!c->x)
            (void)shutdown(c->watch.fd, SHUT_RDWR);
}

void h1_conns_cut_all(proxy *p)
{
    for (h1_conn *c = p->conns; c; c = c->next) {
        (void)shutdown(c->watch.fd, SHUT_RDWR);
        if (!c->x)
            continue;
        if (c->x->call)
            call_abort(c->x->call, PROXY_CLIENT_GONE, "the gateway is stopping");
        c->x->front->cut(c->x);
    }
}
