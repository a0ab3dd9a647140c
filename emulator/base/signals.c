/* Signals by signalfd. */
#include "base/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/attr.h"

struct signals {
    loop *loop;
    loop_watch watch;
    void (*on_signal)(void *ctx, int signo);
    void *ctx;
};

static void on_ready(loop_watch *w, uint32_t events)
{
    (void)events;
    signals *s = container_of(w, signals, watch);
    struct signalfd_siginfo info;
    if (read(w->fd, &info, sizeof info) == (ssize_t)sizeof info)
        s->on_signal(s->ctx, (int)info.ssi_signo);
}

signals *signals_open(loop *l, const int *list, void (*on_signal)(void *ctx, int signo), void *ctx,
                      error *e)
{
    sigset_t set;
    (void)sigemptyset(&set);
    for (; *list; list++)
        (void)sigaddset(&set, *list);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    signals *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    *s = (signals){.loop = l, .on_signal = on_signal, .ctx = ctx};
    s->watch =
        (loop_watch){.ready = on_ready, .fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (s->watch.fd < 0) {
        error_errno(e, "cannot receive signals");
        free(s);
        return NULL;
    }
    if (!loop_add(l, &s->watch, EPOLLIN, e)) {
        (void)close(s->watch.fd);
        free(s);
        return NULL;
    }
    return s;
}

void signals_close(signals *s)
{
    if (!s)
        return;
    loop_del(s->loop, &s->watch);
    (void)close(s->watch.fd);
    free(s);
}

void signals_reset_in_child(void)
{
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
}
