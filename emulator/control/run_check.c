/* The service, its annotations and traffic; containers are in run_check_container.c. */
#include "control/run_check.h"

#include <stdlib.h>

#include "base/buf.h"
#include "config/values.h"
#include "control/run_json.h"

enum {
    VIOLATIONS_MAX = 25,
    FIELD_MAX = 512,
    TEXT_MAX = 1024,
    AUDIENCES_JSON_MAX = 32768, /* "Custom audiences" */
    DESCRIPTION_MAX = 512,
    LABEL_MAX = 63,
    KEY_MAX = 63 + 1 + 253,       /* Kubernetes: prefix/name */
    ANNOTATIONS_MAX = 256 * 1024, /* Kubernetes: all of an object's together */
    TARGETS_MAX = 100,
    SERVICE_MAX = 1024 * 1024, /* all of it as JSON */
    SCALE_MAX = 1000000
};

void run_violation(json_t *list, const char *field, const char *fmt, ...)
{
    if (json_array_size(list) >= VIOLATIONS_MAX)
        return;
    auto_buf buf text = buf_make(TEXT_MAX);
    va_list args;
    va_start(args, fmt);
    buf_vfmt(&text, fmt, args);
    va_end(args);
    json_t *v = json_object();
    run_set_text(v, "field", field);
    run_set_text(v, "description", buf_ok(&text) && text.p ? text.p : "Invalid value.");
    run_push(list, v);
}

static const char *type_name(json_type type)
{
    switch (type) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a whole number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    abort();
}

static void path_join(char out[FIELD_MAX], const char *at, const char *name)
{
    auto_buf buf b = buf_make(FIELD_MAX - 1);
    buf_fmt(&b, "%s%s%s", at, *at ? "." : "", name);
    out[0] = '\0';
    if (buf_ok(&b))
        memcpy(out, b.p, b.n + 1);
}

json_t *run_check_member(json_t *list, const json_t *o, const char *at, const char *name,
                         json_type type)
{
    json_t *v = json_object_get(o, name);
    if (!v || json_is_null(v))
        return NULL;
    if (json_typeof(v) == type || (type == JSON_TRUE && json_is_boolean(v)))
        return v;
    char field[FIELD_MAX];
    path_join(field, at, name);
    run_violation(list, field, "Invalid value at '%s': %s is expected.", field, type_name(type));
    return NULL;
}

bool run_check_number(json_t *list, const json_t *o, const char *at, const char *name, int64_t min,
                      int64_t max)
{
    const json_t *v = run_check_member(list, o, at, name, JSON_INTEGER);
    if (!v)
        return false;
    const int64_t n = json_integer_value(v);
    if (n >= min && n <= max)
        return true;
    char field[FIELD_MAX];
    path_join(field, at, name);
    run_violation(list, field, "Invalid value %lld: the value must be between %lld and %lld.",
                  (long long)n, (long long)min, (long long)max);
    return false;
}

/* ---- metadata ---- */

static void check_texts(json_t *list, const json_t *metadata, const char *at, const char *name,
                        size_t value_max)
{
    json_t *map = run_check_member(list, metadata, at, name, JSON_OBJECT);
    char field[FIELD_MAX];
    path_join(field, at, name);
    size_t total = 0;
    const char *key;
    json_t *value;
    json_object_foreach (map, key, value) {
        const size_t n = json_string_length(value);
        total += strlen(key) + n;
        if (!*key || strlen(key) > KEY_MAX)
            run_violation(list, field, "The key '%.80s' is empty or too long.", key);
        else if (!json_is_string(value))
            run_violation(list, field, "The value of '%s' is not a text.", key);
        else if (n > value_max)
            run_violation(list, field, "The value of '%s' has more than %zu characters.", key,
                          value_max);
    }
    if (total > ANNOTATIONS_MAX)
        run_violation(list, field, "More than %d bytes.", ANNOTATIONS_MAX);
}

