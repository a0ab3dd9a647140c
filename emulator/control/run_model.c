/* From an entry to the objects of the API. */
#include "control/run_model.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/hash.h"
#include "control/run_json.h"
#include "policy/run_url.h"

enum { LINK_MAX = 1024, URLS_MAX = 16 * 1024 };

#define API      "serving.knative.dev/v1"
#define API_PATH "/apis/serving.knative.dev/v1/namespaces/"

/* ---- pieces ---- */

void run_uuid(const char *kind, const char *name, const char *made, char out[RUN_UUID_TEXT])
{
    static const hash_key high = {0x72756e2e75756964U, 1}, low = {0x72756e2e75756964U, 2};
    auto_buf buf b = buf_make(LINK_MAX);
    buf_fmt(&b, "%s %s %s", kind, name, made);
    const uint64_t h = hash_bytes(high, b.p, b.n), l = hash_bytes(low, b.p, b.n);
    (void)snprintf(out, RUN_UUID_TEXT, "%08x-%04x-5%03x-%04x-%012llx", (unsigned)(h >> 32),
                   (unsigned)(h >> 16 & 0xffff), (unsigned)(h & 0xfff),
                   (unsigned)(0x8000 | (l >> 48 & 0x3fff)),
                   (unsigned long long)(l & 0xffffffffffffU));
}

json_t *run_urls(const run_view *v)
{
    textpool *pool = textpool_new();
    json_t *urls = json_array();
    const char *const derived[] = {run_url_deterministic(pool, v->project, v->name),
                                   run_url_hash(pool, v->project, v->name)};
    run_push(urls, json_string(v->url));
    const char *off = run_member(v->entry, "knative.metadata.annotations", RUN_URL_DISABLED);
    for (size_t i = 0; i < countof(derived) && !run_is_true(off); i++)
        if (derived[i] && strcmp(derived[i], v->url) != 0)
            run_push(urls, json_string(derived[i]));
    textpool_free(pool);
    return urls;
}

static void link_to(json_t *metadata, const run_view *v, const char *kind, const char *name)
{
    auto_buf buf b = buf_make(LINK_MAX);
    buf_fmt(&b, API_PATH "%s/%s/%s", v->project->number, kind, name);
    run_set_text(metadata, "namespace", v->project->number);
    run_set_text(metadata, "selfLink", b.p);
}

static json_t *conditions(const char *const *types, size_t n, const char *since)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        run_push(list, json_pack("{s:s, s:s, s:s}", "type", types[i], "status", "True",
                                 "lastTransitionTime", since));
    return list;
}

static const char *updated(const run_view *v)
{
    const char *text = run_text(v->entry, "updated");
    return text ? text : "1970-01-01T00:00:00.000000Z";
}

/* ---- the service ---- */

static json_t *traffic_status(const json_t *entry)
{
    json_t *list = json_array();
    size_t i;
    json_t *target;
    json_array_foreach (run_at(entry, "knative.spec.traffic"), i, target) {
        json_t *t = run_copy(target);
        run_set_text(t, "revisionName", revision_of_target(entry, target));
        run_push(list, t);
    }
    return list;
}

static json_t *service_status(const run_view *v)
{
    static const char *const types[] = {"Ready", "ConfigurationsReady", "RoutesReady"};
    const char *latest = revision_name(revision_latest(v->entry));
    json_t *status = json_object();
    run_set(status, "observedGeneration",
            json_integer(run_int(v->entry, "knative.metadata.generation", 1)));
    run_set(status, "conditions", conditions(types, countof(types), updated(v)));
    run_set_text(status, "latestReadyRevisionName", latest);
    run_set_text(status, "latestCreatedRevisionName", latest);
    run_set(status, "traffic", traffic_status(v->entry));
    run_set_text(status, "url", v->url);
    run_set_text(run_make(status, "address"), "url", v->url);
    return status;
}

json_t *run_service_object(const run_view *v)
{
    json_t *o = json_object();
    run_set_text(o, "apiVersion", API);
    run_set_text(o, "kind", "Service");
    run_set(o, "metadata", run_copy(run_at(v->entry, "knative.metadata")));
    run_set(o, "spec", run_copy(run_at(v->entry, "knative.spec")));
    run_set(o, "status", service_status(v));
    json_t *metadata = run_make(o, "metadata"), *notes = run_make(o, "metadata.annotations");
    link_to(metadata, v, "services", v->name);
    json_auto_t *urls = run_urls(v);
    char *text = json_dumps(urls, JSON_COMPACT);
    run_set_text(notes, RUN_URLS, text);
    free(text);
    const char *allowed = run_member(o, "metadata.annotations", RUN_INGRESS);
    run_set_text(notes, "run.googleapis.com/ingress-status", allowed ? allowed : "all");
    return o;
}

/* ---- revisions ---- */

static json_t *revision_status(const run_view *v, const json_t *stored)
{
    static const char *const types[] = {"Ready", "ContainerHealthy", "ResourcesAvailable"};
    const char *made = run_text(stored, "metadata.creationTimestamp");
    const char *name = revision_name(stored);
    const bool serves = name && revision_share(v->entry, name) > 0;
    json_t *status = json_object();
    json_t *list = conditions(types, countof(types), made ? made : updated(v));
    run_push(list, json_pack("{s:s, s:s, s:s, s:s}", "type", "Active", "status",
                             serves ? "True" : "False", "lastTransitionTime", updated(v),
                             "severity", "Info"));
    run_set(status, "observedGeneration", json_integer(1));
    run_set(status, "conditions", list);
    return status;
}

json_t *run_revision_object(const run_view *v, const json_t *stored)
{
    const char *name = revision_name(stored);
    json_t *o = json_object();
    run_set_text(o, "apiVersion", API);
    run_set_text(o, "kind", "Revision");
    run_set(o, "metadata", run_copy(run_at(stored, "metadata")));
    run_set(o, "spec", run_copy(run_at(stored, "spec")));
    run_set(o, "status", revision_status(v, stored));
    json_t *metadata = run_make(o, "metadata");
    link_to(metadata, v, "revisions", name ? name : "");
    run_default(metadata, "generation", json_integer(1));
    const char *uid = run_text(v->entry, "knative.metadata.uid");
    run_set(metadata, "ownerReferences",
            json_pack("[{s:s, s:s, s:s, s:s, s:b, s:b}]", "apiVersion", API, "kind",
                      "Configuration", "name", v->name, "uid", uid ? uid : "", "controller", 1,
                      "blockOwnerDeletion", 1));
    return o;
}
