/* Requests in flight: the limit, its end, reloads, and many threads at once. */
#include <pthread.h>
#include <stdatomic.h>

#include "gateway_fixture.h"

enum { THREADS = 4, ROUNDS = 20000, MOST = 2 };

START_TEST(no_more_are_taken_than_there_is_room_for)
{
    capacity *c = capacity_new();
    ck_assert(capacity_take(c, 2));
    ck_assert(capacity_take(c, 2));
    ck_assert(!capacity_take(c, 2));
    ck_assert(!capacity_take(c, 1));
    ck_assert(capacity_take(c, 3));
    capacity_give(c);
    capacity_give(c);
    ck_assert(!capacity_take(c, 1));
    capacity_give(c);
    ck_assert(capacity_take(c, 1));
    capacity_give(c);
    capacity_unref(c);
}
END_TEST

START_TEST(what_was_taken_keeps_it_alive)
{
    capacity *c = capacity_new();
    ck_assert(capacity_take(c, 1));
    capacity_unref(c);
    ck_assert(!capacity_take(c, 1));
    capacity_give(c);
    capacity_unref(NULL);
}
END_TEST

static atomic_uint inside, most_inside, taken;

static void *take_and_give(void *arg)
{
    capacity *c = arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (!capacity_take(c, MOST))
            continue;
        unsigned now = atomic_fetch_add(&inside, 1) + 1;
        unsigned seen = atomic_load(&most_inside);
        while (seen < now && !atomic_compare_exchange_weak(&most_inside, &seen, now))
            ;
        atomic_fetch_add(&taken, 1);
        atomic_fetch_sub(&inside, 1);
        capacity_give(c);
    }
    return NULL;
}

START_TEST(threads_never_exceed_the_limit_together)
{
    capacity *c = capacity_new();
    pthread_t t[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, take_and_give, c), 0);
    for (size_t i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(t[i], NULL), 0);
    ck_assert_uint_gt(atomic_load(&taken), 0);
    ck_assert_uint_le(atomic_load(&most_inside), MOST);
    ck_assert(capacity_take(c, 1));
    capacity_give(c);
    capacity_unref(c);
}
END_TEST

/* ---- the judge ---- */

/* The tutorial's topology with the frontend, which is open to all, limited: 0 is no limit. */
static snapshot *limited(uint32_t max_instances, uint32_t concurrency)
{
    snapshot_builder *b = fixture_builder();
    fixture_service(b,
                    (service){.name = "limited",
                              .max_instances = max_instances,
                              .concurrency = concurrency,
                              .upstream = "127.0.0.1:9"},
                    NULL);
    fixture_bind(b, "limited", INVOKER, "allUsers");
    return fixture_build(b);
}

static view *limited_view(uint32_t max_instances, uint32_t concurrency, const view *before)
{
    snapshot *s = limited(max_instances, concurrency);
    view *v = view_new(
        &(view_parts){.serial = ++g.serial, .snap = s, .upstreams = g.upstreams, .before = before});
    snapshot_unref(s);
    return v;
}

static void open_limited(uint32_t max_instances, uint32_t concurrency)
{
    free(g.door.service);
    g.door.service = span_dup(SPAN_LIT("limited"));
    gateway_open(g.keys, 0);
    admit_take_view(g.admit, limited_view(max_instances, concurrency, NULL));
}

static void reload(uint32_t max_instances, uint32_t concurrency, view **at)
{
    view *next = limited_view(max_instances, concurrency, *at);
    view_unref(*at);
    *at = next;
    admit_take_view(g.admit, view_ref(next));
}

START_TEST(requests_beyond_the_limit_get_429)
{
    open_limited(2, 1);
    exchange *x[3];
    for (size_t i = 0; i < 3; i++)
        x[i] = gateway_ask(NULL);
    ck_assert(x[0]->forwarded && x[1]->forwarded);
    ck_assert_uint_eq(x[2]->status, 429);
    ck_assert_str_eq(x[2]->reply, "Rate exceeded.");
    gateway_done(x[2], PROXY_OK);
    gateway_done(x[0], PROXY_OK);
    x[0] = gateway_ask(NULL);
    ck_assert(x[0]->forwarded);
    gateway_done(x[0], PROXY_CONNECT_FAILED);
    gateway_done(x[1], PROXY_CLIENT_GONE);
    ck_assert_uint_eq(atomic_load(&g.counters.failed), 3);
}
END_TEST

START_TEST(without_max_instances_there_is_no_limit)
{
    open_limited(0, 1);
    exchange *x[4];
    for (size_t i = 0; i < countof(x); i++) {
        x[i] = gateway_ask(NULL);
        ck_assert(x[i]->forwarded);
        ck_assert(!x[i]->sent.over);
    }
    for (size_t i = 0; i < countof(x); i++)
        gateway_done(x[i], PROXY_OK);
}
END_TEST

START_TEST(a_reload_forgets_no_request_in_flight)
{
    view *v = NULL;
    open_limited(1, 1);
    reload(1, 1, &v);
    exchange *first = gateway_ask(NULL);
    ck_assert(first->forwarded);
    reload(1, 1, &v);
    exchange *refused = gateway_ask(NULL);
    ck_assert_uint_eq(refused->status, 429);
    reload(1, 2, &v);
    exchange *second = gateway_ask(NULL);
    ck_assert(second->forwarded);
    reload(0, 80, &v);
    exchange *free_now = gateway_ask(NULL);
    ck_assert(free_now->forwarded);
    reload(1, 1, &v);
    gateway_done(first, PROXY_OK);
    gateway_done(second, PROXY_OK);
    gateway_done(refused, PROXY_OK);
    gateway_done(free_now, PROXY_OK);
    exchange *last = gateway_ask(NULL);
    ck_assert(last->forwarded);
    gateway_done(last, PROXY_OK);
    view_unref(v);
}
END_TEST

int main(void)
{
    gateway_keys_once();
    Suite *s = suite_create("capacity");
    TCase *t = tcase_create("counter");
    tcase_add_test(t, no_more_are_taken_than_there_is_room_for);
    tcase_add_test(t, what_was_taken_keeps_it_alive);
    tcase_add_test(t, threads_never_exceed_the_limit_together);
    suite_add_tcase(s, t);
    t = tcase_create("judge");
    tcase_add_checked_fixture(t, gateway_setup, gateway_teardown);
    tcase_add_test(t, requests_beyond_the_limit_get_429);
    tcase_add_test(t, without_max_instances_there_is_no_limit);
    tcase_add_test(t, a_reload_forgets_no_request_in_flight);
    suite_add_tcase(s, t);
    int failed = check_main(s);
    EVP_PKEY_free(g.key);
    EVP_PKEY_free(g.other_key);
    return failed;
}
