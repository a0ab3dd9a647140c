/* Which Cloud Run Services are taken, and what is said of the others. */
#include "control/run_check.h"

#include "run_fixture.h"

#define TEMPLATE  "spec.template.spec"
#define CONTAINER "spec.template.spec.containers.0"
#define NOTES     "metadata.annotations."
#define TEXT_49   "a123456789012345678901234567890123456789012345678"

static const project my_project = {.id = "my-project", .number = "123456789012"};

static const struct {
    const char *path, *json; /* put there; NULL: taken away */
    const char *field;       /* of the only violation; NULL: it is fine */
} rows[] = {
    {"kind", "'Service'", NULL},
    {"kind", "'Configuration'", "kind"},
    {"kind", NULL, "kind"},
    {"apiVersion", "'v1'", "apiVersion"},
    {"metadata.name", "'" TEXT_49 "'", NULL},
    {"metadata.name", "'" TEXT_49 "0'", "metadata.name"},
    {"metadata.name", "'Shop'", "metadata.name"},
    {"metadata.name", "'shop-'", "metadata.name"},
    {"metadata.name", "7", "metadata.name"},
    {"metadata.namespace", "'123456789012'", NULL},
    {"metadata.namespace", "''", NULL},
    {"metadata.namespace", "'other-project'", "metadata.namespace"},
    {"metadata.labels", "{'team':'a'}", NULL},
    {"metadata.labels", "null", NULL},
    {"metadata.labels", "{'team':1}", "metadata.labels"},
    {"metadata.labels", "{'':'a'}", "metadata.labels"},
    {"metadata.labels", "['team']", "metadata.labels"},
    {NOTES "[run.googleapis.com/ingress]", "'internal-and-cloud-load-balancing'", NULL},
    {NOTES "[run.googleapis.com/ingress]", "'none'", NULL},
    {NOTES "[run.googleapis.com/ingress]", "'internel'",
     "metadata.annotations[run.googleapis.com/ingress]"},
    {NOTES "[run.googleapis.com/custom-audiences]", "'[\\'a\\']'", NULL},
    {NOTES "[run.googleapis.com/custom-audiences]", "'[]'", NULL},
    {NOTES "[run.googleapis.com/custom-audiences]", "'a,b'",
     "metadata.annotations[run.googleapis.com/custom-audiences]"},
    {NOTES "[run.googleapis.com/custom-audiences]", "'[1]'",
     "metadata.annotations[run.googleapis.com/custom-audiences]"},
    {NOTES "[run.googleapis.com/custom-audiences]", "'[\\'\\']'",
     "metadata.annotations[run.googleapis.com/custom-audiences]"},
    {NOTES "[run.googleapis.com/custom-audiences]", "'{}'",
     "metadata.annotations[run.googleapis.com/custom-audiences]"},
    {NOTES "[run.googleapis.com/invoker-iam-disabled]", "'True'", NULL},
    {NOTES "[run.googleapis.com/invoker-iam-disabled]", "'false'", NULL},
    {NOTES "[run.googleapis.com/invoker-iam-disabled]", "'yes'",
     "metadata.annotations[run.googleapis.com/invoker-iam-disabled]"},
    {NOTES "[run.googleapis.com/minScale]", "'2'", NULL},
    {NOTES "[run.googleapis.com/minScale]", "'-1'",
     "metadata.annotations[run.googleapis.com/minScale]"},
    {"spec", "'x'", "spec"},
    {"spec.template", "[]", "spec.template"},
    {"spec.template.metadata.annotations.[autoscaling.knative.dev/maxScale]", "'7'", NULL},
    {"spec.template.metadata.annotations.[autoscaling.knative.dev/maxScale]", "'many'",
     "spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]"},
    {"spec.template.metadata.name", "'shop-green'", NULL},
    {"spec.template.metadata.name", "''", NULL},
    {"spec.template.metadata.name", "'shop'", "spec.template.metadata.name"},
    {"spec.template.metadata.name", "'store-green'", "spec.template.metadata.name"},
    {"spec.template.metadata.name", "'shop-Green'", "spec.template.metadata.name"},
    {"spec.template.metadata.name", "'shop-green-'", "spec.template.metadata.name"},
    {TEMPLATE ".timeoutSeconds", "1", NULL},
    {TEMPLATE ".timeoutSeconds", "3600", NULL},
    {TEMPLATE ".timeoutSeconds", "0", TEMPLATE ".timeoutSeconds"},
    {TEMPLATE ".timeoutSeconds", "3601", TEMPLATE ".timeoutSeconds"},
    {TEMPLATE ".timeoutSeconds", "'300'", TEMPLATE ".timeoutSeconds"},
    {TEMPLATE ".containerConcurrency", "0", NULL},
    {TEMPLATE ".containerConcurrency", "1000", NULL},
    {TEMPLATE ".containerConcurrency", "1001", TEMPLATE ".containerConcurrency"},
    {TEMPLATE ".containerConcurrency", "-1", TEMPLATE ".containerConcurrency"},
    {TEMPLATE ".serviceAccountName", "''", NULL},
    {TEMPLATE ".serviceAccountName", "'frontend-sa'", TEMPLATE ".serviceAccountName"},
    {TEMPLATE ".containers", "[]", TEMPLATE ".containers"},
    {TEMPLATE ".containers", NULL, TEMPLATE ".containers"},
    {TEMPLATE ".containers", "['x']", TEMPLATE ".containers[0]"},
    {TEMPLATE ".containers", "[{'image':'a','ports':[{'containerPort':80}]},{'image':'b'}]", NULL},
    {TEMPLATE ".containers", "[{'image':'a'},{'image':'b'}]", TEMPLATE ".containers"},
    {CONTAINER ".image", "'nginx'", NULL},
    {CONTAINER ".image", "''", TEMPLATE ".containers[0].image"},
    {CONTAINER ".image", "'a b'", TEMPLATE ".containers[0].image"},
    {CONTAINER ".image", NULL, TEMPLATE ".containers[0].image"},
    {CONTAINER ".command", "['sh','-c']", NULL},
    {CONTAINER ".command", "'sh'", TEMPLATE ".containers[0].command"},
    {CONTAINER ".args", "['a',1]", TEMPLATE ".containers[0].args[1]"},
    {CONTAINER ".env", "[{'name':'A'},{'name':'B','value':''}]", NULL},
    {CONTAINER ".env", "[{'name':'A','valueFrom':{'secretKeyRef':{'name':'s','key':'1'}}}]", NULL},
    {CONTAINER ".env", "[{'name':'A','valueFrom':{}}]", TEMPLATE ".containers[0].env[0]"},
    {CONTAINER ".env", "[{'name':''}]", TEMPLATE ".containers[0].env[0]"},
    {CONTAINER ".env", "[{'name':'A=B'}]", TEMPLATE ".containers[0].env[0]"},
    {CONTAINER ".env", "[{'name':'A'},{'name':'A'}]", TEMPLATE ".containers[0].env[1]"},
    {CONTAINER ".env", "[{'name':'PORT','value':'1'}]", TEMPLATE ".containers[0].env"},
    {CONTAINER ".env", "[{'name':'K_SERVICE','value':'1'}]", TEMPLATE ".containers[0].env"},
    {CONTAINER ".resources", "{'limits':{'cpu':'2','memory':'1.5Gi'}}", NULL},
    {CONTAINER ".resources", "{'limits':{'cpu':'1000m','nvidia.com/gpu':'1'}}", NULL},
    {CONTAINER ".resources", "{'limits':{'memory':'lots'}}", TEMPLATE ".containers[0].resources"},
    {CONTAINER ".resources", "{'limits':{'memory':'5Xi'}}", TEMPLATE ".containers[0].resources"},
    {CONTAINER ".resources", "{'limits':{'cpu':'1.'}}", TEMPLATE ".containers[0].resources"},
    {CONTAINER ".resources", "{'limits':{'cpu':1}}", TEMPLATE ".containers[0].resources"},
    {CONTAINER ".ports", "[{'name':'h2c','containerPort':9000}]", NULL},
    {CONTAINER ".ports", "[{'name':'http2'}]", TEMPLATE ".containers[0].ports"},
    {CONTAINER ".ports", "[{'containerPort':0}]", TEMPLATE ".containers[0].ports.containerPort"},
    {CONTAINER ".ports", "[{'containerPort':1},{'containerPort':2}]",
     TEMPLATE ".containers[0].ports"},
    {CONTAINER ".ports", "['http1']", TEMPLATE ".containers[0].ports"},
    {TEMPLATE ".nodeSelector", "'gpu'", TEMPLATE ".nodeSelector"},
    {TEMPLATE ".volumes", "[{'name':'v','emptyDir':{}}]", NULL},
    {TEMPLATE ".volumes", "[{'emptyDir':{}}]", TEMPLATE ".volumes[0]"},
    {TEMPLATE ".volumes", "['v']", TEMPLATE ".volumes[0]"},
    {TEMPLATE ".volumes", "[{'name':'v','secret':'s'}]", TEMPLATE ".volumes[0].secret"},
    {TEMPLATE ".volumes", "[{'name':'v','secret':{'items':[1]}}]", TEMPLATE ".volumes[0].secret"},
    {"spec.traffic", "[{'percent':100,'latestRevision':true}]", NULL},
    {"spec.traffic",
     "[{'percent':90,'revisionName':'shop-00001-a'},{'percent':10,'latestRevision':true,'tag':'t'}"
     "]",
     NULL},
    {"spec.traffic", "[{'percent':99,'latestRevision':true}]", "spec.traffic"},
    {"spec.traffic", "[{'percent':101,'latestRevision':true}]", "spec.traffic[0].percent"},
    {"spec.traffic", "[{'percent':100}]", "spec.traffic[0]"},
    {"spec.traffic", "[{'percent':100,'latestRevision':true,'revisionName':'shop-a'}]",
     "spec.traffic[0]"},
    {"spec.traffic", "[{'percent':100,'latestRevision':true,'tag':'No'}]", "spec.traffic[0]"},
    {"spec.traffic", "['latest']", "spec.traffic[0]"},
};

