#include "control/run_selector.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static span trimmed(span s)
{
    while (s.n && is_blank(s.p[0]))
        s = span_from(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* Up to the next comma that stands in no parentheses; *rest becomes what follows. */
static span next_term(span *rest)
{
    const span all = *rest;
    bool inside = false;
    size_t i = 0;
    for (; i < all.n && (inside || all.p[i] != ','); i++)
        inside = all.p[i] == '(' || (inside && all.p[i] != ')');
    *rest = span_from(all, i < all.n ? i + 1 : i);
    return trimmed((span){all.p, i});
}

static bool is_key(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_blank(s.p[i]) || strchr("()=!,", s.p[i]))
            return false;
    return s.n > 0;
}

static const char *label(const json_t *labels, span key)
{
    return json_string_value(json_object_getn(labels, key.p, key.n));
}

static run_selected verdict(bool holds)
{
    return holds ? RUN_SELECTED : RUN_NOT_SELECTED;
}

/* "(a, b)" */
static run_selected among(span list, const char *value, bool wanted)
{
    if (list.n < 2 || list.p[0] != '(' || list.p[list.n - 1] != ')')
        return RUN_SELECTOR_BROKEN;
    span rest = {list.p + 1, list.n - 2};
    bool found = false;
    while (rest.n) {
        span item;
        (void)span_cut(&rest, ',', &item);
        found = found || (value && span_eq_str(trimmed(item), value));
    }
    return verdict(found == wanted);
}

/* "key in (…)", "key notin (…)", "key", "!key" */
static run_selected worded(span term, const json_t *labels)
{
    size_t n = 0;
    while (n < term.n && !is_blank(term.p[n]))
        n++;
    const span key = {term.p, n}, rest = trimmed(span_from(term, n));
    if (key.n > 1 && key.p[0] == '!' && rest.n == 0 && is_key(span_from(key, 1)))
        return verdict(!label(labels, span_from(key, 1)));
    if (!is_key(key))
        return RUN_SELECTOR_BROKEN;
    if (span_starts(rest, SPAN_LIT("in")))
        return among(trimmed(span_from(rest, 2)), label(labels, key), true);
    if (span_starts(rest, SPAN_LIT("notin")))
        return among(trimmed(span_from(rest, 5)), label(labels, key), false);
    return rest.n ? RUN_SELECTOR_BROKEN : verdict(label(labels, key) != NULL);
}

static run_selected term_holds(span term, const json_t *labels)
{
    const size_t at = span_find(term, '=');
    if (at == term.n)
        return worded(term, labels);
    const bool negated = at > 0 && term.p[at - 1] == '!';
    const bool doubled = at + 1 < term.n && term.p[at + 1] == '=';
    const span key = trimmed((span){term.p, at - negated});
    const span value = trimmed(span_from(term, at + 1 + doubled));
    if (!is_key(key) || (value.n && !is_key(value)) || (negated && doubled))
        return RUN_SELECTOR_BROKEN;
    const char *its = label(labels, key);
    return verdict((its && span_eq_str(value, its)) != negated);
}

run_selected run_select(span selector, const json_t *labels)
{
    span rest = trimmed(selector);
    run_selected all = RUN_SELECTED;
    while (rest.n) {
        const run_selected one = term_holds(next_term(&rest), labels);
        if (one == RUN_SELECTOR_BROKEN)
            return one;
        if (one == RUN_NOT_SELECTED)
            all = one;
    }
    return all;
}
