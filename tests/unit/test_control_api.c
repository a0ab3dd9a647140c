/* Routes, callers, bodies, answers of Google's APIs on the control listener. */
#include "control/api_impl.h"
#include "control_fixture.h"

/* ---- patterns ---- */

static const struct {
    const char *pattern, *path;
    bool fits;
    const char *first, *second;
} patterns[] = {
    {"/a/{}", "/a/b", true, "b", NULL},
    {"/a/{}", "/a/b:verb", false, NULL, NULL},
    {"/a/{}", "/a/", false, NULL, NULL},
    {"/a/{}", "/a", false, NULL, NULL},
    {"/a/{}", "/a/b/", false, NULL, NULL},
    {"/a/{}", "/a/b%2Fc%3Ad", true, "b%2Fc%3Ad", NULL},
    {"/a/{}:verb", "/a/b:verb", true, "b", NULL},
    {"/a/{}:verb", "/a/:verb", false, NULL, NULL},
    {"/a/{}:verb", "/a/b", false, NULL, NULL},
    {"/a/{}:verb", "/a/example.com:b:verb", true, "example.com:b", NULL},
    {"/a/{}/c/{}:go", "/a/x:y/c/z@w:go", true, "x:y", "z@w"},
    {"/a/{}/c/{}:go", "/a/x/d/z:go", false, NULL, NULL},
    {"/a:all", "/a:all", true, NULL, NULL},
    {"/a:all", "/a", false, NULL, NULL},
    {"/a/**", "/a/b/c:d/", true, "b/c:d/", NULL},
    {"/a/**", "/a/", true, "", NULL},
    {"/a/**", "/a", false, NULL, NULL},
    {"/a/**", "/ab/c", false, NULL, NULL},
};

static void expect_param(span got, const char *want)
{
    ck_assert_msg(want ? span_eq_str(got, want) : got.p == NULL, "got %.*s", SPAN_ARG(got));
}

START_TEST(a_pattern_fits_segment_by_segment)
{
    span params[API_PARAMS_MAX] = {0};
    bool fits = api_pattern_fits(patterns[_i].pattern, span_of(patterns[_i].path), params);
    ck_assert_msg(fits == patterns[_i].fits, "%s %s", patterns[_i].pattern, patterns[_i].path);
    if (fits) {
        expect_param(params[0], patterns[_i].first);
        expect_param(params[1], patterns[_i].second);
    }
}
END_TEST

static const struct {
    const char *host, *region;
} regions[] = {
    {"us-central1-run.localhost:8079", "us-central1"},
    {"US-central1-RUN.localhost", "US-central1"},
    {"mars-run.localhost:1", "mars"},
    {"run.localhost:8079", ""},
    {"-run.localhost", ""},
    {"us-central1-localhost:8079", "us-central1"},
    {"northamerica-northeast2-localhost", "northamerica-northeast2"},
    {"localhost:8079", ""},
    {"us-central-localhost", ""},
    {"us-1-localhost", ""},
    {"127.0.0.1:8079", ""},
    {"", ""},
};

START_TEST(the_region_stands_in_front_of_the_host)
{
    span got = api_region_of(span_of(regions[_i].host));
    ck_assert_msg(span_eq_str(got, regions[_i].region), "%s: %.*s", regions[_i].host,
                  SPAN_ARG(got));
}
END_TEST

/* ---- who asks ---- */

static void ask_with(const char *fields)
{
    auto_buf buf head = buf_make(8192);
    buf_fmt(&head, "GET /v1/projects/my-project HTTP/1.1\r\nHost: %s\r\n%s", R.host, fields);
    (void)rig_raw(head.p, (span){0});
}

