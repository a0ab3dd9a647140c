/* `invoker run SERVICE -- CMD…`: CMD becomes the service's container behind a running gateway. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/net.h"
#include "base/signals.h"
#include "cli/cli.h"
#include "cli/cli_ca.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/named_service.h"
#include "cli/up_env.h"
#include "cli/up_orphans.h"
#include "cli/up_probe.h"
#include "cli/up_spawn.h"

enum {
    PORT_TEXT_MAX = 8,
    AGAIN_US = 1000 * 1000,
    PORT_MAX = 65535,
    GRACE_US = 10 * 1000 * 1000 /* as Cloud Run */
};

typedef struct container {
    const char *name, *control, *ca_option, *keys_option;
    char address[NET_ADDR_TEXT_MAX]; /* where CMD shall listen */
    loop *loop;
    loop_timer kill, again;
    probe *probe;
    pid_t pid;
    bool own_group, attached, gave_up;
    int wait_status;
} container;

/* ---- while it runs ---- */

static void send_signal(const container *c, int signo)
{
    if (c->pid > 0)
        (void)kill(c->own_group ? -c->pid : c->pid, signo);
}

static void on_kill(loop_timer *t)
{
    send_signal(container_of(t, container, kill), SIGKILL);
}

static void stop(container *c, int signo)
{
    bool from_terminal = !c->own_group && (signo == SIGINT || signo == SIGQUIT);
    if (!from_terminal)
        send_signal(c, signo); /* else the terminal has told it already */
    if (signo != SIGHUP && !c->kill.slot)
        loop_timer_set(c->loop, &c->kill, loop_now_us(c->loop) + GRACE_US);
}

/* A gateway that was started anew knows nothing of us. */
static void on_again(loop_timer *t)
{
    container *c = container_of(t, container, again);
    if (!control_is_attached(c->control, c->name, c->address) &&
        control_attach(c->control, c->name, c->address, NULL))
        log_at(LOG_INFO, "attached again", LOG_S("service", c->name),
               LOG_S("upstream", c->address));
    loop_timer_set(c->loop, t, loop_now_us(c->loop) + AGAIN_US);
}

static void on_listening(void *ctx)
{
    container *c = ctx;
    error e = {0};
    probe_close(c->probe);
    c->probe = NULL;
    c->attached = control_attach(c->control, c->name, c->address, &e);
    if (c->attached) {
        log_at(LOG_INFO, "attached", LOG_S("service", c->name), LOG_S("upstream", c->address));
        loop_timer_set(c->loop, &c->again, loop_now_us(c->loop) + AGAIN_US);
        return;
    }
    log_at(LOG_ERROR, "cannot be attached, stopping", LOG_S("service", c->name),
           LOG_S("why", e.text));
    c->gave_up = true;
    stop(c, SIGTERM);
}

static void reap(container *c)
{
    pid_t pid;
    while ((pid = orphans_next_dead()) > 0) {
        int status = 0;
        if (waitpid(pid, &status, WNOHANG) != pid || pid != c->pid)
            continue;
        c->wait_status = status;
        send_signal(c, SIGTERM);
        c->pid = 0;
        loop_stop(c->loop);
    }
}

static void on_signal(void *ctx, int signo)
{
    container *c = ctx;
    if (signo == SIGCHLD)
        reap(c);
    else
        stop(c, signo);
}

/* ---- from start to end ---- */

static bool pick_port(container *c, int64_t wanted, char text[PORT_TEXT_MAX], error *e)
{
    net_addr a;
    if (!net_addr_parse(SPAN_LIT("127.0.0.1:0"), &a, e))
        return false;
    net_addr_set_port(&a, (uint16_t)wanted);
    int fd = net_reserve(&a, e);
    if (fd < 0)
        return false;
    bool ok = net_local(fd, &a);
    (void)close(fd); /* few programs share ports */
    (void)net_addr_text(&a, c->address);
    snprintf(text, PORT_TEXT_MAX, "%u", (unsigned)net_addr_port(&a));
    return ok || error_errno(e, "cannot pick a port");
}

static bool start(container *c, char **command, const envlist *env, error *e)
{
    c->own_group = isatty(STDIN_FILENO) == 0;
    const spawn_spec spec = {.file = command[0],
                             .argv = command,
                             .envp = env->items,
                             .own_group = c->own_group,
                             .output_fd = -1,
                             .keep_fd = -1};
    c->pid = spawn_process(&spec, e);
    return c->pid > 0;
}

