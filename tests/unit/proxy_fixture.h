/* A proxy on a loop with real loopback sockets on both sides, driven turn by turn on the test's own
 * thread: nothing sleeps, every wait is for a condition. */
#ifndef PROXY_FIXTURE_H
#define PROXY_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "check_main.h"
#include "proxy/exchange.h"

enum { RIG_PATIENCE_US = 3000000, RIG_OUTCOMES = 64 };

typedef struct rig {
    loop *loop;
    proxy *proxy;
    int listener; /* the upstream's */
    forward forward;
    /* judge's behaviour */
    bool defer;
    unsigned reply_status; /* 0: forward */
    /* what was seen */
    exchange *last;
    unsigned heads, failures, malformed_status;
    proxy_failure failure;
    char malformed_why[128];
    exchange_outcome outcomes[RIG_OUTCOMES];
    unsigned done;
    bool idle;
} rig;

static inline void rig_judge(rig *r, exchange *x)
{
    if (r->reply_status) {
        const field fields[] = {{SPAN_LIT("X-Judge"), SPAN_LIT("refused")}};
        exchange_reply(x, &(reply){.status = r->reply_status,
                                   .fields = fields,
                                   .field_count = 1,
                                   .body = SPAN_LIT("no\n")});
    } else {
        exchange_forward(x, &r->forward);
    }
}

static inline void rig_on_head(void *ctx, exchange *x)
{
    rig *r = ctx;
    r->heads++;
    r->last = x;
    if (r->defer)
        exchange_defer(x);
    else
        rig_judge(r, x);
}

static inline void rig_on_failure(void *ctx, exchange *x, proxy_failure f, reply *out)
{
    (void)x;
    rig *r = ctx;
    r->failures++;
    r->failure = f;
    *out =
        (reply){.status = f == PROXY_TIMEOUT ? 504 : 503, .body = span_of(proxy_failure_name(f))};
}

static inline void rig_on_malformed(void *ctx, const net_addr *peer, unsigned status,
                                    const char *why)
{
    rig *r = ctx;
    ck_assert_uint_gt(net_addr_port(peer), 0);
    r->malformed_status = status;
    (void)snprintf(r->malformed_why, sizeof r->malformed_why, "%s", why);
}

static inline void rig_on_done(void *ctx, exchange *x, const exchange_outcome *o)
{
    rig *r = ctx;
    if (r->last == x)
        r->last = NULL;
    ck_assert_uint_lt(r->done, RIG_OUTCOMES);
    r->outcomes[r->done++] = *o;
}

static inline void rig_on_idle(void *ctx)
{
    ((rig *)ctx)->idle = true;
}

static inline void rig_open_with(rig *r, const proxy_options *options)
{
    error e = {0};
    net_addr any;
    memset(r, 0, sizeof *r);
    r->loop = loop_new(&e);
    ck_assert_ptr_nonnull(r->loop);
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    r->listener = net_listen(&any, false, &e);
    ck_assert(r->listener >= 0);
    ck_assert(net_local(r->listener, &r->forward.upstream));
    proxy_options o = *options;
    o.handler = (exchange_handler){rig_on_head, rig_on_failure, rig_on_malformed, rig_on_done, r};
    r->proxy = proxy_open(r->loop, &o, &e);
    ck_assert_msg(r->proxy != NULL, "%s", e.text);
}

static const proxy_options rig_options = {.connection_memory = 16 * 1024,
                                          .connections_max = 100,
                                          .idle_timeout_s = 30,
                                          .head_timeout_s = 10,
                                          .upstream_idle_s = 30,
                                          .upstream_idle_max = 8,
                                          .connect_timeout_us = 2000000};

static inline void rig_open(rig *r)
{
    rig_open_with(r, &rig_options);
}

static inline void rig_close(rig *r)
{
    proxy_close(r->proxy);
    loop_free(r->loop);
    if (r->listener >= 0)
        close(r->listener);
}

static inline void rig_turn(rig *r)
{
    loop_turn(r->loop, 2000);
}

