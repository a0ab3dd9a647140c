/* Sockets towards upstreams. */
#include "proxy/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"

static void tell(upstream *u)
{
    if (u->on_event)
        u->on_event(u->owner);
}

static void on_connect_timeout(loop_timer *t)
{
    upstream *u = container_of(t, upstream, connect_timer);
    u->error = ETIMEDOUT;
    u->connecting = false;
    tell(u);
}

static void finish_connect(upstream *u)
{
    socklen_t n = sizeof u->error;
    if (getsockopt(u->watch.fd, SOL_SOCKET, SO_ERROR, &u->error, &n) != 0)
        u->error = errno;
    u->connecting = false;
    u->connected = u->error == 0;
    loop_timer_cancel(u->loop, &u->connect_timer);
}

static void on_ready(loop_watch *w, uint32_t events)
{
    upstream *u = container_of(w, upstream, watch);
    if (u->connecting) {
        if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
            return;
        finish_connect(u);
    }
    if (events & EPOLLOUT)
        u->writable = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        u->readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        u->hung_up = true;
    tell(u);
}

upstream *upstream_open(loop *l, const net_addr *a, int64_t connect_timeout_us)
{
    error e = {0};
    errno = 0;
    int fd = net_connect(a, &e);
    if (fd < 0) {
        if (!errno)
            errno = ECONNREFUSED;
        return NULL;
    }
    upstream *u = calloc(1, sizeof *u);
    if (!u)
        abort();
    u->loop = l;
    u->connecting = true;
    u->watch = (loop_watch){.ready = on_ready, .fd = fd};
    u->connect_timer.fire = on_connect_timeout;
    if (!loop_add(l, &u->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &e)) {
        int cause = errno;
        (void)close(fd);
        free(u);
        errno = cause;
        return NULL;
    }
    if (connect_timeout_us > 0)
        loop_timer_set(l, &u->connect_timer, loop_now_us(l) + connect_timeout_us);
    return u;
}

void upstream_close(upstream *u)
{
    if (!u)
        return;
    loop_timer_cancel(u->loop, &u->connect_timer);
    loop_del(u->loop, &u->watch);
    (void)close(u->watch.fd);
    free(u);
}

void upstream_own(upstream *u, void (*on_event)(void *owner), void *owner)
{
    u->on_event = on_event;
    u->owner = owner;
}

ssize_t upstream_send(upstream *u, const void *p, size_t n)
{
    ssize_t sent;
    do {
        sent = send(u->watch.fd, p, n, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN) {
        u->error = errno;
        return -1;
    }
    if (sent < (ssize_t)n)
        u->writable = false;
    return sent < 0 ? 0 : sent;
}

ssize_t upstream_recv(upstream *u, void *p, size_t n)
{
    ssize_t got;
    do {
        got = recv(u->watch.fd, p, n, 0);
    } while (got < 0 && errno == EINTR);
    if (got == 0)
        return UPSTREAM_EOF;
    if (got < 0 && errno != EAGAIN) {
        u->error = errno;
        return UPSTREAM_BROKEN;
    }
    /* A short read emptied the socket: the next bytes bring an edge, but an end that came with
     * these does not. */
    if (got < (ssize_t)n && !(got > 0 && u->hung_up))
        u->readable = false;
    return got < 0 ? 0 : got;
}
