/* The fields of LogEntry, and what a value means that is compared with one. */
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/log_filter_impl.h"

enum { STEPS_MAX = 2, VALUE_MAX = 64 };

/* google.logging.v2.LogEntry. */
static const struct {
    const char *steps[STEPS_MAX];
    field_type type;
} fields[] = {
    {{"logName"}, FIELD_STRING},
    {{"resource"}, FIELD_MESSAGE},
    {{"resource", "type"}, FIELD_STRING},
    {{"resource", "labels"}, FIELD_LABELS},
    {{"textPayload"}, FIELD_STRING},
    {{"jsonPayload"}, FIELD_MESSAGE},
    {{"protoPayload"}, FIELD_MESSAGE},
    {{"timestamp"}, FIELD_TIME},
    {{"receiveTimestamp"}, FIELD_TIME},
    {{"severity"}, FIELD_SEVERITY},
    {{"insertId"}, FIELD_STRING},
    {{"httpRequest"}, FIELD_MESSAGE},
    {{"httpRequest", "requestMethod"}, FIELD_STRING},
    {{"httpRequest", "requestUrl"}, FIELD_STRING},
    {{"httpRequest", "requestSize"}, FIELD_NUMBER},
    {{"httpRequest", "status"}, FIELD_NUMBER},
    {{"httpRequest", "responseSize"}, FIELD_NUMBER},
    {{"httpRequest", "userAgent"}, FIELD_STRING},
    {{"httpRequest", "remoteIp"}, FIELD_STRING},
    {{"httpRequest", "serverIp"}, FIELD_STRING},
    {{"httpRequest", "referer"}, FIELD_STRING},
    {{"httpRequest", "latency"}, FIELD_DURATION},
    {{"httpRequest", "cacheLookup"}, FIELD_BOOL},
    {{"httpRequest", "cacheHit"}, FIELD_BOOL},
    {{"httpRequest", "cacheValidatedWithOriginServer"}, FIELD_BOOL},
    {{"httpRequest", "cacheFillBytes"}, FIELD_NUMBER},
    {{"httpRequest", "protocol"}, FIELD_STRING},
    {{"labels"}, FIELD_LABELS},
    {{"operation"}, FIELD_MESSAGE},
    {{"operation", "id"}, FIELD_STRING},
    {{"operation", "producer"}, FIELD_STRING},
    {{"operation", "first"}, FIELD_BOOL},
    {{"operation", "last"}, FIELD_BOOL},
    {{"trace"}, FIELD_STRING},
    {{"spanId"}, FIELD_STRING},
    {{"traceSampled"}, FIELD_BOOL},
    {{"sourceLocation"}, FIELD_MESSAGE},
    {{"sourceLocation", "file"}, FIELD_STRING},
    {{"sourceLocation", "line"}, FIELD_NUMBER},
    {{"sourceLocation", "function"}, FIELD_STRING},
    {{"split"}, FIELD_MESSAGE},
    {{"split", "uid"}, FIELD_STRING},
    {{"split", "index"}, FIELD_NUMBER},
    {{"split", "totalSplits"}, FIELD_NUMBER},
};

static char lower(char c)
{
    if (c < 'A' || c > 'Z')
        return c;
    return "abcdefghijklmnopqrstuvwxyz"[c - 'A'];
}

/* requestUrl, request_url and REQUESTURL are one name. */
static bool same_name(const char *field, const char *asked)
{
    for (;; field++, asked++) {
        while (*asked == '_')
            asked++;
        if (lower(*asked) != lower(*field))
            return false;
        if (!*field)
            return true;
    }
}

/* How many of the segments this row of the table stands for; 0: it is another field. */
static size_t row_matches(size_t row, const char *const *segments, size_t count)
{
    size_t n = 0;
    for (; n < STEPS_MAX && fields[row].steps[n]; n++)
        if (n == count || !same_name(fields[row].steps[n], segments[n]))
            return 0;
    return n;
}

static bool is_payload(const char *name)
{
    return span_ends(span_of(name), SPAN_LIT("Payload"));
}

static const char *joined(arena *a, const char *const *segments, size_t count)
{
    const char *all = segments[0];
    for (size_t i = 1; i < count; i++)
        all = arena_fmt(a, "%s.%s", all, segments[i]);
    return all;
}

