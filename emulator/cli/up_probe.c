/* Polls an address by connecting to it, quickly at first. */
#include "cli/up_probe.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/net.h"

enum { FIRST_US = 1000, SLOWEST_US = 100 * 1000 };

struct probe {
    loop *loop;
    loop_timer timer;
    net_addr address;
    int fd; /* a connection under way, or -1 */
    int64_t pause_us;
    void (*on_listening)(void *ctx);
    void *ctx;
};

static void drop(probe *p)
{
    if (p->fd < 0)
        return;
    /* A reset instead of a closing handshake, so that the port is free at once. */
    const struct linger hard = {.l_onoff = 1};
    if (net_is_own_reflection(p->fd))
        (void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(p->fd);
    p->fd = -1;
}

static bool connected(const probe *p)
{
    int failure = 0;
    socklen_t n = sizeof failure;
    (void)getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &failure, &n);
    return failure == 0 && !net_is_own_reflection(p->fd);
}

static bool accepts(probe *p)
{
    if (p->fd < 0)
        p->fd = net_connect(&p->address, NULL);
    if (p->fd < 0)
        return false;
    struct pollfd poller = {.fd = p->fd, .events = POLLOUT};
    if (poll(&poller, 1, 0) == 0)
        return false; /* still under way: look again at the next tick */
    bool ok = connected(p);
    drop(p);
    return ok;
}

static void on_tick(loop_timer *t)
{
    probe *p = container_of(t, probe, timer);
    if (accepts(p)) {
        p->on_listening(p->ctx);
        return;
    }
    loop_timer_set(p->loop, t, loop_now_us(p->loop) + p->pause_us);
    p->pause_us += p->pause_us / 8;
    if (p->pause_us > SLOWEST_US)
        p->pause_us = SLOWEST_US;
}

probe *probe_open(loop *l, const char *address, void (*on_listening)(void *ctx), void *ctx)
{
    probe *p = calloc(1, sizeof *p);
    if (!p)
        abort();
    *p = (probe){.loop = l,
                 .timer = {.fire = on_tick},
                 .fd = -1,
                 .pause_us = FIRST_US,
                 .on_listening = on_listening,
                 .ctx = ctx};
    error e = {0};
    if (net_addr_resolve(span_of(address), &p->address, &e))
        loop_timer_set(l, &p->timer, loop_now_us(l) + FIRST_US);
    return p;
}

void probe_close(probe *p)
{
    if (!p)
        return;
    loop_timer_cancel(p->loop, &p->timer);
    drop(p);
    free(p);
}
