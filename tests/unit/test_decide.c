/* The judgement: every row, and their order. */
#include "base/unique_id.h"
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

START_TEST(a_good_token_of_a_granted_caller_is_allowed)
{
    const decision d = decide(x.s, &x.facts, NOW_US);
    ck_assert_int_eq(d.reason, REASON_GRANTED);
    ck_assert_str_eq(d.binding ? d.binding->member : "", "serviceAccount:" FRONTEND);
    ck_assert(span_eq_str(d.principal.email, FRONTEND));
    ck_assert_int_eq(d.header, HEADER_AUTHORIZATION);
    ck_assert_ptr_eq(d.service, x.facts.service);
}
END_TEST

/* ---- each state of the token ---- */

static const struct {
    token_state state;
    reason reason;
} states[] = {
    {TOKEN_ABSENT, REASON_NO_CREDENTIAL},     {TOKEN_EMPTY, REASON_EMPTY_CREDENTIAL},
    {TOKEN_NOT_BEARER, REASON_NOT_BEARER},    {TOKEN_REPEATED_HEADER, REASON_REPEATED_HEADER},
    {TOKEN_SEVERAL, REASON_SEVERAL_TOKENS},   {TOKEN_ACCESS, REASON_ACCESS_TOKEN},
    {TOKEN_NOT_A_JWT, REASON_NOT_A_JWT},      {TOKEN_SIGNATURE_REMOVED, REASON_SIGNATURE_REMOVED},
    {TOKEN_BAD_ALG, REASON_BAD_ALG},          {TOKEN_UNKNOWN_KEY, REASON_UNKNOWN_KEY},
    {TOKEN_NO_KEYS, REASON_KEYS_UNAVAILABLE}, {TOKEN_BAD_SIGNATURE, REASON_BAD_SIGNATURE},
    {TOKEN_BAD_CLAIMS, REASON_BAD_CLAIMS},    {TOKEN_UNCHECKED, REASON_KEYS_UNAVAILABLE},
};

START_TEST(a_token_that_is_not_verified_is_refused_whatever_it_claims)
{
    x.facts.token = states[_i].state;
    ck_assert_int_eq(scene_reason(&x), states[_i].reason);
    ck_assert(!reason_info(scene_reason(&x))->allows);
}
END_TEST

START_TEST(no_token_matters_at_an_open_service)
{
    x.facts.service = fixture_find(x.s, "frontend");
    x.facts.token = states[_i].state;
    x.facts.claims = NULL;
    const decision d = decide(x.s, &x.facts, NOW_US);
    ck_assert_int_eq(d.reason, REASON_PUBLIC);
    ck_assert_int_eq(d.header, HEADER_NONE);
    ck_assert_str_eq(d.binding ? d.binding->member : "", "allUsers");
}
END_TEST

/* ---- each claim ---- */

static void no_claims(void)
{
    x.facts.claims = NULL;
}
static void no_issuer(void)
{
    x.claims.iss = NULL;
}
static void firebase(void)
{
    x.claims.iss = "https://securetoken.google.com/my-project";
}
static void lookalike_issuer(void)
{
    x.claims.iss = "https://accounts.google.com.evil.test";
}
static void self_signed(void)
{
    x.claims.iss = FRONTEND;
}
static void short_issuer(void)
{
    x.claims.iss = "accounts.google.com";
}
static void no_exp(void)
{
    x.claims.has_exp = false;
}
static void no_iat(void)
{
    x.claims.has_iat = false;
}
static void expired(void)
{
    x.claims.exp_s = NOW_S - 61;
}
static void expired_at_the_edge(void)
{
    x.claims.exp_s = NOW_S - 60;
}
static void expired_within_skew(void)
{
    x.claims.exp_s = NOW_S - 59;
}
static void issued_later(void)
{
    x.claims.iat_s = NOW_S + 61;
}
static void issued_within_skew(void)
{
    x.claims.iat_s = NOW_S + 60;
}
static void not_before(void)
{
    x.claims.has_nbf = true;
    x.claims.nbf_s = NOW_S + 61;
}
static void not_before_within_skew(void)
{
    x.claims.has_nbf = true;
    x.claims.nbf_s = NOW_S + 60;
}
static void far_future(void)
{
    x.claims.exp_s = INT64_C(1) << 53;
}
static void no_audience(void)
{
    x.claims.aud_count = 0;
}
static void foreign_audience(void)
{
    x.aud[0] = "demo";
}
static void second_audience(void)
{
    x.aud[0] = "demo";
    x.aud[1] = DET_URL;
    x.claims.aud_count = 2;
}
static void client_id(void)
{
    x.aud[0] = CLIENT_ID;
}
static void nobody(void)
{
    x.claims.email = x.claims.sub = NULL;
}
static void unknown_sub(void)
{
    x.claims.email = NULL;
    x.claims.sub = "100000000000000000009";
}
static void by_sub(void)
{
    static char id[UNIQUE_ID_TEXT];
    account_unique_id(SPAN_LIT(FRONTEND), id);
    x.claims.email = NULL;
    x.claims.sub = id;
}
static void not_granted(void)
{
    x.claims.email = BACKEND;
}
static void default_account(void)
{
    x.claims.email = COMPUTE;
}
static void somebody_unheard_of(void)
{
    x.claims.email = "mallory@example.org";
}
static void disabled(void)
{
    x.claims.email = RETIRED;
}

