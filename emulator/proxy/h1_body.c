/* Response bodies: counted, chunked with trailers, or until the peer closes. */
#include "proxy/h1_line.h"
#include "proxy/h1_parse.h"

enum { SIZE_DIGITS_MAX = 15 }; /* of 4 bits: below 2^63 whatever they are */

void h1_body_begin(h1_body *b, h1_framing framing, uint64_t length)
{
    buf kept = b->trailer;
    memset(b, 0, offsetof(h1_body, trailers));
    b->trailer = kept;
    b->trailer.max = H1_TRAILERS_MAX;
    buf_clear(&b->trailer);
    b->framing = framing;
    b->left = framing == H1_LENGTH ? length : 0;
    b->state = framing == H1_NO_BODY || (framing == H1_LENGTH && !length) ? H1_OVER : H1_CHUNK_SIZE;
}

void h1_body_free(h1_body *b)
{
    buf_free(&b->trailer);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The line's end, an extension, or blanks before one of them. */
static const char *behind_size(h1_body *b, char c)
{
    if (c == '\r')
        b->state = H1_CHUNK_SIZE_LF;
    else if (c == ';')
        b->state = H1_CHUNK_EXTENSION;
    else if (c == ' ' || c == '\t')
        b->state = H1_CHUNK_BLANK;
    else
        return "a chunk size is not a hexadecimal number";
    return NULL;
}

static const char *size_char(h1_body *b, char c)
{
    int digit = hex_value(c);
    if (digit >= 0) {
        if (++b->digits > SIZE_DIGITS_MAX)
            return "a chunk size is too large";
        b->left = b->left << 4 | (uint64_t)digit;
        return NULL;
    }
    return b->digits ? behind_size(b, c) : "a chunk size is not a hexadecimal number";
}

static const char *extension_char(h1_body *b, char c)
{
    if (c == '\r')
        b->state = H1_CHUNK_SIZE_LF;
    else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7F)
        return "a chunk extension has a control character";
    return NULL;
}

static const char *expect(h1_body *b, char c, char wanted, int next)
{
    if (c != wanted)
        return "a chunk does not end with CR LF";
    b->state = (unsigned)next;
    return NULL;
}

static void next_chunk(h1_body *b)
{
    b->state = H1_CHUNK_SIZE;
    b->left = 0;
    b->digits = 0;
    b->line = 0;
}

static const char *size_line_char(h1_body *b, char c)
{
    const char *why = b->state == H1_CHUNK_SIZE    ? size_char(b, c)
                      : b->state == H1_CHUNK_BLANK ? behind_size(b, c)
                                                   : extension_char(b, c);
    return !why && ++b->line > H1_CHUNK_LINE_MAX ? "a chunk line is too long" : why;
}

/* One byte that is framing, not payload. */
static const char *framing_char(h1_body *b, char c)
{
    const char *why = NULL;
    switch (b->state) {
    case H1_CHUNK_SIZE:
    case H1_CHUNK_BLANK:
    case H1_CHUNK_EXTENSION:
        return size_line_char(b, c);
    case H1_CHUNK_SIZE_LF:
        why = expect(b, c, '\n', b->left ? H1_CHUNK_DATA : H1_TRAILER);
        b->line = 0;
        return why;
    case H1_CHUNK_CR:
        return expect(b, c, '\r', H1_CHUNK_LF);
    case H1_CHUNK_LF:
        why = expect(b, c, '\n', H1_CHUNK_SIZE);
        if (!why)
            next_chunk(b);
        return why;
    case H1_CHUNK_DATA:
    case H1_TRAILER:
    case H1_OVER:
        break;
    }
    return "unreachable";
}

/* The whole section is there: the views are made now, because the buffer has stopped moving. */
static void view_trailers(h1_body *b)
{
    span rest = buf_view(&b->trailer);
    span line;
    while (span_cut(&rest, '\n', &line) && line.n > 1) {
        line.n--;
        (void)h1_line_field(line, &b->trailers[b->trailer_count++]);
    }
}

static const char *trailer_bytes(h1_body *b, const char *p, size_t n, size_t *out_used)
{
    const char *lf = memchr(p, '\n', n);
    *out_used = lf ? (size_t)(lf - p) + 1 : n;
    buf_add(&b->trailer, p, *out_used);
    if (!buf_ok(&b->trailer))
        return "the trailer section is too large";
    if (!lf)
        return NULL;
    span line;
    const char *why = NULL;
    size_t scanned = b->trailer.n - 1;
    if (!h1_line_complete(b->trailer.p, b->line, &scanned, b->trailer.n, &line, &why))
        return why;
    if (line.n == 0) {
        view_trailers(b);
        b->state = H1_OVER;
        return NULL;
    }
    if (b->digits++ == H1_TRAILER_FIELDS_MAX) /* the last chunk's size is known: counts lines now */
        return "there are too many trailer fields";
    b->line = scanned;
    field ignored;
    return h1_line_field(line, &ignored);
}

static span take_counted(h1_body *b, const char *p, size_t n)
{
    size_t run = b->left < n ? (size_t)b->left : n;
    b->left -= run;
    return (span){p, run};
}

static h1_result chunked_feed(h1_body *b, const char *p, size_t n, size_t *out_used, span *out_data)
{
    size_t at = 0;
    while (at < n && !b->why && b->state != H1_OVER) {
        if (b->state == H1_CHUNK_DATA) {
            *out_data = take_counted(b, p + at, n - at);
            at += out_data->n;
            if (!b->left)
                b->state = H1_CHUNK_CR;
            break;
        }
        if (b->state == H1_TRAILER) {
            size_t used = 0;
            b->digits = b->line ? b->digits : 0;
            b->why = trailer_bytes(b, p + at, n - at, &used);
            at += used;
        } else {
            b->why = framing_char(b, p[at++]);
        }
    }
    *out_used = at;
    if (b->why)
        return H1_BAD;
    return b->state == H1_OVER ? H1_DONE : H1_MORE;
}

h1_result h1_body_feed(h1_body *b, const char *p, size_t n, size_t *out_used, span *out_data)
{
    *out_used = 0;
    *out_data = (span){p, 0};
    if (b->why)
        return H1_BAD;
    if (b->state == H1_OVER)
        return H1_DONE;
    if (b->framing == H1_CHUNKED)
        return chunked_feed(b, p, n, out_used, out_data);
    if (b->framing == H1_UNTIL_CLOSE) {
        *out_data = (span){p, n};
        *out_used = n;
        return H1_MORE;
    }
    *out_data = take_counted(b, p, n);
    *out_used = out_data->n;
    if (b->left)
        return H1_MORE;
    b->state = H1_OVER;
    return H1_DONE;
}

h1_result h1_body_eof(h1_body *b)
{
    if (b->state == H1_OVER)
        return H1_DONE;
    if (!b->why && b->framing == H1_UNTIL_CLOSE) {
        b->state = H1_OVER;
        return H1_DONE;
    }
    if (!b->why)
        b->why = "the connection was closed in the middle of the body";
    return H1_BAD;
}
