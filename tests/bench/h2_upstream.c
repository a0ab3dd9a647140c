/* The HTTP/2 upstream, cleartext by prior knowledge: a small answer, /down/N gives N bytes, any
 * body is swallowed, and a gRPC request gets a message and its status in trailers. Prints its port.
 */
#include <errno.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <unistd.h>

#include "common/listening.h"

enum { OUT_ROOM = 64 * 1024, IN_ROOM = 64 * 1024, STREAMS_MAX = 256, WINDOW = 16 << 20 };

#define HELLO   "hello from the upstream\n"
/* Not compressed, eight bytes: gRPC's length-prefixed message. */
#define MESSAGE "\0\0\0\0\x08\x0a\x06worlds"

/* nghttp2 wants them writable, and leaves them alone. */
static uint8_t status_name[] = ":status", status_value[] = "200";
static uint8_t type_name[] = "content-type", plain_value[] = "text/plain";
static uint8_t grpc_value[] = "application/grpc";
static uint8_t grpc_status_name[] = "grpc-status", grpc_status_value[] = "0";

#define FIELD(name, value)                                                                         \
    ((nghttp2_nv){(name), (value), sizeof(name) - 1, sizeof(value) - 1,                            \
                  NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE})

typedef struct peer {
    loop_watch watch;
    loop *loop;
    nghttp2_session *session;
    size_t out_n, out_sent;
    uint8_t out[OUT_ROOM];
} peer;

typedef struct stream {
    bool grpc;
    span text;       /* the body, where it is not that many zeros: */
    uint64_t remain; /* bytes of body to come */
} stream;

/* ---- answers ---- */

static int submit_status(nghttp2_session *s, int32_t id)
{
    nghttp2_nv trailers[] = {FIELD(grpc_status_name, grpc_status_value)};
    return nghttp2_submit_trailer(s, id, trailers, 1);
}

static ssize_t read_body(nghttp2_session *s, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *ctx)
{
    (void)ctx;
    stream *st = source->ptr;
    const size_t n = st->remain < room ? (size_t)st->remain : room;
    if (st->text.p)
        memcpy(out, st->text.p + (st->text.n - st->remain), n);
    else
        memset(out, 'x', n);
    st->remain -= n;
    if (st->remain > 0)
        return (ssize_t)n;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (st->grpc) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (submit_status(s, id) != 0)
            return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return (ssize_t)n;
}

static int respond(nghttp2_session *s, int32_t id)
{
    nghttp2_nv fields[] = {FIELD(status_name, status_value), FIELD(type_name, plain_value)};
    stream *st = nghttp2_session_get_stream_user_data(s, id);
    if (!st)
        return 0;
    if (st->grpc) {
        fields[1] = FIELD(type_name, grpc_value);
        st->text = SPAN_LIT(MESSAGE);
    } else if (st->remain == 0)
        st->text = SPAN_LIT(HELLO);
    if (st->text.p)
        st->remain = st->text.n;
    nghttp2_data_provider body = {.source.ptr = st, .read_callback = read_body};
    return nghttp2_submit_response(s, id, fields, countof(fields), &body);
}

/* ---- requests ---- */

static int on_begin(nghttp2_session *s, const nghttp2_frame *f, void *ctx)
{
    (void)ctx;
    stream *st = calloc(1, sizeof *st);
    if (!st)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return nghttp2_session_set_stream_user_data(s, f->hd.stream_id, st);
}

static int on_header(nghttp2_session *s, const nghttp2_frame *f, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *ctx)
{
    (void)flags;
    (void)ctx;
    stream *st = nghttp2_session_get_stream_user_data(s, f->hd.stream_id);
    const span n = {(const char *)name, name_n};
    const span v = {(const char *)value, value_n};
    if (!st)
        return 0;
    if (span_eq_str(n, "content-type"))
        st->grpc = span_starts(v, SPAN_LIT("application/grpc"));
    else if (span_eq_str(n, ":path") && span_starts(v, SPAN_LIT("/down/")))
        (void)span_u64(span_from(v, sizeof "/down/" - 1), UINT64_MAX, &st->remain);
    return 0;
}

