/* nghttp2 on a wire: what callers' side and upstream's side over HTTP/2 (RFC 9113) have in common.
 * What a turn of the loop brings is gathered and leaves in few writes when the turn is over. */
#ifndef PROXY_H2_SESSION_H
#define PROXY_H2_SESSION_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "proxy/wire.h"

enum {
    H2_STREAMS_MAX = 100, /* Cloud Run quotas: concurrent streams per client connection */
    /* What a peer may send ahead of us taking it: bounds our memory, whoever is slow. */
    H2_STREAM_WINDOW = 128 * 1024,
    H2_STREAM_BUFFER = 2 * H2_STREAM_WINDOW, /* with what was taken */
    /* Room for all streams: a slow reader of one must not stop the others. */
    H2_CONNECTION_WINDOW = H2_STREAMS_MAX * H2_STREAM_WINDOW
};

typedef struct h2_session h2_session;
struct h2_head;

/* The sessions of one loop. */
typedef struct h2_home {
    loop *loop;
    h2_session *dirty;    /* have something to send */
    buf scratch;          /* frames on their way, shared */
    struct h2_head *head; /* for a header section that is submitted at once */
} h2_home;

void h2_home_open(h2_home *h, loop *l);
void h2_home_close(h2_home *h);

/* Embedded in one connection of either side. */
struct h2_session {
    nghttp2_session *ng;
    wire *wire;
    h2_home *home;
    /* After bytes left or came: looks at what follows, for instance that it is over; may free s. */
    void (*after)(h2_session *s);
    h2_session *next_dirty;
    loop_timer again; /* goes on in the next turn: this one was long enough */
    buf out;          /* frames that the wire did not take */
    size_t out_sent;
    uint64_t sent; /* bytes that the wire took so far */
    bool dirty;
    bool waits;  /* the wire is not connected yet: nothing may leave */
    bool deaf;   /* what the peer sends is not to be read any more */
    bool broken; /* nothing can be sent or received any more */
};

/* Takes over ng. */
void h2_session_begin(h2_session *s, h2_home *h, nghttp2_session *ng, wire *w);
/* Not from within a callback of ng. The wire stays the owner's. */
void h2_session_end(h2_session *s);

/* Feeds ng with what is there. */
void h2_session_receive(h2_session *s);
/* Sends what ng has to say, at the end of this turn. Callable from anywhere. */
void h2_session_flush_later(h2_session *s);

/* Both sides said all, or the connection is gone. */
bool h2_session_is_over(const h2_session *s);

/* Options and callbacks that are the same for both sides. */
nghttp2_option *h2_options_new(void);
/* A field that RFC 9113 §8.2.1 forbids makes the message malformed; it is never left out quietly.
 */
int h2_refuse_field(nghttp2_session *ng, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *ctx);

/* A header section that is being put together. */
enum { H2_FIELDS_MAX = 256, H2_HEAD_MAX = 256 * 1024, H2_ANSWER_HEAD_MAX = 64 * 1024 };
typedef struct h2_head {
    buf text; /* names and values, one behind the other */
    size_t count;
    struct {
        uint32_t name_n, value_n;
    } sizes[H2_FIELDS_MAX];
    bool overrun; /* there was no room for all */
} h2_head;

void h2_head_open(h2_head *h);
void h2_head_close(h2_head *h);
void h2_head_clear(h2_head *h);
/* The name in lower case, as HTTP/2 wants it. Both are copied. */
void h2_head_add(h2_head *h, span name, span value);
/* Views into h; returns how many. */
size_t h2_head_view(const h2_head *h, nghttp2_nv out[H2_FIELDS_MAX]);

#endif
