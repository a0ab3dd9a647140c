/* The gate: what libmicrohttpd's parser accepts and RFC 9112 does not. */
#include "http/gate.h"

#include <string.h>

static bool token_char(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           (c && strchr("!#$%&'*+.^_`|~", c) != NULL);
}

static bool is_token(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!token_char((unsigned char)s.p[i]))
            return false;
    return s.n > 0;
}

/* Does any of eight bytes come below ' ' or equal DEL? (A tab does.) */
static bool has_control(const char *p)
{
    const uint64_t ones = UINT64_MAX / 255;
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t del = w ^ (ones * 0x7F);
    return (((w - ones * 0x20) & ~w) | ((del - ones) & ~del)) & (ones * 0x80);
}

/* Any visible octet or blank; NUL, CR, LF and other controls forge lines further on. Eight at a
 * time as long as nothing needs a closer look: a token has a thousand. */
static bool sound_value(span s)
{
    size_t plain = 0;
    while (s.n - plain >= sizeof(uint64_t) && !has_control(s.p + plain))
        plain += sizeof(uint64_t);
    for (size_t i = plain; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

/* Of a host name or an IPv6 address in brackets: nothing that ends or splits an authority. */
static bool host_char(unsigned char c)
{
    return c > ' ' && c < 0x7F && !strchr("/\\@?#\"<>{}|^`,:[]", c);
}

static bool sound_name(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!host_char((unsigned char)s.p[i]))
            return false;
    return true;
}

static bool sound_literal(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!host_char((unsigned char)s.p[i]) && s.p[i] != ':')
            return false;
    return s.n > 0;
}

static bool sound_port(span s)
{
    uint64_t port;
    return s.n == 0 || span_u64(s, UINT16_MAX, &port);
}

/* host [":" port], without user information (RFC 9110 §4.2.4, §7.2); a Host field may be empty. */
bool gate_sound_authority(span s)
{
    span host;
    if (s.n && s.p[0] == '[') {
        span rest = span_from(s, 1);
        if (!span_cut(&rest, ']', &host) || !sound_literal(host))
            return false;
        return rest.n == 0 || (rest.p[0] == ':' && sound_port(span_from(rest, 1)));
    }
    const bool has_port = span_cut(&s, ':', &host);
    return sound_name(host) && (host.n || !has_port) && sound_port(s);
}

typedef struct scan {
    gate_facts facts;
    const char *line; /* where the next field has to begin */
    unsigned hosts, lengths, encodings;
    const char *fault;
} scan;

/* libmicrohttpd parses in place and overwrites what separates lines and tokens with NUL, so that
 * the bytes do not tell any more what they were. Their distances do: a name begins two bytes behind
 * the value before it where CR LF stood between them, and only there. A bare LF makes it one byte;
 * a NUL, which cuts a value or a target off, a line that continued a field, and further blanks make
 * it more. (NUL LF has the length of CR LF: it ends the line like the bare LF that it is, and
 * nothing of it travels.) */
static const char *line_fault(const scan *s, span name, span value)
{
    if (name.p != s->line)
        return "a line of the head does not end with CR LF, or continues another";
    if (!is_token(name))
        return "a header name is not a token";
    return sound_value(value) ? NULL : "a header value has a control character";
}

static void see_length(scan *s, span value)
{
    if (s->lengths++)
        s->fault = "Content-Length was sent more than once";
    else if (!span_u64(value, INT64_MAX, &s->facts.length))
        s->fault = "Content-Length is not a decimal number";
    s->facts.has_length = true;
}

static void see_encoding(scan *s, span value)
{
    if (s->encodings++)
        s->fault = "Transfer-Encoding was sent more than once";
    else if (!span_ieq_str(value, "chunked")) /* with blanks libmicrohttpd would not decode it */
        s->fault = "Transfer-Encoding is not 'chunked'";
    s->facts.chunked = true;
}

static void see_host(scan *s, span value)
{
    if (s->hosts++)
        s->fault = "Host was sent more than once";
    else if (!gate_sound_authority(value))
        s->fault = "Host has characters that no host name has";
    s->facts.host = value;
}

static enum MHD_Result see_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    scan *s = ctx;
    span n = {name, name_n};
    span v = {value, value_n};
    s->fault = line_fault(s, n, v);
    s->line = v.p + v.n + 2;
    if (s->fault)
        return MHD_NO;
    if (span_ieq_str(n, "Content-Length"))
        see_length(s, v);
    else if (span_ieq_str(n, "Transfer-Encoding"))
        see_encoding(s, v);
    else if (span_ieq_str(n, "Host"))
        see_host(s, span_trim(v)); /* libmicrohttpd leaves the blanks behind a value */
    else if (span_ieq_str(n, "Expect") && span_ieq_str(v, "100-continue"))
        s->facts.expect_continue = true;
    return s->fault ? MHD_NO : MHD_YES;
}

