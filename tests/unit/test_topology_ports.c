/* Where everything listens: ports in order, clashes, loops, and the overlay of addresses. */
#include "topology_fixture.h"

static const problem_row REFUSED[] = {
    {PROJECT "services:\n  a: { listen: 127.0.0.1:9000 }\n  b: { listen: localhost:9000 }\n",
     "t.yaml:4:16: listen of service 'b': 127.0.0.1:9000 is already taken by the listen of service "
     "'a' (t.yaml:3)\n"},
    {PROJECT "services:\n  a: { listen: 127.0.0.1:9000, metadata: 127.0.0.1:9000 }\n",
     "t.yaml:3:42: metadata of service 'a': 127.0.0.1:9000 is already taken by the listen of "
     "service 'a' (t.yaml:3)\n"},
    {PROJECT "services:\n  a: { listen: 127.0.0.1:8080 }\n",
     "t.yaml:3:16: listen of service 'a': 127.0.0.1:8080 is already taken by the shared ingress "
     "listener by default (t.yaml:1)\n"},
    {PROJECT "listen: { metadata: 127.0.0.1:8080 }\n",
     "t.yaml:2:21: shared metadata listener: 127.0.0.1:8080 is already taken by the shared ingress "
     "listener by default (t.yaml:1)\n"},
    {PROJECT "listen: { ingress: 127.0.0.1:8180 }\n",
     "t.yaml:2:20: shared ingress listener: 127.0.0.1:8180 is already taken by the shared metadata "
     "listener by default (t.yaml:1)\n"},
    {PROJECT "services:\n  a: { listen: 0.0.0.0:9000 }\n  b: { listen: 127.0.0.1:9000 }\n",
     "t.yaml:4:16: listen of service 'b': 127.0.0.1:9000 is already taken by the listen of service "
     "'a' (t.yaml:3)\n"},
    {PROJECT "services:\n  a: { listen: 127.0.0.1:9000 }\n  b: { listen: '[::]:9000' }\n",
     "t.yaml:4:16: listen of service 'b': [::]:9000 is already taken by the listen of service 'a' "
     "(t.yaml:3)\n"},
    {PROJECT "services:\n  a: { listen: 127.0.0.1:9000, upstream: http://127.0.0.1:9000 }\n",
     "t.yaml:3:42: upstream: 127.0.0.1:9000 is the emulator's own listen of service 'a'; an "
     "upstream is where the service's process listens\n"},
    {PROJECT "services:\n  a: { upstream: http://127.0.0.1:8080 }\n",
     "t.yaml:3:18: upstream: 127.0.0.1:8080 is the emulator's own shared ingress listener by "
     "default; an upstream is where the service's process listens\n"},
};

START_TEST(clashes_are_reported_with_both_places)
{
    check_problems(&REFUSED[_i]);
}
END_TEST

static const char *const ACCEPTED[] = {
    PROJECT "services:\n  a: { listen: 127.0.0.1:9000 }\n  b: { listen: 127.0.0.2:9000 }\n",
    PROJECT "services:\n  a: { listen: 0.0.0.0:9000 }\n  b: { listen: '[::1]:9000' }\n",
    PROJECT "services:\n  a: { listen: 127.0.0.1:0 }\n  b: { listen: 127.0.0.1:0 }\n",
    PROJECT "listen: { ingress: 127.0.0.1:8180, metadata: 127.0.0.1:8080 }\n",
    PROJECT "services:\n  a: { upstream: http://127.0.0.1:9000 }\n"
            "  b: { upstream: http://127.0.0.1:9000 }\n",
};

START_TEST(what_is_accepted_beside_it)
{
    check_good(ACCEPTED[_i]);
}
END_TEST

START_TEST(ports_are_given_in_file_order_around_what_is_taken)
{
    snapshot *s = load_good(PROJECT "services:\n"
                                    "  a: {}\n"
                                    "  b: { listen: 127.0.0.1:8081, metadata: off }\n"
                                    "  c: { upstream: http://127.0.0.1:8083 }\n"
                                    "  d: { metadata: 127.0.0.1:8181 }\n"
                                    "  e: {}\n");
    static const char *const listen[] = {"127.0.0.1:8082", "127.0.0.1:8081", "127.0.0.1:8084",
                                         "127.0.0.1:8085", "127.0.0.1:8086"};
    static const char *const metadata[] = {"127.0.0.1:8182", NULL, "127.0.0.1:8183",
                                           "127.0.0.1:8181", "127.0.0.1:8184"};
    for (size_t i = 0; i < countof(listen); i++) {
        ck_assert_str_eq(snapshot_service(s, i)->listen, listen[i]);
        ck_assert_pstr_eq(snapshot_service(s, i)->metadata, metadata[i]);
    }
    snapshot_unref(s);
}
END_TEST

