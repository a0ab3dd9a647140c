/* From google.cloud.run.v2.Service to the Knative Service that means the same. */
#include <stdlib.h>

#include "control/run_check.h"
#include "control/run_json.h"
#include "control/run_v2.h"

enum { FIELD_MAX = 512 };

/* ---- what the messages have; anything else is a typing error of the caller ---- */

static const char *const TEMPLATE[] = {"revision",
                                       "labels",
                                       "annotations",
                                       "scaling",
                                       "vpcAccess",
                                       "timeout",
                                       "serviceAccount",
                                       "containers",
                                       "volumes",
                                       "executionEnvironment",
                                       "encryptionKey",
                                       "maxInstanceRequestConcurrency",
                                       "serviceMesh",
                                       "encryptionKeyRevocationAction",
                                       "encryptionKeyShutdownDuration",
                                       "sessionAffinity",
                                       "healthCheckDisabled",
                                       "nodeSelector",
                                       "gpuZonalRedundancyDisabled",
                                       NULL};
static const char *const CONTAINER[] = {"name",
                                        "sourceCode",
                                        "image",
                                        "command",
                                        "args",
                                        "env",
                                        "resources",
                                        "ports",
                                        "volumeMounts",
                                        "workingDir",
                                        "livenessProbe",
                                        "startupProbe",
                                        "readinessProbe",
                                        "dependsOn",
                                        "baseImageUri",
                                        "buildInfo",
                                        NULL};

static void check_known(json_t *violations, const json_t *o, const char *at,
                        const char *const *known)
{
    const char *key;
    void *next;
    json_t *value, *copy = run_copy(o);
    json_object_foreach_safe(copy, next, key, value)
    {
        size_t i = 0;
        while (known[i] && strcmp(known[i], key) != 0)
            i++;
        if (!known[i])
            run_violation(violations, at,
                          "Invalid JSON payload received. Unknown name \"%.80s\" at '%s': Cannot "
                          "find field.",
                          key, at);
    }
    json_decref(copy);
}

/* Messages within a message of which only fields are looked at. */
static void check_objects(json_t *violations, const json_t *o, const char *at)
{
    static const char *const names[] = {"scaling", "vpcAccess", "nodeSelector"};
    for (size_t i = 0; i < countof(names); i++)
        (void)run_check_member(violations, o, at, names[i], JSON_OBJECT);
}

/* ---- pieces ---- */

/* Labels or annotations; those of the system come from fields only. */
static void copy_map(json_t *violations, const json_t *v2, const char *at, const char *name,
                     json_t *metadata)
{
    json_t *map = run_check_member(violations, v2, at, name, JSON_OBJECT);
    json_t *into = run_make(metadata, name), *value;
    const char *key;
    json_object_foreach (map, key, value) {
        if (run_v2_is_system(key)) {
            auto_buf buf field = buf_make(FIELD_MAX);
            buf_fmt(&field, "%s%s%s", at, *at ? "." : "", name);
            run_violation(violations, field.p,
                          "System %s are not supported in v2: '%.80s' has a field of its own.",
                          name, key);
        } else {
            run_set(into, key, json_incref(value));
        }
    }
}

/* System annotations that neither v2 nor its tables know stay as they were. */
static void keep_notes(const json_t *before, const run_v2_field *table, json_t *notes)
{
    static const char *const derived[] = {"run.googleapis.com/container-dependencies",
                                          "run.googleapis.com/cloudsql-instances"};
    const char *key;
    void *next;
    json_t *value, *old = run_copy(before);
    for (size_t i = 0; i < countof(derived); i++)
        (void)json_object_del(old, derived[i]);
    json_object_foreach_safe(old, next, key, value)
    {
        if (run_v2_is_system(key) && !run_v2_has_note(table, key))
            run_set(notes, key, json_incref(value));
    }
    json_decref(old);
}

static json_t *env_to_v1(const json_t *list)
{
    json_t *out = json_array();
    size_t i;
    json_t *var;
    json_array_foreach (list, i, var) {
        json_t *e = json_object();
        run_set(e, "name", json_incref(json_object_get(var, "name")));
        const json_t *source = json_object_get(var, "valueSource");
        if (json_is_object(source)) {
            json_t *ref = run_make(e, "valueFrom.secretKeyRef");
            const char *version = run_text(source, "secretKeyRef.version");
            run_set_text(ref, "name", run_text(source, "secretKeyRef.secret"));
            run_set_text(ref, "key", version && *version ? version : "latest");
        } else {
            run_set(e, "value", json_incref(json_object_get(var, "value")));
        }
        run_push(out, e);
    }
    return out;
}

