/* `invoker export FORMAT`: the topology, with what the APIs changed, as something else. */
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/export.h"
#include "cli/merged.h"

#define COMMAND "export"

enum { TITLE_MAX = 1024 };

typedef void exporter(buf *b, const export_source *x);

static exporter *find_exporter(const char *format)
{
    static const struct {
        const char *name;
        exporter *run;
    } all[] = {{"yaml", export_yaml}, {"gcloud", export_gcloud}, {"terraform", export_terraform}};
    for (size_t i = 0; i < countof(all); i++)
        if (strcmp(all[i].name, format) == 0)
            return all[i].run;
    return NULL;
}

static int print(const merged *m, const char *state_dir, exporter *run)
{
    auto_buf buf title = buf_make(TITLE_MAX), b = buf_make(EXPORT_TEXT_MAX);
    buf_fmt(&title, "From %s", snapshot_project(m->s)->file);
    if (state_dir)
        buf_fmt(&title, ", with what APIs changed since (%s)", state_dir);
    run(&b, &(export_source){m->s, m->base, m->document, buf_ok(&title) ? title.p : NULL});
    if (buf_ok(&b))
        return cli_print(&b, CLI_OK);
    error e = {0};
    error_set(&e, ERR_LIMIT, "the topology is too large");
    return cli_failed(COMMAND, &e);
}

int cmd_export(int argc, char **argv)
{
    const char *config = NULL, *state_dir = NULL;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"state", 0, CLI_STRING, "DIR", "with what the APIs changed, which is kept there",
         &state_dir},
        {0},
    };
    char **operands = NULL;
    const int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (!operands[0])
        return cli_usage_error(COMMAND, "what to export? gcloud, terraform or yaml");
    exporter *run = find_exporter(operands[0]);
    if (!run)
        return cli_usage_error(COMMAND, "'%s' is none of: gcloud, terraform, yaml", operands[0]);
    if (operands[1])
        return cli_usage_error(COMMAND, "unexpected operand '%s'", operands[1]);
    merged m;
    if (!merged_load(COMMAND, cli_config_path(config), state_dir, &m))
        return CLI_USAGE;
    const int printed = print(&m, state_dir, run);
    merged_free(&m);
    return printed;
}
