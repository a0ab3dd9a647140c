/* Deny rules: how principals and permissions are written, whom a rule means, and that it comes
 * before every grant. */
#include "check_main.h"
#include "decision_fixture.h"
#include "policy/deny.h"
#include "policy/role.h"

#define ALL      "principalSet://goog/public:all"
#define SUBJECT  "principal://goog/subject/"
#define GROUP    "principalSet://goog/group/"
#define ACCOUNT  "principal://iam.googleapis.com/projects/-/serviceAccounts/"
#define PROJECTS "principalSet://cloudresourcemanager.googleapis.com/projects/"
#define POOL     "iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/"
#define ALICE    "alice@example.com"
#define BOB      "bob@example.com"
#define FOREIGN  "x@other-project.iam.gserviceaccount.com"
#define INVOKE   "run.googleapis.com/routes.invoke"

/* ---- how they are written ---- */

static const struct {
    const char *text;
    bool valid;
} principals[] = {
    {ALL, true},
    {SUBJECT ALICE, true},
    {GROUP "team@example.com", true},
    {ACCOUNT FRONTEND, true},
    {"deleted:" SUBJECT ALICE "?uid=123", true},
    {"deleted:" ACCOUNT FRONTEND "?uid=123", true},
    {"principalSet://goog/cloudIdentityCustomerId/C01Abc35", true},
    {PROJECTS "123456789012", true},
    {PROJECTS "123456789012/type/ServiceAccount", true},
    {"principalSet://cloudresourcemanager.googleapis.com/organizations/7", true},
    {"principal://" POOL "subject/s", true},
    {"principalSet://" POOL "*", true},
    {"principal://iam.googleapis.com/locations/global/workforcePools/p/subject/s", true},
    {"", false},
    {"deleted:", false},
    {"deleted:" ALL, false},
    {"allUsers", false},
    {"user:" ALICE, false},
    {ALL "x", false},
    {SUBJECT, false},
    {SUBJECT "alice", false},
    {SUBJECT FRONTEND, false},
    {"principalSet://goog/subject/" ALICE, false},
    {GROUP "team", false},
    {ACCOUNT ALICE, false},
    {ACCOUNT, false},
    {"principal://example.com/x", false},
};

START_TEST(principals_are_written_as_iam_v2_writes_them)
{
    error e = {0};
    ck_assert_msg(deny_principal_check(span_of(principals[_i].text), &e) == principals[_i].valid,
                  "%s: %s", principals[_i].text, e.text);
    ck_assert(principals[_i].valid || strstr(e.text, "expected " SUBJECT "EMAIL"));
}
END_TEST

static const struct {
    const char *text;
    bool valid, invokes;
} permissions[] = {
    {INVOKE, true, true},
    {"run.googleapis.com/routes.*", true, true},
    {"run.googleapis.com/*.invoke", true, true},
    {"run.googleapis.com/*.*", true, true},
    {"run.googleapis.com/services.get", true, false},
    {"run.googleapis.com/services.*", true, false},
    {"run.googleapis.com/*.get", true, false},
    {"iam.googleapis.com/*.*", true, false},
    {"runx.googleapis.com/routes.invoke", true, false},
    {"run.routes.invoke", false, false},
    {"run.googleapis.com/routes", false, false},
    {"run.googleapis.com/routes.", false, false},
    {"run.googleapis.com/.invoke", false, false},
    {"run.googleapis.com/a.b.c", false, false},
    {"run.googleapis.com/*", false, false},
    {"run.example.com/routes.invoke", false, false},
    {"/routes.invoke", false, false},
    {"", false, false},
};

START_TEST(permissions_are_written_with_their_api)
{
    error e = {0};
    const span text = span_of(permissions[_i].text);
    ck_assert_int_eq(deny_permission_check(text, &e), permissions[_i].valid);
    ck_assert_int_eq(deny_permission_covers(text, SPAN_LIT(PERMISSION_INVOKE)),
                     permissions[_i].invokes);
    ck_assert(permissions[_i].valid || strstr(e.text, INVOKE));
}
END_TEST

/* ---- whom a rule means ---- */

/* One rule for one principal, perhaps with one exception. */
static void deny(snapshot_builder *b, const char *who, const char *but)
{
    const char *const denied[] = {who, NULL}, *const spared[] = {but, NULL};
    static const char *const what[] = {INVOKE, NULL}, *const nothing[] = {NULL};
    snapshot_builder_deny(b, &(deny_rule){.principals = denied,
                                          .exception_principals = spared,
                                          .permissions = what,
                                          .exception_permissions = nothing,
                                          .place = {"t.yaml", 9, 3}});
}

