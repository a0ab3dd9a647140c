/* Propagation: when grants begin and revocations end to count, with one delay for all, a range,
 * rules for certain bindings, and servers that do not agree meanwhile. */
#include "check_main.h"
#include "policy_fixture.h"

#define ALICE "alice@example.com"
#define BOB   "bob@example.com"
#define TEAM  "team@example.com"

static emulation em;

static void setup(void)
{
    em = (emulation){.propagation = {60, 60, false}};
}

typedef struct entry {
    const char *on, *who; /* on NULL: the project */
} entry;

/* Each of them holds roles/run.invoker; a list ends with who NULL. */
static snapshot *with(const entry *entries, const snapshot *before, int64_t now_us)
{
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &em);
    snapshot_builder_group(b, TEAM, "user:" BOB);
    for (; entries->who; entries++)
        fixture_bind(b, entries->on, INVOKER, entries->who);
    return snapshot_build(b, before, now_us);
}

static const entry nobody[] = {{NULL, NULL}};
static const entry alice[] = {{"db-service", "user:" ALICE}, {NULL, NULL}};

static bool may(const snapshot *s, const char *email, int64_t now_us)
{
    return fixture_grant(s, "db-service", email, now_us) != NULL;
}

static missed_grant missed(const snapshot *s, const char *email, int64_t now_us)
{
    principal p;
    ck_assert(snapshot_principal(s, email, NULL, &p));
    return snapshot_missed_grant(s, fixture_find(s, "db-service"), &p, now_us);
}

/* Replaces *s by what the list grants from now_us on. */
static void change(snapshot **s, const entry *entries, int64_t now_us)
{
    snapshot *next = with(entries, *s, now_us);
    snapshot_unref(*s);
    *s = next;
}

/* ---- monotonic ---- */

START_TEST(a_revoked_grant_counts_until_the_delay_is_over)
{
    snapshot *s = with(alice, NULL, NOW_US);
    change(&s, nobody, NOW_US);
    const int64_t then = NOW_US + 60 * SECOND;
    ck_assert_uint_eq(snapshot_binding_count(s), 0);
    const binding *g = fixture_grant(s, "db-service", ALICE, then - 1);
    ck_assert_ptr_nonnull(g);
    ck_assert_int_eq(g->revoked_us, NOW_US);
    ck_assert_int_eq(g->until_us, then);
    ck_assert(!may(s, ALICE, then));
    const missed_grant m = missed(s, ALICE, then);
    ck_assert_int_eq(m.state, BINDING_REVOKED);
    ck_assert_ptr_eq(m.binding, g);
    snapshot_unref(s);
}
END_TEST

START_TEST(another_change_meanwhile_does_not_prolong_it)
{
    static const entry bob[] = {{"db-service", "user:" BOB}, {NULL, NULL}};
    snapshot *s = with(alice, NULL, NOW_US);
    change(&s, nobody, NOW_US);
    change(&s, bob, NOW_US + 30 * SECOND);
    ck_assert(may(s, ALICE, NOW_US + 60 * SECOND - 1));
    ck_assert(!may(s, ALICE, NOW_US + 60 * SECOND));
    ck_assert_int_eq(missed(s, BOB, NOW_US + 89 * SECOND).state, BINDING_WAITING);
    ck_assert(may(s, BOB, NOW_US + 90 * SECOND));
    /* When it is over, the next change forgets it. */
    change(&s, nobody, NOW_US + 60 * SECOND);
    ck_assert_ptr_null(missed(s, ALICE, NOW_US + 60 * SECOND).binding);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_grant_that_comes_back_in_time_never_ceased)
{
    snapshot *s = with(alice, NULL, NOW_US);
    change(&s, nobody, NOW_US);
    change(&s, alice, NOW_US + 30 * SECOND);
    for (int64_t at = 30; at < 200; at++)
        ck_assert(may(s, ALICE, NOW_US + at * SECOND));
    ck_assert_int_eq(snapshot_binding(s, 0)->revoked_us, 0);
    ck_assert_int_eq(snapshot_binding(s, 0)->effective_us, 0);
    snapshot_unref(s);
}
END_TEST

START_TEST(a_grant_that_comes_back_late_waits_anew)
{
    snapshot *s = with(alice, NULL, NOW_US);
    change(&s, nobody, NOW_US);
    change(&s, alice, NOW_US + 61 * SECOND);
    ck_assert(!may(s, ALICE, NOW_US + 120 * SECOND));
    ck_assert(may(s, ALICE, NOW_US + 121 * SECOND));
    snapshot_unref(s);
}
END_TEST

