/* Cloud Run Admin API v1 on the control listener: the requests that gcloud sends. */
#include "control/run_model.h"
#include "control_fixture.h"
#include "run_fixture.h"

#define SPACE "/apis/serving.knative.dev/v1/namespaces/my-project"
#define SHOP  SPACE "/services/shop"

/* DEPLOY with a value (JSON with ') at a path; NULL: as it is. */
static char *deploy(const char *path, const char *json)
{
    json_auto_t *doc = fixture_json(DEPLOY);
    if (path)
        fixture_put(doc, path, json);
    return fixture_text(doc);
}

static void create_shop(void)
{
    auto_free char *body = deploy(NULL, NULL);
    ck_assert_msg(rig_ask("POST", SPACE "/services?alt=json", body) == 200, "%s", R.answer.p);
}

/* GET, change, PUT: as gcloud does. */
static unsigned update(const char *name, const char *path, const char *json)
{
    auto_buf buf target = buf_make(512);
    buf_fmt(&target, SPACE "/services/%s", name);
    ck_assert_uint_eq(rig_ask("GET", target.p, NULL), 200);
    fixture_put(R.json, path, json);
    auto_free char *body = fixture_text(R.json);
    return rig_ask("PUT", target.p, body);
}

static const char *text(const char *path)
{
    return run_text(R.json, path);
}

static const service *merged(const char *name)
{
    return snapshot_find_service(R.snap, span_of(name));
}

/* ---- services of the file ---- */

START_TEST(a_service_of_the_file_is_there)
{
    ck_assert_uint_eq(rig_ask("GET", SPACE "/services/frontend?alt=json", NULL), 200);
    ck_assert_pstr_eq(text("metadata.namespace"), "123456789012");
    ck_assert_pstr_eq(text("status.url"), "http://127.0.0.1:8081");
    ck_assert_uint_eq(
        rig_ask("GET", "/apis/serving.knative.dev/v1/namespaces/123456789012/services/frontend",
                NULL),
        200);
    ck_assert_uint_eq(
        rig_ask("GET", "/v1/projects/my-project/locations/us-central1/services/frontend", NULL),
        200);
}
END_TEST

START_TEST(all_services_are_listed)
{
    static const char *const targets[] = {SPACE "/services",
                                          "/v1/projects/my-project/locations/-/services",
                                          "/v1/projects/my-project/locations/us-central1/services"};
    ck_assert_uint_eq(rig_ask("GET", targets[_i], NULL), 200);
    ck_assert_pstr_eq(text("kind"), "ServiceList");
    ck_assert_uint_eq(json_array_size(run_at(R.json, "items")), 4);
}
END_TEST

START_TEST(a_list_can_be_read_in_pages)
{
    ck_assert_uint_eq(rig_ask("GET", SPACE "/services?limit=3", NULL), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "items")), 3);
    ck_assert_pstr_eq(text("metadata.continue"), "3");
    ck_assert_uint_eq(rig_ask("GET", SPACE "/services?limit=3&continue=3", NULL), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "items")), 1);
    ck_assert_ptr_null(text("metadata.continue"));
}
END_TEST

START_TEST(another_region_has_nothing)
{
    auto_buf buf head = buf_make(1024);
    buf_str(&head, "GET " SPACE "/services HTTP/1.1\r\nHost: europe-west1-run.localhost:8080\r\n"
                   "Authorization: Bearer " ALICE_TOKEN "\r\n");
    ck_assert_uint_eq(rig_raw(head.p, (span){0}), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "items")), 0);
    ck_assert_uint_eq(
        rig_ask("GET", "/v1/projects/my-project/locations/europe-west1/services/frontend", NULL),
        404);
    rig_expect_error(404, "NOT_FOUND",
                     "Resource 'frontend' of kind 'SERVICE' in region 'europe-west1' in project "
                     "'my-project' does not exist.");
}
END_TEST

