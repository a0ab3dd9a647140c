/* `invoker metadata`: the metadata server, in the foreground. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "metadata/process.h"

int cmd_metadata(int argc, char **argv)
{
    metadata_options o = {.watch = true, .ready_fd = -1};
    const char *config = NULL;
    const char *log_format = NULL;
    const char *log_file = NULL;
    bool no_watch = false;
    int64_t ready_fd = -1;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"addresses", 0, CLI_STRING, "FILE", "addresses that take the place of the topology's",
         &o.addresses_path},
        {"state", 0, CLI_STRING, "DIR", "the gateway's --state folder, to learn what APIs change",
         &o.state_dir},
        {"no-watch", 0, CLI_FLAG, NULL, "reload on SIGHUP only", &no_watch},
        {"as", 0, CLI_STRING, "SERVICE", "answer every caller as this service (sidecar)",
         &o.as_service},
        {"listen", 0, CLI_STRING, "ADDRESS", "listen here, and nowhere else", &o.listen},
        {"hosts", 0, CLI_STRING, "NAMES",
         "more host names, comma-separated, that callers may use for this server", &o.hosts},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys", &o.keys_dir},
        {"ready-fd", 0, CLI_INT, "N", "write \"ready\" to this descriptor when it answers",
         &ready_fd},
        {"log-format", 0, CLI_STRING, "FORMAT", "text or json", &log_format},
        {"log-file", 0, CLI_STRING, "FILE", "log there instead of standard error", &log_file},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse("metadata", argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (operands[0])
        return cli_usage_error("metadata", "unexpected operand '%s'", operands[0]);
    if (ready_fd > INT32_MAX)
        return cli_usage_error("metadata", "--ready-fd is not a descriptor");
    error e = {0};
    if (!cli_open_log("metadata", log_format, log_file, &e))
        return e.kind == ERR_INVALID ? cli_usage_error("metadata", "%s", e.text)
                                     : cli_failed("metadata", &e);
    o.config_path = cli_config_path(config);
    o.watch = !no_watch;
    o.ready_fd = (int)ready_fd;
    return metadata_run(&o);
}
