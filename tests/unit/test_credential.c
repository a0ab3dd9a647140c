/* From header values to the credential that counts. */
#include "check_main.h"
#include "decision/credential.h"

#define JWT "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln"

static const struct {
    size_t authorization_n;
    const char *authorization;
    size_t serverless_n;
    const char *serverless;
    token_header header;
    token_state state;
} rows[] = {
    {0, "", 0, "", HEADER_NONE, TOKEN_ABSENT},
    {1, "", 0, "", HEADER_AUTHORIZATION, TOKEN_EMPTY},
    {1, " \t ", 0, "", HEADER_AUTHORIZATION, TOKEN_EMPTY},
    {1, "Bearer " JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_UNCHECKED},
    {1, "bearer " JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_UNCHECKED},
    {1, "BEARER   " JWT "  ", 0, "", HEADER_AUTHORIZATION, TOKEN_UNCHECKED},
    {1, "Bearer\t" JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_UNCHECKED},
    {0, "", 1, "Bearer " JWT, HEADER_SERVERLESS, TOKEN_UNCHECKED},
    /* If both are there, only X-Serverless-Authorization is looked at. */
    {1, "Basic eA==", 1, "Bearer " JWT, HEADER_SERVERLESS, TOKEN_UNCHECKED},
    {1, "Bearer " JWT, 1, "Bearer abc", HEADER_SERVERLESS, TOKEN_NOT_A_JWT},
    {1, "Bearer " JWT, 1, "", HEADER_SERVERLESS, TOKEN_EMPTY},
    {2, "Bearer " JWT, 1, "Bearer " JWT, HEADER_SERVERLESS, TOKEN_UNCHECKED},
    {1, "Bearer " JWT, 2, "Bearer " JWT, HEADER_SERVERLESS, TOKEN_REPEATED_HEADER},
    {2, "Bearer " JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_REPEATED_HEADER},
    {2, "", 0, "", HEADER_AUTHORIZATION, TOKEN_REPEATED_HEADER},
    {1, "Basic eA==", 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_BEARER},
    {1, JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_BEARER},
    {1, "Bearer" JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_BEARER},
    {1, "Bearer: " JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_BEARER},
    {1, "Bearer", 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_A_JWT},
    {1, "Bearer  ", 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_A_JWT},
    {1, "Bearer abc", 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_A_JWT},
    {1, "Bearer a.b", 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_A_JWT},
    {1, "Bearer a.b.c.d", 0, "", HEADER_AUTHORIZATION, TOKEN_NOT_A_JWT},
    {1, "Bearer ya29.a0AfH6SM", 0, "", HEADER_AUTHORIZATION, TOKEN_ACCESS},
    {1, "Bearer ya29.c.b0Aaek", 0, "", HEADER_AUTHORIZATION, TOKEN_ACCESS},
    {1, "Bearer " JWT " " JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_SEVERAL},
    {1, "Bearer " JWT ",Bearer " JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_SEVERAL},
    {1, "Bearer " JWT ", " JWT, 0, "", HEADER_AUTHORIZATION, TOKEN_SEVERAL},
    {1, "Bearer a.b.SIGNATURE_REMOVED_BY_GOOGLE", 0, "", HEADER_AUTHORIZATION,
     TOKEN_SIGNATURE_REMOVED},
    /* An unsigned JWT has the shape; verification refuses its algorithm. */
    {1, "Bearer a.b.", 0, "", HEADER_AUTHORIZATION, TOKEN_UNCHECKED},
};

START_TEST(the_header_that_counts_is_found_and_classed)
{
    const credential c = credential_find(rows[_i].authorization_n, span_of(rows[_i].authorization),
                                         rows[_i].serverless_n, span_of(rows[_i].serverless));
    ck_assert_int_eq(c.header, rows[_i].header);
    ck_assert_int_eq(c.state, rows[_i].state);
    ck_assert_int_eq(c.token.n > 0, c.state == TOKEN_UNCHECKED);
    if (strstr(rows[_i].authorization, JWT) && c.state == TOKEN_UNCHECKED)
        ck_assert(span_eq_str(c.token, JWT));
}
END_TEST

START_TEST(a_service_sees_the_token_without_its_signature)
{
    auto_buf buf b = buf_make(1000);
    credential_forwarded(&b, SPAN_LIT(JWT));
    ck_assert_str_eq(b.p,
                     "bearer eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.SIGNATURE_REMOVED_BY_GOOGLE");
    const credential again = credential_find(1, buf_view(&b), 0, (span){NULL, 0});
    ck_assert_int_eq(again.state, TOKEN_SIGNATURE_REMOVED);
}
END_TEST

static const struct {
    const char *value, *masked;
} MASKED[] = {
    {"", ""},
    {"Basic eA==", "Basic eA=="},
    {"Bearer ya29.c.b0Aaek", "Bearer ya29.c.b0Aaek"},
    {"Digest realm=\"www.a.example\", uri=\"/\"", "Digest realm=\"www.a.example\", uri=\"/\""},
    {"Bearer eyJ.eyJ", "Bearer eyJ.eyJ"},
    {"Bearer eyJ.eyJ.c.d", "Bearer eyJ.eyJ.c.d"},
    {JWT, "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.SIGNATURE_REMOVED_BY_GOOGLE"},
    {"BEARER  eyJ.b.c,eyJ.d.e ewo.f.", "BEARER  eyJ.b.SIGNATURE_REMOVED_BY_GOOGLE,"
                                       "eyJ.d.SIGNATURE_REMOVED_BY_GOOGLE "
                                       "ewo.f.SIGNATURE_REMOVED_BY_GOOGLE"},
};

START_TEST(of_a_value_that_proves_nothing_every_jwt_loses_its_signature)
{
    auto_buf buf b = buf_make(1000);
    credential_masked(&b, span_of(MASKED[_i].value));
    ck_assert(span_eq_str(buf_view(&b), MASKED[_i].masked));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("credential");
    TCase *t = tcase_create("credential");
    tcase_add_loop_test(t, the_header_that_counts_is_found_and_classed, 0, (int)countof(rows));
    tcase_add_test(t, a_service_sees_the_token_without_its_signature);
    tcase_add_loop_test(t, of_a_value_that_proves_nothing_every_jwt_loses_its_signature, 0,
                        (int)countof(MASKED));
    suite_add_tcase(s, t);
    return check_main(s);
}
