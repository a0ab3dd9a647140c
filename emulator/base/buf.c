/* The growing byte buffer. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

void buf_free(buf *b)
{
    free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
}

void buf_clear(buf *b)
{
    b->n = 0;
    b->overrun = false;
    if (b->p)
        b->p[0] = '\0';
}

/* Makes room for n more bytes and the NUL; false (and the flag) when that passes the ceiling. */
static bool reserve(buf *b, size_t n)
{
    if (b->overrun || n > b->max || b->n > b->max - n) {
        b->overrun = true;
        return false;
    }
    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return true;
    size_t cap = b->cap ? b->cap : 64;
    while (cap < need)
        cap *= 2;
    char *grown = realloc(b->p, cap);
    if (!grown)
        abort();
    b->p = grown;
    b->cap = cap;
    return true;
}

void buf_add_growing(buf *b, const void *p, size_t n)
{
    if (!reserve(b, n))
        return;
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void buf_str(buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

void buf_span(buf *b, span s)
{
    buf_add(b, s.p, s.n);
}

void buf_drop(buf *b, size_t *taken, size_t worth)
{
    if (*taken == b->n) {
        buf_clear(b);
    } else if (*taken >= worth) {
        b->n -= *taken;
        memmove(b->p, b->p + *taken, b->n);
        b->p[b->n] = '\0';
    } else {
        return;
    }
    *taken = 0;
}

void buf_u64(buf *b, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    buf_add(b, digits + at, sizeof digits - at);
}

void buf_i64(buf *b, int64_t value)
{
    if (value < 0) {
        buf_char(b, '-');
        buf_u64(b, 0 - (uint64_t)value);
    } else {
        buf_u64(b, (uint64_t)value);
    }
}

void buf_vfmt(buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0 || !reserve(b, (size_t)n)) {
        b->overrun = true;
        return;
    }
    (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, args);
    b->n += (size_t)n;
}

void buf_fmt(buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vfmt(b, fmt, args);
    va_end(args);
}

static void json_escape(buf *b, unsigned char c)
{
    static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; short_form[i]; i += 2) {
        if ((unsigned char)short_form[i] == c) {
            const char pair[2] = {'\\', short_form[i + 1]};
            buf_add(b, pair, 2);
            return;
        }
    }
    buf_fmt(b, "\\u%04x", c);
}

static bool plain_json(unsigned char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* The top bit of each byte of w that equals c (and, rarely, of one that does not). */
static uint64_t bytes_equal(uint64_t w, unsigned char c)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t zero = w ^ (ones * c);
    return (zero - ones) & ~zero;
}

/* Are these eight bytes plain? May say no although they are. */
static bool plain_json_word(const unsigned char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t odd =
        w | (w - ones * 0x20) | bytes_equal(w, 0x7F) | bytes_equal(w, '"') | bytes_equal(w, '\\');
    return (odd & (ones * 0x80)) == 0;
}

/* Index of the first byte from i on that is not plain, or n. */
static size_t skip_plain_json(const unsigned char *p, size_t i, size_t n)
{
    const size_t word = sizeof(uint64_t);
    while (n - i >= word && plain_json_word(p + i))
        i += word;
    if (n >= word && n - i < word && plain_json_word(p + n - word))
        return n; /* the rest lies within the last eight */
    while (i < n && plain_json(p[i]))
        i++;
    return i;
}

void buf_json(buf *b, span s)
{
    buf_char(b, '"');
    const unsigned char *p = (const unsigned char *)s.p;
    size_t plain = 0; /* start of what was not yet copied */
    size_t i = 0;
    while ((i = skip_plain_json(p, i, s.n)) < s.n) {
        size_t length = utf8_length(span_from(s, i));
        if (length > 1) {
            i += length;
            continue;
        }
        buf_add(b, s.p + plain, i - plain);
        if (length == 0)
            buf_str(b, "\xEF\xBF\xBD");
        else
            json_escape(b, p[i]);
        plain = ++i;
    }
    buf_add(b, s.p + plain, s.n - plain);
    buf_char(b, '"');
}

void buf_html(buf *b, span s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&':
            buf_str(b, "&amp;");
            break;
        case '<':
            buf_str(b, "&lt;");
            break;
        case '>':
            buf_str(b, "&gt;");
            break;
        case '"':
            buf_str(b, "&quot;");
            break;
        case '\'':
            buf_str(b, "&#39;");
            break;
        default:
            buf_char(b, s.p[i]);
        }
    }
}

static bool unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~", c));
}

void buf_percent(buf *b, span s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (unreserved(c)) {
            buf_char(b, s.p[i]);
        } else {
            const char triple[3] = {'%', hex[c >> 4], hex[c & 15]};
            buf_add(b, triple, 3);
        }
    }
}

char *buf_take(buf *b)
{
    if (b->overrun)
        return NULL;
    char *text = b->p ? b->p : span_dup((span){0});
    b->p = NULL;
    b->n = b->cap = 0;
    return text;
}
