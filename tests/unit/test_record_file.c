/* The file of decisions: rotation, whole lines, what is moved away, what cannot be written. */
#include "check_main.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "gateway/record_file.h"

static char dir[64], path[128];
static record_file *file;
static error e;

static void open_file(uint64_t bytes_max, unsigned keep)
{
    memset(&e, 0, sizeof e);
    file = record_file_open(&(record_file_options){path, bytes_max, keep}, &e);
    ck_assert_msg(file != NULL, "%s", e.text);
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/invoker-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/decisions.jsonl", dir);
    file = NULL;
}

static void teardown(void)
{
    static const char *const names[] = {"", ".1", ".2", ".3", ".4", ".away"};
    record_file_close(file);
    for (size_t i = 0; i < countof(names); i++) {
        char name[160];
        snprintf(name, sizeof name, "%s%s", path, names[i]);
        (void)unlink(name);
        (void)rmdir(name);
    }
    ck_assert_int_eq(rmdir(dir), 0);
}

/* "(none)": no such file. */
static const char *content(const char *suffix)
{
    static char text[4096];
    char name[160];
    snprintf(name, sizeof name, "%s%s", path, suffix);
    char *all = file_read(name, sizeof text - 1, NULL, NULL);
    snprintf(text, sizeof text, "%s", all ? all : "(none)");
    free(all);
    return text;
}

static void put(const char *lines)
{
    ck_assert_msg(record_file_write(file, span_of(lines), &e), "%s", e.text);
}

START_TEST(lines_are_appended_to_a_file_of_ones_own)
{
    struct stat about;
    open_file(1000, 3);
    put("one\n");
    ck_assert_int_eq(stat(path, &about), 0);
    ck_assert_uint_eq(about.st_mode & 0777, 0600);
    record_file_close(file);
    open_file(1000, 3);
    put("two\n");
    ck_assert_str_eq(content(""), "one\ntwo\n");
}
END_TEST

START_TEST(a_full_file_is_kept_under_a_number_and_the_oldest_is_forgotten)
{
    open_file(10, 2);
    put("aaaa\n");
    put("bbbb\n"); /* ten bytes: just fits */
    ck_assert_str_eq(content(".1"), "(none)");
    put("cccc\n");
    ck_assert_str_eq(content(""), "cccc\n");
    ck_assert_str_eq(content(".1"), "aaaa\nbbbb\n");
    put("dddddd\n");
    put("eeeeeeeee\n");
    ck_assert_str_eq(content(""), "eeeeeeeee\n");
    ck_assert_str_eq(content(".1"), "dddddd\n");
    ck_assert_str_eq(content(".2"), "cccc\n");
    ck_assert_str_eq(content(".3"), "(none)");
}
END_TEST

START_TEST(what_was_there_before_counts)
{
    open_file(10, 1);
    put("aaaaaa\n");
    record_file_close(file);
    open_file(10, 1);
    put("bbbbbb\n");
    ck_assert_str_eq(content(""), "bbbbbb\n");
    ck_assert_str_eq(content(".1"), "aaaaaa\n");
}
END_TEST

START_TEST(without_former_files_the_one_begins_anew)
{
    open_file(10, 0);
    put("aaaaaa\n");
    put("bbbbbb\n");
    ck_assert_str_eq(content(""), "bbbbbb\n");
    ck_assert_str_eq(content(".1"), "(none)");
}
END_TEST

START_TEST(a_line_longer_than_a_file_is_written_by_itself)
{
    open_file(10, 1);
    put("a\n");
    put("a line that is longer than a file may be\n");
    ck_assert_str_eq(content(""), "a line that is longer than a file may be\n");
    put("b\n");
    ck_assert_str_eq(content(""), "b\n");
}
END_TEST

START_TEST(a_file_that_was_moved_away_begins_anew_when_asked)
{
    char away[160];
    snprintf(away, sizeof away, "%s.away", path);
    open_file(1000, 3);
    put("one\n");
    ck_assert(record_file_reopen(file, &e)); /* nothing happened to it */
    put("two\n");
    ck_assert_int_eq(rename(path, away), 0);
    put("three\n");
    ck_assert_str_eq(content(".away"), "one\ntwo\nthree\n");
    ck_assert(record_file_reopen(file, &e));
    put("four\n");
    ck_assert_str_eq(content(".away"), "one\ntwo\nthree\n");
    ck_assert_str_eq(content(""), "four\n");
}
END_TEST

/* As a full disk: part of it can still be written. */
START_TEST(lines_are_written_whole_or_not_at_all)
{
    struct rlimit before, few;
    open_file(1000, 3);
    put("one\n");
    (void)signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    few = (struct rlimit){.rlim_cur = 10, .rlim_max = before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &few), 0);
    const bool ok = record_file_write(file, SPAN_LIT("two three four\n"), &e);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    ck_assert(!ok);
    ck_assert_ptr_nonnull(strstr(e.text, path));
    ck_assert_str_eq(content(""), "one\n");
    put("five\n");
    ck_assert_str_eq(content(""), "one\nfive\n");
}
END_TEST

START_TEST(a_file_that_cannot_be_kept_stops_the_lines_and_then_they_go_on)
{
    char in_the_way[160];
    snprintf(in_the_way, sizeof in_the_way, "%s.1", path);
    open_file(10, 1);
    put("aaaaaa\n");
    ck_assert_int_eq(mkdir(in_the_way, 0700), 0);
    ck_assert(!record_file_write(file, SPAN_LIT("bbbbbb\n"), &e));
    ck_assert_str_eq(content(""), "aaaaaa\n");
    ck_assert_int_eq(rmdir(in_the_way), 0);
    put("cccccc\n");
    ck_assert_str_eq(content(""), "cccccc\n");
    ck_assert_str_eq(content(".1"), "aaaaaa\n");
}
END_TEST

START_TEST(a_second_writer_is_told)
{
    open_file(10, 1);
    error other = {0};
    ck_assert_ptr_null(record_file_open(&(record_file_options){path, 10, 1}, &other));
    ck_assert_ptr_nonnull(strstr(other.text, "another process writes to"));
}
END_TEST

START_TEST(what_is_no_plain_file_is_refused)
{
    static const char *const paths[] = {"/dev/null", "/tmp", "/nowhere/at/all"};
    error why = {0};
    ck_assert_ptr_null(record_file_open(&(record_file_options){paths[_i], 10, 1}, &why));
    ck_assert_ptr_nonnull(strstr(why.text, paths[_i]));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("record_file");
    TCase *t = tcase_create("file");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, lines_are_appended_to_a_file_of_ones_own);
    tcase_add_test(t, a_full_file_is_kept_under_a_number_and_the_oldest_is_forgotten);
    tcase_add_test(t, what_was_there_before_counts);
    tcase_add_test(t, without_former_files_the_one_begins_anew);
    tcase_add_test(t, a_line_longer_than_a_file_is_written_by_itself);
    tcase_add_test(t, a_file_that_was_moved_away_begins_anew_when_asked);
    tcase_add_test(t, lines_are_written_whole_or_not_at_all);
    tcase_add_test(t, a_file_that_cannot_be_kept_stops_the_lines_and_then_they_go_on);
    tcase_add_test(t, a_second_writer_is_told);
    tcase_add_loop_test(t, what_is_no_plain_file_is_refused, 0, 3);
    suite_add_tcase(s, t);
    return check_main(s);
}
