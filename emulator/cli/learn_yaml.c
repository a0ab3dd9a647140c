/* The learned matrix as a fragment of a topology, with comments that say who used what. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/learn.h"
#include "cli/yaml_out.h"
#include "decision/explain.h"

enum { LINE_MAX_BYTES = 8 * 1024, NAME_WIDTH_MAX = 40 };

static void put_head(buf *b, const learned *l, const char *title)
{
    char first[CLOCK_RFC3339_MAX], last[CLOCK_RFC3339_MAX];
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    buf_fmt(&line, "What %zu call%s need%s", l->calls, l->calls == 1 ? "" : "s",
            l->calls == 1 ? "s" : "");
    buf_fmt(&line, ", as recorded in %s", title);
    if (l->calls) {
        clock_rfc3339(l->first_us, 0, first);
        clock_rfc3339(l->last_us, 0, last);
        buf_fmt(&line, " from %s to %s", first, last);
    }
    buf_char(&line, '.');
    yaml_put_comment(b, 0, buf_ok(&line) ? line.p : "What the recorded calls need.");
}

/* How many of the needs that begin there are one caller's; *out_counting: of them, cells. */
static size_t run_of(const learned *l, size_t from, size_t *out_counting)
{
    size_t i = from;
    *out_counting = 0;
    for (; i < l->need_count && strcmp(l->needs[i]->member, l->needs[from]->member) == 0; i++)
        *out_counting += need_counts(l->needs[i]);
    return i - from;
}

static size_t name_width(const learned *l)
{
    size_t width = 0;
    for (size_t i = 0; i < l->need_count; i++) {
        auto_buf buf name = buf_make(LINE_MAX_BYTES);
        auto_buf buf text = buf_make(LINE_MAX_BYTES);
        if (!need_counts(l->needs[i]))
            continue;
        learn_caller(&name, l->s, l->needs[i]->member);
        yaml_put_text(&text, buf_view(&name));
        if (text.n > width && text.n <= NAME_WIDTH_MAX)
            width = text.n;
    }
    return width;
}

static void put_uses(buf *b, need *const *needs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_buf buf line = buf_make(LINE_MAX_BYTES);
        if (!need_counts(needs[i]))
            continue;
        buf_fmt(&line, "%s: ", needs[i]->service->name);
        learn_put_use(&line, needs[i]);
        yaml_put_comment(b, 1, line.p);
    }
}

static void put_caller(buf *b, const learned *l, need *const *needs, size_t count, size_t width)
{
    auto_buf buf name = buf_make(LINE_MAX_BYTES);
    bool first = true;
    put_uses(b, needs, count);
    learn_caller(&name, l->s, needs[0]->member);
    yaml_put_indent(b, 1);
    const size_t from = b->n;
    yaml_put_text(b, buf_view(&name));
    const size_t used = b->n - from;
    buf_fmt(b, ":%*s [", used < width ? (int)(width - used) : 0, "");
    for (size_t i = 0; i < count; i++) {
        if (!need_counts(needs[i]))
            continue;
        buf_str(b, first ? "" : ", ");
        yaml_put_text(b, span_of(needs[i]->service->name));
        first = false;
    }
    buf_str(b, "]\n");
}

static void put_matrix(buf *b, const learned *l)
{
    const size_t width = name_width(l);
    size_t counting = 0, callers = 0;
    yaml_put_key(b, 0, "matrix");
    for (size_t i = 0, n; i < l->need_count; i += n) {
        n = run_of(l, i, &counting);
        if (counting)
            put_caller(b, l, l->needs + i, n, width);
        callers += counting != 0;
    }
    if (!callers && b->n) {
        b->n--;
        buf_str(b, " {}\n");
    }
}

/* ---- what is not in it ---- */

static void put_cell_comment(buf *b, const learned *l, const need *n, const char *why)
{
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    buf_str(&line, "  ");
    learn_caller(&line, l->s, n->member);
    buf_fmt(&line, " -> %s: ", n->service->name);
    learn_put_use(&line, n);
    buf_str(&line, why);
    yaml_put_comment(b, 0, buf_ok(&line) ? line.p : "  …");
}

static void put_unsaid(buf *b, const learned *l)
{
    bool said = false;
    for (size_t i = 0; i < l->need_count; i++) {
        const need *n = l->needs[i];
        if (need_counts(n))
            continue;
        if (!said)
            yaml_put_comment(b, 0, "Needs no cell of its own:");
        said = true;
        put_cell_comment(b, l, n, n->covered ? "; the service is open to everybody" : "");
    }
    if (!l->open_calls)
        return;
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    buf_fmt(&line, "%zu call%s went to services whose IAM check is off.", l->open_calls,
            l->open_calls == 1 ? "" : "s");
    yaml_put_comment(b, 0, line.p);
}

static const char *const HEADINGS[OMIT_COUNT_] = {
    [OMIT_CALLER] = "Not learned, because no grant mends it; fix the caller:",
    [OMIT_SETTING] = "Not learned, because no grant mends it; the service's settings do:",
    [OMIT_REFUSED] = "Not learned, because it was refused (--refused learns it, too):",
    [OMIT_GONE] = "Not learned, because the topology has no such service:",
    [OMIT_NAMELESS] = "Not learned, because the topology has no such account:",
};

static void put_who(buf *b, const learned *l, const omission *o)
{
    principal p;
    if (snapshot_principal(l->s, o->caller, NULL, &p))
        explain_caller(b, l->s, &p);
    else if (*o->caller)
        buf_str(b, o->caller);
    else if (o->reason == REASON_NO_CREDENTIAL || o->reason == REASON_EMPTY_CREDENTIAL)
        buf_str(b, "nobody (no token)");
    else
        buf_str(b, "somebody");
}

static void put_omission(buf *b, const learned *l, const omission *o)
{
    char last[CLOCK_RFC3339_MAX];
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    clock_rfc3339(o->last_us, 0, last);
    buf_str(&line, "  ");
    put_who(&line, l, o);
    buf_fmt(&line, " -> %s: %s, %zu call%s, last %s", *o->service ? o->service : "an unknown host",
            o->decided ? reason_info(o->reason)->name : "never judged", o->count,
            o->count == 1 ? "" : "s", last);
    yaml_put_comment(b, 0, buf_ok(&line) ? line.p : "  …");
    if (!*o->fix || (o->kind != OMIT_CALLER && o->kind != OMIT_SETTING))
        return;
    buf_clear(&line);
    buf_fmt(&line, "    fix: %s", o->fix);
    yaml_put_comment(b, 0, buf_ok(&line) ? line.p : "    …");
}

static void put_omissions(buf *b, const learned *l)
{
    for (size_t i = 0; i < l->omission_count; i++) {
        const omission *o = l->omissions[i];
        if (!i || o->kind != l->omissions[i - 1]->kind)
            yaml_put_comment(b, 0, HEADINGS[o->kind]);
        put_omission(b, l, o);
    }
}

void learn_yaml(buf *b, const learned *l, const char *title)
{
    put_head(b, l, title);
    put_matrix(b, l);
    put_unsaid(b, l);
    learn_over(b, l);
    put_omissions(b, l);
}
