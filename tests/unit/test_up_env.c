/* Environments of services, lists of variables, and the line that says that all is ready. */
#include "topology_fixture.h"

#include "cli/up_env.h"
#include "cli/up_ready.h"

static const char text[] = PROJECT "region: us-central1\n"
                                   "listen: { ingress: 127.0.0.1:8080, metadata: 0.0.0.0:8180 }\n"
                                   "service_accounts: { a-sa: {} }\n"
                                   "services:\n"
                                   "  a:\n"
                                   "    service_account: a-sa\n"
                                   "    upstream: http://127.0.0.1:9081\n"
                                   "    env: { B: '${b-c.url}', GCE_METADATA_IP: mine,"
                                   " NO_GCE_CHECK: 'false' }\n"
                                   "  b-c: {}\n";

static snapshot *topology;

static void setup(void)
{
    fixture_open();
    ck_assert_int_eq(unsetenv("no_proxy"), 0);
    ck_assert_int_eq(unsetenv("NO_PROXY"), 0);
    topology = load_good(text);
}

static void teardown(void)
{
    snapshot_unref(topology);
    fixture_close();
}

static const service_var *find(const service_vars *v, const char *name)
{
    const service_var *found = NULL;
    for (size_t i = 0; i < v->count; i++) {
        if (strcmp(v->items[i].name, name) != 0)
            continue;
        ck_assert_msg(!found, "%s is there twice", name);
        found = &v->items[i];
    }
    return found;
}

static void check_value(const service_vars *v, const char *name, const char *wanted)
{
    const service_var *found = find(v, name);
    ck_assert_msg(found && found->value, "%s is missing", name);
    ck_assert_str_eq(found->value, wanted);
}

START_TEST(a_service_gets_what_cloud_run_sets_and_where_the_metadata_server_is)
{
    const service *svc = snapshot_service(topology, 0);
    service_vars v = service_vars_make(topology, svc, NULL, NULL);
    check_value(&v, "PORT", "9081");
    check_value(&v, "K_SERVICE", "a");
    check_value(&v, "K_REVISION", svc->revision);
    check_value(&v, "K_CONFIGURATION", "a");
    check_value(&v, "B", "http://127.0.0.1:8082");
    check_value(&v, "GCE_METADATA_HOST", "127.0.0.1:8181");
    check_value(&v, "GCE_METADATA_ROOT", "127.0.0.1:8181");
    check_value(&v, "GCE_METADATA_IP", "mine"); /* env: of the topology wins */
    check_value(&v, "NO_GCE_CHECK", "false");
    ck_assert_ptr_null(find(&v, "GOOGLE_APPLICATION_CREDENTIALS")->value);
    ck_assert(find(&v, "CLOUDSDK_CORE_ACCOUNT")->shell_only);
    service_vars_free(&v);
}
END_TEST

START_TEST(a_given_port_and_metadata_server_take_precedence)
{
    service_vars v =
        service_vars_make(topology, snapshot_service(topology, 0), "0.0.0.0:7", "1234");
    check_value(&v, "PORT", "1234");
    check_value(&v, "GCE_METADATA_HOST", "127.0.0.1:7");
    service_vars_free(&v);
    v = service_vars_make(topology, snapshot_service(topology, 1), NULL, NULL);
    ck_assert_ptr_null(find(&v, "PORT")); /* no upstream, so nowhere to listen */
    service_vars_free(&v);
}
END_TEST

START_TEST(applying_sets_and_takes_out)
{
    char key[] = "GOOGLE_APPLICATION_CREDENTIALS=/k", port[] = "PORT=1", home[] = "HOME=/h";
    char *const before[] = {key, port, home, NULL};
    envlist l = {0};
    envlist_inherit(&l, before);
    service_vars v = service_vars_make(topology, snapshot_service(topology, 0), NULL, NULL);
    service_vars_apply(&v, &l);
    ck_assert_ptr_null(envlist_get(&l, "GOOGLE_APPLICATION_CREDENTIALS"));
    ck_assert_str_eq(envlist_get(&l, "PORT"), "9081");
    ck_assert_str_eq(envlist_get(&l, "HOME"), "/h");
    ck_assert_ptr_null(envlist_get(&l, "CLOUDSDK_CORE_ACCOUNT"));
    ck_assert_ptr_null(envlist_get(&l, "NO_PROXY"));
    envlist_set(&l, "http_proxy", "http://127.0.0.1:3128");
    envlist_set(&l, "no_proxy", "example.com");
    service_vars_apply(&v, &l);
    ck_assert_str_eq(envlist_get(&l, "no_proxy"), "example.com,127.0.0.1,localhost");
    ck_assert_str_eq(envlist_get(&l, "NO_PROXY"), "127.0.0.1,localhost");
    service_vars_free(&v);
    envlist_free(&l);
}
END_TEST

