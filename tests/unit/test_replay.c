/* Recorded calls, decided again: what flips, what cannot be told, and audiences whose addresses
 * have moved. */
#include <stdlib.h>

#include "cli/replay.h"
#include "topology_fixture.h"

#define ACCOUNT(name) name "@my-project.iam.gserviceaccount.com"

static const int64_t THEN_US = INT64_C(1800000000000000);

static const char TEXT[] =
    PROJECT "service_accounts: { a-sa: {}, b-sa: {} }\n"
            "users: [alice@example.com]\n"
            "services: {\n"
            "  front: { listen: '127.0.0.1:8081' },\n"
            "  api: { listen: '127.0.0.1:8082', custom_audiences: [api.internal] },\n"
            "  named: { listen: '127.0.0.1:8083', url: 'http://named:8080' },\n"
            "  inner: { listen: '127.0.0.1:8084', ingress: internal, invoker_iam_check: false },\n"
            "  slow: { policy: { bindings: [{ role: roles/run.invoker, members: "
            "['user:alice@example.com'],\n"
            "    condition: { title: until 2030,\n"
            "    expression: 'request.time < timestamp(\"2030-01-01T00:00:00Z\")' } }] } } }\n"
            "matrix:\n"
            "  allUsers: [front]\n"
            "  a-sa: [api, named]\n";

static snapshot *s;
static replay p;

static void setup(void)
{
    fixture_open();
    s = load_good(TEXT);
    replay_open(&p, s);
}

static void teardown(void)
{
    replay_close(&p);
    snapshot_unref(s);
    fixture_close();
}

/* A call of a-sa to api, with a good token for what it has as host. */
typedef struct told {
    recorded r;
    claims c;
    const char *aud[2];
} told;

static void tell(told *t, reason was)
{
    *t = (told){.aud = {"http://127.0.0.1:40001"}};
    t->c = (claims){.iss = "https://accounts.google.com",
                    .sub = "1",
                    .email = ACCOUNT("a-sa"),
                    .aud = t->aud,
                    .aud_count = 1,
                    .has_exp = true,
                    .has_iat = true,
                    .exp_s = THEN_US / 1000000 + 1800,
                    .iat_s = THEN_US / 1000000 - 1800};
    t->r = (recorded){.id = "id1",
                      .service = "api",
                      .method = "GET",
                      .path = "/",
                      .host = "127.0.0.1:40001",
                      .caller = "",
                      .explanation = "",
                      .fix = "",
                      .time_us = THEN_US,
                      .decided = true,
                      .allowed = reason_info(was)->allows,
                      .enforced = true,
                      .reason = was,
                      .has_facts = true,
                      .facts = {.header = HEADER_AUTHORIZATION, .token = TOKEN_VERIFIED}};
}

static void take(told *t)
{
    error e = {0};
    t->r.facts.claims = t->r.facts.token == TOKEN_VERIFIED ? &t->c : NULL;
    ck_assert(replay_look(&p, &t->r, &e));
    ck_assert(replay_take(&p, &t->r, &e));
}

static void check_counts(size_t same, size_t refused, size_t granted, size_t unjudged)
{
    ck_assert_uint_eq(p.calls[REPLAY_SAME], same);
    ck_assert_uint_eq(p.calls[REPLAY_REFUSED], refused);
    ck_assert_uint_eq(p.calls[REPLAY_ALLOWED], granted);
    ck_assert_uint_eq(p.calls[REPLAY_UNJUDGED], unjudged);
}

static bool text_says(const char *text)
{
    auto_buf buf b = buf_make(REPLAY_TEXT_MAX);
    replay_finish(&p);
    replay_text(&b, &p, false);
    if (strstr(b.p, text))
        return true;
    fprintf(stderr, "%s", b.p);
    return false;
}

START_TEST(what_is_granted_as_before_is_the_same)
{
    told t;
    tell(&t, REASON_GRANTED);
    take(&t);
    check_counts(1, 0, 0, 0);
    ck_assert(!replay_differs(&p));
    ck_assert(text_says("1 call under t.yaml: 0 would be refused that passed, 0 the "
                        "reverse.\n"));
}
END_TEST