static const struct {
    const char *fields, *words, *reason;
} strangers[] = {
    {"", "missing required authentication", "CREDENTIALS_MISSING"},
    {"Authorization: Basic QTpC\r\n", "missing required authentication", "CREDENTIALS_MISSING"},
    {"Authorization: Bearer \r\n", "missing required authentication", "CREDENTIALS_MISSING"},
    {"Authorization: Bearer ghost\r\n", "invalid authentication credentials",
     "ACCESS_TOKEN_EXPIRED"},
    {"Authorization: Bearer a.b.c\r\n", "looks like an identity token",
     "ACCESS_TOKEN_TYPE_UNSUPPORTED"},
};

START_TEST(without_a_known_access_token_it_is_401)
{
    ask_with(strangers[_i].fields);
    rig_expect_error(401, "UNAUTHENTICATED", strangers[_i].words);
    ck_assert_ptr_nonnull(strstr(R.answer.p, "WWW-Authenticate: Bearer realm="));
    const json_t *detail =
        json_array_get(json_object_get(json_object_get(R.json, "error"), "details"), 0);
    ck_assert_pstr_eq(json_string_value(json_object_get(detail, "reason")), strangers[_i].reason);
}
END_TEST

START_TEST(a_known_token_is_let_in_at_once_or_when_it_is_known)
{
    static const char *const fields[] = {"Authorization: Bearer " ALICE_TOKEN "\r\n",
                                         "authorization: bearer  " LATE_TOKEN " \r\n"};
    ask_with(fields[_i]);
    ck_assert_uint_eq(R.status, 200);
    ck_assert_pstr_eq(rig_text("projectId"), "my-project");
    ck_assert_uint_eq(R.identified, 1);
}
END_TEST

START_TEST(a_metadata_process_that_does_not_answer_is_503)
{
    ask_with("Authorization: Bearer " DEAF_TOKEN "\r\n");
    rig_expect_error(503, "UNAVAILABLE", "nobody listens");
}
END_TEST

START_TEST(who_leaves_before_his_token_is_known_is_forgotten)
{
    auto_buf buf head = buf_make(8192);
    buf_fmt(&head,
            "POST /v1/projects/my-project/services/a.b:enable HTTP/1.1\r\nHost: %s\r\n"
            "Authorization: Bearer " HELD_TOKEN "\r\nContent-Length: 0\r\n\r\n",
            R.host);
    int fd = rig_connect();
    rig_send(fd, buf_view(&head));
    for (int i = 0; !R.late_done && i < RIG_TURNS_MAX; i++)
        loop_turn(R.loop, 1000);
    ck_assert(R.late_done != NULL);
    close(fd);
    for (int i = 0; i < 20; i++)
        loop_turn(R.loop, 1000);
    R.late_done(R.late_arg, ALICE, NULL);
    ck_assert_uint_eq(rig_ask("GET", "/v1/projects/my-project/services/a.b", NULL), 200);
    ck_assert_pstr_eq(rig_text("state"), "DISABLED");
}
END_TEST

START_TEST(the_listener_can_close_on_who_waits)
{
    auto_buf buf head = buf_make(8192);
    buf_fmt(&head,
            "GET /v1/projects HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer " HELD_TOKEN "\r\n\r\n",
            R.host);
    int fd = rig_connect();
    rig_send(fd, buf_view(&head));
    for (int i = 0; !R.late_done && i < RIG_TURNS_MAX; i++)
        loop_turn(R.loop, 1000);
    ck_assert(R.late_done != NULL);
    error e = {0};
    (void)error_set(&e, ERR_UNAVAILABLE, "closing");
    R.late_done(R.late_arg, NULL, &e);
    close(fd);
}
END_TEST

/* ---- what is asked ---- */

START_TEST(the_project_is_known_by_id_and_number_and_no_other_is)
{
    ck_assert_uint_eq(rig_ask("GET", "/v1/projects/123456789012?alt=json", NULL), 200);
    ck_assert_pstr_eq(rig_text("projectNumber"), "123456789012");
    ck_assert_uint_eq(rig_ask("GET", "/v3/projects/my-project", NULL), 200);
    ck_assert_pstr_eq(rig_text("name"), "projects/123456789012");
    (void)rig_ask("GET", "/v1/projects/ghost%22%3C", NULL);
    rig_expect_error(403, "PERMISSION_DENIED", "project ghost\"<");
    (void)rig_ask("GET", "/v1/projects/%FF", NULL);
    rig_expect_error(403, "PERMISSION_DENIED", "project \xEF\xBF\xBD");
}
END_TEST

