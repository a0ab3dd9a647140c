/* The judgement: what the service's settings and policy make of a request. */
#include "check_main.h"
#include "decision_fixture.h"

static scene x;

static void setup(void)
{
    scene_open(&x, NULL);
}
static void teardown(void)
{
    snapshot_unref(x.s);
}

/* Puts another policy under the scene. */
static void policy(snapshot *s)
{
    snapshot_unref(x.s);
    scene_open(&x, s);
}

/* A service like backend-api, changed in one respect; nobody is granted anything but `who`. */
static void policy_of(service v, const char *who)
{
    static const char *const none[] = {NULL};
    v.name = "other-api";
    v.listen = "127.0.0.1:8089";
    v.custom_audiences = v.hosts = v.addresses = none;
    snapshot_builder *b = fixture_builder();
    snapshot_builder_service(b, &v, NULL);
    if (who)
        fixture_bind(b, "other-api", INVOKER, who);
    policy(fixture_build(b));
    x.facts.service = fixture_find(x.s, "other-api");
    x.aud[0] = "http://127.0.0.1:8089";
}

START_TEST(the_door_comes_before_any_token)
{
    policy_of(
        (service){.iam_check = true, .ingress = INGRESS_INTERNAL, .default_url_disabled = true},
        "allUsers");
    x.facts.token = TOKEN_ABSENT;
    x.facts.by_run_app_host = x.facts.reserved_path = true;
    const service *svc = x.facts.service;
    x.facts.service = NULL;
    ck_assert_int_eq(scene_reason(&x), REASON_UNKNOWN_HOST);
    x.facts.service = svc;
    ck_assert_int_eq(scene_reason(&x), REASON_RESERVED_PATH);
    x.facts.reserved_path = false;
    ck_assert_int_eq(scene_reason(&x), REASON_DEFAULT_URL_DISABLED);
    ck_assert(!decide_needs_token(x.s, &x.facts, NOW_US));
    x.facts.by_run_app_host = false;
    ck_assert_int_eq(scene_reason(&x), REASON_INGRESS_BLOCKED);
    ck_assert(!decide_needs_token(x.s, &x.facts, NOW_US));
    x.facts.internal = true;
    ck_assert_int_eq(scene_reason(&x), REASON_PUBLIC);
    ck_assert(!decide_needs_token(x.s, &x.facts, NOW_US));
}
END_TEST

static const struct {
    ingress ingress;
    bool internal;
    reason reason;
} ingresses[] = {
    {INGRESS_ALL, false, REASON_GRANTED},
    {INGRESS_ALL, true, REASON_GRANTED},
    {INGRESS_INTERNAL, false, REASON_INGRESS_BLOCKED},
    {INGRESS_INTERNAL, true, REASON_GRANTED},
    {INGRESS_INTERNAL_AND_LB, false, REASON_INGRESS_BLOCKED},
    {INGRESS_INTERNAL_AND_LB, true, REASON_GRANTED},
    {INGRESS_NONE, false, REASON_INGRESS_BLOCKED},
    {INGRESS_NONE, true, REASON_INGRESS_BLOCKED},
};

START_TEST(ingress_admits_as_set)
{
    policy_of((service){.iam_check = true, .ingress = ingresses[_i].ingress},
              "serviceAccount:" FRONTEND);
    x.facts.internal = ingresses[_i].internal;
    ck_assert_int_eq(scene_reason(&x), ingresses[_i].reason);
}
END_TEST

START_TEST(a_disabled_check_lets_everybody_in)
{
    policy_of((service){.iam_check = false}, NULL);
    x.facts.token = TOKEN_ABSENT;
    ck_assert_int_eq(scene_reason(&x), REASON_CHECK_DISABLED);
    ck_assert(!decide_needs_token(x.s, &x.facts, NOW_US));
}
END_TEST

START_TEST(a_token_is_needed_where_the_service_is_private)
{
    ck_assert(decide_needs_token(x.s, &x.facts, NOW_US));
    x.facts.service = fixture_find(x.s, "frontend");
    ck_assert(!decide_needs_token(x.s, &x.facts, NOW_US));
    x.facts.service = NULL;
    ck_assert(!decide_needs_token(x.s, &x.facts, NOW_US));
}
END_TEST

/* ---- who ---- */

