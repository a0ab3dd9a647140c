/* Does an entry satisfy a filter? */
#include <stdio.h>

#include "base/clock.h"
#include "control/log_filter_impl.h"

enum { SCALAR_TEXT_MAX = 64 };

/* ---- text ---- */

static bool contains(span text, span part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (span_ieq((span){text.p + i, part.n}, part))
            return true;
    return false;
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* As strcasecmp, in ASCII. */
static int order(span a, span b)
{
    const size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return lower(a.p[i]) - lower(b.p[i]);
    return (a.n > b.n) - (a.n < b.n);
}

static span string_of(const json_t *v)
{
    return (span){json_string_value(v), json_string_length(v)};
}

/* A value that is neither list nor object, as text. */
static span scalar_text(const json_t *v, char out[SCALAR_TEXT_MAX])
{
    if (json_is_string(v))
        return string_of(v);
    if (json_is_integer(v))
        snprintf(out, SCALAR_TEXT_MAX, "%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        snprintf(out, SCALAR_TEXT_MAX, "%.17g", json_real_value(v));
    else
        snprintf(out, SCALAR_TEXT_MAX, "%s",
                 json_is_true(v)    ? "true"
                 : json_is_false(v) ? "false"
                                    : "NULL_VALUE");
    return span_of(out);
}

/* Is it in any value of this one? */
static bool found_in(json_t *v, span part)
{
    char text[SCALAR_TEXT_MAX];
    const char *key = NULL;
    json_t *inner = NULL;
    size_t i = 0;
    if (!json_is_object(v) && !json_is_array(v))
        return v && contains(scalar_text(v, text), part);
    json_array_foreach (v, i, inner) {
        if (found_in(inner, part))
            return true;
    }
    json_object_foreach (v, key, inner) {
        if (found_in(inner, part))
            return true;
    }
    return false;
}

/* ---- comparing ---- */

static bool holds(filter_op op, int order_of_values)
{
    switch (op) {
    case OP_EQ:
    case OP_HAS:
        return order_of_values == 0;
    case OP_NE:
        return order_of_values != 0;
    case OP_GT:
        return order_of_values > 0;
    case OP_GE:
        return order_of_values >= 0;
    case OP_LT:
        return order_of_values < 0;
    case OP_LE:
        return order_of_values <= 0;
    case OP_MATCH:
    case OP_NOMATCH:
        break;
    }
    abort();
}

static bool compare_numbers(const comparison *c, double value)
{
    return holds(c->op, (value > c->number) - (value < c->number));
}

static bool compare_text(const comparison *c, span value)
{
    return c->op == OP_HAS ? contains(value, c->text) : holds(c->op, order(value, c->text));
}

static bool compare_number(const comparison *c, const json_t *v)
{
    double value = json_number_value(v);
    if (json_is_string(v) && !number_of(string_of(v), &value)) /* 64-bit integers are strings */
        return false;
    return compare_numbers(c, value);
}

static bool compare_time(const comparison *c, const json_t *v)
{
    int64_t us;
    return clock_parse_rfc3339(string_of(v), &us) &&
           holds(c->op, (us > c->time_us) - (us < c->time_us));
}

static bool compare_duration(const comparison *c, const json_t *v)
{
    double seconds = 0;
    if (v && !duration_seconds(string_of(v), &seconds))
        return false;
    return compare_numbers(c, seconds);
}

/* In a payload it is the entry's value that says what kind of comparison it is. */
static bool compare_part(const comparison *c, json_t *v)
{
    char text[SCALAR_TEXT_MAX];
    json_t *inner = NULL;
    size_t i = 0;
    json_array_foreach (v, i, inner) {
        if (compare_part(c, inner))
            return true;
    }
    if (c->op == OP_HAS)
        return found_in(v, c->text);
    if (json_is_array(v) || json_is_object(v))
        return false;
    if (json_is_number(v))
        return c->is_number && compare_numbers(c, json_number_value(v));
    return compare_text(c, scalar_text(v, text));
}

/* ---- one comparison ---- */

static json_t *find(const comparison *c, const json_t *entry)
{
    json_t *v = NULL;
    for (const char *const *step = c->steps; *step; step++) {
        v = json_object_get(v ? v : entry, *step);
        if (!v)
            return NULL;
    }
    return v;
}

static bool labels_have(const comparison *c, json_t *labels)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach (labels, key, value) {
        if (span_eq(span_of(key), c->text))
            return true;
    }
    return found_in(labels, c->text);
}

static bool compare(const comparison *c, json_t *entry)
{
    json_t *v = find(c, entry);
    if (c->present)
        return v != NULL;
    switch (c->type) {
    case FIELD_STRING:
        return compare_text(c, string_of(v));
    case FIELD_NUMBER:
        return compare_number(c, v);
    case FIELD_BOOL:
        return holds(c->op, json_is_true(v) - c->flag);
    case FIELD_TIME:
        return compare_time(c, v);
    case FIELD_DURATION:
        return compare_duration(c, v);
    case FIELD_SEVERITY:
        return compare_numbers(c, v ? log_severity_number(string_of(v)) : 0);
    case FIELD_LABEL:
        return v && compare_text(c, string_of(v));
    case FIELD_LABELS:
        return labels_have(c, v);
    case FIELD_PART:
        return v && compare_part(c, v);
    case FIELD_MESSAGE:
        return found_in(v, c->text);
    }
    abort();
}

/* ---- the tree ---- */

static bool log_id_is(const json_t *entry, span encoded)
{
    const span name = string_of(json_object_get(entry, "logName"));
    const char *logs = name.n ? strstr(name.p, "/logs/") : NULL;
    return logs && span_ieq(span_of(logs + sizeof "/logs/" - 1), encoded);
}

static bool matches(const node *n, json_t *entry);

/* AND and OR lean to the left, however many there are: that chain is walked, not recursed into. */
static bool chain_matches(const node *n, json_t *entry)
{
    const node_kind kind = n->kind;
    const bool decides = kind == NODE_OR; /* one such result decides the whole */
    for (; n->kind == kind; n = n->left)
        if (matches(n->right, entry) == decides)
            return decides;
    return matches(n, entry);
}

static bool matches(const node *n, json_t *entry)
{
    switch (n->kind) {
    case NODE_AND:
    case NODE_OR:
        return chain_matches(n, entry);
    case NODE_NOT:
        return !matches(n->left, entry);
    case NODE_COMPARISON:
        return compare(&n->comparison, entry);
    case NODE_LOG_ID:
        return log_id_is(entry, n->comparison.text);
    case NODE_ANYWHERE:
        return found_in(entry, n->comparison.text);
    }
    abort();
}

bool log_filter_matches(const log_filter *f, json_t *entry)
{
    return !f->root || matches(f->root, entry);
}

/* ---- bounds ---- */

static void narrow_time(const comparison *c, log_bounds *out)
{
    const bool upper = c->op == OP_LT || c->op == OP_LE || c->op == OP_EQ;
    const bool lower_too = c->op == OP_GT || c->op == OP_GE || c->op == OP_EQ;
    if (lower_too && c->time_us > out->from_us)
        out->from_us = c->time_us;
    if (upper && c->time_us < out->till_us)
        out->till_us = c->time_us;
}

static void narrow_by(const comparison *c, log_bounds *out)
{
    if (c->type == FIELD_TIME && strcmp(c->steps[0], "timestamp") == 0 && !c->present) {
        narrow_time(c, out);
    } else if (c->type == FIELD_LABEL && c->op == OP_EQ && strcmp(c->steps[0], "resource") == 0 &&
               strcmp(c->steps[2], "service_name") == 0) {
        out->service = c->text;
    }
}

static void narrow(const node *n, log_bounds *out)
{
    for (; n->kind == NODE_AND; n = n->left)
        narrow(n->right, out);
    if (n->kind == NODE_COMPARISON)
        narrow_by(&n->comparison, out);
}

log_bounds log_filter_bounds(const log_filter *f)
{
    log_bounds b = {.from_us = INT64_MIN, .till_us = INT64_MAX};
    if (f->root)
        narrow(f->root, &b);
    return b;
}
