#include "expect/report_words.h"

#include "decision/explain.h"

void put_got(buf *b, const outcome *o)
{
    if (o->got == REASON_COUNT_) {
        buf_str(b, "nothing");
        return;
    }
    const reason_row *row = reason_info(o->got);
    if (row->allows)
        buf_fmt(b, "allow (%s)", row->name);
    else
        buf_fmt(b, "%u %s", reason_status(o->got), row->name);
}

void put_safe(buf *b, const char *text)
{
    explain_clean(b, span_of(text));
}

void put_scope(buf *b, const snapshot *s, const binding *g)
{
    if (g->project_level)
        buf_str(b, "the project");
    else
        buf_fmt(b, "service %s", snapshot_service(s, g->service)->name);
}

bool is_under(const report *r, const suite_report *of)
{
    return r->fail_under >= 0 && of->has_coverage &&
           share_is_under(coverage_total(&of->coverage), r->fail_under);
}

void put_fail_under(buf *b, const report *r, const suite_report *of)
{
    buf_str(b, "coverage of ");
    put_safe(b, of->s->topology);
    buf_str(b, ": ");
    share_percent(b, coverage_total(&of->coverage));
    buf_fmt(b, ", asked for %.6g%%", (double)r->fail_under / 10000);
}

static void put_share(buf *b, const char *name, share s)
{
    buf_fmt(b, "%s %zu of %zu, ", name, s.covered, s.all);
    share_percent(b, s);
}

void put_coverage(buf *b, const coverage *c)
{
    const share all = coverage_total(c);
    share_percent(b, all);
    buf_fmt(b, " of %zu cells (", all.all);
    put_share(b, "allowed", c->allowed);
    put_share(b, "; denied", c->denied);
    buf_char(b, ')');
}

size_t report_tally(const report *r, verdict v)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += suite_tally(r->suites[i].s, v);
    return n;
}

bool report_is_good(const report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (suite_tally(r->suites[i].s, VERDICT_FAILED) || is_under(r, &r->suites[i]))
            return false;
    }
    return true;
}
