/* What flips, and what could not be judged again: for people and as JSON. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/replay.h"
#include "decision/explain.h"

#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

/* ---- for people ---- */

/* What a recording holds came from outside. */
static void put_clean(buf *b, const char *text)
{
    explain_clean(b, span_of(text));
}

static void put_line(buf *b, const char *name, const char *text)
{
    if (!*text)
        return;
    buf_fmt(b, "  %-11s ", name);
    put_clean(b, text);
    buf_char(b, '\n');
}

static const char *caller_text(const replay_group *g)
{
    if (*g->caller)
        return g->caller;
    return g->anonymous ? "nobody (no token)" : "somebody";
}

static void put_caller(buf *b, const replay *p, const replay_group *g)
{
    principal who;
    if (snapshot_principal(p->s, g->caller, NULL, &who))
        explain_caller(b, p->s, &who);
    else
        put_clean(b, caller_text(g));
}

static void put_outcome(buf *b, reason r)
{
    if (reason_info(r)->allows)
        buf_fmt(b, "allowed (%s)", reason_info(r)->name);
    else
        buf_fmt(b, "%u (%s)", reason_status(r), reason_info(r)->name);
}

static void put_when(buf *b, const replay_group *g)
{
    char first[CLOCK_RFC3339_MAX], last[CLOCK_RFC3339_MAX];
    clock_rfc3339(g->first_us, 0, first);
    clock_rfc3339(g->last_us, 0, last);
    buf_fmt(b, "%zu call%s, first ", g->count, g->count == 1 ? "" : "s");
    if (*g->first_id) {
        put_clean(b, g->first_id);
        buf_str(b, " at ");
    }
    buf_str(b, first);
    if (g->count > 1)
        buf_fmt(b, ", last at %s", last);
}

static void put_group(buf *b, const replay *p, const replay_group *g, bool colour)
{
    buf_fmt(b, "\n%s", colour ? BOLD : "");
    put_caller(b, p, g);
    buf_str(b, " -> ");
    put_clean(b, *g->service ? g->service : "an unknown host");
    if (g->kind == REPLAY_UNJUDGED) {
        buf_str(b, ": cannot be judged again");
    } else {
        buf_str(b, ": was ");
        if (g->audited)
            buf_fmt(b, "let pass by audit mode (%s)", reason_info(g->was)->name);
        else
            put_outcome(b, g->was);
        buf_str(b, ", would be ");
        put_outcome(b, g->is);
    }
    buf_fmt(b, "%s\n", colour ? PLAIN : "");
    auto_buf buf when = buf_make(4096);
    put_when(&when, g);
    put_line(b, "calls", buf_ok(&when) ? when.p : "");
    put_line(b, g->kind == REPLAY_UNJUDGED ? "because" : "cause", g->cause);
    put_line(b, "production", g->fix);
    put_line(b, "here", g->local_fix);
    put_line(b, reason_info(g->is)->allows ? "granted at" : "nearest", g->place);
}

static size_t total(const replay *p)
{
    size_t n = 0;
    for (size_t i = 0; i < REPLAY_KIND_COUNT_; i++)
        n += p->calls[i];
    return n;
}

void replay_text(buf *b, const replay *p, bool colour)
{
    const char *file = snapshot_project(p->s)->file;
    buf_fmt(b, "%zu call%s under %s: %zu would be refused that passed, %zu the reverse", total(p),
            total(p) == 1 ? "" : "s", file ? file : "the topology", p->calls[REPLAY_REFUSED],
            p->calls[REPLAY_ALLOWED]);
    if (p->reasons)
        buf_fmt(b, ", %zu changed the reason", p->calls[REPLAY_REASON]);
    if (p->calls[REPLAY_UNJUDGED])
        buf_fmt(b, ", %zu cannot be judged again", p->calls[REPLAY_UNJUDGED]);
    buf_str(b, ".\n");
    for (size_t i = 0; i < p->group_count; i++)
        put_group(b, p, p->groups[i], colour);
    if (p->ungrouped)
        buf_fmt(b, "\nand %zu more calls, by yet more callers\n", p->ungrouped);
}

/* ---- JSON ---- */

static void put_key(buf *b, const char *key)
{
    buf_char(b, ',');
    buf_json(b, span_of(key));
    buf_char(b, ':');
}

static void put_string(buf *b, const char *key, const char *value)
{
    if (!*value)
        return;
    put_key(b, key);
    buf_json(b, span_of(value));
}

static void put_time(buf *b, const char *key, int64_t us)
{
    char text[CLOCK_RFC3339_MAX];
    clock_rfc3339(us, 6, text);
    put_string(b, key, text);
}

static void put_json_outcome(buf *b, const char *key, reason r, bool audited)
{
    put_key(b, key);
    buf_fmt(b, "{\"allowed\":%s,\"reason\":\"%s\"", reason_info(r)->allows ? "true" : "false",
            reason_info(r)->name);
    if (!reason_info(r)->allows)
        buf_fmt(b, ",\"status\":%u", reason_status(r));
    if (audited)
        buf_str(b, ",\"enforced\":false");
    buf_char(b, '}');
}

static void put_json_group(buf *b, const replay_group *g)
{
    buf_fmt(b, "{\"count\":%zu", g->count);
    put_string(b, "service", g->service);
    put_string(b, "caller", *g->caller ? g->caller : g->anonymous ? "anonymous" : "");
    if (g->decided)
        put_json_outcome(b, "was", g->was, g->audited);
    if (g->kind != REPLAY_UNJUDGED)
        put_json_outcome(b, "is", g->is, false);
    put_string(b, "first_id", g->first_id);
    put_time(b, "first", g->first_us);
    put_time(b, "last", g->last_us);
    put_string(b, "explanation", g->cause);
    put_string(b, "fix", g->fix);
    put_string(b, "local_fix", g->local_fix);
    if (g->kind != REPLAY_UNJUDGED)
        put_string(b, reason_info(g->is)->allows ? "granted_at" : "nearest_at", g->place);
    buf_char(b, '}');
}

static void put_json_list(buf *b, const replay *p, const char *key, replay_kind kind)
{
    bool first = true;
    put_key(b, key);
    buf_char(b, '[');
    for (size_t i = 0; i < p->group_count; i++) {
        if (p->groups[i]->kind != kind)
            continue;
        buf_str(b, first ? "" : ",");
        put_json_group(b, p->groups[i]);
        first = false;
    }
    buf_char(b, ']');
}

void replay_json(buf *b, const replay *p)
{
    buf_fmt(b, "{\"calls\":%zu,\"same\":%zu,\"ungrouped\":%zu", total(p), p->calls[REPLAY_SAME],
            p->ungrouped);
    put_json_list(b, p, "refused", REPLAY_REFUSED);
    put_json_list(b, p, "allowed", REPLAY_ALLOWED);
    put_json_list(b, p, "reason", REPLAY_REASON);
    put_json_list(b, p, "unjudged", REPLAY_UNJUDGED);
    buf_str(b, "}\n");
}
