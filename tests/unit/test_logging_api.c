/* Cloud Logging's API on the control listener, and how containers' lines get there. */
#include "control/log_page.h"
#include "control_fixture.h"

#define LIST "/v2/entries:list"

static void setup(void)
{
    rig_open();
    R.requests = json_array();
}

static void teardown(void)
{
    rig_close();
}

/* ---- what is there ---- */

/* A request of service `name` at the second `s`, older than all before it. */
static void request_at(const char *name, int s, int status, const char *id)
{
    json_t *e =
        json_pack("{s:s,s:s,s:o,s:s,s:{s:s,s:{s:s,s:s}},s:{s:s,s:i,s:s}}", "insertId", id,
                  "logName", "projects/my-project/logs/run.googleapis.com%2Frequests", "timestamp",
                  json_sprintf("2027-01-15T08:00:%02d.5Z", s), "severity",
                  status < 400 ? "INFO" : "WARNING", "resource", "type", "cloud_run_revision",
                  "labels", "service_name", name, "location", "us-central1", "httpRequest",
                  "requestMethod", "GET", "status", status, "requestUrl", "http://x/");
    ck_assert_ptr_nonnull(e);
    ck_assert_int_eq(json_array_append_new(R.requests, e), 0);
}

static unsigned send_lines(const char *name, const char *body)
{
    auto_buf buf path = buf_make(256);
    buf_fmt(&path, "/invoker/v1/services/%s/logs", name);
    return rig_ask("POST", path.p, body);
}

/* Lines "SECOND TEXT". */
static void lines(const char *name, const char *stream, const char *const *all)
{
    auto_buf buf b = buf_make(1 << 20);
    buf_fmt(&b, "{\"stream\":\"%s\",\"lines\":[", stream);
    for (size_t i = 0; all[i]; i++) {
        buf_fmt(&b, "%s{\"time\":\"2027-01-15T08:00:%.2sZ\",\"text\":", i ? "," : "", all[i]);
        buf_json(&b, span_of(all[i] + 3));
        buf_char(&b, '}');
    }
    buf_str(&b, "]}");
    ck_assert_msg(send_lines(name, b.p) == 200, "%s", R.answer.p);
}

/* ---- asking ---- */

/* Each entry as its text, its message as JSON, or "METHOD STATUS", joined by commas; then ",…" when
 * there is a next page.
 */
static const char *shown(void)
{
    static buf b;
    size_t i = 0;
    json_t *e = NULL;
    buf_free(&b);
    b = buf_make(1 << 20);
    buf_str(&b, "");
    json_array_foreach (json_object_get(R.json, "entries"), i, e) {
        const json_t *http = json_object_get(e, "httpRequest");
        const char *text = json_string_value(json_object_get(e, "textPayload"));
        const char *message =
            json_string_value(json_object_get(json_object_get(e, "jsonPayload"), "message"));
        ck_assert_int_eq((http != NULL) + (text != NULL) + (message != NULL), 1);
        ck_assert(json_is_string(json_object_get(e, "insertId")));
        buf_str(&b, i ? "," : "");
        if (http)
            buf_fmt(&b, "GET %d", (int)json_integer_value(json_object_get(http, "status")));
        else if (message)
            buf_fmt(&b, "{%s}", message);
        else
            buf_str(&b, text);
    }
    if (json_object_get(R.json, "nextPageToken"))
        buf_str(&b, ",…");
    return b.n ? b.p : "";
}

/* more: further members of the request, with a comma in front. */
static const char *listed(const char *more)
{
    auto_buf buf b = buf_make(1 << 20);
    buf_fmt(&b, "{\"resourceNames\":[\"projects/my-project\"]%s}", more);
    ck_assert_msg(rig_ask("POST", LIST, b.p) == 200, "%s", R.answer.p);
    return shown();
}

static const char *filtered(const char *filter)
{
    auto_buf buf b = buf_make(1 << 20);
    buf_str(&b, ",\"filter\":");
    buf_json(&b, span_of(filter));
    return listed(b.p);
}

static void fill(void)
{
    static const char *const out[] = {"01 one", "03 three", NULL};
    static const char *const err[] = {"02 two", NULL};
    static const char *const other[] = {"04 {\"severity\":\"ERROR\",\"message\":\"four\"}", NULL};
    lines("backend-api", "stdout", out);
    lines("backend-api", "stderr", err);
    lines("frontend", "stdout", other);
    request_at("backend-api", 5, 403, "b1");
    request_at("frontend", 2, 200, "b2");
}

