/* Who is calling, by address: written ranges, names, neither. */
#include "check_main.h"
#include <stdlib.h>

#include "base/buf.h"
#include "metadata/callers.h"

enum { TURNS_MAX = 3000 };

static loop *the_loop;
static callers *map;
static unsigned news;

static void on_news(void *ctx)
{
    (void)ctx;
    news++;
}

static void start(void)
{
    error e = {0};
    news = 0;
    the_loop = loop_new(&e);
    map = callers_open(the_loop, on_news, NULL, &e);
    ck_assert_msg(the_loop && map, "%s", e.text);
}

static void stop(void)
{
    callers_close(map);
    loop_free(the_loop);
}

static snapshot *build(const char *const *a, const char *const *b)
{
    snapshot_builder *s = snapshot_builder_new();
    const project p = {.id = "p",
                       .number = "1",
                       .region = "r",
                       .default_account = "1-compute@developer.gserviceaccount.com",
                       .ingress_listen = "127.0.0.1:1",
                       .metadata_listen = "127.0.0.1:2",
                       .control_listen = "127.0.0.1:3",
                       .file = "t.yaml"};
    snapshot_builder_project(s, &p);
    const account acc = {.email = "x@p.iam.gserviceaccount.com"};
    snapshot_builder_account(s, &acc);
    const service one = {.name = "a",
                         .listen = "127.0.0.1:8081",
                         .url = "http://127.0.0.1:8081",
                         .iam_check = true,
                         .addresses = a};
    const service two = {.name = "b",
                         .listen = "127.0.0.1:8082",
                         .url = "http://127.0.0.1:8082",
                         .iam_check = true,
                         .addresses = b};
    snapshot_builder_service(s, &one, acc.email);
    snapshot_builder_service(s, &two, acc.email);
    return snapshot_build(s, NULL, 0);
}

static caller_match find(const char *ip, const char **out_name)
{
    net_addr peer;
    auto_buf buf text = buf_make(128);
    buf_fmt(&text, strchr(ip, ':') ? "[%s]:1" : "%s:1", ip);
    ck_assert(net_addr_parse(buf_view(&text), &peer, NULL));
    const service *svc = NULL;
    caller_match match = callers_find(map, &peer, &svc);
    *out_name = match == CALLER_KNOWN ? svc->name : NULL;
    return match;
}

START_TEST(the_narrowest_range_wins)
{
    static const char *const a[] = {"172.30.0.0/16", "fd00::/8", NULL};
    static const char *const b[] = {"172.30.9.0/24", "172.30.8.7", "fd00::9", NULL};
    snapshot *s = build(a, b);
    callers_use(map, s);
    const char *name;
    static const struct {
        const char *ip, *name;
    } rows[] = {{"172.30.1.1", "a"},       {"172.30.9.200", "b"}, {"172.30.8.7", "b"},
                {"172.30.8.8", "a"},       {"fd00::1", "a"},      {"fd00::9", "b"},
                {"172.31.0.1", NULL},      {"127.0.0.1", NULL},   {"::1", NULL},
                {"::ffff:172.30.9.1", "b"}};
    for (size_t i = 0; i < countof(rows); i++) {
        caller_match match = find(rows[i].ip, &name);
        ck_assert_msg(match == (rows[i].name ? CALLER_KNOWN : CALLER_UNMAPPED), "%s", rows[i].ip);
        if (rows[i].name)
            ck_assert_str_eq(name, rows[i].name);
    }
    snapshot_unref(s);
}
END_TEST

START_TEST(a_name_is_looked_up_beside_the_loop)
{
    static const char *const a[] = {"localhost", NULL};
    static const char *const b[] = {"10.0.0.0/8", NULL};
    snapshot *s = build(a, b);
    callers_use(map, s);
    const char *name;
    ck_assert_int_eq(find("10.1.1.1", &name), CALLER_KNOWN); /* needs no look-up */
    ck_assert_int_eq(find("127.0.0.1", &name), CALLER_UNSURE);
    ck_assert_int_eq(find("127.0.0.1", &name), CALLER_UNSURE);
    for (int i = 0; i < TURNS_MAX && !news; i++)
        loop_turn(the_loop, 2000);
    ck_assert_uint_eq(news, 1);
    ck_assert_int_eq(find("127.0.0.1", &name), CALLER_KNOWN);
    ck_assert_str_eq(name, "a");
    ck_assert_int_eq(find("192.0.2.1", &name), CALLER_UNMAPPED);
    callers_use(map, s); /* a reload keeps what is known */
    ck_assert_int_eq(find("127.0.0.1", &name), CALLER_KNOWN);
    snapshot_unref(s);
}
END_TEST

START_TEST(an_unknown_name_maps_nobody)
{
    static const char *const a[] = {"no-such-name.invalid", NULL};
    static const char *const none[] = {NULL};
    snapshot *s = build(a, none);
    callers_use(map, s);
    const char *name;
    ck_assert_int_eq(find("192.0.2.1", &name), CALLER_UNSURE);
    for (int i = 0; i < TURNS_MAX && !news; i++)
        loop_turn(the_loop, 10000);
    ck_assert_int_eq(find("192.0.2.1", &name), CALLER_UNMAPPED);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_look_up_under_way_does_not_keep_the_map_open)
{
    static const char *const a[] = {"localhost", "no-such-name.invalid", NULL};
    static const char *const none[] = {NULL};
    snapshot *s = build(a, none);
    callers_use(map, s);
    const char *name;
    ck_assert_int_eq(find("192.0.2.1", &name), CALLER_UNSURE);
    snapshot_unref(s); /* the fixture closes the map at once */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("metadata_callers");
    TCase *t = tcase_create("callers");
    tcase_add_checked_fixture(t, start, stop);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_narrowest_range_wins);
    tcase_add_test(t, a_name_is_looked_up_beside_the_loop);
    tcase_add_test(t, an_unknown_name_maps_nobody);
    tcase_add_test(t, a_look_up_under_way_does_not_keep_the_map_open);
    suite_add_tcase(s, t);
    return check_main(s);
}