START_TEST(what_is_not_served_is_404_and_says_what_is)
{
    (void)rig_ask("GET", "/v1/nothing/<b>", NULL);
    rig_expect_error(404, "NOT_FOUND", "GET /v1/nothing/<b>: nothing is served there. Served are");
    ck_assert_ptr_nonnull(strstr(rig_text("error", "message"), "Service Usage v1"));
    (void)rig_ask("POST", "/v1/projects/my-project:getNothing", "{}");
    rig_expect_error(404, "NOT_FOUND", "POST /v1/projects/my-project:getNothing");
}
END_TEST

START_TEST(another_method_is_405_and_says_which_are_known)
{
    (void)rig_ask("DELETE", "/v1/projects/my-project", NULL);
    rig_expect_error(405, "UNIMPLEMENTED", "GET");
    ck_assert_ptr_nonnull(strstr(R.answer.p, "\r\nAllow: GET\r\n"));
    (void)rig_ask("PUT", "/tokeninfo", "{}");
    rig_expect_error(405, "UNIMPLEMENTED", "GET, POST");
}
END_TEST

static const struct {
    const char *body, *words;
} bad_bodies[] = {
    {"{\"a\":1,\n \"b\":}", "Line 2, column 6"}, {"{", "Line 1, column 1"},
    {"{\"a\":1,\"a\":2}", "duplicate"},          {"{} x", "Line 1"},
    {"[]", "is an array, not an object"},        {"\"s\"", "is a string, not an object"},
    {"null", "is null, not an object"},          {"{\"a\":\"\xFF\"}", "Line 1, column 6"},
};

START_TEST(a_body_that_is_no_json_object_is_400_with_its_place)
{
    (void)rig_ask("POST", "/v1/projects/my-project/services:batchEnable", bad_bodies[_i].body);
    rig_expect_error(400, "INVALID_ARGUMENT", bad_bodies[_i].words);
}
END_TEST

START_TEST(a_body_that_is_too_large_is_413_in_the_same_shape)
{
    static char big[API_BODY_MAX + 2];
    memset(big, ' ', sizeof big - 1);
    (void)rig_ask("POST", "/v1/projects/my-project/services:batchEnable", big);
    rig_expect_error(413, "INVALID_ARGUMENT", "too large");
    memcpy(big, "{\"serviceIds\":[\"a.b\"]}", 22);
    big[API_BODY_MAX] = '\0';
    ck_assert_uint_eq(rig_ask("POST", "/v1/projects/my-project/services:batchEnable", big), 200);
}
END_TEST

static unsigned send_typed(const char *method, const char *path, const char *type, const char *body)
{
    auto_buf buf head = buf_make(8192);
    buf_fmt(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer " ALICE_TOKEN "\r\n%s",
            method, path, R.host, type);
    return rig_raw(head.p, span_of(body));
}

START_TEST(a_body_is_json_or_where_oauth_says_so_a_form)
{
    static const char form[] = "Content-Type: application/x-www-form-urlencoded\r\n";
    static const char enable[] = "/v1/projects/my-project/services/a.b:enable";
    static const char *const others[] = {"", form, "Content-Type: text/plain\r\n",
                                         "Content-Type: application/jsonx\r\n"};
    for (size_t i = 0; i < countof(others); i++) {
        (void)send_typed("POST", enable, others[i], "{}");
        rig_expect_error(415, "INVALID_ARGUMENT", "Content-Type: application/json");
        ck_assert_uint_eq(send_typed("POST", enable, others[i], ""), 200);
    }
    ck_assert_uint_eq(
        send_typed("POST", enable, "content-type: Application/JSON; charset=utf-8\r\n", "{}"), 200);
    ck_assert_uint_eq(send_typed("POST", "/token", form, "grant_type=x"), 299);
    (void)send_typed("POST", "/token", "Content-Type: text/plain\r\n", "grant_type=x");
    rig_expect_error(415, "INVALID_ARGUMENT", "or a form");
}
END_TEST

