/* `invoker why ID` and `invoker why --last`: what the running gateway remembers of a request. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/cli_keys.h"
#include "cli/control_client.h"
#include "cli/why.h"
#include "cli/why_view.h"

#define COMMAND "why"

enum { REPORT_MAX = 256 * 1024, TARGET_MAX = 1024 };

/* The first line. Whatever went wrong behind a decision has its own status. */
static void put_outcome(buf *b, const json_t *d)
{
    const long long status = (long long)json_integer_value(json_object_get(d, "status"));
    const char *why = decision_text(d, "reason");
    const char *failure = decision_text(d, "failure");
    if (json_is_false(json_object_get(d, "enforced")))
        buf_fmt(b, "let through by audit mode, though it would be refused (%s); answered with %lld",
                why, status);
    else if (json_is_true(json_object_get(d, "allowed")) && !*decision_text(d, "explanation"))
        buf_fmt(b, "allowed (%s), answered with %lld", why, status);
    else
        buf_fmt(b, "refused with %lld (%s)", status, *failure ? failure : why);
    buf_str(b, "\n\n");
}

static int print_decision(const json_t *d, bool json)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    const bool fine = json_is_true(json_object_get(d, "allowed")) && !*decision_text(d, "failure");
    if (json) {
        auto_free char *text = json_dumps(d, JSON_COMPACT);
        buf_fmt(&b, "%s\n", text ? text : "null");
    } else {
        put_outcome(&b, d);
        why_view(&b, d, cli_colour(stdout));
    }
    return cli_print(&b, fine ? CLI_OK : CLI_FAILED);
}

static int print_nothing(bool json)
{
    auto_buf buf b = buf_make(REPORT_MAX);
    buf_str(&b, json ? "null\n" : "No request was refused yet.\n");
    return cli_print(&b, CLI_OK);
}

static int print_latest(const char *control, bool json)
{
    error e = {0};
    json_auto_t *list = control_decisions(control, "limit=1&refused=1", &e);
    if (!list)
        return cli_failed(COMMAND, &e);
    const json_t *d = json_array_get(list, 0);
    return d ? print_decision(d, json) : print_nothing(json);
}

static int print_one(const control_reply *reply, bool json)
{
    error e = {0};
    json_auto_t *d = json_loadb(reply->body, reply->n, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(d))
        return print_decision(d, json);
    error_set(&e, ERR_INVALID, "the gateway's answer is not a decision: %.200s", reply->body);
    return cli_failed(COMMAND, &e);
}

/* Google's error shape; what says more than its message is shown as it came. */
static int print_refusal(const control_reply *reply)
{
    error e = {0};
    json_auto_t *root = json_loadb(reply->body, reply->n, JSON_REJECT_DUPLICATES, NULL);
    const char *message = decision_text(json_object_get(root, "error"), "message");
    if (*message)
        error_set(&e, ERR_INVALID, "%s", message);
    else
        error_set(&e, ERR_INVALID, "the gateway answered %u: %.200s", reply->status, reply->body);
    return cli_failed(COMMAND, &e);
}

static int print_named(const char *control, const char *id, bool json)
{
    error e = {0};
    control_reply reply;
    auto_buf buf target = buf_make(TARGET_MAX);
    buf_str(&target, "/invoker/v1/decisions/");
    buf_percent(&target, span_of(id));
    if (!buf_ok(&target))
        return cli_usage_error(COMMAND, "no id of a decision is that long");
    if (!control_call(control, "GET", target.p, NULL, &reply, &e))
        return cli_failed(COMMAND, &e);
    const int status = reply.status == 200 ? print_one(&reply, json) : print_refusal(&reply);
    free(reply.body);
    return status;
}

int why_recorded(const char *control, const char *id, bool json)
{
    return id ? print_named(control, id, json) : print_latest(control, json);
}
