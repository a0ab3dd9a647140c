/* Finds the handler of a method and path. */
#include <stdlib.h>

#include "control/api_impl.h"
#include "control/reply.h"

enum { ECHO_MAX = 256 };

/* What is served, in the words of a refusal. */
static const struct {
    const api_route *routes;
    const char *title; /* NULL: all that is served is a refusal */
} apis[] = {
    {run_v1_routes, "Cloud Run Admin v1 (services and revisions, as Knative objects)"},
    {run_v2_routes, "Cloud Run Admin v2 (services, revisions, operations)"},
    {run_iam_routes, "the IAM policies of Cloud Run services"},
    {iam_routes, "IAM v1 (service accounts and their keys, roles)"},
    {iam_v2_routes, "IAM v2 (deny policies)"},
    {crm_routes, "Cloud Resource Manager v1 and v3 (projects)"},
    {service_usage_routes, "Service Usage v1"},
    {artifact_registry_routes, NULL},
    {logging_routes, "Logging v2 (entries:list, logs)"},
    {forwarded_routes, "IAM Service Account Credentials v1, the OAuth token endpoint /token, "
                       "/tokeninfo, /computeMetadata/v1"},
};

/* ---- patterns ---- */

/* One segment of the pattern against one of the path. */
static bool segment_fits(span pattern, span segment, bool last, span **param)
{
    static const span hole = {"{}", 2};
    if (!span_starts(pattern, hole))
        return span_eq(pattern, segment);
    span verb = span_from(pattern, hole.n);
    if (segment.n <= verb.n || !span_ends(segment, verb))
        return false;
    span value = {segment.p, segment.n - verb.n};
    if (last && verb.n == 0 && span_find(value, ':') < value.n)
        return false; /* a verb of another route */
    *(*param)++ = value;
    return true;
}

bool api_pattern_fits(const char *pattern, span path, span params[API_PARAMS_MAX])
{
    span want = span_of(pattern);
    for (;;) {
        span p, s;
        bool more_pattern = span_cut(&want, '/', &p);
        if (!more_pattern && span_eq_str(p, "**")) {
            *params = path;
            return true;
        }
        bool more_path = span_cut(&path, '/', &s);
        if (more_pattern != more_path || !segment_fits(p, s, !more_path, &params))
            return false;
        if (!more_path)
            return true;
    }
}

static bool method_fits(const char *method, span asked)
{
    return span_eq_str(asked, method) ||
           (span_eq_str(asked, "HEAD") && span_eq_str(span_of(method), "GET"));
}

static const api_route *next_route(const api_route *r, span path, span params[API_PARAMS_MAX])
{
    for (; r->method; r++) {
        memset(params, 0, API_PARAMS_MAX * sizeof *params);
        if (api_pattern_fits(r->pattern, path, params))
            return r;
    }
    return NULL;
}

void api_find_route(span method, span path, api_match *out)
{
    *out = (api_match){0};
    for (size_t i = 0; i < countof(apis); i++)
        for (const api_route *r = apis[i].routes; (r = next_route(r, path, out->params)); r++) {
            out->known = true;
            if (method_fits(r->method, method)) {
                out->route = r;
                return;
            }
        }
}

/* ---- what is not served ---- */

static span shortened(span s)
{
    return (span){s.p, s.n < ECHO_MAX ? s.n : ECHO_MAX};
}

static void list_methods(span path, buf *out)
{
    span unused[API_PARAMS_MAX];
    for (size_t i = 0; i < countof(apis); i++)
        for (const api_route *r = apis[i].routes; (r = next_route(r, path, unused)); r++)
            buf_fmt(out, "%s%s", out->n ? ", " : "", r->method);
}

void api_refuse_route(http_request *r, bool known_path)
{
    span method = shortened(http_method(r));
    span path = shortened(http_path(r));
    auto_buf buf b = buf_make(4096);
    if (known_path) {
        list_methods(http_path(r), &b);
        reply_error(r, 405, b.p, "%.*s %.*s: that path is asked with %s", SPAN_ARG(method),
                    SPAN_ARG(path), b.p);
        return;
    }
    for (size_t i = 0; i < countof(apis); i++)
        if (apis[i].title)
            buf_fmt(&b, "%s; ", apis[i].title);
    reply_error(r, 404, NULL,
                "%.*s %.*s: nothing is served there. Served are: %sand of the gateway itself "
                "/healthz, /invoker/v1/status and /invoker/v1/decisions",
                SPAN_ARG(method), SPAN_ARG(path), b.p);
}

/* ---- regional endpoints ---- */

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* LETTERS-LETTERS-DIGITS-…, as regions are named. */
static size_t region_length(span host)
{
    size_t i = 0;
    while (i < host.n && is_letter(host.p[i]))
        i++;
    size_t dash = i;
    if (dash == 0 || dash == host.n || host.p[i++] != '-')
        return 0;
    while (i < host.n && is_letter(host.p[i]))
        i++;
    size_t digits = i;
    while (i < host.n && host.p[i] >= '0' && host.p[i] <= '9')
        i++;
    return i > digits && digits > dash + 1 && i < host.n && host.p[i] == '-' ? i : 0;
}

span api_region_of(span host)
{
    static const span mark = {"-run.", 5};
    for (size_t i = 1; i + mark.n <= host.n; i++)
        if (span_ieq((span){host.p + i, mark.n}, mark))
            return (span){host.p, i};
    return (span){host.p, region_length(host)};
}
