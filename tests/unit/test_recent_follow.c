/* Following a worker's ring: in the order in which requests ended, from any place in it. */
#include "recent_fixture.h"

static void add(int64_t ended_us, uint64_t id, bool refused)
{
    record r = refused ? record_refusal() : record_passed();
    r.ended_us = ended_us;
    r.insert_id[0] = id;
    recent_add(ring, &r);
}

static void add_many(int n)
{
    for (int i = 0; i < n; i++)
        add(i, (uint64_t)i + 1, false);
}

START_TEST(each_step_tells_what_ended_since_the_last)
{
    recent_query q = {0};
    recent_step step = {.before_us = 20, .limit = 100};
    add(10, 1, false);
    add(19, 2, true);
    add(20, 3, false);
    recent_follow(ring, &q, &step, &items, &count);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(items[0].ended_us, 10);
    ck_assert_int_eq(items[1].ended_us, 19);
    recent_follow(ring, &q, &step, &items, &count);
    ck_assert_uint_eq(count, 2);
    add(25, 4, false);
    step.before_us = 30;
    recent_follow(ring, &q, &step, &items, &count);
    ck_assert_uint_eq(count, 4);
    ck_assert_int_eq(items[2].ended_us, 20);
    ck_assert_int_eq(items[3].ended_us, 25);
    ck_assert_uint_eq(step.missed, 0);
}
END_TEST

START_TEST(a_step_is_narrowed_down_and_goes_past_the_rest)
{
    recent_query q = {.refused = true};
    recent_step step = {.before_us = 100, .limit = 100};
    add(1, 1, false);
    add(2, 2, true);
    add(3, 3, false);
    recent_follow(ring, &q, &step, &items, &count);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(items[0].ended_us, 2);
    ck_assert_uint_eq(step.next, 3);
    ck_assert_uint_eq(step.missed, 0);
}
END_TEST

START_TEST(what_gave_way_too_soon_is_counted)
{
    recent_query q = {0};
    recent_step step = {.before_us = INT64_MAX, .limit = SIZE_MAX};
    add_many(5);
    recent_follow(ring, &q, &step, &items, &count);
    ring_forget();
    add_many(RECENT_ENTRIES + 7);
    recent_follow(ring, &q, &step, &items, &count);
    ck_assert_uint_eq(count, RECENT_ENTRIES);
    ck_assert_uint_eq(step.missed, 7);
    ck_assert_uint_eq(recent_lost(ring), 5 + 7);
}
END_TEST

