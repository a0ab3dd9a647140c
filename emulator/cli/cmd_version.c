/* `invoker version`: which build this is. */
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

int cmd_version(int argc, char **argv)
{
    const char *output = NULL;
    const cli_option options[] = {
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &output},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse("version", argc, argv, options, &operands, NULL);
    if (status >= 0) {
        return status;
    }
    if (operands[0]) {
        return cli_usage_error("version", "unexpected operand '%s'", operands[0]);
    }
    if (!output || strcmp(output, "text") == 0) {
        printf("invoker %s\n", CLI_VERSION);
    } else if (strcmp(output, "json") == 0) {
        printf("{\"name\":\"invoker\",\"version\":\"%s\"}\n", CLI_VERSION);
    } else {
        return cli_usage_error("version", "--output is 'text' or 'json', not '%s'", output);
    }
    return CLI_OK;
}
