/* Cloud Run Admin API v2: services and revisions for the client libraries and Terraform. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "control/run_change.h"
#include "control/run_json.h"
#include "control/run_ops.h"
#include "control/run_store.h"
#include "control/run_v2.h"

enum { TEXT_MAX = 4096, PAGE_DEFAULT = 100 };

/* params: 0 project, 1 region, 2 service, 3 revision */
static bool require(api_call *c, run_subject *out)
{
    return run_require(c, c->params[0], c->params[1], c->params[2], out);
}

/* ---- reading ---- */

static void reply_page(api_call *c, const char *name, json_t *items)
{
    run_page page;
    if (!run_page_of(c, "pageSize", "pageToken", PAGE_DEFAULT, json_array_size(items), &page)) {
        json_decref(items);
        return;
    }
    json_t *reply = json_object(), *part = json_array();
    for (size_t i = page.from; i < page.to; i++)
        run_push(part, json_incref(json_array_get(items, i)));
    json_decref(items);
    run_set(reply, name, part);
    if (*page.next)
        run_set_text(reply, "nextPageToken", page.next);
    api_reply(c, 200, reply);
}

static void list_services(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return;
    const snapshot *s = api_snapshot(c);
    json_t *items = json_array();
    for (size_t i = 0; i < snapshot_service_count(s) && run_region_fits(c, c->params[1]); i++) {
        auto_subject run_subject one = {0};
        if (run_find(c, snapshot_service(s, i)->name, &one))
            run_push(items, run_v2_service(&one.view));
    }
    reply_page(c, "services", items);
}

static void get_service(api_call *c)
{
    auto_subject run_subject s = {0};
    if (require(c, &s))
        api_reply(c, 200, run_v2_service(&s.view));
}

static void push_revisions(json_t *items, const run_subject *s)
{
    const json_t *all = run_at(s->entry, "revisions");
    for (size_t i = json_array_size(all); i-- > 0;)
        run_push(items, run_v2_revision(&s->view, json_array_get(all, i)));
}

/* "services/-": of all. */
static void list_revisions(api_call *c)
{
    auto_subject run_subject one = {0};
    json_auto_t *items = json_array();
    const snapshot *s = api_snapshot(c);
    if (strcmp(c->params[2], "-") != 0) {
        if (!require(c, &one))
            return;
        push_revisions(items, &one);
    } else if (!api_project(c, c->params[0])) {
        return;
    } else {
        for (size_t i = 0; i < snapshot_service_count(s); i++) {
            auto_subject run_subject each = {0};
            if (run_region_fits(c, c->params[1]) &&
                run_find(c, snapshot_service(s, i)->name, &each))
                push_revisions(items, &each);
        }
    }
    reply_page(c, "revisions", json_incref(items));
}

/* The revision that the request names; NULL: answered. */
static const json_t *require_revision(api_call *c, run_subject *s)
{
    if (!require(c, s))
        return NULL;
    const json_t *r = revision_find(s->entry, c->params[3]);
    if (!r)
        run_not_found(c, "REVISION", c->params[3], c->params[1]);
    return r;
}

static void get_revision(api_call *c)
{
    auto_subject run_subject s = {0};
    const json_t *r = require_revision(c, &s);
    if (r)
        api_reply(c, 200, run_v2_revision(&s.view, r));
}

static void delete_revision(api_call *c)
{
    bool only;
    auto_subject run_subject s = {0};
    const json_t *r = require_revision(c, &s);
    if (!r || !run_query_flag(c, "validateOnly", &only))
        return;
    json_t *entry = run_entry_without(c, &s, c->params[3]);
    if (!entry)
        return;
    json_t *reply = run_operation(&s, V2_REVISION_TYPE, run_v2_revision(&s.view, r));
    if (!only) {
        run_rewrite(c, s.name, entry, reply);
        return;
    }
    json_decref(entry);
    api_reply(c, 200, reply);
}

/* ---- changing ---- */

/* Prepares what the v2 Service asks for and makes it so, unless it is only to be looked at. */
static void change(api_call *c, const char *name, const json_t *v2, const run_subject *before)
{
    bool only;
    auto_subject run_subject after = {0};
    if (!run_query_flag(c, "validateOnly", &only))
        return;
    json_t *violations = json_array();
    json_auto_t *wanted = run_v2_to_knative(v2, name, before ? before->entry : NULL, violations);
    const json_t *first = json_array_get(violations, 0);
    if (first) {
        auto_buf buf text = buf_make(TEXT_MAX);
        buf_str(&text, run_text(first, "description"));
        api_fail_with(c, API_INVALID_ARGUMENT, run_bad_request(violations), "%s",
                      text.p ? text.p : "");
        return;
    }
    json_decref(violations);
    if (!run_prepare(c, name, wanted, before, run_v2_field_of, &after))
        return;
    json_t *reply = run_operation(&after, V2_SERVICE_TYPE, run_v2_service(&after.view));
    if (only)
        api_reply(c, 200, reply);
    else
        run_commit(c, &after, !before, reply);
}

