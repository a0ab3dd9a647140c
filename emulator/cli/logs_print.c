/* Whatever came from outside is shown without control characters. */
#include "cli/logs_print.h"

#include <string.h>

#include "cli/why_view.h"
#include "decision/explain.h"

#define RED   "\033[31m"
#define GREEN "\033[32m"
#define DIM   "\033[2m"
#define PLAIN "\033[0m"

static void put_str(buf *b, const char *text)
{
    explain_clean(b, span_of(text));
}

static void colour(buf *b, const logs_style *style, const char *sequence)
{
    if (style->colour)
        buf_str(b, sequence);
}

/* "2026-11-29T12:01:23.707714Z" → "12:01:23.707", as in the daemons' own logs. */
static void put_time(buf *b, const char *timestamp)
{
    const span time = span_of(timestamp);
    if (time.n >= 23)
        explain_clean(b, (span){time.p + 11, 12});
    else
        explain_clean(b, time);
}

/* A service account's e-mail without its domain, which is the same for all of them. */
static void put_caller(buf *b, const json_t *entry)
{
    const span domain = SPAN_LIT(".iam.gserviceaccount.com");
    bool proved = true;
    span who = span_of(decision_caller(entry, &proved));
    if (span_ends(who, domain))
        who.n -= domain.n;
    explain_clean(b, who);
    if (!proved)
        buf_str(b, DECISION_NOT_PROVED);
}

static void put_latency(buf *b, json_int_t us)
{
    const long long n = us > 0 ? (long long)us : 0;
    if (n < 10000)
        buf_fmt(b, "%lld.%lld ms", n / 1000, n / 100 % 10);
    else if (n < 10000000)
        buf_fmt(b, "%lld ms", n / 1000);
    else
        buf_fmt(b, "%lld.%lld s", n / 1000000, n / 100000 % 10);
}

/* "no_grant", "granted, refused_by_upstream"; what audit mode let through says so. */
static void put_outcome(buf *b, const json_t *entry)
{
    const char *why = decision_text(entry, "reason");
    const char *failure = decision_text(entry, "failure");
    put_str(b, why);
    if (*why && *failure)
        buf_str(b, ", ");
    put_str(b, failure);
    if (!*why && !*failure)
        buf_str(b, "undecided");
    if (json_is_false(json_object_get(entry, "enforced")) &&
        json_is_false(json_object_get(entry, "allowed")))
        buf_str(b, " (audit: let through)");
}

static bool is_trouble(const json_t *entry)
{
    return !json_is_true(json_object_get(entry, "allowed")) || *decision_text(entry, "explanation");
}

static void put_line(buf *b, const json_t *entry, const logs_style *style)
{
    const char *host = decision_text(entry, "host");
    const char *name = decision_text(entry, "service");
    const span id = span_of(decision_text(entry, "id"));
    put_time(b, decision_text(entry, "timestamp"));
    buf_char(b, ' ');
    colour(b, style, is_trouble(entry) ? RED : GREEN);
    buf_fmt(b, "%3lld ", (long long)json_integer_value(json_object_get(entry, "status")));
    put_outcome(b, entry);
    colour(b, style, PLAIN);
    buf_str(b, "  ");
    put_caller(b, entry);
    buf_str(b, " -> ");
    put_str(b, *name ? name : *host ? host : "(no service)");
    buf_str(b, "  ");
    put_str(b, decision_text(entry, "method"));
    buf_char(b, ' ');
    put_str(b, decision_text(entry, "path"));
    buf_str(b, "  ");
    put_latency(b, json_integer_value(json_object_get(entry, "latency_us")));
    if (id.n)
        buf_str(b, "  ");
    colour(b, style, DIM);
    explain_clean(b, (span){id.p, id.n < style->id_shown ? id.n : style->id_shown});
    colour(b, style, PLAIN);
    buf_char(b, '\n');
}

static void put_advice(buf *b, const json_t *entry, const logs_style *style)
{
    static const char *const lines[][2] = {
        {"cause", "explanation"}, {"production", "fix"}, {"here", "local_fix"}};
    for (size_t i = 0; i < countof(lines); i++) {
        const char *text = decision_text(entry, lines[i][1]);
        if (!*text)
            continue;
        colour(b, style, DIM);
        buf_fmt(b, "    %-11s ", lines[i][0]);
        colour(b, style, PLAIN);
        put_str(b, text);
        buf_char(b, '\n');
    }
}

void logs_put(buf *b, const json_t *entry, const logs_style *style)
{
    put_line(b, entry, style);
    if (!style->brief && is_trouble(entry))
        put_advice(b, entry, style);
}

static size_t common(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

size_t logs_id_shown(const json_t *list)
{
    size_t shown = LOGS_ID_SHOWN;
    for (size_t i = 0; i < json_array_size(list); i++)
        for (size_t j = 0; j < i; j++) {
            const size_t same = common(decision_text(json_array_get(list, i), "id"),
                                       decision_text(json_array_get(list, j), "id"));
            if (same >= shown)
                shown = same + 1;
        }
    return shown;
}
