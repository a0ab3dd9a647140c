/* Options of `up` that are handed on to the daemons. */
#include "cli/up_daemon.h"

#include <assert.h>
#include <string.h>

/* As long as a request waits for Cloud Run to start an instance, at least (docs "About instance
 * autoscaling"). */
#define START_WAIT_S "10"

/* value NULL: the option is left out. */
static void add(daemon_args *a, const char *option, const char *value)
{
    if (!value)
        return;
    assert(a->count + 2 <= DAEMON_ARGS_MAX);
    a->argv[a->count++] = option;
    a->argv[a->count++] = value;
}

static void add_flag(daemon_args *a, const char *option, bool wanted)
{
    assert(a->count < DAEMON_ARGS_MAX);
    if (wanted)
        a->argv[a->count++] = option;
}

daemon_args daemon_args_make(const char *name, const supervisor_options *o, const char *overlay)
{
    bool is_gateway = strcmp(name, "gateway") == 0;
    /* up alone watches the files: both daemons change at the same moment, told by SIGHUP. */
    daemon_args a = {{"invoker", name, "--no-watch"}, 3};
    add(&a, "-c", o->config_path);
    add(&a, "--addresses", overlay);
    add(&a, "--state", o->state_dir);
    add(&a, "--log-format", o->log_format);
    add(&a, "--log-file", o->log_file);
    add(&a, "--keys", is_gateway ? NULL : o->keys_dir);
    add(&a, "--ca", is_gateway ? o->ca_dir : NULL);
    add(&a, "--request-log", is_gateway ? o->request_log : NULL);
    add(&a, "--record", is_gateway ? o->record.file : NULL);
    add(&a, "--record-max", is_gateway ? o->record.max : NULL);
    add(&a, "--record-keep", is_gateway ? o->record.keep : NULL);
    add(&a, "--workers", is_gateway ? o->workers : NULL);
    add(&a, "--start-wait", is_gateway && !o->no_services ? START_WAIT_S : NULL);
    add_flag(&a, "--state-is-temporary", is_gateway && o->state_is_temporary);
    add_flag(&a, "--decision-header", is_gateway && o->decision_header);
    add_flag(&a, "--ephemeral-ports", is_gateway && o->ephemeral);
    return a;
}
