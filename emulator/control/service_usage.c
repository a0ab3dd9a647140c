/* Service Usage API v1: which APIs are enabled in the project. All that is emulated here is, and so
 * is whatever a tutorial asks for; nothing is refused for want of it. */
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "control/api.h"

enum { SERVICE_NAME_MAX = 128, SERVICES_MAX = 1000, NAMES_MAX = 1100, BATCH_MAX = 20 };

#define NAME "projects/%s/services/%s"

/* What is emulated here, and is enabled unless it was disabled. */
static const struct known_api {
    const char *name, *title;
} known_apis[] = {
    {"cloudresourcemanager.googleapis.com", "Cloud Resource Manager API"},
    {"iam.googleapis.com", "Identity and Access Management (IAM) API"},
    {"iamcredentials.googleapis.com", "IAM Service Account Credentials API"},
    {"logging.googleapis.com", "Cloud Logging API"},
    {"run.googleapis.com", "Cloud Run Admin API"},
    {"serviceusage.googleapis.com", "Service Usage API"},
};

static const struct known_api *find_known(const char *name)
{
    for (size_t i = 0; i < countof(known_apis); i++)
        if (strcmp(known_apis[i].name, name) == 0)
            return &known_apis[i];
    return NULL;
}

static bool is_service_name(const char *s)
{
    size_t n = strlen(s);
    size_t sound = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-.");
    return n > 0 && n <= SERVICE_NAME_MAX && sound == n && strchr(s, '.');
}

static json_t *describe(const api_call *c, const char *name, bool enabled)
{
    const project *p = snapshot_project(api_snapshot(c));
    const struct known_api *known = find_known(name);
    return json_pack("{s:o,s:o,s:{s:s,s:s*},s:s}", "name", json_sprintf(NAME, p->number, name),
                     "parent", json_sprintf("projects/%s", p->number), "config", "name", name,
                     "title", known ? known->title : NULL, "state",
                     enabled ? "ENABLED" : "DISABLED");
}

/* Long-running operations of this API are over at once, as the real ones are where nothing is to be
 * done. value is stolen. */
static json_t *done(const char *type, const char *key, json_t *value)
{
    return json_pack("{s:s,s:b,s:{s:o,s:o}}", "name", "operations/noop.DONE_OPERATION", "done", 1,
                     "response", "@type",
                     json_sprintf("type.googleapis.com/google.api.serviceusage.v1.%s", type), key,
                     value);
}

/* false: answered. */
static bool check_name(api_call *c, const char *name)
{
    if (is_service_name(name))
        return true;
    api_fail(c, API_INVALID_ARGUMENT, "\"%s\" is not the name of a service, such as %s", name,
             "run.googleapis.com");
    return false;
}

static bool is_enabled(const api_call *c, const char *name)
{
    const json_t *entry = api_entry(c, "apis", name);
    return entry ? json_is_true(json_object_get(entry, "enabled")) : find_known(name) != NULL;
}

/* As they are to be, then the answer (stolen); no change is none of the state's either. */
static void set_enabled(api_call *c, const char *const *names, size_t count, bool enabled,
                        json_t *reply)
{
    json_t *draft = api_draft(c);
    bool changed = false;
    for (size_t i = 0; i < count; i++) {
        if (is_enabled(c, names[i]) == enabled)
            continue;
        state_set(draft, "apis", names[i], json_pack("{s:b}", "enabled", (int)enabled));
        changed = true;
    }
    if (json_object_size(json_object_get(draft, "apis")) > SERVICES_MAX) {
        api_fail(c, API_RESOURCE_EXHAUSTED, "more than %d services were asked for", SERVICES_MAX);
        json_decref(reply);
    } else if (changed) {
        api_commit(c, draft, 200, reply);
        return;
    } else {
        api_reply(c, 200, reply);
    }
    json_decref(draft);
}

/* ---- methods ---- */

static void get(api_call *c)
{
    if (api_project(c, c->params[0]) && check_name(c, c->params[1]))
        api_reply(c, 200, describe(c, c->params[1], is_enabled(c, c->params[1])));
}

static void change_one(api_call *c, bool enabled, const char *type)
{
    const char *name = c->params[1];
    if (api_project(c, c->params[0]) && check_name(c, name))
        set_enabled(c, &name, 1, enabled, done(type, "service", describe(c, name, enabled)));
}

static void enable(api_call *c)
{
    change_one(c, true, "EnableServiceResponse");
}

static void disable(api_call *c)
{
    change_one(c, false, "DisableServiceResponse");
}