START_TEST(a_grant_that_is_missing_flips_with_cause_and_cure)
{
    told t;
    tell(&t, REASON_GRANTED);
    t.c.email = ACCOUNT("b-sa");
    t.r.caller = ACCOUNT("b-sa");
    take(&t);
    t.r.id = "id0";
    t.r.time_us--;
    take(&t);
    check_counts(0, 2, 0, 0);
    ck_assert(replay_differs(&p));
    ck_assert_uint_eq(p.group_count, 1);
    ck_assert(text_says("\nb-sa -> api: was allowed (granted), would be 403 (no_grant)\n"
                        "  calls       2 calls, first id0 at 2027-01-15T07:59:59Z, last at "
                        "2027-01-15T08:00:00Z\n  cause       serviceAccount:b-sa@"));
    ck_assert(text_says("\n  production  gcloud run services add-iam-policy-binding api "));
    ck_assert(text_says("\n  here        matrix: add api to b-sa"));
}
END_TEST

START_TEST(a_grant_that_is_new_flips_and_says_where_it_stands)
{
    told t;
    tell(&t, REASON_NO_GRANT);
    take(&t);
    t.r.enforced = false; /* audit mode let it pass, as it would now */
    take(&t);
    check_counts(1, 0, 1, 0);
    ck_assert(text_says("\na-sa -> api: was 403 (no_grant), would be allowed (granted)\n"));
    ck_assert(text_says("\n  granted at  t.yaml:14:10\n"));
}
END_TEST

START_TEST(what_audit_mode_let_pass_and_is_still_not_granted_flips)
{
    told t;
    tell(&t, REASON_NO_GRANT);
    t.r.enforced = false;
    t.c.email = ACCOUNT("b-sa");
    take(&t);
    check_counts(0, 1, 0, 0);
    ck_assert(text_says("\nb-sa -> api: was let pass by audit mode (no_grant), would be 403 "
                        "(no_grant)\n"));
    tell(&t, REASON_EXPIRED);
    t.c.exp_s = t.c.iat_s = 1000;
    take(&t);
    t.r.enforced = false;
    take(&t);
    check_counts(1, 2, 0, 0);
}
END_TEST

START_TEST(another_reason_is_told_on_request)
{
    told t;
    tell(&t, REASON_NO_GRANT);
    t.c.email = ACCOUNT("b-sa");
    t.c.aud_count = 0;
    take(&t);
    check_counts(1, 0, 0, 0);
    p.reasons = true;
    take(&t);
    ck_assert_uint_eq(p.calls[REPLAY_REASON], 1);
    ck_assert(replay_differs(&p));
    ck_assert(text_says("b-sa -> api: was 403 (no_grant), would be 401 (no_audience)\n"));
}
END_TEST

START_TEST(a_token_that_could_not_be_verified_is_refused_as_it_was)
{
    static const struct {
        token_state token;
        reason was;
    } rows[] = {{TOKEN_ABSENT, REASON_NO_CREDENTIAL},
                {TOKEN_BAD_SIGNATURE, REASON_BAD_SIGNATURE},
                {TOKEN_UNKNOWN_KEY, REASON_UNKNOWN_KEY},
                {TOKEN_NO_KEYS, REASON_KEYS_UNAVAILABLE}};
    p.reasons = true;
    for (size_t i = 0; i < countof(rows); i++) {
        told t;
        tell(&t, rows[i].was);
        t.r.facts.token = rows[i].token;
        take(&t);
    }
    check_counts(countof(rows), 0, 0, 0);
    ck_assert_uint_eq(p.calls[REPLAY_REASON], 0);
}
END_TEST

START_TEST(what_cannot_be_judged_is_told)
{
    told t;
    tell(&t, REASON_PUBLIC); /* api is private now */
    t.r.facts.token = TOKEN_UNCHECKED;
    t.r.facts.header = HEADER_NONE;
    take(&t);
    tell(&t, REASON_GRANTED);
    t.r.service = "gone";
    take(&t);
    tell(&t, REASON_GRANTED);
    t.r.has_facts = false;
    take(&t);
    tell(&t, REASON_GRANTED);
    t.r.decided = false;
    take(&t);
    tell(&t, REASON_INGRESS_BLOCKED);
    t.r.facts.token = TOKEN_UNCHECKED;
    take(&t);
    check_counts(0, 0, 0, 5);
    ck_assert(!replay_differs(&p));
    ck_assert(text_says(", 5 cannot be judged again.\n"));
    ck_assert(text_says("somebody -> api: cannot be judged again\n"));
    ck_assert(text_says("because     nobody looked at the token then, for the service was open\n"));
    ck_assert(text_says("because     there is no such service in t.yaml\n"));
    ck_assert(text_says("because     the recording does not say what it was decided by\n"));
    ck_assert(text_says("because     it was never judged\n"));
    ck_assert(text_says("because     it was refused before anybody looked at the token\n"));
}
END_TEST