/* The authority of an absolute-form target, which takes the place of Host; a URL of these schemes
 * must have one (RFC 9110 §4.2.1). */
static const char *authority_fault(span rest)
{
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    return end && gate_sound_authority((span){rest.p, end})
               ? NULL
               : "the request target does not name a host, or names it with characters of no host";
}

/* origin-form, absolute-form, or * for OPTIONS (RFC 9112 §3.2). */
const char *gate_target_fault(span method, span target)
{
    for (size_t i = 0; i < target.n; i++) {
        unsigned char c = (unsigned char)target.p[i];
        if (c <= ' ' || c == 0x7F || c == '#')
            return "the request target has a character that must be escaped";
    }
    if (target.n && target.p[0] == '/')
        return NULL;
    if (span_eq_str(target, "*") && span_eq_str(method, "OPTIONS"))
        return NULL;
    if (target.n > 7 && span_ieq((span){target.p, 7}, SPAN_LIT("http://")))
        return authority_fault(span_from(target, 7));
    if (target.n > 8 && span_ieq((span){target.p, 8}, SPAN_LIT("https://")))
        return authority_fault(span_from(target, 8));
    return "the request target is neither a path nor a URL";
}

/* The version is where one blank each and no NUL before it put it. */
static const char *request_line_fault(span method, span target, span version)
{
    if (!is_token(method))
        return "the method is not a token";
    if (!span_eq_str(version, MHD_HTTP_VERSION_1_1) && !span_eq_str(version, MHD_HTTP_VERSION_1_0))
        return "the version is neither HTTP/1.1 nor HTTP/1.0";
    if (version.p != method.p + method.n + target.n + 2)
        return "the parts of the request line are not separated by one blank each";
    return gate_target_fault(method, target);
}

/* The empty line ends the head where the parser says that it does, and CR LF are all that was
 * overwritten between it and the last field. */
static const char *end_fault(struct MHD_Connection *c, const char *method, const scan *s)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!info || s->line + 2 != method + info->header_size || memcmp(s->line - 2, "\0\0\0", 4) != 0)
        return "the head does not end with CR LF CR LF";
    return NULL;
}

static const char *framing_fault(const scan *s)
{
    if (s->encodings && s->lengths)
        return "Content-Length and Transfer-Encoding were both sent";
    if (s->encodings && s->facts.http10)
        return "Transfer-Encoding needs HTTP/1.1";
    if (!s->hosts && !s->facts.http10)
        return "Host is missing";
    return NULL;
}

const char *gate_check(struct MHD_Connection *c, const char *method, const char *raw_target,
                       const char *version, gate_facts *out)
{
    const span v = span_of(version);
    scan s = {.facts = {.http10 = !span_eq_str(v, MHD_HTTP_VERSION_1_1)}, .line = v.p + v.n + 2};
    s.fault = request_line_fault(span_of(method), span_of(raw_target), v);
    if (!s.fault)
        (void)MHD_get_connection_values_n(c, MHD_HEADER_KIND, see_field, &s);
    if (!s.fault)
        s.fault = end_fault(c, method, &s);
    if (!s.fault)
        s.fault = framing_fault(&s);
    if (s.fault)
        return s.fault;
    s.facts.has_body = s.facts.chunked || s.facts.length > 0;
    *out = s.facts;
    return NULL;
}

typedef struct trailer_scan {
    scan lines;
    const char *body; /* where the head is over */
    void (*each)(void *ctx, span name, span value);
    void *ctx;
} trailer_scan;

/* When the section's first line comes in pieces libmicrohttpd tells the head's last field once
 * more, as if it were a trailer. */
static enum MHD_Result see_trailer(void *ctx, enum MHD_ValueKind kind, const char *name,
                                   size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    trailer_scan *t = ctx;
    const span n = {name, name_n};
    const span v = {value, value_n};
    if (name < t->body)
        return MHD_YES;
    t->lines.fault = line_fault(&t->lines, n, v);
    t->lines.line = v.p + v.n + 2;
    if (t->lines.fault)
        return MHD_NO;
    if (t->each)
        t->each(t->ctx, n, v);
    return MHD_YES;
}

const char *gate_trailers(struct MHD_Connection *c, const char *method,
                          void (*each)(void *ctx, span name, span value), void *ctx)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    /* A body is moved to the end of its head as it is used up, and so are the lines behind it. */
    const char *body = method + (info ? info->header_size : 0);
    trailer_scan t = {.lines = {.line = body}, .body = body, .each = each, .ctx = ctx};
    (void)MHD_get_connection_values_n(c, MHD_FOOTER_KIND, see_trailer, &t);
    return t.lines.fault;
}
