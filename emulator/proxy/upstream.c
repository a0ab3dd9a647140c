/* Sockets towards upstreams. */
#include "proxy/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"

enum { AGAIN_US = 20 * 1000 };

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

/* ---- attempts ---- */

static void on_wire(void *owner);

static void close_socket(upstream *u)
{
    loop_timer_cancel(u->wire.loop, &u->connect_timer);
    if (u->open)
        wire_close(&u->wire);
    u->open = false;
}

/* false and errno: it failed at once. */
static bool attempt(upstream *u)
{
    error e = {0};
    loop *l = u->wire.loop;
    errno = 0;
    int fd = net_connect(&u->to, &e);
    if (fd < 0) {
        if (!errno)
            errno = ECONNREFUSED;
        return false;
    }
    if (!wire_open(&u->wire, l, fd, &e))
        return false;
    u->open = true;
    wire_own(&u->wire, on_wire, u);
    if (u->connect_timeout_us > 0)
        loop_timer_set(l, &u->connect_timer, loop_now_us(l) + u->connect_timeout_us);
    return true;
}

/* Is it worth another attempt, later? */
static bool try_later(upstream *u, int cause)
{
    const int64_t now = loop_now_us(u->wire.loop);
    if (cause != ECONNREFUSED || now >= u->patient_until_us)
        return false;
    close_socket(u);
    loop_timer_set(u->wire.loop, &u->again, now + AGAIN_US);
    return true;
}

static void on_again(loop_timer *t)
{
    upstream *u = container_of(t, upstream, again);
    if (attempt(u))
        return;
    const int cause = errno;
    if (try_later(u, cause))
        return;
    u->wire.error = cause;
    u->connecting = false;
    tell(u);
}

/* ---- events ---- */

/* false: it goes on connecting. */
static bool finish_connect(upstream *u)
{
    socklen_t n = sizeof u->wire.error;
    if (getsockopt(u->wire.watch.fd, SOL_SOCKET, SO_ERROR, &u->wire.error, &n) != 0)
        u->wire.error = errno;
    if (try_later(u, u->wire.error))
        return false;
    u->connecting = false;
    u->connected = u->wire.error == 0;
    loop_timer_cancel(u->wire.loop, &u->connect_timer);
    return true;
}

static void on_wire(void *owner)
{
    upstream *u = owner;
    if (u->connecting) {
        if ((!u->wire.writable && !u->wire.hung_up) || !finish_connect(u))
            return;
    }
    tell(u);
}

/* ---- life ---- */

upstream *upstream_open(loop *l, const net_addr *a, int64_t connect_timeout_us, int64_t patience_us)
{
    upstream *u = calloc(1, sizeof *u);
    if (!u)
        abort();
    u->wire.loop = l;
    u->to = *a;
    u->connecting = true;
    u->connect_timer.fire = on_connect_timeout;
    u->connect_timeout_us = connect_timeout_us;
    u->again.fire = on_again;
    u->patient_until_us = patience_us > 0 ? loop_now_us(l) + patience_us : 0;
    if (attempt(u) || try_later(u, errno))
        return u;
    const int cause = errno;
    free(u);
    errno = cause;
    return NULL;
}

void upstream_close(upstream *u)
{
    if (!u)
        return;
    loop_timer_cancel(u->wire.loop, &u->again);
    close_socket(u);
    free(u);
}

void upstream_own(upstream *u, void (*on_event)(void *owner), void *owner)
{
    u->on_event = on_event;
    u->owner = owner;
}
