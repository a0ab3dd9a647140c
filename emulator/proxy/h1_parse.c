/* Response heads: line by line, as the bytes come. The body is in h1_body.c. */
#include "proxy/h1_parse.h"

#include "proxy/h1_line.h"

/* tchar of RFC 9110 §5.6.2, one bit per character. */
static const uint32_t token_bits[8] = {0x00000000, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff, 0, 0, 0, 0};

static bool token_char(unsigned char c)
{
    return (token_bits[c >> 5] >> (c & 31)) & 1u;
}

bool h1_line_is_token(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!token_char((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

static bool value_char(unsigned char c)
{
    return (c >= 0x20 && c != 0x7F) || c == '\t';
}

static bool sound_value(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!value_char((unsigned char)s.p[i]))
            return false;
    return true;
}

const char *h1_line_field(span line, field *out)
{
    size_t n = 0;
    while (n < line.n && token_char((unsigned char)line.p[n]))
        n++;
    if (n == 0 || n == line.n || line.p[n] != ':')
        return "a header line is not 'name: value'";
    span value = span_trim(span_from(line, n + 1));
    if (!sound_value(value))
        return "a header value has a control character";
    *out = (field){{line.p, n}, value};
    return NULL;
}

bool h1_line_complete(const char *p, size_t begin, size_t *scanned, size_t n, span *out_line,
                      const char **out_why)
{
    if (*scanned >= n)
        return false;
    const char *lf = memchr(p + *scanned, '\n', n - *scanned);
    if (!lf) {
        *scanned = n;
        return false;
    }
    size_t end = (size_t)(lf - p);
    *scanned = end + 1;
    if (end == begin || p[end - 1] != '\r') {
        *out_why = "a line does not end with CR LF";
        return false;
    }
    *out_line = (span){p + begin, end - 1 - begin};
    return true;
}

/* ---- the head ---- */

void h1_head_reset(h1_head *h)
{
    /* all but the array, which field_count guards */
    memset(h, 0, offsetof(h1_head, fields));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 reason"; the blank before an absent reason may be missing, as many servers do. */
static const char *status_line(h1_head *h, span line)
{
    unsigned status = 0;
    if (line.n < 12 || memcmp(line.p, "HTTP/1.", 7) != 0 || !is_digit(line.p[7]) ||
        line.p[8] != ' ')
        return "the status line does not begin with HTTP/1.x";
    for (size_t i = 9; i < 12 && is_digit(line.p[i]); i++)
        status = status * 10 + (unsigned)(line.p[i] - '0');
    if (status < 100 || (line.n > 12 && line.p[12] != ' '))
        return "the status is not a number of three digits";
    if (!sound_value(span_from(line, 12)))
        return "the reason phrase has a control character";
    h->minor = (unsigned)(line.p[7] - '0');
    h->status = status;
    return NULL;
}

static const char *see_length(h1_head *h, span value)
{
    uint64_t length = 0;
    if (!span_u64(value, INT64_MAX, &length))
        return "Content-Length is not a decimal number";
    if (h->has_length && h->length != length)
        return "Content-Length was sent with different values";
    h->has_length = true;
    h->length = length;
    return NULL;
}

static const char *see_encoding(h1_head *h, span value)
{
    if (h->chunked || !span_ieq_str(value, "chunked"))
        return "Transfer-Encoding is not 'chunked'";
    h->chunked = true;
    return NULL;
}

static void see_connection(h1_head *h, span value)
{
    span token;
    for (bool more = true; more;) {
        more = span_cut(&value, ',', &token);
        token = span_trim(token);
        if (span_ieq_str(token, "close"))
            h->close = true;
        else if (span_ieq_str(token, "keep-alive"))
            h->keep_alive = true;
        else if (token.n)
            h->connection_names = true;
    }
}

static const char *field_line(h1_head *h, span line)
{
    if (h->field_count == H1_FIELDS_MAX)
        return "there are too many header fields";
    field *f = &h->fields[h->field_count];
    const char *why = h1_line_field(line, f);
    if (why)
        return why;
    h->field_count++;
    if (f->name.n == 14 && span_ieq_str(f->name, "Content-Length"))
        return see_length(h, f->value);
    if (f->name.n == 17 && span_ieq_str(f->name, "Transfer-Encoding"))
        return see_encoding(h, f->value);
    if (f->name.n == 10 && span_ieq_str(f->name, "Connection"))
        see_connection(h, f->value);
    return NULL;
}

static const char *framing_fault(const h1_head *h)
{
    if (h->chunked && h->has_length)
        return "Content-Length and Transfer-Encoding were both sent";
    if (h->chunked && h->minor == 0)
        return "Transfer-Encoding was sent with HTTP/1.0";
    return NULL;
}

/* What can be told before the first line is complete: something that is no HTTP at all. */
static const char *foreign(const char *p, size_t n)
{
    return memcmp(p, "HTTP/1.", n < 7 ? n : 7) == 0
               ? NULL
               : "the status line does not begin with HTTP/1.x";
}

static h1_result bad(h1_head *h, const char *why)
{
    h->why = why;
    return H1_BAD;
}

/* The status line first, then fields, then the empty line: *out_over. */
static const char *head_line(h1_head *h, span line, bool *out_over)
{
    const bool first = h->line == 0;
    h->line = h->scanned;
    if (first)
        return status_line(h, line);
    if (line.n)
        return field_line(h, line);
    h->bytes = h->scanned;
    *out_over = true;
    return framing_fault(h);
}

h1_result h1_head_feed(h1_head *h, const char *p, size_t n)
{
    if (h->why)
        return H1_BAD;
    const bool full = n >= H1_HEAD_MAX; /* complete lines within the limit still count */
    if (full)
        n = H1_HEAD_MAX;
    const char *why = n && h->line == 0 ? foreign(p, n) : NULL;
    span line;
    bool over = false;
    while (!why && !over && h1_line_complete(p, h->line, &h->scanned, n, &line, &why))
        why = head_line(h, line, &over);
    if (!why && full && !over)
        why = "the response head is too large";
    if (why)
        return bad(h, why);
    return over ? H1_DONE : H1_MORE;
}

bool h1_head_keeps_alive(const h1_head *h)
{
    return !h->close && (h->minor > 0 || h->keep_alive);
}

h1_framing h1_framing_of(const h1_head *h, bool head_request)
{
    if (head_request || h->status < 200 || h->status == 204 || h->status == 304)
        return H1_NO_BODY;
    if (h->chunked)
        return H1_CHUNKED;
    if (h->has_length)
        return h->length ? H1_LENGTH : H1_NO_BODY;
    return H1_UNTIL_CLOSE;
}
