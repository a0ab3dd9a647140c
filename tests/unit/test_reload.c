/* Reloading on a real loop and a real file system: every way in which editors and orchestrators
 * replace files, and that only a valid topology replaces another. */
#include "config/reload.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/log.h"
#include "topology_fixture.h"

enum { DEADLINE_US = 10 * 1000 * 1000 };

/* A topology with as many services as asked for is told apart from the one before by their count.
 */
#define ONE   PROJECT "services: { a: {} }\n"
#define TWO   PROJECT "services: { a: {}, b: {} }\n"
#define THREE PROJECT "services: { a: {}, b: {}, c: {} }\n"
#define BAD   PROJECT "services: { a: {}, B: {} }\nregin: x\n"

typedef struct seen {
    size_t calls, services, bindings;
    char ingress[64];
} seen;

static loop *turns;
static reload *under_test;
static seen last;
static int log_fd;

static void on_snapshot(void *ctx, snapshot *s)
{
    seen *it = ctx;
    it->calls++;
    it->services = snapshot_service_count(s);
    it->bindings = snapshot_binding_count(s);
    (void)snprintf(it->ingress, sizeof it->ingress, "%s", snapshot_project(s)->ingress_listen);
}

static void set_up(void)
{
    fixture_open();
    log_fd = open("log", O_RDWR | O_CREAT | O_APPEND, 0600);
    ck_assert_int_ge(log_fd, 0);
    log_open("test", LOG_JSON, log_fd);
    error e = {0};
    turns = loop_new(&e);
    ck_assert_ptr_nonnull(turns);
    under_test = NULL;
    last = (seen){0};
}

static void tear_down(void)
{
    reload_close(under_test);
    loop_free(turns);
    (void)close(log_fd);
    fixture_close();
}

static void start(const char *path, const char *addresses_path)
{
    const reload_options o = {path, addresses_path, true, on_snapshot, &last};
    diagnostics d = {0};
    under_test = reload_open(turns, &o, &d);
    ck_assert_msg(under_test != NULL, "%s", d.count ? d.items[0].text : "");
    ck_assert_uint_eq(last.calls, 1);
}

/* Turns the loop until done() or the deadline. */
static bool wait_for(bool (*done)(const void *), const void *arg)
{
    int64_t deadline = clock_mono_us() + DEADLINE_US;
    while (!done(arg) && clock_mono_us() < deadline)
        loop_turn(turns, 20000);
    return done(arg);
}

static bool has_services(const void *n)
{
    return last.services == *(const size_t *)n;
}

static bool log_has(const void *text)
{
    size_t n;
    auto_free char *log = file_read("log", 1 << 20, &n, NULL);
    return log && strstr(log, text) != NULL;
}

static void expect_services(size_t n)
{
    ck_assert_msg(wait_for(has_services, &n), "still %zu services, not %zu", last.services, n);
}

