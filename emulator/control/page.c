/* The dashboard: one page and its parts, all of them embedded in the program. */
#include "base/embedded.h"
#include "base/hash.h"
#include "control/control_impl.h"
#include "control/reply.h"

/* Scripts and styles are files of ours and nothing else: what callers write into paths, names and
 * tokens is shown as text and can never run. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src "        \
    "'self'; "                                                                                     \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

enum { ETAG_MAX = 64 };

static const embedded *file_of(span path)
{
    static const span folder = {"/page/", 6};
    if (span_eq_str(path, "/") || span_eq_str(path, "/index.html"))
        return embedded_find(embedded_page, SPAN_LIT("index.html"));
    return span_starts(path, folder) ? embedded_find(embedded_page, span_from(path, folder.n))
                                     : NULL;
}

/* Strong: it is made of the bytes (RFC 9110 §8.8.3). */
static void put_etag(buf *b, const embedded *file)
{
    const hash_key keys[] = {{0, 1}, {2, 3}};
    buf_char(b, '"');
    for (size_t i = 0; i < countof(keys); i++)
        buf_fmt(b, "%016llx", (unsigned long long)hash_bytes(keys[i], file->bytes, file->n));
    buf_char(b, '"');
}

/* If-None-Match (RFC 9110 §13.1.2): is it one of the list? */
static bool has_it(span list, span etag)
{
    for (bool more = true; more;) {
        span one;
        more = span_cut(&list, ',', &one);
        one = span_trim(one);
        if (span_starts(one, SPAN_LIT("W/")))
            one = span_from(one, 2);
        if (span_eq(one, etag) || span_eq_str(one, "*"))
            return true;
    }
    return false;
}

bool page_serve(http_request *r)
{
    const embedded *file = file_of(http_path(r));
    if (!file)
        return false;
    if (!span_eq_str(http_method(r), "GET") && !span_eq_str(http_method(r), "HEAD")) {
        reply_error(r, 405, "GET, HEAD", "the dashboard is read with GET");
        return true;
    }
    auto_buf buf etag = buf_make(ETAG_MAX);
    put_etag(&etag, file);
    const bool known = has_it(http_header(r, "If-None-Match"), buf_view(&etag));
    const http_field fields[] = {{"ETag", etag.p},
                                 {"Cache-Control", "no-cache"},
                                 {"Content-Security-Policy", POLICY},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {"Referrer-Policy", "no-referrer"},
                                 {"Cross-Origin-Opener-Policy", "same-origin"},
                                 {"Cross-Origin-Resource-Policy", "same-origin"},
                                 {known ? NULL : "Content-Type", file->type},
                                 {0}};
    const span nothing = {NULL, 0};
    http_respond(r, known ? 304 : 200, fields, known ? nothing : embedded_bytes(file), true);
    return true;
}
