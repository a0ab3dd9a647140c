/* Whose address that is, who may ask for others, and where nobody from elsewhere is led to. */
#include "base/clock.h"
#include "check_main.h"
#include "gateway/egress.h"
#include "policy_fixture.h"

static loop *l;
static host_names *names;
static upstreams *no_upstreams;
static door *doors;
static egress *g;

static void names_changed(void *ctx)
{
    (void)ctx;
}

static view *make_view(bool allow)
{
    static const char *const none[] = {NULL};
    static const char *const addresses[] = {"10.1.0.0/16", "frontend.internal", NULL};
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "my-project",
                                           .number = "123456789012",
                                           .region = "us-central1",
                                           .file = "t.yaml",
                                           .egress_allow = allow});
    snapshot_builder_service(b,
                             &(service){.name = "frontend",
                                        .listen = "127.0.0.1:8081",
                                        .url = "http://gateway:8081",
                                        .iam_check = true,
                                        .custom_audiences = none,
                                        .hosts = none,
                                        .addresses = addresses},
                             NULL);
    snapshot *s = fixture_build(b);
    view *v = view_new(&(view_parts){.serial = 1, .snap = s, .upstreams = no_upstreams});
    snapshot_unref(s);
    return v;
}

static door *add_door(const char *name, const char *local)
{
    error e = {0};
    net_addr any;
    door *d = calloc(1, sizeof *d);
    ck_assert_ptr_nonnull(d);
    d->service = name ? span_dup(span_of(name)) : NULL;
    ck_assert(net_addr_parse(span_of(local), &d->local, &e));
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &any, &e));
    d->acceptor = net_acceptor_open(l, net_listen(&any, false, &e), NULL, NULL, &e);
    d->next = doors;
    doors = d;
    return d;
}

static void set_up(void)
{
    l = loop_new(NULL);
    names = host_names_open(l, names_changed, NULL);
    no_upstreams = upstreams_new(names);
    doors = NULL;
    g = egress_new(l, &doors, make_view(true));
}

static void tear_down(void)
{
    egress_free(g);
    while (doors) {
        door *next = doors->next;
        net_acceptor_close(doors->acceptor);
        free(doors->service);
        free(doors);
        doors = next;
    }
    upstreams_free(no_upstreams);
    host_names_close(names);
    loop_free(l);
}

static net_addr address(const char *text)
{
    net_addr a;
    ck_assert(net_addr_parse(span_of(text), &a, NULL));
    return a;
}

START_TEST(a_listeners_address_is_its_own)
{
    const door *front = add_door("frontend", "127.0.0.1:8081");
    const door *shared = add_door(NULL, "0.0.0.0:8080");
    ck_assert_ptr_eq(egress_door(g, SPAN_LIT("127.0.0.1"), 8081), front);
    ck_assert_ptr_eq(egress_door(g, SPAN_LIT("localhost"), 8081), front);
    ck_assert_ptr_eq(egress_door(g, SPAN_LIT("Gateway"), 8081), front);
    ck_assert_ptr_eq(egress_door(g, SPAN_LIT("127.0.0.1"), 8080), shared);
    ck_assert_ptr_null(egress_door(g, SPAN_LIT("127.0.0.1"), 8082));
    ck_assert_ptr_null(egress_door(g, SPAN_LIT("10.0.0.1"), 8081));
    ck_assert_ptr_null(egress_door(g, SPAN_LIT("gateway"), 443));
    ck_assert_ptr_null(egress_door(g, SPAN_LIT("nobody"), 8081));
}
END_TEST

static const struct {
    bool allow;
    const char *peer;
    bool may;
    const char *says;
} who_rows[] = {
    {false, "127.0.0.1:1", false, "write `egress: allow` at the top level of t.yaml"},
    {false, "10.1.2.3:1", false, "write `egress: allow`"},
    {true, "127.0.0.1:1", true, NULL},
    {true, "[::1]:1", true, NULL},
    {true, "10.1.2.3:1", true, NULL},
    {true, "10.2.0.1:1", false, "for callers on this machine"},
    {true, "203.0.113.7:1", false, "for callers on this machine"},
};