START_TEST(nothing_is_an_empty_object)
{
    ck_assert_uint_eq(rig_ask("POST", LIST, "{\"resourceNames\":[\"projects/my-project\"]}"), 200);
    ck_assert_uint_eq(json_object_size(R.json), 0);
    ck_assert_uint_eq(rig_ask("GET", "/v2/projects/my-project/logs", NULL), 200);
    ck_assert_uint_eq(json_object_size(R.json), 0);
}
END_TEST

#define FOUR "{four}"

START_TEST(requests_and_lines_come_in_the_order_of_their_times)
{
    fill();
    ck_assert_str_eq(listed(""), "one,two,GET 200,three," FOUR ",GET 403");
    ck_assert_str_eq(listed(",\"orderBy\":\"timestamp asc\""),
                     "one,two,GET 200,three," FOUR ",GET 403");
    ck_assert_str_eq(listed(",\"orderBy\":\"timestamp desc\",\"pageSize\":1000"),
                     "GET 403," FOUR ",three,GET 200,two,one");
}
END_TEST

START_TEST(the_filter_of_gcloud_finds_the_lines_of_a_service)
{
    fill();
    ck_assert_str_eq(
        listed(",\"orderBy\":\"timestamp desc\",\"pageSize\":20,\"filter\":\"resource.type = "
               "cloud_run_revision \\n AND resource.labels.service_name = backend-api \\n AND "
               "resource.labels.location = us-central1 \\n AND severity >= DEFAULT \\n AND "
               "timestamp>=\\\"2026-01-01T00:00:00.000000Z\\\"\""),
        "GET 403,three,two,one");
    ck_assert_str_eq(R.asked_for.service, "backend-api");
    ck_assert_int_eq(R.asked_for.from_us, 1767225600000000);
    ck_assert_int_eq(R.asked_for.till_us, INT64_MAX);
}
END_TEST

START_TEST(filters_choose)
{
    static const struct {
        const char *filter, *found;
    } rows[] = {
        {"", "one,two,GET 200,three," FOUR ",GET 403"},
        {"severity>=WARNING", FOUR ",GET 403"},
        {"severity=ERROR", FOUR},
        {"jsonPayload.message=four", FOUR},
        {"logName:stderr", "two"},
        {"log_id(\"run.googleapis.com/stdout\")", "one,three," FOUR},
        {"httpRequest.status>=400", "GET 403"},
        {"resource.labels.service_name=FRONTEND", "GET 200," FOUR},
        {"timestamp>\"2027-01-15T08:00:02Z\" timestamp<=\"2027-01-15T08:00:03Z\"", "GET 200,three"},
        {"two OR three", "two,three"},
        {"four", FOUR},
        {"textPayload:four", ""},
        {"nowhere", ""},
        {"resource.labels.service_name=nowhere", ""},
    };
    fill();
    for (size_t i = 0; i < countof(rows); i++)
        ck_assert_msg(strcmp(filtered(rows[i].filter), rows[i].found) == 0, "%s: %s",
                      rows[i].filter, shown());
}
END_TEST

START_TEST(pages_follow_each_other_whatever_comes_in_between)
{
    static const char *const orders[] = {"timestamp asc", "timestamp desc"};
    static const char *const found[][3] = {{"one,two,…", "GET 200,three,…", FOUR ",GET 403"},
                                           {"GET 403," FOUR ",…", "three,GET 200,…", "two,one"}};
    const int order = _i;
    auto_buf buf token = buf_make(1024);
    fill();
    for (size_t page = 0; page < 3; page++) {
        auto_buf buf more = buf_make(4096);
        buf_fmt(&more, ",\"orderBy\":\"%s\",\"pageSize\":2%s%s%s", orders[order],
                page ? ",\"pageToken\":\"" : "", page ? token.p : "", page ? "\"" : "");
        ck_assert_str_eq(listed(more.p), found[order][page]);
        buf_clear(&token);
        buf_str(&token, page < 2 ? rig_text("nextPageToken") : "");
    }
}
END_TEST

START_TEST(a_page_goes_on_where_it_ended_though_new_lines_came)
{
    static const char *const later[] = {"50 late", NULL};
    auto_buf buf more = buf_make(4096);
    fill();
    ck_assert_str_eq(listed(",\"orderBy\":\"timestamp desc\",\"pageSize\":3"),
                     "GET 403," FOUR ",three,…");
    buf_fmt(&more, ",\"orderBy\":\"timestamp desc\",\"pageSize\":9,\"pageToken\":\"%s\"",
            rig_text("nextPageToken"));
    lines("frontend", "stdout", later);
    ck_assert_str_eq(listed(more.p), "GET 200,two,one");
}
END_TEST