static void check_audiences(json_t *list, const char *field, const char *text)
{
    json_auto_t *array = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (strlen(text) > AUDIENCES_JSON_MAX)
        run_violation(list, field, "Custom audiences have more than %d characters as JSON.",
                      AUDIENCES_JSON_MAX);
    bool good = json_is_array(array);
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        good = good && json_string_length(item) > 0;
    }
    if (!good)
        run_violation(list, field, "Custom audiences must be a JSON array of non-empty strings.");
}

static void check_bool(json_t *list, const char *field, const char *text)
{
    if (!run_is_true(text) && !span_ieq_str(span_of(text), "false"))
        run_violation(list, field, "Invalid value '%.80s': must be 'true' or 'false'.", text);
}

static void check_ingress(json_t *list, const char *field, const char *text)
{
    ingress ignored;
    if (!ingress_parse(text, &ignored))
        run_violation(list, field, "Invalid value '%.80s': must be " INGRESS_CHOICE ".", text);
}

static void check_scale(json_t *list, const char *field, const char *text)
{
    uint64_t n;
    if (!span_u64(span_of(text), SCALE_MAX, &n))
        run_violation(list, field, "Invalid value '%.80s': must be a number from 0 to %d.", text,
                      SCALE_MAX);
}

static void check_description(json_t *list, const char *field, const char *text)
{
    if (strlen(text) > DESCRIPTION_MAX)
        run_violation(list, field, "The description has more than %d characters.", DESCRIPTION_MAX);
}

static const struct {
    const char *name;
    void (*check)(json_t *list, const char *field, const char *text);
} annotations[] = {
    {"run.googleapis.com/ingress", check_ingress},
    {"run.googleapis.com/custom-audiences", check_audiences},
    {"run.googleapis.com/invoker-iam-disabled", check_bool},
    {"run.googleapis.com/default-url-disabled", check_bool},
    {"run.googleapis.com/description", check_description},
    {"run.googleapis.com/minScale", check_scale},
    {"run.googleapis.com/maxScale", check_scale},
    {"run.googleapis.com/sessionAffinity", check_bool},
    {"run.googleapis.com/cpu-throttling", check_bool},
    {"run.googleapis.com/startup-cpu-boost", check_bool},
    {"autoscaling.knative.dev/minScale", check_scale},
    {"autoscaling.knative.dev/maxScale", check_scale},
};

/* Of the service or of its template: what the table knows has to make sense in both. */
static void check_metadata(json_t *list, const json_t *metadata, const char *at)
{
    check_texts(list, metadata, at, "labels", LABEL_MAX);
    check_texts(list, metadata, at, "annotations", ANNOTATIONS_MAX);
    for (size_t i = 0; i < countof(annotations); i++) {
        const char *text = run_member(metadata, "annotations", annotations[i].name);
        auto_buf buf field = buf_make(FIELD_MAX);
        buf_fmt(&field, "%s.annotations[%s]", at, annotations[i].name);
        if (text)
            annotations[i].check(list, field.p, text);
    }
}

static void check_identity(json_t *list, const json_t *doc, const project *p)
{
    const char *version = run_text(doc, "apiVersion");
    const char *kind = run_text(doc, "kind");
    if (!version || strcmp(version, "serving.knative.dev/v1") != 0)
        run_violation(list, "apiVersion", "Expected value 'serving.knative.dev/v1', got '%.80s'.",
                      version ? version : "");
    if (!kind || strcmp(kind, "Service") != 0)
        run_violation(list, "kind", "Expected value 'Service', got '%.80s'.", kind ? kind : "");
    const json_t *metadata = run_check_member(list, doc, "", "metadata", JSON_OBJECT);
    const char *space =
        json_string_value(run_check_member(list, metadata, "metadata", "namespace", JSON_STRING));
    if (space && *space && strcmp(space, p->id) != 0 && strcmp(space, p->number) != 0)
        run_violation(list, "metadata.namespace",
                      "Namespace must be project ID or quota project number: '%s' or '%s'.", p->id,
                      p->number);
    const char *name = run_text(metadata, "name");
    if (!name || !value_is_service_name(span_of(name)))
        run_violation(list, "metadata.name",
                      "Resource name must use only lowercase letters, numbers and '-'. Must begin "
                      "with a letter and cannot end with a '-'. Maximum length is 49 characters.");
}

