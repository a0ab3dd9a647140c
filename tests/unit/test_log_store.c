/* Containers' lines: kept within bounds, told as log entries. */
#include "base/buf.h"
#include "check_main.h"
#include "control/log_store.h"
#include "policy_fixture.h"

static log_store *store;
static snapshot *snap;
static buf seen; /* the texts that were come by, each with a blank behind it */
static json_t *entry;

static void setup(void)
{
    store = log_store_new();
    snap = fixture_tutorial();
    seen = buf_make(16 << 20);
    entry = NULL;
}

static void teardown(void)
{
    log_store_free(store);
    snapshot_unref(snap);
    buf_free(&seen);
    json_decref(entry);
}

static void add(const char *name, const char *text)
{
    log_store_add(store, &(container_line){.time_us = NOW_US,
                                           .received_us = NOW_US + 1,
                                           .service = span_of(name),
                                           .revision = SPAN_LIT("r-1"),
                                           .text = span_of(text)});
}

static void on_line(void *ctx, const container_line *line)
{
    (void)ctx;
    buf_span(&seen, line->text);
    buf_char(&seen, ' ');
    json_decref(entry);
    entry = log_store_entry(store, line, snapshot_project(snap));
}

static const char *all_of(const char *name)
{
    buf_clear(&seen);
    buf_str(&seen, "");
    log_store_each(store, span_of(name), on_line, NULL);
    return seen.n ? seen.p : "";
}

static const char *text_at(const char *outer, const char *key)
{
    const json_t *in = outer ? json_object_get(entry, outer) : entry;
    const char *s = json_string_value(json_object_get(in, key));
    return s ? s : "(none)";
}

START_TEST(lines_are_kept_by_service_in_order)
{
    ck_assert_str_eq(all_of(""), "");
    add("a", "a1");
    add("b", "b1");
    add("a", "a2");
    ck_assert_str_eq(all_of("a"), "a1 a2 ");
    ck_assert_str_eq(all_of("A"), "a1 a2 ");
    ck_assert_str_eq(all_of("b"), "b1 ");
    ck_assert_str_eq(all_of(""), "a1 a2 b1 ");
    ck_assert_str_eq(all_of("c"), "");
}
END_TEST

START_TEST(a_chatty_service_pushes_out_its_own_lines_only)
{
    char text[32];
    add("quiet", "q");
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "%d", i);
        add("chatty", text);
    }
    ck_assert_str_eq(all_of("quiet"), "q ");
    const char *rest = all_of("chatty");
    ck_assert_ptr_null(strstr(rest, " 1000 "));
    ck_assert_ptr_nonnull(strstr(rest, " 4000 "));
    ck_assert_ptr_nonnull(strstr(rest, " 4999 "));
}
END_TEST

START_TEST(of_too_many_services_the_one_that_was_silent_longest_gives_way)
{
    char name[32];
    for (int i = 0; i < STORE_SERVICES_MAX; i++) {
        snprintf(name, sizeof name, "s%d", i);
        add(name, "x");
    }
    add("s0", "again");
    add("one-more", "y");
    ck_assert_str_eq(all_of("s0"), "x again ");
    ck_assert_str_eq(all_of("s1"), "");
    ck_assert_str_eq(all_of("s2"), "x ");
    ck_assert_str_eq(all_of("one-more"), "y ");
}
END_TEST

START_TEST(a_line_that_is_too_long_is_cut_between_characters)
{
    static char text[LINE_BYTES_MAX + 10];
    memset(text, 'x', sizeof text - 1);
    memcpy(text + LINE_BYTES_MAX - 1, "\xc3\xa4", 2);
    add("a", text);
    (void)all_of("a");
    ck_assert_uint_eq(strlen(text_at(NULL, "textPayload")), LINE_BYTES_MAX - 1);
}
END_TEST

START_TEST(an_entry_is_one_of_stdout_or_stderr)
{
    add("backend-api", "listening");
    (void)all_of("backend-api");
    ck_assert_str_eq(text_at(NULL, "logName"),
                     "projects/my-project/logs/run.googleapis.com%2Fstdout");
    ck_assert_str_eq(text_at(NULL, "textPayload"), "listening");
    ck_assert_str_eq(text_at(NULL, "timestamp"), "2027-01-15T08:00:00.000000Z");
    ck_assert_str_eq(text_at(NULL, "receiveTimestamp"), "2027-01-15T08:00:00.000001000Z");
    ck_assert_str_eq(text_at(NULL, "severity"), "(none)");
    ck_assert_uint_eq(strlen(text_at(NULL, "insertId")), LINE_ID_LEN);
    ck_assert_str_eq(text_at("resource", "type"), "cloud_run_revision");
    const json_t *labels = json_object_get(json_object_get(entry, "resource"), "labels");
    ck_assert_str_eq(json_string_value(json_object_get(labels, "service_name")), "backend-api");
    ck_assert_str_eq(json_string_value(json_object_get(labels, "revision_name")), "r-1");
    ck_assert_str_eq(json_string_value(json_object_get(labels, "location")), "us-central1");
    log_store_add(store, &(container_line){.stream = STREAM_STDERR,
                                           .service = SPAN_LIT("backend-api"),
                                           .text = SPAN_LIT("oops")});
    (void)all_of("backend-api");
    ck_assert_str_eq(text_at(NULL, "logName"),
                     "projects/my-project/logs/run.googleapis.com%2Fstderr");
}
END_TEST

