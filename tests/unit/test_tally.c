/* Counting what came to a worker. */
#include "gateway/tally.h"

#include <jansson.h>
#include <stdio.h>

#include "record_fixture.h"

static tally *t;

static void setup(void)
{
    record_setup();
    t = tally_new(NOW_US);
    tally_take_view(t, record_view);
}

static void teardown(void)
{
    tally_free(t);
    record_teardown();
}

static json_t *as_json(const tally *of)
{
    auto_buf buf b = buf_make(1 << 24);
    tally_json(of, &b);
    ck_assert(buf_ok(&b));
    json_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(j);
    return j;
}

static const char *text(const json_t *cells, size_t i, const char *key)
{
    const char *s = json_string_value(json_object_get(json_array_get(cells, i), key));
    return s ? s : "(none)";
}

static json_int_t number(const json_t *cells, size_t i, const char *key)
{
    return json_integer_value(json_object_get(json_array_get(cells, i), key));
}

static const tally_service *of_backend(const tally *of)
{
    for (size_t i = 0; i < tally_service_count(of); i++)
        if (strcmp(tally_service_at(of, i)->name, "backend-api") == 0)
            return tally_service_at(of, i);
    ck_abort_msg("backend-api was not counted");
    return NULL;
}

/* A binding of the snapshot that is about that service. */
static const binding *some_binding(const char *service_name)
{
    const service *svc = fixture_find(record_snap, service_name);
    for (size_t i = 0; i < snapshot_binding_count(record_snap); i++) {
        const binding *b = snapshot_binding(record_snap, i);
        if (!b->project_level && !b->account && b->service == svc->index)
            return b;
    }
    ck_abort_msg("no binding");
    return NULL;
}

START_TEST(decisions_are_counted_by_service_caller_and_reason)
{
    record refused = record_refusal();
    record passed = record_passed();
    tally_add(t, &refused, NULL, true);
    tally_add(t, &passed, some_binding("backend-api"), true);
    passed.wall_us += 1000000;
    tally_add(t, &passed, some_binding("backend-api"), true);
    json_auto_t *j = as_json(t);
    const json_t *cells = json_object_get(j, "cells");
    ck_assert_uint_eq(json_array_size(cells), 2);
    ck_assert_str_eq(text(cells, 0, "service"), "backend-api");
    ck_assert_str_eq(text(cells, 0, "caller"), "x@y.example");
    ck_assert_str_eq(text(cells, 0, "reason"), "granted");
    ck_assert(json_is_true(json_object_get(json_array_get(cells, 0), "allowed")));
    ck_assert(json_is_true(json_object_get(json_array_get(cells, 0), "enforced")));
    ck_assert_int_eq(number(cells, 0, "count"), 2);
    ck_assert_str_eq(text(cells, 0, "first"), "2027-01-15T08:00:00.123456Z");
    ck_assert_str_eq(text(cells, 0, "last"), "2027-01-15T08:00:01.123456Z");
    ck_assert_str_eq(text(cells, 1, "reason"), "no_grant");
    ck_assert(json_is_false(json_object_get(json_array_get(cells, 1), "allowed")));
    const json_t *bindings = json_object_get(j, "bindings");
    ck_assert_uint_eq(json_array_size(bindings), 1);
    ck_assert_str_eq(text(bindings, 0, "on"), "service backend-api");
    ck_assert_str_eq(text(bindings, 0, "role"), "roles/run.invoker");
    ck_assert_int_eq(number(bindings, 0, "count"), 2);
}
END_TEST

START_TEST(who_is_nobody_came_without_a_credential_or_with_one_that_proves_nothing)
{
    record r = record_refusal();
    r.caller = (span){0};
    tally_add(t, &r, NULL, false);
    tally_add(t, &r, NULL, true);
    json_auto_t *j = as_json(t);
    const json_t *cells = json_object_get(j, "cells");
    ck_assert_str_eq(text(cells, 0, "caller"), "anonymous");
    ck_assert_str_eq(text(cells, 1, "caller"), "unverified");
}
END_TEST

START_TEST(what_was_never_judged_is_no_decision)
{
    record r = record_refusal();
    r.decided = false;
    tally_add(t, &r, NULL, false);
    ck_assert_uint_eq(counts_size(tally_decisions(t)), 0);
    ck_assert_uint_eq(of_backend(t)->classes[3], 1);
}
END_TEST

START_TEST(an_unknown_host_has_no_service)
{
    record r = record_refusal();
    r.service = NULL;
    r.reason = REASON_UNKNOWN_HOST;
    tally_add(t, &r, NULL, false);
    json_auto_t *j = as_json(t);
    ck_assert_str_eq(text(json_object_get(j, "cells"), 0, "service"), "");
    ck_assert_uint_eq(tally_service_count(t), 0);
}
END_TEST

START_TEST(hostile_callers_stay_one_string_of_json)
{
    record r = record_refusal();
    r.caller = SPAN_LIT("\"},{\\\n\x01\xff@evil.example");
    tally_add(t, &r, NULL, true);
    json_auto_t *j = as_json(t);
    ck_assert_str_eq(text(json_object_get(j, "cells"), 0, "caller"),
                     "\"},{\\\n\x01\xef\xbf\xbd@evil.example");
}
END_TEST

