/* `invoker logs`: the running gateway's decisions, those that it remembers and, with --follow,
 * those that it makes from then on. */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hash.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/control_stream.h"
#include "cli/logs_print.h"
#include "decision/reasons.h"
#include "proxy/exchange.h"

#define COMMAND "logs"

enum {
    LIMIT_MAX = 1000,
    LIMIT_OF_LIST = 100,
    LIMIT_OF_STREAM = 10,
    PATH_MAX_BYTES = 4096,
    TEXT_MAX = 64 * 1024 * 1024,
    ID_MAX = 64,
    RETRY_MS = 300
};

typedef struct logs_options {
    const char *service, *caller, *reason, *control, *config, *output;
    bool follow, refused, brief, json;
    int64_t limit; /* -1: not given */
} logs_options;

/* ---- what is asked for ---- */

static void add_parameter(buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    buf_fmt(b, "&%s=", name);
    buf_percent(b, span_of(value));
}

/* Of the list; or, to follow, the path of the stream with it. */
static char *query_of(const logs_options *o)
{
    auto_buf buf b = buf_make(PATH_MAX_BYTES);
    const int64_t without = o->follow ? LIMIT_OF_STREAM : LIMIT_OF_LIST;
    buf_fmt(&b, "%s=%lld", o->follow ? "/invoker/v1/decisions/stream?backlog" : "limit",
            (long long)(o->limit < 0 ? without : o->limit));
    add_parameter(&b, "refused", o->refused ? "1" : NULL);
    add_parameter(&b, "service", o->service);
    add_parameter(&b, "caller", o->caller);
    add_parameter(&b, "reason", o->reason);
    return buf_take(&b);
}

/* ---- those that are remembered ---- */

static void put(buf *b, const json_t *decision, bool json, const logs_style *style)
{
    if (!json) {
        logs_put(b, decision, style);
        return;
    }
    auto_free char *text = json_dumps(decision, JSON_COMPACT);
    buf_fmt(b, "%s\n", text ? text : "null");
}

static int print_list(const logs_options *o, const json_t *list)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    const logs_style style = {
        .brief = o->brief, .colour = cli_colour(stdout), .id_shown = logs_id_shown(list)};
    for (size_t i = json_array_size(list); i-- > 0;) /* the newest comes first */
        put(&b, json_array_get(list, i), o->json, &style);
    if (json_array_size(list) == 0 && !o->json)
        fprintf(stderr, "invoker logs: no such decision is remembered\n");
    return cli_print(&b, CLI_OK);
}

static int show(const logs_options *o, const char *control)
{
    error e = {0};
    auto_free char *query = query_of(o);
    json_auto_t *list = control_decisions(control, query, &e);
    return list ? print_list(o, list) : cli_failed(COMMAND, &e);
}

/* ---- those that are made ---- */

typedef struct tail {
    const logs_options *o;
    const char *control;
    logs_style style;
    char last_id[ID_MAX + 1];
    bool was_open, lost;
    int failure; /* errno of writing */
} tail;

static bool write_all(tail *t, span text)
{
    while (text.n) {
        const ssize_t put_bytes = write(STDOUT_FILENO, text.p, text.n);
        if (put_bytes < 0 && errno != EINTR) {
            t->failure = errno;
            return false;
        }
        if (put_bytes > 0)
            text = span_from(text, (size_t)put_bytes);
    }
    return true;
}

static void on_opened(void *ctx)
{
    tail *t = ctx;
    if (t->lost)
        fprintf(stderr, "invoker logs: the gateway at %s is back\n", t->control);
    t->was_open = true;
    t->lost = false;
}

