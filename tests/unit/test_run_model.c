/* What the API shows of a service that the topology's file has. */
#include "control/run_model.h"

#include "run_fixture.h"

static snapshot *s;

static void setup(void)
{
    s = fixture_tutorial();
}
static void teardown(void)
{
    snapshot_unref(s);
}

static json_t *entry_of(const char *name)
{
    return run_entry_of_file(s, fixture_find(s, name), "0123456789abcdef", NOW_US);
}

static run_view view_of(const char *name, const json_t *entry)
{
    const service *svc = fixture_find(s, name);
    return (run_view){snapshot_project(s), svc->name, svc->url, entry};
}

static json_t *object_of(const char *name)
{
    json_auto_t *entry = entry_of(name);
    const run_view v = view_of(name, entry);
    return run_service_object(&v);
}

START_TEST(a_service_of_the_file_looks_as_if_it_had_been_deployed)
{
    json_auto_t *o = object_of("backend-api");
    ck_assert_str_eq(run_text(o, "kind"), "Service");
    ck_assert_str_eq(run_text(o, "metadata.name"), "backend-api");
    ck_assert_str_eq(run_text(o, "metadata.namespace"), "123456789012");
    ck_assert_str_eq(run_text(o, "metadata.resourceVersion"), "0123456789abcdef");
    ck_assert_str_eq(run_text(o, "metadata.selfLink"),
                     "/apis/serving.knative.dev/v1/namespaces/123456789012/services/backend-api");
    ck_assert_str_eq(run_member(o, "metadata.labels", RUN_LOCATION), "us-central1");
    ck_assert_str_eq(run_member(o, "metadata.annotations", RUN_AUDIENCES),
                     "[\"backend-api.internal\",\"https://api.example.net\"]");
    ck_assert_str_eq(run_text(o, "spec.template.spec.serviceAccountName"), BACKEND);
    ck_assert_int_eq(run_int(o, "metadata.generation", 0), 1);
    ck_assert_int_eq(run_int(o, "status.observedGeneration", 0), 1);
}
END_TEST

START_TEST(gcloud_finds_all_that_it_prints)
{
    json_auto_t *o = object_of("frontend");
    const json_t *container = json_array_get(run_at(o, "spec.template.spec.containers"), 0);
    ck_assert_str_eq(run_text(container, "name"), "frontend-1");
    ck_assert_int_eq(run_int(json_array_get(run_at(container, "ports"), 0), "containerPort", 0),
                     8080);
    ck_assert_str_eq(run_text(container, "resources.limits.memory"), "512Mi");
    ck_assert_str_eq(run_member(o, "metadata.annotations", RUN_MODIFIER), "t.yaml");
    ck_assert_str_eq(run_member(o, "metadata.annotations", RUN_INGRESS), "all");
    size_t i;
    json_t *c;
    json_array_foreach (run_at(o, "status.conditions"), i, c) {
        ck_assert_str_eq(run_text(c, "status"), "True");
    }
    ck_assert_uint_eq(i, 3);
    const char *latest = run_text(o, "status.latestReadyRevisionName");
    ck_assert_str_eq(latest, fixture_find(s, "frontend")->revision);
    const json_t *traffic = json_array_get(run_at(o, "status.traffic"), 0);
    ck_assert_str_eq(run_text(traffic, "revisionName"), latest);
    ck_assert_int_eq(run_int(traffic, "percent", 0), 100);
}
END_TEST

START_TEST(the_url_that_works_here_comes_first_then_the_ones_of_production)
{
    json_auto_t *o = object_of("backend-api");
    json_auto_t *urls = json_loads(run_member(o, "metadata.annotations", RUN_URLS), 0, NULL);
    ck_assert_uint_eq(json_array_size(urls), 3);
    ck_assert_str_eq(json_string_value(json_array_get(urls, 0)), "http://127.0.0.1:8082");
    ck_assert_str_eq(json_string_value(json_array_get(urls, 1)), DET_URL);
    ck_assert_str_eq(json_string_value(json_array_get(urls, 2)),
                     fixture_find(s, "backend-api")->hash_url);
    ck_assert_str_eq(run_text(o, "status.url"), "http://127.0.0.1:8082");
    ck_assert_str_eq(run_text(o, "status.address.url"), "http://127.0.0.1:8082");
}
END_TEST

START_TEST(a_disabled_default_url_is_not_shown)
{
    json_auto_t *entry = entry_of("backend-api");
    run_set_text(run_at(entry, "knative.metadata.annotations"), RUN_URL_DISABLED, "true");
    const run_view v = view_of("backend-api", entry);
    json_auto_t *urls = run_urls(&v);
    ck_assert_uint_eq(json_array_size(urls), 1);
}
END_TEST

START_TEST(a_revision_carries_its_service_and_its_template)
{
    json_auto_t *entry = entry_of("frontend");
    const run_view v = view_of("frontend", entry);
    json_auto_t *r = run_revision_object(&v, revision_latest(entry));
    ck_assert_str_eq(run_text(r, "kind"), "Revision");
    ck_assert_str_eq(run_text(r, "metadata.name"), fixture_find(s, "frontend")->revision);
    ck_assert_str_eq(run_member(r, "metadata.labels", "serving.knative.dev/service"), "frontend");
    ck_assert_str_eq(run_text(r, "spec.serviceAccountName"), FRONTEND);
    const json_t *ready = json_array_get(run_at(r, "status.conditions"), 0);
    ck_assert_str_eq(run_text(ready, "type"), "Ready");
    ck_assert_str_eq(run_text(ready, "status"), "True");
}
END_TEST

