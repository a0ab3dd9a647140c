/* Lingering close. */
#include "proxy/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"

enum { LINGER_US = 2 * 1000 * 1000, LINGER_BYTES = 4 * 1024 * 1024, LINGER_MAX = 256 };

typedef struct lingering {
    loop_watch watch;
    loop_timer timer;
    linger_list *home;
    struct lingering *next, *previous;
    size_t swallowed;
} lingering;

struct linger_list {
    loop *loop;
    lingering *all;
    unsigned count;
};

static void drop(lingering *g)
{
    linger_list *k = g->home;
    loop_timer_cancel(k->loop, &g->timer);
    loop_del(k->loop, &g->watch);
    (void)close(g->watch.fd);
    *(g->previous ? &g->previous->next : &k->all) = g->next;
    if (g->next)
        g->next->previous = g->previous;
    k->count--;
    free(g);
}

static void on_timer(loop_timer *t)
{
    drop(container_of(t, lingering, timer));
}

static void on_ready(loop_watch *w, uint32_t events)
{
    (void)events;
    lingering *g = container_of(w, lingering, watch);
    char bin[16 * 1024];
    ssize_t n = recv(w->fd, bin, sizeof bin, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n > 0)
        g->swallowed += (size_t)n;
    if (n <= 0 || g->swallowed > LINGER_BYTES)
        drop(g);
}

linger_list *linger_open(loop *l)
{
    linger_list *k = calloc(1, sizeof *k);
    if (!k)
        abort();
    k->loop = l;
    return k;
}

void linger_close(linger_list *k)
{
    if (!k)
        return;
    for (lingering *g = k->all; g;) {
        lingering *next = g->next;
        drop(g);
        g = next;
    }
    free(k);
}

void linger_add(linger_list *k, int fd)
{
    if (k->count == LINGER_MAX)
        return;
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0)
        return;
    lingering *g = calloc(1, sizeof *g);
    if (!g)
        abort();
    g->home = k;
    g->watch = (loop_watch){.ready = on_ready, .fd = copy};
    g->timer.fire = on_timer;
    g->next = k->all;
    if (g->next)
        g->next->previous = g;
    k->all = g;
    k->count++;
    loop_timer_set(k->loop, &g->timer, loop_now_us(k->loop) + LINGER_US);
    error e = {0};
    if (!loop_add(k->loop, &g->watch, EPOLLIN | EPOLLRDHUP, &e))
        drop(g);
}
