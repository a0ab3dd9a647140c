/* What server.c, request.c, respond.c and stream.c share; nobody else includes this. */
#ifndef HTTP_SERVER_IMPL_H
#define HTTP_SERVER_IMPL_H

#include <microhttpd.h>

#include "http/gate.h"
#include "http/mhd_loop.h"
#include "http/server.h"

enum { TARGET_INLINE = 512 };

typedef enum request_state {
    REQUEST_IDLE,     /* between two requests of a connection */
    REQUEST_HEAD,     /* its target is known, its head is not judged yet */
    REQUEST_BODY,     /* the body is being collected */
    REQUEST_SWALLOW,  /* an early answer waits for the end of the body */
    REQUEST_HANDLING, /* inside the owner's handle() */
    REQUEST_DEFERRED, /* suspended until it is answered */
    REQUEST_ANSWERED, /* the answer is kept or already libmicrohttpd's */
    REQUEST_DROPPED   /* the client left; its connection ends at the next call */
} request_state;

struct http_answer {
    struct MHD_Response *mhd;
    unsigned status;
    unsigned refs;
};

struct http_request {
    struct http_conn *conn;
    struct MHD_Connection *mhd;
    request_state state;
    bool deferred;
    gate_facts facts;
    const char *method;
    span target, path, query, host;
    char *target_heap; /* where the inline room does not suffice */
    char target_inline[TARGET_INLINE];
    buf body;
    uint64_t swallowed;
    http_answer *answer;
    void (*on_gone)(void *ctx);
    void *gone_ctx;
    http_request *previous, *next; /* in the server's list while deferred */
    http_stream *stream;           /* where the body of the answer comes in pieces */
};

/* One connection carries one request at a time, so the request lives in it. */
typedef struct http_conn {
    http_server *server;
    void *tag;
    net_addr peer;
    loop_watch
        watch; /* tells when the client leaves: a suspended one is out of the daemon's sight */
    bool gone;
    loop_timer linger; /* after the client left: time for an answer that is on its way */
    http_request request;
} http_conn;

struct http_server {
    loop *loop;
    http_server_options options;
    mhd_loop *mhd;
    struct listener *listeners;
    http_request *deferred; /* newest first */
    http_stream *streams;   /* which their owners may still write to; newest first */
    loop_timer gone_check;  /* for clients that had left before their request was deferred */
    bool closing;
};

/* request.c: fills in target, path, query and host. */
void request_set_target(http_request *r, const char *uri);
void request_take_head(http_request *r);
void request_reset(http_request *r);

/* respond.c */
void respond_error(http_request *r, unsigned status, const char *sentence, bool close);
enum MHD_Result respond_queue(http_request *r);
void respond_defer_now(http_request *r);
void respond_drop(http_request *r);
void respond_drop_gone(http_server *s);
/* Takes over one count of a. */
void respond_give(http_request *r, http_answer *a);
/* Out of the daemon's sight, and back; each once. */
void respond_suspend(http_request *r);
void respond_resume(http_request *r);

/* stream.c */
void stream_client_left(http_request *r); /* of a request with a stream */
void stream_drop_gone(http_server *s);    /* whoever had left before the stream was opened */
void stream_end_all(http_server *s);
void stream_free(http_request *r); /* its request is over */

#endif
