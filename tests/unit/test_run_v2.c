/* The same service in the words of both versions of the API. */
#include "control/run_v2.h"

#include "control/run_change.h"
#include "run_fixture.h"

#define FULL "projects/my-project/locations/us-central1/services/shop"

static snapshot *s;

static void setup(void)
{
    s = fixture_tutorial();
}
static void teardown(void)
{
    snapshot_unref(s);
}

static run_view view_of(const json_t *entry)
{
    return (run_view){snapshot_project(s), "shop", "http://127.0.0.1:8090", entry};
}

static json_t *changed(const json_t *before, const json_t *wanted, uint64_t random)
{
    run_refusal why;
    const run_change c = {s, "shop", before, wanted, "alice@example.com", NOW_US, random};
    json_t *entry = run_change_entry(&c, &why);
    ck_assert_msg(entry != NULL, "%s", why.text);
    return entry;
}

static json_t *deployed(void)
{
    json_auto_t *wanted = fixture_json(DEPLOY);
    return changed(NULL, wanted, 1);
}

static json_t *v2_of(const json_t *entry)
{
    const run_view v = view_of(entry);
    return run_v2_service(&v);
}

static json_t *knative_of(const json_t *v2, const json_t *before, size_t expected)
{
    json_auto_t *violations = json_array();
    json_t *k = run_v2_to_knative(v2, "shop", before, violations);
    auto_free char *text = json_dumps(violations, 0);
    ck_assert_msg(json_array_size(violations) == expected, "%s", text);
    return k;
}

static void expect(const json_t *o, const char *path, const char *json)
{
    json_auto_t *want = fixture_json(json);
    const json_t *got = run_at(o, path);
    auto_free char *text = got ? json_dumps(got, JSON_ENCODE_ANY) : NULL;
    ck_assert_msg(got && json_equal(got, want), "%s is %s, not %s", path, text ? text : "absent",
                  json);
}

START_TEST(a_deployed_service_is_seen_by_version_2)
{
    json_auto_t *entry = deployed();
    json_auto_t *v2 = v2_of(entry);
    const char *latest = revision_name(revision_latest(entry));
    auto_free char *full = NULL;
    ck_assert_int_gt(asprintf(&full, "'" FULL "/revisions/%s'", latest), 0);
    expect(v2, "name", "'" FULL "'");
    expect(v2, "generation", "'1'");
    expect(v2, "ingress", "'INGRESS_TRAFFIC_ALL'");
    expect(v2, "launchStage", "'GA'");
    expect(v2, "client", "'gcloud'");
    expect(v2, "creator", "'alice@example.com'");
    expect(v2, "uri", "'http://127.0.0.1:8090'");
    expect(v2, "etag", "'\\'0000000000000001\\''");
    expect(v2, "terminalCondition.state", "'CONDITION_SUCCEEDED'");
    expect(v2, "latestReadyRevision", full);
    expect(v2, "template.serviceAccount", "'" FRONTEND "'");
    expect(v2, "template.timeout", "'300s'");
    expect(v2, "template.maxInstanceRequestConcurrency", "80");
    expect(v2, "traffic", "[{'type':'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST','percent':100}]");
    const json_t *container = json_array_get(run_at(v2, "template.containers"), 0);
    expect(container, "image", "'" IMAGE "'");
    expect(container, "env", "[{'name':'BACKEND_URL','value':'http://backend.example'}]");
    expect(container, "resources",
           "{'limits':{'cpu':'1000m','memory':'512Mi'},'cpuIdle':true,'startupCpuBoost':true}");
    ck_assert_ptr_null(run_at(v2, "annotations"));
    ck_assert_ptr_null(run_at(v2, "labels"));
}
END_TEST

