/* Cloud Resource Manager, v1 and v3: the one project. */
#include "control/api.h"

#include <string.h>

#include "control/iam_policy.h"

/* ---- as resources ---- */

static json_t *project_v1(const project *p)
{
    return json_pack("{s:s,s:s,s:s,s:s}", "projectNumber", p->number, "projectId", p->id,
                     "lifecycleState", "ACTIVE", "name", p->id);
}

static json_t *project_v3(const project *p)
{
    return json_pack("{s:o,s:s,s:s,s:s}", "name", json_sprintf("projects/%s", p->number),
                     "projectId", p->id, "state", "ACTIVE", "displayName", p->id);
}

/* ---- filters: FIELD:VALUE or FIELD=VALUE, all of which must hold ---- */

static bool value_fits(span pattern, const char *value)
{
    if (pattern.n > 1 && (pattern.p[0] == '"' || pattern.p[0] == '\'') &&
        pattern.p[pattern.n - 1] == pattern.p[0])
        pattern = (span){pattern.p + 1, pattern.n - 2};
    if (!span_ends(pattern, SPAN_LIT("*")))
        return span_ieq(pattern, span_of(value));
    pattern.n--;
    span v = span_of(value);
    return v.n >= pattern.n && span_ieq((span){v.p, pattern.n}, pattern);
}

typedef enum verdict { FITS, FITS_NOT, NOT_UNDERSTOOD } verdict;

static verdict term_fits(const project *p, span term)
{
    size_t at = 0;
    while (at < term.n && term.p[at] != ':' && term.p[at] != '=')
        at++;
    if (at == 0 || at == term.n)
        return NOT_UNDERSTOOD;
    const struct {
        const char *name, *value;
    } fields[] = {{"id", p->id},          {"projectId", p->id},        {"name", p->id},
                  {"displayName", p->id}, {"project_id", p->id},       {"projectNumber", p->number},
                  {"state", "ACTIVE"},    {"lifecycleState", "ACTIVE"}};
    span name = {term.p, at};
    for (size_t i = 0; i < countof(fields); i++)
        if (span_ieq_str(name, fields[i].name))
            return value_fits(span_from(term, at + 1), fields[i].value) ? FITS : FITS_NOT;
    /* The project has neither labels nor a parent. */
    return span_starts(name, SPAN_LIT("labels")) || span_starts(name, SPAN_LIT("parent"))
               ? FITS_NOT
               : NOT_UNDERSTOOD;
}

/* false: answered. */
static bool read_filter(api_call *c, const char *parameter, bool *out_fits)
{
    auto_buf buf filter = buf_make(4096);
    (void)api_query(c, parameter, &filter);
    span rest = buf_view(&filter);
    bool fits = true;
    while (rest.n) {
        span term;
        (void)span_cut(&rest, ' ', &term);
        if (term.n == 0 || span_eq_str(term, "AND"))
            continue;
        verdict v = term_fits(snapshot_project(api_snapshot(c)), term);
        if (v == NOT_UNDERSTOOD) {
            api_fail(c, API_INVALID_ARGUMENT,
                     "%s: \"%.*s\" is not understood; terms are FIELD:VALUE with one of id, "
                     "projectId, name, projectNumber, lifecycleState, state",
                     parameter, SPAN_ARG(term));
            return false;
        }
        fits = fits && v == FITS;
    }
    *out_fits = fits;
    return true;
}

/* ---- methods ---- */

static void get_v1(api_call *c)
{
    if (api_project(c, c->params[0]))
        api_reply(c, 200, project_v1(snapshot_project(api_snapshot(c))));
}

static void get_v3(api_call *c)
{
    if (api_project(c, c->params[0]))
        api_reply(c, 200, project_v3(snapshot_project(api_snapshot(c))));
}

static void list_with(api_call *c, const char *parameter, json_t *(*write)(const project *p))
{
    bool fits;
    if (!read_filter(c, parameter, &fits))
        return;
    json_t *projects = json_array();
    if (fits)
        (void)json_array_append_new(projects, write(snapshot_project(api_snapshot(c))));
    api_reply(c, 200, json_pack("{s:o}", "projects", projects));
}

static void list_v1(api_call *c)
{
    list_with(c, "filter", project_v1);
}

static void search_v3(api_call *c)
{
    list_with(c, "query", project_v3);
}

static void get_ancestry(api_call *c)
{
    if (api_project(c, c->params[0]))
        api_reply(c, 200,
                  json_pack("{s:[{s:{s:s,s:s}}]}", "ancestor", "resourceId", "type", "project",
                            "id", snapshot_project(api_snapshot(c))->id));
}

/* ---- its policy ---- */

static void get_policy(api_call *c)
{
    if (api_project(c, c->params[0]))
        iam_policy_serve_get(c, "project");
}

static void set_policy(api_call *c)
{
    if (api_project(c, c->params[0]))
        iam_policy_serve_set(c, "project");
}

static void test_permissions(api_call *c)
{
    if (api_project(c, c->params[0]))
        iam_policy_serve_test(c, "project");
}

const api_route crm_routes[] = {
    {.method = "GET", .pattern = "/v1/projects", .serve = list_v1},
    {.method = "GET", .pattern = "/v1/projects/{}", .serve = get_v1},
    {.method = "POST", .pattern = "/v1/projects/{}:getAncestry", .serve = get_ancestry},
    {.method = "GET", .pattern = "/v3/projects:search", .serve = search_v3},
    {.method = "GET", .pattern = "/v3/projects/{}", .serve = get_v3},
    {.method = "POST", .pattern = "/v1/projects/{}:getIamPolicy", .serve = get_policy},
    {.method = "POST", .pattern = "/v1/projects/{}:setIamPolicy", .serve = set_policy},
    {.method = "POST", .pattern = "/v1/projects/{}:testIamPermissions", .serve = test_permissions},
    {.method = "POST", .pattern = "/v3/projects/{}:getIamPolicy", .serve = get_policy},
    {.method = "POST", .pattern = "/v3/projects/{}:setIamPolicy", .serve = set_policy},
    {.method = "POST", .pattern = "/v3/projects/{}:testIamPermissions", .serve = test_permissions},
    {0}};
