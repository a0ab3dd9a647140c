/* Options from a table: every way to write one, and every way to get one wrong. */
#include "check_main.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

enum { WORDS_MAX = 12 };

typedef struct row {
    const char *words[WORDS_MAX];
    int status; /* -1: parsed */
    bool flag;
    const char *text;
    int64_t number;
    const char *operands[4], *rest[4];
    bool has_rest;
} row;

static const row rows[] = {
    {.words = {"c"}, .status = -1},
    {.words = {"c", "--flag"}, .status = -1, .flag = true},
    {.words = {"c", "-f"}, .status = -1, .flag = true},
    {.words = {"c", "--text", "a"}, .status = -1, .text = "a"},
    {.words = {"c", "--text=a=b"}, .status = -1, .text = "a=b"},
    {.words = {"c", "--text="}, .status = -1, .text = ""},
    {.words = {"c", "-t", "a"}, .status = -1, .text = "a"},
    {.words = {"c", "-ta"}, .status = -1, .text = "a"},
    {.words = {"c", "-fta"}, .status = -1, .flag = true, .text = "a"},
    {.words = {"c", "-ft", "-f"}, .status = -1, .flag = true, .text = "-f"},
    {.words = {"c", "--text", "a", "--text", "b"}, .status = -1, .text = "b"},
    {.words = {"c", "--number", "-5"}, .status = -1, .number = -5},
    {.words = {"c", "--number=9223372036854775807"}, .status = -1, .number = INT64_MAX},
    {.words = {"c", "--number=9223372036854775808"}, .status = 2},
    {.words = {"c", "--number="}, .status = 2},
    {.words = {"c", "--number=-"}, .status = 2},
    {.words = {"c", "--number= 1"}, .status = 2},
    {.words = {"c", "--number=0x10"}, .status = 2},
    {.words = {"c", "a", "--flag", "b"}, .status = -1, .flag = true, .operands = {"a", "b"}},
    {.words = {"c", "-"}, .status = -1, .operands = {"-"}},
    {.words = {"c", "a", "--", "--flag", "x"},
     .status = -1,
     .operands = {"a"},
     .rest = {"--flag", "x"},
     .has_rest = true},
    {.words = {"c", "--"}, .status = -1, .has_rest = true},
    {.words = {"c", "--", "--"}, .status = -1, .rest = {"--"}, .has_rest = true},
    {.words = {"c", "--text"}, .status = 2},
    {.words = {"c", "-t"}, .status = 2},
    {.words = {"c", "--text", "--", "a"}, .status = 2},
    {.words = {"c", "--flag=1"}, .status = 2},
    {.words = {"c", "--flg"}, .status = 2},
    {.words = {"c", "-x"}, .status = 2},
    {.words = {"c", "-fx"}, .status = 2},
    {.words = {"c", "--help"}, .status = 0},
    {.words = {"c", "-h"}, .status = 0},
    {.words = {"c", "-fh"}, .status = 0},
    {.words = {"c", "--help=1"}, .status = 2},
};

typedef struct parsed {
    bool flag;
    const char *text;
    int64_t number;
    char **operands, **rest;
} parsed;

static size_t to_argv(const row *r, char *argv[WORDS_MAX + 1])
{
    size_t n = 0;
    for (; n < WORDS_MAX && r->words[n]; n++)
        argv[n] = strdup(r->words[n]);
    argv[n] = NULL;
    return n;
}

static int parse(size_t argc, char **argv, parsed *p, bool with_rest)
{
    const cli_option options[] = {
        {"flag", 'f', CLI_FLAG, NULL, "a flag", &p->flag},
        {"text", 't', CLI_STRING, "TEXT", "a text", &p->text},
        {"number", 0, CLI_INT, "N", "a number", &p->number},
        {0},
    };
    return cli_parse("c", (int)argc, argv, options, &p->operands, with_rest ? &p->rest : NULL);
}

static void check_list(char **got, const char *const *wanted)
{
    size_t n = 0;
    for (; wanted[n]; n++)
        ck_assert_str_eq(got[n], wanted[n]);
    ck_assert_ptr_null(got[n]);
}

START_TEST(options_are_parsed_as_gnu_programs_do)
{
    const row *r = &rows[_i];
    char *argv[WORDS_MAX + 1];
    char *kept[WORDS_MAX + 1];
    size_t argc = to_argv(r, argv);
    memcpy(kept, argv, sizeof kept);
    parsed p = {0};
    ck_assert_int_eq(parse(argc, argv, &p, true), r->status);
    if (r->status == -1) {
        ck_assert_int_eq(p.flag, r->flag);
        ck_assert_int_eq(p.number, r->number);
        ck_assert_int_eq(p.text == NULL, r->text == NULL);
        if (r->text)
            ck_assert_str_eq(p.text, r->text);
        check_list(p.operands, r->operands);
        ck_assert_int_eq(p.rest != NULL, r->has_rest);
        if (p.rest)
            check_list(p.rest, r->rest);
    }
    for (size_t i = 0; i < argc; i++)
        free(kept[i]);
}
END_TEST

START_TEST(words_behind_the_separator_are_operands_where_no_rest_is_asked_for)
{
    char c[] = "c", a[] = "a", dashes[] = "--", flag[] = "--flag";
    char *argv[] = {c, a, dashes, flag, NULL};
    parsed p = {0};
    ck_assert_int_eq(parse(4, argv, &p, false), -1);
    ck_assert(!p.flag);
    ck_assert_str_eq(p.operands[0], "a");
    ck_assert_str_eq(p.operands[1], "--flag");
    ck_assert_ptr_null(p.operands[2]);
}
END_TEST

START_TEST(a_program_without_a_table_has_no_commands)
{
    ck_assert_ptr_null(cli_find("up"));
    char program[] = "invoker", up[] = "up";
    char *argv[] = {program, up, NULL};
    ck_assert_int_eq(cli_main(2, argv), CLI_USAGE);
}
END_TEST

START_TEST(the_topology_is_the_option_then_the_variable_then_a_file_here)
{
    char folder[] = "/tmp/invoker-cli-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(unsetenv("INVOKER_CONFIG"), 0);
    ck_assert_str_eq(cli_config_path(NULL), "policies/tutorial.yaml");
    int fd = open("invoker.yaml", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_str_eq(cli_config_path(NULL), "invoker.yaml");
    ck_assert_int_eq(setenv("INVOKER_CONFIG", "b.yaml", 1), 0);
    ck_assert_str_eq(cli_config_path(NULL), "b.yaml");
    ck_assert_str_eq(cli_config_path("a.yaml"), "a.yaml");
    ck_assert_int_eq(unlink("invoker.yaml"), 0);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

/* What is printed is the integration tests' business. */
static void hush(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(dup2(null, STDOUT_FILENO), STDOUT_FILENO);
    ck_assert_int_eq(dup2(null, STDERR_FILENO), STDERR_FILENO);
    (void)close(null);
}

int main(void)
{
    Suite *s = suite_create("cli");
    TCase *t = tcase_create("options");
    tcase_add_checked_fixture(t, hush, NULL);
    tcase_add_loop_test(t, options_are_parsed_as_gnu_programs_do, 0, (int)countof(rows));
    tcase_add_test(t, words_behind_the_separator_are_operands_where_no_rest_is_asked_for);
    tcase_add_test(t, a_program_without_a_table_has_no_commands);
    tcase_add_test(t, the_topology_is_the_option_then_the_variable_then_a_file_here);
    suite_add_tcase(s, t);
    return check_main(s);
}
