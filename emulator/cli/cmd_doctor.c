/* `invoker doctor [SERVICE]`: why does a client not work? */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/cli.h"
#include "cli/cli_ca.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/doctor.h"
#include "cli/listeners_proc.h"
#include "cli/named_service.h"
#include "pki/ca.h"

#define COMMAND "doctor"

enum {
    OUTPUT_MAX = 16 * 1024 * 1024,
    ENVIRON_MAX = 4 * 1024 * 1024,
    OPTIONS_TEXT_MAX = 8 * 1024,
    DMI_MAX = 4096,
    PATIENCE_MAX_MS = 60 * 1000,
    PATH_TEXT_MAX = 64
};

typedef struct doctor_options {
    const char *config, *control, *keys, *ca, *output;
    int64_t pid, patience_ms;
    bool offline, json, verbose, with_env;
    const char *service;
    /* settled */
    const char *config_path;
} doctor_options;

/* What the case owns. */
typedef struct doctor_case {
    report report;
    envlist env;
    trust_files trust;
    char *env_name, *keys_dir, *ca_dir, *control, *dmi;
    doctor d;
    snapshot *s;
} doctor_case;

static void case_free(doctor_case *c)
{
    report_free(&c->report);
    envlist_free(&c->env);
    cli_trust_free(&c->trust);
    json_decref(c->d.status);
    jwks_unref(c->d.keys);
    doctor_names_free(c->d.names);
    snapshot_unref(c->s);
    free(c->d.as_invoker);
    free(c->d.mend_env);
    free(c->env_name);
    free(c->keys_dir);
    free(c->ca_dir);
    free(c->control);
    free(c->dmi);
}

/* ---- the environment ---- */

/* NUL-separated, as proc(5) says. */
static bool read_process(int64_t pid, doctor_case *c, error *e)
{
    char path[PATH_TEXT_MAX], command[64];
    (void)snprintf(path, sizeof path, "/proc/%lld/environ", (long long)pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return error_errno(e, "cannot read the environment of process %lld (%s)", (long long)pid,
                           path);
    auto_buf buf text = buf_make(ENVIRON_MAX);
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        buf_add(&text, chunk, n);
    (void)fclose(f);
    for (span rest = buf_view(&text), item; rest.n;) {
        (void)span_cut(&rest, '\0', &item);
        auto_free char *one = span_dup(item);
        char *const list[] = {one, NULL};
        if (strchr(one, '='))
            envlist_inherit(&c->env, list);
    }
    process_command((long)pid, command);
    c->env_name = text_of("process %lld (%s)", (long long)pid, command);
    return true;
}

extern char **environ;

static bool read_environment(const doctor_options *o, doctor_case *c, error *e)
{
    if (o->pid)
        return read_process(o->pid, c, e);
    envlist_inherit(&c->env, environ);
    c->env_name = text_of("this shell");
    return true;
}

/* What K_SERVICE or the metadata server's address says when no SERVICE is named. */
static const service *guess(const doctor_case *c)
{
    const char *name = envlist_get(&c->env, "K_SERVICE");
    const char *host = envlist_get(&c->env, "GCE_METADATA_HOST");
    const service *svc = name ? snapshot_find_service(c->s, span_of(name)) : NULL;
    if (svc || !host)
        return svc;
    const whose w = whose_address(c->s, host);
    return w.kind == WHOSE_METADATA ? w.svc : NULL;
}

/* ---- the commands that mend ---- */

static void add_option(buf *b, const char *option, const char *value)
{
    if (!value)
        return;
    buf_fmt(b, " %s '", option);
    for (; *value; value++) {
        if (*value == '\'')
            buf_str(b, "'\\''");
        else
            buf_char(b, *value);
    }
    buf_char(b, '\'');
}

/* Only what was said: the rest is found again. */
static void settle_commands(const doctor_options *o, doctor_case *c)
{
    auto_buf buf env = buf_make(OPTIONS_TEXT_MAX);
    if (!c->d.svc)
        return;
    buf_fmt(&env, o->pid ? "start it anew by: invoker run %s" : "eval \"$(invoker env %s",
            c->d.svc->name);
    add_option(&env, "-c", o->config);
    add_option(&env, "--control", o->control);
    add_option(&env, "--keys", o->keys);
    add_option(&env, "--ca", o->ca);
    buf_str(&env, o->pid ? " -- COMMAND" : ")\"");
    c->d.mend_env = buf_ok(&env) ? buf_take(&env) : text_of("invoker env %s", c->d.svc->name);
}

/* ---- the topology ---- */

static int cannot_load(doctor_case *c, const diagnostics *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const diagnostic *p = &problems->items[i];
        (void)report_add(&c->report, FINDING_PROBLEM, "topology", "topology_invalid",
                         "%s:%u:%u: %s", p->file, p->line, p->column, p->text);
    }
    c->report.head = text_of("the topology cannot be used, so nothing else was looked at");
    return CLI_FAILED;
}

