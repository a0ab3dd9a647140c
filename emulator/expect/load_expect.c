/* expect: what is to become of a call. */
#include "expect/reading.h"

static const char WANTED[] = "allow, refuse, 401, 403, 404, a reason such as no_grant, or "
                             "{ status: 403, reason: no_grant }";

/* Every word that may stand there, for did-you-mean. */
static const char *suggest(const reading *r, span word)
{
    const char *words[REASON_COUNT_ + 3] = {"allow", "refuse"};
    for (size_t i = 0; i < REASON_COUNT_; i++)
        words[i + 2] = reason_info((reason)i)->name;
    return diag_suggest(r->l.diags, word, words);
}

static bool report(reading *r, const char *key, const node *n, const char *wanted)
{
    const char *near = n->kind == NODE_SCALAR ? suggest(r, n->text) : "";
    diag_at(r->l.diags, n->at, "%s: expected %s, found %s%s", key, wanted, found_text(&r->l, n),
            near);
    return false;
}

static bool is_status(span text, unsigned *out)
{
    uint64_t n = 0;
    if (!span_u64(text, 599, &n) || (n != 401 && n != 403 && n != 404))
        return false;
    *out = (unsigned)n;
    return true;
}

static bool read_word_expected(reading *r, const node *n, expectation *out)
{
    *out = (expectation){.reason = REASON_COUNT_};
    if (span_eq_str(n->text, "allow") || span_eq_str(n->text, "refuse")) {
        out->allows = n->text.p[0] == 'a';
        return true;
    }
    if (is_status(n->text, &out->status))
        return true;
    if (!reason_by_name(n->text, &out->reason))
        return report(r, "expect", n, WANTED);
    out->allows = reason_info(out->reason)->allows;
    return true;
}

typedef struct parts {
    const node *status, *reason;
} parts;

static const key_spec KEYS[] = {
    {"status", read_node, offsetof(parts, status)},
    {"reason", read_node, offsetof(parts, reason)},
    {NULL, NULL, 0},
};

static bool read_parts(reading *r, const node *n, expectation *out)
{
    parts p = {NULL, NULL};
    const size_t before = diag_count(r->l.diags);
    read_map(&r->l, n, "expect", KEYS, &p);
    *out = (expectation){.reason = REASON_COUNT_};
    if (diag_count(r->l.diags) > before)
        return false;
    if (!p.status && !p.reason)
        return report(r, "expect", n, WANTED);
    if (p.status && (p.status->kind != NODE_SCALAR || !is_status(p.status->text, &out->status)))
        return report(r, "status", p.status, "401, 403 or 404");
    if (!p.reason)
        return true;
    if (p.reason->kind != NODE_SCALAR || !reason_by_name(p.reason->text, &out->reason))
        return report(r, "reason", p.reason, "a reason such as no_grant ('invoker why --reasons')");
    out->allows = reason_info(out->reason)->allows;
    if (!out->status || (!out->allows && reason_status(out->reason) == out->status))
        return true;
    diag_at(r->l.diags, n->at, "expect: %s never has status %u", reason_info(out->reason)->name,
            out->status);
    return false;
}

bool read_expectation(reading *r, const node *n, expectation *out)
{
    if (n->kind == NODE_SCALAR && !node_is_null(n))
        return read_word_expected(r, n, out);
    if (n->kind == NODE_MAP)
        return read_parts(r, n, out);
    return report(r, "expect", n, WANTED);
}
