/* Time as a value that is passed in, so that a test owns it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Microseconds since 1970-01-01T00:00:00Z (token times, logs). */
int64_t clock_wall_us(void);

/* Microseconds on a clock that never jumps (time-outs, latency). */
int64_t clock_mono_us(void);

/* Where a module that needs the wall clock gets it from. */
typedef struct clock_source {
    int64_t (*wall_us)(void *ctx);
    void *ctx;
} clock_source;

clock_source clock_system(void);

static inline int64_t clock_now_us(clock_source c)
{
    return c.wall_us(c.ctx);
}
static inline int64_t clock_now_s(clock_source c)
{
    return c.wall_us(c.ctx) / 1000000;
}

enum { CLOCK_RFC3339_MAX = 40 };

/* "2026-05-10T05:57:08.647307Z"; digits = 0, 3, 6 or 9 fractional digits. */
void clock_rfc3339(int64_t wall_us, int digits, char out[CLOCK_RFC3339_MAX]);

/* The reverse: "Z" or an offset, any number of fractional digits (cut to microseconds), years 0001
 * to 9999. false: not such a time. */
bool clock_parse_rfc3339(span text, int64_t *out_wall_us);

enum { CLOCK_HTTP_DATE_MAX = 48 };

/* "Sun, 10 May 2026 05:57:08 GMT", as the Date field has it; in English whatever the locale. */
void clock_http_date(int64_t wall_us, char out[CLOCK_HTTP_DATE_MAX]);

#endif
