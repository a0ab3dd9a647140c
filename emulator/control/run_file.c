/* From a service of the topology's file to an entry, as if it had been deployed by the API. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "control/run_json.h"
#include "control/run_model.h"

enum { TEXT_MAX = 1024, MICROSECOND = 1000000 };

/* ---- defaults ---- */

static void container_defaults(const char *name, json_t *c, size_t index, bool is_ingress)
{
    auto_buf buf text = buf_make(TEXT_MAX);
    buf_fmt(&text, "%s-%zu", name, index + 1);
    const char *its = run_text(c, "name");
    if (!its || !*its)
        run_set_text(c, "name", text.p);
    json_t *limits = run_make(c, "resources.limits");
    run_default(limits, "cpu", json_string("1000m"));
    run_default(limits, "memory", json_string("512Mi"));
    json_t *port = json_array_get(json_object_get(c, "ports"), 0);
    if (is_ingress && !port) {
        port = json_object();
        json_t *ports = json_array();
        run_push(ports, port);
        run_set(c, "ports", ports);
    }
    if (port) {
        const char *protocol = run_text(port, "name");
        if (!protocol || !*protocol)
            run_set_text(port, "name", "http1");
        run_default(port, "containerPort", json_integer(8080));
    }
}

static void drop_empty(json_t *o, const char *name)
{
    if (json_object_size(json_object_get(o, name)) == 0)
        (void)json_object_del(o, name);
}

void run_template_complete(const project *p, const char *name, json_t *template)
{
    json_t *metadata = run_make(template, "metadata"), *spec = run_make(template, "spec");
    drop_empty(metadata, "labels");
    drop_empty(metadata, "annotations");
    drop_empty(spec, "nodeSelector");
    if (run_int(spec, "containerConcurrency", 0) == 0)
        run_set(spec, "containerConcurrency", json_integer(80));
    run_default(spec, "timeoutSeconds", json_integer(300));
    const char *runs_as = run_text(spec, "serviceAccountName");
    if (!runs_as || !*runs_as)
        run_set_text(spec, "serviceAccountName", p->default_account);
    json_t *containers = json_object_get(spec, "containers");
    const bool alone = json_array_size(containers) == 1;
    size_t i;
    json_t *c;
    json_array_foreach (containers, i, c) {
        container_defaults(name, c, i, alone);
    }
}

/* ---- what the file says ---- */

static json_t *file_env(const service *svc)
{
    json_t *env = json_array();
    for (size_t i = 0; i < svc->env_count; i++)
        run_push(env,
                 json_pack("{s:s, s:s}", "name", svc->env[i].name, "value", svc->env[i].value));
    return env;
}

static json_t *file_container(const project *p, const service *svc)
{
    /* A topology's service has a command, not an image; the API wants to name one. */
    auto_buf buf image = buf_make(TEXT_MAX);
    buf_fmt(&image, "%s-docker.pkg.dev/%s/local/%s", p->region, p->id, svc->name);
    json_t *c = json_object();
    run_set_text(c, "image", image.p);
    json_t *port = json_object();
    run_set_text(port, "name", svc->use_http2 ? "h2c" : "http1");
    json_t *ports = json_array();
    run_push(ports, port);
    run_set(c, "ports", ports);
    if (svc->env_count)
        run_set(c, "env", file_env(svc));
    return c;
}

static json_t *file_template(const snapshot *s, const service *svc)
{
    const project *p = snapshot_project(s);
    json_t *template = json_object();
    json_t *notes = run_make(template, "metadata.annotations");
    if (svc->max_instances)
        run_set(notes, RUN_MAX_SCALE, json_sprintf("%u", svc->max_instances));
    json_t *spec = run_make(template, "spec");
    run_set(spec, "containerConcurrency", json_integer(svc->concurrency));
    run_set(spec, "timeoutSeconds",
            json_integer((svc->timeout_us + MICROSECOND - 1) / MICROSECOND));
    run_set_text(spec, "serviceAccountName", svc->account->email);
    json_t *containers = json_array();
    run_push(containers, file_container(p, svc));
    run_set(spec, "containers", containers);
    run_template_complete(p, svc->name, template);
    return template;
}

static json_t *file_audiences(const service *svc)
{
    json_auto_t *array = json_array();
    for (const char *const *a = svc->custom_audiences; *a; a++)
        run_push(array, json_string(*a));
    char *text = json_dumps(array, JSON_COMPACT);
    json_t *value = json_array_size(array) ? json_string(text) : NULL;
    free(text);
    return value;
}

static void file_annotations(json_t *notes, const snapshot *s, const service *svc)
{
    run_set_text(notes, RUN_INGRESS, INGRESS_NAMES[svc->ingress]);
    run_set(notes, RUN_AUDIENCES, file_audiences(svc));
    if (!svc->iam_check)
        run_set_text(notes, RUN_IAM_DISABLED, "true");
    if (svc->default_url_disabled)
        run_set_text(notes, RUN_URL_DISABLED, "true");
    const char *file = svc->place.file ? svc->place.file : snapshot_project(s)->file;
    run_set_text(notes, RUN_CREATOR, file);
    run_set_text(notes, RUN_MODIFIER, file);
}

static json_t *file_revision(const project *p, const service *svc, const json_t *template,
                             const char *creator, const char *made)
{
    char uid[RUN_UUID_TEXT];
    run_uuid("revision", svc->revision, made, uid);
    json_t *r = json_object();
    run_set(r, "metadata", run_copy(json_object_get(template, "metadata")));
    run_set(r, "spec", run_copy(json_object_get(template, "spec")));
    json_t *metadata = run_make(r, "metadata");
    run_set_text(metadata, "name", svc->revision);
    run_set_text(metadata, "uid", uid);
    run_set_text(metadata, "creationTimestamp", made);
    run_set_text(run_make(r, "metadata.annotations"), RUN_CREATOR, creator);
    json_t *labels = run_make(r, "metadata.labels");
    run_set_text(labels, "serving.knative.dev/service", svc->name);
    run_set_text(labels, "serving.knative.dev/configuration", svc->name);
    run_set_text(labels, RUN_GENERATION, "1");
    run_set_text(labels, RUN_LOCATION, p->region);
    return r;
}

json_t *run_entry_of_file(const snapshot *s, const service *svc, const char *version,
                          int64_t updated_us)
{
    const project *p = snapshot_project(s);
    char made[CLOCK_RFC3339_MAX], uid[RUN_UUID_TEXT];
    clock_rfc3339(updated_us, 6, made);
    run_uuid("service", svc->name, p->number, uid);
    json_t *entry = json_object();
    json_t *metadata = run_make(entry, "knative.metadata");
    run_set_text(metadata, "name", svc->name);
    run_set_text(metadata, "namespace", p->number);
    run_set_text(metadata, "uid", uid);
    run_set_text(metadata, "resourceVersion", version);
    run_set(metadata, "generation", json_integer(1));
    run_set_text(metadata, "creationTimestamp", made);
    run_set_text(run_make(metadata, "labels"), RUN_LOCATION, p->region);
    file_annotations(run_make(metadata, "annotations"), s, svc);
    json_t *spec = run_make(entry, "knative.spec");
    json_t *template = file_template(s, svc);
    run_set(spec, "template", template);
    run_set(spec, "traffic", json_pack("[{s:i, s:b}]", "percent", 100, "latestRevision", 1));
    json_t *revisions = json_array();
    run_push(revisions, file_revision(p, svc, template,
                                      run_member(metadata, "annotations", RUN_CREATOR), made));
    run_set(entry, "revisions", revisions);
    run_set_text(entry, "updated", made);
    return entry;
}
