/* Asks GET /invoker/v1/decisions, and compares. */
#include "cli/lesson_outcome.h"

#include <stdio.h>

#include "base/clock.h"
#include "cli/control_client.h"
#include "cli/why.h"
#include "cli/why_view.h"

enum { QUERY_MAX = 256, LATE_US = 3 * 1000 * 1000, PAUSE_US = 2000 };

/* ---- decisions ---- */

static json_t *fetch(const scene *s, const char *name, error *e)
{
    char query[QUERY_MAX];
    snprintf(query, sizeof query, "limit=100&service=%.80s", name);
    return control_decisions(scene_control(s), query, e);
}

unsigned outcome_status(const json_t *d)
{
    return (unsigned)json_integer_value(json_object_get(d, "status"));
}

const char *outcome_reason(const json_t *d)
{
    return decision_text(d, "reason");
}

static void move(outcome_mark *mark, const json_t *d)
{
    snprintf(mark->time, sizeof mark->time, "%s", decision_text(d, "timestamp"));
}

bool outcome_mark_now(const scene *s, const char *name, outcome_mark *out, error *e)
{
    json_auto_t *list = fetch(s, name, e);
    *out = (outcome_mark){""};
    move(out, json_array_get(list, 0));
    return list != NULL;
}

/* Timestamps are all of one length, so that they compare as text. */
json_t *outcome_next(const scene *s, const char *name, outcome_mark *mark, error *e)
{
    json_auto_t *list = fetch(s, name, e);
    for (size_t i = json_array_size(list); i > 0; i--) {
        json_t *d = json_array_get(list, i - 1);
        if (strcmp(decision_text(d, "timestamp"), mark->time) <= 0)
            continue;
        move(mark, d);
        return json_incref(d);
    }
    return NULL;
}

static json_t *find_by_trace(const json_t *list, span trace)
{
    const size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++)
        if (span_eq_str(trace, decision_text(json_array_get(list, i), "trace")))
            return json_incref(json_array_get(list, i));
    return NULL;
}

/* A decision is listed once its exchange is over, which may be a moment after its answer. The page
 * of a reserved path has no trace: then it is the next one. */
json_t *outcome_of_answer(scene *s, const char *name, outcome_mark *mark, const http_call *a,
                          error *e)
{
    const int64_t end = clock_mono_us() + LATE_US;
    span trace = {0};
    const bool traced = http_call_field(a, "x-cloud-trace-context", &trace);
    trace.n = span_find(trace, ';');
    do {
        json_auto_t *list = traced ? fetch(s, name, e) : NULL;
        json_t *d = traced ? find_by_trace(list, trace) : outcome_next(s, name, mark, e);
        if (d && traced)
            move(mark, d);
        if (d)
            return d;
    } while (scene_wait(s, PAUSE_US) && clock_mono_us() < end);
    error_set(e, ERR_NOT_FOUND, "the gateway does not list the request");
    return NULL;
}

bool outcome_is_about(const json_t *d, const lesson_request *r)
{
    const char *path = lesson_path(r);
    const span plain = {path, strcspn(path, "?")};
    return strcmp(decision_text(d, "method"), lesson_method(r)) == 0 &&
           span_eq_str(plain, decision_text(d, "path"));
}

/* ---- grading ---- */

static bool differs(char why[OUTCOME_MISMATCH_MAX], const char *fmt, ...) PRINTF_LIKE(2, 3);
static bool differs(char why[OUTCOME_MISMATCH_MAX], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(why, OUTCOME_MISMATCH_MAX, fmt, args);
    va_end(args);
    return false;
}

/* Field names are the same in small letters. */
static bool holds(const http_call *a, const char *text)
{
    auto_free char *head = span_dup(a->head);
    auto_free char *body = span_dup(a->body);
    return strcasestr(body, text) || strcasestr(head, text);
}

static bool grade_answer(const json_t *d, const http_call *a, const lesson_step *step,
                         char why[OUTCOME_MISMATCH_MAX])
{
    const reason_row *row = reason_info(step->expected);
    span challenge;
    if (a->status != outcome_status(d))
        return differs(why, "the answer has status %u, its decision %u", a->status,
                       outcome_status(d));
    if (http_call_field(a, "www-authenticate", &challenge) != row->challenge)
        return differs(why, "the answer %s WWW-Authenticate", row->challenge ? "lacks" : "has");
    if (step->answer_has && !holds(a, step->answer_has))
        return differs(why, "the answer lacks %s", step->answer_has);
    if (step->answer_lacks && holds(a, step->answer_lacks))
        return differs(why, "the answer has %s", step->answer_lacks);
    return true;
}

bool outcome_grade(const json_t *d, const http_call *a, const lesson_step *step,
                   char why[OUTCOME_MISMATCH_MAX])
{
    const reason_row *row = reason_info(step->expected);
    const unsigned status = outcome_status(d);
    const bool right_status =
        row->allows ? status >= 200 && status < 300 : status == why_status(step->expected);
    if (!right_status || strcmp(outcome_reason(d), row->name) != 0)
        return differs(why, "%u (%s), not %u (%s)", status, outcome_reason(d),
                       why_status(step->expected), row->name);
    return !a || grade_answer(d, a, step, why);
}