static snapshot *denying(const char *who, const char *but)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_account(b, &(account){.email = FOREIGN});
    snapshot_builder_group(b, "team@example.com", "user:" ALICE);
    snapshot_builder_group(b, "all@example.com", "group:team@example.com");
    deny(b, who, but);
    return fixture_build(b);
}

static bool denied(const snapshot *s, const char *email)
{
    principal p;
    if (email)
        ck_assert(snapshot_principal(s, email, NULL, &p));
    return snapshot_denied(s, email ? &p : NULL, PERMISSION_INVOKE) != NULL;
}

static const struct {
    const char *who, *but;
    const char *email; /* NULL: somebody without a token */
    bool denied;
} cases[] = {
    {ALL, NULL, NULL, true},
    {ALL, NULL, ALICE, true},
    {ALL, NULL, FRONTEND, true},
    {ALL, SUBJECT ALICE, ALICE, false},
    {ALL, SUBJECT ALICE, BOB, true},
    {ALL, SUBJECT ALICE, NULL, true},
    {ALL, GROUP "team@example.com", ALICE, false},
    {ALL, GROUP "all@example.com", ALICE, false},
    {ALL, GROUP "all@example.com", BOB, true},
    {ALL, ACCOUNT FRONTEND, FRONTEND, false},
    {ALL, ALL, NULL, false},
    {SUBJECT ALICE, NULL, ALICE, true},
    {SUBJECT ALICE, NULL, "ALICE@Example.com", true},
    {SUBJECT ALICE, NULL, BOB, false},
    {SUBJECT ALICE, NULL, NULL, false},
    {GROUP "all@example.com", NULL, ALICE, true},
    {GROUP "all@example.com", SUBJECT ALICE, ALICE, false},
    {GROUP "all@example.com", NULL, BOB, false},
    {ACCOUNT FRONTEND, NULL, FRONTEND, true},
    {ACCOUNT FRONTEND, NULL, BACKEND, false},
    {PROJECTS "123456789012", NULL, FRONTEND, true},
    {PROJECTS "my-project/type/ServiceAccount", NULL, FRONTEND, true},
    {PROJECTS "123456789012", NULL, COMPUTE, true},
    {PROJECTS "123456789012", NULL, FOREIGN, false},
    {PROJECTS "123456789012", NULL, ALICE, false},
    {PROJECTS "999", NULL, FRONTEND, false},
    {ALL, PROJECTS "123456789012", FRONTEND, false},
    {ALL, PROJECTS "123456789012", ALICE, true},
    {"deleted:" SUBJECT ALICE "?uid=1", NULL, ALICE, false},
    {"principalSet://goog/cloudIdentityCustomerId/C01", NULL, ALICE, false},
};

START_TEST(a_rule_means_whom_it_names_less_its_exceptions)
{
    snapshot *s = denying(cases[_i].who, cases[_i].but);
    ck_assert_int_eq(denied(s, cases[_i].email), cases[_i].denied);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_rule_forbids_its_permissions_less_its_exceptions)
{
    static const char *const everybody[] = {ALL, NULL}, *const nobody[] = {NULL};
    static const char *const run[] = {"run.googleapis.com/*.*", NULL}, *const invoke[] = {INVOKE,
                                                                                          NULL};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_deny(b, &(deny_rule){.principals = everybody,
                                          .exception_principals = nobody,
                                          .permissions = run,
                                          .exception_permissions = invoke});
    snapshot *s = fixture_build(b);
    ck_assert_ptr_null(snapshot_denied(s, NULL, PERMISSION_INVOKE));
    ck_assert_ptr_nonnull(snapshot_denied(s, NULL, "run.services.get"));
    ck_assert_ptr_null(snapshot_denied(s, NULL, PERMISSION_ID_TOKEN));
    snapshot_unref(s);
}
END_TEST