START_TEST(what_is_decided_at_the_door_needs_no_token)
{
    told t;
    tell(&t, REASON_PUBLIC);
    t.r.service = "front";
    t.r.facts.token = TOKEN_UNCHECKED;
    take(&t);
    check_counts(1, 0, 0, 0);
    tell(&t, REASON_CHECK_DISABLED);
    t.r.service = "inner";
    t.r.facts.token = TOKEN_UNCHECKED;
    take(&t);
    check_counts(1, 1, 0, 0);
    t.r.facts.internal = true;
    take(&t);
    check_counts(2, 1, 0, 0);
    tell(&t, REASON_UNKNOWN_HOST);
    t.r.service = "";
    t.r.host = "front.localhost:8080";
    t.r.facts.token = TOKEN_UNCHECKED;
    take(&t);
    check_counts(2, 1, 1, 0);
    t.r.host = "nobody.example";
    take(&t);
    check_counts(3, 1, 1, 0);
}
END_TEST

START_TEST(a_condition_is_judged_at_the_time_of_the_call_or_another)
{
    told t;
    tell(&t, REASON_GRANTED);
    t.r.service = "slow";
    t.c.email = "alice@example.com";
    take(&t);
    check_counts(1, 0, 0, 0);
    p.shifted = true;
    p.at_us = INT64_C(1893456000) * 1000000; /* 2030 */
    take(&t);
    check_counts(1, 1, 0, 0);
    ck_assert(text_says("alice@example.com -> slow: was allowed (granted), would be 403 "
                        "(condition_not_met)\n"));
}
END_TEST

/* ---- audiences ---- */

START_TEST(an_accepted_address_counts_as_the_service_s_own)
{
    static const char *const accepted[] = {"http://127.0.0.1:40001", "http://localhost:40001/x/y",
                                           "http://[::1]:40001/", "http://api.localhost:45678",
                                           "http://10.1.2.3:8080"};
    for (size_t i = 0; i < countof(accepted); i++) {
        told t;
        tell(&t, REASON_GRANTED);
        t.aud[0] = accepted[i];
        take(&t);
        check_counts(i + 1, 0, 0, 0);
    }
}
END_TEST

START_TEST(an_audience_that_is_no_address_is_judged_as_it_is)
{
    static const struct {
        const char *aud;
        bool still;
    } rows[] = {{"api.internal", true},
                {"https://api-123456789012.us-central1.run.app", true},
                {"formerly.internal", false},
                {"http://api:8080", false},
                {"https://127.0.0.1:40001", false},
                {"http://127.0.0.1.evil.test:40001", false}};
    for (size_t i = 0; i < countof(rows); i++) {
        told t;
        const size_t before = p.calls[REPLAY_REFUSED];
        tell(&t, REASON_GRANTED);
        t.aud[0] = rows[i].aud;
        take(&t);
        ck_assert_msg((p.calls[REPLAY_REFUSED] == before) == rows[i].still, "%s", rows[i].aud);
    }
}
END_TEST

START_TEST(a_query_stays_wrong)
{
    told t;
    tell(&t, REASON_GRANTED);
    t.aud[0] = "http://127.0.0.1:40001/?q";
    take(&t);
    check_counts(0, 1, 0, 0);
}
END_TEST

START_TEST(a_url_that_the_topology_states_is_another_by_intent)
{
    told t;
    tell(&t, REASON_GRANTED);
    t.r.service = "named";
    take(&t);
    check_counts(0, 1, 0, 0);
    t.aud[0] = "http://named:8080";
    take(&t);
    check_counts(1, 1, 0, 0);
}
END_TEST

