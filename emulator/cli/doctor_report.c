/* Collecting findings, and printing them. Texts may hold what others wrote: to a terminal they go
 * without control characters. */
#include "cli/doctor_report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "decision/explain.h"

enum { TEXT_MAX = 16 * 1024 };

static char *vtext_of(const char *fmt, va_list args) PRINTF_LIKE(1, 0);
static char *vtext_of(const char *fmt, va_list args)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    buf_vfmt(&b, fmt, args);
    char *text = buf_take(&b);
    return text ? text : span_dup(SPAN_LIT("(too long)"));
}

char *text_of(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = vtext_of(fmt, args);
    va_end(args);
    return text;
}

/* ---- collecting ---- */

void report_free(report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->findings[i].seen);
        free(r->findings[i].expected);
        free(r->findings[i].mend);
    }
    for (size_t i = 0; i < r->library_count; i++) {
        free(r->libraries[i].asks);
        free(r->libraries[i].as);
        free(r->libraries[i].why);
    }
    free(r->findings);
    free(r->libraries);
    free(r->head);
    free(r->notice);
    *r = (report){0};
}

finding *report_add(report *r, finding_level level, const char *area, const char *code,
                    const char *seen, ...)
{
    va_list args;
    va_start(args, seen);
    r->findings = array_room(r->findings, r->count, &r->cap, sizeof *r->findings);
    finding *f = &r->findings[r->count++];
    *f = (finding){.level = level, .area = area, .code = code, .seen = vtext_of(seen, args)};
    va_end(args);
    return f;
}

void finding_expect(finding *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    free(f->expected);
    f->expected = vtext_of(fmt, args);
    va_end(args);
}

void finding_mend(finding *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    free(f->mend);
    f->mend = vtext_of(fmt, args);
    va_end(args);
}

finding *report_add_error(report *r, finding_level level, const char *area, const char *code,
                          const char *text)
{
    static const char *const words[] = {"; mend with: ", "; make it with: ", " (make it with: "};
    for (size_t i = 0; i < countof(words); i++) {
        const char *at = strstr(text, words[i]);
        if (!at)
            continue;
        finding *f = report_add(r, level, area, code, "%.*s", (int)(at - text), text);
        const char *command = at + strlen(words[i]);
        const size_t n = strlen(command);
        const bool bracket = words[i][1] == '(' && n && command[n - 1] == ')';
        finding_mend(f, "%.*s", (int)(n - bracket), command);
        return f;
    }
    return report_add(r, level, area, code, "%s", text);
}

library_row *report_add_library(report *r, const char *name)
{
    r->libraries =
        array_room(r->libraries, r->library_count, &r->library_cap, sizeof *r->libraries);
    library_row *row = &r->libraries[r->library_count++];
    *row = (library_row){.name = name};
    return row;
}

size_t report_count(const report *r, finding_level level)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        n += r->findings[i].level == level;
    return n;
}

/* ---- for people ---- */

static const char *level_name(finding_level level)
{
    switch (level) {
    case FINDING_OK:
        return "ok";
    case FINDING_WARNING:
        return "warning";
    case FINDING_PROBLEM:
        return "problem";
    }
    abort();
}

static const char *level_colour(finding_level level)
{
    return level == FINDING_OK ? "\033[32m" : level == FINDING_WARNING ? "\033[33m" : "\033[31m";
}

static void add_clean(buf *out, const char *text)
{
    explain_clean(out, span_of(text));
}

static void add_part(buf *out, const char *label, const char *text)
{
    if (!text)
        return;
    buf_fmt(out, "          %-10s", label);
    add_clean(out, text);
    buf_char(out, '\n');
}

static void add_finding(buf *out, const finding *f, bool colour)
{
    buf_fmt(out, "%s%-9s%s %-12s ", colour ? level_colour(f->level) : "", level_name(f->level),
            colour ? "\033[0m" : "", f->area);
    add_clean(out, f->seen);
    buf_char(out, '\n');
    add_part(out, "expected:", f->expected);
    add_part(out, "mend:", f->mend);
}

static void add_level(buf *out, const report *r, finding_level level, bool colour)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->findings[i].level == level)
            add_finding(out, &r->findings[i], colour);
    if (report_count(r, level))
        buf_char(out, '\n');
}

/* The account's short name: "backend-sa". */
static span short_name(const char *email)
{
    return (span){email, strcspn(email, "@")};
}

static int width_of(const report *r, int least, const char *(*text)(const library_row *))
{
    size_t widest = (size_t)least;
    for (size_t i = 0; i < r->library_count; i++) {
        const size_t n = strlen(text(&r->libraries[i]));
        widest = n > widest ? n : widest;
    }
    return (int)widest;
}

