/* `invoker learn`: the least matrix that recorded traffic needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/learn.h"
#include "cli/recording.h"

#define COMMAND "learn"

enum { TITLE_MAX = 4096 };

typedef void printer(buf *b, const learned *l, const char *title);

typedef struct settings {
    const char *config, *control, *output;
    bool refused, whole, diff;
    char **files;
} settings;

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, settings *o)
{
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &o->config},
        {"control", 0, CLI_STRING, "ADDRESS", "learn from what the running gateway there remembers",
         &o->control},
        {"output", 'o', CLI_STRING, "FORMAT", "yaml (default), gcloud or terraform", &o->output},
        {"refused", 0, CLI_FLAG, NULL, "learn what was refused and a grant would mend, too",
         &o->refused},
        {"whole", 0, CLI_FLAG, NULL, "print the whole topology, with this matrix", &o->whole},
        {"diff", 0, CLI_FLAG, NULL,
         "only what differs from the topology's matrix; exit status 1 if anything does", &o->diff},
        {0},
    };
    const int status = cli_parse(COMMAND, argc, argv, options, &o->files, NULL);
    if (status >= 0)
        return status;
    if (o->files[0] && o->control)
        return cli_usage_error(COMMAND, "either recordings or --control");
    if (o->diff && (o->whole || o->output))
        return cli_usage_error(COMMAND, "--diff goes with neither --whole nor --output");
    if (o->whole && o->output && strcmp(o->output, "yaml") != 0)
        return cli_usage_error(COMMAND, "--whole goes with --output yaml");
    return -1;
}

static printer *find_printer(const settings *o)
{
    static const struct {
        const char *name;
        printer *print;
    } all[] = {{"yaml", learn_yaml}, {"gcloud", learn_gcloud}, {"terraform", learn_terraform}};
    if (!o->output)
        return o->whole ? learn_whole : learn_yaml;
    for (size_t i = 0; i < countof(all); i++)
        if (strcmp(all[i].name, o->output) == 0)
            return o->whole ? learn_whole : all[i].print;
    return NULL;
}

/* ---- where the calls come from ---- */

static bool read_calls(const settings *o, const char *control, learned *l, buf *title, error *e)
{
    recording r = {.take = learn_take, .ctx = l};
    const bool ok = o->files[0] ? recording_read_files(&r, o->files, e)
                                : recording_read_gateway(&r, control, e);
    if (!o->files[0])
        buf_fmt(title, "the gateway at %s", control);
    for (size_t i = 0; o->files[i]; i++)
        buf_fmt(title, "%s%s", i ? ", " : "",
                strcmp(o->files[i], "-") ? o->files[i] : "standard input");
    if (ok)
        recording_say_gaps(&r, COMMAND);
    return ok;
}

/* ---- all together ---- */

static int print(const learned *l, const settings *o, const char *title)
{
    auto_buf buf b = buf_make(LEARN_TEXT_MAX);
    int status = CLI_OK;
    if (o->diff)
        status = learn_diff(&b, l) ? CLI_FAILED : CLI_OK;
    else
        find_printer(o)(&b, l, title);
    if (buf_ok(&b))
        return cli_print(&b, status);
    error e = {0};
    error_set(&e, ERR_LIMIT, "the matrix is too large");
    return cli_failed(COMMAND, &e);
}

static int learn(const settings *o, const snapshot *s, const char *control)
{
    error e = {0};
    learned l;
    auto_buf buf title = buf_make(TITLE_MAX);
    int status = CLI_USAGE;
    learn_open(&l, s, o->refused);
    if (read_calls(o, control, &l, &title, &e)) {
        learn_finish(&l);
        status = print(&l, o, buf_ok(&title) ? title.p : "many recordings");
    } else {
        fprintf(stderr, "invoker %s: %s\n", COMMAND, e.text);
    }
    learn_close(&l);
    return status;
}

int cmd_learn(int argc, char **argv)
{
    settings o = {0};
    const int status = read_options(argc, argv, &o);
    if (status >= 0)
        return status;
    if (!find_printer(&o))
        return cli_usage_error(COMMAND, "--output is 'yaml', 'gcloud' or 'terraform', not '%s'",
                               o.output);
    snapshot *s = cli_load(cli_config_path(o.config), NULL);
    if (!s)
        return CLI_USAGE;
    bool asked = false;
    auto_free char *control = o.files[0] ? NULL : control_address(o.control, s, &asked);
    if (!o.files[0] && !control) {
        snapshot_unref(s);
        return cli_usage_error(COMMAND, "which recording? FILE, or --control ADDRESS");
    }
    /* With what its APIs granted, too; but with the file's addresses, whichever it has. */
    error e = {0};
    snapshot *all = control ? control_merge(control, s, &e) : snapshot_ref(s);
    snapshot_unref(s);
    if (!all) {
        fprintf(stderr, "invoker %s: %s\n", COMMAND, e.text);
        return CLI_USAGE;
    }
    const int done = learn(&o, all, control);
    snapshot_unref(all);
    return done;
}