static json_t *violations(const json_t *doc)
{
    json_t *list = json_array();
    run_check_service(list, doc, &my_project);
    return list;
}

/* The one that the row names has to be there; what follows from it may be there too. */
static bool names(const json_t *list, const char *field)
{
    size_t i;
    json_t *v;
    json_array_foreach (list, i, v) {
        if (strcmp(run_text(v, "field"), field) == 0)
            return true;
    }
    return false;
}

START_TEST(each_field_of_a_service_is_looked_at)
{
    json_auto_t *doc = fixture_json(DEPLOY);
    fixture_put(doc, rows[_i].path, rows[_i].json);
    json_auto_t *list = violations(doc);
    char *text = json_dumps(list, 0);
    if (rows[_i].field)
        ck_assert_msg(names(list, rows[_i].field), "%s = %s: %s", rows[_i].path, rows[_i].json,
                      text);
    else
        ck_assert_msg(json_array_size(list) == 0, "%s = %s: %s", rows[_i].path, rows[_i].json,
                      text);
    free(text);
}
END_TEST

START_TEST(what_gcloud_sends_is_taken)
{
    json_auto_t *doc = fixture_json(DEPLOY);
    json_auto_t *list = violations(doc);
    ck_assert_uint_eq(json_array_size(list), 0);
}
END_TEST

