/* The ring of recent decisions. */
#include <jansson.h>

#include "gateway/recent.h"
#include "record_fixture.h"

static recent *ring;
static recent_item *items;
static size_t count;

static void setup(void)
{
    record_setup();
    ring = recent_new();
    items = NULL;
    count = 0;
}

static void teardown(void)
{
    for (size_t i = 0; i < count; i++)
        free(items[i].json);
    free(items);
    recent_free(ring);
    record_teardown();
}

static void collect(size_t limit, bool refused, const char *name)
{
    recent_query q = {.limit = limit, .refused = refused};
    snprintf(q.service, sizeof q.service, "%s", name);
    recent_collect(ring, &q, &items, &count);
}

START_TEST(an_item_tells_the_decision)
{
    record r = record_refusal();
    recent_add(ring, &r);
    collect(10, false, "");
    ck_assert_uint_eq(count, 1);
    json_auto_t *j = json_loads(items[0].json, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(j);
    ck_assert_str_eq(json_string_value(json_object_get(j, "service")), "backend-api");
    ck_assert_str_eq(json_string_value(json_object_get(j, "path")), "/a");
    ck_assert_str_eq(json_string_value(json_object_get(j, "reason")), "no_grant");
    ck_assert_str_eq(json_string_value(json_object_get(j, "caller")), "x@y.example");
    ck_assert_str_eq(json_string_value(json_object_get(j, "explanation")), "because");
    ck_assert_str_eq(json_string_value(json_object_get(j, "fix")), "gcloud run");
    ck_assert_str_eq(json_string_value(json_object_get(j, "timestamp")),
                     "2027-01-15T08:00:00.123456Z");
    ck_assert_int_eq(json_integer_value(json_object_get(j, "status")), 403);
    ck_assert(json_is_false(json_object_get(j, "allowed")));
}
END_TEST

START_TEST(texts_that_are_too_long_are_cut)
{
    static char huge[5000];
    memset(huge, 'x', sizeof huge);
    span h = {huge, sizeof huge};
    record r = record_refusal();
    r.target = r.caller = r.explanation = r.fix = r.local_fix = r.method = h;
    recent_add(ring, &r);
    collect(10, false, "");
    ck_assert_uint_lt(strlen(items[0].json), 2500);
    json_auto_t *j = json_loads(items[0].json, 0, NULL);
    ck_assert_ptr_nonnull(j);
    ck_assert_uint_eq(json_string_length(json_object_get(j, "path")), 256);
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
    recent_item all[] = {{1, NULL}, {3, NULL}, {2, NULL}};
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
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_item_tells_the_decision);
    tcase_add_test(t, texts_that_are_too_long_are_cut);
    tcase_add_test(t, the_newest_come_first_and_the_oldest_are_lost);
    tcase_add_test(t, a_query_narrows_down);
    tcase_add_test(t, answers_of_several_workers_are_sorted_by_time);
    suite_add_tcase(s, t);
    return check_main(s);
}
