/* What refers to something else: ${service.url} in environments, names that only one service may
 * have, and the defaults of everything that was left out. */
#include "topology_fixture.h"

/* The value stands at 5:8. */
#define ENV(value)                                                                                 \
    PROJECT "services:\n"                                                                          \
            "  backend-api: {}\n"                                                                  \
            "  frontend: { env: {\n"                                                               \
            "    X: " value "} }\n"

static const problem_row REFUSED[] = {
    {ENV("'${backnd-api.url}'"), "t.yaml:5:8: X: service 'backnd-api' in '${backnd-api.url}' is "
                                 "not defined; did you mean 'backend-api'?\n"},
    {ENV("'${.url}'"), "t.yaml:5:8: X: service '' in '${.url}' is not defined\n"},
    {ENV("'${frontend.env.X}'"), "t.yaml:5:8: X: '${frontend.env.X}': only a service's url can be "
                                 "referred to\n"},
    {ENV("'${backend-api.host}'"), "t.yaml:5:8: X: '${backend-api.host}': only a service's url can "
                                   "be referred to\n"},
    {ENV("'${HOME}/x'"), "t.yaml:5:8: X: '${HOME}' is not a reference; write ${SERVICE.url}, or "
                         "$${HOME} for the text itself\n"},
    {ENV("'${}'"), "t.yaml:5:8: X: '${}' is not a reference; write ${SERVICE.url}, or $${} for the "
                   "text itself\n"},
    {ENV("'a${backend-api.url'"), "t.yaml:5:8: X: '}' is missing behind '${backend-api.url'\n"},
    {ENV("'${a.url} ${b.url}'"), "t.yaml:5:8: X: service 'a' in '${a.url}' is not defined\n"
                                 "t.yaml:5:8: X: service 'b' in '${b.url}' is not defined\n"},
    {ENV("[a]"), "t.yaml:5:8: X: expected text (\"\" for none), found a list\n"},
    {ENV("~"), "t.yaml:5:8: X: expected text (\"\" for none), found nothing\n"},
    {PROJECT "services: { a: { env: { PORT: 80 } } }\n",
     "t.yaml:2:25: env: 'PORT' is set by Cloud Run itself and cannot be given\n"},
    {PROJECT "services: { a: { env: { K_SERVICE: x } } }\n",
     "t.yaml:2:25: env: 'K_SERVICE' is set by Cloud Run itself and cannot be given\n"},
    {PROJECT "services: { a: { env: { A=B: x } } }\n",
     "t.yaml:2:25: env: expected the name of an environment variable, found 'A=B'\n"},
    {PROJECT "services:\n  a: { hosts: [api.test] }\n  b: { hosts: [x.test, API.test] }\n",
     "t.yaml:4:24: hosts: 'API.test' belongs to service 'a' already\n"},
    {PROJECT "services:\n  a: { addresses: [10.0.0.1] }\n  b: { addresses: [10.0.0.1/32] }\n",
     "t.yaml:4:20: addresses: '10.0.0.1/32' belongs to service 'a' already\n"},
    {PROJECT "services:\n  a: { addresses: [10.0.1.0/16] }\n  b: { addresses: [10.0.2.0/16] }\n",
     "t.yaml:4:20: addresses: '10.0.2.0/16' belongs to service 'a' already\n"},
    {PROJECT "services:\n  a: { addresses: [app] }\n  b: { addresses: [app] }\n",
     "t.yaml:4:20: addresses: 'app' belongs to service 'a' already\n"},
};

START_TEST(what_is_refused_says_where_and_why)
{
    check_problems(&REFUSED[_i]);
}
END_TEST

static const char *const ACCEPTED[] = {
    PROJECT "services:\n  a: { hosts: [a.test, A.test] }\n  b: { hosts: [b.test] }\n",
    PROJECT "services:\n  a: { addresses: [10.0.0.0/8] }\n  b: { addresses: [10.0.0.0/16] }\n",
    PROJECT "services: { a: { env: { PORTS: 80, port: 1 } } }\n",
    /* Two services may call each other: a URL needs no other one to be known. */
    PROJECT "services:\n  a: { env: { B: '${b.url}' } }\n  b: { env: { A: '${a.url}' } }\n",
    PROJECT "services: { a: { env: { OWN: '${a.url}' } } }\n",
};

START_TEST(what_is_accepted_beside_it)
{
    check_good(ACCEPTED[_i]);
}
END_TEST

typedef struct value_row {
    const char *text, *value;
} value_row;

static const value_row VALUES[] = {
    {ENV("'${backend-api.url}'"), "http://127.0.0.1:8081"},
    {ENV("'${backend-api.url}/api?x=${frontend.url}'"),
     "http://127.0.0.1:8081/api?x=http://127.0.0.1:8082"},
    {ENV("'$${HOME} costs 5$ or $x'"), "${HOME} costs 5$ or $x"},
    {ENV("8080"), "8080"},
    {ENV("true"), "true"},
    {ENV("''"), ""},
};

START_TEST(references_become_urls)
{
    snapshot *s = load_good(VALUES[_i].text);
    const service *frontend = snapshot_find_service(s, SPAN_LIT("frontend"));
    ck_assert_uint_eq(frontend->env_count, 1);
    ck_assert_str_eq(frontend->env[0].name, "X");
    ck_assert_str_eq(frontend->env[0].value, VALUES[_i].value);
    snapshot_unref(s);
}
END_TEST

