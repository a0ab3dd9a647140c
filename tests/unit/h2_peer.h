/* The other end of an HTTP/2 connection, as upstream or as caller: nghttp2 on a non-blocking
 * socket, driven between the rig's turns. What it is told is written down, one line a field. */
#ifndef H2_PEER_H
#define H2_PEER_H

#include <nghttp2/nghttp2.h>

#include "proxy_fixture.h"

enum {
    PEER_STREAMS = 1024,
    PEER_FIELDS = 300,
    PEER_TEXT_MAX = 1 << 20,
    PEER_DATA_MAX = 1 << 20, /* more is counted, not kept */
    PEER_SAID_MAX = 16 << 20,
    PEER_OUT_MAX = 64 << 20,
    PEERS_MAX = 8
};

typedef struct peer_stream {
    int32_t id;
    buf head;     /* of the other header sections; "name: value\n" each */
    buf trailers; /* the last of several sections, or what came behind data */
    buf data;     /* as much as is kept */
    size_t received;
    unsigned sections;   /* header sections so far */
    bool ended, closed;  /* END_STREAM came; nobody says anything more */
    bool pieces;         /* data has begun */
    uint32_t reset_code; /* with closed */
    /* what it says itself */
    buf out;
    size_t out_at;
    bool open, deferred; /* more may be said; the data provider waits for it */
    const char *last_words;
} peer_stream;

typedef struct peer_options {
    bool server;
    bool silent;      /* no SETTINGS of its own */
    bool hoards;      /* windows open again by peer_take only */
    uint32_t window;  /* of each stream; 0: the protocol's 65,535 */
    bool no_window;   /* of each stream: nothing */
    uint32_t streams; /* concurrent ones; 0: does not say */
} peer_options;

typedef struct h2_peer {
    int fd;
    nghttp2_session *ng;
    peer_options options;
    buf out;
    size_t out_at;
    bool gone; /* the other side closed, or the session is over */
    unsigned goaways;
    int32_t goaway_last;
    uint32_t goaway_code;
    size_t count;
    peer_stream streams[PEER_STREAMS];
} h2_peer;

static h2_peer *peers[PEERS_MAX];

static inline peer_stream *peer_find(h2_peer *p, int32_t id)
{
    for (size_t i = p->count; i > 0; i--)
        if (p->streams[i - 1].id == id)
            return &p->streams[i - 1];
    return NULL;
}

static inline peer_stream *peer_stream_new(h2_peer *p, int32_t id)
{
    ck_assert_uint_lt(p->count, PEER_STREAMS);
    peer_stream *s = &p->streams[p->count++];
    *s = (peer_stream){.id = id,
                       .head = buf_make(PEER_TEXT_MAX),
                       .trailers = buf_make(PEER_TEXT_MAX),
                       .data = buf_make(PEER_DATA_MAX),
                       .out = buf_make(PEER_SAID_MAX)};
    return s;
}

static inline peer_stream *peer_known(h2_peer *p, int32_t id)
{
    peer_stream *s = peer_find(p, id);
    if (!s)
        abort();
    return s;
}

/* ---- what it is told ---- */

static inline int peer_on_begin(nghttp2_session *ng, const nghttp2_frame *f, void *ctx)
{
    (void)ng;
    h2_peer *p = ctx;
    peer_stream *s = peer_find(p, f->hd.stream_id);
    if (!s)
        s = peer_stream_new(p, f->hd.stream_id);
    s->sections++;
    return 0;
}

static inline int peer_on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name,
                                 size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags,
                                 void *ctx)
{
    (void)ng;
    (void)flags;
    peer_stream *s = peer_known(ctx, f->hd.stream_id);
    const bool last = s->sections > 1 && (f->hd.flags & NGHTTP2_FLAG_END_STREAM);
    buf *b = s->pieces || last ? &s->trailers : &s->head;
    buf_add(b, name, name_n);
    buf_str(b, ": ");
    buf_add(b, value, value_n);
    buf_char(b, '\n');
    return 0;
}

