/* One poll loop over non-blocking sockets. An answer is over when its Content-Length is there, when
 * its last chunk is, or when the other side closes. */
#include "cli/http_call.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { CHUNK = 16 * 1024, STATUS_LINE_MIN = 12, BODY_UNKNOWN = -1 };

static const char END_OF_HEAD[] = "\r\n\r\n";
static const char LAST_CHUNK[] = "0\r\n\r\n";

static void finish(http_call *c, http_outcome outcome)
{
    c->outcome = outcome;
    if (c->fd >= 0)
        (void)close(c->fd);
    c->fd = -1;
}

/* ---- what has arrived ---- */

static bool field_of(span head, const char *name, span *out)
{
    span line;
    bool more = span_cut(&head, '\n', &line); /* the status line */
    while (more) {
        more = span_cut(&head, '\n', &line);
        span key;
        if (!span_cut(&line, ':', &key) || !span_ieq_str(key, name))
            continue;
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        *out = span_trim(line);
        return true;
    }
    return false;
}

bool http_call_field(const http_call *c, const char *name, span *out)
{
    return field_of(c->head, name, out);
}

/* The body's length as the head declares it, or BODY_UNKNOWN. */
static int64_t declared(const http_call *c)
{
    span value;
    uint64_t n = 0;
    if (c->status == 204 || c->status == 304)
        return 0;
    if (http_call_field(c, "Content-Length", &value) && span_u64(value, INT32_MAX, &n))
        return (int64_t)n;
    return BODY_UNKNOWN;
}

/* false: it is no HTTP. The head may still be incomplete. */
static bool read_head(http_call *c)
{
    const span text = buf_view(&c->reply);
    const char *end = text.n ? memmem(text.p, text.n, END_OF_HEAD, strlen(END_OF_HEAD)) : NULL;
    const span start = SPAN_LIT("HTTP/1.");
    if (!span_starts(text, (span){start.p, text.n < start.n ? text.n : start.n}))
        return false;
    if (!end)
        return true;
    uint64_t status = 0;
    if (text.n < STATUS_LINE_MIN || text.p[8] != ' ' ||
        !span_u64((span){text.p + 9, 3}, 599, &status) || status < 100)
        return false;
    c->status = (unsigned)status;
    c->head = (span){text.p, (size_t)(end - text.p) + 2};
    c->body = span_from(text, c->head.n + 2);
    return true;
}

static bool is_complete(const http_call *c)
{
    if (!c->head.n)
        return false;
    const int64_t n = declared(c);
    if (n != BODY_UNKNOWN)
        return c->body.n >= (size_t)n;
    span coding;
    return http_call_field(c, "Transfer-Encoding", &coding) &&
           span_ends(c->body, SPAN_LIT(LAST_CHUNK));
}

static void take_bytes(http_call *c, const char *p, size_t n)
{
    buf_add(&c->reply, p, n);
    if (!buf_ok(&c->reply))
        finish(c, HTTP_TOO_LONG);
    else if (!read_head(c))
        finish(c, HTTP_NOT_HTTP);
    else if (is_complete(c))
        finish(c, HTTP_ANSWERED);
}

static void on_closed(http_call *c)
{
    if (!c->reply.n)
        finish(c, HTTP_BROKEN);
    else if (!c->head.n)
        finish(c, HTTP_NOT_HTTP);
    else
        finish(c, declared(c) == BODY_UNKNOWN ? HTTP_ANSWERED : HTTP_BROKEN);
}

/* ---- turns ---- */

static void begin(http_call *c)
{
    c->reply = buf_make(c->reply_max);
    c->outcome = HTTP_PENDING;
    c->since_us = clock_mono_us();
    c->fd = net_connect(&c->to, NULL);
    if (c->fd >= 0)
        return;
    c->failure = errno;
    finish(c, HTTP_NO_CONNECTION);
}

static void on_connected(http_call *c)
{
    socklen_t n = sizeof c->failure;
    (void)getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &c->failure, &n);
    if (!c->failure && net_is_own_reflection(c->fd))
        c->failure = ECONNREFUSED;
    c->connected = !c->failure;
    if (c->failure)
        finish(c, HTTP_NO_CONNECTION);
    else if (!c->request.n)
        finish(c, HTTP_ANSWERED);
}

