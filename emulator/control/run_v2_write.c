/* From entries to google.cloud.run.v2.Service and Revision. */
#include <stdlib.h>

#include "control/run_json.h"
#include "control/run_v2.h"

enum { NAME_MAX_TEXT = 512 };

/* ---- pieces ---- */

static json_t *user_map(const json_t *map)
{
    json_t *out = json_object();
    const char *key;
    void *next;
    json_t *value, *mine = run_copy(map);
    json_object_foreach_safe(mine, next, key, value)
    {
        if (!run_v2_is_system(key))
            run_set(out, key, json_incref(value));
    }
    json_decref(mine);
    if (json_object_size(out))
        return out;
    json_decref(out);
    return NULL;
}

static json_t *full_name(const run_view *v, const char *kind, const char *name)
{
    auto_buf buf b = buf_make(NAME_MAX_TEXT);
    buf_fmt(&b, "projects/%s/locations/%s/services/%s", v->project->id, v->project->region,
            v->name);
    if (name)
        buf_fmt(&b, "/%s/%s", kind, name);
    return json_string(b.p);
}

json_t *run_v2_etag(const json_t *entry)
{
    const char *version = run_text(entry, "knative.metadata.resourceVersion");
    return json_sprintf("\"%s\"", version ? version : "");
}

bool run_v2_etag_fits(const json_t *entry, const char *given)
{
    span text = span_of(given);
    if (text.n > 1 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = (span){text.p + 1, text.n - 2};
    const char *version = run_text(entry, "knative.metadata.resourceVersion");
    return text.n == 0 || (version && span_eq_str(text, version));
}

static json_t *succeeded(const char *type, const char *since)
{
    json_t *c = json_object();
    run_set_text(c, "type", type);
    run_set_text(c, "state", "CONDITION_SUCCEEDED");
    run_set_text(c, "lastTransitionTime", since);
    return c;
}

/* ---- containers ---- */

/* {name, value} or {name, valueSource:{secretKeyRef:{secret, version}}} */
static json_t *env_of(const json_t *list)
{
    json_t *out = json_array();
    size_t i;
    json_t *var;
    json_array_foreach (list, i, var) {
        json_t *e = json_object();
        run_set_text(e, "name", run_text(var, "name"));
        const json_t *secret = run_at(var, "valueFrom.secretKeyRef");
        if (secret) {
            json_t *ref = run_make(e, "valueSource.secretKeyRef");
            run_set_text(ref, "secret", run_text(secret, "name"));
            run_set_text(ref, "version", run_text(secret, "key"));
        } else {
            run_set_text(e, "value", run_text(var, "value"));
        }
        run_push(out, e);
    }
    return out;
}

static json_t *container_of_v1(const json_t *c, const json_t *notes)
{
    json_t *out = run_copy(c);
    const json_t *env = json_object_get(c, "env");
    if (env)
        run_set(out, "env", env_of(env));
    const char *throttled =
        json_string_value(json_object_get(notes, "run.googleapis.com/cpu-throttling"));
    const char *boost =
        json_string_value(json_object_get(notes, "run.googleapis.com/startup-cpu-boost"));
    json_t *resources = run_make(out, "resources");
    if (!throttled || run_is_true(throttled))
        run_set(resources, "cpuIdle", json_true());
    if (run_is_true(boost))
        run_set(resources, "startupCpuBoost", json_true());
    const char *text =
        json_string_value(json_object_get(notes, "run.googleapis.com/container-dependencies"));
    json_auto_t *needs = text ? json_loads(text, 0, NULL) : NULL;
    const char *name = run_text(c, "name");
    json_t *mine = name ? json_object_get(needs, name) : NULL;
    run_set(out, "dependsOn", json_incref(mine));
    return out;
}

static json_t *volume_of_v1(const json_t *volume)
{
    json_t *out = run_copy(volume);
    json_t *secret = json_object_get(out, "secret");
    if (secret) {
        run_set_text(secret, "secret", run_text(secret, "secretName"));
        (void)json_object_del(secret, "secretName");
        size_t i;
        json_t *item;
        json_array_foreach (json_object_get(secret, "items"), i, item) {
            run_set_text(item, "version", run_text(item, "key"));
            (void)json_object_del(item, "key");
        }
    }
    const char *bucket = run_text(volume, "csi.volumeAttributes.bucketName");
    if (bucket) {
        run_set_text(run_make(out, "gcs"), "bucket", bucket);
        if (json_is_true(run_at(volume, "csi.readOnly")))
            run_set(run_make(out, "gcs"), "readOnly", json_true());
        (void)json_object_del(out, "csi");
    }
    return out;
}

static json_t *mapped(const json_t *list, const json_t *notes)
{
    json_t *out = json_array();
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        run_push(out, container_of_v1(item, notes));
    }
    return out;
}

static json_t *volumes_of(const json_t *list, const char *instances)
{
    json_t *out = json_array();
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        run_push(out, volume_of_v1(item));
    }
    if (instances) {
        json_t *names = json_array(), *volume = json_object();
        span rest = span_of(instances), one;
        while (rest.n) {
            (void)span_cut(&rest, ',', &one);
            run_push(names, json_stringn(one.p, one.n));
        }
        run_set_text(volume, "name", "cloudsql");
        run_set(run_make(volume, "cloudSqlInstance"), "instances", names);
        run_push(out, volume);
    }
    if (json_array_size(out))
        return out;
    json_decref(out);
    return NULL;
}

/* ---- templates: of a service, and what a revision has of it ---- */

