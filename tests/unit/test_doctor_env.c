/* What an environment is found fault with, as a table: variables in, codes of findings out. */
#include "topology_fixture.h"

#include "cli/doctor.h"

enum { VARS_MAX = 8, CODES_MAX = 4096 };

static const char text[] = PROJECT "region: us-central1\n"
                                   "listen: { ingress: 127.0.0.1:8080, metadata: 0.0.0.0:8180,"
                                   " control: 127.0.0.1:8079 }\n"
                                   "service_accounts: { a-sa: {}, b-sa: {} }\n"
                                   "services:\n"
                                   "  a: { service_account: a-sa, listen: 127.0.0.1:8081,"
                                   " metadata: 127.0.0.1:8181, upstream: http://127.0.0.1:9081 }\n"
                                   "  b: { service_account: b-sa, listen: 127.0.0.1:8082,"
                                   " metadata: 127.0.0.1:8182 }\n";

#define ALL_OF(address)                                                                            \
    "GCE_METADATA_HOST=" address, "GCE_METADATA_IP=" address, "GCE_METADATA_ROOT=" address
#define NAMES "K_SERVICE=a", "K_REVISION=a-1", "K_CONFIGURATION=a"

typedef struct row {
    const char *vars[VARS_MAX];
    const char *service; /* NULL: nobody in particular */
    const char *codes;   /* of all that is not ok, each with a blank behind it */
} row;

static snapshot *topology;

static void setup(void)
{
    fixture_open();
    topology = load_good(text);
}

static void teardown(void)
{
    snapshot_unref(topology);
    fixture_close();
}

/* ---- where the metadata server is ---- */

static const row metadata_rows[] = {
    {{ALL_OF("127.0.0.1:8181")}, "a", ""},
    {{ALL_OF("localhost:8181")}, "a", ""},
    {{ALL_OF("127.0.0.1:8181")}, NULL, ""},
    {{NULL}, "a", "metadata_variables_missing! "},
    {{NULL}, NULL, "metadata_variables_missing? "},
    {{"GCE_METADATA_HOST=", "GCE_METADATA_IP=", "GCE_METADATA_ROOT="},
     "a",
     "metadata_variables_missing! "},
    {{"GCE_METADATA_HOST=127.0.0.1:8181"},
     "a",
     "metadata_variable_missing! metadata_variable_missing! "},
    {{"GCE_METADATA_HOST=127.0.0.1:8181", "GCE_METADATA_IP=127.0.0.1:8181"},
     "a",
     "metadata_variable_missing! "},
    {{ALL_OF("127.0.0.1:8182")}, "a", "metadata_variable_other! "},
    {{ALL_OF("127.0.0.1:8180")}, "a", "metadata_variable_other? "},
    {{ALL_OF("127.0.0.1:8081")}, "a", "metadata_variable_wrong! "},
    {{ALL_OF("127.0.0.1:8080")}, NULL, "metadata_variable_wrong! "},
    {{ALL_OF("127.0.0.1:8079")}, NULL, "metadata_variable_wrong! "},
    {{ALL_OF("127.0.0.1:9081")}, NULL, "metadata_variable_wrong! "},
    {{ALL_OF("127.0.0.1:1")}, "a", "metadata_variable_wrong! "},
    {{ALL_OF("127.0.0.1:1")}, NULL, "metadata_variable_wrong? "},
    {{ALL_OF("169.254.169.254")}, "a", ""},
    {{ALL_OF("http://127.0.0.1:8181")}, "a", "metadata_variable_form! "},
    {{ALL_OF("127.0.0.1:8181/")}, "a", "metadata_variable_form! "},
    {{ALL_OF("127.0.0.1:8181 ")}, "a", "metadata_variable_form! "},
    {{"GCE_METADATA_HOST=127.0.0.1:8181", "GCE_METADATA_IP=127.0.0.1:8182",
      "GCE_METADATA_ROOT=127.0.0.1:8181"},
     "a",
     "metadata_variable_other! metadata_variables_differ! "},
    {{"GCE_METADATA_HOST=http://127.0.0.1:8181", "GCE_METADATA_IP=127.0.0.1:8181",
      "GCE_METADATA_ROOT=127.0.0.1:8181"},
     "a",
     "metadata_variable_form! "},
};

/* ---- what keeps from it ---- */

