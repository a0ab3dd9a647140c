/* Documents in which anything stands where something else belongs: refused or taken, never fatal.
 */
#include "control/run_change.h"
#include "control/run_v2.h"
#include "run_fixture.h"

static const char *const odd[] = {
    "null", "true", "7",          "-1",   "1.5", "'x'",     "''",      "[]",
    "[[]]", "[1]",  "['x',null]", "[{}]", "{}",  "{'':{}}", "{'x':1}", "{'name':{},'items':[1]}"};

#define RICH_V2                                                                                    \
    "{'description':'d','labels':{'a':'b'},'annotations':{'a':'b'},'scaling':{'minInstanceCount':" \
    "1},'customAudiences':['x'],'template':{'revision':'shop-a','labels':{'a':'b'},'timeout':"     \
    "'3s','vpcAccess':{'egress':'ALL_TRAFFIC'},'nodeSelector':{'accelerator':'x'},'containers':["  \
    "{'name':'c','image':'i','dependsOn':['d'],'env':[{'name':'A','valueSource':{'secretKeyRef':"  \
    "{'secret':'s','version':'1'}}}],'ports':[{'name':'h2c','containerPort':1}],'resources':"      \
    "{'limits':{'cpu':'1'},'cpuIdle':true}}],'volumes':[{'name':'v','secret':{'secret':'s',"       \
    "'items':[{'path':'p','version':'1'}]}},{'name':'g','gcs':{'bucket':'b'}},{'name':'c',"        \
    "'cloudSqlInstance':{'instances':['i']}}]},'traffic':[{'percent':100}]}"

#define RICH_V1                                                                                    \
    "{'apiVersion':'serving.knative.dev/v1','kind':'Service','metadata':{'name':'shop',"           \
    "'annotations':{'run.googleapis.com/custom-audiences':'[]'}},'spec':{'traffic':[{'percent':"   \
    "100,'latestRevision':true,'tag':'t'}],'template':{'metadata':{'name':'shop-a','annotations':" \
    "{'run.googleapis.com/container-dependencies':'{}','run.googleapis.com/network-interfaces':"   \
    "'[]'}},'spec':{'volumes':[{'name':'v','secret':{'secretName':'s','items':[{'key':'1'}]}},"    \
    "{'name':'g','csi':{'volumeAttributes':{'bucketName':'b'}}}],'nodeSelector':{'a':'b'},"        \
    "'containers':[{'image':'i','env':[{'name':'A','valueFrom':{'secretKeyRef':{'name':'s','key'"  \
    ":'1'}}}],'ports':[{'containerPort':1}],'resources':{'limits':{'cpu':'1'}}}]}}}}"

static snapshot *s;
static size_t taken, refused;

static void setup(void)
{
    s = fixture_tutorial();
}
static void teardown(void)
{
    snapshot_unref(s);
}

static void look_at(const json_t *entry)
{
    const run_view v = {snapshot_project(s), "shop", "http://127.0.0.1:1", entry};
    json_auto_t *service_v1 = run_service_object(&v);
    json_auto_t *revision_v1 = run_revision_object(&v, revision_latest(entry));
    json_auto_t *service_v2 = run_v2_service(&v);
    json_auto_t *revision_v2 = run_v2_revision(&v, revision_latest(entry));
    json_auto_t *list = json_array();
    json_auto_t *back = run_v2_to_knative(service_v2, "shop", entry, list);
    ck_assert(service_v1 && revision_v1 && revision_v2 && back);
}

static void send_v1(const json_t *doc)
{
    run_refusal why;
    const run_change c = {s, "shop", NULL, doc, "alice@example.com", NOW_US, 1};
    json_auto_t *entry = run_change_entry(&c, &why);
    taken += entry != NULL;
    refused += entry == NULL;
    if (entry)
        look_at(entry);
    else
        ck_assert_uint_gt(strlen(why.text), 0);
    json_decref(entry ? NULL : why.violations);
}

static void send_v2(const json_t *doc)
{
    json_auto_t *list = json_array();
    json_auto_t *k = run_v2_to_knative(doc, "shop", NULL, list);
    if (json_array_size(list) == 0)
        send_v1(k);
    else
        refused++;
    span bad;
    json_auto_t *patched = run_v2_patched(doc, doc, SPAN_LIT("template.containers,labels.a"), &bad);
    ck_assert_ptr_nonnull(patched);
}

/* Puts each odd value in the place of each value of doc, one at a time. at is a part of doc. */
static void spoil(json_t *doc, json_t *at, void (*send)(const json_t *doc))
{
    const char *key;
    void *next;
    size_t i;
    json_t *child;
    json_object_foreach_safe(at, next, key, child)
    {
        json_incref(child);
        for (size_t k = 0; k < countof(odd); k++) {
            (void)json_object_set_new(at, key, fixture_json(odd[k]));
            send(doc);
        }
        (void)json_object_set_new(at, key, child);
        spoil(doc, child, send);
    }
    json_array_foreach (at, i, child) {
        json_incref(child);
        for (size_t k = 0; k < countof(odd); k++) {
            (void)json_array_set_new(at, i, fixture_json(odd[k]));
            send(doc);
        }
        (void)json_array_set_new(at, i, child);
        spoil(doc, child, send);
    }
}

static const struct {
    const char *doc;
    void (*send)(const json_t *doc);
} rows[] = {{DEPLOY, send_v1}, {RICH_V1, send_v1}, {RICH_V2, send_v2}};

START_TEST(no_document_is_fatal)
{
    json_auto_t *doc = fixture_json(rows[_i].doc);
    rows[_i].send(doc);
    ck_assert_uint_eq(taken, 1);
    spoil(doc, doc, rows[_i].send);
    ck_assert_uint_gt(refused, 100);
    ck_assert_uint_gt(taken, 50);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_hostile");
    TCase *t = tcase_create("run_hostile");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, no_document_is_fatal, 0, countof(rows));
    suite_add_tcase(suite, t);
    return check_main(suite);
}