START_TEST(an_empty_document_names_all_that_is_missing)
{
    json_auto_t *doc = json_object();
    json_auto_t *list = violations(doc);
    ck_assert(names(list, "apiVersion") && names(list, "kind") && names(list, "metadata.name") &&
              names(list, "spec.template.spec.containers"));
}
END_TEST

START_TEST(a_reserved_name_is_refused_in_production_s_words)
{
    json_auto_t *doc = fixture_json(DEPLOY);
    fixture_put(doc, CONTAINER ".env", "[{'name':'PORT'},{'name':'K_REVISION'}]");
    json_auto_t *list = violations(doc);
    ck_assert_str_eq(run_text(json_array_get(list, 0), "description"),
                     "The following reserved env names were provided: PORT, K_REVISION. These "
                     "values are automatically set by the system.");
}
END_TEST

START_TEST(audiences_are_limited_as_json)
{
    static char text[40000];
    json_auto_t *doc = fixture_json(DEPLOY);
    json_t *notes = run_make(doc, "metadata.annotations");
    for (size_t n = 32768; n <= 32769; n++) {
        (void)snprintf(text, sizeof text, "[\"%0*d\"]", (int)n - 4, 7);
        run_set_text(notes, "run.googleapis.com/custom-audiences", text);
        json_auto_t *list = violations(doc);
        ck_assert_uint_eq(json_array_size(list), n - 32768);
    }
}
END_TEST

START_TEST(a_service_is_limited_as_a_whole)
{
    json_auto_t *doc = fixture_json(DEPLOY);
    json_t *args = json_array();
    for (size_t i = 0; i < 300000; i++)
        run_push(args, json_string("x"));
    run_set(json_array_get(run_at(doc, TEMPLATE ".containers"), 0), "args", args);
    json_auto_t *list = violations(doc);
    ck_assert_uint_eq(json_array_size(list), 1);
    ck_assert_str_eq(run_text(json_array_get(list, 0), "description"),
                     "The service has more than 1048576 bytes.");
}
END_TEST

START_TEST(a_text_cut_within_a_character_is_still_one)
{
    json_auto_t *list = json_array();
    run_violation(list, "name", "'%.2s'", "a\xc3\xa9");
    ck_assert_str_eq(run_text(json_array_get(list, 0), "description"), "'a\xef\xbf\xbd'");
}
END_TEST

START_TEST(no_more_problems_are_listed_than_somebody_reads)
{
    json_auto_t *doc = fixture_json(DEPLOY);
    json_t *env = json_array();
    for (size_t i = 0; i < 900; i++)
        run_push(env, json_object());
    run_set(json_array_get(run_at(doc, TEMPLATE ".containers"), 0), "env", env);
    json_auto_t *list = violations(doc);
    ck_assert_uint_eq(json_array_size(list), 25);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_check");
    TCase *t = tcase_create("run_check");
    tcase_add_loop_test(t, each_field_of_a_service_is_looked_at, 0, countof(rows));
    tcase_add_test(t, what_gcloud_sends_is_taken);
    tcase_add_test(t, an_empty_document_names_all_that_is_missing);
    tcase_add_test(t, a_reserved_name_is_refused_in_production_s_words);
    tcase_add_test(t, audiences_are_limited_as_json);
    tcase_add_test(t, a_service_is_limited_as_a_whole);
    tcase_add_test(t, a_text_cut_within_a_character_is_still_one);
    tcase_add_test(t, no_more_problems_are_listed_than_somebody_reads);
    suite_add_tcase(s, t);
    return check_main(s);
}
