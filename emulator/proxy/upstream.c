/* Sockets towards upstreams. */
#include "proxy/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"

static void tell(upstream *u)
{
    if (u->on_event)
        u->on_event(u->owner);
}

static void on_connect_timeout(loop_timer *t)
{
    upstream *u = container_of(t, upstream, connect_timer);
    u->wire.error = ETIMEDOUT;
    u->connecting = false;
    tell(u);
}

static void finish_connect(upstream *u)
{
    socklen_t n = sizeof u->wire.error;
    if (getsockopt(u->wire.watch.fd, SOL_SOCKET, SO_ERROR, &u->wire.error, &n) != 0)
        u->wire.error = errno;
    u->connecting = false;
    u->connected = u->wire.error == 0;
    loop_timer_cancel(u->wire.loop, &u->connect_timer);
}

static void on_wire(void *owner)
{
    upstream *u = owner;
    if (u->connecting) {
        if (!u->wire.writable && !u->wire.hung_up)
            return;
        finish_connect(u);
    }
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
    if (!wire_open(&u->wire, l, fd, &e)) {
        free(u);
        return NULL;
    }
    wire_own(&u->wire, on_wire, u);
    u->connecting = true;
    u->connect_timer.fire = on_connect_timeout;
    if (connect_timeout_us > 0)
        loop_timer_set(l, &u->connect_timer, loop_now_us(l) + connect_timeout_us);
    return u;
}

void upstream_close(upstream *u)
{
    if (!u)
        return;
    loop_timer_cancel(u->wire.loop, &u->connect_timer);
    wire_close(&u->wire);
    free(u);
}

void upstream_own(upstream *u, void (*on_event)(void *owner), void *owner)
{
    u->on_event = on_event;
    u->owner = owner;
}
