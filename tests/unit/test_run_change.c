/* From what is sent to what is kept: generations, revisions, refusals. */
#include "control/run_change.h"

#include "control/run_model.h"
#include "run_fixture.h"

#define CALLER "alice@example.com"
#define NONCE  "spec.template.metadata.labels.[client.knative.dev/nonce]"

static snapshot *s;
static run_refusal refusal;

static void setup(void)
{
    s = fixture_tutorial();
}
static void teardown(void)
{
    json_decref(refusal.violations);
    snapshot_unref(s);
}

static json_t *change(const json_t *before, const json_t *wanted, const char *name, uint64_t random)
{
    const run_change c = {s, name, before, wanted, CALLER, NOW_US, random};
    return run_change_entry(&c, &refusal);
}

static json_t *created(void)
{
    json_auto_t *wanted = fixture_json(DEPLOY);
    json_t *entry = change(NULL, wanted, "shop", 1);
    ck_assert_msg(entry != NULL, "%s", refusal.text);
    return entry;
}

/* The object as the API shows it, as gcloud sends it back. */
static json_t *shown(const json_t *entry)
{
    const run_view v = {snapshot_project(s), "shop", "http://127.0.0.1:8090", entry};
    return run_service_object(&v);
}

static size_t revisions(const json_t *entry)
{
    return json_array_size(run_at(entry, "revisions"));
}

static const char *latest(const json_t *entry)
{
    return revision_name(revision_latest(entry));
}

static bool is_named(const char *name, const char *head)
{
    return name && strncmp(name, head, strlen(head)) == 0 && strlen(name) == strlen(head) + 3;
}

START_TEST(a_new_service_is_filled_up)
{
    json_auto_t *entry = created();
    const json_t *m = run_at(entry, "knative.metadata");
    ck_assert_int_eq(run_int(m, "generation", 0), 1);
    ck_assert_str_eq(run_text(m, "namespace"), "123456789012");
    ck_assert_str_eq(run_text(m, "creationTimestamp"), "2027-01-15T08:00:00.000000Z");
    ck_assert_str_eq(run_member(m, "annotations", RUN_CREATOR), CALLER);
    ck_assert_str_eq(run_member(m, "annotations", RUN_MODIFIER), CALLER);
    ck_assert_str_eq(run_member(m, "annotations", RUN_INGRESS), "all");
    ck_assert_str_eq(run_member(m, "labels", RUN_LOCATION), "us-central1");
    ck_assert_uint_eq(strlen(run_text(m, "uid")), 36);
    ck_assert_ptr_null(run_at(entry, "knative.status"));
    const json_t *spec = run_at(entry, "knative.spec.template.spec");
    ck_assert_int_eq(run_int(spec, "timeoutSeconds", 0), 300);
    ck_assert_int_eq(run_int(spec, "containerConcurrency", 0), 80);
    ck_assert_str_eq(run_text(json_array_get(run_at(spec, "containers"), 0), "name"), "shop-1");
}
END_TEST

START_TEST(its_first_revision_carries_the_template)
{
    json_auto_t *entry = created();
    ck_assert_uint_eq(revisions(entry), 1);
    ck_assert_msg(is_named(latest(entry), "shop-00001-"), "%s", latest(entry));
    const json_t *r = revision_latest(entry);
    ck_assert_str_eq(run_member(r, "metadata.labels", "client.knative.dev/nonce"), "qwertyuiop");
    ck_assert_str_eq(run_member(r, "metadata.labels", "serving.knative.dev/service"), "shop");
    ck_assert_str_eq(run_member(r, "metadata.annotations", "run.googleapis.com/startup-cpu-boost"),
                     "True");
    ck_assert_str_eq(run_text(r, "spec.serviceAccountName"), FRONTEND);
}
END_TEST

static const struct {
    const char *what, *path, *json;
    bool revision; /* is there a new one? */
} updates[] = {
    {"nothing", "metadata.labels.[team]", NULL, false},
    {"ingress", "metadata.annotations.[run.googleapis.com/ingress]", "'internal'", false},
    {"the invoker check", "metadata.annotations.[run.googleapis.com/invoker-iam-disabled]",
     "'True'", false},
    {"a label", "metadata.labels.[team]", "'a'", false},
    {"empty labels", "spec.template.spec.nodeSelector", "{}", false},
    {"a null", "spec.template.metadata.creationTimestamp", "null", false},
    {"traffic", "spec.traffic", "[{'percent':100,'latestRevision':true,'tag':'t'}]", false},
    {"the nonce", NONCE, "'asdfghjkly'", true},
    {"an image", "spec.template.spec.containers.0.image", "'other'", true},
    {"an account", "spec.template.spec.serviceAccountName", "'" BACKEND "'", true},
    {"the template's annotations", "spec.template.metadata.annotations.[a]", "'b'", true},
};