static void send_more(http_call *c)
{
    const span rest = span_from(c->request, c->sent);
    const ssize_t put = rest.n ? send(c->fd, rest.p, rest.n, MSG_NOSIGNAL) : 0;
    if (put > 0)
        c->sent += (size_t)put;
    else if (put < 0 && errno != EAGAIN && errno != EINTR)
        c->sent = c->request.n; /* what it has to say before it closed is read all the same */
}

static void receive_more(http_call *c)
{
    char chunk[CHUNK];
    const ssize_t got = recv(c->fd, chunk, sizeof chunk, 0);
    if (got > 0)
        take_bytes(c, chunk, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        on_closed(c);
}

static void turn(http_call *c, short events)
{
    if (!events)
        return;
    c->since_us = clock_mono_us();
    if (!c->connected)
        on_connected(c);
    else if (events & POLLOUT)
        send_more(c);
    if (c->fd >= 0 && (events & (POLLIN | POLLHUP | POLLERR)))
        receive_more(c);
}

/* ---- time ---- */

static int64_t ends_us(const http_call *c)
{
    const int64_t end = c->since_us + (c->connected ? c->idle_us : c->connect_us);
    return c->until_us && c->until_us < end ? c->until_us : end;
}

static void give_up(http_call *c)
{
    if (!c->connected)
        c->failure = ETIMEDOUT;
    finish(c, c->connected ? HTTP_SILENT : HTTP_NO_CONNECTION);
}

/* Ends what is overdue; how long the others may still take, or -1: none is left. */
static int64_t wait_us(http_call *calls, size_t n)
{
    int64_t least = -1;
    const int64_t now = clock_mono_us();
    for (size_t i = 0; i < n; i++) {
        if (calls[i].outcome != HTTP_PENDING)
            continue;
        const int64_t left = ends_us(&calls[i]) - now;
        if (left <= 0)
            give_up(&calls[i]);
        else if (least < 0 || left < least)
            least = left;
    }
    return least;
}

static short wanted(const http_call *c)
{
    if (!c->connected)
        return POLLOUT;
    return c->sent < c->request.n ? (short)(POLLIN | POLLOUT) : POLLIN;
}

void http_calls_run(http_call *calls, size_t n)
{
    struct pollfd *polled = calloc(n + 1, sizeof *polled);
    if (!polled)
        abort();
    for (size_t i = 0; i < n; i++)
        begin(&calls[i]);
    for (int64_t left; (left = wait_us(calls, n)) >= 0;) {
        for (size_t i = 0; i < n; i++)
            polled[i] = (struct pollfd){.fd = calls[i].fd, .events = wanted(&calls[i])};
        if (poll(polled, n, (int)(left / 1000) + 1) <= 0)
            continue;
        for (size_t i = 0; i < n; i++)
            turn(&calls[i], polled[i].revents); /* 0 where there is no descriptor */
    }
    free(polled);
}

void http_call_free(http_call *c)
{
    buf_free(&c->reply);
    *c = (http_call){.fd = -1};
}

static void add_seconds(buf *out, const char *what, int64_t us)
{
    buf_fmt(out, "%s within %.4g s", what, (double)us / 1e6);
}

void http_call_trouble(const http_call *c, buf *out)
{
    switch (c->outcome) {
    case HTTP_NO_CONNECTION:
        if (c->failure == ETIMEDOUT)
            add_seconds(out, "no connection", c->connect_us);
        else
            buf_str(out, strerror(c->failure));
        return;
    case HTTP_SILENT:
        add_seconds(out, "no answer", c->idle_us);
        return;
    case HTTP_BROKEN:
        buf_str(out, "the connection broke");
        return;
    case HTTP_NOT_HTTP:
        buf_str(out, "the answer is no HTTP");
        return;
    case HTTP_TOO_LONG:
        buf_str(out, "the answer is too long");
        return;
    case HTTP_PENDING:
    case HTTP_ANSWERED:
        return;
    }
    abort();
}
