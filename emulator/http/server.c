/* libmicrohttpd's callbacks turned into whole requests for one handler: listeners, connections and
 * the life of a request. */
#include "http/server.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "http/server_impl.h"

enum {
    SWALLOW_MAX = 1024 * 1024, /* read beyond body_max so that the client gets to see the 413 */
    LINGER_US = 1000 * 1000,
    CLOSE_TURNS = 4
};

typedef struct listener {
    struct listener *next;
    http_server *server;
    void *tag;
    net_acceptor *acceptor;
} listener;

/* ---- a request's life ---- */

static enum MHD_Result answer_early(http_request *r, unsigned status, const char *sentence)
{
    respond_error(r, status, sentence, true);
    return respond_queue(r);
}

static size_t head_bytes(http_request *r)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

static enum MHD_Result take_head(http_request *r, const char *method, const char *version)
{
    const http_server_options *o = &r->conn->server->options;
    r->method = method;
    const char *fault = gate_check(r->mhd, method, r->target.p, version, &r->facts);
    if (fault)
        return answer_early(r, 400, fault);
    if (head_bytes(r) > o->head_max)
        return answer_early(r, 431, "the request line and header fields are too large");
    request_take_head(r);
    r->body = buf_make(o->body_max);
    r->state = REQUEST_BODY;
    if (r->facts.has_length && r->facts.length > o->body_max) {
        if (r->facts.expect_continue || r->facts.length > o->body_max + SWALLOW_MAX)
            return answer_early(r, 413, "the request body is too large");
        r->state = REQUEST_SWALLOW;
    }
    return MHD_YES;
}

static enum MHD_Result take_body(http_request *r, const char *data, size_t *n)
{
    if (r->state == REQUEST_BODY) {
        buf_add(&r->body, data, *n);
        if (!buf_ok(&r->body))
            r->state = REQUEST_SWALLOW;
    }
    if (r->state == REQUEST_SWALLOW) {
        r->swallowed += *n;
        if (r->swallowed > r->conn->server->options.body_max + (uint64_t)SWALLOW_MAX)
            return MHD_NO;
    }
    *n = 0;
    return MHD_YES;
}

static enum MHD_Result dispatch(http_request *r)
{
    http_server *s = r->conn->server;
    r->state = REQUEST_HANDLING;
    s->options.handle(s->options.ctx, r);
    if (r->state == REQUEST_ANSWERED)
        return respond_queue(r);
    assert(r->deferred);
    respond_defer_now(r);
    return MHD_YES;
}

static enum MHD_Result end_of_body(http_request *r)
{
    if (r->state == REQUEST_SWALLOW)
        return answer_early(r, 413, "the request body is too large");
    const char *fault = r->facts.chunked ? gate_trailers(r->mhd, r->method, NULL, NULL) : NULL;
    if (fault)
        return answer_early(r, 400, fault);
    return dispatch(r);
}

static enum MHD_Result on_call(void *ctx, struct MHD_Connection *c, const char *url,
                               const char *method, const char *version, const char *data, size_t *n,
                               void **per_request)
{
    (void)ctx;
    (void)c;
    (void)url;
    http_request *r = *per_request;
    if (!r)
        return MHD_NO;
    switch (r->state) {
    case REQUEST_HEAD:
        return take_head(r, method, version);
    case REQUEST_BODY:
    case REQUEST_SWALLOW:
        return *n ? take_body(r, data, n) : end_of_body(r);
    case REQUEST_ANSWERED:
        return respond_queue(r);
    case REQUEST_DEFERRED:
        return MHD_YES;
    case REQUEST_IDLE:
    case REQUEST_HANDLING:
    case REQUEST_DROPPED:
        return MHD_NO;
    }
    abort();
}

static void *on_target(void *ctx, const char *uri, struct MHD_Connection *c)
{
    (void)ctx;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    http_conn *conn = info ? info->socket_context : NULL;
    if (!conn)
        return NULL;
    http_request *r = &conn->request;
    request_reset(r);
    r->mhd = c;
    r->state = REQUEST_HEAD;
    request_set_target(r, uri);
    return r;
}

static void on_completed(void *ctx, struct MHD_Connection *c, void **per_request,
                         enum MHD_RequestTerminationCode code)
{
    (void)ctx;
    (void)c;
    (void)code;
    http_request *r = *per_request;
    if (r)
        request_reset(r);
    *per_request = NULL;
}

/* ---- connections ---- */

static void on_client_event(loop_watch *w, uint32_t events)
{
    http_conn *conn = container_of(w, http_conn, watch);
    if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)))
        return;
    conn->gone = true;
    if (conn->request.state == REQUEST_DEFERRED)
        respond_drop(&conn->request);
    else if (conn->request.stream)
        stream_client_left(&conn->request);
    else
        loop_timer_set(conn->server->loop, &conn->linger,
                       loop_now_us(conn->server->loop) + LINGER_US);
}