static const struct {
    const char *path, *json;      /* in v2 */
    const char *knative, *became; /* there */
} fields[] = {
    {"description", "'shoes'", "metadata.annotations", "run.googleapis.com/description=shoes"},
    {"ingress", "'INGRESS_TRAFFIC_INTERNAL_ONLY'", "metadata.annotations",
     "run.googleapis.com/ingress=internal"},
    {"ingress", "'INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER'", "metadata.annotations",
     "run.googleapis.com/ingress=internal-and-cloud-load-balancing"},
    {"ingress", "'INGRESS_TRAFFIC_NONE'", "metadata.annotations",
     "run.googleapis.com/ingress=none"},
    {"ingress", "2", "metadata.annotations", "run.googleapis.com/ingress=internal"},
    {"template.executionEnvironment", "2", "spec.template.metadata.annotations",
     "run.googleapis.com/execution-environment=gen2"},
    {"customAudiences", "['a','https://b']", "metadata.annotations",
     "run.googleapis.com/custom-audiences=[\"a\",\"https://b\"]"},
    {"invokerIamDisabled", "true", "metadata.annotations",
     "run.googleapis.com/invoker-iam-disabled=true"},
    {"defaultUriDisabled", "true", "metadata.annotations",
     "run.googleapis.com/default-url-disabled=true"},
    {"scaling.minInstanceCount", "2", "metadata.annotations", "run.googleapis.com/minScale=2"},
    {"labels.[team]", "'a'", "metadata.labels", "team=a"},
    {"annotations.[my.note]", "'b'", "metadata.annotations", "my.note=b"},
    {"template.scaling.maxInstanceCount", "7", "spec.template.metadata.annotations",
     "autoscaling.knative.dev/maxScale=7"},
    {"template.scaling.maxInstanceCount", "'7'", "spec.template.metadata.annotations",
     "autoscaling.knative.dev/maxScale=7"},
    {"template.executionEnvironment", "'EXECUTION_ENVIRONMENT_GEN2'",
     "spec.template.metadata.annotations", "run.googleapis.com/execution-environment=gen2"},
    {"template.vpcAccess.egress", "'ALL_TRAFFIC'", "spec.template.metadata.annotations",
     "run.googleapis.com/vpc-access-egress=all-traffic"},
    {"template.labels.[tier]", "'x'", "spec.template.metadata.labels", "tier=x"},
    {"template.revision", "'shop-green'", "spec.template.metadata", "name=shop-green"},
    {"template.serviceAccount", "'" BACKEND "'", "spec.template.spec",
     "serviceAccountName=" BACKEND},
    {"template.nodeSelector.accelerator", "'nvidia-l4'", "spec.template.spec.nodeSelector",
     "run.googleapis.com/accelerator=nvidia-l4"},
};

START_TEST(a_field_goes_there_and_back)
{
    json_auto_t *entry = deployed();
    json_auto_t *v2 = v2_of(entry);
    fixture_put(v2, fields[_i].path, fields[_i].json);
    json_auto_t *k = knative_of(v2, entry, 0);
    auto_free char *name = strdup(fields[_i].became);
    char *equals = strchr(name, '=');
    *equals = '\0';
    const char *got = run_member(k, fields[_i].knative, name);
    ck_assert_msg(got && strcmp(got, equals + 1) == 0, "%s: %s", name, got ? got : "absent");
    json_auto_t *second = changed(entry, k, 2);
    json_auto_t *back = v2_of(second);
    json_auto_t *again = knative_of(back, second, 0);
    ck_assert_pstr_eq(run_member(again, fields[_i].knative, name), equals + 1);
}
END_TEST

/* As clients send it that have all fields of a message: enums as numbers, what is unset as 0. */
START_TEST(traffic_goes_where_its_type_says_by_name_or_number)
{
    static const struct {
        const char *target, *knative;
    } rows[] = {
        {"{'type':1,'revision':'','percent':100}", "[{'latestRevision':true,'percent':100}]"},
        {"{'type':2,'revision':'shop-1','percent':100}",
         "[{'revisionName':'shop-1','percent':100}]"},
        {"{'type':'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION','revision':'shop-1','percent':100}",
         "[{'revisionName':'shop-1','percent':100}]"},
        {"{'type':0,'revision':'shop-1','percent':100}",
         "[{'revisionName':'shop-1','percent':100}]"},
        {"{'type':'TRAFFIC_TARGET_ALLOCATION_TYPE_UNSPECIFIED','percent':100}",
         "[{'latestRevision':true,'percent':100}]"},
        {"{'revision':'shop-1','percent':100}", "[{'revisionName':'shop-1','percent':100}]"},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        json_auto_t *entry = deployed();
        json_auto_t *v2 = v2_of(entry);
        fixture_put(v2, "traffic", "[]");
        ck_assert_int_eq(
            json_array_append_new(json_object_get(v2, "traffic"), fixture_json(rows[i].target)), 0);
        fixture_put(v2, "template.executionEnvironment", "0");
        json_auto_t *k = knative_of(v2, entry, 0);
        expect(k, "spec.traffic", rows[i].knative);
    }
}
END_TEST