START_TEST(an_update_takes_a_service_of_the_file_over)
{
    ck_assert_uint_eq(
        update("frontend", "metadata.annotations.[run.googleapis.com/ingress]", "'internal'"), 200);
    ck_assert_int_eq(merged("frontend")->ingress, INGRESS_INTERNAL);
    ck_assert_str_eq(merged("frontend")->listen, "127.0.0.1:8081");
    const json_t *entry = state_entry(R.state, "services", "frontend");
    ck_assert_uint_eq(strlen(run_text(entry, "over")), 16);
    ck_assert_pstr_eq(run_text(entry, "listen"), NULL);
    ck_assert_uint_eq(rig_ask("GET", SPACE "/services/frontend", NULL), 200);
    ck_assert_int_eq(run_int(R.json, "metadata.generation", 0), 2);
    ck_assert_pstr_eq(text("status.latestReadyRevisionName"), merged("frontend")->revision);
}
END_TEST

/* ---- new services ---- */

START_TEST(a_new_service_is_ready_at_once)
{
    create_shop();
    ck_assert_pstr_eq(text("status.url"), "http://127.0.0.1:18081");
    ck_assert_pstr_eq(run_member(R.json, "metadata.annotations", RUN_CREATOR), ALICE);
    const json_t *ready = json_array_get(run_at(R.json, "status.conditions"), 0);
    ck_assert_pstr_eq(run_text(ready, "status"), "True");
    const service *svc = merged("shop");
    ck_assert_ptr_nonnull(svc);
    ck_assert_str_eq(svc->listen, "127.0.0.1:18081");
    ck_assert_str_eq(svc->metadata, "127.0.0.1:18181");
    ck_assert_str_eq(svc->account->email, FRONTEND);
    ck_assert_pstr_eq(svc->url, text("status.url"));
    char *made = strdup(R.answer.p + R.answer.n - 200);
    ck_assert_uint_eq(rig_ask("GET", SHOP, NULL), 200);
    ck_assert_str_eq(R.answer.p + R.answer.n - 200, made);
    free(made);
}
END_TEST

START_TEST(a_dry_run_changes_nothing)
{
    auto_free char *body = deploy(NULL, NULL);
    ck_assert_uint_eq(rig_ask("POST", SPACE "/services?dryRun=all", body), 200);
    ck_assert_pstr_eq(text("metadata.name"), "shop");
    ck_assert_uint_eq(rig_ask("POST", SPACE "/services?dryRun=some", body), 400);
    ck_assert_uint_eq(rig_ask("GET", SHOP, NULL), 404);
    ck_assert_uint_eq(R.commits, 0);
    create_shop();
    ck_assert_uint_eq(rig_ask("PUT", SHOP "?dryRun=all", body), 200);
    ck_assert_uint_eq(rig_ask("DELETE", SHOP "?dryRun=all", NULL), 200);
    ck_assert_uint_eq(R.commits, 1);
}
END_TEST

START_TEST(an_update_makes_a_revision_only_of_another_template)
{
    create_shop();
    ck_assert_uint_eq(
        update("shop", "metadata.annotations.[run.googleapis.com/invoker-iam-disabled]", "'True'"),
        200);
    ck_assert(!merged("shop")->iam_check);
    ck_assert_uint_eq(
        rig_ask("GET", SPACE "/revisions?labelSelector=serving.knative.dev%2Fservice+%3D+shop",
                NULL),
        200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "items")), 1);
    ck_assert_uint_eq(
        update("shop", "spec.template.metadata.labels.[client.knative.dev/nonce]", "'zxcvbnmasd'"),
        200);
    ck_assert_int_eq(run_int(R.json, "metadata.generation", 0), 3);
    ck_assert_pstr_eq(text("status.latestReadyRevisionName"), merged("shop")->revision);
    ck_assert_uint_eq(
        rig_ask("GET", SPACE "/revisions?labelSelector=client.knative.dev%2Fnonce+%3D+zxcvbnmasd",
                NULL),
        200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "items")), 1);
    const json_t *r = json_array_get(run_at(R.json, "items"), 0);
    ck_assert_pstr_eq(run_text(r, "metadata.name"), merged("shop")->revision);
    ck_assert_str_eq(merged("shop")->listen, "127.0.0.1:18081");
}
END_TEST