START_TEST(a_grant_that_nobody_noticed_is_gone_at_once)
{
    snapshot *s = with(nobody, NULL, NOW_US);
    change(&s, alice, NOW_US);
    change(&s, nobody, NOW_US + 30 * SECOND);
    for (int64_t at = 30; at < 200; at++)
        ck_assert(!may(s, ALICE, NOW_US + at * SECOND));
    snapshot_unref(s);
}
END_TEST

START_TEST(everybody_stays_in_for_a_while)
{
    static const entry open[] = {{"db-service", "allUsers"}, {NULL, NULL}};
    snapshot *s = with(open, NULL, NOW_US);
    ck_assert_int_eq(fixture_find(s, "db-service")->open, OPEN_ALWAYS);
    change(&s, nobody, NOW_US);
    const service *db = fixture_find(s, "db-service");
    ck_assert_int_eq(db->open, OPEN_AT_TIMES);
    ck_assert(snapshot_is_open(s, db, NOW_US + 60 * SECOND - 1));
    ck_assert(!snapshot_is_open(s, db, NOW_US + 60 * SECOND));
    snapshot_unref(s);
}
END_TEST

START_TEST(groups_and_the_project_propagate_likewise)
{
    static const entry team[] = {
        {"db-service", "group:" TEAM}, {NULL, "user:" ALICE}, {NULL, NULL}};
    snapshot *s = with(nobody, NULL, NOW_US);
    change(&s, team, NOW_US);
    ck_assert(!may(s, BOB, NOW_US + 59 * SECOND) && !may(s, ALICE, NOW_US + 59 * SECOND));
    ck_assert(may(s, BOB, NOW_US + 60 * SECOND) && may(s, ALICE, NOW_US + 60 * SECOND));
    change(&s, nobody, NOW_US + 100 * SECOND);
    ck_assert(may(s, BOB, NOW_US + 159 * SECOND) && may(s, ALICE, NOW_US + 159 * SECOND));
    ck_assert(!may(s, BOB, NOW_US + 160 * SECOND) && !may(s, ALICE, NOW_US + 160 * SECOND));
    snapshot_unref(s);
}
END_TEST

/* Another role for the same member is another grant: the one waits while the other still counts. */
START_TEST(a_change_of_role_leaves_no_gap)
{
    snapshot *s = with(alice, NULL, NOW_US);
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &em);
    fixture_bind(b, "db-service", "roles/run.developer", "user:" ALICE);
    snapshot *next = snapshot_build(b, s, NOW_US);
    for (int64_t at = 0; at < 200; at++)
        ck_assert(may(next, ALICE, NOW_US + at * SECOND));
    ck_assert_str_eq(fixture_grant(next, "db-service", ALICE, NOW_US)->role, INVOKER);
    ck_assert_str_eq(fixture_grant(next, "db-service", ALICE, NOW_US + 60 * SECOND)->role,
                     "roles/run.developer");
    snapshot_unref(s);
    snapshot_unref(next);
}
END_TEST

START_TEST(a_service_that_is_gone_takes_its_grants_along)
{
    snapshot *s = with(alice, NULL, NOW_US);
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "my-project", .number = "1", .region = "r"});
    snapshot_builder_emulation(b, &em);
    snapshot *next = snapshot_build(b, s, NOW_US);
    ck_assert_uint_eq(snapshot_service_count(next), 0);
    ck_assert_uint_eq(snapshot_user_count(next), 0);
    snapshot_unref(s);
    snapshot_unref(next);
}
END_TEST

/* ---- on accounts, by the generic question ---- */

START_TEST(grants_on_accounts_propagate)
{
    static const char role[] = "roles/iam.serviceAccountTokenCreator";
    static const char permission[] = "iam.serviceAccounts.getOpenIdToken";
    snapshot *s = with(nobody, NULL, NOW_US);
    snapshot_builder *b = fixture_builder();
    snapshot_builder_emulation(b, &em);
    snapshot_builder_grant(
        b, &(grant_spec){.account = FRONTEND, .role = role, .member = "user:" ALICE});
    snapshot *next = snapshot_build(b, s, NOW_US);
    snapshot_unref(s);
    principal p;
    ck_assert(snapshot_principal(next, ALICE, NULL, &p));
    resource on = {.account = snapshot_find_account(next, SPAN_LIT(FRONTEND))};
    const int64_t then = NOW_US + 60 * SECOND;
    ck_assert_ptr_null(snapshot_allows(next, &on, &p, permission, then - 1));
    ck_assert_ptr_nonnull(snapshot_allows(next, &on, &p, permission, then));
    change(&next, nobody, then);
    on.account = snapshot_find_account(next, SPAN_LIT(FRONTEND));
    ck_assert_ptr_nonnull(snapshot_allows(next, &on, &p, permission, then + 60 * SECOND - 1));
    ck_assert_ptr_null(snapshot_allows(next, &on, &p, permission, then + 60 * SECOND));
    snapshot_unref(next);
}
END_TEST

