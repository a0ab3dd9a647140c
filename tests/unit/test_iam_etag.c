/* Etags as bytes: what clients send back is compared by what it decodes to. */
#include <ctype.h>

#include "base/attr.h"
#include "check_main.h"
#include "control/iam_etag.h"

static const struct {
    const char *given, *mine;
    etag_verdict verdict;
} rows[] = {
    {"ACAB", "ACAB", ETAG_SAME},
    {"ACAC", "ACAB", ETAG_OTHER},
    {"BwY3cthftiw=", "BwY3cthftix=", ETAG_SAME}, /* spare bits */
    {"BwY3cthftiw", "BwY3cthftiw=", ETAG_SAME},
    {"-_-_", "+/+/", ETAG_SAME},
    {"ACABACAB", "ACAB", ETAG_OTHER},
    {"", "ACAB", ETAG_OTHER},
    {"abc!", "ACAB", ETAG_MALFORMED},
    {"ACAB ", "ACAB", ETAG_MALFORMED},
    {"ACABA", "ACAB", ETAG_MALFORMED},
    {"A=AB", "ACAB", ETAG_MALFORMED},
    {"\"ACAB\"", "ACAB", ETAG_MALFORMED},
    {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     "ACAB", ETAG_MALFORMED},
};

START_TEST(etags_are_compared_by_their_bytes)
{
    ck_assert_int_eq(etag_compare(span_of(rows[_i].given), span_of(rows[_i].mine)),
                     rows[_i].verdict);
}
END_TEST

START_TEST(an_etag_follows_from_value_and_salt_and_is_plain_base64)
{
    json_auto_t *a = json_pack("{s:i, s:i}", "x", 1, "y", 2);
    json_auto_t *same = json_pack("{s:i, s:i}", "y", 2, "x", 1);
    json_auto_t *other = json_pack("{s:i, s:i}", "x", 1, "y", 3);
    char first[ETAG_TEXT], second[ETAG_TEXT], third[ETAG_TEXT], salted[ETAG_TEXT];
    etag_make(a, (span){0}, first);
    etag_make(same, (span){0}, second);
    etag_make(other, (span){0}, third);
    etag_make(a, SPAN_LIT("later"), salted);
    ck_assert_str_eq(first, second);
    ck_assert_str_ne(first, third);
    ck_assert_str_ne(first, salted);
    ck_assert_uint_eq(strlen(first), 12);
    for (const char *at = first; *at; at++)
        ck_assert(isalnum((unsigned char)*at));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("iam_etag");
    TCase *t = tcase_create("iam_etag");
    tcase_add_loop_test(t, etags_are_compared_by_their_bytes, 0, countof(rows));
    tcase_add_test(t, an_etag_follows_from_value_and_salt_and_is_plain_base64);
    suite_add_tcase(s, t);
    return check_main(s);
}
