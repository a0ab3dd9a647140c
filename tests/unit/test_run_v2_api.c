/* Cloud Run Admin API v2 on the control listener: what the client libraries and Terraform send. */
#include "control/run_v2.h"
#include "control_fixture.h"
#include "run_fixture.h"

#define PARENT "/v2/projects/my-project/locations/us-central1"
#define FULL   "projects/my-project/locations/us-central1/services/shop"
#define SHOP   PARENT "/services/shop"
#define BODY                                                                                       \
    "{'description':'shoes','ingress':'INGRESS_TRAFFIC_INTERNAL_ONLY',"                            \
    "'template':{'serviceAccount':'" FRONTEND "','containers':[{'image':'" IMAGE "'}]}}"

/* The body is JSON with '. */
static unsigned ask(const char *method, const char *target, const char *json)
{
    json_auto_t *doc = json ? fixture_json(json) : NULL;
    auto_free char *body = doc ? fixture_text(doc) : NULL;
    return rig_ask(method, target, body);
}

static void create_shop(void)
{
    ck_assert_msg(ask("POST", PARENT "/services?serviceId=shop", BODY) == 200, "%s", R.answer.p);
}

static const char *text(const char *path)
{
    return run_text(R.json, path);
}

static const service *merged(const char *name)
{
    return snapshot_find_service(R.snap, span_of(name));
}

static size_t revisions(void)
{
    return json_array_size(run_at(state_entry(R.state, "services", "shop"), "revisions"));
}

START_TEST(creating_answers_with_an_operation_that_is_done)
{
    create_shop();
    ck_assert(json_is_true(run_at(R.json, "done")));
    ck_assert_pstr_eq(run_member(R.json, "response", "@type"), V2_SERVICE_TYPE);
    ck_assert_pstr_eq(run_member(R.json, "metadata", "@type"), V2_SERVICE_TYPE);
    ck_assert_pstr_eq(text("response.name"), FULL);
    ck_assert_pstr_eq(text("response.uri"), "http://127.0.0.1:18081");
    ck_assert_pstr_eq(text("response.description"), "shoes");
    ck_assert_int_eq(merged("shop")->ingress, INGRESS_INTERNAL);
    ck_assert_str_eq(merged("shop")->account->email, FRONTEND);
}
END_TEST

START_TEST(an_operation_can_be_asked_for_later)
{
    create_shop();
    auto_buf buf target = buf_make(512);
    buf_fmt(&target, "/v2/%s", text("name"));
    ck_assert_uint_eq(ask("GET", target.p, NULL), 200);
    ck_assert(json_is_true(run_at(R.json, "done")));
    ck_assert_pstr_eq(text("response.name"), FULL);
    buf_str(&target, ":wait");
    ck_assert_uint_eq(ask("POST", target.p, "{'timeout':'30s'}"), 200);
    ck_assert_pstr_eq(text("response.name"), FULL);
    target.p[2] = '1'; /* /v1/…: the same with a Knative Service */
    ck_assert_uint_eq(ask("POST", target.p, "{'timeout':'30s'}"), 200);
    ck_assert_pstr_eq(text("response.kind"), "Service");
    ck_assert_uint_eq(ask("GET", PARENT "/operations", NULL), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "operations")), 5);
    ck_assert_uint_eq(ask("GET", PARENT "/operations/unknown", NULL), 404);
}
END_TEST

START_TEST(both_versions_show_the_same_service)
{
    create_shop();
    ck_assert_uint_eq(ask("GET", SHOP, NULL), 200);
    auto_free char *uid = strdup(text("uid")), *revision = strdup(text("latestReadyRevision"));
    ck_assert_uint_eq(
        ask("GET", "/apis/serving.knative.dev/v1/namespaces/my-project/services/shop", NULL), 200);
    ck_assert_pstr_eq(text("metadata.uid"), uid);
    ck_assert_pstr_eq(strrchr(revision, '/') + 1, text("status.latestReadyRevisionName"));
    ck_assert_pstr_eq(run_member(R.json, "metadata.annotations", RUN_INGRESS), "internal");
}
END_TEST

START_TEST(services_come_in_pages)
{
    ck_assert_uint_eq(ask("GET", PARENT "/services", NULL), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "services")), 4);
    ck_assert_ptr_null(text("nextPageToken"));
    ck_assert_uint_eq(ask("GET", "/v2/projects/my-project/locations/-/services?pageSize=3", NULL),
                      200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "services")), 3);
    ck_assert_pstr_eq(text("nextPageToken"), "3");
    ck_assert_uint_eq(ask("GET", PARENT "/services?pageSize=3&pageToken=3", NULL), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "services")), 1);
    ck_assert_ptr_null(text("nextPageToken"));
    ck_assert_uint_eq(ask("GET", PARENT "/services?pageToken=99", NULL), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "services")), 0);
}
END_TEST

