/* Which fields a Service of v2 has, and which of them an update mask means. */
#include <stdlib.h>

#include "control/run_json.h"
#include "control/run_v2.h"

const char *const run_v2_service_names[] = {"name",
                                            "description",
                                            "uid",
                                            "generation",
                                            "labels",
                                            "annotations",
                                            "createTime",
                                            "updateTime",
                                            "deleteTime",
                                            "expireTime",
                                            "creator",
                                            "lastModifier",
                                            "client",
                                            "clientVersion",
                                            "ingress",
                                            "launchStage",
                                            "binaryAuthorization",
                                            "template",
                                            "traffic",
                                            "scaling",
                                            "invokerIamDisabled",
                                            "urls",
                                            "defaultUriDisabled",
                                            "iapEnabled",
                                            "conditions",
                                            "observedGeneration",
                                            "terminalCondition",
                                            "reconciling",
                                            "customAudiences",
                                            "latestReadyRevision",
                                            "trafficStatuses",
                                            "uri",
                                            "latestCreatedRevision",
                                            "satisfiesPzs",
                                            "threatDetectionEnabled",
                                            "buildConfig",
                                            "etag",
                                            "multiRegionSettings",
                                            NULL};
static bool can_be_set(span top)
{
    static const char *const fixed[] = {"uid",
                                        "generation",
                                        "createTime",
                                        "updateTime",
                                        "deleteTime",
                                        "expireTime",
                                        "creator",
                                        "lastModifier",
                                        "conditions",
                                        "observedGeneration",
                                        "terminalCondition",
                                        "reconciling",
                                        "uri",
                                        "trafficStatuses",
                                        "urls",
                                        "latestReadyRevision",
                                        "name",
                                        "satisfiesPzs",
                                        "etag",
                                        "latestCreatedRevision"};
    for (size_t i = 0; i < countof(fixed); i++)
        if (span_eq_str(top, fixed[i]))
            return false;
    return true;
}

static bool is_field(span top)
{
    for (size_t i = 0; run_v2_service_names[i]; i++)
        if (span_eq_str(top, run_v2_service_names[i]))
            return true;
    return false;
}

/* Masks come as FieldMask's JSON has them, some clients write "custom_audiences". */
static void camel(span path, buf *out)
{
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '_' && i + 1 < path.n && path.p[i + 1] >= 'a' && path.p[i + 1] <= 'z') {
            c = path.p[++i];
            c = (char)(c - ('a' - 'A'));
        }
        buf_char(out, c);
    }
}

/* Copies or removes what the path names; labels and annotations have dots in their keys. */
static void take_path(json_t *now, const json_t *sent, span path)
{
    span head;
    const bool deeper = span_cut(&path, '.', &head);
    const bool by_key = span_eq_str(head, "labels") || span_eq_str(head, "annotations");
    json_t *theirs = json_object_getn(sent, head.p, head.n);
    json_t *ours = json_object_getn(now, head.p, head.n);
    if (deeper && !by_key) {
        if (!json_is_object(ours)) {
            ours = json_object();
            if (json_object_setn_new(now, head.p, head.n, ours) != 0)
                abort();
        }
        take_path(ours, theirs, path);
        return;
    }
    (void)json_object_deln(now, head.p, head.n);
    if (theirs && json_object_setn_new(now, head.p, head.n, json_deep_copy(theirs)) != 0)
        abort();
}

static void take_all(json_t *now, const json_t *sent)
{
    for (size_t i = 0; run_v2_service_names[i]; i++) {
        const span name = span_of(run_v2_service_names[i]);
        if (can_be_set(name))
            take_path(now, sent, name);
    }
}

/* Fields that no Service has come over as well, to be told of. */
static void take_unknown(json_t *now, const json_t *sent)
{
    const char *key;
    void *next;
    json_t *value, *copy = run_copy(sent);
    json_object_foreach_safe(copy, next, key, value)
    {
        if (!is_field(span_of(key)))
            run_set(now, key, json_incref(value));
    }
    json_decref(copy);
}

json_t *run_v2_patched(const json_t *now, const json_t *sent, span mask, span *out_bad)
{
    json_auto_t *out = run_copy(now);
    take_unknown(out, sent);
    mask = span_trim(mask);
    if (mask.n == 0 || span_eq_str(mask, "*")) {
        take_all(out, sent);
        return json_incref(out);
    }
    while (mask.n) {
        span one;
        (void)span_cut(&mask, ',', &one);
        one = span_trim(one);
        auto_buf buf path = buf_make(one.n);
        camel(one, &path);
        span rest = buf_view(&path), top;
        (void)span_cut(&rest, '.', &top);
        if (!is_field(top)) {
            *out_bad = one;
            return NULL;
        }
        if (can_be_set(top))
            take_path(out, sent, buf_view(&path));
    }
    return json_incref(out);
}

void run_v2_field_of(const char *knative, buf *out)
{
    static const struct {
        const char *from, *to;
    } names[] = {
        {"spec.template.spec.timeoutSeconds", "template.timeout"},
        {"spec.template.spec.containerConcurrency", "template.maxInstanceRequestConcurrency"},
        {"spec.template.spec.serviceAccountName", "template.serviceAccount"},
        {"spec.template.spec", "template"},
        {"spec.template.metadata.name", "template.revision"},
        {"spec.template.metadata", "template"},
        {"spec.traffic", "traffic"},
        {"metadata.annotations[" RUN_INGRESS "]", "ingress"},
        {"metadata.annotations[" RUN_AUDIENCES "]", "customAudiences"},
        {"metadata.annotations[run.googleapis.com/description]", "description"},
        {"metadata.name", "name"},
        {"metadata", "service"},
    };
    for (size_t i = 0; i < countof(names); i++) {
        const span from = span_of(names[i].from);
        if (!span_starts(span_of(knative), from))
            continue;
        buf_fmt(out, "%s%s", names[i].to, knative + from.n);
        return;
    }
    buf_str(out, knative);
}
