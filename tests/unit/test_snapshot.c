/* The snapshot's look-ups: accounts, grants, groups, the project's policy, propagation. */
#include "base/unique_id.h"
#include "check_main.h"
#include "policy_fixture.h"

#define ALICE "alice@example.com"
#define BOB   "bob@example.com"

static bool granted(const snapshot *s, const char *on, const char *email)
{
    const binding *g = fixture_grant(s, on, email, NOW_US);
    return g && g->effective_us <= NOW_US;
}

/* The grant that has to be there. */
static const binding *found(const snapshot *s, const char *on, const char *email, int64_t now_us)
{
    const binding *g = fixture_grant(s, on, email, now_us);
    if (!g)
        ck_abort_msg("%s has no grant on %s", email, on);
    return g;
}

/* ---- accounts and names ---- */

START_TEST(accounts_are_found_by_name_email_and_unique_id)
{
    snapshot *s = fixture_tutorial();
    const account *a = snapshot_find_account(s, SPAN_LIT(FRONTEND));
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_eq(snapshot_resolve_account(s, SPAN_LIT("frontend-sa")), a);
    ck_assert_ptr_eq(snapshot_resolve_account(s, SPAN_LIT(FRONTEND)), a);
    ck_assert_ptr_eq(snapshot_find_account(s, SPAN_LIT("Frontend-SA@my-project.iam.gserviceaccount."
                                                       "com")),
                     a);
    ck_assert_ptr_eq(snapshot_find_account(s, span_of(a->unique_id)), a);
    ck_assert_uint_eq(strlen(a->unique_id), 21);
    ck_assert_int_eq(a->unique_id[0], '1');
    ck_assert_ptr_null(snapshot_find_account(s, SPAN_LIT("frontend-sa")));
    ck_assert_ptr_null(snapshot_resolve_account(s, SPAN_LIT("nobody")));
    snapshot_unref(s);
}
END_TEST

START_TEST(the_default_compute_account_comes_last)
{
    snapshot *s = fixture_tutorial();
    ck_assert_uint_eq(snapshot_account_count(s), 5);
    ck_assert_str_eq(snapshot_account(s, 4)->email, COMPUTE);
    ck_assert(fixture_find(s, "worker")->account_is_default);
    ck_assert_ptr_eq(fixture_find(s, "worker")->account, snapshot_account(s, 4));
    ck_assert(!fixture_find(s, "frontend")->account_is_default);
    snapshot_unref(s);
}
END_TEST

START_TEST(an_organisations_project_has_its_accounts_under_a_longer_domain)
{
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "example.com:app", .number = "7", .region = "r"});
    snapshot_builder_account(b, &(account){.email = "a@app.example.com.iam.gserviceaccount.com"});
    snapshot *s = fixture_build(b);
    ck_assert_ptr_nonnull(snapshot_resolve_account(s, SPAN_LIT("a")));
    snapshot_unref(s);
}
END_TEST

START_TEST(a_unique_id_depends_on_the_email_alone)
{
    char a[UNIQUE_ID_TEXT], b[UNIQUE_ID_TEXT], c[UNIQUE_ID_TEXT];
    account_unique_id(SPAN_LIT(FRONTEND), a);
    account_unique_id(SPAN_LIT("FRONTEND-sa@my-project.iam.gserviceaccount.com"), b);
    account_unique_id(SPAN_LIT(BACKEND), c);
    ck_assert_str_eq(a, b);
    ck_assert_str_ne(a, c);
    ck_assert_uint_eq(strspn(a, "0123456789"), 21);
}
END_TEST

START_TEST(services_get_their_derived_names)
{
    snapshot *s = fixture_tutorial();
    const service *svc = fixture_find(s, "backend-api");
    ck_assert_str_eq(svc->deterministic_url, DET_URL);
    ck_assert_str_eq(svc->url, "http://127.0.0.1:8082");
    ck_assert_uint_eq(strlen(svc->revision), strlen("backend-api-00001-abc"));
    ck_assert_int_eq(strncmp(svc->revision, "backend-api-00001-", 18), 0);
    ck_assert_uint_eq(svc->index, 1);
    ck_assert_ptr_null(snapshot_find_service(s, SPAN_LIT("backend")));
    snapshot_unref(s);
}
END_TEST

