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

static bool sound_host(span s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= ' ' || c >= 0x7F || strchr("/\\@?#\"<>{}|^`", c))
            return false;
    }
    return true;
}

typedef struct scan {
    gate_facts facts;
    unsigned hosts, lengths, encodings;
    const char *fault;
} scan;

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
    else if (!span_ieq_str(span_trim(value), "chunked"))
        s->fault = "Transfer-Encoding is not 'chunked'";
    s->facts.chunked = true;
}

static void see_host(scan *s, span value)
{
    if (s->hosts++)
        s->fault = "Host was sent more than once";
    else if (!sound_host(value))
        s->fault = "Host has characters that no host name has";
    s->facts.host = value;
}

static enum MHD_Result see_field(void *ctx, enum MHD_ValueKind kind, const char *name,
                                 size_t name_n, const char *value, size_t value_n)
{
    (void)kind;
    scan *s = ctx;
    span n = {name, name_n};
    span v = {value, value ? value_n : 0};
    if (!is_token(n))
        s->fault = "a header name is not a token";
    else if (!sound_value(v))
        s->fault = "a header value has a control character";
    else if (span_ieq_str(n, "Content-Length"))
        see_length(s, v);
    else if (span_ieq_str(n, "Transfer-Encoding"))
        see_encoding(s, v);
    else if (span_ieq_str(n, "Host"))
        see_host(s, span_trim(v)); /* libmicrohttpd leaves the blanks behind a value */
    else if (span_ieq_str(n, "Expect") && span_ieq_str(v, "100-continue"))
        s->facts.expect_continue = true;
    return s->fault ? MHD_NO : MHD_YES;
}

/* origin-form, absolute-form, or * for OPTIONS (RFC 9112 §3.2). */
static const char *target_fault(span method, span target)
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
    if (target.n > 8 && (span_ieq((span){target.p, 7}, SPAN_LIT("http://")) ||
                         span_ieq((span){target.p, 8}, SPAN_LIT("https://"))))
        return NULL;
    return "the request target is neither a path nor a URL";
}

static const char *framing_fault(const scan *s)
{
    if (s->fault)
        return s->fault;
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
    scan s = {.facts = {.http10 = strcmp(version, MHD_HTTP_VERSION_1_1) != 0}};
    if (!is_token(span_of(method)))
        return "the method is not a token";
    const char *fault = target_fault(span_of(method), span_of(raw_target));
    if (fault)
        return fault;
    (void)MHD_get_connection_values_n(c, MHD_HEADER_KIND, see_field, &s);
    fault = framing_fault(&s);
    if (fault)
        return fault;
    s.facts.has_body = s.facts.chunked || s.facts.length > 0;
    *out = s.facts;
    return NULL;
}
