/* Folder of keys, optional topology and times: shared by keys, token and inspect. */
#include "cli/cli_keys.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "jose/keystore.h"

int cli_load_optional(const char *config, snapshot **out_snapshot)
{
    const char *path = cli_config_path(config);
    const char *named = getenv("INVOKER_CONFIG");
    *out_snapshot = NULL;
    if (!config && !(named && *named) && access(path, F_OK) != 0)
        return -1;
    *out_snapshot = cli_load(path, NULL);
    return *out_snapshot ? -1 : CLI_USAGE;
}

char *cli_keys_dir(const char *keys_option, const snapshot *s)
{
    return keystore_default_dir(keys_option, s ? snapshot_project(s)->keys_dir : NULL);
}

int cli_output_json(const char *command, const char *output, bool *out_json)
{
    *out_json = output && strcmp(output, "json") == 0;
    if (!output || *out_json || strcmp(output, "text") == 0)
        return -1;
    return cli_usage_error(command, "--output is 'text' or 'json', not '%s'", output);
}

int cli_print(const buf *text, int status)
{
    const size_t n = text->n;
    if (!buf_ok(text) || (n && fwrite(text->p, 1, n, stdout) != n) || fflush(stdout) != 0)
        return CLI_FAILED;
    return status;
}

void cli_add_time(buf *b, int64_t seconds)
{
    char text[CLOCK_RFC3339_MAX];
    const int64_t last = INT64_C(253402300799); /* the end of year 9999 */
    if (seconds < 0 || seconds > last) {
        buf_fmt(b, "second %lld", (long long)seconds);
        return;
    }
    clock_rfc3339(seconds * 1000000, 0, text);
    buf_str(b, text);
}

static void add_duration(buf *b, uint64_t seconds)
{
    const struct {
        uint64_t size;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    size_t i = 0;
    while (i + 1 < countof(units) && seconds < units[i].size)
        i++;
    buf_fmt(b, "%llu %s", (unsigned long long)(seconds / units[i].size), units[i].name);
    if (i + 2 >= countof(units)) /* seconds matter only below a minute */
        return;
    const uint64_t rest = seconds % units[i].size / units[i + 1].size;
    if (rest)
        buf_fmt(b, " %llu %s", (unsigned long long)rest, units[i + 1].name);
}

void cli_add_distance(buf *b, int64_t seconds, int64_t now_s)
{
    if (seconds == now_s) {
        buf_str(b, "now");
        return;
    }
    const bool past = seconds < now_s;
    if (!past)
        buf_str(b, "in ");
    add_duration(b,
                 past ? (uint64_t)now_s - (uint64_t)seconds : (uint64_t)seconds - (uint64_t)now_s);
    if (past)
        buf_str(b, " ago");
}
