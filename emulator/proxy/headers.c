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

bool header_list_has(span list, span token)
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
            header_list_has(fields[i].value, name))
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

bool header_is_framing(span name)
{
    return (name.n == 14 && span_ieq_str(name, "Content-Length")) ||
           (name.n == 17 && span_ieq_str(name, "Transfer-Encoding"));
}

static void look_at_connection(header_filter *w, span value)
{
    if (span_ieq_str(value, "keep-alive") || span_ieq_str(value, "close"))
        return;
    w->connection_names = true;
    w->upgrade_named |= w->h->may_upgrade && header_list_has(value, SPAN_LIT("upgrade"));
}

static void look_at(header_filter *w, const field *f)
{
    if (f->name.n == 10 && span_ieq_str(f->name, "Connection")) {
        look_at_connection(w, f->value);
    } else if (f->name.n == 7 && w->h->may_upgrade && span_ieq_str(f->name, "Upgrade")) {
        w->to_websocket |= header_list_has(f->value, SPAN_LIT("websocket"));
    } else if (f->name.n == 2 && span_ieq_str(f->name, "TE")) {
        w->trailers_welcome |= header_list_has(f->value, SPAN_LIT("trailers"));
    } else if (f->name.n == 4 && span_ieq_str(f->name, "Host")) {
        w->host_seen = true;
        if (!w->host.n)
            w->host = f->value;
    }
}

void header_filter_init(header_filter *out, const head_out *h)
{
    *out = (header_filter){.h = h, .host = h->host};
    header_names_init(&out->drop, h->drop);
    for (size_t i = 0; i < h->field_count; i++)
        look_at(out, &h->fields[i]);
}

bool header_filter_passes(const header_filter *f, span name)
{
    return !header_is_hop_by_hop(name) && !header_names_have(&f->drop, name) &&
           !(f->connection_names && header_is_named(f->h->fields, f->h->field_count, name));
}

bool method_is_idempotent(span m)
{
    static const char *const idempotent[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < sizeof idempotent / sizeof idempotent[0]; i++)
        if (span_eq_str(m, idempotent[i]))
            return true;
    return false;
}

/* What is said of our own connection. true: it asks for an upgrade. */
static bool add_connection(buf *out, const header_filter *f)
{
    const bool upgrade = f->upgrade_named && f->to_websocket;
    if (upgrade)
        buf_span(out, SPAN_LIT("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
    else if (f->trailers_welcome)
        buf_span(out, SPAN_LIT("TE: trailers\r\nConnection: TE\r\n"));
    return upgrade;
}

bool headers_write_request(buf *out, const head_out *h)
{
    header_filter filter;
    bool framed = false;
    header_filter_init(&filter, h);
    buf_span(out, h->method);
    buf_char(out, ' ');
    buf_span(out, h->target);
    buf_span(out, SPAN_LIT(" HTTP/1.1\r\n"));
    if (!filter.host_seen)
        add_line(out, SPAN_LIT("Host"), h->host);
    for (size_t i = 0; i < h->field_count; i++) {
        const field *f = &h->fields[i];
        if (header_is_framing(f->name)) {
            if (!framed)
                add_framing(out, &h->framing);
            framed = true;
        } else if (header_filter_passes(&filter, f->name)) {
            const bool is_host = f->name.n == 4 && span_ieq_str(f->name, "Host");
            add_line(out, f->name, is_host ? filter.host : f->value);
        }
    }
    const bool upgrade = add_connection(out, &filter);
    for (size_t i = 0; i < h->add_count; i++)
        add_line(out, h->add[i].name, h->add[i].value);
    if (!framed)
        add_framing(out, &h->framing);
    buf_add(out, "\r\n", 2);
    return upgrade;
}
