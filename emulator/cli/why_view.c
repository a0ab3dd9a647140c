/* A decision for people: what was asked, each check with what it compared, cause and cure. From the
 * JSON in which all of it is told, so that a made-up call and a remembered one look the same. */
#include "cli/why_view.h"

#include <string.h>

#include "base/span.h"
#include "decision/explain.h"

enum { CALLER_MAX = 16 * 1024 };

const char *decision_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* What a decision holds came from outside: control characters stay out of the terminal. Lines
 * behind the first stand below it. */
static void put_clean(buf *b, const char *text, const char *indent)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_fmt(b, "\n%s", indent);
        else
            explain_char(b, *text);
    }
}

static void put_line(buf *b, const char *name, const char *text)
{
    if (!*text)
        return;
    buf_fmt(b, "  %-11s ", name);
    put_clean(b, text, "              ");
    buf_char(b, '\n');
}

static void put_lines(buf *b, const json_t *d, const char *const lines[][2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_line(b, lines[i][0], decision_text(d, lines[i][1]));
}

/* ---- checks ---- */

/* The value that the check saw stands beside its name; the one that it wanted only where they
 * differ. */
static void put_check(buf *b, const json_t *check, bool colour)
{
    const char *result = decision_text(check, "result"), *got = decision_text(check, "got");
    const char *hint = decision_text(check, "hint");
    const bool failed = strcmp(result, "fail") == 0;
    const char *paint = !colour                       ? ""
                        : failed                      ? "\033[31m"
                        : strcmp(result, "pass") == 0 ? "\033[32m"
                                                      : "\033[2m";
    buf_fmt(b, "  %s%-11s%s ", paint, result, colour ? "\033[0m" : "");
    if (*got && !failed) {
        buf_fmt(b, "%-18s ", decision_text(check, "check"));
        put_clean(b, got, "");
        if (*hint) {
            buf_str(b, " (");
            put_clean(b, hint, "");
            buf_char(b, ')');
        }
    } else {
        buf_str(b, decision_text(check, "check"));
    }
    buf_char(b, '\n');
    if (!failed)
        return;
    static const char *const parts[][2] = {{"wanted", "wanted"}, {"got", "got"}, {"near", "hint"}};
    for (size_t i = 0; i < countof(parts); i++) {
        const char *text = decision_text(check, parts[i][1]);
        if (!*text)
            continue;
        buf_fmt(b, "              %-18s ", parts[i][0]);
        put_clean(b, text, "");
        buf_char(b, '\n');
    }
}

static void put_checks(buf *b, const json_t *d, bool colour)
{
    size_t i;
    json_t *check;
    json_array_foreach (json_object_get(d, "checks"), i, check)
        put_check(b, check, colour);
    if (i)
        buf_char(b, '\n');
}

/* ---- who ---- */

const char *decision_caller(const json_t *d, bool *out_proved)
{
    const json_t *made_from = json_object_get(d, "facts");
    const char *claimed = decision_text(json_object_get(made_from, "claims"), "email");
    const bool anonymous = !*decision_text(d, "header");
    *out_proved = *decision_text(d, "caller") || anonymous;
    if (*decision_text(d, "caller"))
        return decision_text(d, "caller");
    return anonymous ? "anonymous" : *claimed ? claimed : "somebody";
}

static void put_caller(buf *b, const json_t *d)
{
    bool proved = true;
    auto_buf buf who = buf_make(CALLER_MAX);
    buf_str(&who, decision_caller(d, &proved));
    if (!proved)
        buf_str(&who, DECISION_NOT_PROVED);
    put_line(b, "caller", buf_ok(&who) ? who.p : "");
}

/* ---- all ---- */

void why_view(buf *b, const json_t *d, bool colour)
{
    static const char *const before[][2] = {
        {"id", "id"},         {"time", "timestamp"}, {"service", "service"},
        {"method", "method"}, {"path", "path"},      {"host", "host"},
    };
    static const char *const credential[][2] = {{"header", "header"}, {"failure", "failure"}};
    static const char *const after[][2] = {
        {"challenge", "www_authenticate"}, {"log", "log_text"},
        {"cause", "explanation"},          {"production", "fix"},
        {"terraform", "terraform"},        {"here", "local_fix"},
        {"learn more", "learn_more"},      {"trace", "trace"},
    };
    if (*decision_text(d, "id")) {
        put_lines(b, d, before, countof(before));
        put_caller(b, d);
        put_lines(b, d, credential, countof(credential));
        buf_char(b, '\n');
    }
    put_checks(b, d, colour);
    put_line(b, "request", decision_text(d, "request"));
    if (json_is_false(json_object_get(d, "logged")))
        put_line(b, "log", "(production writes no log entry)");
    put_lines(b, d, after, countof(after));
}
