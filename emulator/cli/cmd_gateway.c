/* `invoker gateway`: options, and the wiring of process and control listener. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/log.h"
#include "cli/cli.h"
#include "cli/cli_ca.h"
#include "cli/gateway_backend.h"
#include "cli/record_options.h"

int cmd_gateway(int argc, char **argv);

enum { PROBLEMS_TEXT_MAX = 1024 * 1024, START_WAIT_MAX_S = 3600 };

typedef struct settings {
    const char *config, *addresses, *state, *jwks, *ca, *request_log, *log_format, *log_file;
    bool no_watch, ephemeral, fleeting, decision_header;
    int64_t ready_fd, workers, start_wait_s;
    record_settings record;
    record_file_options record_file;
} settings;

/* ---- process and control listener ---- */

typedef struct running {
    gateway_backend backend; /* the process, and its link to the metadata process */
    control *control;
    bool reserved;
} running;

/* The first call comes before there is a control listener. */
static void on_snapshot(void *ctx, const snapshot *s)
{
    const running *g = ctx;
    error e = {0};
    if (g->backend.link)
        metadata_link_follow(g->backend.link, s);
    if (g->control &&
        !control_listen(g->control, snapshot_project(s)->control_listen, g->reserved, &e))
        log_at(LOG_ERROR, "an address cannot be opened", LOG_S("error", e.text));
}

static bool open_control(running *g, error *e)
{
    process *p = g->backend.process;
    g->backend.link = metadata_link_open(process_loop(p), clock_system(), e);
    if (!g->backend.link)
        return false;
    metadata_link_follow(g->backend.link, process_snapshot(p));
    const control_backend backend = gateway_backend_of(&g->backend);
    g->control = control_open(process_loop(p), &backend, e);
    return g->control &&
           control_listen(g->control, snapshot_project(process_snapshot(p))->control_listen,
                          g->reserved, e);
}

/* Whoever still waits for the metadata process is told first. */
static void close_all(running *g)
{
    metadata_link_stop(g->backend.link);
    control_close(g->control);
    metadata_link_close(g->backend.link);
    if (g->backend.process)
        process_close(g->backend.process);
}

/* ---- options ---- */

static bool log_mode_of(const char *text, request_log_mode *out)
{
    static const char *const names[] = {"all", "refused", "off"};
    static const request_log_mode modes[] = {REQUEST_LOG_ALL, REQUEST_LOG_REFUSED, REQUEST_LOG_OFF};
    for (size_t i = 0; i < countof(names); i++)
        if (!text || strcmp(text, names[i]) == 0) {
            *out = modes[i];
            return true;
        }
    return false;
}