/* The names are all sound; else answered. */
static bool check_batch(api_call *c, const json_t *ids)
{
    size_t i;
    const json_t *id;
    if (json_array_size(ids) == 0 || json_array_size(ids) > BATCH_MAX) {
        api_fail(c, API_INVALID_ARGUMENT, "serviceIds is a list of 1 to %d names of services",
                 BATCH_MAX);
        return false;
    }
    json_array_foreach (ids, i, id) {
        const char *name = json_string_value(id);
        if (!check_name(c, name ? name : ""))
            return false;
    }
    return true;
}

static void batch_enable(api_call *c)
{
    const json_t *ids = json_object_get(c->body, "serviceIds");
    size_t i;
    const json_t *id;
    if (!api_project(c, c->params[0]) || !check_batch(c, ids))
        return;
    const char *names[BATCH_MAX] = {0};
    json_t *all = json_array();
    json_array_foreach (ids, i, id) {
        names[i] = json_string_value(id);
        (void)json_array_append_new(all, describe(c, names[i], true));
    }
    set_enabled(c, names, i, true, done("BatchEnableServicesResponse", "services", all));
}

/* "state:ENABLED", "state:DISABLED" or nothing; false: answered. */
static bool read_filter(api_call *c, bool *out_enabled, bool *out_disabled)
{
    auto_buf buf filter = buf_make(256);
    (void)api_query(c, "filter", &filter);
    span f = span_trim(buf_view(&filter));
    *out_enabled = !span_eq_str(f, "state:DISABLED");
    *out_disabled = !span_eq_str(f, "state:ENABLED");
    if (buf_ok(&filter) && (f.n == 0 || *out_enabled != *out_disabled))
        return true;
    api_fail(c, API_INVALID_ARGUMENT, "filter is state:ENABLED or state:DISABLED");
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_name(const api_call *c, const char *name, bool wanted, const char **names,
                     size_t *n)
{
    if (wanted == is_enabled(c, name) && *n < NAMES_MAX)
        names[(*n)++] = name;
}

/* The names, sorted, of those that are (not) enabled; they live as long as the state in force. */
static size_t collect(const api_call *c, bool enabled, const char **names)
{
    json_auto_t *draft = api_draft(c);
    size_t n = 0;
    const char *name;
    json_t *ignored;
    json_object_foreach (json_object_get(draft, "apis"), name, ignored)
        add_name(c, name, enabled, names, &n);
    for (size_t i = 0; i < countof(known_apis); i++)
        if (!api_entry(c, "apis", known_apis[i].name))
            add_name(c, known_apis[i].name, enabled, names, &n);
    qsort(names, n, sizeof *names, by_name);
    return n;
}

static void list(api_call *c)
{
    bool wanted[2]; /* disabled ones, enabled ones */
    const char *names[NAMES_MAX];
    if (!api_project(c, c->params[0]) || !read_filter(c, &wanted[1], &wanted[0]))
        return;
    json_t *services = json_array();
    for (int enabled = 1; enabled >= 0; enabled--) {
        const size_t n = wanted[enabled] ? collect(c, enabled, names) : 0;
        for (size_t i = 0; i < n; i++)
            (void)json_array_append_new(services, describe(c, names[i], enabled));
    }
    api_reply(c, 200, json_pack("{s:o}", "services", services));
}

static void batch_get(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return;
    span query = http_query(c->request);
    json_t *services = json_array();
    while (query.n) {
        span pair, key;
        (void)span_cut(&query, '&', &pair);
        (void)span_cut(&pair, '=', &key);
        auto_buf buf value = buf_make(512);
        http_percent_decode(pair, true, &value);
        const char *slash = value.p ? strrchr(value.p, '/') : NULL;
        if (!span_eq_str(key, "names") || !slash || !is_service_name(slash + 1))
            continue;
        (void)json_array_append_new(services, describe(c, slash + 1, is_enabled(c, slash + 1)));
    }
    api_reply(c, 200, json_pack("{s:o}", "services", services));
}

static void get_operation(api_call *c)
{
    api_reply(
        c, 200,
        json_pack("{s:o,s:b}", "name", json_sprintf("operations/%s", c->params[0]), "done", 1));
}

const api_route service_usage_routes[] = {
    {.method = "GET", .pattern = "/v1/projects/{}/services", .serve = list},
    {.method = "GET", .pattern = "/v1/projects/{}/services:batchGet", .serve = batch_get},
    {.method = "POST", .pattern = "/v1/projects/{}/services:batchEnable", .serve = batch_enable},
    {.method = "GET", .pattern = "/v1/projects/{}/services/{}", .serve = get},
    {.method = "POST", .pattern = "/v1/projects/{}/services/{}:enable", .serve = enable},
    {.method = "POST", .pattern = "/v1/projects/{}/services/{}:disable", .serve = disable},
    {.method = "GET", .pattern = "/v1/operations/{}", .serve = get_operation},
    {0}};