START_TEST(sending_back_what_was_read_makes_no_revision)
{
    json_auto_t *entry = deployed();
    json_auto_t *v2 = v2_of(entry);
    json_auto_t *k = knative_of(v2, entry, 0);
    json_auto_t *second = changed(entry, k, 2);
    auto_free char *was = json_dumps(run_at(entry, "knative.spec.template"), JSON_SORT_KEYS);
    auto_free char *is = json_dumps(run_at(second, "knative.spec.template"), JSON_SORT_KEYS);
    ck_assert_str_eq(is, was);
    ck_assert_uint_eq(json_array_size(run_at(second, "revisions")), 1);
    ck_assert_pstr_eq(
        run_member(second, "knative.metadata.annotations", "run.googleapis.com/client-name"),
        "gcloud");
}
END_TEST

START_TEST(containers_of_all_kinds_go_there_and_back)
{
    json_auto_t *v2 = fixture_json(
        "{'template':{'timeout':'12.5s','maxInstanceRequestConcurrency':9,'containers':["
        "{'name':'app','image':'a','command':['sh'],'args':['-c','true'],'dependsOn':['db'],"
        "'env':[{'name':'A','value':'1'},"
        "{'name':'S','valueSource':{'secretKeyRef':{'secret':'pw','version':'3'}}}],"
        "'ports':[{'name':'h2c','containerPort':9000}],"
        "'resources':{'limits':{'cpu':'2'},'cpuIdle':false,'startupCpuBoost':true},"
        "'volumeMounts':[{'name':'v','mountPath':'/v'}],"
        "'startupProbe':{'tcpSocket':{'port':9000}}},"
        "{'name':'db','image':'b'}],"
        "'volumes':[{'name':'v','secret':{'secret':'pw','items':[{'path':'p','version':'1'}]}},"
        "{'name':'e','emptyDir':{'medium':'MEMORY'}},"
        "{'name':'g','gcs':{'bucket':'b','readOnly':true}},"
        "{'name':'c','cloudSqlInstance':{'instances':['p:r:i']}}]},"
        "'traffic':[{'type':'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST','percent':100,'tag':'t'}]}");
    json_auto_t *k = knative_of(v2, NULL, 0);
    expect(k, "spec.template.spec.timeoutSeconds", "13");
    expect(k, "spec.template.spec.containerConcurrency", "9");
    const json_t *app = json_array_get(run_at(k, "spec.template.spec.containers"), 0);
    expect(json_array_get(run_at(app, "env"), 1), "valueFrom.secretKeyRef",
           "{'name':'pw','key':'3'}");
    const json_t *notes = run_at(k, "spec.template.metadata.annotations");
    ck_assert_str_eq(
        json_string_value(json_object_get(notes, "run.googleapis.com/cloudsql-instances")),
        "p:r:i");
    ck_assert_str_eq(json_string_value(json_object_get(notes, "run.googleapis.com/cpu-throttling")),
                     "false");
    ck_assert_str_eq(
        json_string_value(json_object_get(notes, "run.googleapis.com/container-dependencies")),
        "{\"app\":[\"db\"]}");
    expect(json_array_get(run_at(k, "spec.template.spec.volumes"), 0), "secret",
           "{'secretName':'pw','items':[{'path':'p','key':'1'}]}");
    json_auto_t *entry = changed(NULL, k, 1);
    json_auto_t *back = v2_of(entry);
    const json_t *got = run_at(back, "template.containers"), *sent = run_at(v2, "template");
    ck_assert(json_equal(json_object_get(json_array_get(got, 0), "env"),
                         json_object_get(json_array_get(run_at(sent, "containers"), 0), "env")));
    expect(json_array_get(got, 0), "dependsOn", "['db']");
    expect(json_array_get(got, 0), "startupProbe", "{'tcpSocket':{'port':9000}}");
    const json_t *volumes = run_at(back, "template.volumes");
    for (size_t i = 0; i < 3; i++)
        ck_assert_msg(
            json_equal(json_array_get(volumes, i), json_array_get(run_at(sent, "volumes"), i)),
            "volume %zu", i);
    expect(json_array_get(volumes, 3), "cloudSqlInstance", "{'instances':['p:r:i']}");
    expect(back, "traffic",
           "[{'type':'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST','percent':100,'tag':'t'}]");
}
END_TEST

