/* `invoker why` and `invoker inspect` with the gateway's own snapshot and keys. */
#include "cli/backend_ask.h"

#include <stdlib.h>

#include "base/clock.h"
#include "cli/gateway_backend.h"
#include "cli/inspect.h"
#include "cli/why.h"
#include "decision/lookup.h"

/* ---- inspect ---- */

bool backend_inspect(void *ctx, span text, buf *out, error *e)
{
    const gateway_backend *b = ctx;
    const snapshot *s = live_snapshot(process_live(b->process));
    const span token = inspect_bare(text);
    if (!token.n)
        return error_set(e, ERR_INVALID, "no token: the text is empty");
    inspection i;
    inspect_token(&i, s, snapshot_project(s)->keys_dir, process_keys(b->process), token,
                  clock_wall_us());
    inspect_show_json(&i, out);
    inspection_clear(&i);
    return true;
}

/* ---- why ---- */

typedef struct question {
    hypothesis_options made_up;
    const char *token, *header;
    bool anonymous;
    int64_t at_us; /* 0: now */
} question;

/* One of the fields that are texts; NULL: it is none of them. */
static const char **text_field(question *q, const char *name)
{
    const struct {
        const char *name;
        const char **at;
    } fields[] = {{"as", &q->made_up.caller}, {"to", &q->made_up.service},
                  {"host", &q->made_up.host}, {"audience", &q->made_up.audience},
                  {"path", &q->made_up.path}, {"header", &q->header},
                  {"token", &q->token}};
    for (size_t i = 0; i < countof(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].at;
    return NULL;
}

static bool read_time(question *q, const json_t *value, error *e)
{
    return (json_is_string(value) &&
            clock_parse_rfc3339(span_of(json_string_value(value)), &q->at_us) && q->at_us > 0) ||
           error_set(e, ERR_INVALID, "at is a time like \"2026-05-10T05:57:08Z\"");
}

/* Fields that are there or not. */
static bool read_flag(question *q, const char *name, const json_t *value, error *e)
{
    token_way way = WAY_NONE;
    error unknown = {0};
    bool *flag = strcmp(name, "internal") == 0    ? &q->made_up.internal
                 : strcmp(name, "anonymous") == 0 ? &q->anonymous
                                                  : NULL;
    if (!flag && !token_way_parse(span_of(name), &way, &unknown))
        return error_set(e, ERR_INVALID,
                         "unknown field '%s'; known are as, anonymous, token, to, host, audience, "
                         "path, header, internal, at and the ways in which a token is wrong",
                         name);
    if (!json_is_boolean(value))
        return error_set(e, ERR_INVALID, "%s is true or false", name);
    if (flag)
        *flag = json_is_true(value);
    else if (json_is_true(value) && q->made_up.way != WAY_NONE)
        return error_set(e, ERR_INVALID, "a token is wrong in one way at a time");
    else if (json_is_true(value))
        q->made_up.way = way;
    return true;
}

static bool read_question(question *q, const json_t *fields, error *e)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)fields, name, value) {
        const char **text = text_field(q, name);
        if (text && !json_is_string(value))
            return error_set(e, ERR_INVALID, "%s is a text", name);
        if (text)
            *text = json_string_value(value);
        else if (!(strcmp(name, "at") == 0 ? read_time(q, value, e) : read_flag(q, name, value, e)))
            return false;
    }
    return true;
}

/* As `invoker why` wants its options. */
static bool check_question(const question *q, error *e)
{
    const hypothesis_options *o = &q->made_up;
    const int who = (o->caller != NULL) + (q->token != NULL) + q->anonymous;
    if (who != 1)
        return error_set(e, ERR_INVALID, "who calls? One of as, token and anonymous");
    if (!o->service && !o->host)
        return error_set(e, ERR_INVALID, "which service is called? to or host is missing");
    if (!o->caller && (o->audience || o->way != WAY_NONE))
        return error_set(e, ERR_INVALID, "%s goes with as",
                         o->audience ? "audience" : token_way_name(o->way));
    return true;
}

bool backend_why(void *ctx, const json_t *fields, buf *out, error *e)
{
    const gateway_backend *b = ctx;
    const snapshot *s = live_snapshot(process_live(b->process));
    question q = {.at_us = 0};
    why_case c = {.text = NULL};
    if (!read_question(&q, fields, e) || !check_question(&q, e) ||
        !token_header_parse(q.header, &q.made_up.header, e))
        return false;
    const int64_t now_us = q.at_us ? q.at_us : clock_wall_us();
    const bool made = hypothesis_make(&q.made_up, s, now_us, &c.h, e);
    if (made && q.token) {
        c.text = span_dup(inspect_bare(span_of(q.token)));
        why_case_token(&c, q.made_up.header == HEADER_SERVERLESS, process_keys(b->process));
    }
    if (made)
        why_json(out, &c, s, now_us);
    why_case_free(&c);
    return made;
}
