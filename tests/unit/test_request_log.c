/* One record as Cloud Logging's entry and as a line for people. */
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include "gateway/request_log.h"
#include "record_fixture.h"

static log_state state;

static json_t *entry(const record *r)
{
    auto_buf buf b = buf_make(1 << 20);
    request_log_json(&b, r, &state);
    ck_assert(buf_ok(&b));
    json_error_t e;
    json_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, &e);
    ck_assert_msg(j != NULL, "%s in %s", e.text, b.p);
    return j;
}

static const char *text_at(const json_t *j, const char *outer, const char *key)
{
    const json_t *in = outer ? json_object_get(j, outer) : j;
    const char *s = json_string_value(json_object_get(in, key));
    return s ? s : "(none)";
}

START_TEST(an_entry_tells_a_refusal_as_production_does)
{
    record r = record_refusal();
    json_auto_t *j = entry(&r);
    ck_assert_str_eq(text_at(j, NULL, "insertId"), RECORD_INSERT_ID);
    ck_assert_str_eq(text_at(j, NULL, "severity"), "WARNING");
    ck_assert_str_eq(text_at(j, NULL, "timestamp"), "2027-01-15T08:00:00.123456Z");
    ck_assert_str_eq(text_at(j, NULL, "receiveTimestamp"), "2027-01-15T08:00:00.123456000Z");
    ck_assert_str_eq(text_at(j, NULL, "logName"),
                     "projects/my-project/logs/run.googleapis.com%2Frequests");
    ck_assert_str_eq(text_at(j, NULL, "trace"),
                     "projects/my-project/traces/105445aa7843bc8bf206b12000100000");
    ck_assert_str_eq(text_at(j, NULL, "spanId"), "000000000000001f");
    ck_assert_str_eq(text_at(j, NULL, "textPayload"), "not authorized");
    ck_assert_str_eq(text_at(j, "httpRequest", "latency"), "0s");
    ck_assert_str_eq(text_at(j, "httpRequest", "requestUrl"), "http://h:1/a?b");
    ck_assert_str_eq(text_at(j, "httpRequest", "requestSize"), "10");
    ck_assert_str_eq(text_at(j, "httpRequest", "responseSize"), "20");
    ck_assert_str_eq(text_at(j, "httpRequest", "userAgent"), "(none)");
    ck_assert_str_eq(text_at(j, "invoker", "reason"), "no_grant");
    ck_assert_str_eq(text_at(j, "invoker", "explanation"), "because");
    ck_assert_str_eq(text_at(j, "invoker", "fix"), "gcloud run");
    ck_assert_ptr_null(json_object_get(j, "labels"));
}
END_TEST

START_TEST(an_entry_tells_what_passed)
{
    record r = record_passed();
    r.https = true;
    json_auto_t *j = entry(&r);
    ck_assert_str_eq(text_at(j, NULL, "severity"), "INFO");
    ck_assert_str_eq(text_at(j, "httpRequest", "latency"), "1.234567000s");
    ck_assert_str_eq(text_at(j, "httpRequest", "requestUrl"), "https://h:1/a?b");
    ck_assert_str_eq(text_at(j, NULL, "receiveTimestamp"), "2027-01-15T08:00:01.358023000Z");
    ck_assert_uint_eq(strlen(text_at(j, "labels", "instanceId")), INSTANCE_ID_LEN);
    ck_assert_ptr_null(json_object_get(j, "textPayload"));
    ck_assert_str_eq(text_at(j, "invoker", "granted_at"), "t.yaml");
}
END_TEST

START_TEST(an_entry_tells_what_audit_mode_let_pass)
{
    record r = record_audited();
    json_auto_t *j = entry(&r);
    ck_assert_str_eq(text_at(j, NULL, "severity"), "WARNING");
    ck_assert_str_eq(text_at(j, "httpRequest", "latency"), "1.234567000s");
    ck_assert_uint_eq(strlen(text_at(j, "labels", "instanceId")), INSTANCE_ID_LEN);
    ck_assert_str_eq(text_at(j, "labels", "invoker/enforced"), "false");
    const json_t *more = json_object_get(j, "invoker");
    ck_assert(json_is_false(json_object_get(more, "enforced")));
    ck_assert_int_eq(json_integer_value(json_object_get(more, "would_be")), 403);
    ck_assert_str_eq(text_at(j, "invoker", "reason"), "no_grant");
    r.outcome.status = 500;
    json_auto_t *failed = entry(&r);
    ck_assert_str_eq(text_at(failed, NULL, "severity"), "ERROR");
    r.outcome.status = 503;
    r.outcome.forwarded = false;
    json_auto_t *unserved = entry(&r);
    ck_assert_uint_eq(json_object_size(json_object_get(unserved, "labels")), 1);
}
END_TEST