static void write_template(const json_t *metadata, const json_t *spec, json_t *out)
{
    const json_t *notes = json_object_get(metadata, "annotations");
    run_set(out, "labels", user_map(json_object_get(metadata, "labels")));
    run_set(out, "annotations", user_map(notes));
    run_v2_fields_write(run_v2_template_fields, notes, out);
    run_set(out, "timeout", json_sprintf("%llds", (long long)run_int(spec, "timeoutSeconds", 300)));
    run_set_text(out, "serviceAccount", run_text(spec, "serviceAccountName"));
    run_set(out, "containers", mapped(json_object_get(spec, "containers"), notes));
    run_set(out, "volumes",
            volumes_of(json_object_get(spec, "volumes"),
                       json_string_value(
                           json_object_get(notes, "run.googleapis.com/cloudsql-instances"))));
    run_set(out, "maxInstanceRequestConcurrency",
            json_integer(run_int(spec, "containerConcurrency", 80)));
    const char *accelerator = run_member(spec, "nodeSelector", "run.googleapis.com/accelerator");
    if (accelerator)
        run_set_text(run_make(out, "nodeSelector"), "accelerator", accelerator);
}

static json_t *target_of(const json_t *target, const char *revision)
{
    json_t *t = json_object();
    const bool latest = json_is_true(json_object_get(target, "latestRevision"));
    run_set_text(t, "type",
                 latest ? "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
                        : "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION");
    run_set_text(t, "revision", latest ? revision : run_text(target, "revisionName"));
    const int64_t percent = run_int(target, "percent", 0);
    if (percent)
        run_set(t, "percent", json_integer(percent));
    run_set_text(t, "tag", run_text(target, "tag"));
    return t;
}

static void write_traffic(const json_t *entry, json_t *out)
{
    const char *latest = revision_name(revision_latest(entry));
    json_t *wanted = json_array(), *given = json_array();
    size_t i;
    json_t *target;
    json_array_foreach (run_at(entry, "knative.spec.traffic"), i, target) {
        run_push(wanted, target_of(target, NULL));
        run_push(given, target_of(target, latest));
    }
    run_set(out, "traffic", wanted);
    run_set(out, "trafficStatuses", given);
}

/* ---- whole resources ---- */

static void write_state(const run_view *v, json_t *out)
{
    const json_t *m = run_at(v->entry, "knative.metadata");
    const char *since = run_text(v->entry, "updated");
    const char *latest = revision_name(revision_latest(v->entry));
    json_t *others = json_array();
    run_push(others, succeeded("RoutesReady", since));
    run_push(others, succeeded("ConfigurationsReady", since));
    run_set(out, "observedGeneration",
            json_sprintf("%lld", (long long)run_int(m, "generation", 1)));
    run_set(out, "terminalCondition", succeeded("Ready", since));
    run_set(out, "conditions", others);
    run_set(out, "latestReadyRevision", full_name(v, "revisions", latest));
    run_set(out, "latestCreatedRevision", full_name(v, "revisions", latest));
    run_set_text(out, "uri", v->url);
    run_set(out, "urls", run_urls(v));
    run_set(out, "etag", run_v2_etag(v->entry));
}

json_t *run_v2_service(const run_view *v)
{
    const json_t *m = run_at(v->entry, "knative.metadata");
    const json_t *notes = json_object_get(m, "annotations");
    const json_t *template = run_at(v->entry, "knative.spec.template");
    json_t *out = json_object();
    run_set(out, "name", full_name(v, NULL, NULL));
    run_set_text(out, "uid", run_text(m, "uid"));
    run_set(out, "generation", json_sprintf("%lld", (long long)run_int(m, "generation", 1)));
    run_set(out, "labels", user_map(json_object_get(m, "labels")));
    run_set(out, "annotations", user_map(notes));
    run_set_text(out, "createTime", run_text(m, "creationTimestamp"));
    run_set_text(out, "updateTime", run_text(v->entry, "updated"));
    run_set_text(out, "creator", run_member(m, "annotations", RUN_CREATOR));
    run_set_text(out, "lastModifier", run_member(m, "annotations", RUN_MODIFIER));
    run_v2_fields_write(run_v2_service_fields, notes, out);
    run_default(out, "launchStage", json_string("GA"));
    json_t *t = run_make(out, "template");
    run_set_text(t, "revision", run_text(template, "metadata.name"));
    write_template(json_object_get(template, "metadata"), json_object_get(template, "spec"), t);
    write_traffic(v->entry, out);
    write_state(v, out);
    return out;
}

json_t *run_v2_revision(const run_view *v, const json_t *stored)
{
    const char *name = revision_name(stored);
    const char *made = run_text(stored, "metadata.creationTimestamp");
    json_t *out = json_object(), *conditions = json_array();
    run_set(out, "name", full_name(v, "revisions", name));
    run_set_text(out, "uid", run_text(stored, "metadata.uid"));
    run_set_text(out, "generation", "1");
    run_set_text(out, "createTime", made);
    run_set_text(out, "updateTime", made);
    run_set_text(out, "launchStage", "GA");
    run_set_text(out, "service", v->name);
    run_set_text(out, "creator", run_member(stored, "metadata.annotations", RUN_CREATOR));
    write_template(json_object_get(stored, "metadata"), json_object_get(stored, "spec"), out);
    run_push(conditions, succeeded("Ready", made));
    run_set(out, "conditions", conditions);
    run_set_text(out, "observedGeneration", "1");
    const char *uid = run_text(stored, "metadata.uid");
    run_set(out, "etag", json_sprintf("\"%s\"", uid ? uid : ""));
    return out;
}
