/* `invoker env SERVICE`: what a process needs in its environment to be that service. */
#include "cli/cli.h"
#include "cli/cli_ca.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/env_shell.h"
#include "cli/named_service.h"

enum { TEXT_MAX = 8 * 1024 * 1024 };

typedef struct authority_options {
    const char *ca, *keys;
} authority_options;

/* As the running gateway says when one was named, or when the file does not know the service; else
 * as the file says. */
static snapshot *load(const char *config, const char *control_option, const char *name,
                      int *out_status)
{
    snapshot *s = cli_load(config, NULL);
    *out_status = CLI_USAGE;
    if (!s)
        return NULL;
    bool asked = false;
    auto_free char *control = control_address(control_option, s, &asked);
    if (!asked)
        return snapshot_find_service(s, span_of(name)) ? s : control_load_instead(NULL, config, s);
    snapshot_unref(s);
    error e = {0};
    s = control_load(control, config, &e);
    if (!s)
        *out_status = cli_failed("env", &e);
    return s;
}

/* Without an authority the rest is still of use. */
static service_vars variables(const snapshot *s, const service *svc, const authority_options *o)
{
    error e = {0};
    trust_files trust = {0};
    auto_free char *dir = cli_ca_dir(o->ca, o->keys, s);
    const bool trusts = cli_trust(dir, &trust, &e);
    if (!trusts)
        fprintf(stderr, "invoker env: nothing is set that TLS needs: %s\n", e.text);
    service_vars vars = service_vars_make(s, svc, NULL, trusts ? &trust : NULL);
    cli_trust_free(&trust);
    return vars;
}

static int print(const snapshot *s, const char *name, const authority_options *o, env_shell shell)
{
    const service *svc = named_service("env", s, name);
    if (!svc)
        return CLI_USAGE;
    error e = {0};
    auto_buf buf text = buf_make(TEXT_MAX);
    service_vars vars = variables(s, svc, o);
    bool ok = env_shell_write(&text, shell, &vars, &e);
    service_vars_free(&vars);
    if (!ok)
        return cli_failed("env", &e);
    env_shell_remark(&text, shell,
                     "for metadata PHP and gRPC's C core read no variable: they need a listener on "
                     "169.254.169.254:80");
    fwrite(text.p ? text.p : "", 1, text.n, stdout);
    return CLI_OK;
}

int cmd_env(int argc, char **argv)
{
    const char *config = NULL, *control = NULL, *shell_name = "sh";
    authority_options authority = {0};
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"control", 0, CLI_STRING, "ADDRESS", "take the addresses of the gateway that answers here",
         &control},
        {"ca", 0, CLI_STRING, "DIR", CLI_CA_HELP, &authority.ca},
        {"keys", 0, CLI_STRING, "DIR", CLI_CA_KEYS_HELP, &authority.keys},
        {"shell", 0, CLI_STRING, "SHELL", ENV_SHELL_NAMES, &shell_name},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse("env", argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (!operands[0] || operands[1])
        return cli_usage_error("env", "expected one SERVICE");
    env_shell shell;
    if (!env_shell_parse(span_of(shell_name), &shell))
        return cli_usage_error("env", "--shell is " ENV_SHELL_LIST ", not '%s'", shell_name);
    snapshot *s = load(cli_config_path(config), control, operands[0], &status);
    if (!s)
        return status;
    status = print(s, operands[0], &authority, shell);
    snapshot_unref(s);
    return status;
}