START_TEST(the_second_is_formatted_anew_when_it_changes)
{
    for (int64_t s = 0; s < 3; s++) {
        record r = record_refusal();
        r.wall_us = (NOW_S + s / 2) * SECOND;
        json_auto_t *j = entry(&r);
        ck_assert_str_eq(text_at(j, NULL, "timestamp"),
                         s < 2 ? "2027-01-15T08:00:00.000000Z" : "2027-01-15T08:00:01.000000Z");
    }
}
END_TEST

START_TEST(foreign_bytes_stay_inside_their_strings)
{
    static char huge[20000];
    memset(huge, 'a', sizeof huge);
    record r = record_refusal();
    r.target = (span){huge, sizeof huge};
    r.user_agent = SPAN_LIT("\"}\n\x1b[31m\xff");
    r.referer = (span){huge, sizeof huge};
    json_auto_t *j = entry(&r);
    ck_assert_str_eq(text_at(j, "httpRequest", "userAgent"), "\"}\n\x1b[31m\xEF\xBF\xBD");
    ck_assert_uint_lt(strlen(text_at(j, "httpRequest", "requestUrl")), 10000);
    auto_buf buf b = buf_make(1 << 20);
    r.explanation = SPAN_LIT("two\nlines");
    request_log_text(&b, &r);
    ck_assert_ptr_null(strchr(b.p, '\n'));
    ck_assert_ptr_null(strchr(b.p, '\x1b'));
}
END_TEST

START_TEST(the_text_form_has_cause_and_cure)
{
    record r = record_refusal();
    auto_buf buf b = buf_make(1 << 16);
    request_log_text(&b, &r);
    ck_assert_str_eq(b.p, "08:00:00.123 gateway  warning backend-api GET /a?b 403 no_grant "
                          "x@y.example: because | fix: gcloud run");
    buf_clear(&b);
    r = record_passed();
    request_log_text(&b, &r);
    ck_assert_str_eq(b.p, "08:00:00.123 gateway  info    backend-api GET /a?b 200 1234.567ms "
                          "granted x@y.example");
    buf_clear(&b);
    r = record_audited();
    request_log_text(&b, &r);
    ck_assert_str_eq(b.p, "08:00:00.123 gateway  warning backend-api GET /a?b 200 1234.567ms "
                          "audit: would be refused 403 no_grant x@y.example: because | fix: "
                          "gcloud run");
}
END_TEST

static size_t lines_in(int fd)
{
    static char text[1 << 20];
    ssize_t n = pread(fd, text, sizeof text, 0);
    size_t lines = 0;
    for (ssize_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return lines;
}

START_TEST(lines_are_written_together_and_none_is_lost)
{
    char path[] = "/tmp/invoker-log-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    log_open("gateway", LOG_JSON, fd);
    request_log *g = request_log_open(record_loop, REQUEST_LOG_REFUSED);
    record refused = record_refusal();
    record passed = record_passed();
    for (int i = 0; i < 5; i++) {
        request_log_add(g, &refused);
        request_log_add(g, &passed);
    }
    ck_assert_uint_eq(lines_in(fd), 0);
    request_log_close(g);
    ck_assert_uint_eq(lines_in(fd), 5);
    (void)unlink(path);
    (void)close(fd);
}
END_TEST

START_TEST(many_lines_are_written_before_the_turn_ends)
{
    char path[] = "/tmp/invoker-log-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    log_open("gateway", LOG_JSON, fd);
    request_log *g = request_log_open(record_loop, REQUEST_LOG_ALL);
    record r = record_passed();
    for (int i = 0; i < 400; i++)
        request_log_add(g, &r);
    ck_assert_uint_gt(lines_in(fd), 300);
    request_log_close(g);
    ck_assert_uint_eq(lines_in(fd), 400);
    (void)unlink(path);
    (void)close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("request_log");
    TCase *t = tcase_create("request_log");
    tcase_add_checked_fixture(t, record_setup, record_teardown);
    tcase_add_test(t, an_entry_tells_a_refusal_as_production_does);
    tcase_add_test(t, an_entry_tells_what_passed);
    tcase_add_test(t, an_entry_tells_what_audit_mode_let_pass);
    tcase_add_test(t, the_second_is_formatted_anew_when_it_changes);
    tcase_add_test(t, foreign_bytes_stay_inside_their_strings);
    tcase_add_test(t, the_text_form_has_cause_and_cure);
    tcase_add_test(t, lines_are_written_together_and_none_is_lost);
    tcase_add_test(t, many_lines_are_written_before_the_turn_ends);
    suite_add_tcase(s, t);
    return check_main(s);
}
