/* Cloud Run Admin API v1: Knative objects, under /apis/serving.knative.dev/v1/namespaces of the
 * region's host as gcloud asks, and under /v1/projects/…/locations of any. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "control/run_json.h"
#include "control/run_ops.h"
#include "control/run_selector.h"
#include "control/run_store.h"

enum { SELECTOR_MAX = 4096 };

typedef struct run_where {
    const char *project, *region, *name;
} run_where;

/* In a path with namespaces the host tells the region, in one with locations the path. */
static run_where where(const api_call *c)
{
    if (span_starts(http_path(c->request), SPAN_LIT("/apis/")))
        return (run_where){c->params[0], c->region, c->params[1]};
    return (run_where){c->params[0], c->params[1], c->params[2]};
}

/* ---- lists ---- */

static json_t *list_of(const char *kind, json_t *items, const char *next)
{
    json_t *list = json_object(), *metadata = json_object();
    if (*next)
        run_set_text(metadata, "continue", next);
    run_set_text(list, "apiVersion", "serving.knative.dev/v1");
    run_set_text(list, "kind", kind);
    run_set(list, "metadata", metadata);
    run_set(list, "items", items);
    return list;
}

/* The request's labelSelector, "" for all. false: answered. */
static bool read_selector(api_call *c, buf *out)
{
    (void)api_query(c, "labelSelector", out);
    if (buf_ok(out) && run_select(buf_view(out), NULL) != RUN_SELECTOR_BROKEN)
        return true;
    api_fail_field(c, "labelSelector", "Invalid label selector '%.200s'.", out->p ? out->p : "");
    return false;
}

static bool is_selected(const buf *selector, const json_t *metadata)
{
    return run_select(buf_view(selector), json_object_get(metadata, "labels")) == RUN_SELECTED;
}

static void reply_list(api_call *c, const char *kind, json_t *items)
{
    run_page page;
    if (!run_page_of(c, "limit", "continue", SIZE_MAX, json_array_size(items), &page)) {
        json_decref(items);
        return;
    }
    json_t *part = json_array();
    for (size_t i = page.from; i < page.to; i++)
        if (json_array_append(part, json_array_get(items, i)) != 0)
            abort();
    json_decref(items);
    api_reply(c, 200, list_of(kind, part, page.next));
}

static void list_services(api_call *c)
{
    const run_where w = where(c);
    auto_buf buf selector = buf_make(SELECTOR_MAX);
    if (!api_project(c, w.project) || !read_selector(c, &selector))
        return;
    const snapshot *s = api_snapshot(c);
    json_t *items = json_array();
    for (size_t i = 0; i < snapshot_service_count(s) && run_region_fits(c, w.region); i++) {
        auto_subject run_subject one = {0};
        if (run_find(c, snapshot_service(s, i)->name, &one) &&
            is_selected(&selector, run_at(one.entry, "knative.metadata")))
            run_push(items, run_service_object(&one.view));
    }
    reply_list(c, "ServiceList", items);
}

/* ---- services ---- */

/* "dryRun=all" is all there is. false: answered. */
static bool read_dry_run(api_call *c, bool *out)
{
    auto_buf buf text = buf_make(16);
    *out = api_query(c, "dryRun", &text) && text.n > 0;
    if (!*out || (buf_ok(&text) && span_ieq_str(buf_view(&text), "all")))
        return true;
    api_fail_field(c, "dryRun", "The only value is 'all'.");
    return false;
}

static void get_service(api_call *c)
{
    const run_where w = where(c);
    auto_subject run_subject s = {0};
    if (run_require(c, w.project, w.region, w.name, &s))
        api_reply(c, 200, run_service_object(&s.view));
}

/* What was prepared is made, or only shown. */
static void reply_changed(api_call *c, const run_subject *s, bool created)
{
    bool dry;
    if (!read_dry_run(c, &dry))
        return;
    json_t *reply = run_service_object(&s->view);
    if (dry)
        api_reply(c, 200, reply);
    else
        run_commit(c, s, created, reply);
}

static void create_service(api_call *c)
{
    const run_where w = where(c);
    const project *p = snapshot_project(api_snapshot(c));
    const char *name = run_text(c->body, "metadata.name");
    auto_subject run_subject before = {0}, after = {0};
    if (!api_project(c, w.project))
        return;
    if (!run_region_fits(c, w.region))
        api_fail_field(c, "region",
                       "'%.64s' is not the region of this project here: --region=%s is.", w.region,
                       p->region);
    else if (name && run_find(c, name, &before))
        api_fail(c, API_ALREADY_EXISTS, "Resource '%s' already exists.", name);
    else if (run_prepare(c, name ? name : "", c->body, NULL, NULL, &after))
        reply_changed(c, &after, true);
}

