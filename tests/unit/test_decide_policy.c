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
    ck_assert(!decide_needs_token(&x.facts, NOW_US));
    x.facts.by_run_app_host = false;
    ck_assert_int_eq(scene_reason(&x), REASON_INGRESS_BLOCKED);
    ck_assert(!decide_needs_token(&x.facts, NOW_US));
    x.facts.internal = true;
    ck_assert_int_eq(scene_reason(&x), REASON_PUBLIC);
    ck_assert(!decide_needs_token(&x.facts, NOW_US));
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
    ck_assert(!decide_needs_token(&x.facts, NOW_US));
}
END_TEST

START_TEST(a_token_is_needed_where_the_service_is_private)
{
    ck_assert(decide_needs_token(&x.facts, NOW_US));
    x.facts.service = fixture_find(x.s, "frontend");
    ck_assert(!decide_needs_token(&x.facts, NOW_US));
    x.facts.service = NULL;
    ck_assert(!decide_needs_token(&x.facts, NOW_US));
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
    snapshot_builder_emulation(b, &(emulation){.clock_skew_s = 60, .propagation_delay_s = 10});
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
    ck_assert(decide_needs_token(&x.facts, then - 1));
    ck_assert_int_eq(decide(x.s, &x.facts, then - 1).reason, REASON_NO_CREDENTIAL);
    ck_assert_int_eq(decide(x.s, &x.facts, then).reason, REASON_PUBLIC);
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
    tcase_add_loop_test(t, a_path_is_reserved_as_documented, 0, (int)countof(paths));
    suite_add_tcase(s, t);
    return check_main(s);
}
