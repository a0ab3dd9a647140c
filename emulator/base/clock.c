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