START_TEST(a_head_request_is_answered_without_a_body)
{
    auto_buf buf head = buf_make(8192);
    buf_fmt(
        &head,
        "HEAD /v1/projects/my-project HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer " ALICE_TOKEN
        "\r\n",
        R.host);
    ck_assert_uint_eq(rig_raw(head.p, (span){0}), 200);
    ck_assert_str_eq(strstr(R.answer.p, "\r\n\r\n"), "\r\n\r\n");
}
END_TEST

/* ---- by way of gcloud's proxy settings, and of web pages ---- */

START_TEST(an_absolute_target_is_served_by_its_path)
{
    static const char head[] = "GET http://us-central1-run.localhost:8079/v1/projects/my-project?a "
                               "HTTP/1.1\r\nHost: whatever.example\r\nAuthorization: "
                               "Bearer " ALICE_TOKEN "\r\n";
    ck_assert_uint_eq(rig_raw(head, (span){0}), 200);
    static const char evil[] = "GET http://evil.example/v1/projects/my-project HTTP/1.1\r\n"
                               "Host: 127.0.0.1\r\nAuthorization: Bearer " ALICE_TOKEN "\r\n";
    (void)rig_raw(evil, (span){0});
    rig_expect_error(403, "PERMISSION_DENIED", "evil.example");
}
END_TEST

START_TEST(no_tunnel_is_opened)
{
    (void)rig_raw("CONNECT run.googleapis.com:443 HTTP/1.1\r\nHost: run.googleapis.com:443\r\n",
                  (span){0});
    rig_expect_error(400, "INVALID_ARGUMENT", "no tunnel to \"run.googleapis.com:443\"");
}
END_TEST

static const struct {
    const char *fields;
    unsigned status;
} pages[] = {
    {"Origin: http://evil.example\r\n", 403},
    {"Origin: null\r\n", 403},
    {"Origin: http://127.0.0.1:1\r\n", 403},
    {"Sec-Fetch-Site: cross-site\r\n", 403},
    {"Sec-Fetch-Site: same-site\r\n", 403},
    {"Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: cors\r\n", 403},
    {"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", 200},
    {"Sec-Fetch-Site: same-origin\r\n", 200},
    {"Sec-Fetch-Site: none\r\n", 200},
};

START_TEST(a_page_of_another_origin_may_not_ask)
{
    auto_buf buf fields = buf_make(4096);
    buf_fmt(&fields, "Authorization: Bearer " ALICE_TOKEN "\r\n%s", pages[_i].fields);
    ask_with(fields.p);
    ck_assert_uint_eq(R.status, pages[_i].status);
}
END_TEST

START_TEST(a_page_of_our_own_may_ask)
{
    auto_buf buf fields = buf_make(4096);
    buf_fmt(&fields, "Authorization: Bearer " ALICE_TOKEN "\r\nOrigin: http://%s\r\n", R.host);
    ask_with(fields.p);
    ck_assert_uint_eq(R.status, 200);
}
END_TEST

/* ---- passed on ---- */