START_TEST(what_is_denied_is_not_allowed_by_any_role)
{
    static const char *const who[] = {SUBJECT ALICE, NULL}, *const nobody[] = {NULL};
    static const char *const what[] = {"iam.googleapis.com/serviceAccounts.*", NULL};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_grant(b, &(grant_spec){.account = FRONTEND,
                                            .role = "roles/iam.serviceAccountTokenCreator",
                                            .member = "domain:example.com"});
    snapshot_builder_deny(b, &(deny_rule){.principals = who,
                                          .exception_principals = nobody,
                                          .permissions = what,
                                          .exception_permissions = nobody});
    snapshot *s = fixture_build(b);
    principal alice, bob;
    ck_assert(snapshot_principal(s, ALICE, NULL, &alice));
    ck_assert(snapshot_principal(s, BOB, NULL, &bob));
    const resource on = {.account = snapshot_find_account(s, SPAN_LIT(FRONTEND))};
    ck_assert_ptr_null(snapshot_allows(s, &on, &alice, PERMISSION_ID_TOKEN, NOW_US));
    ck_assert_ptr_nonnull(snapshot_allows(s, &on, &bob, PERMISSION_ID_TOKEN, NOW_US));
    ck_assert_ptr_null(snapshot_allows(s, &on, &bob, PERMISSION_INVOKE, NOW_US));
    snapshot_unref(s);
}
END_TEST

/* ---- decisions ---- */

static scene x;

static void under(const char *who, const char *but, const char *member_text, const char *role)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "backend-api", role, member_text);
    deny(b, who, but);
    scene_open(&x, fixture_build(b));
}

START_TEST(deny_comes_before_every_grant)
{
    static const char *const roles[] = {INVOKER, "roles/run.admin", "roles/owner"};
    for (size_t i = 0; i < countof(roles); i++) {
        under(ACCOUNT FRONTEND, NULL, "serviceAccount:" FRONTEND, roles[i]);
        const decision d = decide(x.s, &x.facts, NOW_US);
        ck_assert_int_eq(d.reason, REASON_DENIED);
        ck_assert_ptr_eq(d.deny, snapshot_deny(x.s, 0));
        ck_assert_ptr_null(d.binding);
        snapshot_unref(x.s);
    }
    under(ACCOUNT BACKEND, NULL, "serviceAccount:" FRONTEND, INVOKER);
    ck_assert_int_eq(scene_reason(&x), REASON_GRANTED);
    snapshot_unref(x.s);
}
END_TEST

/* allUsers and a rule against everybody: the token says who is excepted. */
START_TEST(a_public_service_that_is_denied_wants_a_token)
{
    under(ALL, ACCOUNT FRONTEND, "allUsers", INVOKER);
    ck_assert(decide_needs_token(x.s, &x.facts, NOW_US));
    ck_assert_int_eq(scene_reason(&x), REASON_GRANTED);
    x.claims.email = BACKEND;
    ck_assert_int_eq(scene_reason(&x), REASON_DENIED);
    x.facts.token = TOKEN_ABSENT;
    const decision d = decide(x.s, &x.facts, NOW_US);
    ck_assert_int_eq(d.reason, REASON_DENIED);
    ck_assert_ptr_eq(d.deny, snapshot_deny(x.s, 0));
    x.facts.service = fixture_find(x.s, "db-service"); /* denied, and not public either */
    ck_assert_int_eq(scene_reason(&x), REASON_NO_CREDENTIAL);
    snapshot_unref(x.s);
}
END_TEST

START_TEST(a_service_without_the_check_is_not_denied)
{
    snapshot_builder *b = fixture_builder();
    static const char *const none[] = {NULL};
    snapshot_builder_service(b,
                             &(service){.name = "off",
                                        .listen = "127.0.0.1:8090",
                                        .custom_audiences = none,
                                        .hosts = none,
                                        .addresses = none},
                             NULL);
    deny(b, ALL, NULL);
    scene_open(&x, fixture_build(b));
    x.facts.service = fixture_find(x.s, "off");
    ck_assert_int_eq(scene_reason(&x), REASON_CHECK_DISABLED);
    snapshot_unref(x.s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("deny");
    TCase *t = tcase_create("deny");
    tcase_add_loop_test(t, principals_are_written_as_iam_v2_writes_them, 0,
                        (int)countof(principals));
    tcase_add_loop_test(t, permissions_are_written_with_their_api, 0, (int)countof(permissions));
    tcase_add_loop_test(t, a_rule_means_whom_it_names_less_its_exceptions, 0, (int)countof(cases));
    tcase_add_test(t, a_rule_forbids_its_permissions_less_its_exceptions);
    tcase_add_test(t, what_is_denied_is_not_allowed_by_any_role);
    tcase_add_test(t, deny_comes_before_every_grant);
    tcase_add_test(t, a_public_service_that_is_denied_wants_a_token);
    tcase_add_test(t, a_service_without_the_check_is_not_denied);
    suite_add_tcase(s, t);
    return check_main(s);
}