START_TEST(revisions_are_read_by_name_and_deleted_when_unused)
{
    create_shop();
    auto_buf buf first = buf_make(512);
    buf_fmt(&first, SPACE "/revisions/%s", text("status.latestReadyRevisionName"));
    ck_assert_uint_eq(rig_ask("GET", first.p, NULL), 200);
    ck_assert_pstr_eq(text("kind"), "Revision");
    ck_assert_uint_eq(rig_ask("DELETE", first.p, NULL), 400);
    rig_expect_error(400, "FAILED_PRECONDITION", "is the latest");
    ck_assert_uint_eq(update("shop", "spec.template.spec.timeoutSeconds", "60"), 200);
    ck_assert_uint_eq(rig_ask("DELETE", first.p, NULL), 200);
    ck_assert_uint_eq(rig_ask("GET", first.p, NULL), 404);
    rig_expect_error(404, "NOT_FOUND", "of kind 'REVISION'");
    ck_assert_uint_eq(rig_ask("GET", SHOP, NULL), 200);
}
END_TEST

START_TEST(a_stale_resource_version_is_refused)
{
    create_shop();
    auto_free char *stale = fixture_text(R.json);
    ck_assert_uint_eq(rig_ask("PUT", SHOP, stale), 200);
    ck_assert_uint_eq(rig_ask("PUT", SHOP, stale), 409);
    rig_expect_error(409, "ABORTED", "Conflict for resource 'shop'");
    ck_assert_uint_eq(R.commits, 2);
}
END_TEST

START_TEST(deleting_takes_service_and_policy_away)
{
    create_shop();
    ck_assert_uint_eq(
        rig_ask("POST", "/v1/projects/my-project/locations/us-central1/services/shop:setIamPolicy",
                "{\"policy\":{\"bindings\":[{\"role\":\"roles/"
                "run.invoker\",\"members\":[\"allUsers\"]}]}}"),
        200);
    ck_assert_ptr_nonnull(state_entry(R.state, "policies", "services/shop"));
    ck_assert_uint_eq(rig_ask("DELETE", SHOP "?alt=json", NULL), 200);
    ck_assert_pstr_eq(text("status"), "Success");
    ck_assert_uint_eq(rig_ask("GET", SHOP, NULL), 404);
    ck_assert_uint_eq(rig_ask("DELETE", SHOP, NULL), 404);
    ck_assert(state_is_empty(state_document(R.state)));
    ck_assert_ptr_null(merged("shop"));
}
END_TEST

START_TEST(a_deleted_service_of_the_file_stays_away_and_returns_without_its_policy)
{
    ck_assert_uint_eq(rig_ask("DELETE", SPACE "/services/frontend", NULL), 200);
    ck_assert_ptr_null(merged("frontend"));
    ck_assert(json_is_true(run_at(state_entry(R.state, "services", "frontend"), "deleted")));
    ck_assert_uint_eq(rig_ask("GET", SPACE "/services/frontend", NULL), 404);
    auto_free char *body = deploy("metadata.name", "'frontend'");
    ck_assert_uint_eq(rig_ask("POST", SPACE "/services", body), 200);
    ck_assert_pstr_eq(text("status.url"), "http://127.0.0.1:8081");
    ck_assert_int_eq(run_int(R.json, "metadata.generation", 0), 1);
    ck_assert_uint_eq(
        rig_ask("GET",
                "/v1/projects/my-project/locations/us-central1/services/frontend:getIamPolicy",
                NULL),
        200);
    ck_assert_ptr_null(run_at(R.json, "bindings"));
}
END_TEST

