/* The pages share one frame; only title, number and sentence differ. */
#include "metadata/pages.h"

static const char frame_top[] =
    "<!DOCTYPE html>\n"
    "<html lang=en>\n"
    "  <meta charset=utf-8>\n"
    "  <meta name=viewport content=\"initial-scale=1, minimum-scale=1, width=device-width\">\n";

static const char frame_style[] =
    "  <style>\n"
    "    *{margin:0;padding:0}html,code{font:15px/22px arial,sans-serif}html{background:#fff;"
    "color:#222;padding:15px}body{margin:7% auto 0;max-width:390px;min-height:180px;"
    "padding:30px 0 15px}* > body{background:url(//www.google.com/images/errors/robot.png) "
    "100% 5px no-repeat;padding-right:205px}p{margin:11px 0 22px;overflow:hidden}ins{color:#777;"
    "text-decoration:none}a img{border:0}@media screen and (max-width:772px){body{background:none;"
    "margin-top:0;max-width:none;padding-right:0}}#logo{background:url(//www.google.com/images/"
    "branding/googlelogo/1x/googlelogo_color_150x54dp.png) no-repeat;margin-left:-5px}@media only "
    "screen and (min-resolution:192dpi){#logo{background:url(//www.google.com/images/branding/"
    "googlelogo/2x/googlelogo_color_150x54dp.png) no-repeat 0% 0%/100% 100%;-moz-border-image:"
    "url(//www.google.com/images/branding/googlelogo/2x/googlelogo_color_150x54dp.png) 0}}@media "
    "only screen and (-webkit-min-device-pixel-ratio:2){#logo{background:url(//www.google.com/"
    "images/branding/googlelogo/2x/googlelogo_color_150x54dp.png) no-repeat;-webkit-background-"
    "size:100% 100%}}#logo{display:inline-block;height:54px;width:150px}\n"
    "  </style>\n"
    "  <a href=//www.google.com/><span id=logo aria-label=Google></span></a>\n";

static void open_page(unsigned status, const char *reason, buf *out)
{
    buf_str(out, frame_top);
    buf_fmt(out, "  <title>Error %u (%s)!!1</title>\n", status, reason);
    buf_str(out, frame_style);
    buf_fmt(out, "  <p><b>%u.</b> <ins>That\u2019s an error.</ins>\n", status);
}

static void close_page(buf *out)
{
    buf_str(out, "  <ins>That\u2019s all we know.</ins>\n");
}

void page_not_found(span path, buf *out)
{
    open_page(404, "Not Found", out);
    buf_str(out, "  <p>The requested URL <code>");
    buf_html(out, path);
    buf_str(out, "</code> was not found on this server.");
    close_page(out);
}

void page_forbidden(span path, const char *why, buf *out)
{
    open_page(403, "Forbidden", out);
    buf_str(out, "  <p>Your client does not have permission to get URL <code>");
    buf_html(out, path);
    buf_fmt(out, "</code> from this server. %s", why);
    close_page(out);
}

void page_bad_method(span method, span path, buf *out)
{
    open_page(405, "Method Not Allowed", out);
    buf_str(out, "  <p>The request method <code>");
    buf_html(out, method);
    buf_str(out, "</code> is inappropriate for the URL <code>");
    buf_html(out, path);
    buf_str(out, "</code>.");
    close_page(out);
}