/* Notes a flag whose absence means `absent`; what says the same already stays as it is written. */
static void note_flag(json_t *notes, const char *name, bool absent, bool wanted)
{
    const char *text = json_string_value(json_object_get(notes, name));
    if ((text ? run_is_true(text) : absent) != wanted)
        run_set_text(notes, name, wanted ? "true" : "false");
}

/* *notes gets what Knative objects keep beside their containers. */
static json_t *container_to_v1(const json_t *c, json_t *notes, json_t *needs)
{
    static const char *const same[] = {"name",           "image",         "command",
                                       "args",           "ports",         "volumeMounts",
                                       "workingDir",     "livenessProbe", "startupProbe",
                                       "readinessProbe", "baseImageUri"};
    json_t *out = json_object();
    for (size_t i = 0; i < countof(same); i++)
        run_set(out, same[i], json_incref(json_object_get(c, same[i])));
    const json_t *env = json_object_get(c, "env");
    run_set(out, "env", json_is_array(env) ? env_to_v1(env) : NULL);
    const json_t *resources = json_object_get(c, "resources");
    run_set(run_make(out, "resources"), "limits",
            json_incref(json_object_get(resources, "limits")));
    if (json_is_object(resources)) {
        note_flag(notes, "run.googleapis.com/cpu-throttling", true,
                  json_is_true(json_object_get(resources, "cpuIdle")));
        note_flag(notes, "run.googleapis.com/startup-cpu-boost", false,
                  json_is_true(json_object_get(resources, "startupCpuBoost")));
    }
    const char *name = run_text(c, "name");
    json_t *depends = json_object_get(c, "dependsOn");
    if (name && *name && json_array_size(depends))
        run_set(needs, name, json_incref(depends));
    return out;
}

static void read_containers(json_t *violations, const json_t *v2, json_t *template)
{
    json_t *notes = run_make(template, "metadata.annotations");
    json_auto_t *needs = json_object();
    const json_t *list = run_check_member(violations, v2, "template", "containers", JSON_ARRAY);
    json_t *out = json_array(), *c;
    size_t i;
    json_array_foreach (list, i, c) {
        auto_buf buf at = buf_make(FIELD_MAX);
        buf_fmt(&at, "template.containers[%zu]", i);
        check_known(violations, c, at.p, CONTAINER);
        run_push(out, json_is_object(c) ? container_to_v1(c, notes, needs) : json_null());
    }
    run_set(run_make(template, "spec"), "containers", out);
    auto_free char *text = json_dumps(needs, JSON_COMPACT);
    if (json_object_size(needs))
        run_set_text(notes, "run.googleapis.com/container-dependencies", text);
}

static json_t *volume_to_v1(const json_t *volume)
{
    json_t *out = run_copy(volume);
    json_t *secret = json_object_get(out, "secret");
    if (json_is_object(secret)) {
        size_t i;
        json_t *item;
        run_set_text(secret, "secretName", run_text(secret, "secret"));
        (void)json_object_del(secret, "secret");
        json_array_foreach (json_object_get(secret, "items"), i, item) {
            const char *version = run_text(item, "version");
            if (json_is_object(item))
                run_set_text(item, "key", version && *version ? version : "latest");
            (void)json_object_del(item, "version");
        }
    }
    const char *bucket = run_text(volume, "gcs.bucket");
    if (bucket) {
        json_t *csi = run_make(out, "csi");
        run_set_text(csi, "driver", "gcsfuse.run.googleapis.com");
        run_set_text(run_make(csi, "volumeAttributes"), "bucketName", bucket);
        if (json_is_true(run_at(volume, "gcs.readOnly")))
            run_set(csi, "readOnly", json_true());
        (void)json_object_del(out, "gcs");
    }
    return out;
}

static void read_volumes(json_t *violations, const json_t *v2, json_t *template)
{
    const json_t *list = run_check_member(violations, v2, "template", "volumes", JSON_ARRAY);
    auto_buf buf instances = buf_make(4096);
    json_t *out = json_array(), *volume, *one;
    size_t i, k;
    json_array_foreach (list, i, volume) {
        json_array_foreach (run_at(volume, "cloudSqlInstance.instances"), k, one) {
            buf_fmt(&instances, "%s%s", instances.n ? "," : "",
                    json_is_string(one) ? json_string_value(one) : "");
        }
        if (!run_at(volume, "cloudSqlInstance"))
            run_push(out, volume_to_v1(volume));
    }
    if (json_array_size(out))
        run_set(run_make(template, "spec"), "volumes", json_incref(out));
    json_decref(out);
    if (instances.n && buf_ok(&instances))
        run_set_text(run_make(template, "metadata.annotations"),
                     "run.googleapis.com/cloudsql-instances", instances.p);
}