static const row switch_rows[] = {
    {{NAMES}, "a", ""},
    {{NULL}, NULL, ""},
    {{NULL}, "a", "service_name? "},
    {{"K_SERVICE=a"}, NULL, "service_name? "},
    {{"K_SERVICE=b", "K_REVISION=b-1", "K_CONFIGURATION=b"}, "a", "service_name! "},
    {{NAMES, "NO_GCE_CHECK=true"}, "a", "no_gce_check! "},
    {{NAMES, "NO_GCE_CHECK=false"}, "a", ""},
    {{"NO_GCE_CHECK=TRUE"}, NULL, "no_gce_check? "},
    {{NAMES, "METADATA_SERVER_DETECTION=none"}, "a", "detection! "},
    {{NAMES, "METADATA_SERVER_DETECTION=nonsense"}, "a", "detection! "},
    {{NAMES, "METADATA_SERVER_DETECTION= Assume-Present "}, "a", ""},
    {{NAMES, "GOOGLE_APPLICATION_CREDENTIALS=/no/such"}, "a", "key_file! "},
    {{"GOOGLE_APPLICATION_CREDENTIALS=t.yaml"}, NULL, "key_file? "},
    {{NAMES, "GOOGLE_CLOUD_PROJECT=other"}, "a", "project? "},
    {{NAMES, "GOOGLE_CLOUD_PROJECT=my-project"}, "a", ""},
    {{NAMES, "PORT=9081"}, "a", ""},
    {{NAMES, "PORT=9082"}, "a", "port? "},
    {{NAMES, "CLOUDSDK_CONFIG=/no/such"}, "a", "gcloud_folder? "},
    {{NAMES, "CLOUDSDK_CONFIG=."}, "a", ""},
    {{NAMES, "CLOUDSDK_CONFIG=adc"}, "a", "user_credentials? "},
    {{NAMES, "HOME=home"}, "a", "user_credentials? "},
    {{NAMES, "GCE_METADATA_MTLS_MODE=strict"}, "a", "mtls! "},
};

/* ---- what gets in between ---- */

#define INGRESS_PROXY                                                                              \
    "HTTPS_PROXY=http://127.0.0.1:8080", "https_proxy=http://127.0.0.1:8080",                      \
        "HTTP_PROXY=http://127.0.0.1:8080", "http_proxy=http://127.0.0.1:8080"

static const row proxy_rows[] = {
    {{NULL}, NULL, ""},
    {{NULL}, "a", "proxy_run_app? "},
    {{INGRESS_PROXY, "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost"}, "a", ""},
    {{INGRESS_PROXY}, "a", "proxy_metadata! "},
    {{"http_proxy=http://corp:3128", "HTTP_PROXY=http://corp:3128"},
     NULL,
     "proxy_metadata! proxy_service! "},
    {{"http_proxy=http://corp:3128", "HTTP_PROXY=http://corp:3128", "NO_PROXY=127.0.0.1",
      "no_proxy=127.0.0.1"},
     NULL,
     ""},
    {{"http_proxy=http://corp:3128", "HTTP_PROXY=http://corp:3128", "NO_PROXY=127.0.0.1"},
     NULL,
     "proxy_spelling? "},
    {{"http_proxy=http://corp:3128", "HTTP_PROXY=http://corp:3128", "NO_PROXY=127.0.0.0/8",
      "no_proxy=127.0.0.0/8"},
     NULL,
     "proxy_metadata! proxy_service! "}, /* Node knows no networks */
};

/* ---- running them ---- */

static char *codes_of(const report *r)
{
    buf b = buf_make(CODES_MAX);
    for (size_t i = 0; i < r->count; i++)
        if (r->findings[i].level != FINDING_OK)
            buf_fmt(&b, "%s%c ", r->findings[i].code,
                    r->findings[i].level == FINDING_PROBLEM ? '!' : '?');
    return b.n ? buf_take(&b) : span_dup((span){0});
}

static void check_row(const row *r, void (*check)(doctor *d))
{
    static char invoker[] = "invoker", mend[] = "eval \"$(invoker env a)\"";
    char *items[VARS_MAX + 1] = {0};
    envlist env = {0};
    report found = {0};
    for (size_t i = 0; i < VARS_MAX && r->vars[i]; i++)
        items[i] = span_dup(span_of(r->vars[i]));
    envlist_inherit(&env, items);
    doctor d = {.report = &found,
                .s = topology,
                .svc = r->service ? snapshot_find_service(topology, span_of(r->service)) : NULL,
                .env = &env,
                .env_name = "this shell",
                .as_invoker = invoker,
                .mend_env = r->service ? mend : NULL};
    check(&d);
    auto_free char *codes = codes_of(&found);
    ck_assert_msg(strcmp(codes, r->codes) == 0, "%s …: expected \"%s\", got \"%s\"",
                  r->vars[0] ? r->vars[0] : "(nothing)", r->codes, codes);
    for (size_t i = 0; i < found.count; i++)
        ck_assert_msg(found.findings[i].level == FINDING_OK || found.findings[i].mend,
                      "%s says no mend", found.findings[i].code);
    report_free(&found);
    envlist_free(&env);
    for (size_t i = 0; i < countof(items); i++)
        free(items[i]);
}

