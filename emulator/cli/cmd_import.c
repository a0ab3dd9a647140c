/* `invoker import FILE…`: what gcloud prints of a project in production as a topology. */
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/export.h"
#include "cli/import.h"
#include "config/values.h"

#define COMMAND "import"

enum { TITLE_MAX = 4096, FILE_MODE = 0644 };

static void put_title(buf *b, char *const *operands)
{
    buf_str(b, "Imported from");
    for (size_t i = 0; operands[i]; i++)
        buf_fmt(b, " %.200s", operands[i]);
}

/* An existing file is somebody's work: never overwritten. */
static int write_file(const char *path, const buf *text)
{
    error e = {0};
    if (file_create(path, text->p, text->n, FILE_MODE, &e))
        return CLI_OK;
    return cli_failed(COMMAND, &e);
}

static int print(const imported *m, char *const *operands, const char *output)
{
    auto_buf buf title = buf_make(TITLE_MAX), b = buf_make(EXPORT_TEXT_MAX);
    put_title(&title, operands);
    export_yaml(&b, &(export_source){.s = m->s, .title = buf_ok(&title) ? title.p : "Imported"});
    (void)fwrite(m->left_out.p ? m->left_out.p : "", 1, m->left_out.n, stderr);
    if (buf_ok(&b))
        return output ? write_file(output, &b) : cli_print(&b, CLI_OK);
    error e = {0};
    error_set(&e, ERR_LIMIT, "the topology is too large");
    return cli_failed(COMMAND, &e);
}

int cmd_import(int argc, char **argv)
{
    const char *output = NULL;
    import_options o = {0};
    const cli_option options[] = {
        {"output", 'o', CLI_STRING, "FILE",
         "write there, not to standard output; never over a file", &output},
        {"project", 0, CLI_STRING, "ID", "the project, where the files do not tell", &o.project_id},
        {"region", 0, CLI_STRING, "REGION", "the region, where the files do not tell", &o.region},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (!operands[0])
        return cli_usage_error(COMMAND, "which files? FILE or NAME=FILE");
    if (o.project_id && !value_is_project_id(span_of(o.project_id)))
        return cli_usage_error(COMMAND, "--project: '%s' is not a project ID", o.project_id);
    if (o.region && !value_is_region(span_of(o.region)))
        return cli_usage_error(COMMAND, "--region: '%s' is not a region", o.region);
    imported m;
    status = CLI_USAGE;
    if (import_files(operands, &o, &m))
        status = print(&m, operands, output);
    imported_free(&m);
    return status;
}
