/* What the gateway decided about the requests of a suite, and what that means for each case. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/control_client.h"
#include "cli/test_live_impl.h"
#include "cli/why_view.h"

/* A decision is noted when its request is over, which may be a moment after its answer. */
enum {
    PATIENCE_US = 5 * 1000 * 1000,
    PAUSE_MS = 5,
    WORDS_MAX = 16 * 1024,
    QUERY_MAX = 64,
    LOOK_BACK_MAX = 1000
};

/* ---- finding ---- */

/* The shot with that trace: traces end with the shot's number, in order. */
static shot *shot_of(shot *shots, size_t n, const char *trace)
{
    for (size_t i = 0; i < n; i++)
        if (shots[i].sent && strcmp(shots[i].trace, trace) == 0)
            return &shots[i];
    return NULL;
}

static void take_decisions(const json_t *list, shot *shots, size_t n)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *entry = json_array_get(list, i);
        const char *trace = decision_text(entry, "trace");
        shot *s = *trace ? shot_of(shots, n, trace) : NULL;
        if (s && !s->decided)
            s->decided = json_incref(entry);
    }
}

/* The latest `limit` of them. */
static bool fetch(const live_run *l, size_t limit, shot *shots, size_t n, error *e)
{
    char query[QUERY_MAX];
    snprintf(query, sizeof query, "limit=%zu", limit < LOOK_BACK_MAX ? limit : LOOK_BACK_MAX);
    json_auto_t *list = control_decisions(l->control, query, e);
    if (!list)
        return false;
    take_decisions(list, shots, n);
    return true;
}

/* "ID reason", which the gateway adds to its answers where it was told to. */
static bool told_by_answer(const shot *s, reason *out)
{
    span value, id;
    return http_call_field(&s->call, "X-Invoker-Decision", &value) && span_cut(&value, ' ', &id) &&
           reason_by_name(span_trim(value), out);
}

static size_t missing(const shot *shots, size_t n)
{
    size_t count = 0;
    reason ignored;
    for (size_t i = 0; i < n; i++)
        count += shots[i].sent && shots[i].call.outcome == HTTP_ANSWERED && !shots[i].decided &&
                 !told_by_answer(&shots[i], &ignored);
    return count;
}

bool shots_find_decisions(const live_run *l, shot *shots, size_t n, error *e)
{
    const int64_t until = clock_mono_us() + PATIENCE_US;
    /* Somebody else may use the gateway, too: look further back each time. */
    for (size_t limit = n; missing(shots, n); limit += n) {
        if (!fetch(l, limit, shots, n, e))
            return false;
        if (!missing(shots, n) || clock_mono_us() > until)
            break;
        (void)poll(NULL, 0, PAUSE_MS);
    }
    return true;
}

/* ---- judging ---- */

static char *copy(const char *text)
{
    return text && *text ? span_dup(span_of(text)) : NULL;
}

static void fail(outcome *o, buf *cause)
{
    o->verdict = VERDICT_FAILED;
    free(o->cause);
    o->cause = buf_take(cause);
}

/* The gateway says something else than the topology: that is what has to be told. */
static void settle_by_gateway(shot *s, reason got, reason expected_here)
{
    outcome *o = s->o;
    o->got = got;
    o->verdict = expectation_met(&s->c->wanted, got) ? VERDICT_PASSED : VERDICT_FAILED;
    if (o->verdict == VERDICT_PASSED)
        return;
    auto_buf buf cause = buf_make(WORDS_MAX);
    const char *said = decision_text(s->decided, "explanation");
    buf_fmt(&cause, "%s%sBy the topology alone it would be %s.", said, *said ? " " : "",
            reason_info(expected_here)->name);
    fail(o, &cause);
    o->fix = copy(decision_text(s->decided, "fix"));
    o->here = copy(decision_text(s->decided, "local_fix"));
}

static void settle_decided(const live_run *l, shot *s, reason got)
{
    const decision d = decide(l->s->s, &s->h.facts, l->now_us);
    if (d.reason == got)
        outcome_settle(s->o, l->s->s, s->c, &d, &s->h.facts, l->now_us);
    else
        settle_by_gateway(s, got, d.reason);
    if (reason_info(got)->allows || s->call.status == reason_status(got))
        return;
    auto_buf buf cause = buf_make(WORDS_MAX);
    buf_fmt(&cause, "The answer has status %u, although %s means %u", s->call.status,
            reason_info(got)->name, reason_status(got));
    buf_str(&cause, json_is_false(json_object_get(s->decided, "enforced"))
                        ? ": emulation.mode is audit, which lets everything through."
                        : ".");
    fail(s->o, &cause);
}

void shot_settle(const live_run *l, shot *s)
{
    reason got = REASON_COUNT_;
    auto_buf buf cause = buf_make(WORDS_MAX);
    const char *name = decision_text(s->decided, "reason");
    if (s->call.outcome != HTTP_ANSWERED) {
        buf_str(&cause, "No answer: ");
        http_call_trouble(&s->call, &cause);
        buf_char(&cause, '.');
        fail(s->o, &cause);
    } else if (!reason_by_name(span_of(name), &got) && !told_by_answer(s, &got)) {
        buf_fmt(&cause, "Status %u came back, and the gateway at %s has no decision for it.",
                s->call.status, l->control);
        fail(s->o, &cause);
    } else {
        settle_decided(l, s, got);
    }
}
