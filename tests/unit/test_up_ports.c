/* Reservations: what is kept, what is let go, and what is said about a busy port. */
#include "topology_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/net.h"
#include "cli/up_ports.h"

#define SHARED_ANY                                                                                 \
    "listen: { ingress: '127.0.0.1:0', metadata: '127.0.0.1:0', control: '127.0.0.1:0' }\n"
#define ONE_SERVICE                                                                                \
    "services:\n  a: { listen: '127.0.0.1:0', metadata: '127.0.0.1:0', command: [x] }\n"

static buf problems;

static void setup(void)
{
    fixture_open();
    problems = buf_make(PROBLEMS_MAX);
}

static void teardown(void)
{
    buf_free(&problems);
    fixture_close();
}

static port_plan *plan(const char *text, bool ephemeral, const port_plan *before)
{
    snapshot *s = load_good(text);
    port_plan *p = port_plan_make(s, s, ephemeral, before, &problems);
    snapshot_unref(s);
    return p;
}

static port_plan *good_plan(const char *text, bool ephemeral, const port_plan *before)
{
    port_plan *p = plan(text, ephemeral, before);
    ck_assert_msg(p != NULL, "%s", problems.p);
    return p;
}

/* The address that the overlay gives to "NAME KIND"; "" when there is none. */
static net_addr overlay_address(const port_plan *p, const char *key, bool *out_found)
{
    auto_buf buf text = buf_make(PROBLEMS_MAX);
    port_plan_overlay(p, &text);
    span rest = buf_view(&text), line;
    net_addr a = {0};
    *out_found = false;
    while (rest.n) {
        (void)span_cut(&rest, '\n', &line);
        if (!span_starts(line, span_of(key)))
            continue;
        error e = {0};
        ck_assert(net_addr_parse(span_from(line, strlen(key) + 1), &a, &e));
        *out_found = true;
    }
    return a;
}

static uint16_t port_of(const port_plan *p, const char *key)
{
    bool found = false;
    net_addr a = overlay_address(p, key, &found);
    ck_assert_msg(found, "no line for %s", key);
    ck_assert_uint_ne(net_addr_port(&a), 0);
    return net_addr_port(&a);
}

/* Whether a program that does not share ports could have this one. */
static bool is_free(uint16_t port)
{
    error e = {0};
    net_addr a;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, &e));
    net_addr_set_port(&a, port);
    int fd = net_listen(&a, false, &e);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

START_TEST(every_listener_gets_a_port_of_its_own_that_stays_reserved)
{
    port_plan *p = good_plan(PROJECT ONE_SERVICE, true, NULL);
    static const char *const keys[] = {"- ingress", "- metadata", "- control",
                                       "a listen",  "a metadata", "a upstream"};
    uint16_t ports[countof(keys)];
    for (size_t i = 0; i < countof(keys); i++) {
        ports[i] = port_of(p, keys[i]);
        ck_assert(!is_free(ports[i]));
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne(ports[i], ports[k]);
    }
    port_plan_release(p, "a");
    ck_assert(is_free(ports[5]));
    ck_assert(!is_free(ports[3]));
    port_plan_free(p);
    ck_assert(is_free(ports[3]));
}
END_TEST

START_TEST(the_next_plan_keeps_the_addresses_of_the_former_one)
{
    port_plan *p = good_plan(PROJECT ONE_SERVICE, true, NULL);
    uint16_t listen_port = port_of(p, "a listen"), control = port_of(p, "- control");
    port_plan_release(p, "a");
    uint16_t upstream = port_of(p, "a upstream");
    port_plan *q = good_plan(PROJECT ONE_SERVICE "  b: {}\n", true, p);
    port_plan_free(p);
    ck_assert_uint_eq(port_of(q, "a listen"), listen_port);
    ck_assert_uint_eq(port_of(q, "- control"), control);
    ck_assert_uint_eq(port_of(q, "a upstream"), upstream);
    ck_assert_uint_ne(port_of(q, "b listen"), listen_port);
    ck_assert(!is_free(listen_port));
    ck_assert(is_free(upstream)); /* it was let go for the service, and stays so */
    port_plan_free(q);
}
END_TEST

