/* Statements of each shell, with values that would do harm unquoted. */
#include "check_main.h"

#include <stdio.h>
#include <string.h>

#include "cli/env_shell.h"

enum { TEXT_MAX = 65536 };

typedef struct row {
    env_shell shell;
    const char *value; /* NULL: must not be set */
    const char *lines; /* NULL: refused */
} row;

static const row rows[] = {
    {ENV_SH, "a b", "# note\nexport X='a b'\n"},
    {ENV_SH, "it's $(x) `y` \\ \"", "# note\nexport X='it'\\''s $(x) `y` \\ \"'\n"},
    {ENV_SH, "", "# note\nexport X=''\n"},
    {ENV_SH, "two\nlines", "# note\nexport X='two\nlines'\n"},
    {ENV_SH, NULL, "# note\nunset X\n"},
    {ENV_FISH, "it's \\ $x", "# note\nset -gx X 'it\\'s \\\\ $x'\n"},
    {ENV_FISH, NULL, "# note\nset -e X\n"},
    {ENV_POWERSHELL, "it's $x", "# note\n$env:X = 'it''s $x'\n"},
    {ENV_POWERSHELL, "\xE2\x80\x99", "# note\n$env:X = '\xE2\x80\x99\xE2\x80\x99'\n"},
    {ENV_POWERSHELL, "\xE2\x80\x9D\xE2\x80", "# note\n$env:X = '\xE2\x80\x9D\xE2\x80'\n"},
    {ENV_POWERSHELL, NULL, "# note\nRemove-Item Env:X -ErrorAction SilentlyContinue\n"},
    {ENV_CMD, "100% & more", "REM note\nset \"X=100%% & more\"\n"},
    {ENV_CMD, NULL, "REM note\nset \"X=\"\n"},
    {ENV_CMD, "a\"b", NULL},
    {ENV_CMD, "a\nb", NULL},
    {ENV_DOTENV, "http://127.0.0.1:8082", "# note\nX=http://127.0.0.1:8082\n"},
    {ENV_DOTENV, "a \"b\" $c \\\n", "# note\nX=\"a \\\"b\\\" \\$c \\\\\\n\"\n"},
    {ENV_DOTENV, "", "# note\nX=\"\"\n"},
    {ENV_DOTENV, NULL, "# note\n# X must not be set\n"},
    {ENV_JSON, "a\"b", "{\"X\": \"a\\\"b\"}\n"},
    {ENV_JSON, NULL, "{\"X\": null}\n"},
};

START_TEST(each_shell_gets_its_own_quoting)
{
    const row *r = &rows[_i];
    char value[64] = "";
    if (r->value)
        (void)snprintf(value, sizeof value, "%s", r->value);
    service_var v = {.name = "X", .value = r->value ? value : NULL, .note = "note"};
    buf b = buf_make(TEXT_MAX);
    error e = {0};
    ck_assert_int_eq(env_shell_write(&b, r->shell, &(service_vars){.items = &v, .count = 1}, &e),
                     r->lines != NULL);
    if (r->lines)
        ck_assert_str_eq(b.p, r->lines);
    else
        ck_assert_msg(strstr(e.text, "of X cannot be written") != NULL, "%s", e.text);
    buf_free(&b);
}
END_TEST

START_TEST(a_name_that_is_no_identifier_never_reaches_a_shell)
{
    static const char *const names[] = {"A B", "A;x", "", "1A", "A-B", "$(x)"};
    char value[] = "v";
    for (size_t i = 0; i < countof(names); i++) {
        service_var v = {.name = names[i], .value = value};
        buf b = buf_make(TEXT_MAX);
        error e = {0};
        ck_assert(!env_shell_write(&b, ENV_SH, &(service_vars){.items = &v, .count = 1}, &e));
        buf_free(&b);
    }
}
END_TEST

START_TEST(shells_are_known_by_all_their_names)
{
    env_shell shell = ENV_JSON;
    ck_assert(env_shell_parse(SPAN_LIT("zsh"), &shell) && shell == ENV_SH);
    ck_assert(env_shell_parse(SPAN_LIT("pwsh"), &shell) && shell == ENV_POWERSHELL);
    ck_assert(!env_shell_parse(SPAN_LIT("tcsh"), &shell));
    ck_assert_int_eq(shell, ENV_POWERSHELL);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("env_shell");
    TCase *t = tcase_create("quoting");
    tcase_add_loop_test(t, each_shell_gets_its_own_quoting, 0, (int)countof(rows));
    tcase_add_test(t, a_name_that_is_no_identifier_never_reaches_a_shell);
    tcase_add_test(t, shells_are_known_by_all_their_names);
    suite_add_tcase(s, t);
    return check_main(s);
}