START_TEST(only_a_change_of_the_template_makes_a_revision)
{
    json_auto_t *first = created();
    json_auto_t *again = shown(first);
    fixture_put(again, updates[_i].path, updates[_i].json);
    json_auto_t *entry = change(first, again, "shop", 2);
    ck_assert_msg(entry != NULL, "%s: %s", updates[_i].what, refusal.text);
    ck_assert_int_eq(run_int(entry, "knative.metadata.generation", 0), 2);
    ck_assert_msg(revisions(entry) == (updates[_i].revision ? 2 : 1), "%s", updates[_i].what);
    if (updates[_i].revision)
        ck_assert_msg(is_named(latest(entry), "shop-00002-"), "%s", latest(entry));
    else
        ck_assert_str_eq(latest(entry), latest(first));
    ck_assert_str_ne(run_text(entry, "knative.metadata.resourceVersion"),
                     run_text(first, "knative.metadata.resourceVersion"));
    ck_assert_str_eq(run_text(entry, "knative.metadata.uid"),
                     run_text(first, "knative.metadata.uid"));
}
END_TEST

START_TEST(what_the_server_writes_is_not_taken_from_a_client)
{
    json_auto_t *first = created();
    json_auto_t *again = shown(first);
    fixture_put(again, "metadata.uid", "'mine'");
    fixture_put(again, "metadata.generation", "70");
    fixture_put(again, "metadata.creationTimestamp", "'1999-01-01T00:00:00Z'");
    fixture_put(again, "metadata.annotations.[serving.knative.dev/creator]", "'mallory'");
    fixture_put(again, "metadata.annotations.[run.googleapis.com/operation-id]", "'stale'");
    fixture_put(again, "metadata.labels.[cloud.googleapis.com/location]", "'mars-north1'");
    json_auto_t *entry = change(first, again, "shop", 2);
    const json_t *m = run_at(entry, "knative.metadata");
    ck_assert_str_ne(run_text(m, "uid"), "mine");
    ck_assert_int_eq(run_int(m, "generation", 0), 2);
    ck_assert_str_eq(run_text(m, "creationTimestamp"), "2027-01-15T08:00:00.000000Z");
    ck_assert_str_eq(run_member(m, "annotations", RUN_CREATOR), CALLER);
    ck_assert_ptr_null(run_member(m, "annotations", "run.googleapis.com/operation-id"));
    ck_assert_ptr_null(run_member(m, "annotations", RUN_URLS));
    ck_assert_str_eq(run_member(m, "labels", RUN_LOCATION), "us-central1");
}
END_TEST

START_TEST(a_revision_s_given_name_is_used)
{
    json_auto_t *first = created();
    json_auto_t *named = shown(first);
    fixture_put(named, "spec.template.metadata.name", "'shop-green'");
    json_auto_t *second = change(first, named, "shop", 2);
    ck_assert_str_eq(latest(second), "shop-green");
    /* The same again is no change, another template under its name a conflict. */
    json_auto_t *again = shown(second);
    json_auto_t *third = change(second, again, "shop", 3);
    ck_assert_uint_eq(revisions(third), 2);
    fixture_put(again, "spec.template.spec.timeoutSeconds", "7");
    ck_assert_ptr_null(change(second, again, "shop", 4));
    ck_assert_int_eq(refusal.code, API_ALREADY_EXISTS);
    /* Numbers go on counting. */
    fixture_put(again, "spec.template.metadata.name", NULL);
    json_auto_t *fourth = change(second, again, "shop", 4);
    ck_assert_msg(is_named(latest(fourth), "shop-00003-"), "%s", latest(fourth));
}
END_TEST

START_TEST(a_stale_version_is_a_conflict)
{
    json_auto_t *first = created();
    json_auto_t *again = shown(first);
    json_auto_t *second = change(first, again, "shop", 2);
    ck_assert_ptr_null(change(second, again, "shop", 3));
    ck_assert_int_eq(refusal.code, API_ABORTED);
    ck_assert_str_eq(refusal.text, "Conflict for resource 'shop': version '0000000000000001' was "
                                   "specified but current version is '0000000000000002'.");
    fixture_put(again, "metadata.resourceVersion", NULL);
    json_auto_t *blind = change(second, again, "shop", 3);
    ck_assert_ptr_nonnull(blind);
}
END_TEST