START_TEST(only_neighbours_may_have_requests_passed_on)
{
    view *v = make_view(who_rows[_i].allow);
    const net_addr peer = address(who_rows[_i].peer);
    auto_buf buf why = buf_make(4096);
    ck_assert_int_eq(egress_may(v, &peer, SPAN_LIT("www.example.com"), &why), who_rows[_i].may);
    if (who_rows[_i].says) {
        ck_assert_ptr_nonnull(strstr(why.p, who_rows[_i].says));
        ck_assert_ptr_nonnull(strstr(why.p, "www.example.com"));
    }
    view_unref(v);
}
END_TEST

typedef struct found {
    egress_wait wait;
    bool done, somewhere;
    net_addr at;
} found;

static void on_done(egress_wait *w, const net_addr *a)
{
    found *f = container_of(w, found, wait);
    f->done = true;
    f->somewhere = a != NULL;
    if (a)
        f->at = *a;
}

static const struct {
    const char *peer, *host;
    bool somewhere;
} where_rows[] = {
    {"127.0.0.1:1", "127.0.0.1", true}, {"127.0.0.1:1", "localhost", true},
    {"127.0.0.1:1", "192.0.2.1", true}, {"10.1.2.3:1", "192.0.2.1", true},
    {"10.1.2.3:1", "127.0.0.1", false}, {"10.1.2.3:1", "127.9.9.9", false},
    {"10.1.2.3:1", "0.0.0.0", false},   {"10.1.2.3:1", "169.254.169.254", false},
    {"10.1.2.3:1", "::1", false},       {"10.1.2.3:1", "::", false},
    {"10.1.2.3:1", "fe80::1", false},   {"10.1.2.3:1", "::ffff:127.0.0.1", false},
    {"10.1.2.3:1", "localhost", false}, {"10.1.2.3:1", "2130706433", false},
};

START_TEST(nobody_from_elsewhere_is_led_to_this_machines_own)
{
    found f = {.wait.done = on_done};
    const net_addr peer = address(where_rows[_i].peer);
    egress_find(g, &f.wait, &peer, span_of(where_rows[_i].host), 443);
    const int64_t until = clock_mono_us() + 3000000;
    while (!f.done && clock_mono_us() < until)
        loop_turn(l, 2000);
    ck_assert(f.done);
    ck_assert_int_eq(f.somewhere, where_rows[_i].somewhere);
    if (f.somewhere)
        ck_assert_uint_eq(net_addr_port(&f.at), 443);
    egress_cancel(&f.wait);
}
END_TEST

START_TEST(who_does_not_wait_any_more_is_not_told)
{
    found f = {.wait.done = on_done};
    found other = {.wait.done = on_done};
    const net_addr peer = address("127.0.0.1:1");
    egress_find(g, &f.wait, &peer, SPAN_LIT("localhost."), 443);
    egress_find(g, &other.wait, &peer, SPAN_LIT("localhost."), 443);
    egress_cancel(&f.wait);
    const int64_t until = clock_mono_us() + 3000000;
    while (!other.done && clock_mono_us() < until)
        loop_turn(l, 2000);
    ck_assert(other.done);
    ck_assert(!f.done);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("egress");
    TCase *c = tcase_create("egress");
    tcase_add_checked_fixture(c, set_up, tear_down);
    tcase_add_test(c, a_listeners_address_is_its_own);
    tcase_add_loop_test(c, only_neighbours_may_have_requests_passed_on, 0, (int)countof(who_rows));
    tcase_add_loop_test(c, nobody_from_elsewhere_is_led_to_this_machines_own, 0,
                        (int)countof(where_rows));
    tcase_add_test(c, who_does_not_wait_any_more_is_not_told);
    suite_add_tcase(s, c);
    return check_main(s);
}
