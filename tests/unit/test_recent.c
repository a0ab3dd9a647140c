/* The ring of recent decisions. */
#include "recent_fixture.h"

static void collect(size_t limit, bool refused, const char *name)
{
    recent_query q = {.limit = limit, .refused = refused};
    snprintf(q.service, sizeof q.service, "%s", name);
    recent_collect(ring, &q, &items, &count);
}

static json_t *told(size_t i)
{
    auto_buf buf b = buf_make(1 << 20);
    recent_decision(items[i].request, &b);
    json_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(j);
    return j;
}

static json_t *entry_of(const record *r)
{
    recent_add(ring, r);
    collect(1, false, "");
    return recent_log_entry(items[count - 1].request, snapshot_project(record_snap));
}

static const char *text_at(const json_t *j, const char *outer, const char *key)
{
    const json_t *in = outer ? json_object_get(j, outer) : j;
    const char *s = json_string_value(json_object_get(in, key));
    return s ? s : "(none)";
}

START_TEST(an_item_tells_the_decision)
{
    record r = record_refusal();
    recent_add(ring, &r);
    collect(10, false, "");
    ck_assert_uint_eq(count, 1);
    json_auto_t *j = told(0);
    ck_assert_str_eq(text_at(j, NULL, "service"), "backend-api");
    ck_assert_str_eq(text_at(j, NULL, "path"), "/a");
    ck_assert_str_eq(text_at(j, NULL, "reason"), "no_grant");
    ck_assert_str_eq(text_at(j, NULL, "caller"), "x@y.example");
    ck_assert_str_eq(text_at(j, NULL, "explanation"), "because");
    ck_assert_str_eq(text_at(j, NULL, "fix"), "gcloud run");
    ck_assert_str_eq(text_at(j, NULL, "timestamp"), "2027-01-15T08:00:00.123456Z");
    ck_assert_int_eq(json_integer_value(json_object_get(j, "status")), 403);
    ck_assert(json_is_false(json_object_get(j, "allowed")));
}
END_TEST

START_TEST(an_item_of_a_refusal_is_a_log_entry_that_says_why)
{
    record r = record_refusal();
    json_auto_t *j = entry_of(&r);
    ck_assert_str_eq(text_at(j, NULL, "insertId"), RECORD_INSERT_ID);
    char id[INSERT_ID_LEN + 1];
    recent_insert_id(items[0].request, id);
    ck_assert_str_eq(id, RECORD_INSERT_ID);
    ck_assert_str_eq(text_at(j, NULL, "logName"),
                     "projects/my-project/logs/run.googleapis.com%2Frequests");
    ck_assert_str_eq(text_at(j, NULL, "timestamp"), "2027-01-15T08:00:00.123456Z");
    ck_assert_str_eq(text_at(j, NULL, "receiveTimestamp"), "2027-01-15T08:00:00.123456000Z");
    ck_assert_str_eq(text_at(j, NULL, "severity"), "WARNING");
    ck_assert_str_eq(text_at(j, NULL, "trace"),
                     "projects/my-project/traces/105445aa7843bc8bf206b12000100000");
    ck_assert_str_eq(text_at(j, NULL, "spanId"), "000000000000001f");
    ck_assert_str_eq(text_at(j, NULL, "textPayload"), "not authorized");
    ck_assert_str_eq(text_at(j, "labels", "instanceId"), "(none)");
    ck_assert_str_eq(text_at(j, "labels", "invoker/reason"), "no_grant");
    ck_assert_str_eq(text_at(j, "labels", "invoker/caller"), "x@y.example");
    ck_assert_str_eq(text_at(j, "labels", "invoker/explanation"), "because");
    ck_assert_str_eq(text_at(j, "labels", "invoker/fix"), "gcloud run");
    ck_assert_str_eq(text_at(j, "httpRequest", "requestMethod"), "GET");
    ck_assert_str_eq(text_at(j, "httpRequest", "requestUrl"), "http://h:1/a?b");
    ck_assert_str_eq(text_at(j, "httpRequest", "requestSize"), "10");
    ck_assert_str_eq(text_at(j, "httpRequest", "latency"), "0s");
    const json_t *http = json_object_get(j, "httpRequest");
    ck_assert_int_eq(json_integer_value(json_object_get(http, "status")), 403);
    const json_t *of = json_object_get(j, "resource");
    ck_assert_str_eq(text_at(of, NULL, "type"), "cloud_run_revision");
    ck_assert_str_eq(text_at(of, "labels", "service_name"), "backend-api");
    ck_assert_str_eq(text_at(of, "labels", "revision_name"), r.service->revision);
    ck_assert_str_eq(text_at(of, "labels", "location"), "us-central1");
}
END_TEST