START_TEST(the_files_addresses_need_no_overlay)
{
    port_plan *p = good_plan(PROJECT SHARED_ANY "services: {}\n", false, NULL);
    char text[512];
    (void)snprintf(text, sizeof text,
                   PROJECT "listen: { ingress: '127.0.0.1:%u',"
                           " metadata: '127.0.0.1:%u',"
                           " control: '127.0.0.1:%u' }\nservices: {}\n",
                   port_of(p, "- ingress"), port_of(p, "- metadata"), port_of(p, "- control"));
    port_plan *q = good_plan(text, false, p); /* the same ports, now written down */
    port_plan_free(p);
    auto_buf buf overlay = buf_make(PROBLEMS_MAX);
    port_plan_overlay(q, &overlay);
    ck_assert_uint_eq(overlay.n, 0);
    port_plan_free(q);
}
END_TEST

START_TEST(addresses_may_change_places)
{
    port_plan *any = good_plan(PROJECT SHARED_ANY "services: {}\n", false, NULL);
    unsigned one = port_of(any, "- ingress"), two = port_of(any, "- control");
    port_plan_free(any);
    char text[512];
    static const char form[] = PROJECT "listen: { ingress: '127.0.0.1:%u',"
                                       " metadata: '127.0.0.1:0', control: '127.0.0.1:%u' }\n"
                                       "services: {}\n";
    (void)snprintf(text, sizeof text, form, one, two);
    port_plan *p = good_plan(text, false, NULL);
    (void)snprintf(text, sizeof text, form, two, one);
    port_plan *q = good_plan(text, false, p);
    port_plan_free(p);
    ck_assert(!is_free((uint16_t)one));
    ck_assert(!is_free((uint16_t)two));
    port_plan_free(q);
}
END_TEST

START_TEST(a_busy_port_is_told_with_the_key_to_change)
{
    error e = {0};
    net_addr a;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, &e));
    int fd = net_listen(&a, false, &e);
    ck_assert(fd >= 0 && net_local(fd, &a));
    char text[512], wanted[512];
    (void)snprintf(text, sizeof text,
                   PROJECT SHARED_ANY "services:\n"
                                      "  a: { listen: '127.0.0.1:%u',"
                                      " metadata: '127.0.0.1:0' }\n",
                   net_addr_port(&a));
    ck_assert_ptr_null(plan(text, false, NULL));
    (void)snprintf(wanted, sizeof wanted,
                   "127.0.0.1:%u is in use by another process; change services.a.listen"
                   " (t.yaml:4) or use --ephemeral-ports\n",
                   net_addr_port(&a));
    ck_assert_str_eq(problems.p, wanted);
    buf_clear(&problems);
    port_plan_free(good_plan(text, true, NULL)); /* as it says */
    (void)close(fd);
}
END_TEST

START_TEST(an_address_that_is_not_ours_is_told_too)
{
    ck_assert_ptr_null(plan(PROJECT "listen: { ingress: '192.0.2.1:1', metadata: '127.0.0.1:0',"
                                    " control: '127.0.0.1:0' }\nservices: {}\n",
                            false, NULL));
    ck_assert_ptr_nonnull(strstr(problems.p, "192.0.2.1:1"));
    ck_assert_ptr_nonnull(strstr(problems.p, "; change listen.ingress (t.yaml)\n"));
}
END_TEST

/* ---- services that the file does not have ---- */

#define NO_SERVICE PROJECT SHARED_ANY "services: {}\n"

/* A free port that somebody holds meanwhile, listening there, until *out_fd is closed. */
static unsigned taken_port(int *out_fd)
{
    error e = {0};
    net_addr a;
    ck_assert(net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, &e));
    *out_fd = net_listen(&a, false, &e);
    ck_assert(*out_fd >= 0 && net_local(*out_fd, &a));
    return net_addr_port(&a);
}

static unsigned free_port(void)
{
    int fd;
    unsigned port = taken_port(&fd);
    (void)close(fd);
    return port;
}

