/* A token is TIME-INSERTID-HASH in base64url's alphabet as it is: nothing of it is secret, and one
 * that was made up by hand does no harm. */
#include "control/log_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

enum { HASH_DIGITS = 16 };

int log_place_order(const log_place *a, const log_place *b)
{
    if (a->time_us != b->time_us)
        return a->time_us < b->time_us ? -1 : 1;
    return strcmp(a->id, b->id);
}

static uint64_t hash_of(span filter, bool newest_first)
{
    const hash_key fixed = {newest_first, 0}; /* tokens outlive a process */
    return hash_bytes(fixed, filter.n ? filter.p : "", filter.n);
}

void log_page_token(const log_place *last, span filter, bool newest_first, buf *out)
{
    buf_fmt(out, "%" PRId64 "-%s-%016" PRIx64, last->time_us, last->id,
            hash_of(filter, newest_first));
}

static bool is_id(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z')))
            return false;
    return s.n > 0 && s.n <= LOG_ID_MAX;
}

bool log_page_from(span token, span filter, bool newest_first, log_place *out_last)
{
    char hash[HASH_DIGITS + 1];
    span time, id;
    uint64_t us;
    if (!span_cut(&token, '-', &time) || !span_cut(&token, '-', &id) ||
        !span_u64(time, INT64_MAX, &us) || !is_id(id))
        return false;
    snprintf(hash, sizeof hash, "%016" PRIx64, hash_of(filter, newest_first));
    if (!span_eq_str(token, hash))
        return false;
    *out_last = (log_place){.time_us = (int64_t)us};
    memcpy(out_last->id, id.p, id.n);
    return true;
}
