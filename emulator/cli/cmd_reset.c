/* `invoker reset`: the running gateway back to the topology as it was loaded. */
#include <stdlib.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/control_client.h"

#define COMMAND "reset"

static int reset(const char *control, bool quiet)
{
    error e = {0};
    control_reply reply = {0};
    if (!control_call(control, "POST", "/reset", NULL, &reply, &e))
        return cli_failed(COMMAND, &e);
    const bool done = reply.status == 200;
    if (done && !quiet)
        printf("The topology is as it was loaded; nothing is recorded any more.\n");
    else if (!done)
        error_set(&e, ERR_INVALID, "the gateway answered %u: %.200s", reply.status, reply.body);
    free(reply.body);
    return done ? CLI_OK : cli_failed(COMMAND, &e);
}

int cmd_reset(int argc, char **argv)
{
    const char *config = NULL, *control_option = NULL;
    bool quiet = false;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology: its control listener is asked", &config},
        {"control", 0, CLI_STRING, "ADDRESS", "ask this one", &control_option},
        {"quiet", 'q', CLI_FLAG, NULL, "say nothing when it is done", &quiet},
        {0},
    };
    char **operands = NULL;
    const int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (operands[0])
        return cli_usage_error(COMMAND, "unexpected operand '%s'", operands[0]);
    auto_free char *control = control_required(COMMAND, control_option, config);
    return control ? reset(control, quiet) : CLI_USAGE;
}
