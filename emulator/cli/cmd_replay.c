/* `invoker replay`: which recorded calls would have another outcome under another topology? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/recording.h"
#include "cli/replay.h"

#define COMMAND "replay"

typedef struct settings {
    const char *config, *control, *output, *at;
    bool reasons, now, json;
    int64_t at_us;
    char **files;
} settings;

static int read_time(settings *o)
{
    if (o->at && o->now)
        return cli_usage_error(COMMAND, "either --now or --at");
    o->at_us = clock_wall_us();
    if (o->at && !clock_parse_rfc3339(span_of(o->at), &o->at_us))
        return cli_usage_error(COMMAND, "--at wants a time such as 2030-01-01T00:00:00Z, not '%s'",
                               o->at);
    return -1;
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, settings *o)
{
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology to decide by", &o->config},
        {"control", 0, CLI_STRING, "ADDRESS",
         "the calls that the running gateway there remembers, in place of recordings", &o->control},
        {"reasons", 0, CLI_FLAG, NULL, "list also what is refused or allowed for another reason",
         &o->reasons},
        {"now", 0, CLI_FLAG, NULL, "as if the calls were made now, with tokens as old as they were",
         &o->now},
        {"at", 0, CLI_STRING, "TIME", "the same at another time: 2030-01-01T00:00:00Z", &o->at},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &o->output},
        {0},
    };
    int status = cli_parse(COMMAND, argc, argv, options, &o->files, NULL);
    if (status < 0)
        status = cli_output_json(COMMAND, o->output, &o->json);
    if (status < 0)
        status = read_time(o);
    if (status >= 0)
        return status;
    if (o->files[0] && o->control)
        return cli_usage_error(COMMAND, "either recordings or --control");
    return -1;
}

static int print(const replay *p, const settings *o)
{
    auto_buf buf b = buf_make(REPLAY_TEXT_MAX);
    if (o->json)
        replay_json(&b, p);
    else
        replay_text(&b, p, cli_colour(stdout));
    if (buf_ok(&b))
        return cli_print(&b, replay_differs(p) ? CLI_FAILED : CLI_OK);
    fprintf(stderr, "invoker %s: there is too much to tell\n", COMMAND);
    return CLI_USAGE;
}

static int run(const settings *o, const snapshot *s, const char *control)
{
    error e = {0};
    replay p;
    int status = CLI_USAGE;
    replay_open(&p, s);
    p.reasons = o->reasons;
    p.shifted = o->now || o->at;
    p.at_us = o->at_us;
    recording r = {.look = replay_look, .take = replay_take, .ctx = &p};
    if (control ? recording_read_gateway(&r, control, &e)
                : recording_read_files(&r, o->files, &e)) {
        recording_say_gaps(&r, COMMAND);
        replay_finish(&p);
        status = print(&p, o);
    } else {
        fprintf(stderr, "invoker %s: %s\n", COMMAND, e.text);
    }
    replay_close(&p);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    settings o = {0};
    const int status = read_options(argc, argv, &o);
    if (status >= 0)
        return status;
    snapshot *s = cli_load(cli_config_path(o.config), NULL);
    if (!s)
        return CLI_USAGE;
    bool asked = false;
    auto_free char *control = o.files[0] ? NULL : control_address(o.control, s, &asked);
    const int done = o.files[0] || control
                         ? run(&o, s, control)
                         : cli_usage_error(COMMAND, "which recording? FILE, or --control ADDRESS");
    snapshot_unref(s);
    return done;
}
