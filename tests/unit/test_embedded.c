/* Files that are part of the program. */
#include <stdio.h>

#include "base/embedded.h"
#include "check_main.h"

START_TEST(an_embedded_file_is_the_one_in_the_sources)
{
    const embedded *icon = embedded_find(embedded_page, SPAN_LIT("icon.svg"));
    ck_assert_ptr_nonnull(icon);
    ck_assert_str_eq(icon->type, "image/svg+xml");
    FILE *f = fopen("emulator/control/page/icon.svg", "re");
    ck_assert_ptr_nonnull(f);
    char text[16384];
    const size_t n = fread(text, 1, sizeof text, f);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert(n > 0 && span_eq(embedded_bytes(icon), (span){text, n}));
    ck_assert_uint_eq(icon->bytes[icon->n], 0);
}
END_TEST

START_TEST(a_name_that_is_no_file_is_not_found)
{
    ck_assert_ptr_null(embedded_find(embedded_page, SPAN_LIT("icon")));
    ck_assert_ptr_null(embedded_find(embedded_page, SPAN_LIT("")));
    ck_assert_ptr_null(embedded_find(embedded_page, SPAN_LIT("../page/icon.svg")));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("embedded");
    TCase *t = tcase_create("embedded");
    tcase_add_test(t, an_embedded_file_is_the_one_in_the_sources);
    tcase_add_test(t, a_name_that_is_no_file_is_not_found);
    suite_add_tcase(s, t);
    return check_main(s);
}
