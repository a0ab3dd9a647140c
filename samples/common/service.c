#include "service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "env.h"
#include "fetch.h"
#include "id_token.h"
#include "logline.h"
#include "server.h"

enum { STOP_GRACE_MS = 700, BACKLOG = 512 };

typedef union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} address;

static sigset_t stop_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

void service_start(const char *name)
{
    /* Blocked before the first thread, so that every thread leaves them to sigwait in service_run.
     */
    const sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    logline_service(name);
    json_object_seed(0);
    fetch_start();
}

static bool address_make(const char *host, uint16_t port, address *out, socklen_t *out_size,
                         problem *p)
{
    address a = {0};
    if (inet_pton(AF_INET, host, &a.v4.sin_addr) == 1) {
        a.v4.sin_family = AF_INET;
        a.v4.sin_port = htons(port);
        *out_size = sizeof a.v4;
    } else if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) == 1) {
        a.v6.sin6_family = AF_INET6;
        a.v6.sin6_port = htons(port);
        *out_size = sizeof a.v6;
    } else {
        return problem_set(p, "HOST is \"%.80s\"; expected an address such as 127.0.0.1 or 0.0.0.0",
                           host);
    }
    *out = a;
    return true;
}

static uint16_t bound_port(int fd)
{
    address a = {0};
    socklen_t size = sizeof a;
    if (getsockname(fd, &a.any, &size) != 0) {
        return 0;
    }
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static int listen_on(const char *host, uint16_t port, problem *p)
{
    address a = {0};
    socklen_t size = 0;
    if (!address_make(host, port, &a, &size, p)) {
        return -1;
    }
    const int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, &a.any, size) == 0 && listen(fd, BACKLOG) == 0) {
        return fd;
    }
    problem_set(p, "cannot listen on %s port %u: %s; set PORT (and HOST) to a free one", host, port,
                strerror(errno));
    if (fd >= 0) {
        close(fd);
    }
    return -1;
}

static int serve(const service *s, problem *p)
{
    uint16_t port = 0;
    const char *host = env_host();
    if (!env_port(&port, p)) {
        return 1;
    }
    const int fd = listen_on(host, port, p);
    if (fd < 0) {
        return 1;
    }
    port = bound_port(fd);
    server *sv = server_start(s, fd, p);
    if (!sv) {
        return 1;
    }
    logline_with(SEVERITY_INFO, json_pack("{s:i}", "port", (int)port), "listening on %s port %u",
                 host, port);
    const sigset_t set = stop_signals();
    int received = 0;
    sigwait(&set, &received);
    if (!server_stop(sv, STOP_GRACE_MS)) {
        logline(SEVERITY_WARNING, "stopped while requests were still running");
        _exit(0); /* their threads still use everything: nothing may be freed */
    }
    logline(SEVERITY_INFO, "stopped");
    return 0;
}

int service_run(const service *s)
{
    problem p = {{0}};
    const int status = serve(s, &p);
    if (status != 0) {
        logline(SEVERITY_ERROR, "%s", p.text);
    }
    id_token_stop();
    fetch_stop();
    return status;
}

json_t *request_json(const request *r, reply *out_refusal)
{
    json_error_t where;
    json_t *body = json_loadb(r->body, r->body_size, JSON_REJECT_DUPLICATES, &where);
    if (!body) {
        *out_refusal = reply_error(400, "the body is not JSON: line %d, column %d: %s", where.line,
                                   where.column, where.text);
        return NULL;
    }
    if (!json_is_object(body)) {
        json_decref(body);
        *out_refusal = reply_error(400, "the body has to be a JSON object");
        return NULL;
    }
    return body;
}
