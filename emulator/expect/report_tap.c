/* TAP version 14. Diagnostics are YAML, whose strings are written as JSON writes them. */
#include "expect/report_words.h"

enum { NAME_BYTES_MAX = 64 * 1024 };

/* A description: '#' would begin a directive. */
static void put_description(buf *b, const char *text)
{
    auto_buf buf safe = buf_make(NAME_BYTES_MAX);
    put_safe(&safe, text);
    for (size_t i = 0; i < safe.n; i++) {
        if (safe.p[i] == '#' || safe.p[i] == '\\')
            buf_char(b, '\\');
        buf_char(b, safe.p[i]);
    }
}

static void put_key(buf *b, const char *key, const char *text)
{
    if (!text || !*text)
        return;
    buf_fmt(b, "  %s: ", key);
    buf_json(b, span_of(text));
    buf_char(b, '\n');
}

static void put_diagnostics(buf *b, const test_case *c, const outcome *o)
{
    auto_buf buf wanted = buf_make(256);
    auto_buf buf got = buf_make(256);
    expectation_put(&wanted, &c->wanted);
    put_got(&got, o);
    buf_str(b, "  ---\n  severity: fail\n");
    put_key(b, "expected", wanted.p);
    put_key(b, "got", got.p);
    put_key(b, "cause", o->cause);
    put_key(b, "nearest", o->nearest);
    put_key(b, "fix", o->fix);
    put_key(b, "local_fix", o->here);
    buf_str(b, "  at:\n  ");
    put_key(b, "file", c->at.file);
    buf_fmt(b, "    line: %u\n    column: %u\n  ...\n", c->at.line, c->at.column);
}

static void put_case(buf *b, size_t number, const test_case *c, const outcome *o)
{
    buf_fmt(b, "%s %zu - ", o->verdict == VERDICT_FAILED ? "not ok" : "ok", number);
    put_description(b, c->name);
    if (o->verdict == VERDICT_SKIPPED) {
        buf_str(b, " # SKIP ");
        put_description(b, o->skipped ? o->skipped : "not run");
    }
    buf_char(b, '\n');
    if (o->verdict == VERDICT_FAILED)
        put_diagnostics(b, c, o);
}

static void put_suite(buf *b, const report *r, const suite_report *of, size_t *number)
{
    for (size_t i = 0; i < of->s->count; i++)
        put_case(b, ++*number, &of->s->cases[i], &of->s->outcomes[i]);
    if (!of->has_coverage)
        return;
    buf_str(b, "# ");
    put_safe(b, of->s->topology);
    buf_str(b, ": coverage ");
    put_coverage(b, &of->coverage);
    buf_char(b, '\n');
    if (r->fail_under < 0)
        return;
    auto_buf buf name = buf_make(4096);
    put_fail_under(&name, r, of);
    buf_fmt(b, "%s %zu - ", is_under(r, of) ? "not ok" : "ok", ++*number);
    put_description(b, name.p);
    buf_char(b, '\n');
}

void report_tap(buf *b, const report *r)
{
    size_t all = 0, number = 0;
    for (size_t i = 0; i < r->count; i++)
        all += r->suites[i].s->count + (r->fail_under >= 0 && r->suites[i].has_coverage);
    buf_fmt(b, "TAP version 14\n1..%zu\n", all);
    for (size_t i = 0; i < r->count; i++)
        put_suite(b, r, &r->suites[i], &number);
}
