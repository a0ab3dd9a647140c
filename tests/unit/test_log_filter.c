/* Cloud Logging's filters: what they let through, and how they are refused. */
#include "base/buf.h"
#include "base/clock.h"
#include "check_main.h"
#include "control/log_filter.h"

static const char request_entry[] =
    "{\"insertId\":\"663760330006df7c63521728\","
    "\"logName\":\"projects/my-project/logs/run.googleapis.com%2Frequests\","
    "\"timestamp\":\"2026-05-10T05:57:08.647307Z\","
    "\"receiveTimestamp\":\"2026-05-10T05:57:08.648855093Z\",\"severity\":\"WARNING\","
    "\"trace\":\"projects/my-project/traces/abf1c36d7e868424827714c3e4438d8a\","
    "\"traceSampled\":true,"
    "\"labels\":{\"instanceId\":\"00bf4bf\",\"invoker/reason\":\"no_grant\",\"a.b\":\"x\"},"
    "\"resource\":{\"type\":\"cloud_run_revision\",\"labels\":{\"project_id\":\"my-project\","
    "\"location\":\"us-central1\",\"service_name\":\"backend-api\","
    "\"revision_name\":\"backend-api-00001-abc\"}},"
    "\"httpRequest\":{\"requestMethod\":\"GET\",\"requestUrl\":\"http://backend.example/a?b=1\","
    "\"requestSize\":\"345\",\"status\":403,\"userAgent\":\"curl/8.5\",\"remoteIp\":"
    "\"203.0.113.7\",\"latency\":\"0.250000000s\",\"protocol\":\"HTTP/1.1\"},"
    "\"textPayload\":\"The request was not authorized\"}";

static const char line_entry[] =
    "{\"insertId\":\"a2\",\"logName\":\"projects/my-project/logs/run.googleapis.com%2Fstdout\","
    "\"timestamp\":\"2026-05-10T06:00:00Z\",\"textPayload\":\"{\\\"message\\\":\\\"Hello\\\"}\","
    "\"jsonPayload\":{\"message\":\"Hello world\",\"n\":7,\"half\":0.5,\"yes\":true,\"no\":null,"
    "\"user\":{\"name\":\"Ann\",\"tags\":[\"red\",\"green\"]},\"odd key\":{\"a.b\":\"c\"}},"
    "\"resource\":{\"type\":\"cloud_run_revision\",\"labels\":{\"service_name\":\"frontend\","
    "\"location\":\"us-central1\"}}}";

static json_t *request, *line;