static inline int peer_on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *ctx)
{
    (void)ng;
    h2_peer *p = ctx;
    if (f->hd.type == NGHTTP2_GOAWAY) {
        p->goaways++;
        p->goaway_last = f->goaway.last_stream_id;
        p->goaway_code = f->goaway.error_code;
    }
    peer_stream *s = peer_find(p, f->hd.stream_id);
    const bool speaks = f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA;
    if (s && speaks && (f->hd.flags & NGHTTP2_FLAG_END_STREAM))
        s->ended = true;
    if (s && f->hd.type == NGHTTP2_DATA)
        s->pieces = true;
    return 0;
}

static inline int peer_on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data,
                               size_t n, void *ctx)
{
    (void)ng;
    (void)flags;
    peer_stream *s = peer_known(ctx, id);
    s->pieces = true;
    s->received += n;
    if (s->data.n + n <= PEER_DATA_MAX)
        buf_add(&s->data, data, n);
    return 0;
}

static inline int peer_on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *ctx)
{
    (void)ng;
    peer_stream *s = peer_find(ctx, id);
    if (!s)
        return 0;
    s->closed = true;
    s->reset_code = code;
    return 0;
}

/* ---- life ---- */

static inline void peer_settings(h2_peer *p)
{
    const peer_options *o = &p->options;
    nghttp2_settings_entry all[2];
    size_t n = 0;
    if (o->window || o->no_window)
        all[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, o->window};
    if (o->streams)
        all[n++] = (nghttp2_settings_entry){NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, o->streams};
    if (!o->silent)
        ck_assert_int_eq(nghttp2_submit_settings(p->ng, NGHTTP2_FLAG_NONE, all, n), 0);
}

static inline h2_peer *peer_new(int fd, const peer_options *o)
{
    h2_peer *p = calloc(1, sizeof *p);
    ck_assert_ptr_nonnull(p);
    p->fd = fd;
    p->options = *o;
    p->out = buf_make(PEER_OUT_MAX);
    nghttp2_session_callbacks *k;
    nghttp2_option *option;
    ck_assert_int_eq(nghttp2_session_callbacks_new(&k), 0);
    ck_assert_int_eq(nghttp2_option_new(&option), 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(k, peer_on_begin);
    nghttp2_session_callbacks_set_on_header_callback(k, peer_on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(k, peer_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(k, peer_on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(k, peer_on_close);
    nghttp2_option_set_no_auto_window_update(option, o->hoards);
    nghttp2_option_set_max_send_header_block_length(option, 1 << 20);
    ck_assert_int_eq((o->server ? nghttp2_session_server_new2
                                : nghttp2_session_client_new2)(&p->ng, k, p, option),
                     0);
    nghttp2_session_callbacks_del(k);
    nghttp2_option_del(option);
    peer_settings(p);
    size_t at = 0;
    while (peers[at])
        ck_assert_uint_lt(++at, PEERS_MAX);
    peers[at] = p;
    return p;
}

static inline void peer_free(h2_peer *p)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i] == p)
            peers[i] = NULL;
    for (size_t i = 0; i < p->count; i++) {
        buf_free(&p->streams[i].head);
        buf_free(&p->streams[i].trailers);
        buf_free(&p->streams[i].data);
        buf_free(&p->streams[i].out);
    }
    nghttp2_session_del(p->ng);
    buf_free(&p->out);
    close(p->fd);
    free(p);
}

static inline void peers_free(void)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i])
            peer_free(peers[i]);
}

/* ---- turns ---- */

static inline void peer_hear(h2_peer *p)
{
    uint8_t block[65536];
    ssize_t n;
    while ((n = recv(p->fd, block, sizeof block, 0)) > 0)
        ck_assert_int_eq(nghttp2_session_mem_recv(p->ng, block, (size_t)n), n);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        p->gone = true;
}

