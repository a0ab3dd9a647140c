/* `invoker ca init|path|env`: the local certificate authority. */
#include <string.h>

#include "cli/cli.h"
#include "cli/cli_ca.h"
#include "cli/cli_keys.h"
#include "cli/client_vars.h"
#include "cli/commands.h"
#include "cli/env_shell.h"
#include "pki/ca.h"

#define COMMAND "ca"

enum { REPORT_MAX = 64 * 1024 };

typedef struct ca_options {
    const char *dir; /* the folder, settled */
    env_shell shell;
    bool json;
} ca_options;

static void ca_auto(ca **p)
{
    ca_close(*p);
}
static void trust_auto(trust_files *t)
{
    cli_trust_free(t);
}

/* ---- init ---- */

static void add_text(buf *b, const ca *c, bool made)
{
    buf_fmt(b, "%s certificate authority\n", made ? "made the" : "there already: the");
    buf_fmt(b, "  certificate  %s\n", ca_certificate_path(c));
    buf_fmt(b, "  key          %s\n", ca_key_path(c));
    buf_fmt(b, "  bundle       %s\n", ca_bundle_path(c));
    buf_fmt(b, "  sha256       %s\n  expires      ", ca_fingerprint(c));
    cli_add_time(b, ca_expires_s(c));
    buf_char(b, '\n');
}

static void add_json(buf *b, const ca *c, bool made)
{
    buf_fmt(b, "{\"made\":%s,\"certificate\":", made ? "true" : "false");
    buf_json(b, span_of(ca_certificate_path(c)));
    buf_str(b, ",\"key\":");
    buf_json(b, span_of(ca_key_path(c)));
    buf_str(b, ",\"bundle\":");
    buf_json(b, span_of(ca_bundle_path(c)));
    buf_fmt(b, ",\"sha256\":\"%s\",\"expires\":\"", ca_fingerprint(c));
    cli_add_time(b, ca_expires_s(c));
    buf_str(b, "\"}\n");
}

static int run_init(const ca_options *o)
{
    error e = {0};
    AUTO(ca_auto) ca *c = ca_open(o->dir, false, clock_system(), &e);
    const bool made = !c && e.kind == ERR_NOT_FOUND;
    if (made)
        c = ca_open(o->dir, true, clock_system(), &e);
    if (!c || !ca_refresh_bundle(c, &e))
        return cli_failed(COMMAND, &e);
    auto_buf buf b = buf_make(REPORT_MAX);
    if (o->json)
        add_json(&b, c, made);
    else
        add_text(&b, c, made);
    return cli_print(&b, CLI_OK);
}

/* ---- path ---- */

static int run_path(const ca_options *o)
{
    error e = {0};
    AUTO(ca_auto) ca *c = ca_open(o->dir, false, clock_system(), &e);
    if (!c)
        return cli_failed(COMMAND, &e);
    auto_buf buf b = buf_make(REPORT_MAX);
    if (o->json)
        buf_json(&b, span_of(ca_certificate_path(c)));
    else
        buf_str(&b, ca_certificate_path(c));
    buf_char(&b, '\n');
    return cli_print(&b, CLI_OK);
}

/* ---- env ---- */

static int run_env(const ca_options *o)
{
    error e = {0};
    AUTO(trust_auto) trust_files trust = {0};
    if (!cli_trust(o->dir, &trust, &e))
        return cli_failed(COMMAND, &e);
    service_vars vars = {0};
    client_vars_add_trust(&vars, &trust);
    auto_buf buf b = buf_make(REPORT_MAX);
    const bool ok = env_shell_write(&b, o->json ? ENV_JSON : o->shell, &vars, &e);
    service_vars_free(&vars);
    return ok ? cli_print(&b, CLI_OK) : cli_failed(COMMAND, &e);
}

static const struct {
    const char *name;
    int (*run)(const ca_options *o);
} actions[] = {{"init", run_init}, {"path", run_path}, {"env", run_env}};

static int run_action(const char *name, const ca_options *o)
{
    for (size_t i = 0; i < countof(actions); i++)
        if (strcmp(name, actions[i].name) == 0)
            return actions[i].run(o);
    return cli_usage_error(COMMAND, "unknown action '%s': expected init, path or env", name);
}

/* With a folder named no topology is looked at. */
static int settle_dir(const char *ca_option, const char *keys, const char *config, char **out_dir)
{
    snapshot *s = NULL;
    if (config || (!keys && !cli_ca_option(ca_option))) {
        const int status = cli_load_optional(config, &s);
        if (status >= 0)
            return status;
    }
    *out_dir = cli_ca_dir(ca_option, keys, s);
    snapshot_unref(s);
    return -1;
}

int cmd_ca(int argc, char **argv)
{
    ca_options o = {0};
    const char *config = NULL, *keys = NULL, *folder = NULL, *output = NULL, *shell = "sh";
    const cli_option options[] = {
        {"ca", 0, CLI_STRING, "DIR", CLI_CA_HELP, &folder},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys", &keys},
        {"config", 'c', CLI_STRING, "FILE", "the topology, which may name the keys folder",
         &config},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &output},
        {"shell", 0, CLI_STRING, "SHELL", "env: " ENV_SHELL_NAMES, &shell},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status < 0)
        status = cli_output_json(COMMAND, output, &o.json);
    if (status >= 0)
        return status;
    if (!operands[0] || operands[1])
        return cli_usage_error(COMMAND, "expected one action: init, path or env");
    if (!env_shell_parse(span_of(shell), &o.shell))
        return cli_usage_error(COMMAND, "--shell is " ENV_SHELL_LIST ", not '%s'", shell);
    auto_free char *dir = NULL;
    status = settle_dir(folder, keys, config, &dir);
    if (status >= 0)
        return status;
    o.dir = dir;
    return run_action(operands[0], &o);
}
