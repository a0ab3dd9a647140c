/* What entries:list is asked, from the JSON of its body. */
#include "control/log_request.h"

#include <string.h>

enum { PAGE_DEFAULT = 50, PAGE_MAX = 1000, RESOURCES_MAX = 100 };

/* projects/P, or its default bucket's views, which show everything there is. */
static bool check_resource(api_call *c, const char *name)
{
    span rest = span_of(name), kind, id;
    (void)span_cut(&rest, '/', &kind);
    (void)span_cut(&rest, '/', &id);
    const bool container = span_eq_str(kind, "organizations") || span_eq_str(kind, "folders") ||
                           span_eq_str(kind, "billingAccounts");
    if (container && id.n) {
        api_fail(c, API_PERMISSION_DENIED,
                 "The caller does not have permission for %s: logs here are those of projects/%s",
                 name, snapshot_project(api_snapshot(c))->id);
        return false;
    }
    if (!span_eq_str(kind, "projects") || id.n == 0) {
        api_fail(c, API_INVALID_ARGUMENT, "resourceNames: \"%s\" is not of the form projects/%s",
                 name, snapshot_project(api_snapshot(c))->id);
        return false;
    }
    auto_free char *asked = span_dup(id);
    if (!api_project(c, asked))
        return false;
    if (rest.n == 0 || span_eq_str(rest, "locations/global/buckets/_Default/views/_Default") ||
        span_eq_str(rest, "locations/global/buckets/_Default/views/_AllLogs"))
        return true;
    api_fail(c, API_NOT_FOUND,
             "%s does not exist: the only bucket here is locations/global/buckets/_Default, with "
             "the views _Default and _AllLogs",
             name);
    return false;
}

static bool check_resources(api_call *c)
{
    const json_t *names = json_object_get(c->body, "resourceNames");
    const json_t *ids = json_object_get(c->body, "projectIds");
    const size_t count = json_array_size(names) + json_array_size(ids);
    size_t i = 0;
    json_t *one = NULL;
    if (count == 0 || count > RESOURCES_MAX) {
        api_fail(c, API_INVALID_ARGUMENT, "resourceNames: 1 to %d names are expected, like %s",
                 RESOURCES_MAX, "\"projects/PROJECT\"");
        return false;
    }
    json_array_foreach (names, i, one) {
        if (!check_resource(c, json_is_string(one) ? json_string_value(one) : ""))
            return false;
    }
    json_array_foreach (ids, i, one) {
        if (!api_project(c, json_is_string(one) ? json_string_value(one) : ""))
            return false;
    }
    return true;
}

static bool fail_type(api_call *c, const char *name, const char *type)
{
    api_fail(c, API_INVALID_ARGUMENT, "Invalid value at '%s': expected %s", name, type);
    return false;
}

static bool text_field(api_call *c, const char *name, span *out)
{
    const json_t *v = json_object_get(c->body, name);
    *out = (span){json_string_value(v), json_string_length(v)};
    return !v || json_is_null(v) || json_is_string(v) || fail_type(c, name, "a string");
}

static bool read_size(api_call *c, const json_t *v, size_t *out)
{
    const span text = {json_string_value(v), json_string_length(v)};
    uint64_t n = (uint64_t)json_integer_value(v);
    if (json_is_string(v) && !span_u64(text, INT32_MAX, &n))
        return fail_type(c, "pageSize", "a number");
    if (v && !json_is_null(v) && !json_is_string(v) && !json_is_integer(v))
        return fail_type(c, "pageSize", "a number");
    if (json_integer_value(v) < 0) {
        api_fail(c, API_INVALID_ARGUMENT, "page_size must not be negative");
        return false;
    }
    *out = n == 0 ? PAGE_DEFAULT : n < PAGE_MAX ? (size_t)n : PAGE_MAX;
    return true;
}

static bool read_order(api_call *c, bool *out_newest_first)
{
    span order;
    if (!text_field(c, "orderBy", &order))
        return false;
    *out_newest_first = span_ieq_str(order, "timestamp desc");
    if (order.n == 0 || *out_newest_first || span_ieq_str(order, "timestamp asc") ||
        span_ieq_str(order, "timestamp"))
        return true;
    api_fail(c, API_INVALID_ARGUMENT,
             "orderBy: \"%.*s\" is not supported; \"timestamp asc\" and \"timestamp desc\" are",
             SPAN_ARG(order));
    return false;
}

static bool check_names(api_call *c)
{
    static const char *const known[] = {"resourceNames", "projectIds", "filter",
                                        "orderBy",       "pageSize",   "pageToken"};
    const char *key = NULL;
    json_t *ignored = NULL;
    json_object_foreach (c->body, key, ignored) {
        bool is_known = false;
        for (size_t i = 0; i < countof(known); i++)
            is_known = is_known || strcmp(key, known[i]) == 0;
        if (!is_known) {
            api_fail(c, API_INVALID_ARGUMENT,
                     "Invalid JSON payload received. Unknown name \"%s\": Cannot find field.", key);
            return false;
        }
    }
    return true;
}

static bool read_filter(api_call *c, log_request *out)
{
    error e = {0};
    if (!text_field(c, "filter", &out->filter_text))
        return false;
    out->filter = log_filter_new(out->filter_text, &e);
    if (!out->filter)
        api_fail(c, API_INVALID_ARGUMENT, "%s", e.text);
    return out->filter != NULL;
}

/* "… command/gcloud.run.services.logs.read …" */
static bool prints_text_only(const api_call *c)
{
    span agent = c->request ? http_header(c->request, "User-Agent") : (span){0}, word;
    while (agent.n) {
        (void)span_cut(&agent, ' ', &word);
        if (span_starts(word, SPAN_LIT("command/gcloud.")) &&
            span_ends(word, SPAN_LIT(".logs.read")))
            return true;
    }
    return false;
}

bool log_request_read(api_call *c, log_request *out)
{
    span token;
    if (!check_names(c) || !check_resources(c) || !read_order(c, &out->newest_first) ||
        !read_size(c, json_object_get(c->body, "pageSize"), &out->page_size) ||
        !read_filter(c, out) || !text_field(c, "pageToken", &token))
        return false;
    out->text_only = prints_text_only(c);
    out->goes_on = token.n != 0;
    if (!out->goes_on || log_page_from(token, out->filter_text, out->newest_first, &out->from))
        return true;
    api_fail(c, API_INVALID_ARGUMENT,
             "page_token doesn't match arguments from the request: it goes with the same filter "
             "and order as the page before");
    return false;
}