static const struct {
    const char *path, *json;
    api_code code;
    const char *text;
} refusals[] = {
    {"spec.template.spec.serviceAccountName", "'nobody@my-project.iam.gserviceaccount.com'",
     API_PERMISSION_DENIED,
     "Permission 'iam.serviceaccounts.actAs' denied on service account "
     "nobody@my-project.iam.gserviceaccount.com (or it may not exist)."},
    {"metadata.name", "'store'", API_INVALID_ARGUMENT,
     "metadata.name: The name 'store' is not the one in the request's URL: 'shop'."},
    {"spec.traffic", "[{'percent':100,'revisionName':'shop-00009-zzz'}]", API_INVALID_ARGUMENT,
     "spec.traffic: Revision 'shop-00009-zzz' does not exist."},
    {"spec.template.spec.timeoutSeconds", "0", API_INVALID_ARGUMENT,
     "spec.template.spec.timeoutSeconds: Invalid value 0: the value must be between 1 and 3600."},
};

START_TEST(what_cannot_be_is_refused)
{
    json_auto_t *wanted = fixture_json(DEPLOY);
    fixture_put(wanted, refusals[_i].path, refusals[_i].json);
    ck_assert_ptr_null(change(NULL, wanted, "shop", 1));
    ck_assert_int_eq(refusal.code, refusals[_i].code);
    ck_assert_str_eq(refusal.text, refusals[_i].text);
    ck_assert_int_eq(refusal.violations != NULL, refusal.code == API_INVALID_ARGUMENT);
}
END_TEST

START_TEST(a_service_of_the_file_goes_on_from_its_revision)
{
    json_auto_t *file = run_entry_of_file(s, fixture_find(s, "frontend"), "1", NOW_US);
    const run_view v = {snapshot_project(s), "frontend", "http://127.0.0.1:8081", file};
    json_auto_t *again = run_service_object(&v);
    fixture_put(again, NONCE, "'asdfghjkly'");
    json_auto_t *entry = change(file, again, "frontend", 2);
    ck_assert_msg(entry != NULL, "%s", refusal.text);
    ck_assert_uint_eq(revisions(entry), 2);
    ck_assert_msg(is_named(latest(entry), "frontend-00002-"), "%s", latest(entry));
    ck_assert_ptr_nonnull(revision_find(entry, fixture_find(s, "frontend")->revision));
}
END_TEST

START_TEST(old_revisions_are_forgotten_unless_somebody_is_sent_to_them)
{
    json_t *entry = created();
    char *first = strdup(latest(entry)), nonce[32];
    for (unsigned i = 0; i < RUN_REVISIONS_MAX + 5; i++) {
        json_auto_t *again = shown(entry);
        (void)snprintf(nonce, sizeof nonce, "'nonce-%u'", i);
        fixture_put(again, NONCE, nonce);
        json_t *traffic = json_pack("[{s:i,s:s},{s:i,s:b}]", "percent", 1, "revisionName", first,
                                    "percent", 99, "latestRevision", 1);
        run_set(run_at(again, "spec"), "traffic", traffic);
        json_t *next = change(entry, again, "shop", i + 2);
        ck_assert_msg(next != NULL, "%s", refusal.text);
        json_decref(entry);
        entry = next;
    }
    ck_assert_uint_eq(revisions(entry), RUN_REVISIONS_MAX);
    ck_assert_ptr_nonnull(revision_find(entry, first));
    ck_assert_msg(is_named(latest(entry), "shop-00106-"), "%s", latest(entry));
    free(first);
    json_decref(entry);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_change");
    TCase *t = tcase_create("run_change");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_new_service_is_filled_up);
    tcase_add_test(t, its_first_revision_carries_the_template);
    tcase_add_loop_test(t, only_a_change_of_the_template_makes_a_revision, 0, countof(updates));
    tcase_add_test(t, what_the_server_writes_is_not_taken_from_a_client);
    tcase_add_test(t, a_revision_s_given_name_is_used);
    tcase_add_test(t, a_stale_version_is_a_conflict);
    tcase_add_loop_test(t, what_cannot_be_is_refused, 0, countof(refusals));
    tcase_add_test(t, a_service_of_the_file_goes_on_from_its_revision);
    tcase_add_test(t, old_revisions_are_forgotten_unless_somebody_is_sent_to_them);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
