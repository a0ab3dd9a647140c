/* A growing byte buffer with a named ceiling. Errors are sticky: append freely, check once. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"
#include "base/span.h"

typedef struct buf {
    char *p;      /* NUL-terminated whenever non-NULL */
    size_t n;     /* bytes used, without the NUL */
    size_t cap;   /* bytes allocated */
    size_t max;   /* ceiling for n */
    bool overrun; /* an append would have passed the ceiling; the content is then incomplete */
} buf;

/* An empty buffer that never holds more than max bytes; allocates on first use. */
static inline buf buf_make(size_t max)
{
    return (buf){.max = max};
}
void buf_free(buf *b);
#define auto_buf AUTO(buf_free)

/* Forgets the content and a former overrun, keeps the memory. */
void buf_clear(buf *b);

/* A queue: forgets the first *taken bytes when those are all of it, or at least `worth` of it (what
 * is left then moves to the front), and sets *taken to 0; else leaves both alone. */
void buf_drop(buf *b, size_t *taken, size_t worth);

/* Appends. On overrun nothing is added and the flag stays set until buf_clear. */
void buf_add_growing(buf *b, const void *p, size_t n); /* what buf_add does without room */
static inline void buf_add(buf *b, const void *p, size_t n)
{
    /* Inline, because most pieces are literals that fit: no call, and a copy of known length. */
    if (b->overrun || n >= b->cap - b->n || n > b->max - b->n) {
        buf_add_growing(b, p, n);
        return;
    }
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}
static inline void buf_char(buf *b, char c)
{
    buf_add(b, &c, 1);
}
void buf_str(buf *b, const char *s);
void buf_span(buf *b, span s);
void buf_u64(buf *b, uint64_t value);
void buf_i64(buf *b, int64_t value);
void buf_fmt(buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vfmt(buf *b, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

/* A JSON string with its quotes (RFC 8259 §7); bytes that are not UTF-8 become U+FFFD. */
void buf_json(buf *b, span s);

/* &, <, >, " and ' as character references. */
void buf_html(buf *b, span s);

/* Percent-encodes all but RFC 3986 unreserved characters. */
void buf_percent(buf *b, span s);

static inline span buf_view(const buf *b)
{
    return (span){b->p, b->n};
}
static inline bool buf_ok(const buf *b)
{
    return !b->overrun;
}

/* The content as a string that the caller frees (never NULL unless overrun); *b becomes empty. */
char *buf_take(buf *b);

#endif
