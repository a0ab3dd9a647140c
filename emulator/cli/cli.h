/* What all commands share: the command table, options from a table, --help printed from it. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "base/build.h"
#include "base/error.h"
#include "config/topology.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

typedef enum cli_kind {
    CLI_FLAG,   /* out: bool * */
    CLI_STRING, /* out: const char ** (a view of argv) */
    CLI_INT     /* out: int64_t *, decimal */
} cli_kind;

typedef struct cli_option {
    const char *name; /* "config"; NULL ends a table */
    char letter;      /* 'c', or 0 */
    cli_kind kind;
    const char *value; /* "FILE", NULL for flags */
    const char *help;
    void *out;
} cli_option;

typedef struct cli_command {
    const char *name;
    const char *operands;              /* "SERVICE -- CMD…", "" for none */
    const char *summary;               /* one line for `invoker help` */
    const char *details;               /* paragraphs for `invoker help NAME`, each a line */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; returns the exit status */
} cli_command;

/* What `up` hands on to `gateway`. */
#define CLI_DECISION_HEADER_HELP "answers have X-Invoker-Decision: ID REASON, for 'invoker why ID'"

#define CLI_VERSION BUILD_VERSION

/* The table of main.c, ended by a NULL name. Programs without one (unit tests) have no commands. */
extern const cli_command cli_commands[];
const cli_command *cli_find(const char *name);

/* Runs the command that argv[1] names; returns the process' exit status. */
int cli_main(int argc, char **argv);

/* "Usage: invoker COMMAND …" with what the table and the options say, on out. */
void cli_print_help(FILE *out, const char *command, const cli_option *options);
/* The list of commands. */
void cli_print_commands(FILE *out);

/* Parses GNU long options of the named command. Operands stay in argv order: *out_operands points
 * to a NULL-terminated list inside argv. What stands behind "--" is never an option; *out_rest
 * (nullable) points behind it, or is NULL when there is none. Returns -1 to go on, else the exit
 * status: 0 after --help, 2 after a usage error that was printed with did-you-mean. */
int cli_parse(const char *command, int argc, char **argv, const cli_option *options,
              char ***out_operands, char ***out_rest);

/* Prints "invoker COMMAND: text" and how to get help on stderr; returns CLI_USAGE. */
int cli_usage_error(const char *command, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Prints "invoker COMMAND: text" on stderr; returns CLI_FAILED. */
int cli_failed(const char *command, const error *e);

/* The topology to use: the option's value, else $INVOKER_CONFIG, else ./invoker.yaml, else
 * ./policies/tutorial.yaml. Never NULL. */
const char *cli_config_path(const char *option);

/* Loads it; prints the problems on stderr and returns NULL when there are any. addresses_path may
 * be NULL. */
snapshot *cli_load(const char *config_path, const char *addresses_path);

/* Opens the log sink as --log-format (text|json|NULL) and --log-file (NULL) say. */
bool cli_open_log(const char *process, const char *format, const char *file, error *e);

/* Colour on this stream: a terminal, and NO_COLOR is not set. */
bool cli_colour(FILE *out);

#endif
