/* What the dashboard is made of: the page, the topology, questions about calls and tokens. */
#include "base/embedded.h"
#include "control_fixture.h"

#define JSON "Content-Type: application/json\r\n"

/* ---- the page ---- */

static unsigned get(const char *path, const char *fields)
{
    auto_buf buf head = buf_make(RIG_ANSWER_MAX);
    buf_fmt(&head, "GET %s HTTP/1.1\r\nHost: %s\r\n%s", path, R.host, fields);
    return rig_raw(head.p, (span){0});
}

static void expect_head(const char *words)
{
    ck_assert_msg(strcasestr(R.answer.p, words) != NULL, "no %s in %.1000s", words, R.answer.p);
}

static const struct {
    const char *path, *type, *words;
} files[] = {
    {"/", "text/html", "<title>Invoker</title>"},
    {"/index.html", "text/html", "<title>Invoker</title>"},
    {"/page/app.js", "text/javascript", "import"},
    {"/page/style.css", "text/css", "color-scheme"},
    {"/page/icon.svg", "image/svg+xml", "<svg"},
};

START_TEST(the_page_and_its_parts_are_served_under_a_strict_policy)
{
    ck_assert_uint_eq(get(files[_i].path, ""), 200);
    expect_head(files[_i].type);
    expect_head(files[_i].words);
    expect_head("Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'");
    expect_head("frame-ancestors 'none'");
    expect_head("X-Content-Type-Options: nosniff");
    expect_head("Referrer-Policy: no-referrer");
    expect_head("Cache-Control: no-cache");
    ck_assert_ptr_null(strstr(R.answer.p, "unsafe"));
}
END_TEST

/* Scripts and styles stand in files of their own, and nothing comes from elsewhere. */
START_TEST(the_page_has_nothing_inline_and_nothing_foreign)
{
    for (const embedded *file = embedded_page; file->name; file++) {
        const char *text = (const char *)file->bytes;
        ck_assert_msg(!strstr(text, "style=") && !strstr(text, "innerHTML") &&
                          !strstr(text, "onclick=\""),
                      "%s", file->name);
        const char *at = text;
        while ((at = strstr(at, "://")) != NULL) {
            ck_assert_msg(strncmp(at, "://www.w3.org/", 14) == 0 || at[-1] == 's', "%s: %.40s",
                          file->name, at - 5);
            at += 3;
        }
    }
}
END_TEST

START_TEST(what_the_browser_has_is_not_sent_again)
{
    ck_assert_uint_eq(get("/", ""), 200);
    const char *etag = strstr(R.answer.p, "ETag: ");
    ck_assert_ptr_nonnull(etag);
    auto_buf buf fields = buf_make(1024);
    buf_fmt(&fields, "If-None-Match: \"other\", W/%.34s\r\n", etag + 6);
    ck_assert_uint_eq(get("/", fields.p), 304);
    ck_assert_ptr_null(strstr(R.answer.p, "<title>"));
    expect_head("ETag: \"");
    expect_head("Content-Security-Policy: ");
    ck_assert_uint_eq(get("/", "If-None-Match: \"other\"\r\n"), 200);
}
END_TEST

START_TEST(the_page_is_read_only_and_other_names_are_none_of_it)
{
    ck_assert_uint_eq(rig_ask("POST", "/", "{}"), 405);
    ck_assert_uint_eq(get("/page/", ""), 404);
    ck_assert_uint_eq(get("/page/../page/app.js", ""), 404);
    ck_assert_uint_eq(get("/page/app.js%00", ""), 404);
    ck_assert_uint_eq(get("/app.js", ""), 404);
}
END_TEST

/* ---- topology ---- */

static const json_t *found(const json_t *array, const char *key, const char *value)
{
    size_t i = 0;
    const json_t *one = NULL;
    json_array_foreach (array, i, one) {
        const char *text = json_string_value(json_object_get(one, key));
        if (text && strcmp(text, value) == 0)
            return one;
    }
    ck_abort_msg("nothing with %s %s", key, value);
    return NULL;
}

static const json_t *cell(const char *caller, const char *service_name)
{
    const json_t *row = found(json_object_get(R.json, "callers"), "name", caller);
    return found(json_object_get(row, "cells"), "service", service_name);
}

static void expect_cell(const char *caller, const char *service_name, bool allowed,
                        const char *reason_name)
{
    const json_t *c = cell(caller, service_name);
    ck_assert_msg(json_is_boolean(json_object_get(c, "allowed")) &&
                      json_is_true(json_object_get(c, "allowed")) == allowed,
                  "%s to %s", caller, service_name);
    ck_assert_str_eq(json_string_value(json_object_get(c, "reason")), reason_name);
}

START_TEST(the_topology_is_told_with_every_cell_of_the_matrix)
{
    ck_assert_uint_eq(rig_ask("GET", "/invoker/v1/topology", NULL), 200);
    ck_assert_str_eq(rig_text("project", "id"), "my-project");
    ck_assert_str_eq(rig_text("emulation", "mode"), "enforce");
    const json_t *svc = found(json_object_get(R.json, "services"), "name", "backend-api");
    ck_assert_str_eq(json_string_value(json_object_get(svc, "account")),
                     "backend-sa@my-project.iam.gserviceaccount.com");
    ck_assert(json_is_false(json_object_get(svc, "open")));
    expect_cell("frontend-sa", "backend-api", true, "granted");
    expect_cell("frontend-sa", "db-service", false, "no_grant");
    expect_cell("anonymous", "frontend", true, "public");
    expect_cell("anonymous", "backend-api", false, "no_credential");
    const json_t *b = json_object_get(cell("frontend-sa", "backend-api"), "binding");
    ck_assert_str_eq(json_string_value(json_object_get(b, "member")),
                     "serviceAccount:frontend-sa@my-project.iam.gserviceaccount.com");
    ck_assert_str_eq(json_string_value(json_object_get(b, "on")), "service backend-api");
    ck_assert_uint_eq(json_array_size(json_object_get(R.json, "pending")), 0);
    ck_assert_uint_ge(json_array_size(json_object_get(R.json, "faults")), 9);
}
END_TEST