/* libmicrohttpd misses an end of stream that comes together with data (its epoll is edge-triggered
 * and a short read tells it that there is no more), so a half request would stay until the idle
 * time-out. Who sent a whole request and closed his side has his answer by now. */
static void on_linger_over(loop_timer *t)
{
    http_conn *conn = container_of(t, http_conn, linger);
    loop *l = conn->server->loop;
    if (conn->request.state == REQUEST_ANSWERED) /* still on its way out */
        loop_timer_set(l, t, loop_now_us(l) + LINGER_US);
    else
        (void)shutdown(conn->watch.fd, SHUT_RDWR);
}

static http_conn *conn_new(http_server *s, struct MHD_Connection *c)
{
    http_conn *conn = calloc(1, sizeof *conn);
    if (!conn)
        abort();
    conn->server = s;
    conn->tag = mhd_loop_adopting_tag(s->mhd);
    conn->request.conn = conn;
    conn->linger.fire = on_linger_over;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr) {
        conn->peer.len = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                  : sizeof(struct sockaddr_in);
        memcpy(&conn->peer.ss, info->client_addr, conn->peer.len);
    }
    info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
    conn->watch = (loop_watch){.ready = on_client_event, .fd = info ? info->connect_fd : -1};
    (void)loop_add(s->loop, &conn->watch, EPOLLRDHUP | EPOLLET, NULL);
    return conn;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    http_server *s = ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = conn_new(s, c);
        return;
    }
    http_conn *conn = *socket_context;
    *socket_context = NULL;
    if (!conn)
        return;
    loop_del(s->loop, &conn->watch);
    loop_timer_cancel(s->loop, &conn->linger);
    request_reset(&conn->request);
    free(conn);
}

static void on_accept(void *ctx, int fd, const net_addr *peer)
{
    listener *l = ctx;
    mhd_loop_adopt(l->server->mhd, fd, peer, l->tag);
}

/* ---- the server ---- */

static void on_gone_check(loop_timer *t)
{
    http_server *s = container_of(t, http_server, gone_check);
    respond_drop_gone(s);
    stream_drop_gone(s);
}

http_server *http_server_open(loop *l, const http_server_options *o, error *e)
{
    http_server *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    s->loop = l;
    s->options = *o;
    s->gone_check.fire = on_gone_check;
    const mhd_loop_options mhd = {
        .handle = on_call,
        .completed = on_completed,
        .raw_target = on_target,
        .connection = on_connection,
        .ctx = s,
        /* Beside the head, the same memory holds its index and the head of the answer. */
        .connection_memory = o->head_max + o->head_max / 4 + 2048,
        .connections_max = o->connections_max,
        .idle_timeout_s = o->idle_timeout_s,
    };
    s->mhd = mhd_loop_open(l, &mhd, e);
    if (s->mhd)
        return s;
    free(s);
    return NULL;
}

bool http_server_listen(http_server *s, const net_addr *a, bool reuseport, void *tag,
                        net_addr *out_bound, error *e)
{
    int fd = net_listen(a, reuseport, e);
    if (fd < 0)
        return false;
    net_addr bound = *a;
    (void)net_local(fd, &bound);
    listener *l = calloc(1, sizeof *l);
    if (!l)
        abort();
    *l = (listener){.next = s->listeners, .server = s, .tag = tag};
    l->acceptor = net_acceptor_open(s->loop, fd, on_accept, l, e);
    if (!l->acceptor) {
        free(l);
        return false;
    }
    s->listeners = l;
    if (out_bound)
        *out_bound = bound;
    return true;
}

static void close_listener(listener *l)
{
    net_acceptor_close(l->acceptor);
    free(l);
}

void http_server_unlisten(http_server *s, void *tag)
{
    listener **at = &s->listeners;
    while (*at) {
        listener *l = *at;
        if (l->tag != tag) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        close_listener(l);
    }
}

/* libmicrohttpd must not be stopped while a connection is suspended. */
static void answer_deferred(http_server *s)
{
    while (s->deferred) {
        http_request *r = s->deferred;
        void (*on_gone)(void *ctx) = r->on_gone;
        void *ctx = r->gone_ctx;
        respond_error(r, 503, "the server is stopping", true);
        if (on_gone)
            on_gone(ctx);
    }
}

void http_server_close(http_server *s)
{
    if (!s)
        return;
    s->closing = true;
    while (s->listeners) {
        listener *l = s->listeners;
        s->listeners = l->next;
        close_listener(l);
    }
    for (int i = 0; i < CLOSE_TURNS || s->deferred || s->streams; i++) {
        answer_deferred(s);
        stream_end_all(s);
        loop_turn(s->loop, 0);
    }
    loop_timer_cancel(s->loop, &s->gone_check);
    mhd_loop_close(s->mhd);
    free(s);
}
