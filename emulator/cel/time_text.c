/* Timestamps (RFC 3339) and durations ("1h30m") as text, to the microsecond. */
#include <inttypes.h>
#include <stdio.h>

#include "cel/internal.h"

enum { DAY_S = 86400, MICRO_DIGITS = 6, PLACES_MAX = 9 };

static bool is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* ---- timestamps ---- */

typedef struct reader {
    span text;
    size_t at;
    bool ok;
} reader;

static int take_digits(reader *t, size_t n)
{
    int value = 0;
    for (size_t i = 0; i < n; i++, t->at++) {
        if (t->at >= t->text.n || !is_digit(t->text.p[t->at])) {
            t->ok = false;
            return 0;
        }
        value = value * 10 + (t->text.p[t->at] - '0');
    }
    return value;
}

static bool take_char(reader *t, char ch)
{
    if (t->at >= t->text.n || t->text.p[t->at] != ch)
        return false;
    t->at++;
    return true;
}

static void want_char(reader *t, char ch)
{
    t->ok = take_char(t, ch) && t->ok;
}

/* Behind the point: 1 to 9 digits, of which only zeros behind the sixth. */
static int64_t take_fraction(reader *t)
{
    int64_t us = 0;
    size_t n = 0;
    for (; t->at < t->text.n && is_digit(t->text.p[t->at]); n++, t->at++) {
        if (n < MICRO_DIGITS)
            us = us * 10 + (t->text.p[t->at] - '0');
        else
            t->ok = t->ok && t->text.p[t->at] == '0';
    }
    t->ok = t->ok && n >= 1 && n <= PLACES_MAX;
    for (; n < MICRO_DIGITS; n++)
        us *= 10;
    return us;
}

/* Z, or +HH:MM; seconds east. */
static int64_t take_offset(reader *t)
{
    if (take_char(t, 'Z'))
        return 0;
    const bool west = take_char(t, '-');
    if (!west)
        want_char(t, '+');
    const int hours = take_digits(t, 2);
    want_char(t, ':');
    const int minutes = take_digits(t, 2);
    t->ok = t->ok && hours < 24 && minutes < 60;
    const int64_t offset = INT64_C(3600) * hours + INT64_C(60) * minutes;
    return west ? -offset : offset;
}

static bool timestamp_read(span text, int64_t *out_us)
{
    reader t = {text, 0, true};
    civil d;
    d.year = take_digits(&t, 4);
    want_char(&t, '-');
    d.month = take_digits(&t, 2);
    want_char(&t, '-');
    d.day = take_digits(&t, 2);
    want_char(&t, 'T');
    const int hour = take_digits(&t, 2);
    want_char(&t, ':');
    const int minute = take_digits(&t, 2);
    want_char(&t, ':');
    const int second = take_digits(&t, 2);
    const int64_t fraction = take_char(&t, '.') ? take_fraction(&t) : 0;
    const int64_t offset = take_offset(&t);
    if (!t.ok || t.at != text.n || d.month < 1 || d.month > 12 || d.day < 1 ||
        d.day > days_in_month(d.year, d.month) || hour > 23 || minute > 59 || second > 59)
        return false;
    const int64_t local =
        days_from_civil(d) * DAY_S + INT64_C(3600) * hour + INT64_C(60) * minute + second;
    const int64_t us = (local - offset) * SECOND_US + fraction;
    if (us < TIMESTAMP_MIN_US || us > TIMESTAMP_MAX_US)
        return false;
    *out_us = us;
    return true;
}

/* ---- durations ---- */

/* The unit at the front of *rest, which is moved on; in nanoseconds; 0: none. */
static int64_t take_unit(span *rest)
{
    static const struct {
        const char *text;
        int64_t ns;
    } units[] = {
        {"ns", 1},       {"us", 1000},      {"µs", 1000},       {"μs", 1000},
        {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000},
    };
    for (size_t i = 0; i < countof(units); i++) {
        const span unit = span_of(units[i].text);
        if (span_starts(*rest, unit)) {
            *rest = span_from(*rest, unit.n);
            return units[i].ns;
        }
    }
    return 0;
}

static span take_number(span *rest)
{
    span digits = {rest->p, 0};
    while (digits.n < rest->n && is_digit(rest->p[digits.n]))
        digits.n++;
    *rest = span_from(*rest, digits.n);
    return digits;
}

/* digits as the places behind the point of so many nanoseconds; false: finer than one. */
static bool fraction_ns(span digits, int64_t unit_ns, int64_t *out)
{
    int64_t ns = 0;
    bool exact = true;
    for (size_t i = digits.n; i > 0; i--) {
        ns += (digits.p[i - 1] - '0') * unit_ns;
        exact = exact && ns % 10 == 0;
        ns /= 10;
    }
    *out = ns;
    return exact;
}

