/* Fields of v2 that Knative objects keep as annotations. */
#include <stdlib.h>

#include "control/run_check.h"
#include "control/run_json.h"
#include "control/run_v2.h"

enum { FIELD_MAX = 256, COUNT_MAX = 1000000 };

static const run_v2_word ingress_words[] = {
    {"all", "INGRESS_TRAFFIC_ALL", 1},
    {"internal", "INGRESS_TRAFFIC_INTERNAL_ONLY", 2},
    {"internal-and-cloud-load-balancing", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER", 3},
    {"none", "INGRESS_TRAFFIC_NONE", 4},
    {NULL, "INGRESS_TRAFFIC_UNSPECIFIED", 0},
    {NULL, NULL, 0},
};
static const run_v2_word scaling_words[] = {
    {"automatic", "AUTOMATIC", 1},
    {"manual", "MANUAL", 2},
    {NULL, "SCALING_MODE_UNSPECIFIED", 0},
    {NULL, NULL, 0},
};
static const run_v2_word stage_words[] = {
    {"GA", "GA", 4},       {"BETA", "BETA", 3},
    {"ALPHA", "ALPHA", 2}, {NULL, "LAUNCH_STAGE_UNSPECIFIED", 0},
    {NULL, NULL, 0},
};
static const run_v2_word egress_words[] = {
    {"all-traffic", "ALL_TRAFFIC", 1},
    {"private-ranges-only", "PRIVATE_RANGES_ONLY", 2},
    {NULL, "VPC_EGRESS_UNSPECIFIED", 0},
    {NULL, NULL, 0},
};
static const run_v2_word environment_words[] = {
    {"gen1", "EXECUTION_ENVIRONMENT_GEN1", 1},
    {"gen2", "EXECUTION_ENVIRONMENT_GEN2", 2},
    {NULL, "EXECUTION_ENVIRONMENT_UNSPECIFIED", 0},
    {NULL, NULL, 0},
};
static const run_v2_word revocation_words[] = {
    {"prevent-new", "PREVENT_NEW", 1},
    {"shutdown", "SHUTDOWN", 2},
    {NULL, "ENCRYPTION_KEY_REVOCATION_ACTION_UNSPECIFIED", 0},
    {NULL, NULL, 0},
};

#define NOTE(name) "run.googleapis.com/" name

/* What Knative objects have no word for is kept as JSON under the name of the field. */
const run_v2_field run_v2_service_fields[] = {
    {"description", NOTE("description"), V2_TEXT, 0, NULL},
    {"client", NOTE("client-name"), V2_TEXT, 0, NULL},
    {"clientVersion", NOTE("client-version"), V2_TEXT, 0, NULL},
    {"ingress", RUN_INGRESS, V2_WORD, 0, ingress_words},
    {"launchStage", NOTE("launch-stage"), V2_WORD, 0, stage_words},
    {"binaryAuthorization", NOTE("binaryAuthorization"), V2_JSON, JSON_OBJECT, NULL},
    {"scaling.minInstanceCount", NOTE("minScale"), V2_INT, 0, NULL},
    {"scaling.maxInstanceCount", NOTE("maxScale"), V2_INT, 0, NULL},
    {"scaling.scalingMode", NOTE("scalingMode"), V2_WORD, 0, scaling_words},
    {"scaling.manualInstanceCount", NOTE("manualInstanceCount"), V2_INT, 0, NULL},
    {"invokerIamDisabled", RUN_IAM_DISABLED, V2_BOOL, 0, NULL},
    {"defaultUriDisabled", RUN_URL_DISABLED, V2_BOOL, 0, NULL},
    {"iapEnabled", NOTE("iap-enabled"), V2_BOOL, 0, NULL},
    {"customAudiences", RUN_AUDIENCES, V2_JSON, JSON_ARRAY, NULL},
    {"buildConfig", NOTE("buildConfig"), V2_JSON, JSON_OBJECT, NULL},
    {"multiRegionSettings", NOTE("multiRegionSettings"), V2_JSON, JSON_OBJECT, NULL},
    {NULL, NULL, V2_TEXT, 0, NULL},
};

const run_v2_field run_v2_template_fields[] = {
    {"scaling.minInstanceCount", "autoscaling.knative.dev/minScale", V2_INT, 0, NULL},
    {"scaling.maxInstanceCount", RUN_MAX_SCALE, V2_INT, 0, NULL},
    {"vpcAccess.connector", NOTE("vpc-access-connector"), V2_TEXT, 0, NULL},
    {"vpcAccess.egress", NOTE("vpc-access-egress"), V2_WORD, 0, egress_words},
    {"vpcAccess.networkInterfaces", NOTE("network-interfaces"), V2_JSON, JSON_ARRAY, NULL},
    {"executionEnvironment", NOTE("execution-environment"), V2_WORD, 0, environment_words},
    {"sessionAffinity", NOTE("sessionAffinity"), V2_BOOL, 0, NULL},
    {"encryptionKey", NOTE("encryption-key"), V2_TEXT, 0, NULL},
    {"encryptionKeyRevocationAction", NOTE("post-key-revocation-action-type"), V2_WORD, 0,
     revocation_words},
    {"encryptionKeyShutdownDuration", NOTE("encryptionKeyShutdownDuration"), V2_TEXT, 0, NULL},
    {"healthCheckDisabled", NOTE("health-check-disabled"), V2_BOOL, 0, NULL},
    {"gpuZonalRedundancyDisabled", NOTE("gpu-zonal-redundancy-disabled"), V2_BOOL, 0, NULL},
    {"serviceMesh", NOTE("serviceMesh"), V2_JSON, JSON_OBJECT, NULL},
    {NULL, NULL, V2_TEXT, 0, NULL},
};

bool run_v2_is_system(const char *key)
{
    static const span hidden[] = {{"run.googleapis.com/", 19},
                                  {"cloud.googleapis.com/", 21},
                                  {"serving.knative.dev/", 20},
                                  {"autoscaling.knative.dev/", 24}};
    for (size_t i = 0; i < countof(hidden); i++)
        if (span_starts(span_of(key), hidden[i]))
            return true;
    return false;
}

bool run_v2_has_note(const run_v2_field *table, const char *note)
{
    for (; table->path; table++)
        if (strcmp(table->note, note) == 0)
            return true;
    return false;
}

/* The object that the path's last name belongs in, and that name. */
static const char *last_name(const char *path, buf *parent)
{
    const char *dot = strchr(path, '.');
    if (dot)
        buf_add(parent, path, (size_t)(dot - path));
    return dot ? dot + 1 : path;
}

/* ---- to v2 ---- */

static json_t *value_of(const run_v2_field *f, const char *note)
{
    uint64_t n = 0;
    switch (f->kind) {
    case V2_TEXT:
        return json_string(note);
    case V2_INT:
        return span_u64(span_of(note), INT64_MAX, &n) ? json_integer((json_int_t)n) : NULL;
    case V2_BOOL:
        return run_is_true(note) ? json_true() : NULL;
    case V2_JSON:
        return json_loads(note, 0, NULL);
    case V2_WORD:
        for (const run_v2_word *w = f->words; w->word; w++)
            if (w->note && strcmp(w->note, note) == 0)
                return json_string(w->word);
        return NULL;
    }
    abort();
}

void run_v2_fields_write(const run_v2_field *table, const json_t *notes, json_t *v2)
{
    for (; table->path; table++) {
        const char *note = json_string_value(json_object_get(notes, table->note));
        json_t *value = note ? value_of(table, note) : NULL;
        if (!value)
            continue;
        auto_buf buf parent = buf_make(FIELD_MAX);
        const char *name = last_name(table->path, &parent);
        run_set(parent.n ? run_make(v2, parent.p) : v2, name, value);
    }
}

/* ---- from v2 ---- */

/* In proto3's JSON an enum is its name or its number. */
static json_t *word_note(const run_v2_field *f, const json_t *value, bool *known)
{
    const char *word = json_string_value(value);
    for (const run_v2_word *w = f->words; w->word; w++)
        if (word ? strcmp(w->word, word) == 0
                 : json_is_integer(value) && json_integer_value(value) == w->number) {
            *known = true;
            return w->note ? json_string(w->note) : NULL;
        }
    return NULL;
}

/* NULL: nothing to note. *known becomes false when the value cannot be. */
static json_t *note_of(const run_v2_field *f, const json_t *value, bool *known)
{
    const char *text = json_string_value(value);
    uint64_t n = 0;
    *known = false;
    switch (f->kind) {
    case V2_TEXT:
        *known = text != NULL;
        return text && *text ? json_string(text) : NULL;
    case V2_INT: /* 64-bit numbers may come as text */
        if (json_is_integer(value) && json_integer_value(value) >= 0)
            n = (uint64_t)json_integer_value(value);
        else if (!span_u64(span_of(text), COUNT_MAX, &n))
            return NULL;
        *known = n <= COUNT_MAX;
        return json_sprintf("%llu", (unsigned long long)n);
    case V2_BOOL:
        *known = json_is_boolean(value);
        return json_is_true(value) ? json_string("true") : NULL;
    case V2_JSON:
        *known = json_typeof(value) == f->type;
        if (*known && json_object_size(value) + json_array_size(value) > 0) {
            auto_free char *dump = json_dumps(value, JSON_COMPACT);
            return json_string(dump);
        }
        return NULL;
    case V2_WORD:
        return word_note(f, value, known);
    }
    abort();
}

void run_v2_fields_read(const run_v2_field *table, const json_t *v2, const char *at, json_t *notes,
                        json_t *violations)
{
    for (; table->path; table++) {
        const json_t *value = run_at(v2, table->path);
        bool known;
        if (!value || json_is_null(value))
            continue;
        json_t *note = note_of(table, value, &known);
        if (known) {
            run_set(notes, table->note, note);
            continue;
        }
        json_decref(note);
        auto_buf buf field = buf_make(FIELD_MAX);
        buf_fmt(&field, "%s%s", at, table->path);
        auto_free char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        run_violation(violations, field.p, "Invalid value at 'service.%s': %.80s", field.p,
                      shown ? shown : "");
    }
}