START_TEST(the_topology_is_read_only)
{
    ck_assert_uint_eq(rig_ask("POST", "/invoker/v1/topology", "{}"), 405);
}
END_TEST

/* ---- questions ---- */

static const char *const paths[] = {"/invoker/v1/why", "/invoker/v1/inspect",
                                    "/invoker/v1/propagate"};

static unsigned post(const char *path, const char *fields, const char *body)
{
    auto_buf buf head = buf_make(RIG_ANSWER_MAX);
    buf_fmt(&head, "POST %s HTTP/1.1\r\nHost: %s\r\n%s", path, R.host, fields);
    return rig_raw(head.p, span_of(body));
}

START_TEST(a_question_is_a_json_object_of_ours)
{
    ck_assert_uint_eq(post(paths[_i], "", "{}"), 415);
    ck_assert_uint_eq(post(paths[_i], "Content-Type: text/plain\r\n", "{}"), 415);
    ck_assert_uint_eq(post(paths[_i], JSON, "[]"), 400);
    ck_assert_uint_eq(post(paths[_i], JSON, "{\"a\":1,\"a\":2}"), 400);
    ck_assert_uint_eq(post(paths[_i], JSON, "{"), 400);
    ck_assert_uint_eq(post(paths[_i], JSON "Origin: http://evil.example\r\n", "{}"), 403);
    ck_assert_uint_eq(post(paths[_i], JSON "Sec-Fetch-Site: cross-site\r\n", "{}"), 403);
    ck_assert_uint_eq(rig_ask("GET", paths[_i], NULL), 405);
    ck_assert_uint_eq(R.commits, 0);
}
END_TEST

START_TEST(a_question_is_bounded)
{
    auto_buf buf body = buf_make(RIG_ANSWER_MAX);
    buf_str(&body, "{\"token\":\"");
    for (int i = 0; i < 66 * 1024; i++)
        buf_char(&body, 'a');
    buf_str(&body, "\"}");
    ck_assert_uint_eq(post("/invoker/v1/inspect", JSON, body.p), 400);
    ck_assert_ptr_nonnull(strstr(rig_text("error", "message"), "that is no token"));
    buf_clear(&body);
    buf_str(&body, "{\"path\":\"");
    for (int i = 0; i < 200 * 1024; i++)
        buf_char(&body, 'a');
    buf_str(&body, "\"}");
    ck_assert_uint_eq(post("/invoker/v1/why", JSON, body.p), 413);
}
END_TEST

START_TEST(a_question_and_its_answer_pass_through)
{
    ck_assert_uint_eq(post("/invoker/v1/why", JSON, "{\"as\":\"frontend-sa\"}"), 200);
    ck_assert_str_eq(rig_text("asked"), "frontend-sa");
    ck_assert_uint_eq(post("/invoker/v1/why", JSON, "{\"bogus\":true}"), 400);
    ck_assert_str_eq(rig_text("error", "message"), "unknown field 'bogus'");
    ck_assert_uint_eq(post("/invoker/v1/inspect", JSON, "{\"token\":\"eyJ\"}"), 200);
    ck_assert_str_eq(rig_text("asked"), "eyJ");
    ck_assert_uint_eq(post("/invoker/v1/inspect", JSON, "{\"token\":\"eyJ\",\"x\":1}"), 400);
    ck_assert_uint_eq(post("/invoker/v1/inspect", JSON, "{\"token\":7}"), 400);
}
END_TEST

START_TEST(what_propagates_is_let_through_by_one_commit)
{
    ck_assert_uint_eq(post("/invoker/v1/propagate", JSON, "{}"), 200);
    ck_assert_uint_eq(R.commits, 1);
    ck_assert_uint_eq(state_settled(state_document(R.state)), 1);
    ck_assert_uint_eq(post("/invoker/v1/propagate", JSON, "{\"now\":true}"), 400);
    ck_assert_uint_eq(R.commits, 1);
    R.commit_failure = "the disk is full";
    ck_assert_uint_eq(post("/invoker/v1/propagate", JSON, "{}"), 500);
    ck_assert_ptr_nonnull(strstr(rig_text("error", "message"), "the disk is full"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("dashboard");
    TCase *t = tcase_create("dashboard");
    tcase_add_checked_fixture(t, rig_open, rig_close);
    tcase_add_loop_test(t, the_page_and_its_parts_are_served_under_a_strict_policy, 0,
                        countof(files));
    tcase_add_test(t, the_page_has_nothing_inline_and_nothing_foreign);
    tcase_add_test(t, what_the_browser_has_is_not_sent_again);
    tcase_add_test(t, the_page_is_read_only_and_other_names_are_none_of_it);
    tcase_add_test(t, the_topology_is_told_with_every_cell_of_the_matrix);
    tcase_add_test(t, the_topology_is_read_only);
    tcase_add_loop_test(t, a_question_is_a_json_object_of_ours, 0, countof(paths));
    tcase_add_test(t, a_question_is_bounded);
    tcase_add_test(t, a_question_and_its_answer_pass_through);
    tcase_add_test(t, what_propagates_is_let_through_by_one_commit);
    suite_add_tcase(s, t);
    return check_main(s);
}
