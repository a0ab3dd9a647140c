/* `invoker help [CMD]`: the list of commands, or what `invoker CMD --help` prints. */
#include "cli/cli.h"
#include "cli/commands.h"

int cmd_help(int argc, char **argv)
{
    static const cli_option options[] = {{0}};
    char **operands = NULL;
    int status = cli_parse("help", argc, argv, options, &operands, NULL);
    if (status >= 0) {
        return status;
    }
    if (!operands[0]) {
        cli_print_commands(stdout);
        return CLI_OK;
    }
    if (operands[1]) {
        return cli_usage_error("help", "one command at a time, '%s' is too many", operands[1]);
    }
    const cli_command *c = cli_find(operands[0]);
    if (!c) {
        char *again[] = {argv[0], operands[0], NULL};
        return cli_main(2, again); /* says what is near */
    }
    char help[] = "--help";
    char *arguments[] = {operands[0], help, NULL};
    return c->run(2, arguments);
}