START_TEST(lines_of_one_time_keep_their_order)
{
    static const char *const same[] = {"01 a", "01 b", "01 c", "01 d", NULL};
    lines("frontend", "stdout", same);
    ck_assert_str_eq(listed(""), "a,b,c,d");
    ck_assert_str_eq(listed(",\"orderBy\":\"timestamp desc\""), "d,c,b,a");
    ck_assert_str_eq(listed(",\"pageSize\":3"), "a,b,c,…");
}
END_TEST

START_TEST(a_request_that_looks_at_too_much_answers_in_parts)
{
    static const char *const names[] = {"frontend", "backend-api"};
    auto_buf buf b = buf_make(4 << 20);
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&b);
        buf_str(&b, "{\"stream\":\"stdout\",\"lines\":[");
        for (int k = 0; k < 2000; k++)
            buf_fmt(&b, "%s{\"time\":\"2027-01-15T08:00:01Z\",\"text\":\"%d\"}", k ? "," : "", k);
        buf_str(&b, "]}");
        ck_assert_uint_eq(send_lines(names[i], b.p), 200);
    }
    auto_buf buf next = buf_make(4096);
    ck_assert_str_eq(listed(",\"filter\":\"1999\""), "1999,…"); /* the first is that far behind */
    buf_fmt(&next, ",\"filter\":\"1999\",\"pageToken\":\"%s\"", rig_text("nextPageToken"));
    ck_assert_str_eq(listed(next.p), "1999");
    ck_assert_str_eq(filtered("nowhere"), ",…");
}
END_TEST

START_TEST(the_logs_that_have_entries_are_named)
{
    fill();
    ck_assert_uint_eq(rig_ask("GET", "/v2/projects/123456789012/logs", NULL), 200);
    auto_free char *names = json_dumps(R.json, JSON_COMPACT);
    ck_assert_str_eq(names,
                     "{\"logNames\":[\"projects/my-project/logs/run.googleapis.com%2Frequests\","
                     "\"projects/my-project/logs/run.googleapis.com%2Fstderr\","
                     "\"projects/my-project/logs/run.googleapis.com%2Fstdout\"]}");
    rig_ask("GET", "/v2/projects/elsewhere/logs", NULL);
    rig_expect_error(403, "PERMISSION_DENIED", "elsewhere");
}
END_TEST

START_TEST(gcloud_run_services_logs_read_is_given_each_line_as_it_was_written)
{
    static const struct {
        const char *command;
        bool as_text;
    } rows[] = {{"gcloud.run.services.logs.read", true},
                {"gcloud.beta.run.services.logs.read", true},
                {"gcloud.logging.read", false},
                {"gcloud.run.services.logs.reader", false}};
    static const char body[] = "{\"resourceNames\":[\"projects/my-project\"],\"filter\":\"four\"}";
    fill();
    for (size_t i = 0; i < countof(rows); i++) {
        auto_buf buf head = buf_make(4096);
        buf_fmt(&head,
                "POST " LIST " HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer " ALICE_TOKEN
                "\r\nContent-Type: application/json\r\nUser-Agent: google-cloud-sdk gcloud/528.0.0 "
                "command/%s invocation-id/ab\r\n",
                R.host, rows[i].command);
        ck_assert_uint_eq(rig_raw(head.p, SPAN_LIT(body)), 200);
        const json_t *e = json_array_get(json_object_get(R.json, "entries"), 0);
        const char *text = json_string_value(json_object_get(e, "textPayload"));
        ck_assert_str_eq(json_string_value(json_object_get(e, "severity")), "ERROR");
        ck_assert_pstr_eq(text,
                          rows[i].as_text ? "{\"severity\":\"ERROR\",\"message\":\"four\"}" : NULL);
        ck_assert_int_eq(json_object_get(e, "jsonPayload") == NULL, rows[i].as_text);
    }
}
END_TEST