START_TEST(people_are_those_named_and_those_mentioned)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_user(b, BOB);
    snapshot_builder_user(b, BOB);
    snapshot_builder_group(b, "team@example.com", "user:carol@example.com");
    fixture_bind(b, "db-service", INVOKER, "user:" ALICE);
    snapshot *s = fixture_build(b);
    ck_assert_uint_eq(snapshot_user_count(s), 3);
    ck_assert_str_eq(snapshot_user(s, 0), BOB);
    ck_assert_str_eq(snapshot_user(s, 1), "carol@example.com");
    ck_assert_str_eq(snapshot_user(s, 2), ALICE);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_principal_is_known_by_email_or_by_numeric_sub)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_user(b, ALICE);
    snapshot *s = fixture_build(b);
    char id[UNIQUE_ID_TEXT];
    principal p;
    ck_assert(snapshot_principal(s, FRONTEND, "1", &p));
    ck_assert_int_eq(p.kind, MEMBER_SERVICE_ACCOUNT);
    account_unique_id(SPAN_LIT(BACKEND), id);
    ck_assert(snapshot_principal(s, NULL, id, &p));
    ck_assert(span_eq_str(p.email, BACKEND));
    ck_assert(snapshot_principal(s, "", id, &p));
    account_unique_id(SPAN_LIT(ALICE), id);
    ck_assert(snapshot_principal(s, NULL, id, &p));
    ck_assert_int_eq(p.kind, MEMBER_USER);
    ck_assert(!snapshot_principal(s, NULL, "100000000000000000001", &p));
    ck_assert(!snapshot_principal(s, NULL, FRONTEND, &p));
    ck_assert(!snapshot_principal(s, NULL, NULL, &p));
    snapshot_unref(s);
}
END_TEST

/* ---- grants ---- */

/* One binding, and whether somebody may invoke db-service by it. */
static const struct {
    const char *on, *role, *member, *email;
    bool yes;
} grants[] = {
    {"db-service", INVOKER, "serviceAccount:" BACKEND, BACKEND, true},
    {"db-service", INVOKER, "serviceAccount:BACKEND-sa@my-project.iam.gserviceaccount.com", BACKEND,
     true},
    {"db-service", INVOKER, "serviceAccount:" BACKEND, FRONTEND, false},
    {"backend-api", INVOKER, "serviceAccount:" BACKEND, BACKEND, false},
    {NULL, INVOKER, "serviceAccount:" BACKEND, BACKEND, true},
    {NULL, "roles/editor", "serviceAccount:" BACKEND, BACKEND, true},
    {NULL, "roles/viewer", "serviceAccount:" BACKEND, BACKEND, false},
    {"db-service", "roles/run.developer", "user:" ALICE, ALICE, true},
    {"db-service", "roles/run.viewer", "user:" ALICE, ALICE, false},
    {"db-service", "roles/cloudfunctions.invoker", "user:" ALICE, ALICE, false},
    {"db-service", "projects/p/roles/mine", "user:" ALICE, ALICE, false},
    {"db-service", INVOKER, "user:" ALICE, BOB, false},
    {"db-service", INVOKER, "user:" BACKEND, BACKEND, false},
    {"db-service", INVOKER, "domain:example.com", ALICE, true},
    {"db-service", INVOKER, "domain:Example.COM", ALICE, true},
    {"db-service", INVOKER, "domain:example.com", "alice@sub.example.com", false},
    {"db-service", INVOKER, "domain:example.com", "alice@notexample.com", false},
    {"db-service", INVOKER, "domain:my-project.iam.gserviceaccount.com", BACKEND, true},
    {"db-service", INVOKER, "allAuthenticatedUsers", ALICE, true},
    {"db-service", INVOKER, "allAuthenticatedUsers", BACKEND, true},
    {"db-service", INVOKER, "allUsers", ALICE, true},
    {"db-service", INVOKER, "group:team@example.com", ALICE, true},
    {"db-service", INVOKER, "group:team@example.com", BACKEND, true},
    {"db-service", INVOKER, "group:team@example.com", BOB, false},
    {"db-service", INVOKER, "group:all@example.com", ALICE, true},
    {"db-service", INVOKER, "group:all@example.com", BOB, true},
    {NULL, INVOKER, "group:all@example.com", BOB, true},
    {"db-service", INVOKER, "deleted:user:" ALICE "?uid=1", ALICE, false},
    {"db-service", INVOKER, "principal://iam.googleapis.com/x/subject/" ALICE, ALICE, false},
    {"db-service", INVOKER, "principalSet://iam.googleapis.com/x/*", ALICE, false},
    {"db-service", INVOKER, "projectOwner:my-project", "owner@example.com", true},
    {"db-service", INVOKER, "projectViewer:my-project", "viewer@example.com", true},
    {"db-service", INVOKER, "projectViewer:other", "viewer@example.com", false},
    {"db-service", INVOKER, "projectViewer:my-project", BOB, false},
};