bool field_find(arena *a, const char *const *segments, size_t count, comparison *c)
{
    size_t best = 0, used = 0;
    for (size_t row = 0; row < countof(fields); row++) {
        const size_t n = row_matches(row, segments, count);
        if (n > used) {
            best = row;
            used = n;
        }
    }
    if (!used)
        return false;
    c->type = fields[best].type;
    c->steps = arena_alloc(a, (count + 1) * sizeof *c->steps);
    memcpy(c->steps, fields[best].steps, used * sizeof *c->steps);
    if (used == count)
        return true;
    if (c->type == FIELD_LABELS) {
        c->type = FIELD_LABEL;
        c->steps[used] = joined(a, segments + used, count - used);
        return true;
    }
    if (!is_payload(c->steps[0]) || c->type != FIELD_MESSAGE)
        return false;
    c->type = FIELD_PART;
    memcpy(c->steps + used, segments + used, (count - used) * sizeof *c->steps);
    return true;
}

/* ---- values ---- */

static const char *const severities[] = {"DEFAULT", "DEBUG",    "INFO",  "NOTICE",   "WARNING",
                                         "ERROR",   "CRITICAL", "ALERT", "EMERGENCY"};

int log_severity_number(span name)
{
    for (size_t i = 0; i < countof(severities); i++)
        if (span_ieq_str(name, severities[i]))
            return (int)i * 100;
    uint64_t number;
    return span_u64(name, 800, &number) ? (int)number : -1;
}

const char *log_severity_name(int number)
{
    const bool named = number >= 0 && number % 100 == 0;
    return named && number / 100 < (int)countof(severities) ? severities[number / 100] : NULL;
}

bool number_of(span text, double *out)
{
    char copy[VALUE_MAX], *end = NULL;
    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (!strchr("+-.eE0123456789", text.p[i]))
            return false; /* strtod knows more: hexadecimal, infinities */
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

bool duration_seconds(span text, double *out)
{
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"ms", 1e-3}, {"us", 1e-6}, {"ns", 1e-9}, {"s", 1}, {"m", 60}, {"h", 3600}};
    double number;
    for (size_t i = 0; i < countof(units); i++) {
        const span unit = span_of(units[i].unit);
        if (!span_ends(text, unit) || !number_of((span){text.p, text.n - unit.n}, &number))
            continue;
        *out = number * units[i].seconds;
        return true;
    }
    return false;
}

/* Also a date alone and a time without a zone, which is then UTC. */
static bool time_us(span text, int64_t *out)
{
    char whole[VALUE_MAX];
    if (clock_parse_rfc3339(text, out))
        return true;
    const int n =
        snprintf(whole, sizeof whole, "%.*s%s", (int)(text.n < VALUE_MAX ? text.n : VALUE_MAX),
                 text.p, text.n == sizeof "2026-05-10" - 1 ? "T00:00:00Z" : "Z");
    return n < (int)sizeof whole && clock_parse_rfc3339((span){whole, (size_t)n}, out);
}

static bool flag_of(span text, bool *out)
{
    *out = span_ieq_str(text, "true");
    return *out || span_ieq_str(text, "false");
}

bool field_value(comparison *c, const char **out_expected)
{
    c->present = c->op == OP_HAS && span_eq_str(c->text, "*");
    if (c->present)
        return true;
    switch (c->type) {
    case FIELD_STRING:
    case FIELD_LABEL:
        return true;
    case FIELD_PART:
        c->is_number = number_of(c->text, &c->number);
        return true;
    case FIELD_LABELS:
    case FIELD_MESSAGE:
        *out_expected = "one of its own fields (only : searches all of them)";
        return c->op == OP_HAS;
    case FIELD_NUMBER:
        *out_expected = "a number";
        return number_of(c->text, &c->number);
    case FIELD_BOOL:
        *out_expected = "true or false";
        return flag_of(c->text, &c->flag);
    case FIELD_TIME:
        *out_expected = "a time like \"2026-05-10T05:57:08Z\"";
        return time_us(c->text, &c->time_us);
    case FIELD_DURATION:
        *out_expected = "a duration like \"1.5s\"";
        return duration_seconds(c->text, &c->number);
    case FIELD_SEVERITY:
        *out_expected = "DEFAULT, DEBUG, INFO, NOTICE, WARNING, ERROR, CRITICAL, ALERT or "
                        "EMERGENCY";
        c->number = log_severity_number(c->text);
        return c->number >= 0;
    }
    abort();
}
