/* A strict, incremental parser of HTTP/1.1 responses (RFC 9112): head, then body by none, length,
 * chunked or close. Knows no sockets; fed in pieces of any size it says the same as fed at once. */
#ifndef PROXY_H1_PARSE_H
#define PROXY_H1_PARSE_H

#include "base/buf.h"
#include "proxy/field.h"

enum {
    H1_HEAD_MAX = 16 * 1024,  /* status line and fields, with their line ends */
    H1_FIELDS_MAX = 128,      /* fields in a head */
    H1_CHUNK_LINE_MAX = 1024, /* a chunk's size and its extensions */
    H1_TRAILERS_MAX = 8 * 1024,
    H1_TRAILER_FIELDS_MAX = 32
};

typedef enum h1_result { H1_MORE, H1_DONE, H1_BAD } h1_result;

/* Open so that it can be embedded; read the fields once h1_head_feed said H1_DONE. */
typedef struct h1_head {
    unsigned status;
    unsigned minor;  /* HTTP/1.minor */
    size_t bytes;    /* the whole head with its empty line */
    uint64_t length; /* Content-Length */
    bool has_length;
    bool chunked;
    bool close;            /* Connection: close */
    bool keep_alive;       /* Connection: keep-alive */
    bool connection_names; /* Connection names further fields */
    const char *why;       /* after H1_BAD: a static sentence */
    size_t line, scanned;  /* where the current line begins, what of it was searched */
    size_t field_count;
    field fields[H1_FIELDS_MAX]; /* views into the bytes that were fed */
} h1_head;

void h1_head_reset(h1_head *h);

/* p is the head from its first byte on, n how much of it is there by now; p must be the same memory
 * in every call. Bytes behind the head are not looked at. */
h1_result h1_head_feed(h1_head *h, const char *p, size_t n);

/* The connection may carry another request when the body is over, as far as the head says. */
bool h1_head_keeps_alive(const h1_head *h);

typedef enum h1_framing { H1_NO_BODY, H1_LENGTH, H1_CHUNKED, H1_UNTIL_CLOSE } h1_framing;

/* RFC 9112 §6.3, for a response to a HEAD request or another one. */
h1_framing h1_framing_of(const h1_head *h, bool head_request);

typedef struct h1_body {
    h1_framing framing;
    uint64_t left; /* of the body (length) or of the current chunk */
    enum {
        H1_CHUNK_SIZE,
        H1_CHUNK_BLANK,
        H1_CHUNK_EXTENSION,
        H1_CHUNK_SIZE_LF,
        H1_CHUNK_DATA,
        H1_CHUNK_CR,
        H1_CHUNK_LF,
        H1_TRAILER,
        H1_OVER
    } state;
    unsigned digits;
    size_t line; /* bytes of the current chunk line, or where the trailer line begins */
    buf trailer; /* raw trailer section; memory only when there is one */
    const char *why;
    size_t trailer_count;
    field trailers[H1_TRAILER_FIELDS_MAX]; /* once over; views into trailer */
} h1_body;

void h1_body_begin(h1_body *b, h1_framing framing, uint64_t length);
void h1_body_free(h1_body *b);

/* Consumes *out_used bytes of p, at the most up to the end of one run of payload, *out_data
 * (possibly empty; a view into p). H1_MORE with *out_used < n: call again with the rest. H1_DONE:
 * the body is over and bytes behind it were not consumed. */
h1_result h1_body_feed(h1_body *b, const char *p, size_t n, size_t *out_used, span *out_data);

/* The peer closed: H1_DONE where that ends the body, else H1_BAD. */
h1_result h1_body_eof(h1_body *b);

#endif
