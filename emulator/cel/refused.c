/* What CEL has, or IAM has elsewhere, and conditions here have not: by name, with the way out. */
#include "cel/internal.h"

typedef struct refusal {
    const char *names; /* separated by blanks */
    const char *why;
} refusal;

static const refusal functions[] = {
    {"has", "macros are not supported; every attribute of a condition has a value"},
    {"all exists exists_one existsOne map filter transformList transformMap sortBy",
     "macros over lists are not supported; write out the cases, or use `in` with a list"},
    {"matches", "regular expressions are not supported; use startsWith, endsWith, contains or "
                "extract"},
    {"matchTag matchTagId hasTagKey hasTagKeyId",
     "tags are not supported: resources here have none; use resource.name"},
    {"getAttribute", "attributes of single APIs are not supported; Cloud Run offers none"},
    {"inIpRange", "addresses are not supported in conditions on Cloud Run"},
    {"hasOnly", "it works on api.getAttribute(…), which is not supported; Cloud Run offers none"},
    {"uint bytes dyn type bool", "this conversion is not supported; there are int, double, string, "
                                 "timestamp and duration"},
    {"lowerAscii upperAscii charAt indexOf lastIndexOf join replace split substring trim reverse "
     "format quote",
     "it belongs to CEL's string extensions, which IAM does not offer; use startsWith, endsWith, "
     "contains, extract or size"},
};

static const refusal attributes[] = {
    {"request.path request.host",
     "Cloud Run offers no part of the URL to conditions (Identity-Aware Proxy does); grant on the "
     "service instead"},
    {"request.auth request.auth.access_levels request.auth.claims request.auth.principal",
     "access levels and claims are not supported; they are Identity-Aware Proxy's"},
    {"destination.ip destination.port",
     "it is Identity-Aware Proxy's, and not offered for Cloud Run"},
    {"origin.ip", "it is Identity-Aware Proxy's, and not offered for Cloud Run"},
    {"principal.type principal.subject",
     "it belongs to principal access boundaries; name the member in the binding instead"},
    {"resource.matchTag resource.matchTagId resource.hasTagKey resource.hasTagKeyId",
     "tags are not supported: resources here have none; use resource.name"},
    {"api.getAttribute", "attributes of single APIs are not supported; Cloud Run offers none"},
    {"request request.time.now now", "write request.time for the time of the request"},
    {"resource", "write resource.name, resource.service or resource.type"},
};

static const char *look_up(const refusal *rows, size_t count, span name)
{
    for (size_t i = 0; i < count; i++) {
        span rest = span_of(rows[i].names), word;
        while (rest.n) {
            (void)span_cut(&rest, ' ', &word);
            if (span_eq(word, name))
                return rows[i].why;
        }
    }
    return NULL;
}

const char *refused_function(span name)
{
    return look_up(functions, countof(functions), name);
}

const char *refused_attribute(span name)
{
    return look_up(attributes, countof(attributes), name);
}