static void finish(container *c)
{
    error e = {0};
    loop_timer_cancel(c->loop, &c->kill);
    loop_timer_cancel(c->loop, &c->again);
    probe_close(c->probe);
    if (c->attached && !control_detach(c->control, c->name, &e))
        log_at(LOG_WARN, "could not be detached", LOG_S("service", c->name), LOG_S("why", e.text));
    orphans_kill(-1);
}

static bool supervise(container *c, char **command, const envlist *env, error *e)
{
    static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, 0};
    c->loop = loop_new(e);
    signals *s = c->loop ? signals_open(c->loop, wanted, on_signal, c, e) : NULL;
    orphans_adopt();
    bool ok = s && start(c, command, env, e);
    if (ok) {
        c->probe = probe_open(c->loop, c->address, on_listening, c);
        loop_run(c->loop);
        finish(c);
    }
    signals_close(s);
    loop_free(c->loop);
    return ok;
}

/* Without an authority CMD runs all the same. */
static void set_environment(const container *c, const snapshot *s, const service *svc,
                            const char *port, envlist *env)
{
    error e = {0};
    trust_files trust = {0};
    auto_free char *dir = cli_ca_dir(c->ca_option, c->keys_option, s);
    const bool trusts = cli_trust(dir, &trust, &e);
    if (!trusts)
        log_at(LOG_WARN, "nothing is set that TLS needs", LOG_S("why", e.text));
    envlist_inherit(env, environ);
    service_vars vars = service_vars_make(s, svc, port, trusts ? &trust : NULL);
    service_vars_apply(&vars, env);
    service_vars_free(&vars);
    cli_trust_free(&trust);
}

static int run(container *c, const snapshot *s, int64_t wanted_port, char **command)
{
    error e = {0};
    char port[PORT_TEXT_MAX];
    const service *svc = named_service("run", s, c->name);
    if (!svc)
        return CLI_USAGE;
    if (!pick_port(c, wanted_port, port, &e))
        return cli_failed("run", &e);
    envlist env = {0};
    set_environment(c, s, svc, port, &env);
    bool ok = supervise(c, command, &env, &e);
    envlist_free(&env);
    if (!ok)
        return cli_failed("run", &e);
    return c->gave_up ? CLI_FAILED : spawn_exit_status(c->wait_status);
}

/* CLI_OK and *out, or the exit status after a message. */
static int find_gateway(const char *config, const char *option, const char *name, char **out)
{
    snapshot *s = cli_load(config, NULL);
    if (!s)
        return CLI_USAGE;
    bool known = named_service("run", s, name) != NULL, asked = false;
    *out = control_address(option, s, &asked);
    snapshot_unref(s);
    if (!known)
        return CLI_USAGE;
    return *out ? CLI_OK
                : cli_usage_error("run", "the topology has no control listener; give --control");
}

static int run_behind_gateway(const char *config, const char *control_option, container *c,
                              int64_t port, char **command)
{
    auto_free char *control = NULL;
    int status = find_gateway(config, control_option, c->name, &control);
    if (status != CLI_OK)
        return status;
    error e = {0};
    snapshot *s = control_load(control, config, &e);
    if (!s)
        return cli_failed("run", &e);
    c->control = control;
    status = run(c, s, port, command);
    snapshot_unref(s);
    return status;
}

int cmd_run(int argc, char **argv)
{
    const char *config = NULL, *control = NULL, *ca = NULL, *keys = NULL, *format = NULL;
    int64_t port = 0;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"control", 0, CLI_STRING, "ADDRESS",
         "the gateway's control listener ($INVOKER_CONTROL, else the topology's)", &control},
        {"ca", 0, CLI_STRING, "DIR", CLI_CA_HELP, &ca},
        {"keys", 0, CLI_STRING, "DIR", CLI_CA_KEYS_HELP, &keys},
        {"port", 0, CLI_INT, "PORT", "the value of $PORT (a free one is picked)", &port},
        {"log-format", 0, CLI_STRING, "FORMAT", "text or json", &format},
        {0},
    };
    char **operands = NULL, **command = NULL;
    int status = cli_parse("run", argc, argv, options, &operands, &command);
    if (status >= 0)
        return status;
    if (!operands[0] || operands[1] || !command || !command[0])
        return cli_usage_error("run", "expected one SERVICE and '--' with a command behind it");
    if (port < 0 || port > PORT_MAX)
        return cli_usage_error("run", "--port is a number from 1 to 65535");
    error e = {0};
    if (!cli_open_log("run", format, NULL, &e))
        return cli_failed("run", &e);
    container c = {.name = operands[0],
                   .ca_option = ca,
                   .keys_option = keys,
                   .kill = {.fire = on_kill},
                   .again = {.fire = on_again}};
    return run_behind_gateway(cli_config_path(config), control, &c, port, command);
}
