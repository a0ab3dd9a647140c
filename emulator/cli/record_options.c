/* Sizes with a unit, and limits that make sense. */
#include "cli/record_options.h"

#include <string.h>

#define MAX_WITHOUT  "64m"
#define KEEP_WITHOUT "3"

enum { LEAST_KIB = 64, MOST_GIB = 1024 };

/* "65536", "64k", "64m", "2g"; capital letters as well. */
static bool size_of(const char *text, uint64_t *out)
{
    span digits = span_of(text);
    static const char units[] = "kmgKMG";
    uint64_t unit = 1, n = 0;
    const char *letter = digits.n ? strchr(units, digits.p[digits.n - 1]) : NULL;
    if (letter) {
        unit <<= 10 * ((letter - units) % 3 + 1);
        digits.n--;
    }
    const uint64_t most = (uint64_t)MOST_GIB << 30;
    if (!span_u64(digits, most / unit, &n) || n * unit < (uint64_t)LEAST_KIB * 1024)
        return false;
    *out = n * unit;
    return true;
}

int record_options_read(const char *command, const record_settings *s, record_file_options *out)
{
    uint64_t keep = 0;
    *out = (record_file_options){.path = s->file};
    if (!s->file && (s->max || s->keep))
        return cli_usage_error(command, "--record-%s goes with --record FILE",
                               s->max ? "max" : "keep");
    if (s->file && !*s->file)
        return cli_usage_error(command, "--record wants a file's name");
    if (!size_of(s->max ? s->max : MAX_WITHOUT, &out->bytes_max))
        return cli_usage_error(command,
                               "--record-max is a number of bytes from %dk to %dg, not '%s'",
                               LEAST_KIB, MOST_GIB, s->max);
    if (!span_u64(span_of(s->keep ? s->keep : KEEP_WITHOUT), RECORD_FILE_KEEP_MAX, &keep))
        return cli_usage_error(command, "--record-keep is a number from 0 to %d, not '%s'",
                               RECORD_FILE_KEEP_MAX, s->keep);
    out->keep = (unsigned)keep;
    return -1;
}