/* ---- ranges and rules ---- */

/* How long a new grant to that member waits, in seconds. */
static int64_t wait_of(const char *on, const char *who)
{
    const entry one[] = {{on, who}, {NULL, NULL}};
    snapshot *s = with(nobody, NULL, NOW_US);
    change(&s, one, NOW_US);
    const int64_t at_us = snapshot_binding(s, 0)->effective_us;
    snapshot_unref(s);
    return at_us ? (at_us - NOW_US) / SECOND : 0;
}

START_TEST(a_range_is_drawn_from_by_seed_and_binding)
{
    char who[64];
    int64_t least = INT64_MAX, most = 0, moved = 0;
    em.propagation = (delay){40, 49, false};
    for (int i = 0; i < 100; i++) {
        (void)snprintf(who, sizeof who, "user:u%d@example.com", i);
        em.propagation_seed = 1;
        const int64_t one = wait_of("db-service", who);
        ck_assert_int_eq(wait_of("db-service", who), one); /* the same in each run */
        em.propagation_seed = 2;
        moved += wait_of("db-service", who) != one;
        least = one < least ? one : least;
        most = one > most ? one : most;
    }
    ck_assert_int_eq(least, 40);
    ck_assert_int_eq(most, 49);
    ck_assert_int_gt(moved, 50);
}
END_TEST

START_TEST(the_first_rule_that_fits_counts)
{
    static const delay_rule rules[] = {
        {.service = "db-service", .member = "user:" ALICE, .delay = {5, 5, false}},
        {.service = "db-service", .delay = {7, 7, false}},
        {.member = "user:" BOB, .delay = {9, 9, false}},
        {.role = INVOKER, .member = "user:x@example.com", .delay = {11, 11, false}},
        {.role = "roles/run.admin", .delay = {13, 13, false}},
    };
    em.propagation_rules = rules;
    em.propagation_rule_count = countof(rules);
    ck_assert_int_eq(wait_of("db-service", "user:" ALICE), 5);
    ck_assert_int_eq(wait_of("db-service", "user:" BOB), 7);
    ck_assert_int_eq(wait_of("backend-api", "user:" BOB), 9);
    ck_assert_int_eq(wait_of(NULL, "user:" BOB), 9);
    ck_assert_int_eq(wait_of(NULL, "user:x@example.com"), 11);
    ck_assert_int_eq(wait_of("backend-api", "user:" ALICE), 60);
    em.propagation = (delay){0, 0, false}; /* rules alone delay, too */
    ck_assert_int_eq(wait_of("db-service", "user:" ALICE), 5);
    ck_assert_int_eq(wait_of("backend-api", "user:" ALICE), 0);
}
END_TEST

START_TEST(a_rule_delays_revocations_too)
{
    static const delay_rule rules[] = {{.member = "user:" ALICE, .delay = {5, 5, false}}};
    em.propagation_rules = rules;
    em.propagation_rule_count = 1;
    snapshot *s = with(alice, NULL, NOW_US);
    change(&s, nobody, NOW_US);
    ck_assert(may(s, ALICE, NOW_US + 5 * SECOND - 1));
    ck_assert(!may(s, ALICE, NOW_US + 5 * SECOND));
    snapshot_unref(s);
}
END_TEST

/* ---- flapping ---- */

/* How many of the seconds from..to - 1 the caller is let in, and how often that changes. */
static int count_in(const snapshot *s, int64_t from, int64_t to, int *out_changes)
{
    int in = 0;
    *out_changes = 0;
    for (int64_t at = from; at < to; at++) {
        const bool now = may(s, ALICE, NOW_US + at * SECOND);
        *out_changes += at > from && now != may(s, ALICE, NOW_US + (at - 1) * SECOND);
        in += now;
    }
    return in;
}

