/* `invoker check`: what it prints on stdout and with which status it ends. */
#include <fcntl.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "topology_fixture.h"

static void set_up(void)
{
    fixture_open();
    put_file("good.yaml", PROJECT "services: { a: {} }\nmatrix: { allUsers: [a] }\n");
    put_file("bad.yaml", PROJECT "regin: x\nservices: { A: {} }\n");
}

/* Runs it with stdout in a file; the caller frees the text. */
static char *run(char *const *argv, int *out_status)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    (void)fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    int fd = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(dup2(fd, STDOUT_FILENO), 0);
    char *copy[16] = {0};
    for (int i = 0; i < argc; i++)
        copy[i] = argv[i];
    *out_status = cmd_check(argc, copy);
    (void)fflush(stdout);
    ck_assert_int_ge(dup2(saved, STDOUT_FILENO), 0);
    (void)close(saved);
    (void)close(fd);
    size_t n;
    return file_read("out", 1 << 20, &n, NULL);
}

#define GOOD_TEXT "good.yaml: ok, 1 service, 1 account, 1 binding\n"
#define BAD_TEXT                                                                                   \
    "bad.yaml:2:1: unknown key 'regin' in the topology; did you mean 'region'?\n"                  \
    "bad.yaml:3:13: 'A' is not a service name: expected at most 49 lower-case letters, digits "    \
    "and hyphens, a letter first, no hyphen last\n"
#define GOOD_JSON                                                                                  \
    "{\"file\":\"good.yaml\",\"ok\":true,\"services\":1,\"accounts\":1,\"bindings\":1,"            \
    "\"problems\":[]}"
#define NONE_JSON                                                                                  \
    "{\"file\":\"none.yaml\",\"ok\":false,\"problems\":[{\"file\":\"none.yaml\",\"line\":1,"       \
    "\"column\":1,\"text\":\"cannot open: No such file or directory\"}]}"

typedef struct row {
    const char *args[6];
    const char *text;
    int status;
} row;

static const row ROWS[] = {
    {{"check", "good.yaml"}, GOOD_TEXT, CLI_OK},
    {{"check", "bad.yaml"}, BAD_TEXT, CLI_FAILED},
    {{"check", "bad.yaml", "good.yaml"}, BAD_TEXT GOOD_TEXT, CLI_FAILED},
    {{"check", "good.yaml", "--output", "json"},
     "{\"files\":[" GOOD_JSON "],\"ok\":true}\n",
     CLI_OK},
    {{"check", "--output=json", "good.yaml", "none.yaml"},
     "{\"files\":[" GOOD_JSON "," NONE_JSON "],\"ok\":false}\n",
     CLI_FAILED},
    {{"check", "--output", "xml", "good.yaml"}, "", CLI_USAGE},
};

START_TEST(each_file_is_reported_and_one_bad_one_fails_the_command)
{
    const row *r = &ROWS[_i];
    char *argv[7] = {0};
    for (size_t i = 0; i < 6 && r->args[i]; i++)
        argv[i] = span_dup(span_of(r->args[i]));
    int status;
    auto_free char *text = run(argv, &status);
    ck_assert_str_eq(text, r->text);
    ck_assert_int_eq(status, r->status);
    for (size_t i = 0; argv[i]; i++)
        free(argv[i]);
}
END_TEST

START_TEST(without_a_file_the_usual_topology_is_checked)
{
    ck_assert_int_eq(setenv("INVOKER_CONFIG", "good.yaml", 1), 0);
    char name[] = "check";
    char *argv[] = {name, NULL};
    int status;
    auto_free char *text = run(argv, &status);
    ck_assert_str_eq(text, GOOD_TEXT);
    ck_assert_int_eq(status, CLI_OK);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("check command");
    TCase *t = tcase_create("output");
    tcase_add_checked_fixture(t, set_up, fixture_close);
    tcase_add_loop_test(t, each_file_is_reported_and_one_bad_one_fails_the_command, 0,
                        countof(ROWS));
    tcase_add_test(t, without_a_file_the_usual_topology_is_checked);
    suite_add_tcase(s, t);
    return check_main(s);
}
