/* `invoker check FILE…`: is each of these a topology that could run? */
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"

enum { REPORT_MAX = 64 * 1024 * 1024 };

static const char *plural(size_t n, const char *many)
{
    return n == 1 ? "" : many;
}

static void add_text(buf *out, const char *file, const snapshot *s, const diagnostics *problems)
{
    if (!s) {
        diagnostics_print(problems, out);
        return;
    }
    size_t services = snapshot_service_count(s);
    size_t accounts = snapshot_account_count(s);
    size_t bindings = snapshot_binding_count(s);
    buf_fmt(out, "%s: ok, %zu service%s, %zu account%s, %zu binding%s\n", file, services,
            plural(services, "s"), accounts, plural(accounts, "s"), bindings,
            plural(bindings, "s"));
}

static void add_problem(buf *out, const diagnostic *d)
{
    buf_str(out, "{\"file\":");
    buf_json(out, span_of(d->file));
    buf_fmt(out, ",\"line\":%u,\"column\":%u,\"text\":", d->line, d->column);
    buf_json(out, span_of(d->text));
    buf_char(out, '}');
}

static void add_json(buf *out, const char *file, const snapshot *s, const diagnostics *problems)
{
    buf_str(out, "{\"file\":");
    buf_json(out, span_of(file));
    buf_str(out, s ? ",\"ok\":true" : ",\"ok\":false");
    if (s)
        buf_fmt(out, ",\"services\":%zu,\"accounts\":%zu,\"bindings\":%zu",
                snapshot_service_count(s), snapshot_account_count(s), snapshot_binding_count(s));
    buf_str(out, ",\"problems\":[");
    for (size_t i = 0; i < problems->count; i++) {
        if (i)
            buf_char(out, ',');
        add_problem(out, &problems->items[i]);
    }
    buf_str(out, "]}");
}

static bool check_one(const char *file, bool json, buf *out)
{
    diagnostics problems = {0};
    snapshot *s = topology_load(file, NULL, &problems);
    if (json)
        add_json(out, file, s, &problems);
    else
        add_text(out, file, s, &problems);
    diagnostics_free(&problems);
    bool good = s != NULL;
    snapshot_unref(s);
    return good;
}

static bool check_all(const char *const *files, bool json, buf *out)
{
    bool good = true;
    if (json)
        buf_str(out, "{\"files\":[");
    for (size_t i = 0; files[i]; i++) {
        if (json && i)
            buf_char(out, ',');
        good = check_one(files[i], json, out) && good;
    }
    if (json)
        buf_fmt(out, "],\"ok\":%s}\n", good ? "true" : "false");
    return good;
}

int cmd_check(int argc, char **argv)
{
    const char *output = NULL;
    const cli_option options[] = {
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &output},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse("check", argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    bool json = output && strcmp(output, "json") == 0;
    if (output && !json && strcmp(output, "text") != 0)
        return cli_usage_error("check", "--output is 'text' or 'json', not '%s'", output);
    const char *const usual[] = {cli_config_path(NULL), NULL};
    auto_buf buf out = buf_make(REPORT_MAX);
    bool good = check_all(operands[0] ? (const char *const *)operands : usual, json, &out);
    if (out.n && (fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0))
        return CLI_FAILED;
    return good ? CLI_OK : CLI_FAILED;
}