START_TEST(an_item_of_a_passed_request_is_a_log_entry_that_says_by_what)
{
    record r = record_passed();
    r.https = true;
    r.user_agent = SPAN_LIT("agent\xff\"");
    json_auto_t *j = entry_of(&r);
    ck_assert_str_eq(text_at(j, NULL, "severity"), "INFO");
    ck_assert_str_eq(text_at(j, NULL, "textPayload"), "(none)");
    ck_assert_uint_eq(strlen(text_at(j, "labels", "instanceId")), INSTANCE_ID_LEN);
    ck_assert_str_eq(text_at(j, "labels", "invoker/granted_at"), "t.yaml:7");
    ck_assert_str_eq(text_at(j, "labels", "invoker/explanation"), "(none)");
    ck_assert_str_eq(text_at(j, "httpRequest", "requestUrl"), "https://h:1/a?b");
    ck_assert_str_eq(text_at(j, "httpRequest", "latency"), "1.234567000s");
    ck_assert_str_eq(text_at(j, "httpRequest", "userAgent"), "agent\xEF\xBF\xBD\"");
}
END_TEST

START_TEST(what_audit_mode_let_pass_is_no_refusal_that_was_enforced)
{
    record r = record_audited();
    json_auto_t *e = entry_of(&r);
    ck_assert_str_eq(text_at(e, NULL, "severity"), "WARNING");
    ck_assert_str_eq(text_at(e, "labels", "invoker/enforced"), "false");
    ck_assert_str_eq(text_at(e, "labels", "invoker/reason"), "no_grant");
    ck_assert_str_eq(text_at(e, "httpRequest", "latency"), "1.234567000s");
    json_auto_t *j = told(0);
    ck_assert(json_is_false(json_object_get(j, "allowed")));
    ck_assert(json_is_false(json_object_get(j, "enforced")));
    ck_assert_int_eq(json_integer_value(json_object_get(j, "status")), 200);
    collect(10, true, "");
    ck_assert_uint_eq(count, 2);
    r = record_refusal();
    json_auto_t *refused = entry_of(&r);
    ck_assert_str_eq(text_at(refused, "labels", "invoker/enforced"), "(none)");
    json_auto_t *k = told(2);
    ck_assert(json_is_true(json_object_get(k, "enforced")));
}
END_TEST

START_TEST(a_request_that_nobody_serves_has_an_entry_more)
{
    record r = record_passed();
    r.unserved = true;
    r.outcome.status = 503;
    r.explanation = SPAN_LIT("No upstream.");
    r.local_fix = SPAN_LIT("invoker run backend-api -- COMMAND");
    recent_add(ring, &r);
    collect(1, false, "");
    ck_assert(recent_is_unserved(items[0].request));
    json_auto_t *j = recent_advice_entry(items[0].request, snapshot_project(record_snap));
    ck_assert_str_eq(text_at(j, NULL, "logName"),
                     "projects/my-project/logs/run.googleapis.com%2Fstderr");
    ck_assert_str_eq(text_at(j, NULL, "severity"), "ERROR");
    ck_assert_str_eq(text_at(j, NULL, "timestamp"), "2027-01-15T08:00:00.123456Z");
    ck_assert_str_eq(text_at(j, NULL, "trace"),
                     "projects/my-project/traces/105445aa7843bc8bf206b12000100000");
    ck_assert_str_eq(text_at(j, NULL, "textPayload"),
                     "invoker: No upstream. Here: invoker run backend-api -- COMMAND");
    ck_assert_ptr_null(json_object_get(j, "httpRequest"));
    r = record_passed();
    recent_add(ring, &r);
    collect(1, false, "");
    ck_assert(!recent_is_unserved(items[1].request));
}
END_TEST

