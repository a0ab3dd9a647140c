/* The request as handlers see it: views of what libmicrohttpd keeps, and of our own byte-exact copy
 * of the target. */
#include <stdlib.h>

#include "http/server_impl.h"

void request_set_target(http_request *r, const char *uri)
{
    size_t n = strlen(uri);
    char *at = r->target_inline;
    if (n >= sizeof r->target_inline) {
        at = r->target_heap = malloc(n + 1);
        if (!at)
            abort();
    }
    memcpy(at, uri, n + 1);
    r->target = (span){at, n};
}

/* Cuts "http://authority" off an absolute-form target; its authority then stands for Host
 * (RFC 9112 §3.2.2). */
static span origin_form(http_request *r)
{
    span rest = r->target;
    if (rest.n == 0 || rest.p[0] == '/' || rest.p[0] == '*')
        return rest;
    size_t colon = span_find(rest, ':');
    rest = span_from(rest, colon + 3 <= rest.n ? colon + 3 : rest.n);
    size_t end = 0;
    while (end < rest.n && rest.p[end] != '/' && rest.p[end] != '?')
        end++;
    r->host = (span){rest.p, end};
    return span_from(rest, end);
}

void request_take_head(http_request *r)
{
    r->host = r->facts.host;
    span rest = origin_form(r);
    size_t mark = span_find(rest, '?');
    r->path = mark ? (span){rest.p, mark} : SPAN_LIT("/");
    r->query = mark < rest.n ? span_from(rest, mark + 1) : (span){0};
}

void request_reset(http_request *r)
{
    if (r->stream)
        stream_free(r);
    if (r->answer)
        http_answer_unref(r->answer);
    buf_free(&r->body);
    free(r->target_heap);
    http_conn *conn = r->conn;
    size_t kept = offsetof(http_request, target_inline);
    memset(r, 0, kept);
    r->conn = conn;
    r->body = (buf){0};
    r->swallowed = 0;
    r->answer = NULL;
    r->on_gone = NULL;
    r->gone_ctx = NULL;
    r->previous = NULL;
    r->next = NULL;
    r->stream = NULL;
}

span http_method(const http_request *r)
{
    return span_of(r->method);
}

span http_target(const http_request *r)
{
    return r->target;
}

span http_path(const http_request *r)
{
    return r->path;
}

span http_query(const http_request *r)
{
    return r->query;
}

span http_host(const http_request *r)
{
    return r->host;
}

static bool lookup(const http_request *r, const char *name, span *out)
{
    const char *value = NULL;
    size_t n = 0;
    if (MHD_lookup_connection_value_n(r->mhd, MHD_HEADER_KIND, name, strlen(name), &value, &n) !=
        MHD_YES)
        return false;
    /* libmicrohttpd leaves the blanks behind a value, which are no part of it (RFC 9112 §5.1). */
    *out = span_trim((span){value, value ? n : 0});
    return true;
}

bool http_has_header(const http_request *r, const char *name)
{
    span unused;
    return lookup(r, name, &unused);
}

span http_header(const http_request *r, const char *name)
{
    span value = {0};
    (void)lookup(r, name, &value);
    return value;
}

typedef struct each {
    void (*tell)(void *ctx, span name, span value);
    void *ctx;
} each;

static enum MHD_Result on_field(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_n,
                                const char *value, size_t n)
{
    const each *x = cls;
    (void)kind;
    x->tell(x->ctx, (span){name, name_n}, span_trim((span){value, value ? n : 0}));
    return MHD_YES;
}

void http_each_header(const http_request *r, void (*tell)(void *ctx, span name, span value),
                      void *ctx)
{
    each x = {tell, ctx};
    (void)MHD_get_connection_values_n(r->mhd, MHD_HEADER_KIND, on_field, &x);
}

span http_body(const http_request *r)
{
    return buf_view(&r->body);
}

const net_addr *http_peer(const http_request *r)
{
    return &r->conn->peer;
}

void *http_tag(const http_request *r)
{
    return r->conn->tag;
}

bool http_local(const http_request *r, net_addr *out)
{
    return net_local(r->conn->watch.fd, out);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

void http_percent_decode(span text, bool form, buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '%' && i + 2 < text.n && hex_value(text.p[i + 1]) >= 0 &&
            hex_value(text.p[i + 2]) >= 0) {
            c = (char)(hex_value(text.p[i + 1]) * 16 + hex_value(text.p[i + 2]));
            i += 2;
        } else if (c == '+' && form) {
            c = ' ';
        }
        buf_char(out, c);
    }
}

bool http_query_find(span query, const char *name, span *out_raw)
{
    while (query.n) {
        span pair, key;
        (void)span_cut(&query, '&', &pair);
        (void)span_cut(&pair, '=', &key);
        if (span_eq_str(key, name)) {
            *out_raw = pair;
            return true;
        }
    }
    return false;
}

bool http_query_get(const http_request *r, const char *name, bool form, buf *out)
{
    span raw;
    if (!http_query_find(r->query, name, &raw))
        return false;
    http_percent_decode(raw, form, out);
    return true;
}