START_TEST(a_service_on_every_address_is_called_at_loopback)
{
    snapshot *s = load_good(PROJECT "services:\n"
                                    "  a: { listen: 0.0.0.0:9000 }\n"
                                    "  b: { listen: '[::]:9001' }\n"
                                    "  c: { listen: 0.0.0.0:9002, url: http://c:80 }\n");
    ck_assert_str_eq(snapshot_service(s, 0)->url, "http://127.0.0.1:9000");
    ck_assert_str_eq(snapshot_service(s, 1)->url, "http://[::1]:9001");
    ck_assert_str_eq(snapshot_service(s, 2)->url, "http://c:80");
    snapshot_unref(s);
}
END_TEST

START_TEST(hundreds_of_services_get_ports_of_their_own)
{
    auto_buf buf text = buf_make(1 << 20);
    buf_str(&text, PROJECT "services:\n");
    for (int i = 0; i < 500; i++)
        buf_fmt(&text, "  s%d: {}\n", i);
    snapshot *s = load_good(text.p);
    strmap *seen = strmap_new();
    ck_assert(strmap_put(seen, span_of(snapshot_project(s)->ingress_listen), s));
    ck_assert(strmap_put(seen, span_of(snapshot_project(s)->metadata_listen), s));
    for (size_t i = 0; i < 500; i++) {
        ck_assert(strmap_put(seen, span_of(snapshot_service(s, i)->listen), s));
        ck_assert(strmap_put(seen, span_of(snapshot_service(s, i)->metadata), s));
    }
    strmap_free(seen);
    snapshot_unref(s);
}
END_TEST

static const char TWO_SERVICES[] =
    PROJECT "services:\n"
            "  api: { listen: 127.0.0.1:8081, upstream: http://127.0.0.1:9081 }\n"
            "  web: { env: { API: '${api.url}', WEB: '${web.url}' }, url: http://web:80 }\n";

static snapshot *load_over(const char *overlay, char **out_problems)
{
    error e = {0};
    put_file("overlay", overlay);
    addresses *over = addresses_read("overlay", &e);
    ck_assert_msg(over != NULL, "%s", e.text);
    snapshot *s = load_with(TWO_SERVICES, over, out_problems);
    addresses_free(over); /* the snapshot has its own copies */
    return s;
}

START_TEST(the_overlay_takes_the_files_place_also_in_urls)
{
    auto_free char *problems = NULL;
    snapshot *s = load_over("- ingress 127.0.0.1:30000\n- metadata 127.0.0.1:30001\n"
                            "- control 127.0.0.1:30002\napi listen 127.0.0.1:30003\n"
                            "api metadata 127.0.0.1:30004\napi upstream 127.0.0.1:30005\n"
                            "gone listen 127.0.0.1:30006\n",
                            &problems);
    ck_assert_msg(s != NULL, "%s", problems);
    ck_assert_str_eq(snapshot_project(s)->ingress_listen, "127.0.0.1:30000");
    ck_assert_str_eq(snapshot_project(s)->metadata_listen, "127.0.0.1:30001");
    ck_assert_str_eq(snapshot_project(s)->control_listen, "127.0.0.1:30002");
    const service *api = snapshot_service(s, 0);
    const service *web = snapshot_service(s, 1);
    ck_assert_str_eq(api->listen, "127.0.0.1:30003");
    ck_assert_str_eq(api->metadata, "127.0.0.1:30004");
    ck_assert_str_eq(api->upstream, "127.0.0.1:30005");
    ck_assert_str_eq(api->url, "http://127.0.0.1:30003");
    ck_assert_str_eq(web->env[0].value, "http://127.0.0.1:30003");
    ck_assert_str_eq(web->env[1].value, "http://web:80");
    ck_assert_str_eq(web->listen, "127.0.0.1:8081");
    snapshot_unref(s);
}
END_TEST

START_TEST(an_overlay_that_clashes_is_refused)
{
    auto_free char *problems = NULL;
    ck_assert_ptr_null(load_over("- ingress 127.0.0.1:30000\nweb listen 127.0.0.1:30000\n"
                                 "- control 127.0.0.1:30000\n",
                                 &problems));
    ck_assert_str_eq(problems, "t.yaml:1:1: shared control listener by default: 127.0.0.1:30000 is "
                               "already taken by the shared ingress listener by default "
                               "(t.yaml:1)\n"
                               "t.yaml:4:3: listen of service 'web': 127.0.0.1:30000 is already "
                               "taken by the shared ingress listener by default (t.yaml:1)\n");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("topology ports");
    TCase *t = tcase_create("listeners");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_add_loop_test(t, clashes_are_reported_with_both_places, 0, countof(REFUSED));
    tcase_add_loop_test(t, what_is_accepted_beside_it, 0, countof(ACCEPTED));
    tcase_add_test(t, ports_are_given_in_file_order_around_what_is_taken);
    tcase_add_test(t, a_service_on_every_address_is_called_at_loopback);
    tcase_add_test(t, hundreds_of_services_get_ports_of_their_own);
    tcase_add_test(t, the_overlay_takes_the_files_place_also_in_urls);
    tcase_add_test(t, an_overlay_that_clashes_is_refused);
    suite_add_tcase(s, t);
    return check_main(s);
}