static void replace_service(api_call *c)
{
    const run_where w = where(c);
    auto_subject run_subject before = {0}, after = {0};
    if (run_require(c, w.project, w.region, w.name, &before) &&
        run_prepare(c, w.name, c->body, &before, NULL, &after))
        reply_changed(c, &after, false);
}

static void delete_service(api_call *c)
{
    const run_where w = where(c);
    bool dry;
    auto_subject run_subject s = {0};
    if (!run_require(c, w.project, w.region, w.name, &s) || !read_dry_run(c, &dry))
        return;
    const char *uid = run_text(s.entry, "knative.metadata.uid");
    json_t *reply = json_pack("{s:s, s:{s:s, s:s, s:s}}", "status", "Success", "details", "name",
                              w.name, "kind", "services", "uid", uid ? uid : "");
    if (dry)
        api_reply(c, 200, reply);
    else
        run_remove(c, w.name, reply);
}

/* ---- revisions ---- */

static void list_revisions(api_call *c)
{
    const run_where w = where(c);
    auto_buf buf selector = buf_make(SELECTOR_MAX);
    if (!api_project(c, w.project) || !read_selector(c, &selector))
        return;
    const snapshot *s = api_snapshot(c);
    json_t *items = json_array();
    for (size_t i = 0; i < snapshot_service_count(s) && run_region_fits(c, w.region); i++) {
        auto_subject run_subject one = {0};
        if (!run_find(c, snapshot_service(s, i)->name, &one))
            continue;
        const json_t *all = run_at(one.entry, "revisions");
        for (size_t k = json_array_size(all); k-- > 0;) {
            const json_t *r = json_array_get(all, k);
            if (is_selected(&selector, json_object_get(r, "metadata")))
                run_push(items, run_revision_object(&one.view, r));
        }
    }
    reply_list(c, "RevisionList", items);
}

/* The service that has a revision of that name; false: answered. */
static bool require_revision(api_call *c, run_where w, run_subject *out)
{
    if (!api_project(c, w.project))
        return false;
    const snapshot *s = api_snapshot(c);
    for (size_t i = 0; i < snapshot_service_count(s) && run_region_fits(c, w.region); i++) {
        if (run_find(c, snapshot_service(s, i)->name, out) && revision_find(out->entry, w.name))
            return true;
        run_subject_free(out);
    }
    run_not_found(c, "REVISION", w.name, w.region);
    return false;
}

static void get_revision(api_call *c)
{
    const run_where w = where(c);
    auto_subject run_subject s = {0};
    if (require_revision(c, w, &s))
        api_reply(c, 200, run_revision_object(&s.view, revision_find(s.entry, w.name)));
}

static void delete_revision(api_call *c)
{
    const run_where w = where(c);
    auto_subject run_subject s = {0};
    if (!require_revision(c, w, &s))
        return;
    json_t *entry = run_entry_without(c, &s, w.name);
    if (entry)
        run_rewrite(c, s.name, entry, json_pack("{s:s}", "status", "Success"));
}

/* ---- locations ---- */

static void list_locations(api_call *c)
{
    const project *p = snapshot_project(api_snapshot(c));
    if (api_project(c, c->params[0]))
        api_reply(c, 200,
                  json_pack("{s:[{s:o, s:s, s:s}]}", "locations", "name",
                            json_sprintf("projects/%s/locations/%s", p->id, p->region),
                            "locationId", p->region, "displayName", p->region));
}

/* ---- routes: each by namespace and by location ---- */

#define NAMESPACE "/apis/serving.knative.dev/v1/namespaces/{}"
#define LOCATION  "/v1/projects/{}/locations/{}"
#define PAIR(verb, path, handler)                                                                  \
    {.method = verb, .pattern = NAMESPACE path, .serve = handler},                                 \
    {                                                                                              \
        .method = verb, .pattern = LOCATION path, .serve = handler                                 \
    }

const api_route run_v1_routes[] = {
    PAIR("GET", "/services", list_services),
    PAIR("POST", "/services", create_service),
    PAIR("GET", "/services/{}", get_service),
    PAIR("PUT", "/services/{}", replace_service),
    PAIR("DELETE", "/services/{}", delete_service),
    PAIR("GET", "/revisions", list_revisions),
    PAIR("GET", "/revisions/{}", get_revision),
    PAIR("DELETE", "/revisions/{}", delete_revision),
    {.method = "POST", .pattern = LOCATION "/operations/{}:wait", .serve = run_ops_wait_v1},
    {.method = "GET", .pattern = LOCATION "/operations/{}", .serve = run_ops_wait_v1},
    {.method = "GET", .pattern = "/v1/projects/{}/locations", .serve = list_locations},
    {0},
};
