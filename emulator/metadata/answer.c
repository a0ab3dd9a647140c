/* Answers. Header names are spelt as Google spells them: one client compares them case-sensitively.
 */
#include "metadata/answer.h"

#include <stdio.h>

#include "base/hash.h"
#include "metadata/pages.h"

#define FLAVOUR                                                                                    \
    {                                                                                              \
        "Metadata-Flavor", "Google"                                                                \
    }
#define SERVER                                                                                     \
    {                                                                                              \
        "Server", "Metadata Server for Serverless"                                                 \
    }
#define HARDENING                                                                                  \
    {"X-XSS-Protection", "0"},                                                                     \
    {                                                                                              \
        "X-Frame-Options", "SAMEORIGIN"                                                            \
    }
#define HTML "text/html; charset=UTF-8"

enum { PAGE_MAX = 128 * 1024 };

void etag_of(span body, char out[ETAG_TEXT])
{
    /* A fixed key: an etag outlives a restart. */
    const hash_key key = {0x696e766f6b657221U, 0x6d65746164617461U};
    (void)snprintf(out, ETAG_TEXT, "%016llx", (unsigned long long)hash_bytes(key, body.p, body.n));
}

void answer_value(http_request *r, const char *content_type, const char *etag, span body)
{
    const http_field with[] = {
        FLAVOUR, {"Content-Type", content_type}, {"ETag", etag}, SERVER, HARDENING, {0}};
    const http_field without[] = {FLAVOUR, {"Content-Type", content_type}, SERVER, HARDENING, {0}};
    http_respond(r, 200, etag ? with : without, body, false);
}

http_answer *answer_prepare(const char *content_type, span body)
{
    const http_field fields[] = {FLAVOUR, {"Content-Type", content_type}, SERVER, HARDENING, {0}};
    return http_answer_new(200, fields, body);
}

void answer_text(http_request *r, unsigned status, const char *content_type, span body,
                 bool flavoured)
{
    const http_field fields[] = {FLAVOUR, {"Content-Type", content_type}, SERVER, HARDENING, {0}};
    http_respond(r, status, flavoured ? fields : fields + 1, body, false);
}

void answer_forbidden_page(http_request *r, const char *why, bool flavoured)
{
    auto_buf buf page = buf_make(PAGE_MAX);
    page_forbidden(http_path(r), why, &page);
    answer_text(r, 403, HTML, buf_view(&page), flavoured);
}

void answer_not_found(http_request *r)
{
    auto_buf buf page = buf_make(PAGE_MAX);
    page_not_found(http_path(r), &page);
    answer_text(r, 404, HTML, buf_view(&page), true);
}

void answer_bad_method(http_request *r)
{
    auto_buf buf page = buf_make(PAGE_MAX);
    page_bad_method(http_method(r), http_path(r), &page);
    const http_field fields[] = {
        FLAVOUR, {"Content-Type", HTML}, {"Allow", "GET, HEAD, POST"}, SERVER, HARDENING, {0}};
    http_respond(r, 405, fields, buf_view(&page), false);
}

void answer_backend_failed(http_request *r)
{
    auto_buf buf text = buf_make(PAGE_MAX);
    buf_str(&text, "Could not fetch URI ");
    buf_span(&text, http_path(r));
    if (http_query(r).n) {
        buf_char(&text, '?');
        buf_span(&text, http_query(r));
    }
    buf_char(&text, '\n');
    answer_text(r, 500, "text/plain; charset=utf-8", buf_view(&text), true);
}

void answer_add_slash(http_request *r)
{
    auto_buf buf path = buf_make(PAGE_MAX);
    buf_span(&path, http_path(r));
    buf_char(&path, '/');
    auto_buf buf location = buf_make(PAGE_MAX);
    net_addr local;
    char text[NET_ADDR_TEXT_MAX];
    buf_str(&location, "http://");
    if (http_host(r).n)
        buf_span(&location, http_host(r));
    else if (http_local(r, &local))
        buf_str(&location, net_addr_text(&local, text));
    buf_span(&location, buf_view(&path));
    if (http_query(r).n) {
        buf_char(&location, '?');
        buf_span(&location, http_query(r));
    }
    buf_char(&path, '\n');
    const http_field fields[] = {
        FLAVOUR, {"Content-Type", "text/html"}, {"Location", location.p}, SERVER, HARDENING, {0}};
    http_respond(r, 301, fields, buf_view(&path), false);
}

void answer_try_again(http_request *r)
{
    answer_text(r, 503, "text/plain; charset=utf-8",
                SPAN_LIT("The address of a service is still being looked up; try again.\n"), true);
}
