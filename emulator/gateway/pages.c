/* One template for most pages; the rest are the plain sentences and the robot page of Google's
 * front end (without its remote images: the emulator is offline). */
#include "gateway/pages.h"

#include <stdlib.h>

#define HTML  "text/html; charset=UTF-8"
#define PLAIN "text/plain"

#define NO_INSTANCE                                                                                \
    "The request was aborted because there was no available instance. The Cloud Run service "      \
    "might have reached its maximum container instance limit or the service was otherwise not "    \
    "able to scale to incoming requests."

#define BROKEN                                                                                     \
    "The request failed because either the HTTP response was malformed or connection to the "      \
    "instance had an error."
#define NOT_STARTED "The request failed because the instance could not start successfully."
#define TOO_SLOW                                                                                   \
    "The request has been terminated because it has reached the maximum request timeout."

static const error_page_info infos[ERROR_PAGE_COUNT_] = {
    [ERROR_401] = {.status = 401, .content_type = HTML},
    [ERROR_403] = {.status = 403, .content_type = HTML},
    [ERROR_404] = {.status = 404, .content_type = HTML},
    [ERROR_404_ROBOT] = {.status = 404, .content_type = HTML, .robot = true},
    [ERROR_405_ROBOT] = {.status = 405, .content_type = HTML, .robot = true},
    [ERROR_413] = {.status = 413, .content_type = HTML},
    [ERROR_429] = {.status = 429, .content_type = PLAIN, .log_text = NO_INSTANCE},
    [ERROR_500] = {.status = 500, .content_type = HTML, .log_text = NOT_STARTED},
    [ERROR_503] = {.status = 503, .content_type = PLAIN, .log_text = BROKEN},
    [ERROR_504] = {.status = 504, .content_type = PLAIN, .log_text = TOO_SLOW},
};

const error_page_info *pages_info(error_page p)
{
    return &infos[p];
}

error_page pages_of_reason(reason r)
{
    switch (reason_info(r)->page) {
    case PAGE_401:
        return ERROR_401;
    case PAGE_403:
        return ERROR_403;
    case PAGE_404:
        return ERROR_404;
    case PAGE_404_ROBOT:
        return ERROR_404_ROBOT;
    case PAGE_NONE:
        break;
    }
    abort();
}

/* Real pages begin with an empty line. */
static void open_page(buf *b, const char *code, const char *title)
{
    buf_str(b, "\n<html><head>\n"
               "<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n"
               "<title>");
    buf_str(b, code);
    buf_char(b, ' ');
    buf_str(b, title);
    buf_str(b, "</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: ");
    buf_str(b, title);
    buf_str(b, "</h1>\n<h2>");
}

static void close_page(buf *b, const char *second)
{
    buf_str(b, "</h2>\n<h2>");
    buf_str(b, second);
    buf_str(b, "</h2>\n</body></html>\n");
}

static void path_page(buf *b, const char *code, const char *title, const char *before, span path,
                      const char *after)
{
    open_page(b, code, title);
    buf_str(b, before);
    buf_str(b, "<code>");
    buf_html(b, path);
    buf_str(b, "</code>");
    buf_str(b, after);
    close_page(b, "");
}

static void plain_page(buf *b, const char *code, const char *title, const char *message,
                       const char *second)
{
    open_page(b, code, title);
    buf_str(b, message);
    close_page(b, second);
}

static void robot_page(buf *b, const char *code, const char *title, const char *lead, span path,
                       const char *tail)
{
    buf_str(b, "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n"
               "  <meta name=viewport content=\"initial-scale=1, minimum-scale=1, "
               "width=device-width\">\n  <title>Error ");
    buf_fmt(b, "%s (%s)!!1</title>\n", code, title);
    buf_str(b, "  <style>\n    *{margin:0;padding:0}html,code{font:15px/22px arial,sans-serif}"
               "html{background:#fff;color:#222;padding:15px}body{margin:7% auto 0;"
               "max-width:390px;min-height:180px;padding:30px 0 15px}p{margin:11px 0 22px;"
               "overflow:hidden}ins{color:#777;text-decoration:none}\n  </style>\n");
    buf_fmt(b, "  <p><b>%s.</b> <ins>That\xE2\x80\x99s an error.</ins>\n  <p>%s <code>", code,
            lead);
    buf_html(b, path);
    buf_fmt(b, "</code> %s  <ins>That\xE2\x80\x99s all we know.</ins>\n", tail);
}

/* An oversize request is often a cookie jar run full: production's page empties it. */
static const char clear_cookies[] =
    "<script>document.cookie.split(\";\").forEach(function(c){document.cookie="
    "c.split(\"=\")[0].trim()+\"=;path=/;expires=Thu, 01 Jan 1970 00:00:00 GMT\"});</script>";

void pages_body(buf *b, error_page p, span path)
{
    switch (p) {
    case ERROR_401:
        path_page(b, "401", "Unauthorized",
                  "Your client does not have permission to the requested URL ", path, ".");
        return;
    case ERROR_403:
        path_page(b, "403", "Forbidden", "Your client does not have permission to get URL ", path,
                  " from this server.");
        return;
    case ERROR_404:
        plain_page(b, "404", "Page not found", "The requested URL was not found on this server.",
                   "");
        return;
    case ERROR_404_ROBOT:
        robot_page(b, "404", "Not Found", "The requested URL", path,
                   "was not found on this server.");
        return;
    case ERROR_405_ROBOT:
        robot_page(b, "405", "Method Not Allowed", "The method used for", path, "is not allowed.");
        return;
    case ERROR_413:
        plain_page(b, "413", "Request Entity Too Large",
                   "Your client issued a request that was too large.\n", clear_cookies);
        return;
    case ERROR_429:
        buf_str(b, "Rate exceeded.");
        return;
    case ERROR_500:
        plain_page(b, "500", "Server Error",
                   "The server encountered an error and could not complete your request."
                   "<p>Please try again in 30 seconds.",
                   "");
        return;
    case ERROR_503:
        buf_str(b, "Service Unavailable");
        return;
    case ERROR_504:
        buf_str(b, "upstream request timeout");
        return;
    case ERROR_PAGE_COUNT_:
        break;
    }
    abort();
}