/* Turns until the condition holds; fails the test when that takes too long. */
#define RIG_UNTIL(r, condition)                                                                    \
    do {                                                                                           \
        const int64_t until_ = clock_mono_us() + RIG_PATIENCE_US;                                  \
        while (!(condition)) {                                                                     \
            ck_assert_msg(clock_mono_us() < until_, "still waiting for: %s", #condition);          \
            rig_turn(r);                                                                           \
        }                                                                                          \
    } while (0)

static inline void rig_nonblocking(int fd)
{
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

/* A caller: connected and handed to the proxy. rcvbuf > 0 makes it a small one. */
static inline int rig_caller_sized(rig *r, int rcvbuf)
{
    error e = {0};
    net_addr any, at, peer = {.len = sizeof peer.ss};
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    int listener = net_listen(&any, false, &e);
    ck_assert(net_local(listener, &at));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (rcvbuf)
        ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at.ss, at.len), 0);
    int served = -1;
    RIG_UNTIL(r, (served = accept4(listener, (struct sockaddr *)&peer.ss, &peer.len,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
    close(listener);
    if (rcvbuf) { /* the kernel would grow these to several MiB by itself */
        ck_assert_int_eq(setsockopt(served, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf), 0);
        ck_assert_int_eq(setsockopt(served, SOL_SOCKET, SO_SNDBUF, &rcvbuf, sizeof rcvbuf), 0);
    }
    rig_nonblocking(fd);
    proxy_adopt(r->proxy, served, &peer, r);
    return fd;
}

static inline int rig_caller(rig *r)
{
    return rig_caller_sized(r, 0);
}

/* The upstream's next connection. */
static inline int rig_accept(rig *r)
{
    int fd = -1;
    RIG_UNTIL(r, (fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
    return fd;
}

static inline bool rig_nobody_connects(rig *r)
{
    int fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    return fd < 0;
}

static inline void rig_send(rig *r, int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);
        if (sent < 0) {
            ck_assert_msg(errno == EAGAIN, "send: %s", strerror(errno));
            rig_turn(r);
            continue;
        }
        at += sent;
        n -= (size_t)sent;
    }
}

static inline void rig_say(rig *r, int fd, const char *text)
{
    rig_send(r, fd, text, strlen(text));
}

/* One recv: what came is appended; true at the end of the stream. */
static inline bool rig_take(int fd, buf *in)
{
    char block[16384];
    ssize_t n = recv(fd, block, sizeof block, 0);
    if (n > 0)
        buf_add(in, block, (size_t)n);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

/* Receives until text was seen; *in is cleared before. */
static inline void rig_hear(rig *r, int fd, buf *in, const char *text)
{
    buf_clear(in);
    RIG_UNTIL(r, (rig_take(fd, in) && !in->n ? (ck_abort_msg("closed before: %s", text), true)
                                             : (in->p && strstr(in->p, text))));
}

/* Receives until the peer closes. */
static inline void rig_hear_all(rig *r, int fd, buf *in)
{
    RIG_UNTIL(r, rig_take(fd, in));
}

static inline void rig_gone(rig *r, int fd)
{
    auto_buf buf rest = buf_make(1 << 20);
    rig_hear_all(r, fd, &rest);
    close(fd);
}

static inline const exchange_outcome *rig_outcome(rig *r, unsigned nth)
{
    RIG_UNTIL(r, r->done > nth);
    return &r->outcomes[nth];
}

/* ---- what every test program of the proxy has ---- */

static rig R;
static buf heard;

static inline void set_up(void)
{
    rig_open(&R);
    heard = buf_make(1 << 20);
}

static inline void tear_down(void)
{
    buf_free(&heard);
    rig_close(&R);
}

/* A caller whose request has reached the upstream. */
static inline int waiting_caller(int *out_up, const char *request)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, request);
    *out_up = rig_accept(&R);
    rig_hear(&R, *out_up, &heard, "\r\n\r\n");
    return caller;
}

#define OK_ANSWER     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define RIG_GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

#endif
