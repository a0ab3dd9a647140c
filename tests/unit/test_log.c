/* The log sink: its two forms, and that foreign text cannot forge a line. */
#include "check_main.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/log.h"

static char dir[] = "/tmp/invoker-log-XXXXXX";
static char *path;

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    path = file_join(dir, "log");
}

static void teardown(void)
{
    (void)unlink(path);
    (void)rmdir(dir);
    free(path);
}

static char *written(void)
{
    return file_read(path, 100000, NULL, NULL);
}

START_TEST(json_lines_have_typed_fields)
{
    ck_assert(log_open_file("gateway", LOG_AUTO, path, NULL));
    ck_assert_int_eq(log_current_format(), LOG_JSON);
    log_at(LOG_WARN, "reload refused", LOG_S("file", "a\nb"), LOG_I("problems", -2),
           LOG_B("fatal", false));
    log_at(LOG_DEBUG, "too detailed");
    auto_free char *text = written();
    const char *tail = strstr(text, "Z\",");
    ck_assert_ptr_nonnull(tail);
    ck_assert_str_eq(tail + 3,
                     "\"severity\":\"WARNING\",\"process\":\"gateway\",\"message\":\"reload "
                     "refused\",\"file\":\"a\\nb\",\"problems\":-2,\"fatal\":false}\n");
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(text_lines_quote_what_is_not_a_bare_word)
{
    ck_assert(log_open_file("up", LOG_TEXT, path, NULL));
    log_at(LOG_INFO, "started", LOG_S("name", "backend-api"), LOG_S("text", "two words\n"),
           LOG_S("empty", ""), LOG_I("pid", 7));
    auto_free char *text = written();
    ck_assert_ptr_nonnull(
        strstr(text, " up       info    started name=backend-api text=\"two words\\n\" empty=\"\" "
                     "pid=7\n"));
}
END_TEST

START_TEST(a_finished_line_is_written_as_it_is)
{
    ck_assert(log_open_file("gateway", LOG_JSON, path, NULL));
    log_line(SPAN_LIT("{\"a\":1}"));
    auto_free char *text = written();
    ck_assert_str_eq(text, "{\"a\":1}\n");
}
END_TEST

START_TEST(a_log_file_that_cannot_be_opened_is_an_error)
{
    error e = {0};
    ck_assert(!log_open_file("gateway", LOG_JSON, "/proc/none/log", &e));
    ck_assert_ptr_nonnull(strstr(e.text, "/proc/none/log"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log");
    TCase *c = tcase_create("all");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, json_lines_have_typed_fields);
    tcase_add_test(c, text_lines_quote_what_is_not_a_bare_word);
    tcase_add_test(c, a_finished_line_is_written_as_it_is);
    tcase_add_test(c, a_log_file_that_cannot_be_opened_is_an_error);
    suite_add_tcase(s, c);
    return check_main(s);
}
