/* `invoker up`: the metadata server, the gateway and the services, supervised together. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "cli/cli.h"
#include "cli/cli_ca.h"
#include "cli/commands.h"
#include "cli/record_options.h"
#include "cli/up_guard.h"
#include "cli/up_ready.h"
#include "cli/up_supervisor.h"
#include "cli/up_topology.h"
#include "config/reload.h"

enum { PROBLEMS_MAX = 1024 * 1024, READY_TIMEOUT_S = 240 };

typedef struct up_options {
    const char *config, *keys, *ca, *state, *log_format, *log_file, *request_log, *workers;
    bool json, ephemeral, decision_header, no_services;
    int64_t ready_timeout_s;
    char **command;
    record_settings record;
} up_options;

typedef struct up {
    up_options options;
    loop *loop;
    char *dir; /* private, for the overlay and for what APIs change when no --state is given */
    guard *guard;
    signals *signals;
    reload *reload;
    up_topology *topology;
    supervisor *supervisor;
    char *state; /* the folder that was asked for, absolute; NULL: none */
    char *ca_dir;
    trust_files trust;
    bool trusts;       /* trust is not empty */
    bool refused;      /* the first topology could not be taken */
    bool has_terminal; /* it was started from one */
} up;

/* ---- events ---- */

static void log_each_line(span text)
{
    span line;
    while (text.n) {
        (void)span_cut(&text, '\n', &line);
        auto_free char *event = span_dup(line);
        log_at(LOG_ERROR, event);
    }
}

/* The file as it is now, valid in itself. */
static void on_snapshot(void *ctx, snapshot *file)
{
    up *u = ctx;
    auto_buf buf problems = buf_make(PROBLEMS_MAX);
    if (up_topology_take(u->topology, file, &problems)) {
        if (u->supervisor)
            supervisor_apply(u->supervisor, true);
        return;
    }
    if (u->supervisor) {
        log_each_line(buf_view(&problems));
        log_at(LOG_ERROR, "the change was not taken over; what ran goes on running");
        return;
    }
    u->refused = true;
    span rest = buf_view(&problems), line;
    while (rest.n) {
        (void)span_cut(&rest, '\n', &line);
        fprintf(stderr, "invoker up: %.*s\n", SPAN_ARG(line));
    }
}

/* An API has made, changed or deleted something. */
static void on_state(void *ctx, bool daemons)
{
    const up *u = ctx;
    if (u->supervisor)
        supervisor_apply(u->supervisor, daemons);
}

static bool terminal_is_there(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

/* SIGHUP asks for a reload, unless it comes because the terminal was closed. */
static void on_signal(void *ctx, int signo)
{
    up *u = ctx;
    bool hung_up = signo == SIGHUP && u->has_terminal && !terminal_is_there();
    if (signo == SIGHUP && !hung_up)
        (void)reload_now(u->reload);
    else
        supervisor_signal(u->supervisor, signo);
}

/* With CMD stdout is CMD's; only --json was asked for. */
static void on_ready(void *ctx)
{
    const up *u = ctx;
    auto_buf buf text = buf_make(UP_READY_MAX);
    if (u->options.json) {
        up_ready_json(&text, up_topology_snapshot(u->topology), u->trusts ? &u->trust : NULL,
                      u->state);
        buf_char(&text, '\n');
    } else if (!u->options.command) {
        up_ready_text(&text, up_topology_snapshot(u->topology), u->state, cli_colour(stdout));
    }
    fwrite(text.p ? text.p : "", 1, text.n, stdout);
    if (fflush(stdout) != 0)
        log_at(LOG_WARN, "nobody reads the readiness line on stdout");
}

/* ---- from options to running ---- */

/* A log that nobody reads must not keep us from stopping. Only a description of our own may be
 * made non-blocking: the one on standard error is shared with whoever started us. */
static void never_wait_for_the_log(void)
{
    struct stat about;
    if (fstat(STDERR_FILENO, &about) != 0 || !S_ISFIFO(about.st_mode))
        return;
    int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0)
        log_open("up", log_current_format(), own);
}

static const char *state_dir(const up *u)
{
    return u->options.state ? u->options.state : u->dir;
}

static bool open_topology(up *u, error *e)
{
    u->topology = up_topology_new(u->loop,
                                  &(up_topology_options){.path = u->options.config,
                                                         .dir = u->dir,
                                                         .state_dir = state_dir(u),
                                                         .ephemeral = u->options.ephemeral,
                                                         .on_change = on_state,
                                                         .ctx = u},
                                  e);
    if (!u->topology)
        return false;
    if (u->options.state)
        u->state = realpath(u->options.state, NULL);
    else
        log_at(LOG_INFO, "this run is ephemeral: what gcloud and the APIs change is forgotten when "
                         "it ends; --state DIR keeps it");
    return true;
}

static bool prepare(up *u, error *e)
{
    static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, 0};
    if (!cli_open_log("up", u->options.log_format, u->options.log_file, e))
        return false;
    if (!u->options.log_file)
        never_wait_for_the_log();
    if (!(u->dir = guard_make_dir(e)) || !(u->guard = guard_start(u->dir, e)))
        return false;
    if (!(u->loop = loop_new(e)))
        return false;
    if (!open_topology(u, e))
        return false;
    u->signals = signals_open(u->loop, wanted, on_signal, u, e);
    return u->signals != NULL;
}