START_TEST(another_service_s_address_stays_another_service_s)
{
    told t;
    /* front's port of then is api's now. */
    tell(&t, REASON_GRANTED);
    t.r.service = "front";
    t.r.reason = REASON_PUBLIC;
    t.r.facts.token = TOKEN_UNCHECKED;
    t.r.host = "127.0.0.1:8082";
    take(&t);
    tell(&t, REASON_WRONG_AUDIENCE);
    t.aud[0] = "http://127.0.0.1:8082";
    take(&t);
    check_counts(2, 0, 0, 0);
    /* Of an expired one nobody looked at the audience: the host tells whose it was. */
    p.reasons = true;
    tell(&t, REASON_EXPIRED);
    t.c.exp_s = t.c.iat_s = 1000;
    take(&t);
    check_counts(3, 0, 0, 0);
}
END_TEST

START_TEST(of_several_audiences_none_is_taken_for_the_accepted_one)
{
    told t;
    tell(&t, REASON_GRANTED);
    t.r.host = "api-123456789012.us-central1.run.app";
    t.aud[0] = "http://127.0.0.1:49999";
    t.aud[1] = "formerly.internal";
    t.c.aud_count = 2;
    take(&t);
    check_counts(0, 1, 0, 0);
    t.aud[1] = "api.internal";
    take(&t);
    check_counts(1, 1, 0, 0);
}
END_TEST

START_TEST(json_has_it_all)
{
    told t;
    tell(&t, REASON_NO_GRANT);
    take(&t);
    tell(&t, REASON_PUBLIC);
    t.r.facts.token = TOKEN_UNCHECKED;
    take(&t);
    tell(&t, REASON_GRANTED);
    t.r.facts.token = TOKEN_ABSENT;
    take(&t);
    replay_finish(&p);
    auto_buf buf b = buf_make(REPLAY_TEXT_MAX);
    replay_json(&b, &p);
    json_auto_t *j = json_loadb(b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(j);
    ck_assert_int_eq(json_integer_value(json_object_get(j, "calls")), 3);
    const json_t *granted = json_array_get(json_object_get(j, "allowed"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(granted, "first_id")), "id1");
    ck_assert_str_eq(json_string_value(json_object_get(granted, "granted_at")), "t.yaml:14:10");
    const json_t *refused = json_array_get(json_object_get(j, "refused"), 0);
    ck_assert_str_eq(json_string_value(json_object_get(refused, "caller")), "anonymous");
    const json_t *is = json_object_get(refused, "is");
    ck_assert_int_eq(json_integer_value(json_object_get(is, "status")), 403);
    ck_assert_uint_eq(json_array_size(json_object_get(j, "unjudged")), 1);
    ck_assert_uint_eq(json_array_size(json_object_get(j, "reason")), 0);
}
END_TEST

START_TEST(foreign_texts_do_not_reach_the_terminal)
{
    told t;
    tell(&t, REASON_GRANTED);
    t.r.service = "x\x1b[31m\n";
    t.r.id = "i\x1b";
    take(&t);
    ck_assert(text_says("x?[31m?: cannot be judged again"));
    auto_buf buf b = buf_make(REPLAY_TEXT_MAX);
    replay_text(&b, &p, false);
    ck_assert_ptr_null(strchr(b.p, '\x1b'));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *t = tcase_create("replay");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, what_is_granted_as_before_is_the_same);
    tcase_add_test(t, a_grant_that_is_missing_flips_with_cause_and_cure);
    tcase_add_test(t, a_grant_that_is_new_flips_and_says_where_it_stands);
    tcase_add_test(t, what_audit_mode_let_pass_and_is_still_not_granted_flips);
    tcase_add_test(t, another_reason_is_told_on_request);
    tcase_add_test(t, a_token_that_could_not_be_verified_is_refused_as_it_was);
    tcase_add_test(t, what_cannot_be_judged_is_told);
    tcase_add_test(t, what_is_decided_at_the_door_needs_no_token);
    tcase_add_test(t, a_condition_is_judged_at_the_time_of_the_call_or_another);
    tcase_add_test(t, an_accepted_address_counts_as_the_service_s_own);
    tcase_add_test(t, an_audience_that_is_no_address_is_judged_as_it_is);
    tcase_add_test(t, a_query_stays_wrong);
    tcase_add_test(t, a_url_that_the_topology_states_is_another_by_intent);
    tcase_add_test(t, another_service_s_address_stays_another_service_s);
    tcase_add_test(t, of_several_audiences_none_is_taken_for_the_accepted_one);
    tcase_add_test(t, json_has_it_all);
    tcase_add_test(t, foreign_texts_do_not_reach_the_terminal);
    suite_add_tcase(suite, t);
    return check_main(suite);
}