START_TEST(a_binding_lets_in_whom_it_means)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_group(b, "team@example.com", "user:" ALICE);
    snapshot_builder_group(b, "team@example.com", "serviceAccount:" BACKEND);
    snapshot_builder_group(b, "all@example.com", "group:team@example.com");
    snapshot_builder_group(b, "all@example.com", BOB);
    snapshot_builder_group(b, "team@example.com", "group:loop@example.com");
    snapshot_builder_group(b, "loop@example.com", "group:team@example.com");
    fixture_bind(b, NULL, "roles/owner", "user:owner@example.com");
    fixture_bind(b, NULL, "roles/viewer", "user:viewer@example.com");
    fixture_bind(b, grants[_i].on, grants[_i].role, grants[_i].member);
    snapshot *s = fixture_build(b);
    ck_assert_msg(granted(s, "db-service", grants[_i].email) == grants[_i].yes, "%s %s %s for %s",
                  grants[_i].on ? grants[_i].on : "project", grants[_i].role, grants[_i].member,
                  grants[_i].email);
    snapshot_unref(s);
}
END_TEST

START_TEST(the_services_own_binding_is_named_before_the_projects)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, NULL, "roles/editor", "user:" ALICE);
    fixture_bind(b, "db-service", INVOKER, "domain:example.com");
    snapshot *s = fixture_build(b);
    ck_assert(!found(s, "db-service", ALICE, NOW_US)->project_level);
    ck_assert(found(s, "frontend", ALICE, NOW_US)->project_level);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_binding_of_an_unknown_service_binds_nothing)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "nowhere", INVOKER, "user:" ALICE);
    snapshot *s = fixture_build(b);
    ck_assert_uint_eq(snapshot_binding_count(s), 0);
    snapshot_unref(s);
}
END_TEST

START_TEST(allUsers_opens_a_service_or_all_of_them)
{
    snapshot *s = fixture_tutorial();
    ck_assert_int_eq(fixture_find(s, "frontend")->open, OPEN_ALWAYS);
    ck_assert_int_eq(fixture_find(s, "backend-api")->open, OPEN_NEVER);
    ck_assert_ptr_nonnull(snapshot_grant(s, fixture_find(s, "frontend"), NULL, NOW_US));
    ck_assert_ptr_null(snapshot_grant(s, fixture_find(s, "backend-api"), NULL, NOW_US));
    snapshot_unref(s);
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, NULL, INVOKER, "allUsers");
    fixture_bind(b, "db-service", "roles/viewer", "allUsers");
    s = fixture_build(b);
    ck_assert_int_eq(fixture_find(s, "worker")->open, OPEN_ALWAYS);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_near_grant_is_a_weaker_role_here_or_the_right_one_elsewhere)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "frontend", INVOKER, "allUsers");
    fixture_bind(b, "backend-api", INVOKER, "user:" ALICE);
    fixture_bind(b, "db-service", "roles/run.viewer", "user:" BOB);
    fixture_bind(b, "backend-api", INVOKER, "user:" BOB);
    snapshot *s = fixture_build(b);
    const service *db = fixture_find(s, "db-service");
    principal p = {MEMBER_USER, SPAN_LIT(ALICE)};
    ck_assert_uint_eq(snapshot_near_grant(s, db, &p)->service, 1);
    p.email = SPAN_LIT(BOB);
    ck_assert_str_eq(snapshot_near_grant(s, db, &p)->role, "roles/run.viewer");
    p.email = SPAN_LIT("carol@example.com");
    ck_assert_ptr_null(snapshot_near_grant(s, db, &p));
    snapshot_unref(s);
}
END_TEST

