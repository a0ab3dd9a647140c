/* --help, printed from the command table and a command's option table. */
#include "cli/cli.h"

#include <string.h>

#include "cli/tell.h"

#pragma weak cli_commands

enum { COLUMN = 28, NAME_COLUMN = 10 };

void cli_print_commands(FILE *out)
{
    fputs("Usage: invoker COMMAND [OPTION]... [OPERAND]...\n"
          "\n"
          "Google's metadata server and Cloud Run's invoker check, on this machine and offline.\n"
          "\n"
          "Commands:\n",
          out);
    for (const cli_command *c = cli_commands; c && c->name; c++) {
        fprintf(out, "  %-*s %s\n", NAME_COLUMN, c->name, c->summary);
    }
    fputs(
        "\n'invoker help COMMAND' explains one. Exit status: 0 done, 1 failed or refused, 2 wrong\n"
        "usage or topology.\n",
        out);
}

static void print_option(FILE *out, char letter, const char *name, const char *value,
                         const char *help)
{
    char left[128];
    int n = letter ? snprintf(left, sizeof left, "-%c, --%s", letter, name)
                   : snprintf(left, sizeof left, "    --%s", name);
    if (value && n > 0 && (size_t)n < sizeof left) {
        snprintf(left + n, sizeof left - (size_t)n, " %s", value);
    }
    fprintf(out, "  %-*s ", COLUMN, left);
    if (strlen(left) > COLUMN) {
        fprintf(out, "\n  %-*s ", COLUMN, "");
    }
    fprintf(out, "%s\n", help);
}

void cli_print_help(FILE *out, const char *command, const cli_option *options)
{
    const cli_command *c = cli_find(command);
    const char *operands = c ? c->operands : "";
    fprintf(out, "Usage: invoker %s [OPTION]...%s%s\n", command, *operands ? " " : "", operands);
    if (c) {
        fputc('\n', out);
        tell_text(&(teller){.out = out}, 0, c->details);
    }
    fprintf(out, "\nOptions:\n");
    for (const cli_option *o = options; o && o->name; o++) {
        print_option(out, o->letter, o->name, o->value, o->help);
    }
    print_option(out, 'h', "help", NULL, "print this text");
}