static bool tell_missed(span data)
{
    json_auto_t *event = json_loadb(data.p, data.n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *missed = json_object_get(event, "missed");
    if (json_is_integer(missed))
        fprintf(stderr, "invoker logs: %lld decisions came too fast and are not shown\n",
                (long long)json_integer_value(missed));
    else
        fprintf(stderr, "invoker logs: some decisions are not remembered any more\n");
    return true;
}

static bool on_event(void *ctx, const sse_event *e)
{
    tail *t = ctx;
    if (span_eq_str(e->type, "missed"))
        return tell_missed(e->data);
    if (!span_eq_str(e->type, "decision"))
        return true;
    if (e->id.n <= ID_MAX) {
        memcpy(t->last_id, e->id.p ? e->id.p : "", e->id.n);
        t->last_id[e->id.n] = '\0';
    }
    json_auto_t *decision = json_loadb(e->data.p, e->data.n, JSON_REJECT_DUPLICATES, NULL);
    if (!decision)
        return true;
    auto_buf buf b = buf_make(TEXT_MAX);
    put(&b, decision, t->o->json, &t->style);
    return write_all(t, buf_view(&b));
}

/* Whole lines were written, so there is nothing to be saved. */
static void on_signal(int signo)
{
    (void)signo;
    _exit(CLI_OK);
}

static void end_by_signals(void)
{
    const struct sigaction end = {.sa_handler = on_signal};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGINT, &end, NULL);
    (void)sigaction(SIGTERM, &end, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

static int stopped(const tail *t)
{
    error e = {0};
    if (t->failure == 0 || t->failure == EPIPE) /* whoever read has enough */
        return CLI_OK;
    errno = t->failure;
    error_errno(&e, "cannot write");
    return cli_failed(COMMAND, &e);
}

/* -1 to try again. */
static int attempt(tail *t, const char *path)
{
    error e = {0};
    const stream_reader reader = {
        .opened = on_opened, .event = on_event, .ctx = t, .output = STDOUT_FILENO};
    switch (control_stream(t->control, path, span_of(t->last_id), &reader, &e)) {
    case STREAM_STOPPED:
        return stopped(t);
    case STREAM_UNREACHABLE:
        if (!t->was_open)
            error_wrap(&e, "no gateway answers at %s (start one with 'invoker up')", t->control);
        break;
    case STREAM_REFUSED:
    case STREAM_LOST:
        break;
    }
    if (!t->was_open)
        return cli_failed(COMMAND, &e);
    if (!t->lost)
        fprintf(stderr, "invoker logs: the gateway at %s is gone; waiting for it\n", t->control);
    t->lost = true;
    return stream_pause(STDOUT_FILENO, RETRY_MS) ? -1 : CLI_OK;
}

static int follow(const logs_options *o, const char *control)
{
    auto_free char *path = query_of(o);
    tail t = {
        .o = o,
        .control = control,
        .style = {.brief = o->brief, .colour = cli_colour(stdout), .id_shown = LOGS_ID_SHOWN}};
    int status = -1;
    end_by_signals();
    while (status < 0)
        status = attempt(&t, path);
    return status;
}

/* ---- options ---- */

static bool is_reason(const char *name)
{
    for (int i = 0; i < REASON_COUNT_; i++)
        if (strcmp(reason_info((reason)i)->name, name) == 0)
            return true;
    for (int i = PROXY_OK + 1; i <= PROXY_CLIENT_GONE; i++)
        if (strcmp(proxy_failure_name((proxy_failure)i), name) == 0)
            return true;
    return false;
}

static int check_reason(const char *name)
{
    const char *names[REASON_COUNT_ + 1] = {0};
    if (!name || is_reason(name))
        return -1;
    for (int i = 0; i < REASON_COUNT_; i++)
        names[i] = reason_info((reason)i)->name;
    const char *near = did_you_mean(span_of(name), names);
    return cli_usage_error(COMMAND, "no reason '%s'%s%s%s ('invoker why --reasons' lists them)",
                           name, near ? "; did you mean '" : "", near ? near : "",
                           near ? "'?" : "");
}

static int check(logs_options *o, char **operands)
{
    if (operands[0] && o->service)
        return cli_usage_error(COMMAND, "SERVICE and --service are the same: give one of them");
    if (operands[0] && operands[1])
        return cli_usage_error(COMMAND, "unexpected operand '%s'", operands[1]);
    if (operands[0])
        o->service = operands[0];
    const bool limited = o->limit != -1;
    if (limited && (o->limit < (o->follow ? 0 : 1) || o->limit > LIMIT_MAX))
        return cli_usage_error(COMMAND, "--limit is a number from %d to %d", o->follow ? 0 : 1,
                               LIMIT_MAX);
    const int status = cli_output_json(COMMAND, o->output, &o->json);
    return status >= 0 ? status : check_reason(o->reason);
}

int cmd_logs(int argc, char **argv)
{
    logs_options o = {.limit = -1};
    const cli_option options[] = {
        {"follow", 'f', CLI_FLAG, NULL, "go on with those that are made from now on", &o.follow},
        {"refused", 0, CLI_FLAG, NULL, "refusals and failures of the gateway only", &o.refused},
        {"service", 0, CLI_STRING, "NAME", "the same as SERVICE", &o.service},
        {"caller", 0, CLI_STRING, "WHO", "an e-mail, an account's name, or anonymous", &o.caller},
        {"reason", 0, CLI_STRING, "REASON", "one of those that 'invoker why --reasons' lists",
         &o.reason},
        {"limit", 0, CLI_INT, "N", "the last N (100; with --follow, to begin with: 10)", &o.limit},
        {"brief", 0, CLI_FLAG, NULL, "one line for a refusal, too", &o.brief},
        {"control", 0, CLI_STRING, "ADDRESS",
         "of the running gateway; without it $INVOKER_CONTROL, else the topology's", &o.control},
        {"config", 'c', CLI_STRING, "FILE", "the topology", &o.config},
        {"output", 'o', CLI_STRING, "FORMAT", "text (default) or json: a line for each", &o.output},
        {0}};
    char **operands = NULL;
    int status = cli_parse(COMMAND, argc, argv, options, &operands, NULL);
    if (status < 0)
        status = check(&o, operands);
    if (status >= 0)
        return status;
    auto_free char *control = control_required(COMMAND, o.control, o.config);
    if (!control)
        return CLI_USAGE;
    return o.follow ? follow(&o, control) : show(&o, control);
}