START_TEST(a_custom_role_grants_what_it_contains)
{
    static const char *const invoke[] = {"run.services.get", "run.routes.invoke", NULL};
    static const char *const other[] = {"run.services.get", NULL};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_role(b, "projects/my-project/roles/caller", invoke);
    snapshot_builder_role(b, "projects/my-project/roles/reader", other);
    fixture_bind(b, "db-service", "projects/my-project/roles/caller", "user:" ALICE);
    fixture_bind(b, "db-service", "projects/my-project/roles/reader", "user:" BOB);
    snapshot *s = fixture_build(b);
    ck_assert(granted(s, "db-service", ALICE));
    ck_assert(!granted(s, "db-service", BOB));
    ck_assert_uint_eq(snapshot_role_count(s), 2);
    ck_assert(snapshot_role_grants(s, SPAN_LIT("projects/my-project/roles/reader"),
                                   SPAN_LIT("run.services.get")));
    ck_assert_ptr_null(snapshot_find_role(s, SPAN_LIT("projects/my-project/roles/none")));
    snapshot_unref(s);
}
END_TEST

static const binding *allowed(const snapshot *s, const char *account_email, const char *email,
                              const char *permission)
{
    principal p;
    ck_assert(snapshot_principal(s, email, NULL, &p));
    const resource r = {.account = snapshot_find_account(s, span_of(account_email))};
    return snapshot_allows(s, &r, &p, permission, NOW_US);
}

START_TEST(the_policy_of_an_account_says_who_may_act_as_it)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_grant(b, &(grant_spec){.account = BACKEND,
                                            .role = "roles/iam.serviceAccountTokenCreator",
                                            .member = "user:" ALICE});
    snapshot_builder_grant(
        b, &(grant_spec){.account = BACKEND, .role = "roles/run.invoker", .member = "user:" BOB});
    snapshot_builder_grant(b, &(grant_spec){.role = "roles/iam.serviceAccountOpenIdTokenCreator",
                                            .member = "domain:example.com"});
    snapshot *s = fixture_build(b);
    ck_assert_uint_eq(snapshot_binding_count(s), 3);
    ck_assert(allowed(s, BACKEND, ALICE, "iam.serviceAccounts.signJwt"));
    ck_assert(!allowed(s, FRONTEND, ALICE, "iam.serviceAccounts.signJwt"));
    ck_assert(!allowed(s, BACKEND, BOB, "iam.serviceAccounts.signJwt"));
    ck_assert(allowed(s, FRONTEND, BOB, "iam.serviceAccounts.getOpenIdToken")->project_level);
    ck_assert(!allowed(s, FRONTEND, BOB, "iam.serviceAccounts.getAccessToken"));
    ck_assert(!granted(s, "frontend", BOB)); /* the account's policy is no service's */
    ck_assert(!granted(s, "backend-api", BOB));
    snapshot_unref(s);
}
END_TEST

/* ---- putting a snapshot into a builder again ---- */

static snapshot *again(const snapshot *s)
{
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, snapshot_project(s));
    snapshot_builder_emulation(b, snapshot_emulation(s));
    for (size_t i = 0; i < snapshot_account_count(s); i++)
        snapshot_builder_account(b, snapshot_account(s, i));
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        snapshot_builder_service(b, snapshot_service(s, i), snapshot_service(s, i)->account->email);
    for (size_t i = 0; i < snapshot_group_edge_count(s); i++) {
        const char *group, *in;
        snapshot_group_edge(s, i, &group, &in);
        snapshot_builder_group(b, group, in);
    }
    for (size_t i = 0; i < snapshot_role_count(s); i++)
        snapshot_builder_role(b, snapshot_role(s, i)->name, snapshot_role(s, i)->permissions);
    for (size_t i = 0; i < snapshot_deny_count(s); i++)
        snapshot_builder_deny(b, snapshot_deny(s, i));
    for (size_t i = 0; i < snapshot_image_count(s); i++) {
        const char *const *command;
        const char *image = snapshot_image_at(s, i, &command);
        snapshot_builder_image(b, image, command);
    }
    return fixture_build(b);
}