START_TEST(thousands_of_callers_fill_it_and_the_rest_is_overflow)
{
    record r = record_refusal();
    char email[64];
    for (int i = 0; i < TALLY_CELLS_MAX + 100; i++) {
        const int n = snprintf(email, sizeof email, "user-%d@example.com", i);
        r.caller = (span){email, (size_t)n};
        tally_add(t, &r, NULL, true);
    }
    ck_assert_uint_eq(counts_size(tally_decisions(t)), TALLY_CELLS_MAX);
    ck_assert_uint_eq(tally_overflow(t), 100);
    json_auto_t *j = as_json(t);
    ck_assert_int_eq(json_integer_value(json_object_get(j, "overflow")), 100);
}
END_TEST

START_TEST(latencies_fall_into_the_bucket_whose_bound_they_do_not_pass)
{
    static const int64_t us[] = {0, 100, 101, 60000000, 60000001};
    record r = record_passed();
    for (size_t i = 0; i < countof(us); i++) {
        r.outcome.latency_us = us[i];
        tally_add(t, &r, NULL, true);
    }
    const tally_latency *l = &of_backend(t)->forwarded;
    ck_assert_uint_eq(l->count, 5);
    ck_assert_int_eq(l->sum_us, 120000202);
    ck_assert_uint_eq(l->buckets[0], 2);
    ck_assert_uint_eq(l->buckets[1], 1);
    ck_assert_uint_eq(l->buckets[TALLY_BUCKETS - 1], 1);
    ck_assert_uint_eq(of_backend(t)->answered.count, 0);
}
END_TEST

START_TEST(a_new_snapshot_has_other_pointers_and_the_same_names)
{
    record r = record_passed();
    tally_add(t, &r, some_binding("backend-api"), true);
    snapshot *next = fixture_tutorial();
    view *v = view_new(&(view_parts){.serial = 2, .snap = next, .upstreams = record_upstreams});
    tally_take_view(t, v);
    tally_add(t, &r, some_binding("backend-api"), true); /* was under way */
    r.view = v;
    r.service = fixture_find(next, "backend-api");
    snapshot *old = record_snap;
    record_snap = next;
    tally_add(t, &r, some_binding("backend-api"), true);
    record_snap = old;
    ck_assert_uint_eq(counts_size(tally_decisions(t)), 1);
    ck_assert_uint_eq(counts_size(tally_bindings(t)), 1);
    ck_assert_uint_eq(of_backend(t)->forwarded.count, 3);
    json_auto_t *j = as_json(t);
    ck_assert_int_eq(number(json_object_get(j, "bindings"), 0, "count"), 3);
    tally_take_view(t, record_view);
    view_unref(v);
    snapshot_unref(next);
}
END_TEST

START_TEST(workers_add_up)
{
    tally *other = tally_new(NOW_US - 5);
    tally_take_view(other, record_view);
    record r = record_passed();
    tally_service *at = tally_enter(other, record_view, r.service);
    tally_add(other, &r, some_binding("backend-api"), true);
    tally_add(t, &r, some_binding("backend-api"), true);
    tally_merge(t, other);
    tally *copy = tally_copy(t);
    ck_assert_int_eq(tally_since_us(copy), NOW_US - 5);
    ck_assert_uint_eq(of_backend(copy)->forwarded.count, 2);
    ck_assert_uint_eq(of_backend(copy)->classes[1], 2);
    ck_assert_uint_eq(of_backend(copy)->in_flight, 1);
    json_auto_t *j = as_json(copy);
    ck_assert_int_eq(number(json_object_get(j, "cells"), 0, "count"), 2);
    ck_assert_int_eq(number(json_object_get(j, "bindings"), 0, "count"), 2);
    tally_leave(at);
    tally_free(copy);
    tally_free(other);
}
END_TEST

START_TEST(a_reset_forgets_all_but_what_is_in_flight)
{
    record r = record_passed();
    tally_service *at = tally_enter(t, record_view, r.service);
    (void)tally_enter(t, record_view, fixture_find(record_snap, "frontend"));
    tally_leave(tally_enter(t, record_view, fixture_find(record_snap, "db-service")));
    tally_add(t, &r, some_binding("backend-api"), true);
    tally_reset(t, NOW_US + 7);
    ck_assert_int_eq(tally_since_us(t), NOW_US + 7);
    ck_assert_uint_eq(counts_size(tally_decisions(t)), 0);
    ck_assert_uint_eq(counts_size(tally_bindings(t)), 0);
    ck_assert_uint_eq(tally_service_count(t), 2);
    ck_assert_uint_eq(of_backend(t)->in_flight, 1);
    ck_assert_uint_eq(of_backend(t)->forwarded.count, 0);
    tally_leave(at);
    tally_add(t, &r, some_binding("backend-api"), true);
    ck_assert_uint_eq(of_backend(t)->in_flight, 0);
    ck_assert_uint_eq(of_backend(t)->forwarded.count, 1);
    ck_assert_uint_eq(counts_size(tally_bindings(t)), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("tally");
    TCase *c = tcase_create("tally");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, decisions_are_counted_by_service_caller_and_reason);
    tcase_add_test(c, who_is_nobody_came_without_a_credential_or_with_one_that_proves_nothing);
    tcase_add_test(c, what_was_never_judged_is_no_decision);
    tcase_add_test(c, an_unknown_host_has_no_service);
    tcase_add_test(c, hostile_callers_stay_one_string_of_json);
    tcase_add_test(c, thousands_of_callers_fill_it_and_the_rest_is_overflow);
    tcase_add_test(c, latencies_fall_into_the_bucket_whose_bound_they_do_not_pass);
    tcase_add_test(c, a_new_snapshot_has_other_pointers_and_the_same_names);
    tcase_add_test(c, workers_add_up);
    tcase_add_test(c, a_reset_forgets_all_but_what_is_in_flight);
    suite_add_tcase(s, c);
    return check_main(s);
}
