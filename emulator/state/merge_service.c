/* From a Knative Service (serving.knative.dev/v1, as the Cloud Run Admin API v1 documents it) to a
 * service of the topology. */
#include <stdlib.h>

#include "state/entry.h"
#include "state/merge.h"
#include "state/revision.h"

static bool is_true(const char *text)
{
    return text && span_ieq_str(span_of(text), "true"); /* gcloud writes True, people true */
}

/* ---- annotations of the service ---- */

static void take_annotations(service *s, const json_t *metadata)
{
    const json_t *a = json_object_get(metadata, "annotations");
    const char *admits = entry_text(a, "run.googleapis.com/ingress");
    s->ingress = INGRESS_ALL;
    if (admits)
        (void)ingress_parse(admits, &s->ingress);
    s->iam_check = !is_true(entry_text(a, "run.googleapis.com/invoker-iam-disabled"));
    s->default_url_disabled = is_true(entry_text(a, "run.googleapis.com/default-url-disabled"));
}

/* ---- the template ---- */

static uint32_t count_of(const json_t *value, uint32_t otherwise)
{
    uint64_t n = 0;
    if (json_is_integer(value) && json_integer_value(value) > 0)
        return (uint32_t)json_integer_value(value);
    if (json_is_string(value) && span_u64(span_of(json_string_value(value)), INT32_MAX, &n))
        return (uint32_t)n;
    return otherwise;
}

/* Of several containers the one with a port takes the requests. */
static const json_t *ingress_container(const json_t *containers)
{
    for (size_t i = 0; i < json_array_size(containers); i++)
        if (json_array_size(json_object_get(json_array_get(containers, i), "ports")))
            return json_array_get(containers, i);
    return json_array_get(containers, 0);
}

/* Variables that come from elsewhere (secrets) have no value here. Caller frees. */
static env_var *environment(const json_t *container, size_t *out_count)
{
    const json_t *list = json_object_get(container, "env");
    size_t n = 0;
    env_var *env = calloc(json_array_size(list) + 1, sizeof *env);
    if (!env)
        abort();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *name = entry_text(item, "name"), *value = entry_text(item, "value");
        if (name && !json_object_get(item, "valueFrom"))
            env[n++] = (env_var){name, value ? value : ""};
    }
    *out_count = n;
    return env;
}

static void take_template(service *s, const json_t *template, const json_t *container)
{
    const json_t *spec = json_object_get(template, "spec");
    const json_t *annotations =
        json_object_get(json_object_get(template, "metadata"), "annotations");
    const char *port = entry_text(json_array_get(json_object_get(container, "ports"), 0), "name");
    s->timeout_us =
        (int64_t)count_of(json_object_get(spec, "timeoutSeconds"), SERVICE_TIMEOUT_S) * 1000000;
    s->concurrency = count_of(json_object_get(spec, "containerConcurrency"), SERVICE_CONCURRENCY);
    s->max_instances =
        count_of(json_object_get(annotations, "autoscaling.knative.dev/maxScale"), 0);
    s->use_http2 = port && strcmp(port, "h2c") == 0;
    s->image = entry_text(container, "image");
}

/* What runs: what the file gives for the image; a service that the file has with a command of its
 * own keeps that, however its image is called. */
static void take_command(service *s, const snapshot *base)
{
    const char *const *known = s->image ? snapshot_image(base, span_of(s->image)) : NULL;
    if (known)
        s->command = known;
}

/* ---- together ---- */

static service start(const service *was, const char *name, const json_t *entry)
{
    if (was)
        return *was;
    const char *by =
        entry_text(json_object_get(json_object_get(json_object_get(entry, "knative"), "metadata"),
                                   "annotations"),
                   "serving.knative.dev/creator");
    return (service){.name = name,
                     .listen = entry_text(entry, "listen"),
                     .metadata = entry_text(entry, "metadata"),
                     .upstream = entry_text(entry, "upstream"),
                     .body_limit = SERVICE_BODY_LIMIT,
                     .response_limit = SERVICE_BODY_LIMIT,
                     .place = {by ? by : "the Cloud Run API", 0, 0}};
}

void merge_service(snapshot_builder *b, const snapshot *base, const service *was, const char *name,
                   const json_t *entry)
{
    const json_t *knative = json_object_get(entry, "knative");
    const json_t *metadata = json_object_get(knative, "metadata");
    const json_t *runs = revision_serving(entry);
    const json_t *template =
        runs ? runs : json_object_get(json_object_get(knative, "spec"), "template");
    const json_t *spec = json_object_get(template, "spec");
    const json_t *container = ingress_container(json_object_get(spec, "containers"));
    const char *audiences =
        entry_text(json_object_get(metadata, "annotations"), "run.googleapis.com/custom-audiences");
    json_auto_t *list = audiences ? json_loads(audiences, 0, NULL) : NULL;
    service s = start(was, name, entry);
    take_annotations(&s, metadata);
    take_template(&s, template, container);
    take_command(&s, base);
    const char **custom = entry_strings(list);
    env_var *env = environment(container, &s.env_count);
    s.custom_audiences = custom;
    s.env = env;
    s.revision = revision_name(runs);
    snapshot_builder_service(b, &s, entry_text(spec, "serviceAccountName"));
    free(env);
    free(custom);
}