START_TEST(what_a_snapshot_tells_can_be_given_to_a_builder_again)
{
    static const char *const everybody[] = {"principalSet://goog/public:all", NULL};
    static const char *const invoke[] = {"run.routes.invoke", NULL};
    static const char *const command[] = {"./app", "--fast", NULL};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_account(b, &(account){.email = "new-sa@my-project.iam.gserviceaccount.com",
                                           .unique_id = "112233445566778899001",
                                           .description = "made by hand"});
    fixture_service(b,
                    (service){.name = "made",
                              .revision = "made-00007-xyz",
                              .image = "europe-docker.pkg.dev/p/r/app"},
                    FRONTEND);
    snapshot_builder_group(b, "team@example.com", "user:" ALICE);
    snapshot_builder_role(b, "projects/my-project/roles/caller", invoke);
    snapshot_builder_deny(b, &(deny_rule){.policy = "no-one", .principals = everybody});
    snapshot_builder_image(b, "europe-docker.pkg.dev/p/r/app", command);
    snapshot *first = fixture_build(b), *s = again(first);
    snapshot_unref(first);
    const account *a = snapshot_find_account(s, SPAN_LIT("112233445566778899001"));
    ck_assert_ptr_nonnull(a);
    ck_assert_str_eq(a->description, "made by hand");
    ck_assert_uint_eq(snapshot_account_count(s), 6);
    ck_assert_str_eq(fixture_find(s, "made")->revision, "made-00007-xyz");
    ck_assert_str_eq(fixture_find(s, "made")->image, "europe-docker.pkg.dev/p/r/app");
    ck_assert_str_eq(fixture_find(s, "made")->resource_name,
                     "projects/my-project/locations/us-central1/services/made");
    ck_assert_str_eq(snapshot_deny(s, 0)->policy, "no-one");
    ck_assert_str_eq(snapshot_deny(s, 0)->principals[0], everybody[0]);
    ck_assert_ptr_null(snapshot_deny(s, 0)->exception_principals[0]);
    ck_assert_str_eq(snapshot_image(s, SPAN_LIT("europe-docker.pkg.dev/p/r/app"))[1], "--fast");
    ck_assert_ptr_null(snapshot_image(s, SPAN_LIT("other")));
    ck_assert_ptr_nonnull(snapshot_find_role(s, SPAN_LIT("projects/my-project/roles/caller")));
    ck_assert_uint_eq(snapshot_group_edge_count(s), 1);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_place_without_a_line_is_only_named)
{
    auto_buf buf b = buf_make(200);
    place_put(&b, (place){"t.yaml", 7, 3}, true);
    buf_char(&b, '|');
    place_put(&b, (place){"t.yaml", 7, 3}, false);
    buf_char(&b, '|');
    place_put(&b, (place){"set by gcloud", 0, 0}, true);
    place_put(&b, (place){NULL, 0, 0}, true);
    ck_assert_str_eq(b.p, "t.yaml:7:3|t.yaml:7|set by gcloud");
}
END_TEST

/* ---- propagation ---- */

static snapshot *delayed(const char *member_text, int64_t delay_s, const snapshot *before,
                         int64_t now_us)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(
        b, &(emulation){.token_lifetime_s = 3600, .propagation = {delay_s, delay_s, false}});
    if (member_text)
        fixture_bind(b, "db-service", INVOKER, member_text);
    return snapshot_build(b, before, now_us);
}

START_TEST(a_new_grant_counts_after_the_delay)
{
    snapshot *first = delayed(NULL, 120, NULL, NOW_US);
    snapshot *second = delayed("user:" ALICE, 120, first, NOW_US);
    const int64_t then = NOW_US + 120 * SECOND;
    ck_assert_ptr_null(fixture_grant(second, "db-service", ALICE, then - 1));
    const binding *g = found(second, "db-service", ALICE, then);
    ck_assert_int_eq(g->effective_us, then);
    ck_assert_int_eq(g->granted_us, NOW_US);
    /* Another reload in between does not start the wait anew. */
    snapshot *third = delayed("user:" ALICE, 120, second, NOW_US + 60 * SECOND);
    ck_assert_ptr_null(fixture_grant(third, "db-service", ALICE, then - 1));
    g = found(third, "db-service", ALICE, then);
    ck_assert_int_eq(g->effective_us, then);
    ck_assert_int_eq(g->granted_us, NOW_US);
    snapshot_unref(first);
    snapshot_unref(second);
    snapshot_unref(third);
}
END_TEST