START_TEST(what_is_left_out_has_productions_defaults)
{
    snapshot *s = load_good("project: {id: my-project}\nservices: {api: {}}\n");
    const project *p = snapshot_project(s);
    ck_assert_str_eq(p->id, "my-project");
    ck_assert_str_eq(p->number, "123456789012");
    ck_assert_str_eq(p->region, "us-central1");
    ck_assert_str_eq(p->default_account, "123456789012-compute@developer.gserviceaccount.com");
    ck_assert_str_eq(p->ingress_listen, "127.0.0.1:8080");
    ck_assert_str_eq(p->metadata_listen, "127.0.0.1:8180");
    ck_assert_str_eq(p->control_listen, "127.0.0.1:8079");
    ck_assert_str_eq(p->file, "t.yaml");
    ck_assert_ptr_null(p->keys_dir);
    ck_assert(!p->egress_allow);
    const emulation *e = snapshot_emulation(s);
    ck_assert_int_eq(e->token_lifetime_s, 3600);
    ck_assert_int_eq(e->clock_skew_s, 60);
    ck_assert_int_eq(e->propagation.max_s, 0);
    const service *api = snapshot_service(s, 0);
    ck_assert_str_eq(api->listen, "127.0.0.1:8081");
    ck_assert_str_eq(api->metadata, "127.0.0.1:8181");
    ck_assert_ptr_null(api->upstream);
    ck_assert_str_eq(api->url, "http://127.0.0.1:8081");
    ck_assert_int_eq(api->ingress, INGRESS_ALL);
    ck_assert(api->iam_check);
    ck_assert(!api->default_url_disabled);
    ck_assert_int_eq(api->timeout_us, 300 * INT64_C(1000000));
    ck_assert_uint_eq(api->body_limit, 32 * 1024 * 1024);
    ck_assert_uint_eq(api->response_limit, 32 * 1024 * 1024);
    ck_assert(!api->use_http2);
    ck_assert_uint_eq(api->max_instances, 0);
    ck_assert_uint_eq(api->concurrency, 80);
    ck_assert_ptr_null(api->command);
    ck_assert_uint_eq(api->env_count, 0);
    ck_assert_ptr_null(api->custom_audiences[0]);
    ck_assert_ptr_null(api->hosts[0]);
    ck_assert_ptr_null(api->addresses[0]);
    ck_assert_uint_eq(api->place.line, 2);
    snapshot_unref(s);
}
END_TEST

START_TEST(what_is_given_arrives)
{
    snapshot *s = load_good(
        "project: {id: other-project, number: 42}\nregion: europe-west1\nlimits: {request_body: "
        "off}\nemulation: {propagation_delay: 2m, token_lifetime: 60s, clock_skew: 0s}\n"
        "users: [alice@example.com]\negress: allow\n"
        "services:\n"
        "  api:\n"
        "    url: https://api.example.test/\n"
        "    upstream: http://app\n"
        "    ingress: internal\n"
        "    timeout: 1m30s\n"
        "    invoker_iam_check: false\n"
        "    default_url: false\n"
        "    use_http2: true\n"
        "    max_instances: 3\n"
        "    concurrency: 2\n"
        "    limits: {request_body: 32MiB, response_body: off}\n"
        "    command: [./run, -v]\n"
        "    custom_audiences: [one, two]\n"
        "    hosts: [api.example.test]\n"
        "    addresses: [10.0.0.0/8]\n"
        "  other: {}\n");
    const service *api = snapshot_service(s, 0);
    ck_assert_str_eq(snapshot_project(s)->region, "europe-west1");
    ck_assert_str_eq(snapshot_project(s)->default_account, "42-compute@developer.gserviceaccount."
                                                           "com");
    ck_assert_int_eq(snapshot_emulation(s)->propagation.min_s, 120);
    ck_assert_int_eq(snapshot_emulation(s)->token_lifetime_s, 60);
    ck_assert_int_eq(snapshot_emulation(s)->clock_skew_s, 0);
    ck_assert_uint_eq(snapshot_user_count(s), 1);
    ck_assert_str_eq(api->url, "https://api.example.test");
    ck_assert_str_eq(api->upstream, "app:80");
    ck_assert_int_eq(api->ingress, INGRESS_INTERNAL);
    ck_assert_int_eq(api->timeout_us, 90 * INT64_C(1000000));
    ck_assert(!api->iam_check);
    ck_assert(api->default_url_disabled);
    ck_assert(api->use_http2);
    ck_assert_uint_eq(api->max_instances, 3);
    ck_assert_uint_eq(api->concurrency, 2);
    ck_assert(snapshot_project(s)->egress_allow);
    ck_assert_uint_eq(api->body_limit, 32 * 1024 * 1024);
    ck_assert_uint_eq(api->response_limit, 0);
    ck_assert_uint_eq(snapshot_service(s, 1)->body_limit, 0);
    ck_assert_uint_eq(snapshot_service(s, 1)->response_limit, 32 * 1024 * 1024);
    ck_assert_str_eq(api->command[1], "-v");
    ck_assert_ptr_null(api->command[2]);
    ck_assert_str_eq(api->custom_audiences[1], "two");
    ck_assert_str_eq(api->hosts[0], "api.example.test");
    ck_assert_str_eq(api->addresses[0], "10.0.0.0/8");
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("topology references");
    TCase *t = tcase_create("references and defaults");
    tcase_add_checked_fixture(t, fixture_open, fixture_close);
    tcase_add_loop_test(t, what_is_refused_says_where_and_why, 0, countof(REFUSED));
    tcase_add_loop_test(t, what_is_accepted_beside_it, 0, countof(ACCEPTED));
    tcase_add_loop_test(t, references_become_urls, 0, countof(VALUES));
    tcase_add_test(t, what_is_left_out_has_productions_defaults);
    tcase_add_test(t, what_is_given_arrives);
    suite_add_tcase(s, t);
    return check_main(s);
}
