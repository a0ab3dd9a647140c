/* HTTP/1.0, because such an answer is not chunked: it ends with the connection, if ever. */
#include "cli/control_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/net.h"

enum {
    CONNECT_MS = 5 * 1000,
    SILENCE_MS = 45 * 1000, /* thrice what the listener lets pass between two signs of life */
    REQUEST_MAX = 16 * 1024,
    HEAD_MAX = 64 * 1024,
    CHUNK = 16 * 1024
};

/* What of the two is ready; negative: an error. Nothing within the time: 0. */
enum { READY_SOCKET = 1, READY_OUTPUT_GONE = 2 };

static int wait_for(int fd, short events, int output, int milliseconds)
{
    /* POLLERR comes without being asked for: the reader of a pipe has left. */
    struct pollfd p[] = {{.fd = fd, .events = events}, {.fd = output}};
    int got = 0;
    do {
        got = poll(p, countof(p), milliseconds);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return -1;
    return (p[0].revents ? READY_SOCKET : 0) |
           (p[1].revents & (POLLERR | POLLHUP) ? READY_OUTPUT_GONE : 0);
}

bool stream_pause(int output, int milliseconds)
{
    return wait_for(-1, 0, output, milliseconds) == 0;
}

static int connect_to(const char *control, error *e)
{
    net_addr a;
    if (!net_addr_resolve(span_of(control), &a, e))
        return -1;
    const int fd = net_connect(&a, e);
    if (fd < 0)
        return -1;
    int failure = ETIMEDOUT;
    socklen_t n = sizeof failure;
    if (wait_for(fd, POLLOUT, -1, CONNECT_MS) > 0)
        (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &n);
    if (failure == 0)
        return fd;
    (void)close(fd);
    errno = failure;
    error_errno(e, "cannot connect to %s", control);
    return -1;
}

/* It is short: a new connection has room for it. */
static bool send_request(int fd, const char *control, const char *path, span last_id)
{
    auto_buf buf b = buf_make(REQUEST_MAX);
    buf_fmt(&b, "GET %s HTTP/1.0\r\nHost: %s\r\nAccept: text/event-stream\r\n", path, control);
    if (last_id.n)
        buf_fmt(&b, "Last-Event-ID: %.*s\r\n", SPAN_ARG(last_id));
    buf_str(&b, "\r\n");
    return buf_ok(&b) && send(fd, b.p, b.n, MSG_NOSIGNAL) == (ssize_t)b.n;
}

typedef struct reading {
    int fd;
    const stream_reader *reader;
    buf head; /* until it is complete */
    bool open;
    sse events;
} reading;

/* "HTTP/1.1 200 OK…" */
static uint64_t status_of(span head)
{
    uint64_t status = 0;
    if (!span_starts(head, SPAN_LIT("HTTP/1.")) || head.n < 12 ||
        !span_u64((span){head.p + 9, 3}, 599, &status))
        return 0;
    return status;
}

/* The head and what is there of the body. STREAM_LOST: go on. */
static stream_end take_head(reading *r, error *e)
{
    static const char end_of_head[] = "\r\n\r\n";
    if (!buf_ok(&r->head)) {
        error_set(e, ERR_LIMIT, "the answer is no stream");
        return STREAM_REFUSED;
    }
    const char *end = memmem(r->head.p, r->head.n, end_of_head, strlen(end_of_head));
    if (!end)
        return STREAM_LOST;
    const uint64_t status = status_of(buf_view(&r->head));
    if (status != 200) {
        error_set(e, ERR_INVALID, "the gateway answered %llu: %.300s", (unsigned long long)status,
                  end + strlen(end_of_head));
        return STREAM_REFUSED;
    }
    const size_t n = (size_t)(end - r->head.p) + strlen(end_of_head);
    r->open = true;
    r->reader->opened(r->reader->ctx);
    const span body = span_from(buf_view(&r->head), n);
    return sse_feed(&r->events, body, r->reader->event, r->reader->ctx) ? STREAM_LOST
                                                                        : STREAM_STOPPED;
}

static stream_end take(reading *r, span bytes, error *e)
{
    if (!r->open) {
        buf_span(&r->head, bytes);
        return take_head(r, e);
    }
    return sse_feed(&r->events, bytes, r->reader->event, r->reader->ctx) ? STREAM_LOST
                                                                         : STREAM_STOPPED;
}

static stream_end read_all(reading *r, error *e)
{
    char chunk[CHUNK];
    stream_end state = STREAM_LOST;
    while (state == STREAM_LOST) {
        const int ready = wait_for(r->fd, POLLIN, r->reader->output, SILENCE_MS);
        if (ready > 0 && (ready & READY_OUTPUT_GONE))
            return STREAM_STOPPED;
        const ssize_t got = ready > 0 ? recv(r->fd, chunk, sizeof chunk, 0) : 0;
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0)
            break;
        state = take(r, (span){chunk, (size_t)got}, e);
    }
    return state;
}

stream_end control_stream(const char *control, const char *path, span last_id,
                          const stream_reader *reader, error *e)
{
    const int fd = connect_to(control, e);
    if (fd < 0)
        return STREAM_UNREACHABLE;
    reading r = {.fd = fd, .reader = reader, .head = buf_make(HEAD_MAX)};
    sse_init(&r.events);
    stream_end how = STREAM_LOST;
    if (send_request(fd, control, path, last_id))
        how = read_all(&r, e);
    if (how == STREAM_LOST && !r.open) {
        error_set(e, ERR_UNAVAILABLE, "%s closed the connection without an answer", control);
        how = STREAM_UNREACHABLE;
    }
    (void)close(fd);
    buf_free(&r.head);
    sse_free(&r.events);
    return how;
}