START_TEST(what_the_file_says_is_in_the_template)
{
    static const env_var env[] = {{"A", "1"}, {"B", ""}};
    snapshot_builder *b = fixture_builder();
    fixture_service(b,
                    (service){.name = "grpc",
                              .listen = "127.0.0.1:8090",
                              .use_http2 = true,
                              .max_instances = 3,
                              .concurrency = 7,
                              .timeout_us = 250000,
                              .ingress = INGRESS_INTERNAL,
                              .env = env,
                              .env_count = 2},
                    NULL);
    snapshot *mine = fixture_build(b);
    json_auto_t *entry = run_entry_of_file(mine, fixture_find(mine, "grpc"), "1", NOW_US);
    const json_t *template = run_at(entry, "knative.spec.template");
    const json_t *container = json_array_get(run_at(template, "spec.containers"), 0);
    ck_assert_str_eq(run_text(json_array_get(run_at(container, "ports"), 0), "name"), "h2c");
    ck_assert_str_eq(run_text(json_array_get(run_at(container, "env"), 1), "name"), "B");
    ck_assert_str_eq(run_member(template, "metadata.annotations", RUN_MAX_SCALE), "3");
    ck_assert_int_eq(run_int(template, "spec.containerConcurrency", 0), 7);
    ck_assert_int_eq(run_int(template, "spec.timeoutSeconds", 0), 1);
    ck_assert_str_eq(run_text(template, "spec.serviceAccountName"), COMPUTE);
    ck_assert_str_eq(run_member(entry, "knative.metadata.annotations", RUN_INGRESS), "internal");
    snapshot_unref(mine);
}
END_TEST

START_TEST(traffic_counts_by_name_and_by_being_the_latest)
{
    json_auto_t *entry = entry_of("frontend");
    const char *latest = revision_name(revision_latest(entry));
    ck_assert_int_eq(revision_share(entry, latest), 100);
    ck_assert_int_eq(revision_share(entry, "frontend-00009-zzz"), 0);
    json_t *traffic = run_at(entry, "knative.spec.traffic");
    json_t *named = json_pack("{s:i, s:s}", "percent", 30, "revisionName", latest);
    run_set(json_array_get(traffic, 0), "percent", json_integer(60));
    run_push(traffic, named);
    ck_assert_int_eq(revision_share(entry, latest), 90);
}
END_TEST

START_TEST(most_requests_decide_which_revision_serves)
{
    json_auto_t *entry =
        fixture_json("{'revisions':[{'metadata':{'name':'a'}},{'metadata':{'name':'b'}},"
                     "{'metadata':{'name':'c'}}],'knative':{'spec':{'traffic':[]}}}");
    static const struct {
        const char *traffic, *serves;
    } cases[] = {
        {"[]", "c"},
        {"[{'percent':100,'latestRevision':true}]", "c"},
        {"[{'percent':100,'revisionName':'a'}]", "a"},
        {"[{'percent':40,'revisionName':'a'},{'percent':60,'revisionName':'b'}]", "b"},
        {"[{'percent':50,'revisionName':'a'},{'percent':50,'revisionName':'b'}]", "b"},
        {"[{'percent':50,'revisionName':'a'},{'percent':50,'latestRevision':true}]", "c"},
        {"[{'percent':30,'revisionName':'a'},{'percent':30,'revisionName':'a'},"
         "{'percent':40,'latestRevision':true}]",
         "a"},
    };
    for (size_t i = 0; i < countof(cases); i++) {
        run_set(run_at(entry, "knative.spec"), "traffic", fixture_json(cases[i].traffic));
        ck_assert_str_eq(revision_name(revision_serving(entry)), cases[i].serves);
    }
    json_auto_t *bare = json_object();
    ck_assert_ptr_null(revision_serving(bare));
}
END_TEST

START_TEST(a_uuid_is_one_and_depends_on_all_it_is_made_of)
{
    char a[RUN_UUID_TEXT], b[RUN_UUID_TEXT];
    run_uuid("service", "shop", "1", a);
    run_uuid("service", "shop", "2", b);
    ck_assert_uint_eq(strlen(a), 36);
    ck_assert_int_eq(a[14], '5');
    ck_assert(strchr("89ab", a[19]) != NULL);
    ck_assert_str_ne(a, b);
    run_uuid("service", "shop", "1", b);
    ck_assert_str_eq(a, b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_model");
    TCase *t = tcase_create("run_model");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_service_of_the_file_looks_as_if_it_had_been_deployed);
    tcase_add_test(t, gcloud_finds_all_that_it_prints);
    tcase_add_test(t, the_url_that_works_here_comes_first_then_the_ones_of_production);
    tcase_add_test(t, a_disabled_default_url_is_not_shown);
    tcase_add_test(t, a_revision_carries_its_service_and_its_template);
    tcase_add_test(t, what_the_file_says_is_in_the_template);
    tcase_add_test(t, traffic_counts_by_name_and_by_being_the_latest);
    tcase_add_test(t, most_requests_decide_which_revision_serves);
    tcase_add_test(t, a_uuid_is_one_and_depends_on_all_it_is_made_of);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
