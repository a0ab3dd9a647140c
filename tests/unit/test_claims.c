/* JWT payloads: what is read, and every way in which a payload can be broken. */
#include "check_main.h"
#include "jose/claims.h"

START_TEST(a_google_token_s_claims_are_read)
{
    error e = {0};
    claims *c = claims_parse(
        SPAN_LIT("{\"aud\":\"https://a.example\",\"azp\":\"1\",\"email\":\"a@b.c\",\"email_"
                 "verified\":true,\"exp\":1700003600,\"iat\":1700000000,\"iss\":\"https://"
                 "accounts.google.com\",\"sub\":\"123\",\"nbf\":1699999999}"),
        &e);
    ck_assert_msg(c != NULL, "%s", e.text);
    ck_assert_str_eq(c->iss, "https://accounts.google.com");
    ck_assert_str_eq(c->sub, "123");
    ck_assert_str_eq(c->azp, "1");
    ck_assert_str_eq(c->email, "a@b.c");
    ck_assert(c->email_verified);
    ck_assert_uint_eq(c->aud_count, 1);
    ck_assert_str_eq(c->aud[0], "https://a.example");
    ck_assert(c->has_exp && c->has_iat && c->has_nbf);
    ck_assert_int_eq(c->exp_s, 1700003600);
    ck_assert_int_eq(c->iat_s, 1700000000);
    ck_assert_int_eq(c->nbf_s, 1699999999);
    claims_free(c);
}
END_TEST

START_TEST(absent_claims_are_told_from_empty_ones)
{
    claims *c = claims_parse(SPAN_LIT("{\"sub\":\"\"}"), NULL);
    ck_assert_ptr_nonnull(c);
    ck_assert_str_eq(c->sub, "");
    ck_assert(!c->iss && !c->azp && !c->email && !c->email_verified);
    ck_assert(!c->aud && c->aud_count == 0 && !c->has_exp && !c->has_iat && !c->has_nbf);
    claims_free(c);
}
END_TEST

START_TEST(a_list_of_audiences_keeps_its_order)
{
    claims *c = claims_parse(SPAN_LIT("{\"aud\":[\"one\",\"two\",\"\"]}"), NULL);
    ck_assert_ptr_nonnull(c);
    ck_assert_uint_eq(c->aud_count, 3);
    ck_assert_str_eq(c->aud[0], "one");
    ck_assert_str_eq(c->aud[1], "two");
    ck_assert_str_eq(c->aud[2], "");
    claims_free(c);
}
END_TEST

static const char *const accepted[] = {
    "{}",
    " {\n} ",
    "{\"aud\":[]}",
    "{\"exp\":0}",
    "{\"exp\":9007199254740992}",
    "{\"exp\":1.7e9}",
    "{\"exp\":1700000000.999}",
    "{\"email_verified\":false}",
    "{\"email\":\"m\xc3\xbcller@example.com\"}",
    "{\"jti\":\"x\"}",
    "{\"other\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", /* 16 levels */
    "{\"google\":{\"compute_engine\":{\"project_number\":123456789012}}}",
    "{\"text\":\"}]}]{[{[\\\"{\"}",
    "{\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\",\"13\","
    "\"14\",\"15\",\"16\",\"17\",\"18\",\"19\",\"20\",\"21\",\"22\",\"23\",\"24\",\"25\",\"26\","
    "\"27\",\"28\",\"29\",\"30\",\"31\",\"32\"]}",
};

START_TEST(these_payloads_are_accepted)
{
    error e = {0};
    claims *c = claims_parse(span_of(accepted[_i]), &e);
    ck_assert_msg(c != NULL, "%s: %s", accepted[_i], e.text);
    claims_free(c);
}
END_TEST

