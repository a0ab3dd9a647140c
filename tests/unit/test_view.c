/* Views: upstreams, internal addresses, counting; mail between threads. */
#include <pthread.h>

#include "check_main.h"
#include "gateway/keys_fetch.h"
#include "gateway/mailbox.h"
#include "gateway/view.h"
#include "policy_fixture.h"

static loop *l;
static host_names *names;
static upstreams *u;
static unsigned changes;

static void on_change(void *ctx)
{
    (void)ctx;
    changes++;
}

static void setup(void)
{
    changes = 0;
    l = loop_new(NULL);
    names = host_names_open(l, on_change, NULL);
    u = upstreams_new(names);
}

static void teardown(void)
{
    upstreams_free(u);
    host_names_close(names);
    loop_free(l);
}

static net_addr addr(const char *text)
{
    net_addr a;
    ck_assert(net_addr_parse(span_of(text), &a, NULL));
    return a;
}

static snapshot *one_service(const char *upstream, const char *const *addresses)
{
    static const char *const none[] = {NULL};
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "my-project",
                                           .number = "123456789012",
                                           .region = "us-central1",
                                           .file = "t.yaml"});
    snapshot_builder_service(b,
                             &(service){.name = "s",
                                        .listen = "127.0.0.1:8081",
                                        .upstream = upstream,
                                        .iam_check = true,
                                        .custom_audiences = none,
                                        .hosts = none,
                                        .addresses = addresses ? addresses : none},
                             NULL);
    return snapshot_build(b, NULL, NOW_US);
}

static view *made(snapshot *s)
{
    view *v = view_new(&(view_parts){.serial = 1, .snap = s, .upstreams = u});
    snapshot_unref(s);
    return v;
}

START_TEST(an_upstream_of_the_topology_is_found)
{
    char text[NET_ADDR_TEXT_MAX];
    view *v = made(one_service("127.0.0.1:9081", NULL));
    ck_assert_int_eq(v->services[0].kind, UPSTREAM_TOPOLOGY);
    ck_assert_str_eq(net_addr_text(&v->services[0].upstream, text), "127.0.0.1:9081");
    view_unref(v);
    v = made(one_service(NULL, NULL));
    ck_assert_int_eq(v->services[0].kind, UPSTREAM_NONE);
    view_unref(v);
}
END_TEST

START_TEST(an_attached_upstream_wins_until_it_is_detached)
{
    char text[NET_ADDR_TEXT_MAX];
    net_addr first = addr("127.0.0.1:1");
    net_addr second = addr("[::1]:2");
    upstreams_attach(u, SPAN_LIT("s"), &first);
    upstreams_attach(u, SPAN_LIT("s"), &second);
    view *v = made(one_service("127.0.0.1:9081", NULL));
    ck_assert_int_eq(v->services[0].kind, UPSTREAM_ATTACHED);
    ck_assert_str_eq(net_addr_text(&v->services[0].upstream, text), "[::1]:2");
    ck_assert(upstreams_detach(u, SPAN_LIT("s")));
    ck_assert(!upstreams_detach(u, SPAN_LIT("s")));
    view_unref(v);
}
END_TEST

START_TEST(a_name_has_no_address_until_it_is_resolved)
{
    view *v = made(one_service("localhost-of-nobody.invalid:9081", NULL));
    ck_assert_int_eq(v->services[0].kind, UPSTREAM_NONE);
    view_unref(v);
}
END_TEST

START_TEST(internal_traffic_comes_from_listed_addresses_only)
{
    static const char *const addresses[] = {"10.1.0.0/16", "172.30.0.12", "backend-app", "fd00::/8",
                                            NULL};
    static const struct {
        const char *peer;
        bool internal;
    } rows[] = {{"10.1.2.3:5", true},   {"10.2.0.1:5", false},    {"172.30.0.12:5", true},
                {"127.0.0.1:5", false}, {"[fd00::1]:5", true},    {"[::1]:5", false},
                {"0.0.0.0:5", false},   {"172.30.0.13:5", false}, {"[::ffff:10.1.2.3]:5", true}};
    view *v = made(one_service(NULL, addresses));
    for (size_t i = 0; i < countof(rows); i++) {
        net_addr a = addr(rows[i].peer);
        ck_assert_msg(view_is_internal(v, &a) == rows[i].internal, "%s", rows[i].peer);
    }
    view_unref(v);
    v = made(one_service(NULL, NULL));
    net_addr a = addr("127.0.0.1:1");
    ck_assert(!view_is_internal(v, &a));
    view_unref(v);
}
END_TEST

