/* For programs: everything. */
#include "decision/explain.h"
#include "expect/report_words.h"

enum { WORDS_MAX = 64 * 1024 };

static void put_text(buf *b, const char *key, const char *text)
{
    if (!text)
        return;
    buf_fmt(b, ",\"%s\":", key);
    buf_json(b, span_of(text));
}

static void put_got_json(buf *b, const outcome *o)
{
    if (o->got == REASON_COUNT_)
        return;
    const reason_row *row = reason_info(o->got);
    buf_fmt(b, ",\"got\":{\"allowed\":%s,\"status\":%u,\"reason\":\"%s\"}",
            row->allows ? "true" : "false", reason_status(o->got), row->name);
}

static void put_case(buf *b, const test_case *c, const outcome *o)
{
    static const char *const results[] = {
        [VERDICT_SKIPPED] = "skipped", [VERDICT_PASSED] = "passed", [VERDICT_FAILED] = "failed"};
    auto_buf buf wanted = buf_make(256);
    expectation_put(&wanted, &c->wanted);
    buf_str(b, "{\"name\":");
    buf_json(b, span_of(c->name));
    put_text(b, "file", c->at.file);
    buf_fmt(b, ",\"line\":%u,\"column\":%u", c->at.line, c->at.column);
    put_text(b, "caller", c->call.caller ? c->call.caller : "anonymous");
    put_text(b, "service", c->call.service);
    put_text(b, "host", c->call.host);
    put_text(b, "path", c->call.path);
    put_text(b, "audience", c->call.audience);
    put_text(b, "token", token_way_name(c->call.way));
    put_text(b, "expected", wanted.p);
    buf_fmt(b, ",\"result\":\"%s\"", results[o->verdict]);
    put_got_json(b, o);
    put_text(b, "explanation", o->cause);
    put_text(b, "nearest", o->nearest);
    put_text(b, "fix", o->fix);
    put_text(b, "local_fix", o->here);
    if (o->verdict == VERDICT_SKIPPED)
        put_text(b, "skipped", o->skipped ? o->skipped : "not run");
    buf_char(b, '}');
}

static void put_share(buf *b, const char *key, share s)
{
    auto_buf buf percent = buf_make(32);
    share_percent(&percent, s);
    buf_fmt(b, "\"%s\":{\"covered\":%zu,\"of\":%zu,\"percent\":%.*s}", key, s.covered, s.all,
            (int)percent.n - 1, percent.p);
}

static void put_coverage_json(buf *b, const suite_report *of)
{
    const coverage *c = &of->coverage;
    const char *comma = "";
    buf_str(b, ",\"coverage\":{");
    put_share(b, "total", coverage_total(c));
    buf_char(b, ',');
    put_share(b, "allowed", c->allowed);
    buf_char(b, ',');
    put_share(b, "denied", c->denied);
    buf_str(b, ",\"uncovered\":[");
    for (size_t i = 0; i < c->rows.count * c->columns; i++) {
        const cell *at = &c->cells[i];
        if (at->covered)
            continue;
        const char *email = c->rows.emails[i / c->columns];
        buf_fmt(b, "%s{\"caller\":", comma);
        buf_json(b, span_of(email ? email : "anonymous"));
        put_text(b, "service", snapshot_service(of->s->s, i % c->columns)->name);
        buf_fmt(b, ",\"allowed\":%s,\"reason\":\"%s\"}",
                reason_info(at->reason)->allows ? "true" : "false", reason_info(at->reason)->name);
        comma = ",";
    }
    buf_str(b, "]}");
}

static void put_unused(buf *b, const suite_report *of)
{
    buf_str(b, ",\"unused_bindings\":[");
    for (size_t i = 0; i < of->unused_count; i++) {
        const binding *g = of->unused[i];
        auto_buf buf text = buf_make(WORDS_MAX);
        buf_fmt(b, "%s{\"member\":", i ? "," : "");
        buf_json(b, span_of(g->member));
        put_text(b, "role", g->role);
        buf_str(&text, g->project_level ? "project" : "service ");
        if (!g->project_level)
            buf_str(&text, snapshot_service(of->s->s, g->service)->name);
        put_text(b, "on", text.p);
        buf_clear(&text);
        place_put(&text, g->place, true);
        put_text(b, "at", text.n ? text.p : NULL);
        buf_clear(&text);
        explain_revoke(&text, of->s->s, g);
        put_text(b, "fix", text.p);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

static void put_suite(buf *b, const suite_report *of)
{
    const suite *s = of->s;
    buf_str(b, "{\"topology\":");
    buf_json(b, span_of(s->topology));
    buf_str(b, ",\"files\":[");
    for (size_t i = 0; i < s->file_count; i++) {
        buf_str(b, i ? "," : "");
        buf_json(b, span_of(s->files[i]));
    }
    buf_fmt(b, "],\"passed\":%zu,\"failed\":%zu,\"skipped\":%zu,\"cases\":[",
            suite_tally(s, VERDICT_PASSED), suite_tally(s, VERDICT_FAILED),
            suite_tally(s, VERDICT_SKIPPED));
    for (size_t i = 0; i < s->count; i++) {
        buf_str(b, i ? ",\n" : "\n");
        put_case(b, &s->cases[i], &s->outcomes[i]);
    }
    buf_char(b, ']');
    if (of->has_coverage) {
        put_coverage_json(b, of);
        put_unused(b, of);
    }
    buf_char(b, '}');
}

void report_json(buf *b, const report *r)
{
    buf_fmt(b, "{\"ok\":%s,\"live\":%s,\"passed\":%zu,\"failed\":%zu,\"skipped\":%zu",
            report_is_good(r) ? "true" : "false", r->live ? "true" : "false",
            report_tally(r, VERDICT_PASSED), report_tally(r, VERDICT_FAILED),
            report_tally(r, VERDICT_SKIPPED));
    buf_fmt(b, ",\"took_us\":%lld,\"suites\":[", (long long)r->took_us);
    for (size_t i = 0; i < r->count; i++) {
        buf_str(b, i ? "," : "");
        put_suite(b, &r->suites[i]);
    }
    buf_str(b, "]}\n");
}
