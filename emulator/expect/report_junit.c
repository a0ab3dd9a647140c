/* JUnit XML as CI systems read it: one testsuite for each topology. */
#include "base/clock.h"
#include "expect/report_words.h"

/* XML 1.0 has no way to write most control characters, nor bytes that are not UTF-8. */
static void put_xml(buf *b, const char *text)
{
    span rest = span_of(text);
    while (rest.n) {
        const size_t n = utf8_length(rest);
        const unsigned char c = (unsigned char)rest.p[0];
        const bool control = c < 0x20 && c != '\n' && c != '\t';
        const bool none = n == 3 && memcmp(rest.p, "\xEF\xBF", 2) == 0 &&
                          (unsigned char)rest.p[2] >= 0xBE; /* U+FFFE, U+FFFF */
        if (!n || control || none || c == 0x7F)
            buf_str(b, "\xEF\xBF\xBD");
        else if (c == '\n' || c == '\t')
            buf_fmt(b, "&#%d;", c);
        else
            buf_html(b, (span){rest.p, n});
        rest = span_from(rest, n ? n : 1);
    }
}

static void put_attribute(buf *b, const char *name, const char *text)
{
    buf_fmt(b, " %s=\"", name);
    put_xml(b, text);
    buf_char(b, '"');
}

static void put_row(buf *b, const char *name, const char *text)
{
    if (!text || !*text)
        return;
    buf_fmt(b, "%s: ", name);
    put_xml(b, text);
    buf_str(b, "&#10;");
}

static void put_failure(buf *b, const test_case *c, const outcome *o)
{
    auto_buf buf message = buf_make(512);
    buf_str(&message, "expected ");
    expectation_put(&message, &c->wanted);
    buf_str(&message, ", got ");
    put_got(&message, o);
    buf_str(b, "<failure");
    put_attribute(b, "message", message.p);
    put_attribute(b, "type", o->got == REASON_COUNT_ ? "nothing" : reason_info(o->got)->name);
    buf_char(b, '>');
    buf_str(b, "at: ");
    put_xml(b, c->at.file);
    buf_fmt(b, ":%u&#10;", c->at.line);
    put_row(b, "cause", o->cause);
    put_row(b, "nearest", o->nearest);
    put_row(b, "fix", o->fix);
    put_row(b, "here", o->here);
    buf_str(b, "</failure>");
}

static void put_case(buf *b, const suite *s, const test_case *c, const outcome *o)
{
    buf_str(b, "<testcase");
    put_attribute(b, "name", c->name);
    put_attribute(b, "classname", s->topology);
    put_attribute(b, "file", c->at.file);
    buf_fmt(b, " line=\"%u\" time=\"0\">", c->at.line);
    if (o->verdict == VERDICT_FAILED) {
        put_failure(b, c, o);
    } else if (o->verdict == VERDICT_SKIPPED) {
        buf_str(b, "<skipped");
        put_attribute(b, "message", o->skipped ? o->skipped : "not run");
        buf_str(b, "/>");
    }
    buf_str(b, "</testcase>\n");
}

static void put_coverage_case(buf *b, const report *r, const suite_report *of)
{
    auto_buf buf name = buf_make(4096);
    put_fail_under(&name, r, of);
    buf_str(b, "<testcase name=\"coverage\"");
    put_attribute(b, "classname", of->s->topology);
    put_attribute(b, "file", of->s->topology);
    buf_str(b, " line=\"1\" time=\"0\">");
    if (is_under(r, of)) {
        buf_str(b, "<failure");
        put_attribute(b, "message", name.p);
        buf_str(b, " type=\"coverage\"/>");
    }
    buf_str(b, "</testcase>\n");
}

static void put_seconds(buf *b, int64_t us)
{
    buf_fmt(b, " time=\"%lld.%06lld\"", (long long)(us / 1000000), (long long)(us % 1000000));
}

static void put_suite(buf *b, const report *r, const suite_report *of)
{
    const suite *s = of->s;
    const bool checks_coverage = r->fail_under >= 0 && of->has_coverage;
    char when[CLOCK_RFC3339_MAX];
    clock_rfc3339(r->started_us, 0, when);
    when[strcspn(when, "Z")] = '\0'; /* the schemas' form of ISO 8601 has no zone */
    buf_str(b, "<testsuite");
    put_attribute(b, "name", s->topology);
    buf_fmt(b, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"",
            s->count + checks_coverage, suite_tally(s, VERDICT_FAILED) + is_under(r, of),
            suite_tally(s, VERDICT_SKIPPED));
    put_seconds(b, r->took_us);
    buf_fmt(b, " timestamp=\"%s\" hostname=\"localhost\">\n", when);
    for (size_t i = 0; i < s->count; i++)
        put_case(b, s, &s->cases[i], &s->outcomes[i]);
    if (checks_coverage)
        put_coverage_case(b, r, of);
    buf_str(b, "</testsuite>\n");
}

void report_junit(buf *b, const report *r)
{
    size_t tests = 0, failures = report_tally(r, VERDICT_FAILED);
    for (size_t i = 0; i < r->count; i++) {
        tests += r->suites[i].s->count + (r->fail_under >= 0 && r->suites[i].has_coverage);
        failures += is_under(r, &r->suites[i]);
    }
    buf_fmt(b,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"invoker\" "
            "tests=\"%zu\" failures=\"%zu\" errors=\"0\"",
            tests, failures);
    put_seconds(b, r->took_us);
    buf_str(b, ">\n");
    for (size_t i = 0; i < r->count; i++)
        put_suite(b, r, &r->suites[i]);
    buf_str(b, "</testsuites>\n");
}