/* CLI_OK, or the exit status after the problems were printed. */
static int load(up *u)
{
    const reload_options o = {
        .path = u->options.config, .watch = true, .on_snapshot = on_snapshot, .ctx = u};
    diagnostics problems = {0};
    u->reload = reload_open(u->loop, &o, &problems);
    if (!u->reload) {
        auto_buf buf text = buf_make(PROBLEMS_MAX);
        diagnostics_print(&problems, &text);
        fwrite(text.p ? text.p : "", 1, text.n, stderr);
    }
    diagnostics_free(&problems);
    return !u->reload ? CLI_USAGE : u->refused ? CLI_FAILED : CLI_OK;
}

/* Without it everything runs, but for TLS: the gateway says that for itself. */
static void open_trust(up *u)
{
    error e = {0};
    u->ca_dir = cli_ca_dir(u->options.ca, u->options.keys, up_topology_snapshot(u->topology));
    u->trusts = cli_trust(u->ca_dir, &u->trust, &e);
    if (!u->trusts)
        log_at(LOG_WARN, "nothing is set that TLS needs", LOG_S("why", e.text));
}

static int supervise(up *u)
{
    open_trust(u);
    const supervisor_options o = {
        .config_path = u->options.config,
        .keys_dir = u->options.keys,
        .ca_dir = u->ca_dir,
        .state_dir = state_dir(u),
        .state_is_temporary = !u->options.state,
        .ephemeral = u->options.ephemeral,
        .no_services = u->options.no_services,
        .trust = u->trusts ? &u->trust : NULL,
        .log_format = log_current_format() == LOG_JSON ? "json" : "text",
        .log_file = u->options.log_file,
        .request_log = u->options.request_log,
        .record = u->options.record,
        .workers = u->options.workers,
        .decision_header = u->options.decision_header,
        .command = (const char *const *)u->options.command,
        .ready_timeout_s = u->options.ready_timeout_s,
        .on_ready = on_ready,
        .ctx = u,
    };
    u->supervisor = supervisor_new(u->loop, u->guard, u->topology, &o);
    supervisor_apply(u->supervisor, true);
    return supervisor_run(u->supervisor);
}

static void finish(up *u)
{
    supervisor_free(u->supervisor);
    reload_close(u->reload);
    signals_close(u->signals);
    up_topology_free(u->topology);
    loop_free(u->loop);
    guard_stop(u->guard);
    if (u->dir)
        guard_remove_dir(u->dir);
    cli_trust_free(&u->trust);
    free(u->ca_dir);
    free(u->state);
    free(u->dir);
}

static int run(const up_options *options)
{
    error e = {0};
    up u = {.options = *options, .has_terminal = terminal_is_there()};
    int status = prepare(&u, &e) ? load(&u) : cli_failed("up", &e);
    if (status == CLI_OK)
        status = supervise(&u);
    finish(&u);
    return status;
}

int cmd_up(int argc, char **argv)
{
    up_options o = {.ready_timeout_s = READY_TIMEOUT_S};
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &o.config},
        {"json", 0, CLI_FLAG, NULL, "print the addresses as one line of JSON", &o.json},
        {"ephemeral-ports", 0, CLI_FLAG, NULL, "let the system pick every port", &o.ephemeral},
        {"no-services", 0, CLI_FLAG, NULL,
         "start no command:, the metadata server and gateway only", &o.no_services},
        {"state", 0, CLI_STRING, "DIR",
         "keeps what gcloud and the APIs change; without it that is forgotten at the end",
         &o.state},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys", &o.keys},
        {"ca", 0, CLI_STRING, "DIR", CLI_CA_HELP, &o.ca},
        {"ready-timeout", 0, CLI_INT, "SECONDS", "give up when not all answer by then (240)",
         &o.ready_timeout_s},
        {"request-log", 0, CLI_STRING, "all|refused|off", "which requests the gateway logs (all)",
         &o.request_log},
        RECORD_OPTIONS(&o.record),
        {"workers", 0, CLI_STRING, "N", "threads of the gateway", &o.workers},
        {"decision-header", 0, CLI_FLAG, NULL, CLI_DECISION_HEADER_HELP, &o.decision_header},
        {"log-format", 0, CLI_STRING, "FORMAT", "text or json", &o.log_format},
        {"log-file", 0, CLI_STRING, "FILE", "log there instead of standard error", &o.log_file},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse("up", argc, argv, options, &operands, &o.command);
    if (status >= 0)
        return status;
    if (operands[0])
        return cli_usage_error("up", "unexpected operand '%s'; CMD stands behind '--'",
                               operands[0]);
    if (o.command && !o.command[0])
        return cli_usage_error("up", "'--' wants a command behind it");
    if (o.ready_timeout_s < 1 || o.ready_timeout_s > 86400)
        return cli_usage_error("up", "--ready-timeout is a number of seconds from 1 to 86400");
    o.config = cli_config_path(o.config);
    record_file_options checked;
    status = record_options_read("up", &o.record, &checked);
    return status >= 0 ? status : run(&o);
}
