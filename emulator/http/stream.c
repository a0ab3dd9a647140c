/* Answers whose body comes in pieces: what was written waits here until libmicrohttpd asks for it,
 * and while nothing waits the connection is suspended. */
#include <stdlib.h>
#include <sys/socket.h>

#include "base/attr.h"
#include "http/server_impl.h"

enum {
    BLOCK = 4096, /* of a body that the end of the connection ends; chunks are as they come */
    DROP_WORTH = 64 * 1024 /* sent bytes at the front that are worth moving the rest */
};

struct http_stream {
    http_request *request;
    http_stream_options o;
    buf pending;
    size_t sent; /* of pending */
    bool suspended;
    bool complete;                /* its owner has said all */
    bool cut;                     /* the connection ends */
    http_stream *previous, *next; /* in the server's list while its owner may write */
};

/* ---- the owner's list ---- */

static void link_stream(http_stream *s)
{
    http_server *server = s->request->conn->server;
    s->next = server->streams;
    if (s->next)
        s->next->previous = s;
    server->streams = s;
}

static bool is_owned(const http_stream *s)
{
    return !s->complete && !s->cut;
}

static void unlink_stream(http_stream *s)
{
    if (s->previous)
        s->previous->next = s->next;
    else
        s->request->conn->server->streams = s->next;
    if (s->next)
        s->next->previous = s->previous;
    s->previous = s->next = NULL;
}

/* ---- towards the client ---- */

static void wake(http_stream *s)
{
    if (!s->suspended)
        return;
    s->suspended = false;
    respond_resume(s->request);
}

static ssize_t on_read(void *ctx, uint64_t at, char *p, size_t n)
{
    (void)at;
    http_stream *s = ctx;
    if (!s)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (s->cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    const size_t waiting = http_stream_waiting(s);
    if (waiting == 0 && !s->complete) {
        s->suspended = true;
        respond_suspend(s->request);
        return 0;
    }
    mhd_loop_kick(s->request->conn->server->mhd);
    if (waiting == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n > waiting)
        n = waiting;
    memcpy(p, s->pending.p + s->sent, n);
    s->sent += n;
    buf_drop(&s->pending, &s->sent, DROP_WORTH);
    return (ssize_t)n;
}

static void cut(http_stream *s)
{
    unlink_stream(s);
    s->cut = true;
    (void)shutdown(s->request->conn->watch.fd, SHUT_RDWR);
    wake(s);
}

/* ---- the owner's calls ---- */

static http_answer *answer_of(http_stream *s, unsigned status, const http_field *fields)
{
    http_answer *a = malloc(sizeof *a);
    struct MHD_Response *mhd =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, s, NULL);
    if (!a || !mhd)
        abort();
    for (; fields && fields->name; fields++)
        (void)MHD_add_response_header(mhd, fields->name, fields->value);
    *a = (http_answer){mhd, status, 1};
    return a;
}

http_stream *http_stream_open(http_request *r, unsigned status, const http_field *fields,
                              const http_stream_options *o)
{
    http_server *server = r->conn->server;
    http_stream *s = NULL;
    if (!span_eq_str(http_method(r), "HEAD")) {
        s = calloc(1, sizeof *s);
        if (!s)
            abort();
        *s = (http_stream){.request = r, .o = *o, .pending = buf_make(SIZE_MAX / 2)};
        r->stream = s;
        link_stream(s);
        if (r->conn->gone)
            loop_timer_set(server->loop, &server->gone_check, loop_now_us(server->loop));
    }
    respond_give(r, answer_of(s, status, fields));
    return s;
}

bool http_stream_write(http_stream *s, span bytes)
{
    if (http_stream_waiting(s) + bytes.n > s->o.backlog_max) {
        cut(s);
        return false;
    }
    buf_span(&s->pending, bytes);
    wake(s);
    return true;
}

size_t http_stream_waiting(const http_stream *s)
{
    return s->pending.n - s->sent;
}

void http_stream_close(http_stream *s)
{
    unlink_stream(s);
    s->complete = true;
    wake(s);
}

/* ---- the other ways in which one ends ---- */

static void tell_owner(const http_stream *s)
{
    if (s->o.on_gone)
        s->o.on_gone(s->o.ctx);
}

void stream_client_left(http_request *r)
{
    http_stream *s = r->stream;
    if (!is_owned(s)) {
        (void)shutdown(r->conn->watch.fd, SHUT_RDWR);
        return;
    }
    cut(s);
    tell_owner(s);
}

/* An owner who is told may end others of his: begin anew after each. */
void stream_drop_gone(http_server *server)
{
    http_stream *s = server->streams;
    while (s) {
        const bool left = s->request->conn->gone;
        if (left)
            stream_client_left(s->request);
        s = left ? server->streams : s->next;
    }
}

void stream_end_all(http_server *server)
{
    while (server->streams) {
        http_stream *s = server->streams;
        http_stream_close(s);
        tell_owner(s);
    }
}

void stream_free(http_request *r)
{
    http_stream *s = r->stream;
    if (is_owned(s)) { /* libmicrohttpd gave up the connection: broken, or nothing moved for long */
        unlink_stream(s);
        tell_owner(s);
    }
    buf_free(&s->pending);
    free(s);
}