static const struct {
    void (*spoil)(void);
    reason reason;
} claim_rows[] = {
    {no_claims, REASON_BAD_CLAIMS},
    {no_issuer, REASON_BAD_CLAIMS},
    {firebase, REASON_WRONG_ISSUER},
    {lookalike_issuer, REASON_WRONG_ISSUER},
    {self_signed, REASON_SELF_SIGNED},
    {short_issuer, REASON_GRANTED},
    {no_exp, REASON_BAD_CLAIMS},
    {no_iat, REASON_BAD_CLAIMS},
    {expired, REASON_EXPIRED},
    {expired_at_the_edge, REASON_EXPIRED},
    {expired_within_skew, REASON_GRANTED},
    {issued_later, REASON_NOT_YET_VALID},
    {issued_within_skew, REASON_GRANTED},
    {not_before, REASON_NOT_YET_VALID},
    {not_before_within_skew, REASON_GRANTED},
    {far_future, REASON_GRANTED},
    {no_audience, REASON_NO_AUDIENCE},
    {foreign_audience, REASON_WRONG_AUDIENCE},
    {second_audience, REASON_GRANTED},
    {client_id, REASON_GRANTED},
    {nobody, REASON_NO_PRINCIPAL},
    {unknown_sub, REASON_NO_PRINCIPAL},
    {by_sub, REASON_GRANTED},
    {not_granted, REASON_NO_GRANT},
    {default_account, REASON_NO_GRANT},
    {somebody_unheard_of, REASON_NO_GRANT},
    {disabled, REASON_ACCOUNT_DISABLED},
};

START_TEST(a_claim_decides_as_documented)
{
    claim_rows[_i].spoil();
    ck_assert_int_eq(scene_reason(&x), claim_rows[_i].reason);
}
END_TEST

/* ---- order: each fault added in front of the former ones takes over ---- */

static void no_keys(void)
{
    x.facts.token = TOKEN_NO_KEYS;
}
static void absent(void)
{
    x.facts.token = TOKEN_ABSENT;
}

static const struct {
    void (*spoil)(void);
    reason reason;
} order[] = {
    {not_granted, REASON_NO_GRANT},
    {disabled, REASON_ACCOUNT_DISABLED},
    {foreign_audience, REASON_WRONG_AUDIENCE},
    {no_audience, REASON_NO_AUDIENCE},
    {not_before, REASON_NOT_YET_VALID},
    {expired, REASON_EXPIRED},
    {no_exp, REASON_BAD_CLAIMS},
    {firebase, REASON_WRONG_ISSUER},
    {no_keys, REASON_KEYS_UNAVAILABLE},
    {absent, REASON_NO_CREDENTIAL},
};

START_TEST(of_two_faults_the_earlier_check_wins)
{
    for (size_t i = 0; i < countof(order); i++) {
        order[i].spoil();
        ck_assert_msg(scene_reason(&x) == order[i].reason, "step %zu: %s", i,
                      reason_info(scene_reason(&x))->name);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("decide");
    TCase *t = tcase_create("decide");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, a_good_token_of_a_granted_caller_is_allowed);
    tcase_add_loop_test(t, a_token_that_is_not_verified_is_refused_whatever_it_claims, 0,
                        (int)countof(states));
    tcase_add_loop_test(t, no_token_matters_at_an_open_service, 0, (int)countof(states));
    tcase_add_loop_test(t, a_claim_decides_as_documented, 0, (int)countof(claim_rows));
    tcase_add_test(t, of_two_faults_the_earlier_check_wins);
    suite_add_tcase(s, t);
    return check_main(s);
}
