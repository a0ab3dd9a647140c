/* Query parameters of the tree. */
#include "metadata/ask.h"

#include "http/server.h"

enum { TIMEOUT_MAX_S = 7 * 24 * 3600 };

static bool one_of(span value, const char *const *words)
{
    for (; *words; words++)
        if (span_ieq_str(value, *words))
            return true;
    return false;
}

bool ask_flag_on(span query, const char *name)
{
    static const char *const words[] = {"true", "1", "yes", "y", "t", NULL};
    span value;
    return http_query_find(query, name, &value) && one_of(value, words);
}

bool ask_flag_off(span query, const char *name)
{
    static const char *const words[] = {"false", "0", "no", "n", "f", NULL};
    span value;
    return http_query_find(query, name, &value) && one_of(value, words);
}

const char *ask_parse(span query, ask *out)
{
    ask a = {.timeout_us = -1};
    span value;
    a.recursive = ask_flag_on(query, "recursive");
    a.wait_for_change = ask_flag_on(query, "wait_for_change");
    a.has_last_etag = http_query_find(query, "last_etag", &a.last_etag);
    if (http_query_find(query, "alt", &value))
        a.alt = span_eq_str(value, "json")   ? ALT_JSON
                : span_eq_str(value, "text") ? ALT_TEXT
                                             : ALT_NATURAL;
    if (http_query_find(query, "timeout_sec", &value)) {
        uint64_t seconds;
        if (!span_u64(value, TIMEOUT_MAX_S, &seconds))
            return "Invalid Request: timeout_sec is not a whole number of seconds";
        a.timeout_us = (int64_t)seconds * 1000000;
    }
    *out = a;
    return NULL;
}