static int on_frame(nghttp2_session *s, const nghttp2_frame *f, void *ctx)
{
    (void)ctx;
    const bool of_request = f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA;
    if (of_request && (f->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return respond(s, f->hd.stream_id);
    return 0;
}

static int on_stream_close(nghttp2_session *s, int32_t id, uint32_t code, void *ctx)
{
    (void)code;
    (void)ctx;
    free(nghttp2_session_get_stream_user_data(s, id));
    return 0;
}

/* ---- connections ---- */

static void drop(peer *p)
{
    loop_del(p->loop, &p->watch);
    nghttp2_session_del(p->session);
    (void)close(p->watch.fd);
    free(p);
}

/* Gathers frames into one write; false when the session is broken. */
static bool gather(peer *p)
{
    p->out_n = p->out_sent = 0;
    while (p->out_n <= OUT_ROOM / 2) { /* no frame is larger than the other half */
        const uint8_t *bytes;
        const ssize_t n = nghttp2_session_mem_send(p->session, &bytes);
        if (n < 0 || (size_t)n > OUT_ROOM - p->out_n)
            return false;
        if (n == 0)
            return true;
        memcpy(p->out + p->out_n, bytes, (size_t)n);
        p->out_n += (size_t)n;
    }
    return true;
}

/* Sends what there is until the socket is full; false when the connection is over. */
static bool flush(peer *p)
{
    for (;;) {
        if (p->out_sent == p->out_n && !gather(p))
            return false;
        if (p->out_n == 0)
            break;
        const ssize_t n =
            send(p->watch.fd, p->out + p->out_sent, p->out_n - p->out_sent, MSG_NOSIGNAL);
        if (n < 0) {
            loop_mod(p->loop, &p->watch, EPOLLIN | EPOLLOUT);
            return errno == EAGAIN;
        }
        p->out_sent += (size_t)n;
    }
    loop_mod(p->loop, &p->watch, EPOLLIN);
    return nghttp2_session_want_read(p->session) || nghttp2_session_want_write(p->session);
}

static bool take_input(peer *p)
{
    static uint8_t in[IN_ROOM];
    const ssize_t n = recv(p->watch.fd, in, sizeof in, 0);
    if (n < 0)
        return errno == EAGAIN;
    return n > 0 && nghttp2_session_mem_recv(p->session, in, (size_t)n) == n;
}

static void on_ready(loop_watch *w, uint32_t events)
{
    peer *p = container_of(w, peer, watch);
    if ((events & ~(uint32_t)EPOLLOUT && !take_input(p)) || !flush(p))
        drop(p);
}

static bool open_session(peer *p)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
    nghttp2_session_callbacks *c;
    if (nghttp2_session_callbacks_new(&c) != 0)
        return false;
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
    const int made = nghttp2_session_server_new(&p->session, c, p);
    nghttp2_session_callbacks_del(c);
    return made == 0 &&
           nghttp2_submit_settings(p->session, NGHTTP2_FLAG_NONE, settings, countof(settings)) ==
               0 &&
           nghttp2_session_set_local_window_size(p->session, NGHTTP2_FLAG_NONE, 0, WINDOW) == 0;
}

static void on_accept(void *ctx, int fd, const net_addr *from)
{
    (void)from;
    peer *p = calloc(1, sizeof *p);
    if (!p) {
        (void)close(fd);
        return;
    }
    p->loop = ctx;
    p->watch = (loop_watch){.ready = on_ready, .fd = fd};
    if (!open_session(p) || !loop_add(p->loop, &p->watch, EPOLLIN, NULL) || !flush(p))
        drop(p);
}

int main(void)
{
    listening_run(on_accept);
}
