/* Whole files: ceilings, atomic replacement, one winner among racing processes. */
#include "check_main.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/span.h"

static char dir[] = "/tmp/invoker-file-XXXXXX";
static char *path;

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    path = file_join(dir, "x");
}

static void teardown(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(dir), 0); /* nothing temporary was left behind */
    free(path);
}

START_TEST(what_was_replaced_reads_back_with_its_mode)
{
    error e = {0};
    ck_assert(file_replace(path, "first", 5, 0600, &e));
    ck_assert(file_replace(path, "second", 6, 0640, &e));
    size_t n = 0;
    char *text = file_read(path, 100, &n, &e);
    ck_assert_str_eq(text, "second");
    ck_assert_uint_eq(n, 6);
    free(text);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(a_file_above_the_ceiling_is_refused_unread)
{
    error e = {0};
    ck_assert(file_replace(path, "0123456789", 10, 0600, &e));
    ck_assert_ptr_null(file_read(path, 9, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_LIMIT);
    ck_assert_ptr_null(file_read("/dev/zero", 1000, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_LIMIT);
}
END_TEST

START_TEST(missing_files_and_folders_are_told_apart)
{
    error e = {0};
    ck_assert_ptr_null(file_read(path, 9, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
    ck_assert_ptr_null(file_read(dir, 9, NULL, &e));
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert(!file_replace("/proc/none/x", "x", 1, 0600, &e));
}
END_TEST

START_TEST(of_racing_processes_exactly_one_creates_the_file)
{
    enum { RACERS = 8 };
    pid_t racers[RACERS];
    for (int i = 0; i < RACERS; i++) {
        racers[i] = fork();
        if (racers[i] == 0) {
            error e = {0};
            char text[2] = {(char)('a' + i), 0};
            bool won = file_create(path, text, 1, 0600, &e);
            _exit(won ? 0 : e.kind == ERR_EXISTS ? 1 : 2);
        }
    }
    int winners = 0;
    for (int i = 0; i < RACERS; i++) {
        int status;
        ck_assert_int_eq(waitpid(racers[i], &status, 0), racers[i]);
        ck_assert_int_le(WEXITSTATUS(status), 1);
        winners += WEXITSTATUS(status) == 0;
    }
    ck_assert_int_eq(winners, 1);
}
END_TEST

START_TEST(nested_folders_are_made_once)
{
    error e = {0};
    auto_free char *deep = file_join(dir, "a/b");
    ck_assert(file_mkdirs(deep, 0700, &e));
    ck_assert(file_mkdirs(deep, 0700, &e));
    auto_free char *parent = file_dirname(deep);
    ck_assert_int_eq(rmdir(deep), 0);
    ck_assert_int_eq(rmdir(parent), 0);
    ck_assert(file_replace(path, "x", 1, 0600, &e));
    ck_assert(!file_mkdirs(path, 0700, &e));
}
END_TEST

START_TEST(a_secret_that_others_may_touch_is_refused_with_its_cure)
{
    static const struct {
        mode_t mode;
        bool good;
    } rows[] = {{0600, true}, {0400, true}, {0640, false}, {0604, false}, {0610, false}};
    error e = {0};
    ck_assert(!file_check_private(path, &e));
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
    for (size_t i = 0; i < countof(rows); i++) {
        ck_assert(file_replace(path, "x", 1, 0600, &e));
        ck_assert_int_eq(chmod(path, rows[i].mode), 0);
        ck_assert_int_eq(file_check_private(path, &e), rows[i].good);
    }
    ck_assert_int_eq(e.kind, ERR_PERMISSION);
    ck_assert_ptr_nonnull(strstr(e.text, "mend with: chmod 600 /tmp/"));
    ck_assert(!file_check_private(dir, &e));
}
END_TEST

START_TEST(a_folder_has_one_lock_holder_at_a_time)
{
    error e = {0};
    ck_assert_int_lt(file_lock_folder("/no/such/folder", &e), 0);
    ck_assert_int_eq(e.kind, ERR_NOT_FOUND);
    int lock = file_lock_folder(dir, &e);
    ck_assert_int_ge(lock, 0);
    pid_t other = fork();
    if (other == 0)
        _exit(close(lock) == 0 && file_lock_folder(dir, NULL) >= 0 ? 0 : 1);
    int status = -1;
    usleep(50 * 1000);
    ck_assert_int_eq(waitpid(other, &status, WNOHANG), 0); /* still waiting */
    ck_assert_int_eq(close(lock), 0);
    ck_assert_int_eq(waitpid(other, &status, 0), other);
    ck_assert_int_eq(status, 0);
}
END_TEST

static void put_at(const char *name)
{
    auto_free char *at = file_join(dir, name);
    ck_assert(file_replace(at, "x", 1, 0600, NULL));
}

static bool took_away(const char *name)
{
    auto_free char *at = file_join(dir, name);
    return unlink(at) != 0;
}

START_TEST(only_what_a_killed_replacement_left_is_swept)
{
    static const char *const kept[] = {"x.0123456789abcdeg.tmp", "x.0123456789abcde.tmp",
                                       "x.0123456789abcdef.tm_", "y.0123456789abcdef.tmp",
                                       "x-0123456789abcdef.tmp"};
    put_at("x.0123456789abcdef.tmp");
    put_at("x.fedcba9876543210.tmp");
    for (size_t i = 0; i < countof(kept); i++)
        put_at(kept[i]);
    file_sweep(path);
    ck_assert(took_away("x.0123456789abcdef.tmp") && took_away("x.fedcba9876543210.tmp"));
    for (size_t i = 0; i < countof(kept); i++)
        ck_assert_msg(!took_away(kept[i]), "%s", kept[i]);
    file_sweep("/no/such/folder/x");
}
END_TEST

START_TEST(paths_are_joined_and_split)
{
    static const char *const joins[][3] = {
        {"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"/", "b", "/b"}};
    for (size_t i = 0; i < countof(joins); i++) {
        auto_free char *joined = file_join(joins[i][0], joins[i][1]);
        ck_assert_str_eq(joined, joins[i][2]);
    }
    static const char *const parts[][2] = {{"a/b", "a"}, {"b", "."}, {"/b", "/"}, {"a/b/", "a/b"}};
    for (size_t i = 0; i < countof(parts); i++) {
        auto_free char *parent = file_dirname(parts[i][0]);
        ck_assert_str_eq(parent, parts[i][1]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("file");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, what_was_replaced_reads_back_with_its_mode);
    tcase_add_test(c, a_file_above_the_ceiling_is_refused_unread);
    tcase_add_test(c, missing_files_and_folders_are_told_apart);
    tcase_add_test(c, of_racing_processes_exactly_one_creates_the_file);
    tcase_add_test(c, nested_folders_are_made_once);
    tcase_add_test(c, a_secret_that_others_may_touch_is_refused_with_its_cure);
    tcase_add_test(c, a_folder_has_one_lock_holder_at_a_time);
    tcase_add_test(c, only_what_a_killed_replacement_left_is_swept);
    tcase_add_test(c, paths_are_joined_and_split);
    suite_add_tcase(s, c);
    return check_main(s);
}