START_TEST(a_patch_changes_what_its_mask_names)
{
    create_shop();
    ck_assert_uint_eq(ask("PATCH", SHOP "?updateMask=description",
                          "{'description':'boots','ingress':'INGRESS_TRAFFIC_ALL'}"),
                      200);
    ck_assert_pstr_eq(text("response.description"), "boots");
    ck_assert_int_eq(merged("shop")->ingress, INGRESS_INTERNAL);
    ck_assert_uint_eq(revisions(), 1);
    ck_assert_uint_eq(
        ask("PATCH", SHOP "?updateMask=template.timeout", "{'template':{'timeout':'60s'}}"), 200);
    ck_assert_int_eq(merged("shop")->timeout_us, 60 * SECOND);
    ck_assert_str_eq(merged("shop")->account->email, FRONTEND);
    ck_assert_uint_eq(revisions(), 2);
}
END_TEST

START_TEST(a_patch_without_mask_replaces_all)
{
    create_shop();
    ck_assert_uint_eq(ask("PATCH", SHOP, "{'template':{'containers':[{'image':'other'}]}}"), 200);
    ck_assert_ptr_null(text("response.description"));
    ck_assert_pstr_eq(text("response.ingress"), "INGRESS_TRAFFIC_ALL");
    ck_assert_str_eq(merged("shop")->account->email, COMPUTE);
}
END_TEST

START_TEST(a_patch_with_nothing_new_makes_no_revision)
{
    create_shop();
    ck_assert_uint_eq(ask("GET", SHOP, NULL), 200);
    auto_free char *body = fixture_text(R.json);
    ck_assert_uint_eq(rig_ask("PATCH", SHOP, body), 200);
    ck_assert_uint_eq(revisions(), 1);
    ck_assert_uint_eq(rig_ask("PATCH", SHOP, body), 409); /* its etag is stale by now */
    rig_expect_error(409, "ABORTED", "etag");
}
END_TEST

START_TEST(a_missing_service_is_made_when_that_is_allowed)
{
    ck_assert_uint_eq(ask("PATCH", SHOP, BODY), 404);
    ck_assert_uint_eq(ask("PATCH", SHOP "?allowMissing=true", BODY), 200);
    ck_assert_ptr_nonnull(merged("shop"));
}
END_TEST

START_TEST(validating_changes_nothing)
{
    ck_assert_uint_eq(ask("POST", PARENT "/services?serviceId=shop&validateOnly=true", BODY), 200);
    ck_assert(json_is_true(run_at(R.json, "done")));
    ck_assert_uint_eq(R.commits, 0);
    create_shop();
    ck_assert_uint_eq(ask("PATCH", SHOP "?validateOnly=true", BODY), 200);
    ck_assert_uint_eq(ask("DELETE", SHOP "?validateOnly=true", NULL), 200);
    ck_assert_uint_eq(R.commits, 1);
    ck_assert_uint_eq(ask("PATCH", SHOP "?validateOnly=maybe", BODY), 400);
}
END_TEST

START_TEST(deleting_answers_with_what_was_deleted)
{
    create_shop();
    ck_assert_uint_eq(ask("DELETE", SHOP "?etag=%22nope%22", NULL), 409);
    ck_assert_uint_eq(ask("DELETE", SHOP, NULL), 200);
    ck_assert_pstr_eq(text("response.name"), FULL);
    ck_assert_pstr_eq(text("response.deleteTime"), "2027-01-15T08:00:00.000000Z");
    auto_buf buf target = buf_make(512);
    buf_fmt(&target, "/v2/%s", text("name"));
    ck_assert_uint_eq(ask("GET", SHOP, NULL), 404);
    ck_assert_uint_eq(ask("GET", target.p, NULL), 200);
    ck_assert_pstr_eq(text("response.name"), FULL);
    ck_assert(state_is_empty(state_document(R.state)));
}
END_TEST

START_TEST(revisions_are_listed_newest_first)
{
    create_shop();
    ck_assert_uint_eq(
        ask("PATCH", SHOP "?updateMask=template.timeout", "{'template':{'timeout':'60s'}}"), 200);
    ck_assert_uint_eq(ask("GET", SHOP "/revisions", NULL), 200);
    const json_t *list = run_at(R.json, "revisions");
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_pstr_eq(run_text(json_array_get(list, 0), "timeout"), "60s");
    auto_buf buf target = buf_make(512);
    buf_fmt(&target, "/v2/%s", run_text(json_array_get(list, 1), "name"));
    ck_assert_uint_eq(ask("GET", target.p, NULL), 200);
    ck_assert_pstr_eq(text("service"), "shop");
    ck_assert_uint_eq(ask("DELETE", target.p, NULL), 200);
    ck_assert_uint_eq(ask("GET", target.p, NULL), 404);
    ck_assert_uint_eq(ask("GET", PARENT "/services/-/revisions", NULL), 200);
    ck_assert_uint_eq(json_array_size(run_at(R.json, "revisions")), 5);
}
END_TEST