static inline void peer_speak(h2_peer *p)
{
    const uint8_t *frame;
    ssize_t n;
    if (p->out_at == p->out.n) {
        buf_clear(&p->out);
        p->out_at = 0;
        while (p->out.n < 256 * 1024 && (n = nghttp2_session_mem_send(p->ng, &frame)) > 0)
            buf_add(&p->out, frame, (size_t)n);
    }
    if (p->out_at < p->out.n) {
        n = send(p->fd, p->out.p + p->out_at, p->out.n - p->out_at, MSG_NOSIGNAL);
        p->out_at += n > 0 ? (size_t)n : 0;
        if (n < 0 && errno != EAGAIN)
            p->gone = true;
    }
}

static inline void peer_turn(h2_peer *p)
{
    if (!p->gone)
        peer_hear(p);
    if (!p->gone)
        peer_speak(p);
}

static inline void peers_turn(void)
{
    for (size_t i = 0; i < PEERS_MAX; i++)
        if (peers[i])
            peer_turn(peers[i]);
}

#define PEERS_UNTIL(condition) RIG_UNTIL(&R, (peers_turn(), (condition)))

static inline void peers_turns(unsigned n)
{
    while (n--) {
        peers_turn();
        rig_turn(&R);
    }
}

/* An HTTP/1.1 side hears, *in is not cleared; the peers have their turns, too. */
static inline void peers_hear(int fd, buf *in, const char *text)
{
    PEERS_UNTIL((rig_take(fd, in), in->p && strstr(in->p, text)));
}

/* ---- what it says ---- */

/* "name: value" lines. */
static inline size_t peer_fields(const char *text, nghttp2_nv out[PEER_FIELDS])
{
    span line, rest = span_of(text);
    size_t n = 0;
    while (span_cut(&rest, '\n', &line) || line.n) {
        const span behind = span_from(line, 1); /* a pseudo-header's own colon */
        const size_t name_n = 1 + span_find(behind, ':');
        ck_assert_uint_lt(n, PEER_FIELDS);
        ck_assert_uint_le(name_n + 2, line.n);
        out[n++] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)line.p,
                                .namelen = name_n,
                                .value = (uint8_t *)(uintptr_t)line.p + name_n + 2,
                                .valuelen = line.n - name_n - 2};
    }
    return n;
}