static int load(const doctor_options *o, doctor_case *c)
{
    diagnostics problems = {0};
    c->s = topology_load(o->config_path, NULL, &problems);
    const int status = c->s ? CLI_OK : cannot_load(c, &problems);
    diagnostics_free(&problems);
    return status;
}

/* The same topology with the addresses and changes of what runs, where that is of this file. */
static void load_running(const doctor_options *o, doctor_case *c)
{
    error e = {0};
    snapshot *running = c->d.status ? control_load(c->d.control, o->config_path, &e) : NULL;
    if (!running)
        return;
    snapshot_unref(c->s);
    c->s = running;
    c->d.s = running;
}

/* ---- the checks ---- */

static char *product_name(void)
{
    size_t n = 0;
    char *text = file_read("/sys/class/dmi/id/product_name", DMI_MAX, &n, NULL);
    if (!text)
        return span_dup((span){0});
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* The authority's files, where there is one that is good; nothing is made. */
static void find_trust(doctor_case *c)
{
    ca *authority = ca_open(c->ca_dir, false, clock_system(), NULL);
    if (!authority)
        return;
    c->trust = (trust_files){.certificate = span_dup(span_of(ca_certificate_path(authority))),
                             .bundle = span_dup(span_of(ca_bundle_path(authority)))};
    c->d.trust = &c->trust;
    ca_close(authority);
}

static bool late(doctor *d)
{
    if (clock_mono_us() < d->until_us)
        return false;
    (void)report_add(d->report, FINDING_WARNING, "doctor", "out_of_time",
                     "what was asked so far took too long, so the rest was left out");
    return true;
}

static void check_sockets(doctor *d)
{
    static void (*const checks[])(doctor *) = {doctor_jwks, doctor_metadata, doctor_libraries,
                                               doctor_link_local, doctor_services};
    doctor_dns(d);
    for (size_t i = 0; i < countof(checks) && !late(d); i++)
        checks[i](d);
}

/* Causes before what they cause. */
static void check_all(const doctor_options *o, doctor_case *c)
{
    doctor *d = &c->d;
    if (!o->offline)
        doctor_running(d, o->config_path);
    doctor_topology(d);
    doctor_ports(d);
    doctor_env_metadata(d);
    doctor_env_switches(d);
    doctor_env_proxies(d);
    doctor_env_trust(d);
    if (!o->offline)
        check_sockets(d);
    doctor_keys(d);
}

/* ---- putting it together ---- */

static int find_service(const doctor_options *o, doctor_case *c, bool *out_guessed)
{
    *out_guessed = false;
    if (o->service) {
        c->d.svc = named_service(COMMAND, c->s, o->service);
        return c->d.svc ? CLI_OK : CLI_USAGE;
    }
    c->d.svc = guess(c);
    *out_guessed = c->d.svc != NULL;
    return CLI_OK;
}

/* --with-env: the variables that `invoker env` prints, as if they had been taken over. */
static void lay_over(doctor_case *c)
{
    service_vars vars = service_vars_make(c->s, c->d.svc, NULL, c->d.trust);
    service_vars_apply(&vars, &c->env);
    service_vars_free(&vars);
    char *name = text_of("%s with `invoker env %s`", c->env_name, c->d.svc->name);
    free(c->env_name);
    c->env_name = name;
    c->d.env_name = name;
}

static void settle_head(doctor_case *c, bool guessed)
{
    const doctor *d = &c->d;
    if (d->svc)
        c->report.head = text_of("%s as %s (%s)%s", c->env_name, d->svc->name,
                                 d->svc->account->email, guessed ? ", as its variables say" : "");
    else
        c->report.head =
            text_of("%s as nobody in particular (name a SERVICE to be judged as one)", c->env_name);
}

static int diagnose(const doctor_options *o, doctor_case *c)
{
    bool asked = false, guessed = false;
    int status = load(o, c);
    if (status != CLI_OK)
        return status;
    c->control = control_address(o->control, c->s, &asked);
    c->keys_dir = cli_keys_dir(o->keys, c->s);
    c->ca_dir = cli_ca_dir(o->ca, o->keys, c->s);
    c->dmi = product_name();
    c->d = (doctor){.report = &c->report,
                    .s = c->s,
                    .env = &c->env,
                    .env_name = c->env_name,
                    .keys_dir = c->keys_dir,
                    .ca_dir = c->ca_dir,
                    .control = c->control,
                    .dmi = c->dmi,
                    .as_invoker = span_dup(SPAN_LIT("invoker")),
                    .patience_us = o->patience_ms * 1000,
                    .until_us = clock_mono_us() + DOCTOR_TOTAL * o->patience_ms * 1000};
    if (!o->offline) {
        doctor_control(&c->d);
        load_running(o, c);
    }
    status = find_service(o, c, &guessed);
    if (status != CLI_OK)
        return status;
    find_trust(c);
    settle_commands(o, c);
    if (o->with_env)
        lay_over(c);
    settle_head(c, guessed);
    check_all(o, c);
    return report_count(&c->report, FINDING_PROBLEM) ? CLI_FAILED : CLI_OK;
}

static int print(const doctor_options *o, const doctor_case *c, int status)
{
    auto_buf buf text = buf_make(OUTPUT_MAX);
    if (o->json)
        report_write_json(&c->report, &text);
    else
        report_write_text(&c->report, o->verbose, cli_colour(stdout), &text);
    return cli_print(&text, status);
}

int cmd_doctor(int argc, char **argv)
{
    doctor_options o = {.patience_ms = DOCTOR_PATIENCE_MS};
    const cli_option options[] = {
        {"config", 'c', CLI_STRING, "FILE", "the topology", &o.config},
        {"control", 0, CLI_STRING, "ADDRESS", "the running gateway's control listener", &o.control},
        {"pid", 'p', CLI_INT, "PID", "look at that process' environment, not at this shell's",
         &o.pid},
        {"with-env", 0, CLI_FLAG, NULL, "as if SERVICE's variables (`invoker env`) were set, too",
         &o.with_env},
        {"offline", 0, CLI_FLAG, NULL, "open no sockets", &o.offline},
        {"patience", 0, CLI_INT, "MS", "how long to wait for an answer (400)", &o.patience_ms},
        {"verbose", 'v', CLI_FLAG, NULL, "tell what is well, too", &o.verbose},
        {"keys", 0, CLI_STRING, "DIR", "the folder of signing keys", &o.keys},
        {"ca", 0, CLI_STRING, "DIR", CLI_CA_HELP, &o.ca},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json", &o.output},
        {0},
    };
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status < 0)
        status = cli_output_json(COMMAND, o.output, &o.json);
    if (status >= 0)
        return status;
    if (operands[0] && operands[1])
        return cli_usage_error(COMMAND, "expected at most one SERVICE");
    if (o.with_env && !operands[0])
        return cli_usage_error(COMMAND, "--with-env goes with a SERVICE");
    if (o.patience_ms < 1 || o.patience_ms > PATIENCE_MAX_MS)
        return cli_usage_error(COMMAND, "--patience is from 1 to %d milliseconds", PATIENCE_MAX_MS);
    if (o.pid < 0)
        return cli_usage_error(COMMAND, "--pid is a process id");
    error e = {0};
    doctor_case c = {0};
    o.service = operands[0];
    o.config_path = cli_config_path(o.config);
    if (!read_environment(&o, &c, &e))
        status = cli_usage_error(COMMAND, "%s", e.text);
    else if ((status = diagnose(&o, &c)) != CLI_USAGE)
        status = print(&o, &c, status);
    case_free(&c);
    return status;
}
