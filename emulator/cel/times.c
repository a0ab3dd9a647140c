/* Arithmetic on timestamps and durations, and the parts of them that one can ask for. */
#include "cel/internal.h"

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60, MILLISECOND_US = 1000 };

static bool in_range(cel_kind kind, int64_t us)
{
    if (kind == CEL_TIMESTAMP)
        return us >= TIMESTAMP_MIN_US && us <= TIMESTAMP_MAX_US;
    return us >= -DURATION_MAX_US && us <= DURATION_MAX_US;
}

bool call_time(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)r;
    /* Neither overflows: both are far from the ends of int64_t. */
    out->i = e->call->what == '+' ? v[0].i + v[1].i : v[0].i - v[1].i;
    return in_range(out->kind, out->i);
}

bool call_unix_seconds(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)r;
    (void)e;
    out->i = floor_div(v->i, SECOND_US);
    return true;
}

bool call_from_unix(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    (void)r;
    (void)e;
    return !__builtin_mul_overflow(v->i, SECOND_US, &out->i) && in_range(CEL_TIMESTAMP, out->i);
}

static int64_t date_part(time_part part, int64_t days)
{
    const civil d = civil_from_days(days);
    switch (part) {
    case PART_YEAR:
        return d.year;
    case PART_MONTH:
        return d.month - 1;
    case PART_DATE:
        return d.day;
    case PART_DAY_OF_MONTH:
        return d.day - 1;
    case PART_DAY_OF_WEEK: /* 1970-01-01 was a Thursday; Sunday is 0 */
        return days + 4 - floor_div(days + 4, 7) * 7;
    case PART_DAY_OF_YEAR:
        return days - days_from_civil((civil){d.year, 1, 1});
    case PART_HOURS:
    case PART_MINUTES:
    case PART_SECONDS:
    case PART_MILLISECONDS:
        break;
    }
    abort();
}

/* second: since 1970, there. */
static int64_t local_part(time_part part, int64_t second, int64_t us_of_second)
{
    const int64_t days = floor_div(second, DAY_S);
    const int64_t of_day = second - days * DAY_S;
    switch (part) {
    case PART_HOURS:
        return of_day / HOUR_S;
    case PART_MINUTES:
        return of_day % HOUR_S / MINUTE_S;
    case PART_SECONDS:
        return of_day % MINUTE_S;
    case PART_MILLISECONDS:
        return us_of_second / MILLISECOND_US;
    case PART_YEAR:
    case PART_MONTH:
    case PART_DATE:
    case PART_DAY_OF_MONTH:
    case PART_DAY_OF_WEEK:
    case PART_DAY_OF_YEAR:
        return date_part(part, days);
    }
    abort();
}

bool call_part(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    const int64_t second = floor_div(v->i, SECOND_US);
    const zone *z = e->prepared;
    (void)r;
    out->i = local_part((time_part)e->call->what, second + (z ? zone_offset(z, second) : 0),
                        v->i - second * SECOND_US);
    return true;
}

/* Of a duration: the whole of it in that unit, but of milliseconds what is beyond its seconds. */
bool call_duration_part(run *r, const expr *e, const cel_value *v, cel_value *out)
{
    const int64_t seconds = v->i / SECOND_US;
    (void)r;
    switch (e->call->what) {
    case PART_HOURS:
        out->i = seconds / HOUR_S;
        return true;
    case PART_MINUTES:
        out->i = seconds / MINUTE_S;
        return true;
    case PART_SECONDS:
        out->i = seconds;
        return true;
    case PART_MILLISECONDS:
        out->i = v->i % SECOND_US / MILLISECOND_US;
        return true;
    default:
        abort();
    }
}

bool prepare_zone(compiler *c, expr *e)
{
    const expr *arg = e->first->next;
    if (arg->op != EXPR_CONST)
        return refuse(c, arg->at, "the time zone has to be a literal, such as \"+01:00\"");
    e->prepared = zone_find(c, arg->at, arg->value.s);
    return e->prepared != NULL;
}