START_TEST(policies_are_the_same_by_both_versions)
{
    create_shop();
    ck_assert_uint_eq(ask("POST", SHOP ":setIamPolicy",
                          "{'policy':{'bindings':[{'role':'roles/run.invoker','members':["
                          "'serviceAccount:" BACKEND "']}]}}"),
                      200);
    auto_free char *etag = strdup(text("etag"));
    ck_assert_uint_eq(
        ask("GET", "/v1/projects/my-project/locations/us-central1/services/shop:getIamPolicy",
            NULL),
        200);
    ck_assert_pstr_eq(text("etag"), etag);
    const principal backend = {MEMBER_SERVICE_ACCOUNT, span_of(BACKEND)};
    ck_assert_ptr_nonnull(snapshot_grant(R.snap, merged("shop"), &backend, R.now_us));
}
END_TEST

static const struct {
    const char *method, *target, *body;
    unsigned code;
    const char *status, *words;
} refusals[] = {
    {"POST", PARENT "/services", BODY, 400, "INVALID_ARGUMENT", "serviceId"},
    {"POST", PARENT "/services?serviceId=Shop", BODY, 400, "INVALID_ARGUMENT", "lowercase"},
    {"POST", PARENT "/services?serviceId=frontend", BODY, 409, "ALREADY_EXISTS", "'frontend'"},
    {"POST", "/v2/projects/my-project/locations/mars/services?serviceId=shop", BODY, 400,
     "INVALID_ARGUMENT", "'mars' is not the region"},
    {"POST", "/v2/projects/other/locations/us-central1/services?serviceId=shop", BODY, 403,
     "PERMISSION_DENIED", "project other"},
    {"POST", PARENT "/services?serviceId=shop", "{}", 400, "INVALID_ARGUMENT",
     "template.containers"},
    {"POST", PARENT "/services?serviceId=shop", "{'shape':1}", 400, "INVALID_ARGUMENT",
     "Unknown name \"shape\" at 'service': Cannot find field."},
    {"POST", PARENT "/services?serviceId=shop",
     "{'template':{'containers':[{'image':'a','env':[{'name':'PORT'}]}]}}", 400, "INVALID_ARGUMENT",
     "template.containers[0].env: The following reserved env names"},
    {"POST", PARENT "/services?serviceId=shop",
     "{'template':{'serviceAccount':'ghost@my-project.iam.gserviceaccount.com',"
     "'containers':[{'image':'a'}]}}",
     403, "PERMISSION_DENIED", "iam.serviceaccounts.actAs"},
    {"PATCH", PARENT "/services/frontend?updateMask=colour", "{}", 400, "INVALID_ARGUMENT",
     "'colour'"},
    {"PATCH", PARENT "/services/frontend?updateMask=template.containers", "{}", 400,
     "INVALID_ARGUMENT", "template.containers"},
    {"PATCH", PARENT "/services/frontend", "{'etag':'\\'0000\\''}", 409, "ABORTED", "etag"},
    {"GET", PARENT "/services/ghost", NULL, 404, "NOT_FOUND", "'ghost'"},
    {"GET", "/v2/projects/my-project/locations/mars/services/frontend", NULL, 404, "NOT_FOUND",
     "in region 'mars'"},
    {"GET", PARENT "/services/frontend/revisions/ghost", NULL, 404, "NOT_FOUND", "'REVISION'"},
    {"GET", PARENT "/services?pageSize=-1", NULL, 400, "INVALID_ARGUMENT", "pageSize"},
    {"GET", PARENT "/services?pageToken=x", NULL, 400, "INVALID_ARGUMENT", "page token"},
};

START_TEST(what_cannot_be_is_refused_in_google_s_shape)
{
    (void)ask(refusals[_i].method, refusals[_i].target, refusals[_i].body);
    rig_expect_error(refusals[_i].code, refusals[_i].status, refusals[_i].words);
    ck_assert_uint_eq(R.commits, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("run_v2_api");
    TCase *t = tcase_create("run_v2_api");
    tcase_add_checked_fixture(t, rig_open, rig_close);
    tcase_add_test(t, creating_answers_with_an_operation_that_is_done);
    tcase_add_test(t, an_operation_can_be_asked_for_later);
    tcase_add_test(t, both_versions_show_the_same_service);
    tcase_add_test(t, services_come_in_pages);
    tcase_add_test(t, a_patch_changes_what_its_mask_names);
    tcase_add_test(t, a_patch_without_mask_replaces_all);
    tcase_add_test(t, a_patch_with_nothing_new_makes_no_revision);
    tcase_add_test(t, a_missing_service_is_made_when_that_is_allowed);
    tcase_add_test(t, validating_changes_nothing);
    tcase_add_test(t, deleting_answers_with_what_was_deleted);
    tcase_add_test(t, revisions_are_listed_newest_first);
    tcase_add_test(t, policies_are_the_same_by_both_versions);
    tcase_add_loop_test(t, what_cannot_be_is_refused_in_google_s_shape, 0, countof(refusals));
    suite_add_tcase(s, t);
    return check_main(s);
}
