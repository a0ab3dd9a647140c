/* Wall and monotonic clocks, RFC 3339 text. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall_us(void *ctx)
{
    (void)ctx;
    return clock_wall_us();
}

clock_source clock_system(void)
{
    return (clock_source){system_wall_us, NULL};
}

static struct tm split(int64_t wall_us, int64_t *out_micros)
{
    int64_t seconds = wall_us / 1000000;
    int64_t micros = wall_us % 1000000;
    if (micros < 0) {
        micros += 1000000;
        seconds--;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    if (!gmtime_r(&t, &tm))
        tm = (struct tm){.tm_year = 70, .tm_mday = 1, .tm_wday = 4};
    *out_micros = micros;
    return tm;
}

void clock_rfc3339(int64_t wall_us, int digits, char out[CLOCK_RFC3339_MAX])
{
    int64_t micros;
    struct tm tm = split(wall_us, &micros);
    char fraction[16] = "";
    int kept = digits < 0 ? 0 : digits > 9 ? 9 : digits;
    if (kept)
        (void)snprintf(fraction, sizeof fraction, ".%09d", (int)(micros * 1000));
    (void)snprintf(out, CLOCK_RFC3339_MAX, "%04d-%02d-%02dT%02d:%02d:%02d%.*sZ",
                   (tm.tm_year + 1900) % 10000, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                   tm.tm_sec, kept ? kept + 1 : 0, fraction);
}

/* Two or four digits at *at, then the given character (0: none); moves on. */
static bool number(span *at, size_t digits, uint64_t max, char behind, int *out)
{
    uint64_t value;
    const size_t n = digits + (behind != 0);
    if (at->n < n || !span_u64((span){at->p, digits}, max, &value) ||
        (behind && at->p[digits] != behind))
        return false;
    *out = (int)value;
    *at = span_from(*at, n);
    return true;
}

static bool fraction(span *at, int64_t *out_us)
{
    *out_us = 0;
    if (at->n == 0 || at->p[0] != '.')
        return true;
    size_t i = 1;
    for (int64_t unit = 100000; i < at->n && at->p[i] >= '0' && at->p[i] <= '9'; i++, unit /= 10)
        *out_us += (at->p[i] - '0') * unit;
    *at = span_from(*at, i);
    return i > 1;
}

static bool offset(span at, int64_t *out_s)
{
    int hours = 0, minutes = 0;
    *out_s = 0;
    if (span_eq_str(at, "Z") || span_eq_str(at, "z"))
        return true;
    if (at.n == 0 || (at.p[0] != '+' && at.p[0] != '-'))
        return false;
    const int64_t sign = at.p[0] == '-' ? -1 : 1;
    at = span_from(at, 1);
    if (!number(&at, 2, 23, ':', &hours) || !number(&at, 2, 59, 0, &minutes) || at.n)
        return false;
    *out_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_parse_rfc3339(span text, int64_t *out_wall_us)
{
    struct tm tm = {0};
    int64_t micros, offset_s;
    if (!number(&text, 4, 9999, '-', &tm.tm_year) || !number(&text, 2, 12, '-', &tm.tm_mon) ||
        !number(&text, 2, 31, 0, &tm.tm_mday) || text.n == 0 ||
        (text.p[0] != 'T' && text.p[0] != 't'))
        return false;
    text = span_from(text, 1);
    if (!number(&text, 2, 23, ':', &tm.tm_hour) || !number(&text, 2, 59, ':', &tm.tm_min) ||
        !number(&text, 2, 59, 0, &tm.tm_sec) || !fraction(&text, &micros) ||
        !offset(text, &offset_s) || tm.tm_year == 0)
        return false;
    const struct tm asked = tm;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    const time_t seconds = timegm(&tm);
    if (tm.tm_mday != asked.tm_mday || tm.tm_mon + 1 != asked.tm_mon)
        return false; /* 30 February */
    *out_wall_us = ((int64_t)seconds - offset_s) * 1000000 + micros;
    return true;
}

void clock_http_date(int64_t wall_us, char out[CLOCK_HTTP_DATE_MAX])
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t micros;
    struct tm tm = split(wall_us, &micros);
    (void)snprintf(out, CLOCK_HTTP_DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                   days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], (tm.tm_year + 1900) % 10000,
                   tm.tm_hour, tm.tm_min, tm.tm_sec);
}