/* -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, settings *s)
{
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &s->config},
        {"addresses", 0, CLI_STRING, "FILE",
         "addresses in place of the topology's; the ports are "
         "held by whoever wrote the file",
         &s->addresses},
        {"state", 0, CLI_STRING, "DIR",
         "keeps what the APIs (gcloud) change; without it that is forgotten when the gateway ends",
         &s->state},
        {"state-is-temporary", 0, CLI_FLAG, NULL, "the folder will be removed: nothing is synced",
         &s->fleeting},
        {"ephemeral-ports", 0, CLI_FLAG, NULL, "services made by an API get any free port",
         &s->ephemeral},
        {"no-watch", 0, CLI_FLAG, NULL, "reload on SIGHUP only, not when the file changes",
         &s->no_watch},
        {"jwks", 0, CLI_STRING, "FILE|URL",
         "the verification keys; without it those of the "
         "metadata process",
         &s->jwks},
        {"ca", 0, CLI_STRING, "DIR", CLI_CA_HELP, &s->ca},
        {"workers", 0, CLI_INT, "N", "threads; without it one per core, at most 4", &s->workers},
        {"start-wait", 0, CLI_INT, "SECONDS",
         "requests wait so long for a service's command that does not listen yet (0)",
         &s->start_wait_s},
        {"request-log", 0, CLI_STRING, "all|refused|off", "which requests are logged (all)",
         &s->request_log},
        RECORD_OPTIONS(&s->record),
        {"decision-header", 0, CLI_FLAG, NULL, CLI_DECISION_HEADER_HELP, &s->decision_header},
        {"ready-fd", 0, CLI_INT, "N", "write \"ready\" there when everything answers",
         &s->ready_fd},
        {"log-format", 0, CLI_STRING, "text|json", "without it text on a terminal, else JSON",
         &s->log_format},
        {"log-file", 0, CLI_STRING, "FILE", "log there instead of standard error", &s->log_file},
        {0}};
    char **operands = NULL;
    int status = cli_parse("gateway", argc, argv, options, &operands, NULL);
    if (status >= 0)
        return status;
    if (operands[0])
        return cli_usage_error("gateway", "unexpected operand '%s'", operands[0]);
    if (s->workers < 0 || s->workers > PROCESS_WORKERS_MAX)
        return cli_usage_error("gateway", "--workers is a number from 1 to %d",
                               PROCESS_WORKERS_MAX);
    if (s->start_wait_s < 0 || s->start_wait_s > START_WAIT_MAX_S)
        return cli_usage_error("gateway", "--start-wait is a number of seconds from 0 to %d",
                               START_WAIT_MAX_S);
    if (s->ready_fd < -1 || s->ready_fd > 65535)
        return cli_usage_error("gateway", "--ready-fd is the number of an open descriptor");
    return record_options_read("gateway", &s->record, &s->record_file);
}

static void print_problems(const diagnostics *d)
{
    auto_buf buf b = buf_make(PROBLEMS_TEXT_MAX);
    diagnostics_print(d, &b);
    (void)fwrite(b.p ? b.p : "", 1, b.n, stderr);
}

static void say_if_ephemeral(const settings *s)
{
    if (!s->state)
        log_at(
            LOG_INFO,
            "what Google's APIs change is kept in memory only, and the metadata process does not "
            "learn of it; give both the same --state DIR to keep it");
}

static int serve(const settings *s, request_log_mode mode)
{
    error e = {0};
    diagnostics problems = {0};
    running g = {.reserved = s->addresses != NULL};
    g.backend.process = process_open(
        &(process_options){.config_path = cli_config_path(s->config),
                           .addresses_path = s->addresses,
                           .watch = !s->no_watch,
                           .state = {.dir = s->state, .writer = true, .durable = !s->fleeting},
                           .ephemeral = s->ephemeral,
                           .ready_fd = (int)s->ready_fd,
                           .workers = (unsigned)s->workers,
                           .jwks = s->jwks,
                           .ca_dir = cli_ca_option(s->ca),
                           .log_mode = mode,
                           .record = s->record_file,
                           .start_wait_us = s->start_wait_s * 1000000,
                           .decision_header = s->decision_header,
                           .on_snapshot = on_snapshot,
                           .ctx = &g},
        &problems, &e);
    int status = CLI_OK;
    if (!g.backend.process) {
        bool topology = problems.count != 0;
        print_problems(&problems);
        status = topology ? CLI_USAGE : cli_failed("gateway", &e);
    } else if (!open_control(&g, &e)) {
        status = cli_failed("gateway", &e);
    } else {
        say_if_ephemeral(s);
        process_run(g.backend.process);
    }
    close_all(&g);
    diagnostics_free(&problems);
    return status;
}

/* A connection is a descriptor: the usual soft limit of 1024 is for programs that use select(2). */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_at(LOG_WARN, "the limit on open descriptors stays low");
}

int cmd_gateway(int argc, char **argv)
{
    settings s = {.ready_fd = -1};
    int status = read_options(argc, argv, &s);
    if (status >= 0)
        return status;
    request_log_mode mode;
    if (!log_mode_of(s.request_log, &mode))
        return cli_usage_error("gateway", "--request-log is all, refused or off, not '%s'",
                               s.request_log);
    error e = {0};
    if (!cli_open_log("gateway", s.log_format, s.log_file, &e))
        return cli_failed("gateway", &e);
    raise_descriptor_limit();
    return serve(&s, mode);
}