START_TEST(ids_follow_the_order_of_the_lines)
{
    char before[LINE_ID_LEN + 1] = "";
    for (int i = 0; i < 40; i++) {
        add("a", "x");
        (void)all_of("a");
        ck_assert_int_gt(strcmp(text_at(NULL, "insertId"), before), 0);
        snprintf(before, sizeof before, "%s", text_at(NULL, "insertId"));
    }
}
END_TEST

START_TEST(a_line_that_is_a_json_object_is_structured)
{
    static const char line[] = "{\"severity\":\"error\",\"message\":\"no luck\",\"n\":1,"
                               "\"logging.googleapis.com/trace\":\"projects/p/traces/t\","
                               "\"logging.googleapis.com/spanId\":\"000000000000004a\","
                               "\"logging.googleapis.com/labels\":{\"a\":\"b\"}}";
    add("a", line);
    (void)all_of("a");
    ck_assert_str_eq(text_at(NULL, "severity"), "ERROR");
    ck_assert_str_eq(text_at(NULL, "trace"), "projects/p/traces/t");
    ck_assert_str_eq(text_at(NULL, "spanId"), "000000000000004a");
    ck_assert_str_eq(text_at("labels", "a"), "b");
    ck_assert_str_eq(text_at("jsonPayload", "message"), "no luck");
    ck_assert_uint_eq(json_object_size(json_object_get(entry, "jsonPayload")), 2);
    ck_assert_ptr_null(json_object_get(entry, "textPayload"));
    log_entry_text_only(entry, &(container_line){.text = SPAN_LIT(line)});
    ck_assert_ptr_null(json_object_get(entry, "jsonPayload"));
    ck_assert_str_eq(text_at(NULL, "textPayload"), line);
}
END_TEST

START_TEST(operations_and_places_in_the_source_are_fields_of_the_entry)
{
    add("a", "{\"message\":\"m\",\"logging.googleapis.com/trace_sampled\":true,"
             "\"logging.googleapis.com/sourceLocation\":{\"file\":\"a.js\",\"line\":7},"
             "\"logging.googleapis.com/operation\":{\"id\":\"o\",\"first\":true}}");
    (void)all_of("a");
    ck_assert(json_is_true(json_object_get(entry, "traceSampled")));
    ck_assert_str_eq(text_at("sourceLocation", "file"), "a.js");
    ck_assert_str_eq(text_at("sourceLocation", "line"), "7"); /* as protobuf's JSON has it */
    ck_assert_str_eq(text_at("operation", "id"), "o");
    ck_assert_uint_eq(json_object_size(json_object_get(entry, "jsonPayload")), 1);
}
END_TEST

START_TEST(what_is_no_such_thing_stays_text_or_payload)
{
    static const char *const lines[] = {"{",
                                        "{}x",
                                        "[1]",
                                        "{\"severity\":7}",
                                        "{\"severity\":\"LOUD\"}",
                                        "{\"logging.googleapis.com/labels\":{\"a\":1}}",
                                        "{\"logging.googleapis.com/trace_sampled\":1}",
                                        "{\"logging.googleapis.com/operation\":{\"id\":1}}",
                                        "{\"logging.googleapis.com/operation\":{\"x\":\"\"}}",
                                        "{\"logging.googleapis.com/sourceLocation\":7}",
                                        "{\"logging.googleapis.com/trace\":7}",
                                        "{}"};
    for (size_t i = 0; i < countof(lines); i++) {
        add("a", lines[i]);
        (void)all_of("a");
        ck_assert_str_eq(text_at(NULL, "severity"), "(none)");
        static const char *const fields[] = {"labels", "operation", "sourceLocation",
                                             "trace",  "spanId",    "traceSampled"};
        for (size_t k = 0; k < countof(fields); k++)
            ck_assert_ptr_null(json_object_get(entry, fields[k]));
        json_auto_t *same = json_loads(lines[i], 0, NULL);
        if (i >= 3)
            ck_assert(json_equal(json_object_get(entry, "jsonPayload"), same));
        ck_assert_str_eq(text_at(NULL, "textPayload"), i >= 3 ? "(none)" : lines[i]);
    }
}
END_TEST

START_TEST(a_loss_is_told_as_a_warning)
{
    log_store_add(store, &(container_line){.about_loss = true,
                                           .service = SPAN_LIT("a"),
                                           .text = SPAN_LIT("{\"severity\":\"INFO\"}")});
    (void)all_of("a");
    ck_assert_str_eq(text_at(NULL, "severity"), "WARNING");
    ck_assert_ptr_null(json_object_get(entry, "jsonPayload"));
    log_store_free(NULL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log_store");
    TCase *t = tcase_create("log_store");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, lines_are_kept_by_service_in_order);
    tcase_add_test(t, a_chatty_service_pushes_out_its_own_lines_only);
    tcase_add_test(t, of_too_many_services_the_one_that_was_silent_longest_gives_way);
    tcase_add_test(t, a_line_that_is_too_long_is_cut_between_characters);
    tcase_add_test(t, an_entry_is_one_of_stdout_or_stderr);
    tcase_add_test(t, ids_follow_the_order_of_the_lines);
    tcase_add_test(t, a_line_that_is_a_json_object_is_structured);
    tcase_add_test(t, operations_and_places_in_the_source_are_fields_of_the_entry);
    tcase_add_test(t, what_is_no_such_thing_stays_text_or_payload);
    tcase_add_test(t, a_loss_is_told_as_a_warning);
    suite_add_tcase(s, t);
    return check_main(s);
}