static const struct {
    const char *json, *says; /* says: part of the message */
    size_t n;                /* 0: strlen */
} refused[] = {
    {"", "empty", 0},
    {"{", "JSON", 0},
    {"null", "JSON", 0},
    {"\"text\"", "JSON", 0},
    {"17", "JSON", 0},
    {"[]", "object", 0},
    {"[{}]", "object", 0},
    {"{}{}", "JSON", 0},
    {"{} x", "JSON", 0},
    {"{}\0", "JSON", 3},
    {"{\"a\":1,}", "JSON", 0},
    {"{'a':1}", "JSON", 0},
    {"{\"a\":NaN}", "JSON", 0},
    {"{\"a\":01}", "JSON", 0},
    {"\xef\xbb\xbf{}", "JSON", 0},
    {"{\"email\":\"\xff\"}", "JSON", 0},
    {"{\"email\":\"\xc0\x80\"}", "JSON", 0},
    {"{\"email\":\"\xed\xa0\x80\"}", "JSON", 0},
    {"{\"email\":\"\\ud800\"}", "JSON", 0},
    {"{\"sub\":\"1\",\"sub\":\"2\"}", "duplicate", 0},
    {"{\"x\":{\"y\":1,\"y\":2}}", "duplicate", 0},
    {"{\"sub\":\"1\",\"s\\u0075b\":\"2\"}", "duplicate", 0},
    {"{\"sub\":\"1\\u0000\"}", "\\u0000", 0},
    {"{\"s\\u0000\":1}", "JSON", 0},
    {"{\"sub\":\"1\0\"}", "JSON", 11},
    {"{\"sub\":1}", "\"sub\" is not a string", 0},
    {"{\"sub\":null}", "\"sub\" is not a string", 0},
    {"{\"iss\":[\"x\"]}", "\"iss\"", 0},
    {"{\"azp\":{}}", "\"azp\"", 0},
    {"{\"jti\":7}", "\"jti\"", 0},
    {"{\"email\":true}", "\"email\"", 0},
    {"{\"email_verified\":\"true\"}", "\"email_verified\"", 0},
    {"{\"email_verified\":1}", "\"email_verified\"", 0},
    {"{\"aud\":7}", "\"aud\"", 0},
    {"{\"aud\":null}", "\"aud\"", 0},
    {"{\"aud\":{\"a\":\"b\"}}", "\"aud\"", 0},
    {"{\"aud\":[\"a\",7]}", "\"aud\"", 0},
    {"{\"aud\":[[\"a\"]]}", "\"aud\"", 0},
    {"{\"exp\":\"1700000000\"}", "\"exp\" is not a number", 0},
    {"{\"exp\":true}", "\"exp\"", 0},
    {"{\"exp\":-1}", "0..2^53", 0},
    {"{\"exp\":-0.5}", "0..2^53", 0},
    {"{\"exp\":9007199254740994}", "0..2^53", 0},
    {"{\"exp\":1e16}", "0..2^53", 0},
    {"{\"exp\":1e400}", "overflow", 0},
    {"{\"exp\":99999999999999999999}", "too big", 0},
    {"{\"iat\":[1]}", "\"iat\"", 0},
    {"{\"nbf\":\"x\"}", "\"nbf\"", 0},
    {"{\"other\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "deeper", 0}, /* 17 levels */
    {"{\"aud\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\","
     "\"13\",\"14\",\"15\",\"16\",\"17\",\"18\",\"19\",\"20\",\"21\",\"22\",\"23\",\"24\",\"25\","
     "\"26\",\"27\",\"28\",\"29\",\"30\",\"31\",\"32\",\"33\"]}",
     "33 audiences", 0},
};

START_TEST(these_payloads_are_refused_with_a_reason)
{
    const size_t n = refused[_i].n ? refused[_i].n : strlen(refused[_i].json);
    error e = {0};
    claims *c = claims_parse((span){refused[_i].json, n}, &e);
    ck_assert_msg(c == NULL, "%s", refused[_i].json);
    ck_assert_msg(e.kind == ERR_INVALID || e.kind == ERR_LIMIT, "%s: kind", refused[_i].json);
    ck_assert_msg(strstr(e.text, refused[_i].says) != NULL, "%s: %s", refused[_i].json, e.text);
}
END_TEST

START_TEST(ten_thousand_brackets_cost_nothing)
{
    char deep[10000];
    memset(deep, '[', sizeof deep);
    error e = {0};
    ck_assert_ptr_null(claims_parse((span){deep, sizeof deep}, &e));
    ck_assert_ptr_nonnull(strstr(e.text, "deeper"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("claims");
    TCase *c = tcase_create("all");
    tcase_add_test(c, a_google_token_s_claims_are_read);
    tcase_add_test(c, absent_claims_are_told_from_empty_ones);
    tcase_add_test(c, a_list_of_audiences_keeps_its_order);
    tcase_add_loop_test(c, these_payloads_are_accepted, 0, (int)countof(accepted));
    tcase_add_loop_test(c, these_payloads_are_refused_with_a_reason, 0, (int)countof(refused));
    tcase_add_test(c, ten_thousand_brackets_cost_nothing);
    suite_add_tcase(s, c);
    return check_main(s);
}