static const struct {
    const char *member, *email;
    reason reason;
} people[] = {
    {"allAuthenticatedUsers", "mallory@example.org", REASON_GRANTED},
    {"allAuthenticatedUsers", FRONTEND, REASON_GRANTED},
    {"allAuthenticatedUsers", NULL, REASON_GRANTED},
    {"allAuthenticatedUsers", RETIRED, REASON_ACCOUNT_DISABLED},
    {"domain:example.org", "mallory@example.org", REASON_GRANTED},
    {"domain:example.org", NULL, REASON_NO_PRINCIPAL},
    {"user:mallory@example.org", "mallory@example.org", REASON_GRANTED},
    {"serviceAccount:" RETIRED, RETIRED, REASON_ACCOUNT_DISABLED},
};

START_TEST(a_member_admits_whom_it_means)
{
    policy_of((service){.iam_check = true}, people[_i].member);
    x.claims.email = people[_i].email;
    x.claims.sub = "100000000000000000009";
    ck_assert_int_eq(scene_reason(&x), people[_i].reason);
    x.facts.token = TOKEN_ABSENT;
    ck_assert_int_eq(scene_reason(&x), REASON_NO_CREDENTIAL);
}
END_TEST

START_TEST(the_nearest_audience_is_remembered)
{
    x.aud[0] = "demo";
    x.aud[1] = DET_URL "?x=1";
    x.aud[2] = "http://127.0.0.1:8083";
    x.claims.aud_count = 3;
    decision d = decide(x.s, &x.facts, NOW_US);
    ck_assert_int_eq(d.reason, REASON_WRONG_AUDIENCE);
    ck_assert_int_eq(d.audience, AUDIENCE_HAS_QUERY);
    ck_assert_str_eq(d.audience_got, DET_URL "?x=1");
    ck_assert_ptr_null(d.other);
    x.aud[1] = "demo2";
    d = decide(x.s, &x.facts, NOW_US);
    ck_assert_int_eq(d.audience, AUDIENCE_OTHER_SERVICE);
    ck_assert_ptr_eq(d.other, fixture_find(x.s, "db-service"));
}
END_TEST

START_TEST(a_grant_on_its_way_is_not_yet_one)
{
    snapshot *before = fixture_build(fixture_builder());
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &(emulation){.clock_skew_s = 60, .propagation = {10, 10, false}});
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    fixture_bind(b, "db-service", INVOKER, "allUsers");
    policy(snapshot_build(b, before, NOW_US));
    snapshot_unref(before);
    const int64_t then = NOW_US + 10 * SECOND;
    ck_assert_int_eq(decide(x.s, &x.facts, then - 1).reason, REASON_NOT_PROPAGATED);
    ck_assert_int_eq(decide(x.s, &x.facts, then).reason, REASON_GRANTED);
    /* A service on its way to being public still wants a token. */
    x.facts.service = fixture_find(x.s, "db-service");
    x.facts.token = TOKEN_ABSENT;
    ck_assert(decide_needs_token(x.s, &x.facts, then - 1));
    ck_assert_int_eq(decide(x.s, &x.facts, then - 1).reason, REASON_NO_CREDENTIAL);
    ck_assert_int_eq(decide(x.s, &x.facts, then).reason, REASON_PUBLIC);
}
END_TEST

/* ---- what is revoked, conditional, custom ---- */

START_TEST(a_revoked_grant_is_still_one_for_a_while)
{
    snapshot_builder *b = fixture_builder();
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    snapshot *before = fixture_build(b);
    b = fixture_builder();
    snapshot_builder_emulation(b, &(emulation){.clock_skew_s = 60, .propagation = {10, 10, false}});
    policy(snapshot_build(b, before, NOW_US));
    snapshot_unref(before);
    const int64_t then = NOW_US + 10 * SECOND;
    const decision d = decide(x.s, &x.facts, then - 1);
    ck_assert_int_eq(d.reason, REASON_GRANTED);
    ck_assert_int_eq(d.binding->until_us, then);
    ck_assert_int_eq(decide(x.s, &x.facts, then).reason, REASON_NO_GRANT);
}
END_TEST