START_TEST(what_was_granted_before_or_from_the_start_counts_at_once)
{
    snapshot *first = delayed("user:" ALICE, 120, NULL, NOW_US);
    ck_assert_int_eq(found(first, "db-service", ALICE, NOW_US)->effective_us, 0);
    snapshot *second = delayed("user:" ALICE, 120, first, NOW_US);
    ck_assert_int_eq(found(second, "db-service", ALICE, NOW_US)->effective_us, 0);
    snapshot *third = delayed("user:" BOB, 0, second, NOW_US);
    ck_assert_int_eq(found(third, "db-service", BOB, NOW_US)->effective_us, 0);
    snapshot_unref(first);
    snapshot_unref(second);
    snapshot_unref(third);
}
END_TEST

START_TEST(an_opened_service_opens_after_the_delay)
{
    snapshot *first = delayed(NULL, 40, NULL, NOW_US);
    snapshot *second = delayed("allUsers", 40, first, NOW_US);
    const service *db = fixture_find(second, "db-service");
    ck_assert_int_eq(db->open, OPEN_AT_TIMES);
    ck_assert(!snapshot_is_open(second, db, NOW_US + 40 * SECOND - 1));
    ck_assert(snapshot_is_open(second, db, NOW_US + 40 * SECOND));
    snapshot_unref(first);
    snapshot_unref(second);
}
END_TEST

START_TEST(a_grant_in_effect_hides_one_that_waits)
{
    snapshot *first = delayed("domain:example.com", 120, NULL, NOW_US);
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &(emulation){.propagation = {120, 120, false}});
    fixture_bind(b, "db-service", INVOKER, "user:" ALICE);
    fixture_bind(b, "db-service", INVOKER, "domain:example.com");
    snapshot *second = snapshot_build(b, first, NOW_US);
    ck_assert_str_eq(found(second, "db-service", ALICE, NOW_US)->member, "domain:example.com");
    ck_assert_str_eq(found(second, "db-service", ALICE, NOW_US + 121 * SECOND)->member,
                     "user:" ALICE);
    snapshot_unref(first);
    snapshot_unref(second);
}
END_TEST

START_TEST(a_snapshot_lives_until_its_last_holder_lets_go)
{
    snapshot *s = fixture_tutorial();
    ck_assert_ptr_eq(snapshot_ref(s), s);
    snapshot_unref(s);
    ck_assert_str_eq(snapshot_project(s)->id, "my-project");
    ck_assert_int_eq(snapshot_emulation(s)->clock_skew_s, 60);
    snapshot_unref(s);
    snapshot_unref(NULL);
    snapshot_builder_free(fixture_builder());
    snapshot_builder_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot");
    TCase *t = tcase_create("names");
    tcase_add_test(t, accounts_are_found_by_name_email_and_unique_id);
    tcase_add_test(t, the_default_compute_account_comes_last);
    tcase_add_test(t, an_organisations_project_has_its_accounts_under_a_longer_domain);
    tcase_add_test(t, a_unique_id_depends_on_the_email_alone);
    tcase_add_test(t, services_get_their_derived_names);
    tcase_add_test(t, people_are_those_named_and_those_mentioned);
    tcase_add_test(t, a_principal_is_known_by_email_or_by_numeric_sub);
    tcase_add_test(t, what_a_snapshot_tells_can_be_given_to_a_builder_again);
    tcase_add_test(t, a_place_without_a_line_is_only_named);
    tcase_add_test(t, a_snapshot_lives_until_its_last_holder_lets_go);
    suite_add_tcase(suite, t);
    t = tcase_create("grants");
    tcase_add_loop_test(t, a_binding_lets_in_whom_it_means, 0, (int)countof(grants));
    tcase_add_test(t, the_services_own_binding_is_named_before_the_projects);
    tcase_add_test(t, a_binding_of_an_unknown_service_binds_nothing);
    tcase_add_test(t, allUsers_opens_a_service_or_all_of_them);
    tcase_add_test(t, a_custom_role_grants_what_it_contains);
    tcase_add_test(t, the_policy_of_an_account_says_who_may_act_as_it);
    tcase_add_test(t, a_near_grant_is_a_weaker_role_here_or_the_right_one_elsewhere);
    suite_add_tcase(suite, t);
    t = tcase_create("propagation");
    tcase_add_test(t, a_new_grant_counts_after_the_delay);
    tcase_add_test(t, what_was_granted_before_or_from_the_start_counts_at_once);
    tcase_add_test(t, an_opened_service_opens_after_the_delay);
    tcase_add_test(t, a_grant_in_effect_hides_one_that_waits);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