/* With a service "made", which listens at that port and has an upstream at the other one. */
static port_plan *plan_with_made(unsigned listen, unsigned upstream, const char *file_text,
                                 const port_plan *before)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   PROJECT SHARED_ANY
                   "services:\n  made: { listen: '127.0.0.1:%u', metadata: '127.0.0.1:0',"
                   " upstream: 'http://127.0.0.1:%u', command: [x] }\n",
                   listen, upstream);
    snapshot *s = load_good(text), *file = load_good(file_text);
    port_plan *p = port_plan_make(s, file, true, before, &problems);
    snapshot_unref(file);
    snapshot_unref(s);
    return p;
}

START_TEST(given_addresses_are_held_as_they_are)
{
    const unsigned listen = free_port(), upstream = free_port();
    port_plan *p = plan_with_made(listen, upstream, NO_SERVICE, NULL);
    ck_assert_msg(p != NULL, "%s", problems.p);
    bool found;
    (void)overlay_address(p, "made listen", &found);
    ck_assert(!found); /* the state has it */
    ck_assert(!is_free((uint16_t)listen));
    ck_assert(!is_free((uint16_t)upstream));
    port_plan_release(p, "made");
    ck_assert(is_free((uint16_t)upstream));
    port_plan *q = plan_with_made(listen, upstream, NO_SERVICE, p);
    port_plan_free(p);
    ck_assert(!is_free((uint16_t)listen));
    ck_assert(is_free((uint16_t)upstream));
    port_plan_free(q);
    ck_assert(is_free((uint16_t)listen));
}
END_TEST

START_TEST(a_given_address_that_is_busy_is_told_before_anything_runs)
{
    int fd;
    char wanted[512];
    const unsigned listen = taken_port(&fd), upstream = free_port();
    ck_assert_ptr_null(plan_with_made(listen, upstream, NO_SERVICE, NULL));
    (void)snprintf(wanted, sizeof wanted,
                   "127.0.0.1:%u is the listen address of made, which an API made: ", listen);
    ck_assert_ptr_nonnull(strstr(problems.p, wanted));
    ck_assert_ptr_nonnull(strstr(problems.p, "with another --state folder\n"));
    buf_clear(&problems);
    port_plan *before = good_plan(NO_SERVICE, true, NULL);
    port_plan *p = plan_with_made(listen, upstream, NO_SERVICE, before); /* while it runs */
    ck_assert_ptr_nonnull(p);
    port_plan_free(before);
    port_plan_free(p);
    (void)close(fd);
}
END_TEST

START_TEST(the_file_cannot_take_a_given_address)
{
    static const char form[] = PROJECT SHARED_ANY
        "services:\n"
        "  a: { listen: '127.0.0.1:0', upstream: 'http://127.0.0.1:%u', command: [x] }\n";
    static const char more[] =
        "  made: { listen: '127.0.0.1:%u', upstream: 'http://127.0.0.1:%u', command: [x] }\n";
    char file_text[512], text[1024], wanted[512];
    const unsigned port = free_port(), listen = free_port();
    (void)snprintf(file_text, sizeof file_text, form, port);
    int n = snprintf(text, sizeof text, form, port);
    (void)snprintf(text + n, sizeof text - (size_t)n, more, listen, port);
    snapshot *s = load_good(text), *file = load_good(file_text);
    ck_assert_ptr_null(port_plan_make(s, file, false, NULL, &problems));
    (void)snprintf(wanted, sizeof wanted,
                   "127.0.0.1:%u is the upstream address of made, which an API made, and that of "
                   "services.a.upstream (t.yaml:4): change that one\n",
                   port);
    ck_assert_str_eq(problems.p, wanted);
    snapshot_unref(file);
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("up_ports");
    TCase *t = tcase_create("ports");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, every_listener_gets_a_port_of_its_own_that_stays_reserved);
    tcase_add_test(t, the_next_plan_keeps_the_addresses_of_the_former_one);
    tcase_add_test(t, the_files_addresses_need_no_overlay);
    tcase_add_test(t, addresses_may_change_places);
    tcase_add_test(t, a_busy_port_is_told_with_the_key_to_change);
    tcase_add_test(t, an_address_that_is_not_ours_is_told_too);
    tcase_add_test(t, given_addresses_are_held_as_they_are);
    tcase_add_test(t, a_given_address_that_is_busy_is_told_before_anything_runs);
    tcase_add_test(t, the_file_cannot_take_a_given_address);
    suite_add_tcase(s, t);
    return check_main(s);
}