START_TEST(texts_that_are_too_long_are_cut)
{
    static char huge[5000];
    memset(huge, 'x', sizeof huge);
    span h = {huge, sizeof huge};
    record r = record_refusal();
    r.target = r.caller = r.explanation = r.fix = r.local_fix = r.method = r.host = h;
    r.user_agent = r.referer = h;
    json_auto_t *entry = entry_of(&r);
    json_auto_t *j = told(0);
    ck_assert_uint_eq(json_string_length(json_object_get(j, "path")), 256);
    ck_assert_uint_eq(strlen(text_at(entry, "httpRequest", "requestUrl")), 7 + 256 + 512);
    auto_free char *all = json_dumps(entry, 0);
    ck_assert_uint_lt(strlen(all), 5000);
}
END_TEST

START_TEST(what_production_does_not_log_is_no_log_entry)
{
    record r = record_refusal();
    recent_add(ring, &r);
    r.unlogged = true;
    recent_add(ring, &r);
    r.unlogged = false;
    r.service = NULL;
    recent_add(ring, &r);
    recent_query q = {.limit = 10, .logged = true};
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 1);
    q.logged = false;
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 1 + 3);
}
END_TEST

START_TEST(a_query_may_have_bounds_in_time)
{
    for (int i = 0; i < 10; i++) {
        record r = record_passed();
        r.wall_us = NOW_US + i;
        recent_add(ring, &r);
    }
    recent_query q = {.limit = 10, .from_us = NOW_US + 3, .till_us = NOW_US + 5};
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(items[0].wall_us, NOW_US + 5);
    ck_assert_int_eq(items[2].wall_us, NOW_US + 3);
}
END_TEST

START_TEST(the_newest_come_first_and_the_oldest_are_lost)
{
    for (int i = 0; i < RECENT_ENTRIES + 10; i++) {
        record r = record_passed();
        r.wall_us = NOW_US + i;
        recent_add(ring, &r);
    }
    collect(100000, false, "");
    ck_assert_uint_eq(count, RECENT_ENTRIES);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(items[i].wall_us, NOW_US + RECENT_ENTRIES + 9 - (int64_t)i);
}
END_TEST

START_TEST(a_query_narrows_down)
{
    record refused = record_refusal();
    record passed = record_passed();
    recent_add(ring, &refused);
    recent_add(ring, &passed);
    passed.service = NULL;
    recent_add(ring, &passed);
    collect(10, true, "");
    ck_assert_uint_eq(count, 1);
    collect(10, false, "backend-api");
    ck_assert_uint_eq(count, 3);
    collect(10, true, "frontend");
    ck_assert_uint_eq(count, 3);
    collect(2, false, "");
    ck_assert_uint_eq(count, 5);
}
END_TEST

START_TEST(answers_of_several_workers_are_sorted_by_time)
{
    recent_item all[] = {{.wall_us = 1}, {.wall_us = 3}, {.wall_us = 2}};
    recent_sort(all, countof(all));
    ck_assert_int_eq(all[0].wall_us, 3);
    ck_assert_int_eq(all[2].wall_us, 1);
    recent_sort(NULL, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recent");
    TCase *t = tcase_create("recent");
    tcase_add_checked_fixture(t, ring_setup, ring_teardown);
    tcase_add_test(t, an_item_tells_the_decision);
    tcase_add_test(t, an_item_of_a_refusal_is_a_log_entry_that_says_why);
    tcase_add_test(t, an_item_of_a_passed_request_is_a_log_entry_that_says_by_what);
    tcase_add_test(t, what_production_does_not_log_is_no_log_entry);
    tcase_add_test(t, a_query_may_have_bounds_in_time);
    tcase_add_test(t, what_audit_mode_let_pass_is_no_refusal_that_was_enforced);
    tcase_add_test(t, a_request_that_nobody_serves_has_an_entry_more);
    tcase_add_test(t, texts_that_are_too_long_are_cut);
    tcase_add_test(t, the_newest_come_first_and_the_oldest_are_lost);
    tcase_add_test(t, a_query_narrows_down);
    tcase_add_test(t, answers_of_several_workers_are_sorted_by_time);
    suite_add_tcase(s, t);
    return check_main(s);
}