/* ---- refusals ---- */

static const struct {
    const char *method, *target, *path, *json; /* what is put into the body of a deploy */
    unsigned code;
    const char *status, *words;
} refusals[] = {
    {"GET", SPACE "/services/ghost", NULL, NULL, 404, "NOT_FOUND",
     "Resource 'ghost' of kind 'SERVICE' in region 'us-central1' in project 'my-project' does not "
     "exist."},
    {"DELETE", SPACE "/services/ghost", NULL, NULL, 404, "NOT_FOUND", "'ghost'"},
    {"GET", SPACE "/revisions/ghost-00001-abc", NULL, NULL, 404, "NOT_FOUND", "'REVISION'"},
    {"GET", "/apis/serving.knative.dev/v1/namespaces/other/services", NULL, NULL, 403,
     "PERMISSION_DENIED", "project other"},
    {"POST", SPACE "/services", "metadata.name", "'frontend'", 409, "ALREADY_EXISTS",
     "Resource 'frontend' already exists."},
    {"PUT", SPACE "/services/ghost", "metadata.name", "'ghost'", 404, "NOT_FOUND", "'ghost'"},
    {"PUT", SPACE "/services/frontend", NULL, NULL, 400, "INVALID_ARGUMENT",
     "metadata.name: The name 'shop' is not the one in the request's URL: 'frontend'."},
    {"POST", SPACE "/services", "metadata.name", NULL, 400, "INVALID_ARGUMENT", "metadata.name"},
    {"POST", SPACE "/services", "metadata.name", "7", 400, "INVALID_ARGUMENT", "metadata.name"},
    {"POST", SPACE "/services", "spec", NULL, 400, "INVALID_ARGUMENT", "containers"},
    {"POST", SPACE "/services", "spec.template.spec.serviceAccountName",
     "'ghost@my-project.iam.gserviceaccount.com'", 403, "PERMISSION_DENIED",
     "Permission 'iam.serviceaccounts.actAs' denied on service account "
     "ghost@my-project.iam.gserviceaccount.com (or it may not exist)."},
    {"POST", "/v1/projects/my-project/locations/europe-west1/services", "metadata.labels", "{}",
     400, "INVALID_ARGUMENT", "region: 'europe-west1' is not the region"},
    {"GET", SPACE "/revisions?labelSelector=a+b", NULL, NULL, 400, "INVALID_ARGUMENT",
     "labelSelector"},
    {"GET", SPACE "/services?limit=x", NULL, NULL, 400, "INVALID_ARGUMENT", "limit"},
    {"GET", SPACE "/services?limit=1&continue=x", NULL, NULL, 400, "INVALID_ARGUMENT",
     "page token"},
    {"PATCH", SPACE "/services/frontend", "metadata.labels", "{}", 405, "UNIMPLEMENTED", "GET"},
};

START_TEST(what_cannot_be_is_refused_in_google_s_shape)
{
    auto_free char *body = refusals[_i].path || strcmp(refusals[_i].method, "PUT") == 0
                               ? deploy(refusals[_i].path, refusals[_i].json)
                               : NULL;
    (void)rig_ask(refusals[_i].method, refusals[_i].target, body);
    rig_expect_error(refusals[_i].code, refusals[_i].status, refusals[_i].words);
    ck_assert_uint_eq(R.commits, 0);
}
END_TEST

START_TEST(each_problem_is_a_field_violation)
{
    json_auto_t *doc = fixture_json(DEPLOY);
    fixture_put(doc, "spec.template.spec.timeoutSeconds", "0");
    fixture_put(doc, "spec.template.spec.containers.0.image", "''");
    auto_free char *body = fixture_text(doc);
    ck_assert_uint_eq(rig_ask("POST", SPACE "/services", body), 400);
    const json_t *detail = json_array_get(run_at(R.json, "error.details"), 0);
    ck_assert_pstr_eq(run_text(detail, "@type"), "type.googleapis.com/google.rpc.BadRequest");
    const json_t *list = run_at(detail, "fieldViolations");
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_pstr_eq(run_text(json_array_get(list, 0), "field"),
                      "spec.template.spec.timeoutSeconds");
    ck_assert_pstr_eq(run_text(json_array_get(list, 1), "field"),
                      "spec.template.spec.containers[0].image");
}
END_TEST

