/* Time zones: UTC and fixed offsets. */
#include "cel/internal.h"

struct zone {
    int64_t offset; /* seconds east */
};

int64_t zone_offset(const zone *z, int64_t second)
{
    (void)second;
    return z->offset;
}

/* "+01:00", "-02:30", "05:45" (cel-spec, "Timezones"). */
static bool read_offset(span name, int64_t *out)
{
    uint64_t hours, minutes;
    const bool sign = name.n && (name.p[0] == '+' || name.p[0] == '-');
    const span digits = span_from(name, sign);
    if (digits.n != 5 || digits.p[2] != ':' || !span_u64((span){digits.p, 2}, 23, &hours) ||
        !span_u64(span_from(digits, 3), 59, &minutes))
        return false;
    const int64_t seconds = (int64_t)(hours * 3600 + minutes * 60);
    *out = name.p[0] == '-' ? -seconds : seconds;
    return true;
}

const zone *zone_find(compiler *c, size_t at, span name)
{
    zone *z = arena_alloc(c->mem, sizeof *z);
    if (span_eq_str(name, "UTC") || read_offset(name, &z->offset))
        return z;
    (void)refuse(c, at,
                 "names of time zones are not supported; write \"UTC\" or a fixed offset such as "
                 "\"+01:00\"");
    return NULL;
}