/* frontend-sa holds the role on backend-api, or in the project, while the expression is true. */
static void conditional(const char *on, const char *role, const char *who, const char *expression)
{
    static const char *const invoke[] = {"run.routes.invoke", NULL};
    static const char *const other[] = {"run.services.get", NULL};
    const condition_text c = {"c", NULL, expression};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_role(b, "projects/my-project/roles/caller", invoke);
    snapshot_builder_role(b, "projects/my-project/roles/reader", other);
    snapshot_builder_grant(
        b, &(grant_spec){
               .service = on, .role = role, .member = who, .condition = expression ? &c : NULL});
    policy(fixture_build(b));
}

#define ONE   "projects/my-project/locations/us-central1/services/backend-api"
#define OTHER "projects/my-project/locations/us-central1/services/db-service"

static const struct {
    const char *on, *expression;
    reason reason;
} conditions[] = {
    {"backend-api", "true", REASON_GRANTED},
    {"backend-api", "false", REASON_CONDITION_NOT_MET},
    {"backend-api", "resource.name == '" ONE "'", REASON_GRANTED},
    {"backend-api", "resource.name == '" OTHER "'", REASON_CONDITION_NOT_MET},
    {"backend-api", "resource.type == 'run.googleapis.com/Service'", REASON_GRANTED},
    {"backend-api", "resource.service == 'iam.googleapis.com'", REASON_CONDITION_NOT_MET},
    {"backend-api", "1 / 0 == 1", REASON_CONDITION_NOT_MET},
    {"db-service", "true", REASON_NO_GRANT},
    /* What the project grants is asked about the service that is called. */
    {NULL, "resource.name.endsWith('/backend-api')", REASON_GRANTED},
    {NULL, "resource.name.endsWith('/db-service')", REASON_CONDITION_NOT_MET},
};

START_TEST(a_conditional_grant_counts_where_it_holds)
{
    conditional(conditions[_i].on, INVOKER, "serviceAccount:" FRONTEND, conditions[_i].expression);
    ck_assert_int_eq(scene_reason(&x), conditions[_i].reason);
}
END_TEST

/* 1800000000 is 2027-01-15T08:00:00Z. */
START_TEST(a_condition_expires)
{
    conditional("backend-api", INVOKER, "serviceAccount:" FRONTEND,
                "request.time < timestamp('2027-01-15T08:00:10Z')");
    const int64_t end = NOW_US + 10 * SECOND;
    const decision d = decide(x.s, &x.facts, end - 1);
    ck_assert_int_eq(d.reason, REASON_GRANTED);
    ck_assert_ptr_nonnull(d.binding->condition);
    ck_assert_int_eq(decide(x.s, &x.facts, end).reason, REASON_CONDITION_NOT_MET);
    conditional("backend-api", INVOKER, "serviceAccount:" FRONTEND,
                "request.time >= timestamp('2027-01-15T08:00:10Z')");
    ck_assert_int_eq(decide(x.s, &x.facts, end - 1).reason, REASON_CONDITION_NOT_MET);
    ck_assert_int_eq(decide(x.s, &x.facts, end).reason, REASON_GRANTED);
}
END_TEST

/* IAM refuses such a binding; one that came in by a file of another time opens no more than it
 * says. */
START_TEST(a_conditional_grant_to_everybody_opens_while_it_holds)
{
    conditional("backend-api", INVOKER, "allUsers",
                "request.time < timestamp('2027-01-15T08:00:10Z')");
    const int64_t end = NOW_US + 10 * SECOND;
    x.facts.token = TOKEN_ABSENT;
    ck_assert_int_eq(x.facts.service->open, OPEN_AT_TIMES);
    ck_assert(!decide_needs_token(x.s, &x.facts, end - 1));
    ck_assert_int_eq(decide(x.s, &x.facts, end - 1).reason, REASON_PUBLIC);
    ck_assert(decide_needs_token(x.s, &x.facts, end));
    ck_assert_int_eq(decide(x.s, &x.facts, end).reason, REASON_NO_CREDENTIAL);
}
END_TEST