/* Writes in place, as `echo > file` does. */
static void overwrite(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(the_first_load_calls_back_before_it_returns)
{
    put_file("t.yaml", TWO);
    start("t.yaml", NULL);
    ck_assert_uint_eq(last.services, 2);
}
END_TEST

START_TEST(a_bad_first_load_fails_with_its_problems)
{
    put_file("t.yaml", BAD);
    const reload_options o = {"t.yaml", NULL, true, on_snapshot, &last};
    diagnostics d = {0};
    ck_assert_ptr_null(reload_open(turns, &o, &d));
    ck_assert_uint_eq(d.count, 2);
    ck_assert_uint_eq(last.calls, 0);
    diagnostics_free(&d);
}
END_TEST

START_TEST(a_file_written_in_place_is_loaded)
{
    put_file("t.yaml", ONE);
    start("t.yaml", NULL);
    overwrite("t.yaml", TWO);
    expect_services(2);
    overwrite("t.yaml", THREE);
    expect_services(3);
}
END_TEST

START_TEST(a_file_replaced_by_renaming_is_loaded)
{
    put_file("t.yaml", ONE);
    start("./t.yaml", NULL);
    put_file("t.yaml", TWO);
    expect_services(2);
    put_file("t.yaml", THREE); /* the new file is watched as the old one was */
    expect_services(3);
}
END_TEST

START_TEST(a_file_moved_away_and_written_anew_is_loaded)
{
    put_file("t.yaml", ONE);
    start("t.yaml", NULL);
    ck_assert_int_eq(rename("t.yaml", "t.yaml~"), 0);
    overwrite("t.yaml", TWO);
    expect_services(2);
}
END_TEST

START_TEST(a_mounted_config_map_is_followed)
{
    ck_assert_int_eq(mkdir("mnt", 0700), 0);
    ck_assert_int_eq(mkdir("mnt/..2026_01", 0700), 0);
    ck_assert_int_eq(mkdir("mnt/..2026_02", 0700), 0);
    put_file("mnt/..2026_01/t.yaml", ONE);
    put_file("mnt/..2026_02/t.yaml", TWO);
    ck_assert_int_eq(symlink("..2026_01", "mnt/..data"), 0);
    ck_assert_int_eq(symlink("..data/t.yaml", "mnt/t.yaml"), 0);
    start("mnt/t.yaml", NULL);
    ck_assert_int_eq(symlink("..2026_02", "mnt/..data_tmp"), 0);
    ck_assert_int_eq(rename("mnt/..data_tmp", "mnt/..data"), 0);
    expect_services(2);
    remove_tree("mnt/..2026_01");
    put_file("mnt/..2026_02/t.yaml", THREE);
    expect_services(3);
}
END_TEST

START_TEST(a_link_to_the_folder_may_be_turned)
{
    ck_assert_int_eq(mkdir("one", 0700), 0);
    ck_assert_int_eq(mkdir("two", 0700), 0);
    put_file("one/t.yaml", ONE);
    put_file("two/t.yaml", TWO);
    ck_assert_int_eq(symlink("one", "current"), 0);
    start("current/t.yaml", NULL);
    ck_assert_int_eq(symlink("two", "next"), 0);
    ck_assert_int_eq(rename("next", "current"), 0);
    expect_services(2);
}
END_TEST

START_TEST(a_folder_that_went_away_is_found_again)
{
    ck_assert_int_eq(mkdir("cfg", 0700), 0);
    put_file("cfg/t.yaml", ONE);
    start("cfg/t.yaml", NULL);
    ck_assert_int_eq(rename("cfg", "gone"), 0);
    ck_assert(wait_for(log_has, "cannot open"));
    ck_assert_uint_eq(last.calls, 1);
    ck_assert_int_eq(mkdir("new", 0700), 0);
    put_file("new/t.yaml", TWO);
    ck_assert_int_eq(rename("new", "cfg"), 0);
    expect_services(2);
}
END_TEST

START_TEST(a_bad_file_is_logged_and_the_last_good_one_stays)
{
    put_file("t.yaml", ONE);
    start("t.yaml", NULL);
    put_file("t.yaml", BAD);
    ck_assert(wait_for(log_has, "the last good one stays in force"));
    ck_assert(log_has("unknown key 'regin' in the topology; did you mean 'region'?"));
    ck_assert(log_has("'B' is not a service name"));
    ck_assert(log_has("\"problems\":2"));
    ck_assert_uint_eq(last.calls, 1);
    put_file("t.yaml", TWO);
    expect_services(2);
}
END_TEST

START_TEST(includes_are_watched_also_new_ones_and_those_of_a_bad_file)
{
    put_file("t.yaml", PROJECT "include: [a.yaml]\n");
    put_file("a.yaml", "services: { a: {} }\n");
    start("t.yaml", NULL);
    overwrite("a.yaml", "services: { a: {}, b: {} }\n");
    expect_services(2);
    ck_assert_int_eq(mkdir("sub", 0700), 0);
    put_file("sub/b.yaml", "services: { B: {} }\n");
    put_file("t.yaml", PROJECT "include: [a.yaml, sub/b.yaml]\n");
    ck_assert(wait_for(log_has, "'B' is not a service name"));
    put_file("sub/b.yaml", "services: { c: {} }\n");
    expect_services(3);
}
END_TEST

START_TEST(the_overlay_is_read_again_too)
{
    put_file("t.yaml", ONE);
    put_file("o", "- ingress 127.0.0.1:30000\n");
    start("t.yaml", "o");
    ck_assert_str_eq(last.ingress, "127.0.0.1:30000");
    put_file("t.yaml", TWO);
    expect_services(2);
    ck_assert_str_eq(last.ingress, "127.0.0.1:30000");
    put_file("o", "- ingress nowhere\n");
    ck_assert(wait_for(log_has, "is not an address"));
    put_file("o", "- ingress 127.0.0.1:30001\n");
    put_file("t.yaml", THREE);
    expect_services(3);
    ck_assert_str_eq(last.ingress, "127.0.0.1:30001");
}
END_TEST

START_TEST(reload_now_says_whether_it_was_taken)
{
    put_file("t.yaml", ONE);
    const reload_options o = {"t.yaml", NULL, false, on_snapshot, &last};
    diagnostics d = {0};
    under_test = reload_open(turns, &o, &d);
    ck_assert_ptr_nonnull(under_test);
    put_file("t.yaml", TWO);
    loop_turn(turns, 0);
    ck_assert_uint_eq(last.calls, 1); /* nobody watches */
    ck_assert(reload_now(under_test));
    ck_assert_uint_eq(last.services, 2);
    put_file("t.yaml", BAD);
    ck_assert(!reload_now(under_test));
    ck_assert_uint_eq(last.calls, 2);
}
END_TEST

START_TEST(a_burst_of_events_is_one_load)
{
    put_file("t.yaml", ONE);
    start("t.yaml", NULL);
    for (int i = 0; i < 20; i++) {
        overwrite("t.yaml", TWO);
        loop_turn(turns, 0);
    }
    overwrite("t.yaml", THREE);
    expect_services(3);
    ck_assert_uint_le(last.calls, 3); /* first, perhaps one in a slow burst, last */
}
END_TEST

START_TEST(other_files_of_the_folder_are_no_reason_to_load)
{
    put_file("t.yaml", ONE);
    start("t.yaml", NULL);
    put_file("other.yaml", TWO);
    overwrite("t.yam", TWO);
    put_file("t.yaml", THREE);
    expect_services(3);
    ck_assert_uint_eq(last.calls, 2);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("reload");
    TCase *t = tcase_create("files");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, the_first_load_calls_back_before_it_returns);
    tcase_add_test(t, a_bad_first_load_fails_with_its_problems);
    tcase_add_test(t, a_file_written_in_place_is_loaded);
    tcase_add_test(t, a_file_replaced_by_renaming_is_loaded);
    tcase_add_test(t, a_file_moved_away_and_written_anew_is_loaded);
    tcase_add_test(t, a_mounted_config_map_is_followed);
    tcase_add_test(t, a_link_to_the_folder_may_be_turned);
    tcase_add_test(t, a_folder_that_went_away_is_found_again);
    tcase_add_test(t, a_bad_file_is_logged_and_the_last_good_one_stays);
    tcase_add_test(t, includes_are_watched_also_new_ones_and_those_of_a_bad_file);
    tcase_add_test(t, the_overlay_is_read_again_too);
    tcase_add_test(t, reload_now_says_whether_it_was_taken);
    tcase_add_test(t, a_burst_of_events_is_one_load);
    tcase_add_test(t, other_files_of_the_folder_are_no_reason_to_load);
    suite_add_tcase(s, t);
    return check_main(s);
}
