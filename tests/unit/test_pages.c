/* The front end's pages, byte for byte. */
#include "check_main.h"
#include "gateway/pages.h"

static const struct {
    error_page page;
    unsigned status;
    const char *path;
    const char *body;
} rows[] = {
    {ERROR_403, 403, "/",
     "\n<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n"
     "<title>403 Forbidden</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
     "<h1>Error: Forbidden</h1>\n<h2>Your client does not have permission to get URL "
     "<code>/</code> from this server.</h2>\n<h2></h2>\n</body></html>\n"},
    {ERROR_401, 401, "/a<b>&\"c\"",
     "\n<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n"
     "<title>401 Unauthorized</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
     "<h1>Error: Unauthorized</h1>\n<h2>Your client does not have permission to the requested URL "
     "<code>/a&lt;b&gt;&amp;&quot;c&quot;</code>.</h2>\n<h2></h2>\n</body></html>\n"},
    {ERROR_404, 404, "/x",
     "\n<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n"
     "<title>404 Page not found</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n"
     "<h1>Error: Page not found</h1>\n<h2>The requested URL was not found on this server.</h2>\n"
     "<h2></h2>\n</body></html>\n"},
    {ERROR_429, 429, "/", "Rate exceeded."},
    {ERROR_503, 503, "/", "Service Unavailable"},
    {ERROR_504, 504, "/", "upstream request timeout"},
};

static char *body_of(error_page p, const char *path)
{
    buf b = buf_make(PAGE_BODY_MAX);
    pages_body(&b, p, span_of(path));
    return buf_take(&b);
}

START_TEST(a_page_is_productions_byte_for_byte)
{
    auto_free char *body = body_of(rows[_i].page, rows[_i].path);
    ck_assert_str_eq(body, rows[_i].body);
    ck_assert_uint_eq(pages_info(rows[_i].page)->status, rows[_i].status);
}
END_TEST

START_TEST(the_pages_of_the_root_have_the_documented_lengths)
{
    auto_free char *b403 = body_of(ERROR_403, "/");
    auto_free char *b401 = body_of(ERROR_401, "/");
    ck_assert_uint_eq(strlen(b403), 295);
    ck_assert_uint_eq(strlen(b401), 294);
}
END_TEST

START_TEST(every_page_has_a_status_a_type_and_a_body)
{
    error_page p = (error_page)_i;
    auto_free char *body = body_of(p, "/<script>");
    ck_assert_uint_ge(pages_info(p)->status, 400);
    ck_assert_uint_gt(strlen(body), 10);
    ck_assert_ptr_null(strstr(body, "/<script>"));
    bool html = strstr(body, "<title>") != NULL;
    ck_assert_int_eq(html, strstr(pages_info(p)->content_type, "text/html") != NULL);
}
END_TEST

START_TEST(the_413_page_clears_cookies_in_its_second_heading)
{
    auto_free char *body = body_of(ERROR_413, "/");
    ck_assert_ptr_nonnull(strstr(body, "<h2>Your client issued a request that was too large.\n"
                                       "</h2>\n<h2><script>"));
    ck_assert_ptr_nonnull(strstr(body, "document.cookie"));
}
END_TEST

START_TEST(every_refusal_has_a_page_that_fits_its_challenge)
{
    const reason_row *row = reason_info((reason)_i);
    if (row->allows)
        return;
    unsigned status = pages_info(pages_of_reason((reason)_i))->status;
    ck_assert_int_eq(row->challenge, status == 401);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pages");
    TCase *t = tcase_create("pages");
    tcase_add_loop_test(t, a_page_is_productions_byte_for_byte, 0, countof(rows));
    tcase_add_test(t, the_pages_of_the_root_have_the_documented_lengths);
    tcase_add_loop_test(t, every_page_has_a_status_a_type_and_a_body, 0, ERROR_PAGE_COUNT_);
    tcase_add_test(t, the_413_page_clears_cookies_in_its_second_heading);
    tcase_add_loop_test(t, every_refusal_has_a_page_that_fits_its_challenge, 0, REASON_COUNT_);
    suite_add_tcase(s, t);
    return check_main(s);
}