/* "300s", "0.5s" → whole seconds, rounded up; 0 is none. */
static void read_timeout(json_t *violations, const json_t *v2, json_t *spec)
{
    const json_t *value = run_check_member(violations, v2, "template", "timeout", JSON_STRING);
    span text = span_of(json_string_value(value)), whole;
    uint64_t seconds, fraction = 0;
    if (!value || text.n == 0)
        return;
    span digits = {text.p, text.n - 1};
    if (!span_ends(text, SPAN_LIT("s")) ||
        (span_cut(&digits, '.', &whole) && !span_u64(digits, 999999999, &fraction)) ||
        !span_u64(whole, INT32_MAX, &seconds))
        run_violation(violations, "template.timeout",
                      "Invalid value '%.40s': expected seconds such as \"300s\".", text.p);
    else if (seconds + fraction > 0)
        run_set(spec, "timeoutSeconds", json_integer((json_int_t)seconds + (fraction > 0)));
}

static void read_concurrency(json_t *violations, const json_t *v2, json_t *spec)
{
    const json_t *value =
        run_check_member(violations, v2, "template", "maxInstanceRequestConcurrency", JSON_INTEGER);
    if (value)
        run_set(spec, "containerConcurrency", json_integer(json_integer_value(value)));
}

static void read_template(json_t *violations, const json_t *v2, json_t *template)
{
    const json_t *t = run_check_member(violations, v2, "", "template", JSON_OBJECT);
    json_t *metadata = run_make(template, "metadata"), *spec = run_make(template, "spec");
    check_known(violations, t, "template", TEMPLATE);
    check_objects(violations, t, "template");
    copy_map(violations, t, "template", "labels", metadata);
    copy_map(violations, t, "template", "annotations", metadata);
    run_v2_fields_read(run_v2_template_fields, t, "template.", run_make(metadata, "annotations"),
                       violations);
    run_set(metadata, "name",
            json_incref(run_check_member(violations, t, "template", "revision", JSON_STRING)));
    run_set(
        spec, "serviceAccountName",
        json_incref(run_check_member(violations, t, "template", "serviceAccount", JSON_STRING)));
    read_timeout(violations, t, spec);
    read_concurrency(violations, t, spec);
    read_containers(violations, t, template);
    read_volumes(violations, t, template);
    const char *accelerator = run_text(t, "nodeSelector.accelerator");
    if (accelerator && *accelerator)
        run_set_text(run_make(spec, "nodeSelector"), "run.googleapis.com/accelerator", accelerator);
}

/* TrafficTargetAllocationType, by name or number; unspecified: as the other fields tell. */
static bool is_of_revision(const json_t *target)
{
    const json_t *type = json_object_get(target, "type");
    const char *word = json_string_value(type), *revision = run_text(target, "revision");
    const json_int_t number = json_integer_value(type);
    if (word ? strcmp(word, "TRAFFIC_TARGET_ALLOCATION_TYPE_UNSPECIFIED") != 0 : number != 0)
        return word ? strcmp(word, "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION") == 0 : number == 2;
    return revision && *revision;
}

static void read_traffic(json_t *violations, const json_t *v2, json_t *spec)
{
    const json_t *list = run_check_member(violations, v2, "", "traffic", JSON_ARRAY);
    json_t *out = json_array(), *t;
    size_t i;
    json_array_foreach (list, i, t) {
        json_t *target = json_object();
        if (is_of_revision(t))
            run_set_text(target, "revisionName", run_text(t, "revision"));
        else
            run_set(target, "latestRevision", json_true());
        run_set(target, "percent", json_incref(json_object_get(t, "percent")));
        run_set(target, "tag", json_incref(json_object_get(t, "tag")));
        run_push(out, target);
    }
    if (json_array_size(out))
        run_set(spec, "traffic", json_incref(out));
    json_decref(out);
}

json_t *run_v2_to_knative(const json_t *v2, const char *name, const json_t *before,
                          json_t *violations)
{
    json_t *out = json_object();
    run_set_text(out, "apiVersion", "serving.knative.dev/v1");
    run_set_text(out, "kind", "Service");
    json_t *metadata = run_make(out, "metadata"), *spec = run_make(out, "spec");
    json_t *template = run_make(spec, "template");
    json_t *notes = run_make(metadata, "annotations");
    run_set_text(metadata, "name", name);
    check_known(violations, v2, "service", run_v2_service_names);
    check_objects(violations, v2, "");
    keep_notes(run_at(before, "knative.metadata.annotations"), run_v2_service_fields, notes);
    keep_notes(run_at(before, "knative.spec.template.metadata.annotations"), run_v2_template_fields,
               run_make(template, "metadata.annotations"));
    copy_map(violations, v2, "", "labels", metadata);
    copy_map(violations, v2, "", "annotations", metadata);
    run_v2_fields_read(run_v2_service_fields, v2, "", notes, violations);
    read_template(violations, v2, template);
    read_traffic(violations, v2, spec);
    return out;
}
