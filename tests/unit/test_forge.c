/* Forged tokens: each is refused, and for the reason that it was made for. */
#include "jose/forge.h"

#include "jose/jws.h"
#include "keystore_fixture.h"

#define PAYLOAD "{\"aud\":\"x\",\"sub\":\"1\"}"

static const struct {
    char *(*forge)(const keystore *k, span payload, error *e);
    jws_result expected;
    const char *alg;
    bool known_kid;
} rows[] = {
    {keystore_sign_jwt, JWS_OK, "RS256", true},
    {forge_foreign_key, JWS_UNKNOWN_KID, "RS256", false},
    {forge_foreign_signature, JWS_BAD_SIGNATURE, "RS256", true},
    {forge_unsigned, JWS_BAD_ALG, "none", true},
    {forge_hs256, JWS_BAD_ALG, "HS256", true},
};

static jws_result judge(const keystore *k, const char *token)
{
    jwks *keys = jwks_parse(keystore_jwks(k), NULL);
    claims *c = NULL;
    const jws_result r = jws_verify(keys, span_of(token), &c, NULL);
    claims_free(c);
    jwks_unref(keys);
    return r;
}

START_TEST(a_forged_token_is_refused_for_its_own_reason)
{
    keystore *k = fixture_open();
    error e = {0};
    auto_free char *token = rows[_i].forge(k, SPAN_LIT(PAYLOAD), &e);
    ck_assert_msg(token != NULL, "%s", e.text);
    ck_assert_int_eq(judge(k, token), rows[_i].expected);
    char *kid = NULL;
    char *alg = NULL;
    claims *c = NULL;
    (void)jws_peek(span_of(token), &kid, &alg, &c, NULL);
    ck_assert_str_eq(alg, rows[_i].alg);
    ck_assert_int_eq(strcmp(kid, keystore_info(k, 0).kid) == 0, rows[_i].known_kid);
    ck_assert_str_eq(c->sub, "1");
    free(kid);
    free(alg);
    claims_free(c);
    keystore_close(k);
}
END_TEST

START_TEST(a_payload_changed_after_signing_is_refused)
{
    keystore *k = fixture_open();
    auto_free char *good = keystore_sign_jwt(k, SPAN_LIT(PAYLOAD), NULL);
    auto_free char *same = forge_tampered(span_of(good), SPAN_LIT(PAYLOAD), NULL);
    ck_assert_str_eq(same, good);
    auto_free char *changed = forge_tampered(span_of(good), SPAN_LIT("{\"aud\":\"y\"}"), NULL);
    ck_assert_int_eq(judge(k, changed), JWS_BAD_SIGNATURE);
    error e = {0};
    ck_assert_ptr_null(forge_tampered(SPAN_LIT("no token"), SPAN_LIT("{}"), &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    keystore_close(k);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("forge");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, fixture_setup, fixture_teardown);
    tcase_set_timeout(c, 120);
    tcase_add_loop_test(c, a_forged_token_is_refused_for_its_own_reason, 0, (int)countof(rows));
    tcase_add_test(c, a_payload_changed_after_signing_is_refused);
    suite_add_tcase(s, c);
    return check_main(s);
}
