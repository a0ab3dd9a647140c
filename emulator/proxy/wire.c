/* Sockets by edges: a flag stays up until a call found the end of what it promises. */
#include "proxy/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "proxy/tls.h"

void wire_note(wire *w, uint32_t events)
{
    if (events & EPOLLOUT)
        w->writable = true;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        w->readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        w->hung_up = true;
}

static void on_ready(loop_watch *watch, uint32_t events)
{
    wire *w = container_of(watch, wire, watch);
    wire_note(w, events);
    if (w->on_event)
        w->on_event(w->owner);
}

bool wire_lend(wire *w, loop *l, int fd, error *e)
{
    *w = (wire){.loop = l, .watch = {.ready = on_ready, .fd = fd}};
    return loop_add(l, &w->watch, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, e);
}

void wire_return(wire *w)
{
    loop_del(w->loop, &w->watch);
}

bool wire_open(wire *w, loop *l, int fd, error *e)
{
    if (wire_lend(w, l, fd, e))
        return true;
    int cause = errno;
    (void)close(fd);
    errno = cause;
    return false;
}

void wire_close(wire *w)
{
    if (w->tls)
        tls_end(w);
    wire_return(w);
    (void)close(w->watch.fd);
}

void wire_own(wire *w, void (*on_event)(void *owner), void *owner)
{
    w->on_event = on_event;
    w->owner = owner;
}

ssize_t wire_send(wire *w, const void *p, size_t n)
{
    if (w->tls)
        return tls_send(w, p, n);
    ssize_t sent;
    do {
        sent = send(w->watch.fd, p, n, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno != EAGAIN) {
        w->error = errno;
        return -1;
    }
    if (sent < (ssize_t)n)
        w->writable = false;
    return sent < 0 ? 0 : sent;
}

ssize_t wire_recv(wire *w, void *p, size_t n)
{
    if (w->tls)
        return tls_recv(w, p, n);
    ssize_t got;
    do {
        got = recv(w->watch.fd, p, n, 0);
    } while (got < 0 && errno == EINTR);
    if (got == 0)
        return WIRE_EOF;
    if (got < 0 && errno != EAGAIN) {
        w->error = errno;
        return WIRE_BROKEN;
    }
    /* A short read emptied the socket: the next bytes bring an edge, but an end that came with
     * these does not. */
    if (got < (ssize_t)n && !(got > 0 && w->hung_up))
        w->readable = false;
    if (got > 0)
        w->received += (uint64_t)got;
    return got < 0 ? 0 : got;
}

bool wire_shut(wire *w)
{
    if (w->tls && !tls_shut(w))
        return false;
    (void)shutdown(w->watch.fd, SHUT_WR);
    return true;
}
