/* HTTP/1.1 for handlers that simply answer (metadata server, control listener): one thread, one
 * loop, any number of listeners. Handlers never see libmicrohttpd. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/buf.h"
#include "base/loop.h"
#include "base/net.h"

typedef struct http_server http_server;
typedef struct http_request http_request;

typedef struct http_server_options {
    void (*handle)(void *ctx, http_request *r); /* called once the whole body is there */
    /* Nullable: an answer is given, by handle or by the server itself. */
    void (*answered)(void *ctx, const http_request *r, unsigned status);
    void *ctx;
    /* Nullable. How the server's own refusals (malformed, too large, stopping) are worded: appends
     * the body, a complete document; its type. NULL: the sentence as plain text. Of r, method and
     * target can be asked. */
    void (*refusal)(const http_request *r, unsigned status, const char *sentence, buf *out);
    const char *refusal_type;
    size_t head_max; /* bytes; 431 beyond */
    size_t body_max; /* bytes; 413 beyond */
    unsigned connections_max;
    unsigned idle_timeout_s;
} http_server_options;

http_server *http_server_open(loop *l, const http_server_options *o, error *e);

/* Answers every deferred request with 503, ends every stream, then stops. */
void http_server_close(http_server *s);

/* Adds a listener; tag is what http_tag() says of requests that come in by it. *out_bound
 * (nullable) is the address with the port the kernel picked. */
bool http_server_listen(http_server *s, const net_addr *a, bool reuseport, void *tag,
                        net_addr *out_bound, error *e);
/* Stops accepting on the listeners with this tag; open connections keep their tag. */
void http_server_unlisten(http_server *s, void *tag);

/* ---- the request; views are valid until it is answered ---- */
span http_method(const http_request *r);
span http_target(const http_request *r); /* byte-exact, as on the request line */
span http_path(const http_request *r); /* the target up to '?'; absolute-form reduced to its path */
span http_query(const http_request *r); /* behind '?', raw; empty when there is none */
span http_host(const http_request *r);
bool http_has_header(const http_request *r, const char *name);
span http_header(const http_request *r, const char *name); /* the first; empty when absent */
/* Each field in the order of the request. */
void http_each_header(const http_request *r, void (*tell)(void *ctx, span name, span value),
                      void *ctx);
span http_body(const http_request *r);
const net_addr *http_peer(const http_request *r);
void *http_tag(const http_request *r);
/* The address that the client connected to. */
bool http_local(const http_request *r, net_addr *out);

/* The first query parameter of that name, percent-decoded ('+' stays '+' unless form is set);
 * false when absent. Appends to out. */
bool http_query_get(const http_request *r, const char *name, bool form, buf *out);
/* The same on a raw query, not decoded; and the decoding by itself (broken escapes stay as they
 * are). */
bool http_query_find(span query, const char *name, span *out_raw);
void http_percent_decode(span text, bool form, buf *out);

/* ---- the answer: exactly one per request ---- */
typedef struct http_field {
    const char *name;
    const char *value;
} http_field;

/* Fields and body are copied (body_static: the body outlives the process' use of it). The list ends
 * with a NULL name. Content-Length and Date are added; HEAD sends no body. */
void http_respond(http_request *r, unsigned status, const http_field *fields, span body,
                  bool body_static);

/* A prepared answer that goes out any number of times; counted, same thread as the server. */
typedef struct http_answer http_answer;
http_answer *http_answer_new(unsigned status, const http_field *fields, span body); /* copied */
http_answer *http_answer_ref(http_answer *a);
void http_answer_unref(http_answer *a);                  /* NULL is fine */
void http_respond_with(http_request *r, http_answer *a); /* takes its own count */

/* Answer later from the same loop. on_gone(ctx) is called when the client leaves first; the request
 * must then not be answered any more. */
void http_defer(http_request *r, void (*on_gone)(void *ctx), void *ctx);

/* An answer whose body comes in pieces, at once or later, for as long as both sides like: neither a
 * silence of ours nor the idle time-out ends it. Takes the place of http_respond. */
typedef struct http_stream http_stream;

typedef struct http_stream_options {
    size_t backlog_max; /* bytes that may wait for a slow reader */
    /* The client left, or the server closes: the stream must not be touched any more. Not called
     * from within a call on the stream. */
    void (*on_gone)(void *ctx);
    void *ctx;
} http_stream_options;

/* Fields are copied. NULL: there is no body to come (HEAD), the request is answered. */
http_stream *http_stream_open(http_request *r, unsigned status, const http_field *fields,
                              const http_stream_options *o);
/* Appends to the body. false: the client reads too slowly and was cut off; the stream must not be
 * touched any more, and on_gone is not called. */
bool http_stream_write(http_stream *s, span bytes);
/* Bytes that the client has not taken yet. */
size_t http_stream_waiting(const http_stream *s);
/* The body is complete; what is still to be read goes on being sent. on_gone is not called. */
void http_stream_close(http_stream *s);

#endif