START_TEST(a_disk_that_is_full_changes_nothing)
{
    R.commit_failure = "no space";
    auto_free char *body = deploy(NULL, NULL);
    ck_assert_uint_eq(rig_ask("POST", SPACE "/services", body), 500);
    R.commit_failure = NULL;
    ck_assert_uint_eq(rig_ask("GET", SHOP, NULL), 404);
}
END_TEST

/* ---- the rest ---- */

START_TEST(the_only_location_is_the_project_s_region)
{
    ck_assert_uint_eq(rig_ask("GET", "/v1/projects/my-project/locations?pageSize=100", NULL), 200);
    const json_t *one = json_array_get(run_at(R.json, "locations"), 0);
    ck_assert_pstr_eq(run_text(one, "locationId"), "us-central1");
    ck_assert_pstr_eq(run_text(one, "name"), "projects/my-project/locations/us-central1");
}
END_TEST

START_TEST(permissions_are_asked_for_before_a_service_is_made)
{
    ck_assert_uint_eq(
        rig_ask("POST",
                "/v1/projects/my-project/locations/us-central1/services/new:testIamPermissions",
                "{\"permissions\":[\"run.services.setIamPolicy\"]}"),
        200);
    ck_assert_pstr_eq(json_string_value(json_array_get(run_at(R.json, "permissions"), 0)),
                      "run.services.setIamPolicy");
}
END_TEST

START_TEST(policies_of_services_that_are_not_there_are_not_either)
{
    ck_assert_uint_eq(
        rig_ask("GET", "/v1/projects/my-project/locations/us-central1/services/ghost:getIamPolicy",
                NULL),
        404);
    ck_assert_uint_eq(
        rig_ask("POST", "/v2/projects/my-project/locations/us-central1/services/ghost:setIamPolicy",
                "{\"policy\":{}}"),
        404);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_v1");
    TCase *t = tcase_create("run_v1");
    tcase_add_checked_fixture(t, rig_open, rig_close);
    tcase_add_test(t, a_service_of_the_file_is_there);
    tcase_add_loop_test(t, all_services_are_listed, 0, 3);
    tcase_add_test(t, a_list_can_be_read_in_pages);
    tcase_add_test(t, another_region_has_nothing);
    tcase_add_test(t, an_update_takes_a_service_of_the_file_over);
    tcase_add_test(t, a_new_service_is_ready_at_once);
    tcase_add_test(t, a_dry_run_changes_nothing);
    tcase_add_test(t, an_update_makes_a_revision_only_of_another_template);
    tcase_add_test(t, revisions_are_read_by_name_and_deleted_when_unused);
    tcase_add_test(t, a_stale_resource_version_is_refused);
    tcase_add_test(t, deleting_takes_service_and_policy_away);
    tcase_add_test(t, a_deleted_service_of_the_file_stays_away_and_returns_without_its_policy);
    tcase_add_loop_test(t, what_cannot_be_is_refused_in_google_s_shape, 0, countof(refusals));
    tcase_add_test(t, each_problem_is_a_field_violation);
    tcase_add_test(t, a_disk_that_is_full_changes_nothing);
    tcase_add_test(t, the_only_location_is_the_project_s_region);
    tcase_add_test(t, permissions_are_asked_for_before_a_service_is_made);
    tcase_add_test(t, policies_of_services_that_are_not_there_are_not_either);
    suite_add_tcase(s, t);
    return check_main(s);
}