static inline ssize_t peer_piece(nghttp2_session *ng, int32_t id, uint8_t *p, size_t n,
                                 uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    (void)source;
    peer_stream *s = peer_known(ctx, id);
    const size_t there = s->out.n - s->out_at;
    const size_t take = there < n ? there : n;
    if (!take && s->open) {
        s->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (take)
        memcpy(p, s->out.p + s->out_at, take);
    s->out_at += take;
    if (take < there || s->open)
        return (ssize_t)take;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (s->last_words) {
        nghttp2_nv nv[PEER_FIELDS];
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        ck_assert_int_eq(nghttp2_submit_trailer(ng, id, nv, peer_fields(s->last_words, nv)), 0);
    }
    return (ssize_t)take;
}

static const nghttp2_data_provider peer_body = {.read_callback = peer_piece};

/* A request; with a body that is open until peer_end. */
static inline peer_stream *peer_ask(h2_peer *p, const char *fields, bool body)
{
    nghttp2_nv nv[PEER_FIELDS];
    const size_t n = peer_fields(fields, nv);
    const int32_t id = nghttp2_submit_request(p->ng, NULL, nv, n, body ? &peer_body : NULL, NULL);
    ck_assert_int_gt(id, 0);
    peer_stream *s = peer_stream_new(p, id);
    s->open = body;
    return s;
}

static inline void peer_answer(h2_peer *p, peer_stream *s, const char *fields, bool body)
{
    nghttp2_nv nv[PEER_FIELDS];
    const size_t n = peer_fields(fields, nv);
    s->open = body;
    ck_assert_int_eq(nghttp2_submit_response(p->ng, s->id, nv, n, body ? &peer_body : NULL), 0);
}

/* An interim answer, or a head that a body provider does not follow. */
static inline void peer_interim(h2_peer *p, peer_stream *s, const char *fields)
{
    nghttp2_nv nv[PEER_FIELDS];
    const size_t n = peer_fields(fields, nv);
    ck_assert_int_eq(nghttp2_submit_headers(p->ng, NGHTTP2_FLAG_NONE, s->id, NULL, nv, n, NULL), 0);
}

static inline void peer_resume(h2_peer *p, peer_stream *s)
{
    if (s->deferred)
        (void)nghttp2_session_resume_data(p->ng, s->id);
    s->deferred = false;
}

static inline void peer_say(h2_peer *p, peer_stream *s, const void *data, size_t n)
{
    buf_add(&s->out, data, n);
    ck_assert(buf_ok(&s->out));
    peer_resume(p, s);
}

static inline void peer_say_text(h2_peer *p, peer_stream *s, const char *text)
{
    peer_say(p, s, text, strlen(text));
}

/* n bytes of nothing in particular. */
static inline void peer_say_much(h2_peer *p, peer_stream *s, size_t n)
{
    auto_free char *much = malloc(n);
    ck_assert_ptr_nonnull(much);
    memset(much, 'x', n);
    peer_say(p, s, much, n);
}

static inline void peer_end(h2_peer *p, peer_stream *s, const char *trailers)
{
    s->open = false;
    s->last_words = trailers;
    peer_resume(p, s);
}

static inline void peer_reset(h2_peer *p, peer_stream *s, uint32_t code)
{
    ck_assert_int_eq(nghttp2_submit_rst_stream(p->ng, NGHTTP2_FLAG_NONE, s->id, code), 0);
}

/* Of one that hoards: n received bytes no longer count. */
static inline void peer_take(h2_peer *p, peer_stream *s, size_t n)
{
    ck_assert_int_eq(nghttp2_session_consume(p->ng, s->id, n), 0);
}

static inline size_t peer_unsaid(const peer_stream *s)
{
    return s->out.n - s->out_at;
}

/* ---- what the test programs of HTTP/2 have in common ---- */

static const peer_options peer_upstream = {.server = true};

static inline void set_up_h2(void)
{
    set_up();
    heard.max = 32 << 20;
    R.forward.http2 = true;
}

static inline void tear_down_h2(void)
{
    peers_free();
    tear_down();
}

/* The upstream's next connection, while the peers have their turns. */
static inline int peers_accept(void)
{
    int fd = -1;
    PEERS_UNTIL((fd = accept4(R.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
    return fd;
}

static inline h2_peer *accept_peer_as(const peer_options *o)
{
    return peer_new(peers_accept(), o);
}

static inline h2_peer *accept_peer(void)
{
    return accept_peer_as(&peer_upstream);
}

/* A caller that speaks HTTP/2. */
static inline h2_peer *calling_peer_as(const peer_options *o)
{
    return peer_new(rig_caller(&R), o);
}

static inline h2_peer *calling_peer(void)
{
    return calling_peer_as(&(peer_options){.server = false});
}

#define PEER_GET(path)  ":method: GET\n:scheme: http\n:authority: h\n:path: " path "\n"
#define PEER_POST(path) ":method: POST\n:scheme: http\n:authority: h\n:path: " path "\n"

static inline peer_stream *nth_asked(h2_peer *p, size_t n)
{
    PEERS_UNTIL(p->count > n && p->streams[n].sections);
    return &p->streams[n];
}

static inline int asking(const char *request)
{
    int caller = rig_caller(&R);
    rig_say(&R, caller, request);
    return caller;
}

static inline bool has(const buf *b, const char *text)
{
    return b->p && strstr(b->p, text);
}

static inline void answer_ok(h2_peer *p, peer_stream *s)
{
    peer_answer(p, s, ":status: 200\ncontent-length: 2\n", true);
    peer_say_text(p, s, "ok");
    peer_end(p, s, NULL);
}

static inline void hear(int fd, const char *text)
{
    buf_clear(&heard);
    peers_hear(fd, &heard, text);
}

#endif
