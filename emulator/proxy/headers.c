/* Field rules of a proxy. */
#include "proxy/headers.h"

#include <assert.h>

#include "base/attr.h"

bool header_is_hop_by_hop(span name)
{
    switch (name.n) {
    case 2:
        return span_ieq_str(name, "TE");
    case 7:
        return span_ieq_str(name, "Upgrade") || span_ieq_str(name, "Trailer");
    case 10:
        return span_ieq_str(name, "Connection") || span_ieq_str(name, "Keep-Alive");
    case 14:
        return span_ieq_str(name, "HTTP2-Settings");
    case 17:
        if (span_ieq_str(name, "Transfer-Encoding"))
            return true;
        break;
    default:
        break;
    }
    return name.n > 6 && (name.p[0] | 0x20) == 'p' &&
           span_ieq((span){name.p, 6}, SPAN_LIT("Proxy-"));
}

static bool list_has(span list, span token)
{
    span item;
    for (bool more = true; more;) {
        more = span_cut(&list, ',', &item);
        if (span_ieq(span_trim(item), token))
            return true;
    }
    return false;
}

/* Credentials, routing, the content's description, the way it came: the same for every hop. */
static const char *const end_to_end[] = {
    "Host",          "Authorization", "X-Serverless-Authorization",
    "Cookie",        "Set-Cookie",    "WWW-Authenticate",
    "Cache-Control", "Forwarded",     "X-Cloud-Trace-Context",
    "traceparent",   "Via",
};
static const char *const end_to_end_prefixes[] = {"Content-", "X-Forwarded-", "X-Google-"};

static bool is_end_to_end(span name)
{
    for (size_t i = 0; i < countof(end_to_end); i++)
        if (span_ieq_str(name, end_to_end[i]))
            return true;
    for (size_t i = 0; i < countof(end_to_end_prefixes); i++) {
        const span prefix = span_of(end_to_end_prefixes[i]);
        if (name.n > prefix.n && span_ieq((span){name.p, prefix.n}, prefix))
            return true;
    }
    return false;
}

bool header_may_trail(span name)
{
    static const char *const modifiers[] = {
        "Age",      "Date",          "Expect",   "Expires",      "Location",
        "Range",    "Vary",          "Warning",  "Max-Forwards", "Pragma",
        "If-Match", "If-None-Match", "If-Range", "Retry-After"};
    if (header_is_hop_by_hop(name) || is_end_to_end(name))
        return false;
    for (size_t i = 0; i < countof(modifiers); i++)
        if (span_ieq_str(name, modifiers[i]))
            return false;
    return true;
}

bool header_is_named(const field *fields, size_t n, span name)
{
    if (is_end_to_end(name))
        return false;
    for (size_t i = 0; i < n; i++)
        if (fields[i].name.n == 10 && span_ieq_str(fields[i].name, "Connection") &&
            list_has(fields[i].value, name))
            return true;
    return false;
}

void header_names_init(header_names *out, const char *const *list)
{
    out->n = 0;
    out->prefix = (span){0};
    for (; list && *list; list++) {
        span name = span_of(*list);
        if (name.n && name.p[name.n - 1] == '*') {
            out->prefix = (span){name.p, name.n - 1};
            continue;
        }
        assert(out->n < HEADER_NAMES_MAX);
        out->names[out->n++] = name;
    }
}

bool header_names_have(const header_names *names, span name)
{
    for (size_t i = 0; i < names->n; i++)
        if (names->names[i].n == name.n && span_ieq(names->names[i], name))
            return true;
    const size_t n = names->prefix.n;
    return n && name.n >= n && span_ieq((span){name.p, n}, names->prefix);
}

/* ---- the request head ---- */

static void add_line(buf *out, span name, span value)
{
    buf_span(out, name);
    buf_add(out, ": ", 2);
    buf_span(out, value);
    buf_add(out, "\r\n", 2);
}

static void add_framing(buf *out, const head_framing *f)
{
    if (f->chunked) {
        buf_span(out, SPAN_LIT("Transfer-Encoding: chunked\r\n"));
    } else if (f->has_length) {
        buf_span(out, SPAN_LIT("Content-Length: "));
        buf_u64(out, f->length);
        buf_add(out, "\r\n", 2);
    }
}

typedef struct request_writer {
    buf *out;
    const head_out *h;
    header_names drop;
    bool connection_names; /* Connection names more than itself */
    bool framed, host_seen, trailers_welcome;
} request_writer;

/* What Connection says that concerns other fields, found out before the first one is written. */
static void look_ahead(request_writer *w)
{
    for (size_t i = 0; i < w->h->field_count; i++) {
        const field *f = &w->h->fields[i];
        if (f->name.n == 10 && span_ieq_str(f->name, "Connection"))
            w->connection_names |=
                !span_ieq_str(f->value, "keep-alive") && !span_ieq_str(f->value, "close");
        else if (f->name.n == 2 && span_ieq_str(f->name, "TE"))
            w->trailers_welcome |= list_has(f->value, SPAN_LIT("trailers"));
        else if (f->name.n == 4 && span_ieq_str(f->name, "Host"))
            w->host_seen = true;
    }
}

static bool is_framing(span name)
{
    return (name.n == 14 && span_ieq_str(name, "Content-Length")) ||
           (name.n == 17 && span_ieq_str(name, "Transfer-Encoding"));
}

static void write_field(request_writer *w, const field *f)
{
    const head_out *h = w->h;
    if (is_framing(f->name)) {
        if (!w->framed)
            add_framing(w->out, &h->framing);
        w->framed = true;
    } else if (header_is_hop_by_hop(f->name) || header_names_have(&w->drop, f->name) ||
               (w->connection_names && header_is_named(h->fields, h->field_count, f->name))) {
        return;
    } else if (h->host.n && f->name.n == 4 && span_ieq_str(f->name, "Host")) {
        add_line(w->out, f->name, h->host);
    } else {
        add_line(w->out, f->name, f->value);
    }
}

void headers_write_request(buf *out, const head_out *h)
{
    request_writer w = {.out = out, .h = h};
    header_names_init(&w.drop, h->drop);
    look_ahead(&w);
    buf_span(out, h->method);
    buf_char(out, ' ');
    buf_span(out, h->target);
    buf_span(out, SPAN_LIT(" HTTP/1.1\r\n"));
    if (!w.host_seen)
        add_line(out, SPAN_LIT("Host"), h->host);
    for (size_t i = 0; i < h->field_count; i++)
        write_field(&w, &h->fields[i]);
    if (w.trailers_welcome)
        buf_span(out, SPAN_LIT("TE: trailers\r\nConnection: TE\r\n"));
    for (size_t i = 0; i < h->add_count; i++)
        add_line(out, h->add[i].name, h->add[i].value);
    if (!w.framed)
        add_framing(out, &h->framing);
    buf_add(out, "\r\n", 2);
}