START_TEST(a_view_lives_as_long_as_somebody_counts_on_it)
{
    view *v = made(one_service("127.0.0.1:9081", NULL));
    ck_assert_ptr_eq(view_ref(v), v);
    view_unref(v);
    ck_assert_str_eq(snapshot_service(v->snap, 0)->name, "s");
    view_unref(v);
    view_unref(NULL);
}
END_TEST

START_TEST(instances_are_told_apart_by_their_upstream)
{
    view *a = made(one_service("127.0.0.1:1", NULL));
    view *b = made(one_service("127.0.0.1:1", NULL));
    view *c = made(one_service("127.0.0.1:2", NULL));
    ck_assert_str_eq(a->services[0].instance_id, b->services[0].instance_id);
    ck_assert_str_ne(a->services[0].instance_id, c->services[0].instance_id);
    view_unref(a);
    view_unref(b);
    view_unref(c);
}
END_TEST

/* ---- mailbox ---- */

static int order[64];
static size_t delivered;

static void note(void *ctx, void *arg)
{
    order[delivered++] = *(const int *)arg;
    if (delivered == 40)
        loop_stop(ctx);
}

static void *post_all(void *arg)
{
    static int numbers[40];
    for (int i = 0; i < 40; i++) {
        numbers[i] = i;
        mailbox_post(arg, note, l, &numbers[i]);
    }
    return NULL;
}

START_TEST(messages_arrive_in_order_on_the_loops_thread)
{
    delivered = 0;
    mailbox *m = mailbox_new(l);
    pthread_t t;
    ck_assert_int_eq(pthread_create(&t, NULL, post_all, m), 0);
    loop_run(l);
    ck_assert_int_eq(pthread_join(t, NULL), 0);
    for (int i = 0; i < 40; i++)
        ck_assert_int_eq(order[i], i);
    mailbox_free(m);
}
END_TEST

START_TEST(what_is_left_is_delivered_at_the_end)
{
    delivered = 0;
    mailbox *m = mailbox_new(l);
    int value = 7;
    mailbox_post(m, note, l, &value);
    mailbox_free(m);
    ck_assert_uint_eq(delivered, 1);
    mailbox_free(NULL);
}
END_TEST

/* ---- keys ---- */

START_TEST(max_age_is_read_from_cache_control)
{
    static const struct {
        const char *value;
        int64_t seconds;
    } rows[] = {{"public, max-age=300, must-revalidate", 300},
                {"MAX-AGE=5", 5},
                {"max-age=0", 0},
                {"no-store", 0},
                {"private,no-cache", 0},
                {"", -1},
                {"max-age=", -1},
                {"max-age=x", -1},
                {"max-age=99999999999999999999", -1},
                {"s-maxage=9", -1}};
    for (size_t i = 0; i < countof(rows); i++)
        ck_assert_msg(cache_control_max_age(span_of(rows[i].value), -1) == rows[i].seconds, "%s",
                      rows[i].value);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("view");
    TCase *t = tcase_create("view");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, an_upstream_of_the_topology_is_found);
    tcase_add_test(t, an_attached_upstream_wins_until_it_is_detached);
    tcase_add_test(t, a_name_has_no_address_until_it_is_resolved);
    tcase_add_test(t, internal_traffic_comes_from_listed_addresses_only);
    tcase_add_test(t, a_view_lives_as_long_as_somebody_counts_on_it);
    tcase_add_test(t, instances_are_told_apart_by_their_upstream);
    tcase_add_test(t, messages_arrive_in_order_on_the_loops_thread);
    tcase_add_test(t, what_is_left_is_delivered_at_the_end);
    tcase_add_test(t, max_age_is_read_from_cache_control);
    suite_add_tcase(s, t);
    return check_main(s);
}
