/* Sockets: listen, reserve, connect, accept. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/net.h"

enum { BACKLOG = 4096, ACCEPTS_PER_TURN = 64, EXHAUSTED_PAUSE_US = 100000 };

static int stream_socket(const net_addr *a, error *e)
{
    int fd = socket(a->ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        error_errno(e, "cannot make a socket");
    return fd;
}

static void set_flag(int fd, int level, int name)
{
    const int on = 1;
    (void)setsockopt(fd, level, name, &on, sizeof on);
}

static const struct sockaddr *raw(const net_addr *a)
{
    return (const struct sockaddr *)&a->ss;
}

/* A bound socket, or -1. */
static int bound_socket(const net_addr *a, bool reuseaddr, bool reuseport, error *e)
{
    int fd = stream_socket(a, e);
    if (fd < 0)
        return -1;
    if (reuseaddr)
        set_flag(fd, SOL_SOCKET, SO_REUSEADDR);
    if (reuseport)
        set_flag(fd, SOL_SOCKET, SO_REUSEPORT);
    if (bind(fd, raw(a), a->len) == 0)
        return fd;
    char text[NET_ADDR_TEXT_MAX];
    error_errno(e, "cannot listen on %s", net_addr_text(a, text));
    (void)close(fd);
    return -1;
}

int net_listen(const net_addr *a, bool reuseport, error *e)
{
    int fd = bound_socket(a, true, reuseport, e);
    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    char text[NET_ADDR_TEXT_MAX];
    error_errno(e, "cannot listen on %s", net_addr_text(a, text));
    (void)close(fd);
    return -1;
}

int net_reserve(const net_addr *a, error *e)
{
    if (net_addr_port(a) != 0) {
        /* SO_REUSEPORT alone would quietly share the port with another emulator. */
        int probe = net_listen(a, false, e);
        if (probe < 0)
            return -1;
        (void)close(probe);
    }
    /* Without SO_REUSEADDR nobody who sets it can slip in before our listener is there. Only what
     * another program's closed connections have left behind (TIME_WAIT) makes it necessary. */
    int fd = bound_socket(a, false, true, e);
    return fd >= 0 || net_addr_port(a) == 0 ? fd : bound_socket(a, true, true, e);
}

bool net_local(int fd, net_addr *out)
{
    net_addr a = {.len = sizeof a.ss};
    if (getsockname(fd, (struct sockaddr *)&a.ss, &a.len) != 0)
        return false;
    *out = a;
    return true;
}

int net_connect(const net_addr *a, error *e)
{
    int fd = stream_socket(a, e);
    if (fd < 0)
        return -1;
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    if (connect(fd, raw(a), a->len) == 0 || errno == EINPROGRESS)
        return fd;
    char text[NET_ADDR_TEXT_MAX];
    error_errno(e, "cannot connect to %s", net_addr_text(a, text));
    (void)close(fd);
    return -1;
}

bool net_is_own_reflection(int fd)
{
    net_addr local;
    net_addr peer = {.len = sizeof peer.ss};
    return net_local(fd, &local) && getpeername(fd, (struct sockaddr *)&peer.ss, &peer.len) == 0 &&
           net_addr_port(&local) == net_addr_port(&peer) && net_addr_same_ip(&local, &peer);
}

/* ---- accepting ---- */

struct net_acceptor {
    loop *loop;
    loop_watch watch;
    loop_timer pause;
    net_accept_fn on_accept;
    void *ctx;
    bool closed;
};

static void on_pause_over(loop_timer *t)
{
    net_acceptor *a = container_of(t, net_acceptor, pause);
    loop_mod(a->loop, &a->watch, EPOLLIN);
}

/* Out of descriptors: the pending connection stays in the queue, so a level-triggered loop would
 * spin; look again a little later. */
static void pause_accepting(net_acceptor *a)
{
    log_at(LOG_WARN, "out of file descriptors, accepting pauses", LOG_S("mend", "ulimit -n"));
    loop_mod(a->loop, &a->watch, EPOLLERR);
    loop_timer_set(a->loop, &a->pause, loop_now_us(a->loop) + EXHAUSTED_PAUSE_US);
}

static void on_acceptable(loop_watch *w, uint32_t events)
{
    (void)events;
    net_acceptor *a = container_of(w, net_acceptor, watch);
    for (int i = 0; i < ACCEPTS_PER_TURN && !a->closed; i++) {
        net_addr peer = {.len = sizeof peer.ss};
        int fd =
            accept4(w->fd, (struct sockaddr *)&peer.ss, &peer.len, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(a);
            return;
        }
        set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
        a->on_accept(a->ctx, fd, &peer);
    }
}

net_acceptor *net_acceptor_open(loop *l, int listen_fd, net_accept_fn on_accept, void *ctx,
                                error *e)
{
    net_acceptor *a = calloc(1, sizeof *a);
    if (!a)
        abort();
    *a = (net_acceptor){.loop = l, .on_accept = on_accept, .ctx = ctx};
    a->watch = (loop_watch){.ready = on_acceptable, .fd = listen_fd};
    a->pause.fire = on_pause_over;
    if (loop_add(l, &a->watch, EPOLLIN, e))
        return a;
    free(a);
    return NULL;
}

void net_acceptor_close(net_acceptor *a)
{
    if (!a)
        return;
    a->closed = true;
    loop_timer_cancel(a->loop, &a->pause);
    loop_del(a->loop, &a->watch);
    (void)close(a->watch.fd);
    /* on_accept may be what closes it. */
    loop_defer(a->loop, free, a);
}