START_TEST(a_flapping_grant_counts_more_and_more_often)
{
    int changes;
    em.propagation = (delay){1000, 1000, true};
    snapshot *s = with(nobody, NULL, NOW_US);
    change(&s, alice, NOW_US);
    const int first = count_in(s, 0, 250, &changes);
    ck_assert_int_gt(changes, 20);
    const int last = count_in(s, 750, 1000, &changes);
    ck_assert_int_gt(changes, 20);
    ck_assert(first > 0 && first < 80);
    ck_assert(last > 170 && last < 250);
    ck_assert_int_eq(count_in(s, 1000, 1100, &changes), 100);
    ck_assert(!may(s, ALICE, NOW_US)); /* nobody knows it at its first moment */
    snapshot_unref(s);
}
END_TEST

START_TEST(a_flapping_revocation_counts_less_and_less_often)
{
    int changes;
    em.propagation = (delay){1000, 1000, true};
    snapshot *s = with(alice, NULL, NOW_US);
    change(&s, nobody, NOW_US);
    const int first = count_in(s, 0, 250, &changes);
    const int last = count_in(s, 750, 1000, &changes);
    ck_assert_int_gt(changes, 20);
    ck_assert(first > 170 && first < 250);
    ck_assert(last > 0 && last < 80);
    ck_assert_int_eq(count_in(s, 1000, 1100, &changes), 0);
    snapshot_unref(s);
}
END_TEST

/* Within a second, and in each process that builds the same, the answer is the same. */
START_TEST(flapping_follows_the_seed)
{
    int differ = 0;
    em.propagation = (delay){1000, 1000, true};
    snapshot *s[3];
    for (size_t i = 0; i < 3; i++) {
        em.propagation_seed = i == 2;
        s[i] = with(nobody, NULL, NOW_US);
        change(&s[i], alice, NOW_US);
    }
    for (int64_t at = 0; at < 1000; at++) {
        const int64_t now = NOW_US + at * SECOND;
        ck_assert_int_eq(may(s[0], ALICE, now), may(s[1], ALICE, now));
        ck_assert_int_eq(may(s[0], ALICE, now), may(s[0], ALICE, now + SECOND - 1));
        differ += may(s[0], ALICE, now) != may(s[2], ALICE, now);
    }
    ck_assert_int_gt(differ, 100);
    for (size_t i = 0; i < 3; i++)
        snapshot_unref(s[i]);
}
END_TEST

/* ---- what follows a basic role ---- */

/* A set such as projectOwner:P must not outlive the role that it stands for. */
START_TEST(a_revoked_owner_is_none_of_the_projects_owners)
{
    snapshot *s = NULL, *next = NULL;
    for (int owner = 1; owner >= 0; owner--) {
        snapshot_builder *b = fixture_builder();
        snapshot_builder_emulation(b, &em);
        fixture_bind(b, "db-service", INVOKER, "projectOwner:my-project");
        if (owner)
            fixture_bind(b, NULL, "roles/owner", "user:" ALICE);
        next = snapshot_build(b, s, NOW_US);
        snapshot_unref(s);
        s = next;
    }
    ck_assert(may(s, ALICE, NOW_US + 59 * SECOND)); /* by roles/owner itself */
    ck_assert(!may(s, ALICE, NOW_US + 60 * SECOND));
    snapshot_unref(s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("propagation");
    TCase *t = tcase_create("propagation");
    tcase_add_checked_fixture(t, setup, NULL);
    tcase_add_test(t, a_revoked_grant_counts_until_the_delay_is_over);
    tcase_add_test(t, another_change_meanwhile_does_not_prolong_it);
    tcase_add_test(t, a_grant_that_comes_back_in_time_never_ceased);
    tcase_add_test(t, a_grant_that_comes_back_late_waits_anew);
    tcase_add_test(t, a_grant_that_nobody_noticed_is_gone_at_once);
    tcase_add_test(t, everybody_stays_in_for_a_while);
    tcase_add_test(t, groups_and_the_project_propagate_likewise);
    tcase_add_test(t, a_change_of_role_leaves_no_gap);
    tcase_add_test(t, a_service_that_is_gone_takes_its_grants_along);
    tcase_add_test(t, grants_on_accounts_propagate);
    tcase_add_test(t, a_range_is_drawn_from_by_seed_and_binding);
    tcase_add_test(t, the_first_rule_that_fits_counts);
    tcase_add_test(t, a_rule_delays_revocations_too);
    tcase_add_test(t, a_flapping_grant_counts_more_and_more_often);
    tcase_add_test(t, a_flapping_revocation_counts_less_and_less_often);
    tcase_add_test(t, flapping_follows_the_seed);
    tcase_add_test(t, a_revoked_owner_is_none_of_the_projects_owners);
    suite_add_tcase(s, t);
    return check_main(s);
}