/* ---- spec ---- */

static void check_target(json_t *list, const json_t *target, const char *at, int64_t *sum)
{
    const char *tag = json_string_value(run_check_member(list, target, at, "tag", JSON_STRING));
    const char *revision =
        json_string_value(run_check_member(list, target, at, "revisionName", JSON_STRING));
    const json_t *latest = run_check_member(list, target, at, "latestRevision", JSON_TRUE);
    if (run_check_number(list, target, at, "percent", 0, 100))
        *sum += run_int(target, "percent", 0);
    if ((revision && *revision) == json_is_true(latest))
        run_violation(list, at, "Exactly one of revisionName and latestRevision must be set.");
    if (tag && *tag && !value_is_service_name(span_of(tag)))
        run_violation(list, at,
                      "Traffic tag '%.80s' must use only lowercase letters, numbers and '-', begin "
                      "with a letter, not end with a '-'.",
                      tag);
}

static void check_traffic(json_t *list, const json_t *spec)
{
    const json_t *traffic = run_check_member(list, spec, "spec", "traffic", JSON_ARRAY);
    int64_t sum = 0;
    size_t i;
    json_t *target;
    if (json_array_size(traffic) > TARGETS_MAX) {
        run_violation(list, "spec.traffic", "More than %d traffic targets.", TARGETS_MAX);
        return;
    }
    json_array_foreach (traffic, i, target) {
        auto_buf buf at = buf_make(FIELD_MAX);
        buf_fmt(&at, "spec.traffic[%zu]", i);
        if (json_is_object(target))
            check_target(list, target, at.p, &sum);
        else
            run_violation(list, at.p, "Invalid value at '%s': an object is expected.", at.p);
    }
    if (i > 0 && sum != 100)
        run_violation(list, "spec.traffic",
                      "The sum of all traffic percentages must be 100, not %lld.", (long long)sum);
}

static void check_revision_name(json_t *list, const json_t *metadata, const char *owner)
{
    const char *name = json_string_value(
        run_check_member(list, metadata, "spec.template.metadata", "name", JSON_STRING));
    if (!name || !*name)
        return;
    const span prefix = span_of(owner), all = span_of(name);
    if (!span_starts(all, prefix) || all.n < prefix.n + 2 || all.p[prefix.n] != '-')
        run_violation(list, "spec.template.metadata.name",
                      "Revision name must be prefixed by the name of the enclosing Service, "
                      "with a trailing '-': '%s-'.",
                      owner);
    bool good = all.n <= 63 && all.p[all.n - 1] != '-';
    for (size_t i = 0; i < all.n; i++)
        good = good && ((all.p[i] >= 'a' && all.p[i] <= 'z') || all.p[i] == '-' ||
                        (all.p[i] >= '0' && all.p[i] <= '9'));
    if (!good)
        run_violation(list, "spec.template.metadata.name",
                      "Revision name must use only lowercase letters, numbers and '-', cannot end "
                      "with a '-', and has at most 63 characters.");
}

void run_check_service(json_t *list, const json_t *doc, const project *p)
{
    if (json_dumpb(doc, NULL, 0, JSON_COMPACT) > SERVICE_MAX) {
        run_violation(list, "spec", "The service has more than %d bytes.", SERVICE_MAX);
        return;
    }
    check_identity(list, doc, p);
    const json_t *metadata = json_object_get(doc, "metadata");
    check_metadata(list, metadata, "metadata");
    const json_t *spec = run_check_member(list, doc, "", "spec", JSON_OBJECT);
    check_traffic(list, spec);
    const json_t *template = run_check_member(list, spec, "spec", "template", JSON_OBJECT);
    const json_t *about =
        run_check_member(list, template, "spec.template", "metadata", JSON_OBJECT);
    check_metadata(list, about, "spec.template.metadata");
    const char *name = run_text(metadata, "name");
    check_revision_name(list, about, name ? name : "");
    run_check_template_spec(list,
                            run_check_member(list, template, "spec.template", "spec", JSON_OBJECT));
}