static bool require_region(api_call *c)
{
    if (!api_project(c, c->params[0]))
        return false;
    if (run_region_fits(c, c->params[1]) && strcmp(c->params[1], "-") != 0)
        return true;
    api_fail_field(c, "parent", "'%.64s' is not the region of this project here, which is '%s'.",
                   c->params[1], snapshot_project(api_snapshot(c))->region);
    return false;
}

static void create_service(api_call *c)
{
    auto_buf buf id = buf_make(128);
    auto_subject run_subject before = {0};
    if (!require_region(c))
        return;
    if (!api_query(c, "serviceId", &id) || !id.n)
        api_fail_field(c, "serviceId",
                       "The query parameter serviceId is required: it names the "
                       "service.");
    else if (run_find(c, id.p, &before))
        api_fail(c, API_ALREADY_EXISTS, "Resource '%s' already exists.", id.p);
    else
        change(c, id.p, c->body, NULL);
}

/* false: answered. */
static bool etag_fits(api_call *c, const run_subject *s, const char *given)
{
    if (run_v2_etag_fits(s->entry, given))
        return true;
    api_fail(c, API_ABORTED,
             "Conflict for resource '%s': the etag '%.80s' is not that of its current version.",
             s->name, given);
    return false;
}

static void patch(api_call *c, const run_subject *before)
{
    auto_buf buf mask = buf_make(TEXT_MAX);
    span bad;
    if (!etag_fits(c, before, run_text(c->body, "etag")))
        return;
    (void)api_query(c, "updateMask", &mask);
    json_auto_t *now = run_v2_service(&before->view);
    json_auto_t *v2 = run_v2_patched(now, c->body, buf_view(&mask), &bad);
    if (!v2 || !buf_ok(&mask))
        api_fail_field(c, "updateMask", "Invalid field path '%.*s' in the update mask.",
                       v2 ? 0 : (int)bad.n, v2 ? "" : bad.p);
    else
        change(c, before->name, v2, before);
}

static void patch_service(api_call *c)
{
    bool missing_is_fine;
    auto_subject run_subject before = {0};
    if (!require_region(c) || !run_query_flag(c, "allowMissing", &missing_is_fine))
        return;
    if (run_find(c, c->params[2], &before))
        patch(c, &before);
    else if (missing_is_fine)
        change(c, c->params[2], c->body, NULL);
    else
        run_not_found(c, "SERVICE", c->params[2], c->params[1]);
}

static void delete_service(api_call *c)
{
    bool only;
    char now[CLOCK_RFC3339_MAX];
    auto_buf buf etag = buf_make(128);
    auto_subject run_subject s = {0};
    if (!require(c, &s) || !run_query_flag(c, "validateOnly", &only))
        return;
    if (api_query(c, "etag", &etag) && !etag_fits(c, &s, etag.p))
        return;
    json_t *gone = run_v2_service(&s.view);
    clock_rfc3339(api_now_us(c), 6, now);
    run_set_text(gone, "deleteTime", now);
    json_t *reply = run_operation(&s, V2_SERVICE_TYPE, gone);
    if (only)
        api_reply(c, 200, reply);
    else
        run_remove(c, s.name, reply);
}

#define SERVICES   "/v2/projects/{}/locations/{}/services"
#define REVISIONS  SERVICES "/{}/revisions"
#define OPERATIONS "/v2/projects/{}/locations/{}/operations"

const api_route run_v2_routes[] = {
    {.method = "GET", .pattern = SERVICES, .serve = list_services},
    {.method = "POST", .pattern = SERVICES, .serve = create_service},
    {.method = "GET", .pattern = SERVICES "/{}", .serve = get_service},
    {.method = "PATCH", .pattern = SERVICES "/{}", .serve = patch_service},
    {.method = "DELETE", .pattern = SERVICES "/{}", .serve = delete_service},
    {.method = "GET", .pattern = REVISIONS, .serve = list_revisions},
    {.method = "GET", .pattern = REVISIONS "/{}", .serve = get_revision},
    {.method = "DELETE", .pattern = REVISIONS "/{}", .serve = delete_revision},
    {.method = "GET", .pattern = OPERATIONS, .serve = run_ops_list},
    {.method = "GET", .pattern = OPERATIONS "/{}", .serve = run_ops_get},
    {.method = "DELETE", .pattern = OPERATIONS "/{}", .serve = run_ops_delete},
    {.method = "POST", .pattern = OPERATIONS "/{}:wait", .serve = run_ops_get},
    {0},
};
