/* Environments of services, lists of variables, and the line that says that all is ready. */
#include "topology_fixture.h"

#include "cli/client_vars.h"
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

#define OURS "127.0.0.1,localhost,::1,169.254.169.254,metadata.google.internal"

static snapshot *topology;
static char certificate[] = "/k/ca/ca.pem", bundle[] = "/k/ca/bundle.pem";
static const trust_files trust = {certificate, bundle};

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
    service_vars v = service_vars_make(topology, svc, NULL, &trust);
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

START_TEST(a_given_port_takes_precedence)
{
    service_vars v = service_vars_make(topology, snapshot_service(topology, 0), "1234", NULL);
    check_value(&v, "PORT", "1234");
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
    service_vars v = service_vars_make(topology, snapshot_service(topology, 0), NULL, &trust);
    service_vars_apply(&v, &l);
    ck_assert_ptr_null(envlist_get(&l, "GOOGLE_APPLICATION_CREDENTIALS"));
    ck_assert_str_eq(envlist_get(&l, "PORT"), "9081");
    ck_assert_str_eq(envlist_get(&l, "HOME"), "/h");
    ck_assert_ptr_null(envlist_get(&l, "CLOUDSDK_CORE_ACCOUNT"));
    ck_assert_str_eq(envlist_get(&l, "NO_PROXY"), OURS);
    service_vars_free(&v);
    envlist_free(&l);
}
END_TEST

static const char *const trust_names[] = {"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE",
                                          "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"};