START_TEST(what_needs_a_key_is_passed_on_as_it_came_and_asks_for_no_token_here)
{
    auto_buf buf head = buf_make(8192);
    buf_fmt(
        &head,
        "POST http://h.localhost:1/v1/projects/-/serviceAccounts/a@b.c:generateIdToken?alt=json "
        "HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer x\r\nContent-Type: application/json\r\n",
        R.host);
    ck_assert_uint_eq(rig_raw(head.p, SPAN_LIT("{not json")), 299);
    ck_assert_str_eq(R.forwarded.p,
                     "POST /v1/projects/-/serviceAccounts/a@b.c:generateIdToken?alt=json\n"
                     "host: h.localhost:1\nauthorization: Bearer x\ntype: application/json\n"
                     "flavor: \n{not json");
    ck_assert_ptr_nonnull(strstr(R.answer.p, "Content-Type: text/x-test\r\n"));
    ck_assert_ptr_nonnull(strstr(R.answer.p, "Metadata-Flavor: Google\r\n"));
    ck_assert_ptr_nonnull(strstr(R.answer.p, "Cache-Control: no-store\r\n"));
    ck_assert_ptr_null(strstr(R.answer.p, "WWW-Authenticate"));
    ck_assert_ptr_nonnull(strstr(R.answer.p, "\r\n\r\n[\"from the metadata process\"]"));
    ck_assert_uint_eq(R.identified, 0);
}
END_TEST

START_TEST(the_metadata_servers_paths_are_passed_on)
{
    static const char head[] =
        "GET http://127.0.0.1:8181/computeMetadata/v1/instance/service-accounts/default/token "
        "HTTP/1.1\r\nHost: 127.0.0.1:8181\r\nMetadata-Flavor: Google\r\n";
    ck_assert_uint_eq(rig_raw(head, (span){0}), 299);
    ck_assert_ptr_nonnull(strstr(R.forwarded.p, "host: 127.0.0.1:8181\n"));
    ck_assert_ptr_nonnull(strstr(R.forwarded.p, "flavor: Google\n"));
}
END_TEST

START_TEST(what_cannot_be_passed_on_is_503)
{
    auto_buf buf head = buf_make(8192);
    buf_fmt(&head,
            "GET /tokeninfo HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer " DEAF_TOKEN "\r\n",
            R.host);
    (void)rig_raw(head.p, (span){0});
    rig_expect_error(503, "UNAVAILABLE", "nobody listens");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("control_api");
    TCase *pure = tcase_create("routes");
    tcase_add_loop_test(pure, a_pattern_fits_segment_by_segment, 0, countof(patterns));
    tcase_add_loop_test(pure, the_region_stands_in_front_of_the_host, 0, countof(regions));
    suite_add_tcase(s, pure);
    TCase *t = tcase_create("calls");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, rig_open, rig_close);
    tcase_add_loop_test(t, without_a_known_access_token_it_is_401, 0, countof(strangers));
    tcase_add_loop_test(t, a_known_token_is_let_in_at_once_or_when_it_is_known, 0, 2);
    tcase_add_test(t, a_metadata_process_that_does_not_answer_is_503);
    tcase_add_test(t, who_leaves_before_his_token_is_known_is_forgotten);
    tcase_add_test(t, the_listener_can_close_on_who_waits);
    tcase_add_test(t, the_project_is_known_by_id_and_number_and_no_other_is);
    tcase_add_test(t, what_is_not_served_is_404_and_says_what_is);
    tcase_add_test(t, another_method_is_405_and_says_which_are_known);
    tcase_add_loop_test(t, a_body_that_is_no_json_object_is_400_with_its_place, 0,
                        countof(bad_bodies));
    tcase_add_test(t, a_body_that_is_too_large_is_413_in_the_same_shape);
    tcase_add_test(t, a_body_is_json_or_where_oauth_says_so_a_form);
    tcase_add_test(t, a_head_request_is_answered_without_a_body);
    tcase_add_test(t, an_absolute_target_is_served_by_its_path);
    tcase_add_test(t, no_tunnel_is_opened);
    tcase_add_loop_test(t, a_page_of_another_origin_may_not_ask, 0, countof(pages));
    tcase_add_test(t, a_page_of_our_own_may_ask);
    tcase_add_test(t, what_needs_a_key_is_passed_on_as_it_came_and_asks_for_no_token_here);
    tcase_add_test(t, the_metadata_servers_paths_are_passed_on);
    tcase_add_test(t, what_cannot_be_passed_on_is_503);
    suite_add_tcase(s, t);
    return check_main(s);
}
