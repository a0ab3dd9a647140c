/* Counting a bounded number of things. */
#include "base/counts.h"

#include <stdio.h>
#include <stdlib.h>

#include "check_main.h"

static counts *c;

static void setup(void)
{
    c = counts_new(4096);
}

static void teardown(void)
{
    counts_free(c);
}

static counts_cell *add(uint32_t number, const char *one, const char *two, int64_t now_us)
{
    const counts_key k = {.number = number, .texts = {span_of(one), span_of(two)}};
    return counts_add(c, &k, now_us);
}

START_TEST(the_same_thing_is_one_cell_with_its_first_and_last_time)
{
    ck_assert_ptr_eq(add(1, "a", "b", 100), add(1, "a", "b", 300));
    counts_cell *cell = add(1, "a", "b", 200); /* clocks go back, too */
    ck_assert_uint_eq(counts_size(c), 1);
    ck_assert_uint_eq(cell->count, 3);
    ck_assert_int_eq(cell->first_us, 100);
    ck_assert_int_eq(cell->last_us, 300);
}
END_TEST

START_TEST(things_that_differ_in_number_or_in_where_a_text_ends_are_told_apart)
{
    (void)add(1, "ab", "c", 1);
    (void)add(1, "a", "bc", 1);
    (void)add(2, "a", "bc", 1);
    (void)add(1, "", "abc", 1);
    (void)add(1, "abc", "", 1);
    ck_assert_uint_eq(counts_size(c), 5);
    const counts_cell **all = counts_sorted(c);
    const char *const expected[] = {"|abc1", "a|bc1", "a|bc2", "ab|c1", "abc|1"};
    for (size_t i = 0; i < 5; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%.*s|%.*s%u", SPAN_ARG(counts_text(all[i], 0)),
                       SPAN_ARG(counts_text(all[i], 1)), all[i]->number);
        ck_assert_str_eq(text, expected[i]);
    }
    free(all);
}
END_TEST

START_TEST(texts_of_any_bytes_are_kept_as_they_are)
{
    const counts_key k = {.texts = {{"\0\"\n\\\xff", 5}, SPAN_LIT("\x1b[2J")}};
    const counts_cell *cell = counts_add(c, &k, 1);
    ck_assert(span_eq(counts_text(cell, 0), k.texts[0]));
    ck_assert(span_eq(counts_text(cell, 1), k.texts[1]));
    ck_assert_uint_eq(counts_text(cell, 3).n, 0);
}
END_TEST

START_TEST(a_long_text_is_cut_between_characters)
{
    static char text[COUNTS_TEXT_MAX + 2];
    memset(text, 'x', sizeof text);
    memcpy(text + COUNTS_TEXT_MAX - 1, "\xc3\xa9", 2);
    const counts_key k = {.texts = {{text, sizeof text}}};
    const counts_cell *cell = counts_add(c, &k, 1);
    ck_assert_uint_eq(counts_text(cell, 0).n, COUNTS_TEXT_MAX - 1);
    ck_assert_ptr_eq(counts_add(c, &k, 2), cell);
}
END_TEST

START_TEST(beyond_the_bound_only_what_is_known_is_counted_on)
{
    counts_free(c);
    c = counts_new(3);
    char name[16];
    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof name, "n%d", i);
        ck_assert_int_eq(add(0, name, "", 1) != NULL, i < 3);
    }
    ck_assert_ptr_nonnull(add(0, "n2", "", 5));
    ck_assert_uint_eq(counts_size(c), 3);
    ck_assert_uint_eq(counts_overflow(c), 7);
}
END_TEST

START_TEST(thousands_of_things_are_found_again)
{
    char name[32];
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 4096; i++) {
            (void)snprintf(name, sizeof name, "caller-%d@example.com", i);
            (void)add(7, "backend", name, round);
        }
    ck_assert_uint_eq(counts_size(c), 4096);
    ck_assert_uint_eq(counts_overflow(c), 0);
    const counts_cell **all = counts_sorted(c);
    size_t wrong = 0;
    for (size_t i = 0; i < 4096; i++)
        wrong += all[i]->count != 3 || all[i]->first_us != 0 || all[i]->last_us != 2;
    ck_assert_uint_eq(wrong, 0);
    free(all);
}
END_TEST

START_TEST(merging_adds_up_and_keeps_the_bound)
{
    counts *other = counts_new(4096);
    counts *sum = counts_new(2);
    const counts_key a = {.texts = {SPAN_LIT("a")}};
    const counts_key b = {.texts = {SPAN_LIT("b")}};
    const counts_key z = {.texts = {SPAN_LIT("z")}};
    (void)counts_add(c, &a, 50);
    (void)counts_add(c, &b, 60);
    (void)counts_add(other, &b, 10);
    (void)counts_add(other, &b, 99);
    (void)counts_add(other, &z, 1);
    counts_merge(sum, c);
    counts_merge(sum, other);
    const counts_cell **all = counts_sorted(sum);
    ck_assert_uint_eq(counts_size(sum), 2);
    ck_assert_uint_eq(all[0]->count, 1);
    ck_assert_uint_eq(all[1]->count, 3);
    ck_assert_int_eq(all[1]->first_us, 10);
    ck_assert_int_eq(all[1]->last_us, 99);
    ck_assert_uint_eq(counts_overflow(sum), 1);
    free(all);
    counts_free(other);
    counts_free(sum);
}
END_TEST

START_TEST(nothing_is_left_after_clearing)
{
    (void)add(1, "a", "", 1);
    counts_clear(c);
    ck_assert_uint_eq(counts_size(c), 0);
    ck_assert_uint_eq(add(1, "a", "", 5)->count, 1);
    ck_assert_int_eq(add(1, "a", "", 6)->first_us, 5);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("counts");
    TCase *t = tcase_create("counts");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, the_same_thing_is_one_cell_with_its_first_and_last_time);
    tcase_add_test(t, things_that_differ_in_number_or_in_where_a_text_ends_are_told_apart);
    tcase_add_test(t, texts_of_any_bytes_are_kept_as_they_are);
    tcase_add_test(t, a_long_text_is_cut_between_characters);
    tcase_add_test(t, beyond_the_bound_only_what_is_known_is_counted_on);
    tcase_add_test(t, thousands_of_things_are_found_again);
    tcase_add_test(t, merging_adds_up_and_keeps_the_bound);
    tcase_add_test(t, nothing_is_left_after_clearing);
    suite_add_tcase(s, t);
    return check_main(s);
}
