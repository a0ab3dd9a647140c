/* The head stays in the socket until it is complete, so that what comes behind it is left for
 * whoever takes the connection over. */
#include "proxy/connect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/buf.h"
#include "proxy/guest.h"
#include "proxy/proxy_impl.h"
#include "proxy/tunnel.h"

enum { REACH_US = 5 * 1000 * 1000, REFUSAL_MAX = 4096 };

static const char established[] = "HTTP/1.1 200 Connection Established\r\n\r\n";

struct connect_request {
    guest guest;
    loop_watch watch; /* the caller's socket, until it is handed on */
    loop_timer deadline;
    proxy *proxy;
    arrival from;
    char *host;
    uint16_t port;
    bool asked; /* the judge has not answered yet */
    void *user;
    upstream *up; /* while it is being reached, and then in the tunnel */
    wire caller;
    tunnel *tunnel;
};

span connect_host(const connect_request *c)
{
    return span_of(c->host);
}

uint16_t connect_port(const connect_request *c)
{
    return c->port;
}

const net_addr *connect_peer(const connect_request *c)
{
    return &c->from.peer;
}

void *connect_tag(const connect_request *c)
{
    return c->from.tag;
}

void connect_set_user(connect_request *c, void *user)
{
    c->user = user;
}

void *connect_user(const connect_request *c)
{
    return c->user;
}

/* ---- the end of it ---- */

/* What is left once the socket was handed on, or closed. */
static void leave(connect_request *c)
{
    loop_timer_cancel(c->proxy->loop, &c->deadline);
    loop_del(c->proxy->loop, &c->watch);
    tunnel_close(c->tunnel);
    upstream_close(c->up);
    guest_leave(c->proxy, &c->guest);
    free(c->host);
    free(c);
}

static void close_request(guest *g)
{
    connect_request *c = container_of(g, connect_request, guest);
    const connect_handler *h = &c->proxy->connect;
    if (c->asked)
        h->on_gone(h->ctx, c);
    if (c->tunnel) {
        tunnel_close(TAKE(c->tunnel));
        wire_close(&c->caller);
    } else {
        (void)close(c->watch.fd);
    }
    leave(c);
}

static const char *phrase(unsigned status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 408:
        return "Request Timeout";
    default:
        return "Bad Gateway";
    }
}

