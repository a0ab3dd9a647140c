/* One libmicrohttpd daemon inside our loop: its epoll descriptor is watched, and it runs at the
 * end of each turn, after everything else had its say. */
#include "http/mhd_loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/log.h"

enum {
    HELD_RUN_US = 1000,
    /* From a response that is queued to a connection that is read again: head and body leave in the
     * first run, the request ends in the second. */
    KICK_RUNS = 2,
    /* Others wait while the daemon runs; but a run is cheaper than a turn, and what several runs
     * read of a long upload can leave in one write. */
    RUNS_PER_TURN = 4,
    /* It asks to run again for as long as there are bytes that it neither takes nor hands on, say
     * of a chunk's size line that is longer than its memory: from so many runs in a row on without
     * an event or a kick it runs at its leisure. */
    RESTLESS_MAX = 32,
    RESTLESS_RUN_US = 10 * 1000
};

struct mhd_loop {
    loop *loop;
    struct MHD_Daemon *daemon;
    loop_watch watch;  /* the daemon's epoll descriptor */
    void *tag;         /* of the socket that is being handed in */
    unsigned due;      /* how often to run the daemon before sleeping */
    unsigned held;     /* connections that wait without being suspended */
    unsigned restless; /* runs in a row that nobody but the daemon asked for */
    int64_t run_at_us; /* the daemon's own next time-out; negative: none */
};

static void on_daemon_ready(loop_watch *w, uint32_t events)
{
    (void)events;
    mhd_loop *m = container_of(w, mhd_loop, watch);
    m->restless = 0;
    if (!m->due)
        m->due = 1;
}

/* The daemon wants to run again at once: it shall, unless that has led to nothing for long. */
static void run_again(mhd_loop *m)
{
    if (m->held || m->due)
        return;
    if (++m->restless < RESTLESS_MAX)
        m->due = 1;
    else
        m->run_at_us = loop_now_us(m->loop) + RESTLESS_RUN_US;
}

static void run(mhd_loop *m)
{
    if (m->due)
        m->due--;
    (void)MHD_run(m->daemon);
    unsigned long long ms;
    m->run_at_us = -1;
    if (MHD_get_timeout(m->daemon, &ms) != MHD_YES) {
        m->restless = 0;
    } else if (ms == 0) {
        run_again(m);
    } else {
        m->restless = 0;
        if (ms > 3600000)
            ms = 3600000;
        m->run_at_us = loop_now_us(m->loop) + (int64_t)ms * 1000;
    }
    if (m->held)
        m->run_at_us = loop_now_us(m->loop) + HELD_RUN_US;
}

static int64_t before_sleep(void *ctx)
{
    mhd_loop *m = ctx;
    const int64_t now = loop_now_us(m->loop);
    if (m->due || (m->run_at_us >= 0 && now >= m->run_at_us)) {
        for (unsigned runs = 0; runs == 0 || (m->due && runs < RUNS_PER_TURN); runs++)
            run(m);
    }
    if (m->due)
        return 0;
    return m->run_at_us < 0 ? -1 : m->run_at_us - now;
}

static void on_daemon_message(void *ctx, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_daemon_message(void *ctx, const char *fmt, va_list args)
{
    (void)ctx;
    char text[256];
    (void)vsnprintf(text, sizeof text, fmt, args);
    log_at(LOG_DEBUG, "http", LOG_S("detail", text));
}

static void on_panic(void *ctx, const char *file, unsigned line, const char *reason)
{
    (void)ctx;
    log_at(LOG_ERROR, "libmicrohttpd gave up", LOG_S("file", file), LOG_I("line", line),
           LOG_S("reason", reason));
    abort();
}

/* The bytes of every request target are kept as sent: no percent-decoding in place. */
static size_t keep_escapes(void *ctx, struct MHD_Connection *c, char *text)
{
    (void)ctx;
    (void)c;
    return span_of(text).n;
}

static struct MHD_Daemon *start_daemon(const mhd_loop_options *o)
{
    /* The bare suspend flag, without the wake-up descriptor that usually comes with it: this daemon
     * is touched by one thread only and always runs after a resume, so waking it by a system call
     * for every request would buy nothing. Upgrading does not bring it along. */
    const unsigned flags = MHD_USE_EPOLL |
                           ((unsigned)MHD_ALLOW_SUSPEND_RESUME & ~(unsigned)MHD_USE_ITC) |
                           MHD_ALLOW_UPGRADE | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)o->connection_memory, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->connections_max, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)o->idle_timeout_s, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        flags, 0, NULL, NULL, o->handle, o->ctx, MHD_OPTION_EXTERNAL_LOGGER, on_daemon_message,
        NULL, MHD_OPTION_ARRAY, options, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, o->completed, o->ctx, MHD_OPTION_URI_LOG_CALLBACK,
        o->raw_target, o->ctx, MHD_OPTION_NOTIFY_CONNECTION, o->connection, o->ctx, MHD_OPTION_END);
}

mhd_loop *mhd_loop_open(loop *l, const mhd_loop_options *o, error *e)
{
    mhd_loop *m = calloc(1, sizeof *m);
    if (!m)
        abort();
    m->loop = l;
    m->run_at_us = -1;
    MHD_set_panic_func(on_panic, NULL);
    m->daemon = start_daemon(o);
    if (!m->daemon) {
        error_set(e, ERR_IO, "libmicrohttpd does not start");
        free(m);
        return NULL;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    m->watch = (loop_watch){.ready = on_daemon_ready, .fd = info->epoll_fd};
    if (!loop_add(l, &m->watch, EPOLLIN, e)) {
        MHD_stop_daemon(m->daemon);
        free(m);
        return NULL;
    }
    loop_set_idle_hook(l, before_sleep, m);
    return m;
}

void mhd_loop_close(mhd_loop *m)
{
    if (!m)
        return;
    loop_set_idle_hook(m->loop, NULL, m);
    loop_del(m->loop, &m->watch);
    MHD_stop_daemon(m->daemon);
    free(m);
}

void mhd_loop_adopt(mhd_loop *m, int fd, const net_addr *peer, void *tag)
{
    m->tag = tag;
    /* The socket is the daemon's from here on, also when it refuses. */
    (void)MHD_add_connection(m->daemon, fd, (const struct sockaddr *)&peer->ss, peer->len);
    m->tag = NULL;
    mhd_loop_kick(m);
}

void *mhd_loop_adopting_tag(const mhd_loop *m)
{
    return m->tag;
}

void mhd_loop_kick(mhd_loop *m)
{
    m->restless = 0;
    m->due = KICK_RUNS;
}

void mhd_loop_hold(mhd_loop *m)
{
    m->held++;
}

void mhd_loop_release(mhd_loop *m)
{
    m->held--;
}