static const struct {
    const char *path, *json, *field;
} wrong[] = {
    {"shape", "1", "service"},
    {"template.image", "'x'", "template"},
    {"template.containers.0.cmd", "[]", "template.containers[0]"},
    {"ingress", "'internal'", "ingress"},
    {"ingress", "7", "ingress"},
    {"invokerIamDisabled", "'true'", "invokerIamDisabled"},
    {"customAudiences", "'a'", "customAudiences"},
    {"labels", "[]", "labels"},
    {"labels.[run.googleapis.com/x]", "'y'", "labels"},
    {"annotations.[serving.knative.dev/x]", "'y'", "annotations"},
    {"template.timeout", "'5m'", "template.timeout"},
    {"template.timeout", "'xs'", "template.timeout"},
    {"template.timeout", "300", "template.timeout"},
    {"template.scaling.maxInstanceCount", "-1", "template.scaling.maxInstanceCount"},
    {"template.scaling.maxInstanceCount", "'many'", "template.scaling.maxInstanceCount"},
    {"scaling", "'many'", "scaling"},
    {"template.vpcAccess", "[]", "template.vpcAccess"},
    {"template", "[]", "template"},
    {"traffic", "{}", "traffic"},
};

START_TEST(what_version_2_does_not_know_is_named)
{
    json_auto_t *entry = deployed();
    json_auto_t *v2 = v2_of(entry);
    fixture_put(v2, wrong[_i].path, wrong[_i].json);
    json_auto_t *violations = json_array();
    json_decref(run_v2_to_knative(v2, "shop", entry, violations));
    ck_assert_pstr_eq(run_text(json_array_get(violations, 0), "field"), wrong[_i].field);
}
END_TEST

/* From {description: old, labels: {a: 1, b.c: 2}, customAudiences: [x]} by what is sent. */
static const struct {
    const char *mask, *sent, *then; /* NULL: a path that is none */
} masks[] = {
    {"description", "{'description':'new','labels':{}}",
     "{'description':'new','labels':{'a':'1','b.c':'2'},'customAudiences':['x']}"},
    {"description", "{}", "{'labels':{'a':'1','b.c':'2'},'customAudiences':['x']}"},
    {"labels.b.c", "{'labels':{'b.c':'3'}}",
     "{'description':'old','labels':{'b.c':'3'},'customAudiences':['x']}"},
    {"custom_audiences, description", "{'description':'new'}",
     "{'description':'new','labels':{'a':'1','b.c':'2'}}"},
    {"template.serviceAccount", "{'template':{'serviceAccount':'e','timeout':'1s'}}",
     "{'description':'old','labels':{'a':'1','b.c':'2'},'customAudiences':['x'],"
     "'template':{'serviceAccount':'e'}}"},
    {"template.service_account", "{'template':{'serviceAccount':'e'}}",
     "{'description':'old','labels':{'a':'1','b.c':'2'},'customAudiences':['x'],"
     "'template':{'serviceAccount':'e'}}"},
    {"", "{'description':'new','uid':'mine'}", "{'description':'new'}"},
    {"*", "{'description':'new'}", "{'description':'new'}"},
    {"uid,uri", "{'uid':'mine','uri':'x'}",
     "{'description':'old','labels':{'a':'1','b.c':'2'},'customAudiences':['x']}"},
    {"description,colour", "{}", NULL},
    {"description,", "{}", "{'labels':{'a':'1','b.c':'2'},'customAudiences':['x']}"},
};