static const char *asks_of(const library_row *row)
{
    return row->asks ? row->asks : "-";
}

static const char *name_of(const library_row *row)
{
    return row->name;
}

static void add_libraries(buf *out, const report *r)
{
    if (!r->library_count)
        return;
    const int name = width_of(r, 7, name_of), asks = width_of(r, 4, asks_of);
    buf_fmt(out, "%-*s  %-*s  %-5s  %s\n", name, "LIBRARY", asks, "ASKS", "FINDS", "AS");
    for (size_t i = 0; i < r->library_count; i++) {
        const library_row *row = &r->libraries[i];
        auto_buf buf line = buf_make(TEXT_MAX);
        buf_fmt(&line, "%-*s  %-*s  %-5s  ", name, row->name, asks, asks_of(row),
                row->found ? "yes" : "no");
        if (row->as)
            buf_span(&line, short_name(row->as));
        if (row->why)
            buf_fmt(&line, "%s%s", row->as ? "  " : "", row->why);
        while (line.n && line.p[line.n - 1] == ' ')
            line.p[--line.n] = '\0';
        add_clean(out, line.p ? line.p : "");
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
}

static void add_count(buf *out, size_t n, const char *one, const char *many)
{
    buf_fmt(out, "%zu %s", n, n == 1 ? one : many);
}

static bool is_first_of_area(const report *r, size_t i)
{
    for (size_t before = 0; before < i; before++)
        if (r->findings[before].level == FINDING_OK &&
            strcmp(r->findings[before].area, r->findings[i].area) == 0)
            return false;
    return true;
}

static void add_areas(buf *out, const report *r, bool colour)
{
    bool any = false;
    for (size_t i = 0; i < r->count; i++) {
        if (r->findings[i].level != FINDING_OK || !is_first_of_area(r, i))
            continue;
        if (!any)
            buf_fmt(out, "%sok%s        ", colour ? level_colour(FINDING_OK) : "",
                    colour ? "\033[0m" : "");
        buf_fmt(out, "%s%s", any ? ", " : "", r->findings[i].area);
        any = true;
    }
    buf_str(out, any ? "\n\n" : "");
}

void report_write_text(const report *r, bool verbose, bool colour, buf *out)
{
    add_clean(out, r->head ? r->head : "");
    buf_char(out, '\n');
    if (r->notice) {
        add_clean(out, r->notice);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
    add_level(out, r, FINDING_PROBLEM, colour);
    add_level(out, r, FINDING_WARNING, colour);
    add_libraries(out, r);
    if (verbose)
        add_level(out, r, FINDING_OK, colour);
    else
        add_areas(out, r, colour);
    add_count(out, report_count(r, FINDING_PROBLEM), "problem", "problems");
    buf_str(out, ", ");
    add_count(out, report_count(r, FINDING_WARNING), "warning", "warnings");
    buf_fmt(out, ", %zu ok\n", report_count(r, FINDING_OK));
}

/* ---- for programs ---- */

static void add_member(buf *out, const char *key, const char *text)
{
    if (!text)
        return;
    buf_fmt(out, ",\"%s\":", key);
    buf_json(out, span_of(text));
}

static void add_json_findings(buf *out, const report *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const finding *f = &r->findings[i];
        buf_fmt(out, "%s\n  {\"level\":\"%s\"", i ? "," : "", level_name(f->level));
        add_member(out, "area", f->area);
        add_member(out, "code", f->code);
        add_member(out, "seen", f->seen);
        add_member(out, "expected", f->expected);
        add_member(out, "mend", f->mend);
        buf_char(out, '}');
    }
}

static void add_json_libraries(buf *out, const report *r)
{
    for (size_t i = 0; i < r->library_count; i++) {
        const library_row *row = &r->libraries[i];
        buf_fmt(out, "%s\n  {\"found\":%s", i ? "," : "", row->found ? "true" : "false");
        add_member(out, "library", row->name);
        add_member(out, "asks", row->asks);
        add_member(out, "as", row->as);
        add_member(out, "why", row->why);
        buf_char(out, '}');
    }
}

void report_write_json(const report *r, buf *out)
{
    buf_fmt(out, "{\"problems\":%zu,\"warnings\":%zu", report_count(r, FINDING_PROBLEM),
            report_count(r, FINDING_WARNING));
    add_member(out, "case", r->head);
    add_member(out, "notice", r->notice);
    buf_str(out, ",\n \"findings\":[");
    add_json_findings(out, r);
    buf_str(out, "],\n \"libraries\":[");
    add_json_libraries(out, r);
    buf_str(out, "]}\n");
}
