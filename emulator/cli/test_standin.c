/* The stand-in is a child that serves until it is told to end. */
#include "cli/test_standin.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/server.h"

enum {
    HEAD_MAX = 64 * 1024,
    BODY_MAX = 32 * 1024 * 1024,
    CONNECTIONS_MAX = 10000,
    IDLE_S = 620 /* longer than the gateway keeps a connection */
};

static void answer(void *ctx, http_request *r)
{
    static const http_field none[] = {{0}};
    (void)ctx;
    http_respond(r, 200, none, SPAN_LIT("ok\n"), true);
}

/* In the child: says where it listens, then serves. */
static bool serve(int report, error *e)
{
    const http_server_options o = {.handle = answer,
                                   .head_max = HEAD_MAX,
                                   .body_max = BODY_MAX,
                                   .connections_max = CONNECTIONS_MAX,
                                   .idle_timeout_s = IDLE_S};
    net_addr any, bound;
    loop *l = loop_new(e);
    http_server *s = l ? http_server_open(l, &o, e) : NULL;
    if (!s || !net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, e) ||
        !http_server_listen(s, &any, false, NULL, &bound, e))
        return false;
    char text[NET_ADDR_TEXT_MAX];
    net_addr_text(&bound, text);
    if (write(report, text, strlen(text)) != (ssize_t)strlen(text))
        return error_errno(e, "cannot say where it listens");
    (void)close(report);
    loop_run(l);
    return true;
}

static void run_child(pid_t parent, int report)
{
    error e = {0};
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGINT, SIG_DFL);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 && getppid() == parent)
        (void)serve(report, &e);
    _exit(1);
}

/* Its address, until the other end is closed. */
static char *read_address(int fd)
{
    char text[NET_ADDR_TEXT_MAX];
    size_t n = 0;
    while (n < sizeof text) {
        const ssize_t got = read(fd, text + n, sizeof text - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    return n ? span_dup((span){text, n}) : NULL;
}

bool standin_start(standin *out, error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_errno(e, "cannot make a pipe");
    const pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        run_child(self, ends[1]);
    }
    (void)close(ends[1]);
    standin s = {.pid = pid, .address = pid > 0 ? read_address(ends[0]) : NULL};
    (void)close(ends[0]);
    if (s.address) {
        *out = s;
        return true;
    }
    standin_stop(&s);
    return error_set(e, ERR_UNAVAILABLE, "no process could stand in for the services");
}

void standin_stop(standin *s)
{
    if (s->pid > 0) {
        (void)kill(s->pid, SIGTERM);
        while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    free(s->address);
    *s = (standin){.pid = 0};
}
