/* Coverage of the matrix. */
#include "expect/coverage.h"

#include <stdlib.h>

static const int64_t WHOLE = INT64_C(100) * 10000; /* ten-thousandths of a percent */

static reason truth(const snapshot *s, const char *caller, size_t column, int64_t now_us,
                    hypothesis *h)
{
    const hypothesis_options o = {
        .caller = caller, .service = snapshot_service(s, column)->name, .internal = true};
    if (!hypothesis_make(&o, s, now_us, h, NULL))
        abort(); /* caller and service are the snapshot's own */
    return decide(s, &h->facts, now_us).reason;
}

static void fill(coverage *c, const snapshot *s, int64_t now_us)
{
    hypothesis h = {.path = NULL};
    for (size_t row = 0; row < c->rows.count; row++)
        for (size_t column = 0; column < c->columns; column++)
            c->cells[row * c->columns + column].reason =
                truth(s, c->rows.emails[row], column, now_us, &h);
    hypothesis_free(&h);
}

static const service *target(const suite *s, const test_case *c)
{
    host_kind kind;
    return c->call.host ? snapshot_route_host(s->s, span_of(c->call.host), &kind)
                        : snapshot_find_service(s->s, span_of(c->call.service));
}

static void mark(coverage *c, const suite *s, size_t i)
{
    const test_case *t = &s->cases[i];
    const outcome *o = &s->outcomes[i];
    if (o->verdict != VERDICT_PASSED || t->timed || t->call.way != WAY_NONE)
        return;
    const service *svc = target(s, t);
    const size_t row = roster_find(&c->rows, t->call.caller);
    if (!svc || row == c->rows.count)
        return;
    cell *at = &c->cells[row * c->columns + svc->index];
    at->covered |= at->reason == o->got;
}

static void count(coverage *c)
{
    for (size_t i = 0; i < c->rows.count * c->columns; i++) {
        share *of = reason_info(c->cells[i].reason)->allows ? &c->allowed : &c->denied;
        of->all++;
        of->covered += c->cells[i].covered;
    }
}

bool coverage_of(const suite *s, int64_t now_us, coverage *out, error *e)
{
    *out = (coverage){.rows = roster_of(s->s), .columns = snapshot_service_count(s->s)};
    const size_t most = SUITE_CELLS_MAX / (out->columns ? out->columns : 1);
    if (out->rows.count > most) {
        error_set(e, ERR_LIMIT, "%s: %zu callers x %zu services are too many for coverage",
                  s->topology, out->rows.count, out->columns);
        roster_free(&out->rows);
        return false;
    }
    out->cells = calloc(out->rows.count * out->columns + 1, sizeof *out->cells);
    if (!out->cells)
        abort();
    fill(out, s->s, now_us);
    for (size_t i = 0; i < s->count; i++)
        mark(out, s, i);
    count(out);
    return true;
}

void coverage_free(coverage *c)
{
    free(c->cells);
    roster_free(&c->rows);
    *c = (coverage){.cells = NULL};
}

share coverage_total(const coverage *c)
{
    return (share){c->allowed.covered + c->denied.covered, c->allowed.all + c->denied.all};
}

void share_percent(buf *b, share s)
{
    const size_t thousandths = s.all ? s.covered * 1000 / s.all : 1000;
    buf_fmt(b, "%zu", thousandths / 10);
    if (thousandths % 10)
        buf_fmt(b, ".%zu", thousandths % 10);
    buf_char(b, '%');
}

bool percent_parse(const char *text, int64_t *out)
{
    span rest = span_of(text), whole;
    uint64_t n = 0, fraction = 0;
    if (rest.n && rest.p[rest.n - 1] == '%')
        rest.n--;
    const bool dotted = span_cut(&rest, '.', &whole);
    if (!span_u64(whole, 100, &n) || (dotted && (rest.n > 4 || !span_u64(rest, 9999, &fraction))))
        return false;
    for (size_t digits = rest.n; dotted && digits < 4; digits++)
        fraction *= 10;
    *out = (int64_t)(n * 10000 + fraction);
    return *out <= WHOLE;
}

bool share_is_under(share s, int64_t percent)
{
    return s.all && (int64_t)s.covered * WHOLE < percent * (int64_t)s.all;
}
