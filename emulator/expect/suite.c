/* A suite's life, and its cases judged by the pure decision. */
#include "expect/suite.h"

#include <stdlib.h>

#include "decision/explain.h"

enum { WORDS_MAX = 16 * 1024 };

suite *suite_new(const char *topology, snapshot *s)
{
    suite *u = calloc(1, sizeof *u);
    if (!u)
        abort();
    *u = (suite){.topology = span_dup(span_of(topology)), .s = s, .mem = arena_new()};
    return u;
}

static void outcomes_free(suite *s)
{
    for (size_t i = 0; s->outcomes && i < s->count; i++) {
        outcome *o = &s->outcomes[i];
        free(o->cause);
        free(o->fix);
        free(o->here);
        free(o->nearest);
        free(o->skipped);
    }
    free(s->outcomes);
    s->outcomes = NULL;
}

void suite_begin(suite *s)
{
    outcomes_free(s);
    s->outcomes = calloc(s->count + 1, sizeof *s->outcomes);
    if (!s->outcomes)
        abort();
    for (size_t i = 0; i < s->count; i++)
        s->outcomes[i].got = REASON_COUNT_;
}

void suite_free(suite *s)
{
    if (!s)
        return;
    outcomes_free(s);
    free(s->cases);
    free(s->files);
    arena_free(s->mem);
    snapshot_unref(s->s);
    snapshot_unref(s->first);
    free(s->topology);
    free(s);
}

void suite_judge_by(suite *s, snapshot *other)
{
    s->first = s->s; /* the cases' texts are its */
    s->s = other;
}

int64_t case_time_us(const test_case *c, int64_t now_us)
{
    if (!c->timed)
        return now_us;
    return c->relative ? now_us + c->time_us : c->time_us;
}

size_t suite_tally(const suite *s, verdict v)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += s->outcomes[i].verdict == v;
    return n;
}

/* ---- what a failure says ---- */

/* Its text for good, NULL if there is none. */
static char *words(buf *b)
{
    return b->n ? buf_take(b) : NULL;
}

static void put_binding(buf *b, const snapshot *s, const binding *g)
{
    buf_fmt(b, "%s holds %s on %s", g->member, g->role,
            g->project_level ? "the project" : snapshot_service(s, g->service)->name);
    if (!g->place.file)
        return;
    buf_str(b, " (");
    place_put(b, g->place, true);
    buf_char(b, ')');
}

/* The binding that nearly allowed it. */
static void put_nearest(buf *b, const snapshot *s, const decision *d, int64_t now_us)
{
    if (!d->service || !d->principal.email.n)
        return;
    const missed_grant m = snapshot_missed_grant(s, d->service, &d->principal, now_us);
    const binding *near = m.binding ? m.binding : snapshot_near_grant(s, d->service, &d->principal);
    if (near)
        put_binding(b, s, near);
}

/* Let in against what was wanted: what takes the grant away. */
static void put_unwanted(buf *fix, buf *here, const snapshot *s, const decision *d)
{
    if (d->reason == REASON_CHECK_DISABLED) {
        buf_fmt(fix, "gcloud run services update %s --region=%s --invoker-iam-check",
                d->service->name, snapshot_project(s)->region);
        buf_fmt(here, "services: %s: invoker_iam_check: true", d->service->name);
    } else if (d->binding) {
        explain_revoke(fix, s, d->binding);
        buf_str(here, "take away what is granted");
        if (d->binding->place.file) {
            buf_str(here, " at ");
            place_put(here, d->binding->place, true);
        }
    }
}

static void explain_failure(outcome *o, const snapshot *s, const decision *d,
                            const request_facts *f, int64_t now_us)
{
    auto_buf buf cause = buf_make(WORDS_MAX);
    auto_buf buf fix = buf_make(WORDS_MAX);
    auto_buf buf here = buf_make(WORDS_MAX);
    auto_buf buf nearest = buf_make(WORDS_MAX);
    explain_cause(&cause, s, d, f, now_us);
    if (reason_info(d->reason)->allows) {
        put_unwanted(&fix, &here, s, d);
    } else {
        explain_fix(&fix, s, d, f);
        explain_local_fix(&here, s, d, f);
        put_nearest(&nearest, s, d, now_us);
    }
    o->cause = words(&cause);
    o->fix = words(&fix);
    o->here = words(&here);
    o->nearest = words(&nearest);
}

void outcome_settle(outcome *o, const snapshot *s, const test_case *c, const decision *d,
                    const request_facts *f, int64_t now_us)
{
    o->got = d->reason;
    o->used = d->binding;
    o->verdict = expectation_met(&c->wanted, d->reason) ? VERDICT_PASSED : VERDICT_FAILED;
    if (o->verdict == VERDICT_FAILED)
        explain_failure(o, s, d, f, now_us);
}

/* ---- running ---- */

void suite_run(suite *s, int64_t now_us)
{
    suite_begin(s);
    hypothesis h = {.path = NULL};
    for (size_t i = 0; i < s->count; i++) {
        const test_case *c = &s->cases[i];
        outcome *o = &s->outcomes[i];
        const int64_t at_us = case_time_us(c, now_us);
        error e = {0};
        if (!hypothesis_make(&c->call, s->s, at_us, &h, &e)) {
            o->skipped = span_dup(span_of(e.text));
            continue;
        }
        const decision d = decide(s->s, &h.facts, at_us);
        outcome_settle(o, s->s, c, &d, &h.facts, at_us);
    }
    hypothesis_free(&h);
}
