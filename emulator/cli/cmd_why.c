/* `invoker why`: what would become of a call, check by check, without sending anything. */
#include <stdlib.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/why.h"
#include "config/topology.h"

#define COMMAND "why"

static int parse(int argc, char **argv, why_options *o)
{
    enum { PLAIN_OPTIONS = 16 };
    cli_option options[PLAIN_OPTIONS + WAY_COUNT] = {
        {"as", 0, CLI_STRING, "WHO", "the caller: an account's name, or an e-mail", &o->as},
        {"anonymous", 0, CLI_FLAG, NULL, "a call without any token", &o->anonymous},
        {"token", 0, CLI_STRING, "TOKEN", "judge this token ('-': read standard input)", &o->token},
        {"to", 0, CLI_STRING, "SERVICE", "the service that is called", &o->to},
        {"host", 0, CLI_STRING, "HOST", "the service with this host name instead", &o->host},
        {"audience", 'a', CLI_STRING, "URL", "of the token; the service's URL if left out",
         &o->audience},
        {"path", 0, CLI_STRING, "PATH", "of the request; / if left out", &o->path},
        {"header", 0, CLI_STRING, "WHICH", "that carries it: authorization or serverless",
         &o->header},
        {"internal", 0, CLI_FLAG, NULL, "the call comes from inside (ingress)", &o->internal},
        {"just-granted", 0, CLI_FLAG, NULL, "every grant was made at this moment (propagation)",
         &o->just_granted},
        {"config", 'c', CLI_STRING, "FILE", "the topology", &o->config},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys, for --token", &o->keys},
        {"reasons", 0, CLI_FLAG, NULL, "list every outcome there is", &o->reasons},
        {"last", 0, CLI_FLAG, NULL, "explain the running gateway's latest refusal", &o->last},
        {"control", 0, CLI_STRING, "ADDRESS",
         "of the running gateway: by what its APIs changed, too", &o->control},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json; --reasons: markdown too",
         &o->output},
    };
    for (size_t i = 1; i < WAY_COUNT; i++) {
        const token_way w = (token_way)i;
        options[PLAIN_OPTIONS + i - 1] =
            (cli_option){token_way_name(w), 0, CLI_FLAG, NULL, token_way_meaning(w), &o->way[i]};
    }
    char **operands = NULL;
    const int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status >= 0 || !operands[0])
        return status;
    o->id = operands[0];
    if (operands[1])
        return cli_usage_error(COMMAND, "unexpected operand '%s'", operands[1]);
    if (o->last || o->reasons || o->to || o->host || o->as || o->token || o->anonymous)
        return cli_usage_error(COMMAND,
                               "'%s' is taken for the id of a decision, which goes with "
                               "--control and --output only",
                               o->id);
    return status;
}

static int ask_gateway(const why_options *o, bool json)
{
    auto_free char *control = control_required(COMMAND, o->control, o->config);
    return control ? why_recorded(control, o->id, json) : CLI_USAGE;
}

/* The same topology as it is after a reload that brought all of its grants: those count after the
 * propagation delay only. NULL after a message. */
static snapshot *load_just_granted(const char *path, int64_t now_us)
{
    snapshot *settled = cli_load(path, NULL);
    if (!settled)
        return NULL;
    const bool delayed = emulation_is_delayed(snapshot_emulation(settled));
    snapshot_unref(settled);
    if (!delayed) {
        cli_usage_error(COMMAND, "--just-granted needs emulation: { propagation_delay: … } in %s",
                        path);
        return NULL;
    }
    snapshot_builder *nobody = snapshot_builder_new();
    snapshot *before = snapshot_build(nobody, NULL, now_us);
    diagnostics problems = {0};
    topology_files files = {0};
    snapshot *s = topology_load_files(path, NULL, before, now_us, &problems, &files);
    topology_files_free(&files);
    diagnostics_free(&problems);
    snapshot_unref(before);
    return s;
}

/* Named by an option, or the only one that may know what is called. */
static bool is_for_gateway(const why_options *o, const snapshot *s)
{
    return o->control || (o->to && !snapshot_find_service(s, span_of(o->to)));
}

static int judge(const why_options *o, bool json)
{
    const int64_t now_us = clock_wall_us();
    const char *path = cli_config_path(o->config);
    snapshot *s = o->just_granted ? load_just_granted(path, now_us) : cli_load(path, NULL);
    if (!s)
        return CLI_USAGE;
    if (!o->just_granted && is_for_gateway(o, s))
        s = control_load_instead(o->control, path, s);
    why_case c = {.text = NULL};
    int status = why_case_make(o, s, now_us, &c);
    if (status < 0)
        status = why_report(&c, s, now_us, json);
    why_case_free(&c);
    snapshot_unref(s);
    return status;
}

int cmd_why(int argc, char **argv)
{
    why_options o = {.as = NULL};
    int status = parse(argc, argv, &o);
    if (status >= 0)
        return status;
    if (o.reasons)
        return why_reasons(o.output);
    bool json = false;
    status = cli_output_json(COMMAND, o.output, &json);
    if (status >= 0)
        return status;
    return o.last || o.id ? ask_gateway(&o, json) : judge(&o, json);
}