START_TEST(of_too_many_the_newest_are_told_and_the_others_counted)
{
    recent_query q = {0};
    recent_step step = {.before_us = INT64_MAX, .limit = 3};
    add_many(10);
    recent_follow(ring, &q, &step, &items, &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(items[0].ended_us, 7);
    ck_assert_int_eq(items[2].ended_us, 9);
    ck_assert_uint_eq(step.missed, 7);
}
END_TEST

START_TEST(the_place_of_a_request_is_found_by_its_id)
{
    recent_mark m;
    add_many(10);
    ck_assert(recent_find_mark(ring, 4, &m));
    ck_assert_int_eq(m.ended_us, 3);
    ck_assert_uint_eq(recent_number_at(ring, &m), 3);
    ck_assert(!recent_find_mark(ring, 11, &m));
    /* A time of another worker's, between two of this one and beyond all of them. */
    ck_assert_uint_eq(recent_number_at(ring, &(recent_mark){.ended_us = -1}), 0);
    ck_assert_uint_eq(recent_number_at(ring, &(recent_mark){.ended_us = 100}), 10);
    ck_assert(recent_reaches(ring, &(recent_mark){.ended_us = -1}));
    add_many(RECENT_ENTRIES);
    ck_assert(!recent_reaches(ring, &(recent_mark){.ended_us = -1}));
    ck_assert(recent_reaches(ring, &(recent_mark){.ended_us = 0}));
    ck_assert_uint_eq(recent_number_at(ring, &(recent_mark){.ended_us = -1}), 10);
}
END_TEST

START_TEST(requests_that_ended_in_one_moment_have_an_order)
{
    recent_query q = {0};
    recent_mark m;
    recent_step step = {.before_us = 100, .limit = 100};
    add(5, 30, false);
    add(5, 10, false);
    add(4, 99, false); /* as another worker's */
    add(5, 20, false);
    recent_follow(ring, &q, &step, &items, &count);
    recent_sort_by_end(items, count);
    ck_assert(recent_find_mark(ring, 10, &m));
    ck_assert(!recent_is_behind(items[0].request, &m));
    ck_assert(!recent_is_behind(items[1].request, &m)); /* itself */
    ck_assert(recent_is_behind(items[2].request, &m));
    ck_assert(recent_is_behind(items[3].request, &m));
    ck_assert_int_eq(items[0].ended_us, 4);
}
END_TEST

START_TEST(a_cleared_ring_is_followed_on)
{
    recent_query q = {0};
    recent_step step = {.before_us = INT64_MAX, .limit = 100};
    add_many(3);
    recent_follow(ring, &q, &step, &items, &count);
    recent_clear(ring);
    recent_follow(ring, &q, &step, &items, &count);
    add(7, 1, false);
    recent_follow(ring, &q, &step, &items, &count);
    ck_assert_uint_eq(count, 4);
    ck_assert_uint_eq(step.missed, 0);
}
END_TEST

static const struct {
    const char *caller, *reason;
    size_t found;
} narrow[] = {
    {"", "", 2},   {"x@y.example", "", 2}, {"x", "", 2},        {"x@y", "", 0},
    {"X", "", 0},  {"anonymous", "", 0},   {"", "no_grant", 1}, {"", "granted", 1},
    {"", "no", 0}, {"x", "granted", 1},
};

START_TEST(callers_and_reasons_are_told_apart)
{
    recent_query q = {.limit = 10};
    record other = record_refusal();
    add(1, 1, true);
    add(2, 2, false);
    snprintf(q.caller, sizeof q.caller, "%s", narrow[_i].caller);
    snprintf(q.reason, sizeof q.reason, "%s", narrow[_i].reason);
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, narrow[_i].found);
    ring_forget();

    other.caller = (span){0};
    recent_add(ring, &other);
    other.caller = SPAN_LIT("sa@p.iam.gserviceaccount.com");
    other.outcome.failure = PROXY_TIMEOUT;
    recent_add(ring, &other);
    recent_collect(ring, &(recent_query){.limit = 10, .caller = "anonymous"}, &items, &count);
    ck_assert_uint_eq(count, 1);
    recent_collect(ring, &(recent_query){.limit = 10, .caller = "sa@p"}, &items, &count);
    ck_assert_uint_eq(count, 2);
    snprintf(q.reason, sizeof q.reason, "%s", proxy_failure_name(PROXY_TIMEOUT));
    q.caller[0] = '\0';
    recent_collect(ring, &q, &items, &count);
    ck_assert_uint_eq(count, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recent_follow");
    TCase *t = tcase_create("follow");
    tcase_add_checked_fixture(t, ring_setup, ring_teardown);
    tcase_add_test(t, each_step_tells_what_ended_since_the_last);
    tcase_add_test(t, a_step_is_narrowed_down_and_goes_past_the_rest);
    tcase_add_test(t, what_gave_way_too_soon_is_counted);
    tcase_add_test(t, of_too_many_the_newest_are_told_and_the_others_counted);
    tcase_add_test(t, the_place_of_a_request_is_found_by_its_id);
    tcase_add_test(t, requests_that_ended_in_one_moment_have_an_order);
    tcase_add_test(t, a_cleared_ring_is_followed_on);
    tcase_add_loop_test(t, callers_and_reasons_are_told_apart, 0, (int)countof(narrow));
    suite_add_tcase(s, t);
    return check_main(s);
}