START_TEST(behind_a_request_that_nobody_serves_stands_what_to_do)
{
    static const char *const out[] = {"05 later", NULL};
    request_at("frontend", 2, 503, "a2");
    request_at("frontend", 1, 503, "a1");
    lines("frontend", "stdout", out);
    ck_assert_str_eq(listed(""), "GET 503,advice,GET 503,advice,later");
    ck_assert_str_eq(listed(",\"orderBy\":\"timestamp desc\",\"pageSize\":2"), "later,advice,…");
    auto_buf buf more = buf_make(4096);
    buf_fmt(&more, ",\"orderBy\":\"timestamp desc\",\"pageSize\":2,\"pageToken\":\"%s\"",
            rig_text("nextPageToken"));
    ck_assert_str_eq(listed(more.p), "GET 503,advice,…");
    ck_assert_str_eq(filtered("logName:stderr"), "advice,advice");
    ck_assert_uint_eq(rig_ask("GET", "/v2/projects/my-project/logs", NULL), 200);
    ck_assert_ptr_nonnull(strstr(R.answer.p, "%2Fstderr"));
}
END_TEST

/* ---- bad requests ---- */

static const struct {
    const char *body;
    unsigned code;
    const char *status, *words;
} refusals[] = {
    {"{}", 400, "INVALID_ARGUMENT", "resourceNames"},
    {"{\"resourceNames\":[]}", 400, "INVALID_ARGUMENT", "resourceNames"},
    {"{\"resourceNames\":\"projects/my-project\"}", 400, "INVALID_ARGUMENT", "resourceNames"},
    {"{\"resourceNames\":[7]}", 400, "INVALID_ARGUMENT", "\"\" is not of the form"},
    {"{\"resourceNames\":[\"my-project\"]}", 400, "INVALID_ARGUMENT", "is not of the form"},
    {"{\"resourceNames\":[\"projects/\"]}", 400, "INVALID_ARGUMENT", "is not of the form"},
    {"{\"resourceNames\":[\"projects/elsewhere\"]}", 403, "PERMISSION_DENIED", "elsewhere"},
    {"{\"resourceNames\":[\"projects/my-project\",\"projects/elsewhere\"]}", 403,
     "PERMISSION_DENIED", "elsewhere"},
    {"{\"projectIds\":[\"elsewhere\"]}", 403, "PERMISSION_DENIED", "elsewhere"},
    {"{\"resourceNames\":[\"organizations/1\"]}", 403, "PERMISSION_DENIED", "organizations/1"},
    {"{\"resourceNames\":[\"folders/1\"]}", 403, "PERMISSION_DENIED", "folders/1"},
    {"{\"resourceNames\":[\"projects/my-project/locations/global/buckets/mine/views/x\"]}", 404,
     "NOT_FOUND", "buckets/mine"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"filter\":\"severity=LOUD\"}", 400,
     "INVALID_ARGUMENT", "Unparseable filter: expected DEFAULT, DEBUG"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"filter\":\"a\\nAND b=~c\"}", 400,
     "INVALID_ARGUMENT", "at line 2, column 6"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"filter\":7}", 400, "INVALID_ARGUMENT",
     "'filter': expected a string"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"orderBy\":\"severity\"}", 400,
     "INVALID_ARGUMENT", "orderBy"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"orderBy\":[]}", 400, "INVALID_ARGUMENT",
     "orderBy"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"pageSize\":-1}", 400, "INVALID_ARGUMENT",
     "page_size must not be negative"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"pageSize\":1.5}", 400, "INVALID_ARGUMENT",
     "pageSize"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"pageSize\":\"x\"}", 400, "INVALID_ARGUMENT",
     "pageSize"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"pageToken\":\"x\"}", 400, "INVALID_ARGUMENT",
     "page_token doesn't match"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"pageToken\":7}", 400, "INVALID_ARGUMENT",
     "pageToken"},
    {"{\"resourceNames\":[\"projects/my-project\"],\"pagesize\":7}", 400, "INVALID_ARGUMENT",
     "Unknown name \"pagesize\""},
};

START_TEST(a_bad_request_is_refused)
{
    fill();
    rig_ask("POST", LIST, refusals[_i].body);
    rig_expect_error(refusals[_i].code, refusals[_i].status, refusals[_i].words);
}
END_TEST

START_TEST(what_is_nearly_a_bad_request_is_none)
{
    static const char *const bodies[] = {
        "{\"resourceNames\":[\"projects/123456789012\"]}",
        "{\"resourceNames\":[\"projects/my-project\",\"projects/my-project\"]}",
        "{\"projectIds\":[\"my-project\"]}",
        "{\"resourceNames\":[\"projects/my-project/locations/global/buckets/_Default/views/"
        "_AllLogs\"]}",
        "{\"resourceNames\":[\"projects/my-project\"],\"pageSize\":\"20\",\"filter\":null,"
        "\"pageToken\":\"\",\"orderBy\":\"\"}",
        "{\"resourceNames\":[\"projects/my-project\"],\"pageSize\":0}",
        "{\"resourceNames\":[\"projects/my-project\"],\"pageSize\":100000}",
    };
    fill();
    for (size_t i = 0; i < countof(bodies); i++) {
        ck_assert_uint_eq(rig_ask("POST", LIST, bodies[i]), 200);
        ck_assert_str_eq(shown(), "one,two,GET 200,three," FOUR ",GET 403");
    }
}
END_TEST