START_TEST(an_unconditional_grant_beside_it_counts)
{
    const condition_text never = {"never", NULL, "false"};
    snapshot_builder *b = fixture_builder();
    snapshot_builder_grant(b, &(grant_spec){.service = "backend-api",
                                            .role = INVOKER,
                                            .member = "serviceAccount:" FRONTEND,
                                            .condition = &never});
    fixture_bind(b, NULL, INVOKER, "serviceAccount:" FRONTEND);
    policy(fixture_build(b));
    const decision d = decide(x.s, &x.facts, NOW_US);
    ck_assert_int_eq(d.reason, REASON_GRANTED);
    ck_assert(d.binding->project_level && !d.binding->condition);
}
END_TEST

/* The nearest miss is told: what waits before what is conditional. */
START_TEST(what_waits_is_told_before_what_is_not_met)
{
    const condition_text never = {"never", NULL, "false"};
    snapshot *before = fixture_build(fixture_builder());
    snapshot_builder *b = fixture_builder();
    static const delay_rule rules[] = {{.service = "backend-api", .delay = {10, 10, false}}};
    snapshot_builder_emulation(
        b,
        &(emulation){.clock_skew_s = 60, .propagation_rules = rules, .propagation_rule_count = 1});
    snapshot_builder_grant(
        b,
        &(grant_spec){.role = INVOKER, .member = "serviceAccount:" FRONTEND, .condition = &never});
    fixture_bind(b, "backend-api", INVOKER, "serviceAccount:" FRONTEND);
    policy(snapshot_build(b, before, NOW_US));
    snapshot_unref(before);
    ck_assert_int_eq(scene_reason(&x), REASON_NOT_PROPAGATED);
    ck_assert_int_eq(decide(x.s, &x.facts, NOW_US + 10 * SECOND).reason, REASON_GRANTED);
}
END_TEST

static const struct {
    const char *on, *role;
    reason reason;
} custom[] = {
    {"backend-api", "projects/my-project/roles/caller", REASON_GRANTED},
    {NULL, "projects/my-project/roles/caller", REASON_GRANTED},
    {"db-service", "projects/my-project/roles/caller", REASON_NO_GRANT},
    {"backend-api", "projects/my-project/roles/reader", REASON_NO_GRANT},
    {"backend-api", "projects/my-project/roles/unknown", REASON_NO_GRANT},
};

START_TEST(a_custom_role_counts_by_its_permissions)
{
    conditional(custom[_i].on, custom[_i].role, "serviceAccount:" FRONTEND, NULL);
    ck_assert_int_eq(scene_reason(&x), custom[_i].reason);
}
END_TEST

static const struct {
    const char *path;
    bool reserved;
} paths[] = {
    {"/healthz", true},   {"/eventlog", true}, {"/_ah/health", true}, {"/_ah/", true},
    {"/healthz/", false}, {"/HEALTHZ", false}, {"/readyz", false},    {"/health", false},
    {"/livez", false},    {"/_ahead", false},  {"/", false},          {"/api/healthz", false},
};

START_TEST(a_path_is_reserved_as_documented)
{
    ck_assert_int_eq(decide_reserved_path(span_of(paths[_i].path)), paths[_i].reserved);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decide_policy");
    TCase *t = tcase_create("decide_policy");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_door_comes_before_any_token);
    tcase_add_loop_test(t, ingress_admits_as_set, 0, (int)countof(ingresses));
    tcase_add_test(t, a_disabled_check_lets_everybody_in);
    tcase_add_test(t, a_token_is_needed_where_the_service_is_private);
    tcase_add_loop_test(t, a_member_admits_whom_it_means, 0, (int)countof(people));
    tcase_add_test(t, the_nearest_audience_is_remembered);
    tcase_add_test(t, a_grant_on_its_way_is_not_yet_one);
    tcase_add_test(t, a_revoked_grant_is_still_one_for_a_while);
    tcase_add_loop_test(t, a_conditional_grant_counts_where_it_holds, 0, (int)countof(conditions));
    tcase_add_test(t, a_condition_expires);
    tcase_add_test(t, a_conditional_grant_to_everybody_opens_while_it_holds);
    tcase_add_test(t, an_unconditional_grant_beside_it_counts);
    tcase_add_test(t, what_waits_is_told_before_what_is_not_met);
    tcase_add_loop_test(t, a_custom_role_counts_by_its_permissions, 0, (int)countof(custom));
    tcase_add_loop_test(t, a_path_is_reserved_as_documented, 0, (int)countof(paths));
    suite_add_tcase(s, t);
    return check_main(s);
}
