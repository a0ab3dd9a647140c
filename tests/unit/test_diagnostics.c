/* The list of problems: order, ceiling, duplicates, and that foreign text cannot act. */
#include "config/diag.h"

#include "check_main.h"

static char *finish(diag_sink *d)
{
    diagnostics all;
    diag_finish(d, &all);
    buf b = buf_make(1 << 20);
    diagnostics_print(&all, &b);
    diagnostics_free(&all);
    diag_free(d);
    return b.n ? buf_take(&b) : span_dup((span){0});
}

static place at(const char *file, uint32_t line, uint32_t column)
{
    return (place){file, line, column};
}

START_TEST(problems_come_in_file_order)
{
    diag_sink *d = diag_new();
    diag_file(d, "a.yaml");
    diag_file(d, "b.yaml");
    diag_at(d, at("b.yaml", 1, 1), "five");
    diag_at(d, at("a.yaml", 10, 2), "three");
    diag_at(d, at("a.yaml", 9, 30), "two");
    diag_at(d, at("a.yaml", 9, 4), "one");
    diag_at(d, at("a.yaml", 10, 2), "four");
    auto_free char *text = finish(d);
    ck_assert_str_eq(text, "a.yaml:9:4: one\na.yaml:9:30: two\na.yaml:10:2: three\n"
                           "a.yaml:10:2: four\nb.yaml:1:1: five\n");
}
END_TEST

START_TEST(the_same_problem_at_the_same_place_is_said_once)
{
    diag_sink *d = diag_new();
    for (int i = 0; i < 3; i++)
        diag_at(d, at("a.yaml", 1, 1), "again");
    diag_at(d, at("a.yaml", 1, 2), "again");
    diag_at(d, at("b.yaml", 1, 1), "again");
    ck_assert_uint_eq(diag_count(d), 3);
    auto_free char *text = finish(d);
    ck_assert_str_eq(text, "a.yaml:1:1: again\na.yaml:1:2: again\nb.yaml:1:1: again\n");
}
END_TEST

START_TEST(at_most_a_hundred_are_kept)
{
    diag_sink *d = diag_new();
    for (uint32_t i = 1; i <= 1000; i++)
        diag_at(d, at("a.yaml", i, 1), "problem %u", i);
    ck_assert(diag_full(d));
    diagnostics all;
    diag_finish(d, &all);
    ck_assert_uint_eq(all.count, DIAG_MAX);
    ck_assert_str_eq(all.items[99].text, "problem 100");
    diagnostics_free(&all);
    diag_free(d);
}
END_TEST

START_TEST(control_characters_of_a_file_are_shown_not_sent)
{
    diag_sink *d = diag_new();
    diag_at(d, at("a.yaml", 1, 1), "key '%s'", "\x1B[31mred\n\t\x7F \xC2\x9B \xC3\xA4");
    auto_free char *text = finish(d);
    ck_assert_str_eq(text, "a.yaml:1:1: key '\\x1B[31mred\\x0A\\x09\\x7F \\x9B \xC3\xA4'\n");
}
END_TEST

START_TEST(a_very_long_text_is_cut)
{
    diag_sink *d = diag_new();
    auto_buf buf b = buf_make(10000);
    for (int i = 0; i < 5000; i++)
        buf_char(&b, 'x');
    diag_at(d, at("a.yaml", 1, 1), "%s", b.p);
    auto_free char *text = finish(d);
    ck_assert_uint_lt(strlen(text), DIAG_TEXT_MAX + 20);
    ck_assert_uint_gt(strlen(text), 500);
}
END_TEST

START_TEST(a_near_word_is_suggested_a_far_one_is_not)
{
    static const char *const words[] = {"frontend", "backend-api", NULL};
    diag_sink *d = diag_new();
    ck_assert_str_eq(diag_suggest(d, SPAN_LIT("backnd-api"), words),
                     "; did you mean 'backend-api'?");
    ck_assert_str_eq(diag_suggest(d, SPAN_LIT("billing"), words), "");
    diag_free(d);
}
END_TEST

START_TEST(nothing_wrong_is_an_empty_list)
{
    diag_sink *d = diag_new();
    diagnostics all;
    diag_finish(d, &all);
    ck_assert_uint_eq(all.count, 0);
    diagnostics_free(&all);
    diag_free(d);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("diagnostics");
    TCase *t = tcase_create("list");
    tcase_add_test(t, problems_come_in_file_order);
    tcase_add_test(t, the_same_problem_at_the_same_place_is_said_once);
    tcase_add_test(t, at_most_a_hundred_are_kept);
    tcase_add_test(t, control_characters_of_a_file_are_shown_not_sent);
    tcase_add_test(t, a_very_long_text_is_cut);
    tcase_add_test(t, a_near_word_is_suggested_a_far_one_is_not);
    tcase_add_test(t, nothing_wrong_is_an_empty_list);
    suite_add_tcase(s, t);
    return check_main(s);
}