START_TEST(a_token_goes_with_its_filter_and_order_only)
{
    static const char *const others[] = {",\"pageSize\":2,\"filter\":\"severity>=INFO\"",
                                         ",\"pageSize\":2,\"orderBy\":\"timestamp desc\""};
    auto_buf buf token = buf_make(1024);
    fill();
    ck_assert_str_eq(listed(",\"pageSize\":2"), "one,two,…");
    buf_str(&token, rig_text("nextPageToken"));
    for (size_t i = 0; i < countof(others); i++) {
        auto_buf buf b = buf_make(4096);
        buf_fmt(&b, "{\"resourceNames\":[\"projects/my-project\"],\"pageToken\":\"%s\"%s}", token.p,
                others[i]);
        rig_ask("POST", LIST, b.p);
        rig_expect_error(400, "INVALID_ARGUMENT", "page_token doesn't match");
    }
}
END_TEST

START_TEST(tokens_are_read_as_they_were_written)
{
    const log_place written = {1800000000123456, "663760330006df7c63521728"};
    const span filter = SPAN_LIT("severity>=INFO");
    auto_buf buf token = buf_make(256);
    log_place read = {0};
    log_page_token(&written, filter, true, &token);
    ck_assert(log_page_from(buf_view(&token), filter, true, &read));
    ck_assert_int_eq(log_place_order(&written, &read), 0);
    ck_assert(!log_page_from(buf_view(&token), filter, false, &read));
    ck_assert(!log_page_from(buf_view(&token), (span){0}, true, &read));
    for (size_t n = 0; n < token.n; n++)
        ck_assert(!log_page_from((span){token.p, n}, filter, true, &read));
    ck_assert(!log_page_from(SPAN_LIT("1-A-0"), filter, true, &read));
    ck_assert(!log_page_from(SPAN_LIT("1--0"), filter, true, &read));
}
END_TEST

START_TEST(nobody_reads_logs_without_an_access_token)
{
    static const char head[] = "POST " LIST " HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Type: application/json\r\n";
    rig_raw(head, SPAN_LIT("{\"resourceNames\":[\"projects/my-project\"]}"));
    rig_expect_error(401, "UNAUTHENTICATED", "missing required authentication");
}
END_TEST

/* ---- taking lines ---- */

static const struct {
    const char *name, *body;
    unsigned code;
    const char *words;
} bad_lines[] = {
    {"nowhere", "{\"stream\":\"stdout\",\"lines\":[]}", 404, "there is no service \"nowhere\""},
    {"frontend", "{", 400, "line 1"},
    {"frontend", "{\"lines\":[]}", 400, "stream is"},
    {"frontend", "{\"stream\":\"stdin\",\"lines\":[]}", 400, "stream is"},
    {"frontend", "{\"stream\":\"stdout\"}", 400, "lines is"},
    {"frontend", "{\"stream\":\"stdout\",\"lines\":{}}", 400, "lines is"},
    {"frontend", "{\"stream\":\"stdout\",\"lines\":[],\"lost\":-1}", 400, "lost is"},
    {"frontend", "{\"stream\":\"stdout\",\"lines\":[],\"lost\":\"1\"}", 400, "lost is"},
    {"frontend",
     "{\"stream\":\"stdout\",\"lines\":[{\"time\":\"2027-01-15T08:00:00Z\",\"text\":\"x\"},"
     "{\"time\":\"now\",\"text\":\"y\"}]}",
     400, "lines[1]"},
    {"frontend", "{\"stream\":\"stdout\",\"lines\":[{\"text\":\"y\"}]}", 400, "lines[0]"},
    {"frontend", "{\"stream\":\"stdout\",\"lines\":[{\"time\":\"2027-01-15T08:00:00Z\"}]}", 400,
     "lines[0]"},
    {"frontend", "{\"stream\":\"stdout\",\"lines\":[\"y\"]}", 400, "lines[0]"},
};