START_TEST(names_that_share_a_beginning_are_different_variables)
{
    envlist l = {0}, m = {0};
    envlist_set(&l, "AB", "1");
    envlist_set(&l, "A", "2");
    ck_assert_str_eq(envlist_get(&l, "AB"), "1");
    ck_assert_str_eq(envlist_get(&l, "A"), "2");
    ck_assert(!envlist_equal(&l, &m));
    envlist_inherit(&m, l.items);
    ck_assert(envlist_equal(&l, &m));
    envlist_set(&m, "AB", NULL);
    ck_assert_ptr_null(envlist_get(&m, "AB"));
    ck_assert_str_eq(m.items[0], "A=2");
    ck_assert_ptr_null(m.items[1]);
    envlist_free(&l);
    envlist_free(&m);
}
END_TEST

START_TEST(a_command_gets_every_services_url)
{
    envlist l = {0};
    envlist_add_urls(&l, topology);
    ck_assert_str_eq(envlist_get(&l, "A_URL"), "http://127.0.0.1:8081");
    ck_assert_str_eq(envlist_get(&l, "B_C_URL"), "http://127.0.0.1:8082");
    ck_assert_str_eq(envlist_get(&l, "INVOKER_CONTROL"), "http://127.0.0.1:8079");
    ck_assert_str_eq(envlist_get(&l, "INVOKER_INGRESS"), "127.0.0.1:8080");
    ck_assert_str_eq(envlist_get(&l, "INVOKER_METADATA"), "127.0.0.1:8180");
    envlist_free(&l);
}
END_TEST

START_TEST(an_address_of_all_interfaces_is_reached_by_loopback)
{
    static const struct {
        const char *listen, *reach;
    } rows[] = {
        {"0.0.0.0:80", "127.0.0.1:80"}, {"[::]:80", "[::1]:80"},
        {"10.0.0.1:80", "10.0.0.1:80"}, {"[::1]:80", "[::1]:80"},
        {"127.0.0.1:0", "127.0.0.1:0"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        auto_free char *got = reachable_address(rows[i].listen);
        ck_assert_str_eq(got, rows[i].reach);
    }
    ck_assert_ptr_null(reachable_address(NULL));
}
END_TEST

START_TEST(the_ready_line_has_exactly_this_form)
{
    buf b = buf_make(UP_READY_MAX);
    up_ready_json(&b, topology);
    ck_assert_str_eq(
        b.p, "{\"ready\":true,\"control\":\"http://127.0.0.1:8079\",\"ingress\":\"127.0.0.1:8080\","
             "\"metadata\":\"127.0.0.1:8180\","
             "\"certs_v1\":\"http://127.0.0.1:8180/oauth2/v1/certs\","
             "\"certs_v3\":\"http://127.0.0.1:8180/oauth2/v3/certs\",\"services\":{"
             "\"a\":{\"url\":\"http://127.0.0.1:8081\",\"metadata\":\"127.0.0.1:8181\","
             "\"upstream\":\"http://127.0.0.1:9081\","
             "\"service_account\":\"a-sa@my-project.iam.gserviceaccount.com\"},"
             "\"b-c\":{\"url\":\"http://127.0.0.1:8082\",\"metadata\":\"127.0.0.1:8182\","
             "\"upstream\":null,"
             "\"service_account\":\"123456789012-compute@developer.gserviceaccount.com\"}}}");
    buf_free(&b);
}
END_TEST

START_TEST(the_table_for_people_has_a_line_for_each_service)
{
    buf b = buf_make(UP_READY_MAX);
    up_ready_text(&b, topology, false);
    ck_assert_ptr_nonnull(strstr(b.p, "Invoker is ready: t.yaml\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "\na        http://127.0.0.1:8081  a-sa@my-project"));
    ck_assert_ptr_nonnull(strstr(b.p, "\nb-c      http://127.0.0.1:8082  123456789012-compute@"));
    ck_assert_ptr_nonnull(strstr(b.p, "none attached (503)\n"));
    ck_assert_ptr_null(strchr(b.p, '\033'));
    buf_clear(&b);
    up_ready_text(&b, topology, true);
    ck_assert_ptr_nonnull(strchr(b.p, '\033'));
    buf_free(&b);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("up_env");
    TCase *t = tcase_create("environment");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_service_gets_what_cloud_run_sets_and_where_the_metadata_server_is);
    tcase_add_test(t, a_given_port_and_metadata_server_take_precedence);
    tcase_add_test(t, applying_sets_and_takes_out);
    tcase_add_test(t, names_that_share_a_beginning_are_different_variables);
    tcase_add_test(t, a_command_gets_every_services_url);
    tcase_add_test(t, an_address_of_all_interfaces_is_reached_by_loopback);
    tcase_add_test(t, the_ready_line_has_exactly_this_form);
    tcase_add_test(t, the_table_for_people_has_a_line_for_each_service);
    suite_add_tcase(s, t);
    return check_main(s);
}
