/* Lines end with LF, CR or both; an empty one ends an event. */
#include "cli/sse.h"

enum { ID_MAX = 256, TYPE_MAX = 256 };

void sse_init(sse *s)
{
    *s = (sse){.line = buf_make(SSE_LINE_MAX),
               .id = buf_make(ID_MAX),
               .type = buf_make(TYPE_MAX),
               .data = buf_make(SSE_LINE_MAX)};
}

void sse_free(sse *s)
{
    buf_free(&s->line);
    buf_free(&s->id);
    buf_free(&s->type);
    buf_free(&s->data);
}

static void set(buf *b, span value)
{
    buf_clear(b);
    buf_span(b, value);
}

static void take_field(sse *s, span line)
{
    span name;
    if (span_cut(&line, ':', &name) && line.n && line.p[0] == ' ')
        line = span_from(line, 1);
    if (span_eq_str(name, "data")) {
        buf_span(&s->data, line);
        buf_char(&s->data, '\n');
    } else if (span_eq_str(name, "event")) {
        set(&s->type, line);
    } else if (span_eq_str(name, "id") && span_find(line, '\0') == line.n) {
        set(&s->id, line);
    }
}

/* An event without data is none. */
static bool dispatch(sse *s, bool (*event)(void *ctx, const sse_event *e), void *ctx)
{
    bool more = true;
    if (!buf_ok(&s->data))
        return false;
    if (s->data.n)
        more = event(ctx, &(sse_event){.id = buf_view(&s->id),
                                       .type = s->type.n ? buf_view(&s->type) : SPAN_LIT("message"),
                                       .data = {s->data.p, s->data.n - 1}});
    buf_clear(&s->data);
    buf_clear(&s->type);
    return more;
}

static bool take_line(sse *s, bool (*event)(void *ctx, const sse_event *e), void *ctx)
{
    const span line = buf_view(&s->line);
    bool more = buf_ok(&s->line);
    if (more && line.n == 0)
        more = dispatch(s, event, ctx);
    else if (more && line.p[0] != ':')
        take_field(s, line);
    buf_clear(&s->line);
    return more;
}

bool sse_feed(sse *s, span bytes, bool (*event)(void *ctx, const sse_event *e), void *ctx)
{
    while (bytes.n && !s->stopped) {
        size_t end = 0;
        while (end < bytes.n && bytes.p[end] != '\n' && bytes.p[end] != '\r')
            end++;
        const bool is_rest_of_crlf = s->after_cr && bytes.p[0] == '\n';
        s->after_cr = false;
        if (is_rest_of_crlf) {
            bytes = span_from(bytes, 1);
            continue;
        }
        buf_add(&s->line, bytes.p, end);
        if (end == bytes.n)
            return buf_ok(&s->line);
        s->after_cr = bytes.p[end] == '\r';
        s->stopped = !take_line(s, event, ctx);
        bytes = span_from(bytes, end + 1);
    }
    return !s->stopped;
}