static void setup(void)
{
    request = json_loads(request_entry, JSON_REJECT_DUPLICATES, NULL);
    line = json_loads(line_entry, JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(request);
    ck_assert_ptr_nonnull(line);
}

static void teardown(void)
{
    json_decref(request);
    json_decref(line);
}

static const struct {
    const char *filter;
    bool request, line;
} cases[] = {
    /* what gcloud sends */
    {"resource.type = cloud_run_revision \n AND resource.labels.service_name = backend-api \n AND "
     "resource.labels.location = us-central1 \n AND severity >= DEFAULT \n AND "
     "timestamp>=\"2026-01-01T00:00:00.000000Z\"",
     true, false},
    {"timestamp>=\"2026-05-10T05:57:09.000000Z\" AND resource.type=cloud_run_revision", false,
     true},
    {"severity>=ERROR AND resource.type = cloud_run_revision \n", false, false},
    /* nothing, blanks, comments */
    {"", true, true},
    {" \n\t", true, true},
    {"-- all of them\n", true, true},
    {"-- the first\nseverity=WARNING -- behind\nAND --between\n insertId:6637", true, false},
    /* text */
    {"insertId=a2", false, true},
    {"insertId = \"A2\"", false, true},
    {"insertId='a2'", false, true},
    {"insertId!=a2", true, false},
    {"insertId=a", false, false},
    {"insertId:A", false, true},
    {"insertId>a", false, true},
    {"insertId>=a2 ", false, true},
    {"insertId<a2", true, false},
    {"insertId<=\"a2\"", true, true},
    {"textPayload:\"NOT authorized\"", true, false},
    {"textPayload:authorized", true, false},
    {"log_name:stdout", false, true},
    {"logName=projects/my-project/logs/run.googleapis.com%2Fstdout", false, true},
    {"LOGNAME:stdout", false, true},
    {"http_request.request_method=get", true, false},
    {"httpRequest.requestUrl:\"/a?b=1\"", true, false},
    {"httpRequest.userAgent:curl", true, false},
    {"httpRequest.remoteIp=203.0.113.7", true, false},
    {"resource.labels.\"service_name\"=frontend", false, true},
    {"resource.labels.revision_name:00001", true, false},
    {"trace=projects/my-project/traces/abf1c36d7e868424827714c3e4438d8a", true, false},
    /* escapes */
    {"textPayload=\"{\\\"message\\\":\\\"Hello\\\"}\"", false, true},
    {"textPayload='{\"message\":\"Hello\"}'", false, true},
    {"insertId=\"\\x61\\062\"", false, true},
    {"insertId=\"\\u0061\\U00000032\"", false, true},
    {"insertId=\"\\u00e4\"", false, false},
    /* severity */
    {"severity=WARNING", true, false},
    {"severity=warning", true, false},
    {"severity!=WARNING", false, true},
    {"severity>INFO", true, false},
    {"severity>=WARNING", true, false},
    {"severity<ERROR", true, true},
    {"severity=DEFAULT", false, true},
    {"severity<=\"DEFAULT\"", false, true},
    {"severity>=400", true, false},
    {"severity=(WARNING OR ERROR)", true, false},
    {"severity:*", true, false},
    /* time */
    {"timestamp=\"2026-05-10T06:00:00Z\"", false, true},
    {"timestamp=\"2026-05-10T08:00:00+02:00\"", false, true},
    {"timestamp<\"2026-05-10T06:00:00Z\"", true, false},
    {"timestamp>=\"2026-05-10\"", true, true},
    {"timestamp>2026-05-10", true, true},
    {"timestamp<\"2026-05-10\"", false, false},
    {"timestamp>\"2026-05-10T05:59:59\"", false, true},
    {"timestamp>\"2026-05-10T05:57:08.647306Z\" timestamp<\"2026-05-10T05:57:08.647308Z\"", true,
     false},
    {"timestamp!=\"2026-05-10T06:00:00Z\"", true, false},
    {"receiveTimestamp<\"2030-01-01T00:00:00Z\"", true, false},
    /* numbers, durations, truth; a field of LogEntry that is absent has its default */
    {"httpRequest.status=403", true, false},
    {"httpRequest.status>=400 httpRequest.status<500", true, false},
    {"httpRequest.status!=403", false, true},
    {"httpRequest.status=0", false, true},
    {"httpRequest.status=(404 OR 403)", true, false},
    {"httpRequest.requestSize>344.5", true, false},
    {"httpRequest.requestSize<1e3", true, true},
    {"httpRequest.latency>0.2s", true, false},
    {"httpRequest.latency<=\"250ms\"", true, true},
    {"httpRequest.latency<1m", true, true},
    {"traceSampled=true", true, false},
    {"traceSampled=false", false, true},
    {"trace_sampled!=TRUE", false, true},
    {"textPayload!=x", true, true},
    {"spanId=\"\"", true, true},
    {"httpRequest:*", true, false},
    {"NOT httpRequest:*", false, true},
    {"httpRequest:curl", true, false},
    {"resource:frontend", false, true},
    /* labels: absent ones compare as false */
    {"labels.\"invoker/reason\"=no_grant", true, false},
    {"labels.invoker/reason=no_grant", true, false},
    {"labels.instanceId:bf4", true, false},
    {"labels.instanceid:bf4", false, false},
    {"labels.none=x", false, false},
    {"labels.none!=x", false, false},
    {"NOT labels.none=x", true, true},
    {"labels.\"a.b\"=x", true, false},
    {"labels.a.b=x", true, false},
    {"labels:instanceId", true, false},
    {"labels:no_grant", true, false},
    {"labels:nowhere", false, false},
    /* payload */
    {"jsonPayload.message=\"hello world\"", false, true},
    {"jsonPayload.message:WORLD", false, true},
    {"jsonPayload.Message:WORLD", false, false},
    {"jsonPayload.message!=x", false, true},
    {"jsonPayload.n=7", false, true},
    {"jsonPayload.n>6.5", false, true},
    {"jsonPayload.n>-1", false, true},
    {"jsonPayload.n=seven", false, false},
    {"jsonPayload.n!=seven", false, false},
    {"jsonPayload.half<0.75", false, true},
    {"jsonPayload.yes=true", false, true},
    {"jsonPayload.no=NULL_VALUE", false, true},
    {"jsonPayload.user.name=ann", false, true},
    {"jsonPayload.user.tags=green", false, true},
    {"jsonPayload.user.tags:ree", false, true},
    {"jsonPayload.user.tags=blue", false, false},
    {"jsonPayload.user:ann", false, true},
    {"jsonPayload.user=ann", false, false},
    {"jsonPayload.\"odd key\".\"a.b\"=c", false, true},
    {"jsonPayload.user.name:*", false, true},
    {"jsonPayload.nowhere:*", false, false},
    {"jsonPayload:green", false, true},
    {"jsonPayload.message=(hello OR \"hello world\")", false, true},
    {"jsonPayload.message:(hello AND world)", false, true},
    {"jsonPayload.message:(hello moon)", false, false},
    {"jsonPayload.message:(hello NOT moon)", false, true},
    /* anywhere */
    {"authorized", true, false},
    {"\"not authorized\"", true, false},
    {"frontend", false, true},
    {"GREEN", false, true},
    {"403", true, false},
    {"nowhere", false, false},
    {"curl GET", true, false},
    {"(green OR curl)", true, true},
    {"textPayload", false, false},
    /* functions */
    {"log_id(\"run.googleapis.com/stdout\")", false, true},
    {"LOG_ID(run.googleapis.com/requests)", true, false},
    {"NOT log_id(\"run.googleapis.com/stdout\")", true, false},
    {"log_id(\"stdout\")", false, false},
    /* logic: NOT, then OR, then AND */
    {"insertId=a2 OR severity=WARNING", true, true},
    {"insertId=a2 AND severity=WARNING", false, false},
    {"insertId=a2 severity=WARNING", false, false},
    {"insertId=a2\nresource.labels.service_name=frontend", false, true},
    {"insertId=a2 OR severity=WARNING AND severity=DEFAULT", false, true},
    {"severity=DEFAULT insertId=a2 OR severity=WARNING", false, true},
    {"severity=DEFAULT AND (insertId=a2 OR severity=WARNING)", false, true},
    {"NOT insertId=a2 OR severity=ERROR", true, false},
    {"NOT (insertId=a2 OR severity=WARNING)", false, false},
    {"NOT NOT insertId=a2", false, true},
    {"-insertId=a2", true, false},
    {"-authorized", false, true},
    {"-(insertId=a2)", true, false},
    {"severity=WARNING -textPayload:authorized", false, false},
    {"(((insertId=a2)))", false, true},
    {"(insertId=a2)(severity=DEFAULT)", false, true},
    {"insertId=x OR insertId=y OR insertId=a2", false, true},
    {"insertId:a AND insertId:2 AND NOT insertId:3", false, true},
    {"insertId = and", false, false},
    {"or OR and", true, true},
};

START_TEST(an_entry_matches_or_not)
{
    error e = {0};
    log_filter *f = log_filter_new(span_of(cases[_i].filter), &e);
    ck_assert_msg(f != NULL, "%s: %s", cases[_i].filter, e.text);
    ck_assert_msg(log_filter_matches(f, request) == cases[_i].request, "%s: the request",
                  cases[_i].filter);
    ck_assert_msg(log_filter_matches(f, line) == cases[_i].line, "%s: the line", cases[_i].filter);
    log_filter_free(f);
}
END_TEST

static const struct {
    const char *filter, *what;
} refusals[] = {
    {"severty=ERROR", "LogEntry has no field \"severty\" at line 1, column 1"},
    {"severity=ERROR\nAND foo.bar=1", "LogEntry has no field \"foo.bar\" at line 2, column 5"},
    {"httpRequest.foo=1", "LogEntry has no field \"httpRequest.foo\" at line 1, column 1"},
    {"severity.x=1", "has no field \"severity.x\""},
    {"severity=SEVERE", "expected DEFAULT, DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT "
                        "or EMERGENCY, not SEVERE at line 1, column 10"},
    {"severity=900", "not 900"},
    {"severity=(ERROR OR LOUD)", "not LOUD at line 1, column 20"},
    {"timestamp>yesterday", "expected a time like \"2026-05-10T05:57:08Z\", not yesterday at line "
                            "1, column 11"},
    {"timestamp>\"2026-02-30\"", "expected a time"},
    {"timestamp>=2026-05-10T00:00:00Z", "not 2026-05-10T00 at line 1, column 12"},
    {"httpRequest.status=ok", "expected a number, not ok at line 1, column 20"},
    {"httpRequest.status=0x10", "expected a number"},
    {"httpRequest.status=inf", "expected a number"},
    {"httpRequest.latency>5", "expected a duration like \"1.5s\", not 5"},
    {"traceSampled=yes", "expected true or false, not yes"},
    {"resource=x", "expected one of its own fields (only : searches all of them), not x"},
    {"labels!=x", "expected one of its own fields"},
    {"insertId=", "expected a value at line 1, column 10"},
    {"insertId=)", "expected a value at line 1, column 10"},
    {"insertId=abc:def", "expected a field's name in front of the operator at line 1, column 13"},
    {"insertId==a", "expected a value at line 1, column 10"},
    {"=a", "expected a field's name in front of the operator at line 1, column 1"},
    {"\"insertId\"=a", "expected a field's name in front of the operator at line 1, column 1"},
    {"insertId=\"a", "a string has no closing quote at line 1, column 10"},
    {"'", "a string has no closing quote at line 1, column 1"},
    {"\"a\\", "a string has no closing quote"},
    {"insertId=\"\\q\"", "unknown escape sequence in a string at line 1, column 11"},
    {"insertId=\"ab\\x4\"", "unknown escape sequence in a string at line 1, column 13"},
    {"insertId=\"\\ud800\"", "unknown escape sequence"},
    {"insertId=\"\\U00110000\"", "unknown escape sequence"},
    {"insertId=\"\\000\"", "unknown escape sequence"},
    {"(insertId=a", "'(' has no ')' at line 1, column 1"},
    {"insertId=(a OR b", "'(' has no ')' at line 1, column 10"},
    {"insertId=a)", "')' closes nothing at line 1, column 11"},
    {"()", "unexpected ')' at line 1, column 2"},
    {"insertId=()", "unexpected ')' at line 1, column 11"},
    {"insertId!=(a OR b)", "several values can be compared with = and : only at line 1, column 11"},
    {"insertId=(a OR trace=b)", "expected a value: what is within these parentheses"},
    {"AND", "expected a comparison on both sides of AND and OR at line 1, column 1"},
    {"insertId=a AND", "the filter ends where a comparison is expected at line 1, column 15"},
    {"insertId=a OR", "the filter ends where a comparison is expected"},
    {"insertId=a AND OR trace=b", "on both sides of AND and OR at line 1, column 16"},
    {"NOT", "the filter ends where a comparison is expected at line 1, column 4"},
    {"NOT AND", "on both sides"},
    {"a, b", "unexpected ',' at line 1, column 2"},
    {"a!b", "unexpected '!' at line 1, column 2"},
    {"labels..a=b", "a field's name has an empty part at line 1, column 8"},
    {".a=b", "a field's name has an empty part at line 1, column 1"},
    {"labels.=b", "a field's name has an empty part"},
    {"labels.\"a\"b=c", "expected '.' between a name's parts at line 1, column 11"},
    {"textPayload=~\"a.*\"", "regular expressions are not supported here (use : or =) at line 1, "
                             "column 12"},
    {"textPayload !~ x", "regular expressions are not supported here (use : or =) at line 1, "
                         "column 13"},
    {"sample(insertId, 0.5)", "the function sample is not supported here (log_id is) at line 1, "
                              "column 1"},
    {"severity=ERROR ip_in_net(httpRequest.remoteIp, \"10.0.0.0/8\")",
     "the function ip_in_net is not supported here (log_id is) at line 1, column 16"},
    {"SEARCH(\"x\")", "the function SEARCH is not supported here"},
    {"log_id()", "log_id expects the ID of a log at line 1, column 8"},
    {"log_id(a, b)", "expected ')': log_id takes one ID at line 1, column 9"},
    {"\"\xc3\xa4\xc3\xb6\" foo=1", "LogEntry has no field \"foo\" at line 1, column 6"},
    {"\xff", "the filter is not valid UTF-8 at line 1, column 1"},
};

START_TEST(a_filter_is_refused_with_its_place)
{
    error e = {0};
    ck_assert_msg(log_filter_new(span_of(refusals[_i].filter), &e) == NULL, "%s",
                  refusals[_i].filter);
    ck_assert_int_eq(e.kind, ERR_INVALID);
    ck_assert_msg(strncmp(e.text, "Unparseable filter: ", 20) == 0, "%s", e.text);
    ck_assert_msg(strstr(e.text, refusals[_i].what) != NULL, "%s: %s", refusals[_i].filter, e.text);
}
END_TEST

/* Repeats a text; caller frees. */
static char *times(const char *text, size_t n)
{
    auto_buf buf b = buf_make(n * strlen(text) + 1);
    for (size_t i = 0; i < n; i++)
        buf_str(&b, text);
    return buf_take(&b);
}

static void refused(const char *filter, const char *what)
{
    error e = {0};
    ck_assert_ptr_null(log_filter_new(span_of(filter), &e));
    ck_assert_msg(strstr(e.text, what) != NULL, "%s", e.text);
}

START_TEST(what_is_nested_too_deep_is_refused)
{
    auto_free char *parentheses = times("(", 5000);
    auto_free char *minus = times("- ", 5000);
    auto_free char *nots = times("NOT ", 4000);
    auto_free char *values = times("insertId=(", 1000);
    refused(parentheses, "too much is nested at line 1, column 101");
    refused(minus, "too much is nested");
    refused(nots, "too much is nested");
    refused(values, "expected a value");
}
END_TEST

START_TEST(a_filter_that_is_too_long_is_refused_and_the_longest_is_not)
{
    auto_free char *allowed = times("insertId=a OR ", LOG_FILTER_CHARACTERS_MAX / 14);
    auto_buf buf b = buf_make(SIZE_MAX / 2);
    buf_str(&b, allowed);
    buf_str(&b, "trace=a");
    log_filter *f = log_filter_new(buf_view(&b), NULL);
    ck_assert_ptr_nonnull(f);
    ck_assert(!log_filter_matches(f, request));
    log_filter_free(f);
    auto_free char *wide = times("\xc3\xa4", LOG_FILTER_CHARACTERS_MAX);
    f = log_filter_new(span_of(wide), NULL);
    ck_assert_ptr_nonnull(f);
    log_filter_free(f);
    auto_free char *longer = times("a", LOG_FILTER_CHARACTERS_MAX + 1);
    refused(longer, "The filter has 20001 characters; 20000 are allowed");
}
END_TEST

START_TEST(bounds_are_what_every_match_has)
{
    static const struct {
        const char *filter, *service;
        int64_t from_us, till_us;
    } rows[] = {
        {"", "", INT64_MIN, INT64_MAX},
        {"resource.labels.service_name=a AND severity>=ERROR", "a", INT64_MIN, INT64_MAX},
        {"severity>=ERROR (trace=b resource.labels.service_name=a)", "a", INT64_MIN, INT64_MAX},
        {"resource.labels.service_name:a", "", INT64_MIN, INT64_MAX},
        {"resource.labels.service_name!=a", "", INT64_MIN, INT64_MAX},
        {"NOT resource.labels.service_name=a", "", INT64_MIN, INT64_MAX},
        {"resource.labels.service_name=a OR trace=b", "", INT64_MIN, INT64_MAX},
        {"resource.labels.service_name=(a OR b)", "", INT64_MIN, INT64_MAX},
        {"labels.service_name=a", "", INT64_MIN, INT64_MAX},
        {"timestamp>=\"1970-01-01T00:00:01Z\" timestamp<\"1970-01-01T00:00:03Z\"", "", 1000000,
         3000000},
        {"timestamp>\"1970-01-01T00:00:01Z\" timestamp>\"1970-01-01T00:00:02Z\"", "", 2000000,
         INT64_MAX},
        {"timestamp=\"1970-01-01T00:00:01Z\"", "", 1000000, 1000000},
        {"timestamp!=\"1970-01-01T00:00:01Z\"", "", INT64_MIN, INT64_MAX},
        {"timestamp:*", "", INT64_MIN, INT64_MAX},
        {"receiveTimestamp>\"1970-01-01T00:00:01Z\"", "", INT64_MIN, INT64_MAX},
    };
    for (size_t i = 0; i < countof(rows); i++) {
        log_filter *f = log_filter_new(span_of(rows[i].filter), NULL);
        ck_assert_ptr_nonnull(f);
        const log_bounds b = log_filter_bounds(f);
        ck_assert_msg(span_eq_str(b.service, rows[i].service), "%s", rows[i].filter);
        ck_assert_msg(b.from_us == rows[i].from_us && b.till_us == rows[i].till_us, "%s",
                      rows[i].filter);
        log_filter_free(f);
    }
    log_filter_free(NULL);
}
END_TEST

/* Two of the filters above, joined somewhere, with some bytes replaced; *seed goes on. */
static void mutate(buf *out, uint64_t *seed)
{
    static const char bytes[] = "()\"'-:=<>!~.,* \n\\AOND0a\xc3\xa4\xff";
    uint64_t r[4];
    for (size_t i = 0; i < countof(r); i++)
        r[i] = (*seed = *seed * 6364136223846793005u + 1442695040888963407u) >> 33;
    const span a = span_of(cases[r[0] % countof(cases)].filter);
    const span b = span_of(cases[r[1] % countof(cases)].filter);
    buf_clear(out);
    buf_add(out, a.p, r[2] % (a.n + 1));
    buf_span(out, span_from(b, r[3] % (b.n + 1)));
    for (size_t i = 0; i < r[0] % 3 && out->n; i++)
        out->p[r[i + 1] % out->n] = bytes[r[i + 2] % (sizeof bytes - 1)];
}

START_TEST(whatever_the_bytes_it_is_a_filter_or_refused_with_a_place)
{
    uint64_t seed = 1;
    size_t good = 0;
    int64_t us = 0;
    auto_buf buf b = buf_make(1 << 20);
    ck_assert(clock_parse_rfc3339(span_of(json_string_value(json_object_get(request, "timestamp"))),
                                  &us));
    for (int i = 0; i < 5000; i++) {
        error e = {0};
        mutate(&b, &seed);
        log_filter *f = log_filter_new(buf_view(&b), &e);
        if (!f)
            ck_assert_msg(strstr(e.text, " at line ") != NULL, "%s", e.text);
        else if (log_filter_matches(f, request)) {
            const log_bounds bounds = log_filter_bounds(f);
            ck_assert_msg(us >= bounds.from_us && us <= bounds.till_us, "%.*s", (int)b.n, b.p);
            good++;
        }
        log_filter_free(f);
    }
    ck_assert_uint_gt(good, 50); /* most are refused */
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log_filter");
    TCase *t = tcase_create("log_filter");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 30);
    tcase_add_loop_test(t, an_entry_matches_or_not, 0, (int)countof(cases));
    tcase_add_loop_test(t, a_filter_is_refused_with_its_place, 0, (int)countof(refusals));
    tcase_add_test(t, what_is_nested_too_deep_is_refused);
    tcase_add_test(t, a_filter_that_is_too_long_is_refused_and_the_longest_is_not);
    tcase_add_test(t, bounds_are_what_every_match_has);
    tcase_add_test(t, whatever_the_bytes_it_is_a_filter_or_refused_with_a_place);
    suite_add_tcase(s, t);
    return check_main(s);
}
