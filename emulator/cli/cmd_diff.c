/* `invoker diff FILE…`: does production say what the topology says? */
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/diff.h"
#include "cli/merged.h"

#define COMMAND "diff"

enum { TEXT_MAX = 64 * 1024 * 1024 };

static int compare(const snapshot *here, const imported *there)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    differ d = {.here = here, .there = there, .out = &b};
    diff_all(&d);
    return cli_print(&b, d.count ? CLI_FAILED : CLI_OK);
}

int cmd_diff(int argc, char **argv)
{
    const char *config = NULL, *state_dir = NULL;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"state", 0, CLI_STRING, "DIR", "with what the APIs changed, which is kept there",
         &state_dir},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (!operands[0])
        return cli_usage_error(COMMAND, "which files? FILE or NAME=FILE");
    merged m;
    if (!merged_load(COMMAND, cli_config_path(config), state_dir, &m))
        return CLI_USAGE;
    const import_options o = {.topology = m.s};
    imported there;
    status = CLI_USAGE;
    if (import_files(operands, &o, &there))
        status = compare(m.s, &there);
    imported_free(&there);
    merged_free(&m);
    return status;
}
