/* The payload of identity tokens, byte for byte. */
#include "check_main.h"
#include "jose/claims.h"
#include "jose/id_token.h"

static id_token_claims sample(void)
{
    return (id_token_claims){
        .audience = SPAN_LIT("https://backend-api-123.us-central1.run.app"),
        .email = SPAN_LIT("frontend-sa@my-project.iam.gserviceaccount.com"),
        .unique_id = SPAN_LIT("112233445566778899001"),
        .iat_s = 1700000000,
        .lifetime_s = 3600,
    };
}

static void expect(const id_token_claims *c, const char *text)
{
    auto_buf buf b = buf_make(4096);
    id_token_payload(&b, c);
    ck_assert_str_eq(b.p, text);
    claims *read = claims_parse(buf_view(&b), NULL);
    ck_assert_ptr_nonnull(read);
    claims_free(read);
}

START_TEST(keys_are_alphabetical_and_there_are_no_blanks)
{
    const id_token_claims c = sample();
    expect(&c, "{\"aud\":\"https://backend-api-123.us-central1.run.app\",\"azp\":"
               "\"112233445566778899001\",\"email\":\"frontend-sa@my-project.iam.gserviceaccount."
               "com\",\"email_verified\":true,\"exp\":1700003600,\"iat\":1700000000,\"iss\":"
               "\"https://accounts.google.com\",\"sub\":\"112233445566778899001\"}");
}
END_TEST

START_TEST(without_an_email_neither_email_claim_is_there)
{
    id_token_claims c = sample();
    c.email = (span){0};
    c.audience = SPAN_LIT("x");
    expect(&c, "{\"aud\":\"x\",\"azp\":\"112233445566778899001\",\"exp\":1700003600,\"iat\":"
               "1700000000,\"iss\":\"https://accounts.google.com\",\"sub\":"
               "\"112233445566778899001\"}");
}
END_TEST

START_TEST(azp_is_whom_the_token_was_issued_to_where_that_is_said)
{
    id_token_claims c = sample();
    c.email = (span){0};
    c.audience = c.azp = SPAN_LIT("32555940559.apps.googleusercontent.com");
    expect(&c, "{\"aud\":\"32555940559.apps.googleusercontent.com\",\"azp\":"
               "\"32555940559.apps.googleusercontent.com\",\"exp\":1700003600,\"iat\":1700000000,"
               "\"iss\":\"https://accounts.google.com\",\"sub\":\"112233445566778899001\"}");
}
END_TEST

START_TEST(a_negative_lifetime_makes_an_expired_token)
{
    id_token_claims c = sample();
    c.lifetime_s = -300;
    c.issuer = SPAN_LIT("https://issuer.example");
    auto_buf buf b = buf_make(4096);
    id_token_payload(&b, &c);
    claims *read = claims_parse(buf_view(&b), NULL);
    ck_assert_int_eq(read->exp_s, 1699999700);
    ck_assert_str_eq(read->iss, "https://issuer.example");
    claims_free(read);
}
END_TEST

START_TEST(an_audience_with_quotes_and_controls_stays_one_string)
{
    id_token_claims c = sample();
    c.audience = SPAN_LIT("a\"b\\c\n\xc3\xa9\",\"email\":\"evil@example.com");
    auto_buf buf b = buf_make(4096);
    id_token_payload(&b, &c);
    claims *read = claims_parse(buf_view(&b), NULL);
    ck_assert_ptr_nonnull(read);
    ck_assert_str_eq(read->aud[0], "a\"b\\c\n\xc3\xa9\",\"email\":\"evil@example.com");
    ck_assert_str_eq(read->email, "frontend-sa@my-project.iam.gserviceaccount.com");
    claims_free(read);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("id_token");
    TCase *c = tcase_create("all");
    tcase_add_test(c, keys_are_alphabetical_and_there_are_no_blanks);
    tcase_add_test(c, without_an_email_neither_email_claim_is_there);
    tcase_add_test(c, azp_is_whom_the_token_was_issued_to_where_that_is_said);
    tcase_add_test(c, a_negative_lifetime_makes_an_expired_token);
    tcase_add_test(c, an_audience_with_quotes_and_controls_stays_one_string);
    suite_add_tcase(s, c);
    return check_main(s);
}