/* "1.5h" at the front of *rest, in microseconds. */
static bool take_term(span *rest, int64_t *out_us)
{
    span whole = take_number(rest), places = {0};
    uint64_t count = 0;
    int64_t us, ns;
    if (rest->n && rest->p[0] == '.') {
        *rest = span_from(*rest, 1);
        places = take_number(rest);
    }
    if (whole.n + places.n == 0 || (whole.n && !span_u64(whole, DURATION_MAX_US, &count)))
        return false;
    const int64_t unit = take_unit(rest);
    if (unit == 0 || !fraction_ns(places, unit, &ns))
        return false;
    if (unit < 1000) { /* nanoseconds have to come to whole microseconds */
        if (count % 1000 || ns)
            return false;
        *out_us = (int64_t)(count / 1000);
        return true;
    }
    if (ns % 1000 || __builtin_mul_overflow((int64_t)count, unit / 1000, &us))
        return false;
    return !__builtin_add_overflow(us, ns / 1000, out_us);
}

static bool duration_read(span text, int64_t *out_us)
{
    const bool negative = text.n && text.p[0] == '-';
    span rest = span_from(text, negative || (text.n && text.p[0] == '+'));
    int64_t sum = 0, term = 0;
    if (span_eq_str(rest, "0")) {
        *out_us = 0;
        return true;
    }
    if (rest.n == 0)
        return false;
    while (rest.n)
        if (!take_term(&rest, &term) || __builtin_add_overflow(sum, term, &sum))
            return false;
    if (sum > DURATION_MAX_US)
        return false;
    *out_us = negative ? -sum : sum;
    return true;
}

/* ---- calls ---- */

bool call_timestamp(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)e;
    return run_spend(r, v->s.n) && timestamp_read(v->s, &out->i);
}

bool call_duration(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)e;
    return run_spend(r, v->s.n) && duration_read(v->s, &out->i);
}

static bool fold(expr *e, cel_kind kind, int64_t us)
{
    e->op = EXPR_CONST;
    e->value = (cel_value){kind, {.i = us}};
    e->first = NULL;
    e->argc = 0;
    return true;
}

bool prepare_timestamp(compiler *c, expr *e)
{
    int64_t us;
    const expr *arg = e->first;
    if (arg->op != EXPR_CONST)
        return true;
    if (!timestamp_read(arg->value.s, &us))
        return refuse(c, arg->at,
                      "not a timestamp; write one as RFC 3339 has it, with its offset and at most "
                      "microseconds: \"2030-01-02T03:04:05Z\"");
    return fold(e, CEL_TIMESTAMP, us);
}

bool prepare_duration(compiler *c, expr *e)
{
    int64_t us;
    const expr *arg = e->first;
    if (arg->op != EXPR_CONST)
        return true;
    if (!duration_read(arg->value.s, &us))
        return refuse(c, arg->at,
                      "not a duration; write numbers with units h, m, s, ms or us, to the "
                      "microsecond: \"90s\", \"1h30m\"");
    return fold(e, CEL_DURATION, us);
}

/* ---- printing ---- */

/* ".5" of 500000; nothing of 0. */
static size_t print_fraction(int64_t us, char *out, size_t size)
{
    if (us == 0)
        return 0;
    size_t n = (size_t)snprintf(out, size, ".%06d", (int)us);
    while (out[n - 1] == '0')
        n--;
    return n;
}

size_t timestamp_print(int64_t us, char out[TIME_TEXT_MAX])
{
    const int64_t second = floor_div(us, SECOND_US);
    const int64_t days = floor_div(second, DAY_S);
    const int of_day = (int)(second - days * DAY_S);
    const civil d = civil_from_days(days);
    size_t n = (size_t)snprintf(out, TIME_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", (int)d.year,
                                d.month, d.day, of_day / 3600, of_day / 60 % 60, of_day % 60);
    n += print_fraction(us - second * SECOND_US, out + n, TIME_TEXT_MAX - n);
    out[n++] = 'Z';
    return n;
}

size_t duration_print(int64_t us, char out[TIME_TEXT_MAX])
{
    const int64_t size = us < 0 ? -us : us;
    size_t n =
        (size_t)snprintf(out, TIME_TEXT_MAX, "%s%" PRId64, us < 0 ? "-" : "", size / SECOND_US);
    n += print_fraction(size % SECOND_US, out + n, TIME_TEXT_MAX - n);
    out[n++] = 's';
    return n;
}