START_TEST(bad_lines_are_refused_and_none_of_them_is_kept)
{
    ck_assert_uint_eq(send_lines(bad_lines[_i].name, bad_lines[_i].body), bad_lines[_i].code);
    ck_assert_msg(strstr(rig_text("error", "message"), bad_lines[_i].words) != NULL, "%s",
                  rig_text("error", "message"));
    ck_assert_str_eq(listed(""), "");
}
END_TEST

START_TEST(lines_need_no_token_but_post_and_json)
{
    static const char path[] =
        " /invoker/v1/services/frontend/logs HTTP/1.1\r\nHost: localhost\r\n";
    static const span body = {"{\"stream\":\"stdout\",\"lines\":[]}", 30};
    auto_buf buf head = buf_make(1024);
    buf_fmt(&head, "POST%sContent-Type: application/json\r\n", path);
    ck_assert_uint_eq(rig_raw(head.p, body), 200);
    buf_clear(&head);
    buf_fmt(&head, "POST%sContent-Type: text/plain\r\n", path);
    ck_assert_uint_eq(rig_raw(head.p, body), 415);
    buf_clear(&head);
    buf_fmt(&head, "GET%s", path);
    ck_assert_uint_eq(rig_raw(head.p, (span){0}), 405);
    ck_assert_ptr_nonnull(strstr(R.answer.p, "Allow: POST"));
}
END_TEST

START_TEST(a_loss_stands_in_front_of_what_follows_it)
{
    ck_assert_uint_eq(send_lines("frontend",
                                 "{\"stream\":\"stderr\",\"lost\":12,\"lines\":["
                                 "{\"time\":\"2027-01-15T08:00:01Z\",\"text\":\"x\"},"
                                 "{\"time\":\"2027-01-15T08:00:01Z\",\"text\":\"y\"}]}"),
                      200);
    ck_assert_str_eq(listed(""),
                     "invoker: 12 lines before this are lost: the gateway did not take them,x,y");
    ck_assert_str_eq(filtered("severity>=WARNING"),
                     "invoker: 12 lines before this are lost: the gateway did not take them");
}
END_TEST

START_TEST(foreign_bytes_in_lines_are_kept)
{
    ck_assert_uint_eq(
        send_lines("frontend",
                   "{\"stream\":\"stdout\",\"lines\":[{\"time\":\"2027-01-15T08:00:01Z\",\"text\":"
                   "\"a\\u0000b\\u001b[0m\\ud83d\\ude00\"}]}"),
        200);
    (void)listed("");
    const json_t *e = json_array_get(json_object_get(R.json, "entries"), 0);
    ck_assert_ptr_null(e); /* this test's own parser refuses NUL */
    ck_assert_ptr_nonnull(strstr(R.answer.p, "a\\u0000b\\u001B[0m\xF0\x9F\x98\x80"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("logging_api");
    TCase *t = tcase_create("logging_api");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, nothing_is_an_empty_object);
    tcase_add_test(t, requests_and_lines_come_in_the_order_of_their_times);
    tcase_add_test(t, the_filter_of_gcloud_finds_the_lines_of_a_service);
    tcase_add_test(t, filters_choose);
    tcase_add_loop_test(t, pages_follow_each_other_whatever_comes_in_between, 0, 2);
    tcase_add_test(t, a_page_goes_on_where_it_ended_though_new_lines_came);
    tcase_add_test(t, lines_of_one_time_keep_their_order);
    tcase_add_test(t, a_request_that_looks_at_too_much_answers_in_parts);
    tcase_add_test(t, the_logs_that_have_entries_are_named);
    tcase_add_test(t, gcloud_run_services_logs_read_is_given_each_line_as_it_was_written);
    tcase_add_test(t, behind_a_request_that_nobody_serves_stands_what_to_do);
    tcase_add_loop_test(t, a_bad_request_is_refused, 0, (int)countof(refusals));
    tcase_add_test(t, what_is_nearly_a_bad_request_is_none);
    tcase_add_test(t, a_token_goes_with_its_filter_and_order_only);
    tcase_add_test(t, tokens_are_read_as_they_were_written);
    tcase_add_test(t, nobody_reads_logs_without_an_access_token);
    tcase_add_loop_test(t, bad_lines_are_refused_and_none_of_them_is_kept, 0,
                        (int)countof(bad_lines));
    tcase_add_test(t, lines_need_no_token_but_post_and_json);
    tcase_add_test(t, a_loss_stands_in_front_of_what_follows_it);
    tcase_add_test(t, foreign_bytes_in_lines_are_kept);
    suite_add_tcase(s, t);
    return check_main(s);
}