static const char *const proxy_names[] = {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"};

START_TEST(clients_trust_the_authority_and_use_the_ingress_as_proxy)
{
    service_vars v = service_vars_make(topology, snapshot_service(topology, 0), NULL, &trust);
    for (size_t i = 0; i < countof(trust_names); i++)
        check_value(&v, trust_names[i], "/k/ca/bundle.pem");
    check_value(&v, "NODE_EXTRA_CA_CERTS", "/k/ca/ca.pem");
    for (size_t i = 0; i < countof(proxy_names); i++)
        check_value(&v, proxy_names[i], "http://127.0.0.1:8080");
    check_value(&v, "NO_PROXY", OURS);
    check_value(&v, "no_proxy", OURS);
    check_value(&v, "NODE_USE_ENV_PROXY", "1");
    service_vars_free(&v);
}
END_TEST

START_TEST(without_an_authority_or_an_ingress_there_is_less)
{
    const project without_ingress = {.id = "p"};
    service_vars v = {0};
    client_vars_add(&v, &without_ingress, NULL, NULL);
    check_value(&v, "NO_PROXY", OURS);
    check_value(&v, "no_proxy", OURS);
    ck_assert_uint_eq(v.count, 2);
    client_vars_add(&v, &without_ingress, NULL, &trust);
    ck_assert_uint_eq(v.count, 2 + 5);
    service_vars_free(&v);
}
END_TEST

START_TEST(a_services_own_proxy_variables_win_in_both_spellings)
{
    snapshot *s = load_good(PROJECT "region: us-central1\n"
                                    "services:\n"
                                    "  a:\n"
                                    "    env: { HTTPS_PROXY: '', no_proxy: mine,"
                                    " SSL_CERT_FILE: /mine.pem, CLOUDSDK_CORE_PROJECT: other }\n");
    service_vars v = service_vars_make(s, snapshot_service(s, 0), NULL, &trust);
    check_value(&v, "HTTPS_PROXY", "");
    check_value(&v, "https_proxy", "");
    check_value(&v, "HTTP_PROXY", "http://127.0.0.1:8080");
    check_value(&v, "NO_PROXY", "mine");
    check_value(&v, "no_proxy", "mine");
    check_value(&v, "SSL_CERT_FILE", "/mine.pem");
    check_value(&v, "CURL_CA_BUNDLE", "/k/ca/bundle.pem");
    check_value(&v, "CLOUDSDK_CORE_PROJECT", "other");
    ck_assert(!find(&v, "CLOUDSDK_CORE_PROJECT")->shell_only);
    service_vars_free(&v);
    snapshot_unref(s);
}
END_TEST

START_TEST(the_users_exceptions_are_kept_and_ours_added_once)
{
    static const struct {
        const char *upper, *lower; /* the user's */
        const char *wanted_upper, *wanted_lower;
    } rows[] = {
        {"corp.test", NULL, "corp.test," OURS, "corp.test," OURS},
        {NULL, "corp.test", "corp.test," OURS, "corp.test," OURS},
        {"a.test", "b.test", "a.test," OURS, "b.test," OURS},
        {OURS, OURS ",x", OURS, OURS ",x"},
        {" localhost , x ", NULL,
         "localhost , x,127.0.0.1,::1,169.254.169.254,metadata.google.internal",
         "localhost , x,127.0.0.1,::1,169.254.169.254,metadata.google.internal"},
        {"*", NULL, "*", "*"},
        {"", NULL, OURS, OURS},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        (void)(rows[i].upper ? setenv("NO_PROXY", rows[i].upper, 1) : unsetenv("NO_PROXY"));
        (void)(rows[i].lower ? setenv("no_proxy", rows[i].lower, 1) : unsetenv("no_proxy"));
        service_vars v = service_vars_make(topology, snapshot_service(topology, 0), NULL, NULL);
        check_value(&v, "NO_PROXY", rows[i].wanted_upper);
        check_value(&v, "no_proxy", rows[i].wanted_lower);
        service_vars_free(&v);
    }
}
END_TEST

START_TEST(a_metadata_server_elsewhere_is_an_exception_too)
{
    static const char *const rows[][2] = {{"10.0.0.5:80", OURS ",10.0.0.5"},
                                          {"'[fd00::1]:80'", OURS ",fd00::1"},
                                          {"0.0.0.0:80", OURS}};
    for (size_t i = 0; i < countof(rows); i++) {
        char words[512];
        (void)snprintf(words, sizeof words,
                       PROJECT "region: us-central1\nlisten: { metadata: %s }\n"
                               "services: { a: { metadata: off } }\n",
                       rows[i][0]);
        snapshot *s = load_good(words);
        service_vars v = service_vars_make(s, snapshot_service(s, 0), NULL, NULL);
        check_value(&v, "no_proxy", rows[i][1]);
        service_vars_free(&v);
        snapshot_unref(s);
    }
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
    envlist_add_urls(&l, topology, &trust);
    ck_assert_str_eq(envlist_get(&l, "A_URL"), "http://127.0.0.1:8081");
    ck_assert_str_eq(envlist_get(&l, "B_C_URL"), "http://127.0.0.1:8082");
    ck_assert_str_eq(envlist_get(&l, "INVOKER_CONTROL"), "http://127.0.0.1:8079");
    ck_assert_str_eq(envlist_get(&l, "INVOKER_INGRESS"), "127.0.0.1:8080");
    ck_assert_str_eq(envlist_get(&l, "INVOKER_METADATA"), "127.0.0.1:8180");
    ck_assert_str_eq(envlist_get(&l, "SSL_CERT_FILE"), "/k/ca/bundle.pem");
    ck_assert_str_eq(envlist_get(&l, "https_proxy"), "http://127.0.0.1:8080");
    ck_assert_str_eq(envlist_get(&l, "NO_PROXY"), OURS);
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
    up_ready_json(&b, topology, &trust, NULL);
    ck_assert_str_eq(
        b.p, "{\"ready\":true,\"control\":\"http://127.0.0.1:8079\",\"ingress\":\"127.0.0.1:8080\","
             "\"metadata\":\"127.0.0.1:8180\","
             "\"certs_v1\":\"http://127.0.0.1:8180/oauth2/v1/certs\","
             "\"certs_v3\":\"http://127.0.0.1:8180/oauth2/v3/certs\","
             "\"ca\":\"/k/ca/ca.pem\",\"ca_bundle\":\"/k/ca/bundle.pem\",\"state\":null,"
             "\"services\":{"
             "\"a\":{\"url\":\"http://127.0.0.1:8081\",\"metadata\":\"127.0.0.1:8181\","
             "\"upstream\":\"http://127.0.0.1:9081\","
             "\"service_account\":\"a-sa@my-project.iam.gserviceaccount.com\"},"
             "\"b-c\":{\"url\":\"http://127.0.0.1:8082\",\"metadata\":\"127.0.0.1:8182\","
             "\"upstream\":null,"
             "\"service_account\":\"123456789012-compute@developer.gserviceaccount.com\"}}}");
    buf_clear(&b);
    up_ready_json(&b, topology, NULL, "/var/state");
    ck_assert_ptr_nonnull(strstr(b.p, "\"ca\":null,\"ca_bundle\":null,\"state\":\"/var/state\","));
    buf_free(&b);
}
END_TEST

START_TEST(the_table_for_people_has_a_line_for_each_service)
{
    buf b = buf_make(UP_READY_MAX);
    up_ready_text(&b, topology, "/var/state", false);
    ck_assert_ptr_nonnull(strstr(b.p, "Invoker is ready: t.yaml\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "\na        http://127.0.0.1:8081  a-sa@my-project"));
    ck_assert_ptr_nonnull(strstr(b.p, "\nb-c      http://127.0.0.1:8082  123456789012-compute@"));
    ck_assert_ptr_nonnull(strstr(b.p, "none attached (503)\n"));
    ck_assert_ptr_nonnull(strstr(b.p, "\nstate     /var/state\n"));
    ck_assert_ptr_null(strchr(b.p, '\033'));
    ck_assert_ptr_null(strstr(b.p, "audit"));
    buf_clear(&b);
    up_ready_text(&b, topology, NULL, true);
    ck_assert_ptr_nonnull(strstr(b.p, "\nstate     ephemeral: "));
    ck_assert_ptr_nonnull(strchr(b.p, '\033'));
    buf_free(&b);
}
END_TEST

START_TEST(people_are_told_of_audit_mode)
{
    auto_buf buf b = buf_make(UP_READY_MAX);
    snapshot *s = load_good(PROJECT "emulation: {mode: audit}\n");
    up_ready_text(&b, s, NULL, false);
    ck_assert_ptr_nonnull(strstr(b.p, "\nmode      audit: nothing is refused, only recorded"));
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("up_env");
    TCase *t = tcase_create("environment");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_service_gets_what_cloud_run_sets_and_where_the_metadata_server_is);
    tcase_add_test(t, a_given_port_takes_precedence);
    tcase_add_test(t, clients_trust_the_authority_and_use_the_ingress_as_proxy);
    tcase_add_test(t, without_an_authority_or_an_ingress_there_is_less);
    tcase_add_test(t, a_services_own_proxy_variables_win_in_both_spellings);
    tcase_add_test(t, the_users_exceptions_are_kept_and_ours_added_once);
    tcase_add_test(t, a_metadata_server_elsewhere_is_an_exception_too);
    tcase_add_test(t, applying_sets_and_takes_out);
    tcase_add_test(t, names_that_share_a_beginning_are_different_variables);
    tcase_add_test(t, a_command_gets_every_services_url);
    tcase_add_test(t, an_address_of_all_interfaces_is_reached_by_loopback);
    tcase_add_test(t, the_ready_line_has_exactly_this_form);
    tcase_add_test(t, the_table_for_people_has_a_line_for_each_service);
    tcase_add_test(t, people_are_told_of_audit_mode);
    suite_add_tcase(s, t);
    return check_main(s);
}
