/* `invoker why --last`: asks the running gateway for its latest refusal. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/control_client.h"
#include "cli/why.h"
#include "decision/explain.h"

#define COMMAND "why"

enum { REPORT_MAX = 64 * 1024 };

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    return text ? text : "";
}

/* What a log holds came from outside: control characters stay out of the terminal. */
static void put_line(buf *b, const char *name, const char *text)
{
    if (!*text)
        return;
    buf_fmt(b, "  %-11s ", name);
    for (; *text; text++)
        explain_char(b, *text);
    buf_char(b, '\n');
}

void why_put_decision(buf *b, const json_t *entry)
{
    const json_int_t status = json_integer_value(json_object_get(entry, "status"));
    buf_fmt(b, "refused with %lld (%s)\n\n", (long long)status, text_of(entry, "reason"));
    static const char *const lines[][2] = {
        {"time", "timestamp"},    {"service", "service"}, {"method", "method"},
        {"path", "path"},         {"caller", "caller"},   {"failure", "failure"},
        {"cause", "explanation"}, {"production", "fix"},  {"here", "local_fix"},
        {"trace", "trace"},
    };
    for (size_t i = 0; i < countof(lines); i++)
        put_line(b, lines[i][0], text_of(entry, lines[i][1]));
}

static int print_reply(const char *body, size_t n, bool json)
{
    error e = {0};
    json_auto_t *root = json_loadb(body, n, JSON_REJECT_DUPLICATES, NULL);
    const json_t *list = json_object_get(root, "decisions");
    if (!json_is_array(list)) {
        error_set(&e, ERR_INVALID, "the gateway's answer is not a list of decisions: %.200s", body);
        return cli_failed(COMMAND, &e);
    }
    const json_t *entry = json_array_get(list, 0);
    auto_buf buf b = buf_make(REPORT_MAX);
    if (json) {
        char *text = entry ? json_dumps(entry, JSON_COMPACT) : NULL;
        buf_fmt(&b, "%s\n", text ? text : "null");
        free(text);
    } else if (entry) {
        why_put_decision(&b, entry);
    } else {
        buf_str(&b, "No request was refused yet.\n");
    }
    return cli_print(&b, entry ? CLI_FAILED : CLI_OK);
}

int why_last(const char *control, bool json)
{
    error e = {0};
    control_reply reply;
    if (!control_call(control, "GET", "/invoker/v1/decisions?limit=1&refused=1", NULL, &reply, &e))
        return cli_failed(COMMAND, &e);
    int status;
    if (reply.status == 200) {
        status = print_reply(reply.body, reply.n, json);
    } else {
        error_set(&e, ERR_INVALID, "the gateway answered %u: %.200s", reply.status, reply.body);
        status = cli_failed(COMMAND, &e);
    }
    free(reply.body);
    return status;
}