START_TEST(where_the_metadata_server_is_said_to_be)
{
    check_row(&metadata_rows[_i], doctor_env_metadata);
}
END_TEST

START_TEST(what_keeps_a_client_from_it)
{
    error e = {0};
    static const char name[] = "application_default_credentials.json";
    ck_assert(file_mkdirs("adc", 0700, &e) && file_mkdirs("home/.config/gcloud", 0700, &e));
    auto_free char *in_adc = file_join("adc", name);
    auto_free char *in_home = file_join("home/.config/gcloud", name);
    put_file(in_adc, "{}");
    put_file(in_home, "{}");
    check_row(&switch_rows[_i], doctor_env_switches);
}
END_TEST

START_TEST(which_proxies_get_in_between)
{
    check_row(&proxy_rows[_i], doctor_env_proxies);
}
END_TEST

/* Without a service each variable is set by itself. */
START_TEST(a_mend_without_a_service_is_one_export)
{
    static char invoker[] = "invoker";
    char host[] = "GCE_METADATA_HOST=127.0.0.1:8181";
    char *const items[] = {host, NULL};
    envlist env = {0};
    report found = {0};
    envlist_inherit(&env, items);
    doctor d = {.report = &found,
                .s = topology,
                .env = &env,
                .env_name = "this shell",
                .as_invoker = invoker};
    doctor_env_metadata(&d);
    ck_assert_uint_eq(found.count, 3);
    ck_assert_str_eq(found.findings[1].mend, "export GCE_METADATA_IP=127.0.0.1:8181");
    ck_assert_str_eq(found.findings[2].mend, "export GCE_METADATA_ROOT=127.0.0.1:8181");
    report_free(&found);
    envlist_free(&env);
}
END_TEST

/* ---- the report ---- */

START_TEST(an_error_is_taken_apart_into_what_was_seen_and_what_mends_it)
{
    report r = {0};
    const finding *f =
        report_add_error(&r, FINDING_PROBLEM, "keys", "x",
                         "k/a.pem: others may read it; mend with: chmod 600 k/a.pem");
    ck_assert_str_eq(f->seen, "k/a.pem: others may read it");
    ck_assert_str_eq(f->mend, "chmod 600 k/a.pem");
    f = report_add_error(&r, FINDING_PROBLEM, "keys", "x", "no such thing");
    ck_assert_str_eq(f->seen, "no such thing");
    ck_assert_ptr_null(f->mend);
    report_free(&r);
}
END_TEST

START_TEST(control_characters_never_reach_the_terminal)
{
    report r = {0};
    finding *f =
        report_add(&r, FINDING_PROBLEM, "environment", "x", "A=\033[31m\r\n%s", "\033]0;x");
    finding_mend(f, "unset \033A");
    library_row *ruby = report_add_library(&r, "Ruby");
    ruby->why = span_dup(SPAN_LIT("\033[2J"));
    auto_buf buf b = buf_make(CODES_MAX);
    report_write_text(&r, true, false, &b);
    ck_assert_ptr_null(strchr(b.p, '\033'));
    ck_assert_ptr_null(strchr(b.p, '\r'));
    ck_assert_ptr_nonnull(strstr(b.p, "1 problem, 0 warnings, 0 ok"));
    report_free(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("doctor_env");
    TCase *t = tcase_create("environments");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, where_the_metadata_server_is_said_to_be, 0, (int)countof(metadata_rows));
    tcase_add_loop_test(t, what_keeps_a_client_from_it, 0, (int)countof(switch_rows));
    tcase_add_loop_test(t, which_proxies_get_in_between, 0, (int)countof(proxy_rows));
    tcase_add_test(t, a_mend_without_a_service_is_one_export);
    suite_add_tcase(s, t);
    TCase *printed = tcase_create("report");
    tcase_add_test(printed, an_error_is_taken_apart_into_what_was_seen_and_what_mends_it);
    tcase_add_test(printed, control_characters_never_reach_the_terminal);
    suite_add_tcase(s, printed);
    return check_main(s);
}
