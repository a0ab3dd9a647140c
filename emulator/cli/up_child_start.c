/* Running a child's program, by kind, and noticing that it is ready. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/up_child_impl.h"
#include "cli/up_spawn.h"

enum { FD_TEXT_MAX = 16, READY_BYTES = 64 };

/* ---- readiness ---- */

static void close_ready_pipe(child *c)
{
    if (c->ready.fd < 0)
        return;
    loop_del(c->world->loop, &c->ready);
    (void)close(c->ready.fd);
    c->ready.fd = -1;
}

void child_unwatch(child *c)
{
    close_ready_pipe(c);
    probe_close(c->probe);
    c->probe = NULL;
}

static void became_ready(child *c)
{
    child_unwatch(c);
    if (c->state != CHILD_STARTING)
        return;
    c->state = CHILD_READY;
    c->failed_starts = 0;
    if (c->failures)
        log_at(LOG_INFO, "answers again", LOG_S("child", c->name));
    if (c->reload_pending)
        child_reload(c);
    c->world->on_change(c->world->ctx, c);
}

static void on_ready_pipe(loop_watch *w, uint32_t events)
{
    (void)events;
    child *c = container_of(w, child, ready);
    char bytes[READY_BYTES];
    ssize_t got = read(w->fd, bytes, sizeof bytes);
    if (got > 0)
        became_ready(c);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_ready_pipe(c); /* it died, or closed it: SIGCHLD or nothing will follow */
}

static void on_listening(void *ctx)
{
    became_ready(ctx);
}

/* ---- starting ---- */

/* The write end for the daemon; its number goes behind its arguments. */
static int open_ready_pipe(child *c, error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_errno(e, "cannot make a pipe");
        return -1;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    c->ready = (loop_watch){.ready = on_ready_pipe, .fd = ends[0]};
    if (loop_add(c->world->loop, &c->ready, EPOLLIN, e))
        return ends[1];
    close_ready_pipe(c);
    (void)close(ends[1]);
    return -1;
}

static pid_t spawn_daemon(child *c, error *e)
{
    int fd = open_ready_pipe(c, e);
    if (fd < 0)
        return -1;
    char number[FD_TEXT_MAX], option[] = "--ready-fd";
    snprintf(number, sizeof number, "%d", fd);
    auto_free char **argv = calloc(c->argc + 3, sizeof *argv);
    if (!argv)
        abort();
    memcpy(argv, c->argv, c->argc * sizeof *argv);
    argv[c->argc] = option;
    argv[c->argc + 1] = number;
    const spawn_spec spec = {.file = c->file,
                             .argv = argv,
                             .envp = c->env.items,
                             .own_group = true,
                             .null_stdin = true,
                             .output_fd = -1,
                             .error_fd = -1,
                             .keep_fd = fd};
    pid_t pid = spawn_process(&spec, e);
    (void)close(fd);
    return pid;
}

static relay *open_relay(const child *c, const char *stream, error *e)
{
    const child_world *w = c->world;
    return relay_open(w->loop,
                      &(relay_options){.name = c->name,
                                       .colour = w->colour,
                                       .wait_for_fd = w->wait_for_fd,
                                       .channel = log_sender_channel(w->logs, c->name, stream)},
                      e);
}

static pid_t spawn_service(child *c, error *e)
{
    const child_world *w = c->world;
    if ((!c->output && !(c->output = open_relay(c, "stdout", e))) ||
        (!c->errors && !(c->errors = open_relay(c, "stderr", e))))
        return -1;
    port_plan_release(w->ports, c->name);
    const spawn_spec spec = {.file = c->file,
                             .argv = c->argv,
                             .envp = c->env.items,
                             .own_group = true,
                             .null_stdin = true,
                             .output_fd = relay_child_fd(c->output),
                             .error_fd = relay_child_fd(c->errors),
                             .keep_fd = -1};
    pid_t pid = spawn_process(&spec, e);
    if (pid > 0)
        c->probe = probe_open(w->loop, c->address, on_listening, c);
    return pid;
}

/* On a terminal CMD stays in our group: only the foreground group may read from it. */
static pid_t spawn_command(const child *c, error *e)
{
    const spawn_spec spec = {.file = c->file,
                             .argv = c->argv,
                             .envp = c->env.items,
                             .own_group = isatty(STDIN_FILENO) == 0,
                             .output_fd = -1,
                             .error_fd = -1,
                             .keep_fd = -1};
    return spawn_process(&spec, e);
}

pid_t child_spawn(child *c, error *e)
{
    switch (c->kind) {
    case CHILD_DAEMON:
        return spawn_daemon(c, e);
    case CHILD_SERVICE:
        return spawn_service(c, e);
    case CHILD_COMMAND:
        return spawn_command(c, e);
    }
    abort();
}