START_TEST(a_mask_says_what_is_taken)
{
    json_auto_t *now =
        fixture_json("{'description':'old','labels':{'a':'1','b.c':'2'},'customAudiences':['x']}");
    json_auto_t *sent = fixture_json(masks[_i].sent);
    span bad = {0};
    json_auto_t *got = run_v2_patched(now, sent, span_of(masks[_i].mask), &bad);
    if (!masks[_i].then) {
        ck_assert_ptr_null(got);
        ck_assert(span_eq_str(bad, "colour"));
        return;
    }
    json_auto_t *want = fixture_json(masks[_i].then);
    auto_free char *text = json_dumps(got, 0);
    ck_assert_msg(json_equal(got, want), "%s: %s", masks[_i].mask, text);
}
END_TEST

static const struct {
    const char *knative, *v2;
} names[] = {
    {"spec.template.spec.containers[0].env", "template.containers[0].env"},
    {"spec.template.spec.timeoutSeconds", "template.timeout"},
    {"spec.template.metadata.name", "template.revision"},
    {"spec.traffic[1].percent", "traffic[1].percent"},
    {"metadata.annotations[run.googleapis.com/ingress]", "ingress"},
    {"metadata.name", "name"},
    {"kind", "kind"},
};

START_TEST(a_field_is_called_as_version_2_calls_it)
{
    auto_buf buf b = buf_make(256);
    run_v2_field_of(names[_i].knative, &b);
    ck_assert_str_eq(b.p, names[_i].v2);
}
END_TEST

START_TEST(an_etag_fits_with_and_without_its_quotes)
{
    json_auto_t *entry = deployed();
    ck_assert(run_v2_etag_fits(entry, "\"0000000000000001\""));
    ck_assert(run_v2_etag_fits(entry, "0000000000000001"));
    ck_assert(run_v2_etag_fits(entry, NULL));
    ck_assert(run_v2_etag_fits(entry, ""));
    ck_assert(!run_v2_etag_fits(entry, "\"0000000000000002\""));
    ck_assert(!run_v2_etag_fits(entry, "\"0000000000000001"));
}
END_TEST

START_TEST(a_revision_is_seen_by_version_2)
{
    json_auto_t *entry = deployed();
    const run_view v = view_of(entry);
    json_auto_t *r = run_v2_revision(&v, revision_latest(entry));
    expect(r, "service", "'shop'");
    expect(r, "serviceAccount", "'" FRONTEND "'");
    expect(r, "timeout", "'300s'");
    expect(json_array_get(run_at(r, "conditions"), 0), "state", "'CONDITION_SUCCEEDED'");
    expect(r, "labels", "{'client.knative.dev/nonce':'qwertyuiop'}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_v2");
    TCase *t = tcase_create("run_v2");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_deployed_service_is_seen_by_version_2);
    tcase_add_loop_test(t, a_field_goes_there_and_back, 0, countof(fields));
    tcase_add_test(t, traffic_goes_where_its_type_says_by_name_or_number);
    tcase_add_test(t, sending_back_what_was_read_makes_no_revision);
    tcase_add_test(t, containers_of_all_kinds_go_there_and_back);
    tcase_add_loop_test(t, what_version_2_does_not_know_is_named, 0, countof(wrong));
    tcase_add_loop_test(t, a_mask_says_what_is_taken, 0, countof(masks));
    tcase_add_loop_test(t, a_field_is_called_as_version_2_calls_it, 0, countof(names));
    tcase_add_test(t, an_etag_fits_with_and_without_its_quotes);
    tcase_add_test(t, a_revision_is_seen_by_version_2);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