void connect_refuse(connect_request *c, unsigned status, span text)
{
    auto_buf buf b = buf_make(REFUSAL_MAX);
    buf_fmt(&b,
            "HTTP/1.1 %u %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: %zu\r\nConnection: close\r\n\r\n%.*s",
            status, phrase(status), text.n, SPAN_ARG(text));
    const int fd = c->watch.fd;
    c->asked = false;
    loop_del(c->proxy->loop, &c->watch);
    (void)send(fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    linger_add(c->proxy->linger, fd);
    (void)close(fd);
    leave(c);
}

static void refuse_malformed(connect_request *c, unsigned status, const char *why)
{
    const exchange_handler *h = &c->proxy->options.handler;
    if (h->on_malformed)
        h->on_malformed(h->ctx, &c->from.peer, status, why);
    auto_buf buf b = buf_make(REFUSAL_MAX);
    buf_fmt(&b, "%s\n", why);
    connect_refuse(c, status, buf_view(&b));
}

/* ---- landing ---- */

/* The first bytes on a connection fit into its socket. */
static bool say_established(const connect_request *c)
{
    const size_t n = sizeof established - 1;
    return send(c->watch.fd, established, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)n;
}

void connect_land(connect_request *c, void *tag)
{
    c->asked = false;
    if (!say_established(c)) {
        close_request(&c->guest);
        return;
    }
    proxy *p = c->proxy;
    const int fd = c->watch.fd;
    const arrival to = {.peer = c->from.peer, .tag = tag, .inside = true};
    leave(c);
    landing_take(p, fd, &to);
}

/* ---- going through ---- */

static void on_over(void *owner)
{
    connect_request *c = owner;
    close_request(&c->guest);
}

static void open_tunnel(connect_request *c)
{
    loop *l = c->proxy->loop;
    if (!say_established(c)) {
        close_request(&c->guest);
        return;
    }
    error e = {0};
    loop_del(l, &c->watch);
    loop_timer_cancel(l, &c->deadline);
    if (!wire_open(&c->caller, l, c->watch.fd, &e)) {
        leave(c);
        return;
    }
    c->guest.waited_for = true;
    c->tunnel = tunnel_open(
        l, &(tunnel_options){.a = &c->caller, .b = &c->up->wire, .on_over = on_over, .owner = c});
}

static void refuse_unreachable(connect_request *c, int cause)
{
    auto_buf buf b = buf_make(REFUSAL_MAX);
    buf_fmt(&b, "%s:%u cannot be reached: %s.\n", c->host, c->port, strerror(cause));
    connect_refuse(c, 502, buf_view(&b));
}

static void on_reached(void *owner)
{
    connect_request *c = owner;
    if (c->up->connecting)
        return;
    if (c->up->connected)
        open_tunnel(c);
    else
        refuse_unreachable(c, c->up->wire.error);
}

void connect_through(connect_request *c, const net_addr *a)
{
    c->asked = false;
    c->up = upstream_open(c->proxy->loop, a, REACH_US, 0);
    if (c->up)
        upstream_own(c->up, on_reached, c);
    else
        refuse_unreachable(c, errno);
}

/* ---- the head ---- */

static void ask_judge(connect_request *c, const connect_head *head)
{
    const connect_handler *h = &c->proxy->connect;
    loop_timer_cancel(c->proxy->loop, &c->deadline);
    c->host = span_dup(head->host);
    c->port = head->port;
    c->asked = true;
    h->on_connect(h->ctx, c);
}

/* What is there is looked at anew each time: a head mostly comes in one piece. */
static void read_head(connect_request *c, bool no_more)
{
    char seen[CONNECT_HEAD_MAX];
    ssize_t n;
    do {
        n = recv(c->watch.fd, seen, sizeof seen, MSG_PEEK | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0) {
        close_request(&c->guest);
        return;
    }
    connect_head head;
    switch (connect_parse((span){seen, (size_t)n}, &head)) {
    case CONNECT_MORE:
        if (no_more)
            close_request(&c->guest);
        return;
    case CONNECT_BAD:
        refuse_malformed(c, 400, head.why);
        return;
    case CONNECT_DONE:
        break;
    }
    char consumed[CONNECT_HEAD_MAX];
    if (recv(c->watch.fd, consumed, head.bytes, MSG_DONTWAIT) == (ssize_t)head.bytes)
        ask_judge(c, &head);
    else
        close_request(&c->guest);
}

static void on_socket(loop_watch *w, uint32_t events)
{
    connect_request *c = container_of(w, connect_request, watch);
    if (!c->host)
        read_head(c, events & EPOLLRDHUP);
    else if (events & (EPOLLHUP | EPOLLERR))
        close_request(&c->guest);
}

static void on_deadline(loop_timer *t)
{
    refuse_malformed(container_of(t, connect_request, deadline), 408,
                     "the request head took too long");
}

bool connect_is_for(const proxy *p, const arrival *from)
{
    const connect_handler *h = &p->connect;
    return h->takes && !from->inside && h->takes(h->ctx, from->tag);
}

void connect_take(proxy *p, int fd, const arrival *from)
{
    connect_request *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    *c = (connect_request){.guest = {.close = close_request},
                           .watch = {.ready = on_socket, .fd = fd},
                           .deadline.fire = on_deadline,
                           .proxy = p,
                           .from = *from};
    guest_enter(p, &c->guest);
    if (p->options.head_timeout_s)
        loop_timer_set(p->loop, &c->deadline,
                       loop_now_us(p->loop) + (int64_t)p->options.head_timeout_s * 1000000);
    error e = {0};
    if (loop_add(p->loop, &c->watch, EPOLLIN | EPOLLRDHUP | EPOLLET, &e))
        read_head(c, false);
    else
        close_request(&c->guest);
}
