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
#include "cli/log_sender.h"
#include "cli/named_service.h"
#include "cli/run_tee.h"
#include "cli/up_env.h"
#include "cli/up_orphans.h"
#include "cli/up_probe.h"
#include "cli/up_spawn.h"

enum {
    PORT_TEXT_MAX = 8,
    AGAIN_US = 1000 * 1000,
    PORT_MAX = 65535,
    GRACE_US = 10 * 1000 * 1000, /* as Cloud Run */
    LAST_OUTPUT_US = 10 * 1000 * 1000,
    LAST_LINES_US = 2 * 1000 * 1000
};

typedef struct container {
    const char *name, *control, *ca_option, *keys_option;
    char address[NET_ADDR_TEXT_MAX]; /* where CMD shall listen */
    loop *loop;
    loop_timer kill, again;
    probe *probe;
    log_sender *logs;
    run_tee *output, *errors; /* NULL: CMD has our own stream */
    pid_t pid;
    bool own_group, attached, gave_up, capture;
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

/* A terminal is left to CMD, which may look different there, unless --capture is given; it is
 * already seen by whoever would read the log. */
static bool open_tee(const container *c, int fd, const char *stream, run_tee **out, error *e)
{
    if (isatty(fd) && !c->capture)
        return true;
    *out = run_tee_open(c->loop, fd, log_sender_channel(c->logs, c->name, stream), e);
    return *out != NULL;
}

static bool start(container *c, char **command, const envlist *env, error *e)
{
    if (!open_tee(c, STDOUT_FILENO, "stdout", &c->output, e) ||
        !open_tee(c, STDERR_FILENO, "stderr", &c->errors, e))
        return false;
    c->own_group = isatty(STDIN_FILENO) == 0;
    const spawn_spec spec = {.file = command[0],
                             .argv = command,
                             .envp = env->items,
                             .own_group = c->own_group,
                             .output_fd = c->output ? run_tee_child_fd(c->output) : -1,
                             .error_fd = c->errors ? run_tee_child_fd(c->errors) : -1,
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
    run_tee_close(c->output, LAST_OUTPUT_US);
    run_tee_close(c->errors, LAST_OUTPUT_US);
    log_sender_flush(c->logs, LAST_LINES_US);
    c->output = c->errors = NULL;
}

static bool supervise(container *c, char **command, const envlist *env, error *e)
{
    static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, 0};
    c->loop = loop_new(e);
    signals *s = c->loop ? signals_open(c->loop, wanted, on_signal, c, e) : NULL;
    orphans_adopt();
    c->logs = c->loop ? log_sender_open(c->loop) : NULL;
    log_sender_aim(c->logs, c->control);
    bool ok = s && start(c, command, env, e);
    if (ok) {
        c->probe = probe_open(c->loop, c->address, on_listening, c);
        loop_run(c->loop);
        finish(c);
    }
    run_tee_close(c->output, 0);
    run_tee_close(c->errors, 0);
    log_sender_close(c->logs);
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

/* CLI_OK with the gateway's address and the topology as it has it, or the exit status after a
 * message. A name that is in the file no more than with the gateway is the mistake to tell first.
 */
static int find_gateway(const char *config, const char *option, const char *name, char **out,
                        snapshot **out_topology)
{
    snapshot *s = cli_load(config, NULL);
    if (!s)
        return CLI_USAGE;
    error e = {0};
    bool asked = false;
    int status = CLI_OK;
    *out = control_address(option, s, &asked);
    *out_topology = *out ? control_load(*out, config, &e) : NULL;
    if (!*out_topology && !named_service("run", s, name))
        status = CLI_USAGE;
    else if (!*out)
        status = cli_usage_error("run", "the topology has no control listener; give --control");
    else if (!*out_topology)
        status = cli_failed("run", &e);
    snapshot_unref(s);
    return status;
}

static int run_behind_gateway(const char *config, const char *control_option, container *c,
                              int64_t port, char **command)
{
    auto_free char *control = NULL;
    snapshot *s = NULL;
    int status = find_gateway(config, control_option, c->name, &control, &s);
    if (status != CLI_OK)
        return status;
    c->control = control;
    status = run(c, s, port, command);
    snapshot_unref(s);
    return status;
}

int cmd_run(int argc, char **argv)
{
    const char *config = NULL, *control = NULL, *ca = NULL, *keys = NULL, *format = NULL;
    int64_t port = 0;
    bool capture = false;
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &config},
        {"control", 0, CLI_STRING, "ADDRESS",
         "the gateway's control listener ($INVOKER_CONTROL, else the topology's)", &control},
        {"ca", 0, CLI_STRING, "DIR", CLI_CA_HELP, &ca},
        {"keys", 0, CLI_STRING, "DIR", CLI_CA_KEYS_HELP, &keys},
        {"port", 0, CLI_INT, "PORT", "the value of $PORT (a free one is picked)", &port},
        {"capture", 0, CLI_FLAG, NULL,
         "CMD gets pipes in place of a terminal, as in Cloud Run: its lines are then among those "
         "that 'gcloud run services logs read' shows, as they are wherever our output is no "
         "terminal",
         &capture},
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
                   .capture = capture,
                   .kill = {.fire = on_kill},
                   .again = {.fire = on_again}};
    return run_behind_gateway(cli_config_path(config), control, &c, port, command);
}
