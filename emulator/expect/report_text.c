/* For people: failures in full, the rest counted. */
#include "decision/explain.h"
#include "expect/report_words.h"

enum { CELLS_SHOWN_MAX = 50 };

typedef struct paint {
    const char *good, *bad, *faint, *bold, *plain;
} paint;

static paint paint_of(const report *r)
{
    return r->colour ? (paint){"\033[32m", "\033[31m", "\033[2m", "\033[1m", "\033[0m"}
                     : (paint){"", "", "", "", ""};
}

static void put_place(buf *b, place at)
{
    put_safe(b, at.file);
    buf_fmt(b, ":%u", at.line);
}

static void put_line(buf *b, const char *name, const char *text)
{
    if (text && *text)
        buf_fmt(b, "  %-11s %s\n", name, text);
}

static void put_failure(buf *b, const test_case *c, const outcome *o, const paint *p)
{
    put_place(b, c->at);
    buf_fmt(b, ": %sFAILED%s ", p->bad, p->plain);
    put_safe(b, c->name);
    buf_fmt(b, "\n  %-11s ", "expected");
    expectation_put(b, &c->wanted);
    buf_fmt(b, "\n  %-11s ", "got");
    put_got(b, o);
    buf_char(b, '\n');
    put_line(b, "cause", o->cause);
    put_line(b, "nearest", o->nearest);
    put_line(b, "production", o->fix);
    put_line(b, "here", o->here);
    buf_char(b, '\n');
}

static void put_skipped(buf *b, const test_case *c, const outcome *o, const paint *p)
{
    put_place(b, c->at);
    buf_fmt(b, ": %sskipped%s ", p->faint, p->plain);
    put_safe(b, c->name);
    buf_fmt(b, ": %s\n", o->skipped ? o->skipped : "not run");
}

static void put_cases(buf *b, const suite *s, const paint *p)
{
    for (size_t i = 0; i < s->count; i++) {
        const outcome *o = &s->outcomes[i];
        if (o->verdict == VERDICT_FAILED)
            put_failure(b, &s->cases[i], o, p);
        else if (o->verdict == VERDICT_SKIPPED)
            put_skipped(b, &s->cases[i], o, p);
    }
}

static void put_summary(buf *b, const report *r, const suite *s, const paint *p)
{
    const size_t failed = suite_tally(s, VERDICT_FAILED), skipped = suite_tally(s, VERDICT_SKIPPED);
    buf_str(b, p->bold);
    put_safe(b, s->topology);
    buf_fmt(b, "%s: %zu case%s %s: ", p->plain, s->count, s->count == 1 ? "" : "s",
            r->live ? "over the network" : "offline");
    buf_fmt(b, "%s%zu passed%s", failed ? "" : p->good, s->count - failed - skipped, p->plain);
    if (failed)
        buf_fmt(b, ", %s%zu failed%s", p->bad, failed, p->plain);
    if (skipped)
        buf_fmt(b, ", %zu skipped", skipped);
    buf_char(b, '\n');
}

/* Allowed cells before denied ones: those are the ones that somebody needs. */
static void put_uncovered(buf *b, const suite_report *of, bool allowed, size_t *shown)
{
    const coverage *c = &of->coverage;
    for (size_t i = 0; i < c->rows.count * c->columns; i++) {
        const cell *at = &c->cells[i];
        if (at->covered || reason_info(at->reason)->allows != allowed)
            continue;
        if (++*shown > CELLS_SHOWN_MAX)
            continue;
        buf_fmt(b, "  uncovered   %s ", allowed ? "allowed" : "denied ");
        caller_put(b, of->s->s, c->rows.emails[i / c->columns]);
        buf_fmt(b, " -> %s (%s)\n", snapshot_service(of->s->s, (uint32_t)(i % c->columns))->name,
                reason_info(at->reason)->name);
    }
}

static void put_coverage_part(buf *b, const report *r, const suite_report *of, const paint *p)
{
    size_t shown = 0;
    buf_str(b, "coverage ");
    put_coverage(b, &of->coverage);
    buf_char(b, '\n');
    put_uncovered(b, of, true, &shown);
    put_uncovered(b, of, false, &shown);
    if (shown > CELLS_SHOWN_MAX)
        buf_fmt(b, "  and %zu more (--output json lists all)\n", shown - CELLS_SHOWN_MAX);
    if (!is_under(r, of))
        return;
    buf_fmt(b, "%sFAILED%s ", p->bad, p->plain);
    put_fail_under(b, r, of);
    buf_char(b, '\n');
}

static void put_unused(buf *b, const report *r, const suite_report *of)
{
    if (of->unused_count)
        buf_fmt(b, "over-granting: %s needs\n", r->traffic ? "no test and no traffic" : "no test");
    for (size_t i = 0; i < of->unused_count; i++) {
        const binding *g = of->unused[i];
        buf_str(b, "  ");
        if (g->place.file) {
            place_put(b, g->place, true);
            buf_str(b, ": ");
        }
        buf_fmt(b, "%s as %s on ", g->member, g->role);
        put_scope(b, of->s->s, g);
        buf_str(b, "\n    ");
        explain_revoke(b, of->s->s, g);
        buf_char(b, '\n');
    }
}

void report_text(buf *b, const report *r)
{
    const paint p = paint_of(r);
    for (size_t i = 0; i < r->count; i++)
        put_cases(b, r->suites[i].s, &p);
    for (size_t i = 0; i < r->count; i++) {
        const suite_report *of = &r->suites[i];
        put_summary(b, r, of->s, &p);
        if (!of->has_coverage)
            continue;
        put_coverage_part(b, r, of, &p);
        put_unused(b, r, of);
    }
}
