/* The command table's users: finding a command, running it, and what every command needs of the
 * topology and of the log sink. */
#include "cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/log.h"

/* A unit test that links one command has no table: the symbol is then NULL. */
#pragma weak cli_commands

enum { COMMANDS_MAX = 64, DIAGNOSTICS_TEXT_MAX = 1024 * 1024 };

static const cli_command *table(void)
{
    static const cli_command none = {0};
    return cli_commands ? cli_commands : &none;
}

const cli_command *cli_find(const char *name)
{
    for (const cli_command *c = table(); c->name; c++) {
        if (strcmp(c->name, name) == 0) {
            return c;
        }
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMANDS_MAX + 1] = {0};
    size_t n = 0;
    for (const cli_command *c = table(); c->name && n < COMMANDS_MAX; c++) {
        names[n++] = c->name;
    }
    const char *near = did_you_mean(span_of(name), names);
    fprintf(stderr, "invoker: unknown command '%s'", name);
    if (near) {
        fprintf(stderr, "; did you mean '%s'?", near);
    }
    fprintf(stderr, "\nTry 'invoker help'.\n");
    return CLI_USAGE;
}

int cli_main(int argc, char **argv)
{
    if (argc < 2) {
        cli_print_commands(stderr);
        return CLI_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    const cli_command *c = cli_find(name);
    if (!c) {
        return unknown_command(name);
    }
    return c->run(argc - 1, argv + 1);
}

int cli_usage_error(const char *command, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    fprintf(stderr, "invoker %s: ", command);
    vfprintf(stderr, fmt, args);
    fprintf(stderr, "\nTry 'invoker %s --help'.\n", command);
    va_end(args);
    return CLI_USAGE;
}

int cli_failed(const char *command, const error *e)
{
    fprintf(stderr, "invoker %s: %s\n", command, e->text);
    return CLI_FAILED;
}

const char *cli_config_path(const char *option)
{
    if (option) {
        return option;
    }
    const char *variable = getenv("INVOKER_CONFIG");
    if (variable && *variable) {
        return variable;
    }
    return access("invoker.yaml", F_OK) == 0 ? "invoker.yaml" : "policies/tutorial.yaml";
}

static void print_problems(const diagnostics *d)
{
    auto_buf buf text = buf_make(DIAGNOSTICS_TEXT_MAX);
    diagnostics_print(d, &text);
    fwrite(text.p ? text.p : "", 1, text.n, stderr);
}

snapshot *cli_load(const char *config_path, const char *addresses_path)
{
    error e = {0};
    addresses *over = NULL;
    if (addresses_path && !(over = addresses_read(addresses_path, &e))) {
        fprintf(stderr, "invoker: %s\n", e.text);
        return NULL;
    }
    diagnostics problems = {0};
    snapshot *s = topology_load(config_path, over, &problems);
    if (!s) {
        print_problems(&problems);
    }
    diagnostics_free(&problems);
    addresses_free(over);
    return s;
}

bool cli_open_log(const char *process, const char *format, const char *file, error *e)
{
    log_format f = LOG_AUTO;
    if (format && strcmp(format, "text") == 0) {
        f = LOG_TEXT;
    } else if (format && strcmp(format, "json") == 0) {
        f = LOG_JSON;
    } else if (format) {
        return error_set(e, ERR_INVALID, "--log-format is 'text' or 'json', not '%s'", format);
    }
    if (file) {
        return log_open_file(process, f, file, e);
    }
    log_open(process, f, STDERR_FILENO);
    return true;
}

bool cli_colour(FILE *out)
{
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && *no_color) && isatty(fileno(out)) == 1;
}
