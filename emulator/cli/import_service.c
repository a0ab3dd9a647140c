/* Knative Services as `gcloud run services describe --format=export` prints them. */
#include <jansson.h>
#include <stdlib.h>

#include "cli/import.h"
#include "config/values.h"
#include "state/merge.h"

#define RUN "run.googleapis.com/"

enum { NUMBER_MAX = 1000000 };

/* ---- checks ---- */

static bool is_ingress(const char *text)
{
    ingress ignored;
    return ingress_parse(text, &ignored);
}

static bool is_bool(const char *text)
{
    return span_ieq_str(span_of(text), "true") || span_ieq_str(span_of(text), "false");
}

static bool is_list(const char *text)
{
    json_auto_t *list = json_loads(text, 0, NULL);
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_string(json_array_get(list, i)))
            return false;
    return json_is_array(list);
}

static bool is_number(const char *text)
{
    uint64_t number;
    return span_u64(span_of(text), NUMBER_MAX, &number);
}

static bool is_account(const char *text)
{
    return value_is_service_account_email(span_of(text));
}

static const struct {
    const char *path[6];
    bool (*check)(const char *text);
    const char *wanted;
} fields[] = {
    {{"metadata", "annotations", RUN "ingress"}, is_ingress, INGRESS_CHOICE},
    {{"metadata", "annotations", RUN "invoker-iam-disabled"}, is_bool, "true or false"},
    {{"metadata", "annotations", RUN "default-url-disabled"}, is_bool, "true or false"},
    {{"metadata", "annotations", RUN "custom-audiences"}, is_list, "a JSON list of texts"},
    {{"spec", "template", "spec", "timeoutSeconds"}, is_number, "a whole number"},
    {{"spec", "template", "spec", "containerConcurrency"}, is_number, "a whole number"},
    {{"spec", "template", "spec", "serviceAccountName"},
     is_account,
     "a service account's e-mail "
     "address"},
    {{"spec", "template", "metadata", "annotations", "autoscaling.knative.dev/maxScale"},
     is_number,
     "a whole number"},
};

const node *import_container(const node *service_map)
{
    static const char *const path[] = {"spec", "template", "spec", "containers", NULL};
    const node *list = import_path(service_map, path);
    if (!list || list->kind != NODE_LIST || !list->count)
        return NULL;
    for (size_t i = 0; i < list->count; i++) {
        const node *ports = node_get(list->items[i], "ports");
        if (ports && ports->kind == NODE_LIST && ports->count)
            return list->items[i];
    }
    return list->items[0];
}

static void check_region(imported *m, const node *map)
{
    static const char *const path[] = {"metadata", "labels", "cloud.googleapis.com/location", NULL};
    const node *n = import_path(map, path);
    const char *region = import_text(n);
    if (!region)
        return;
    if (!value_is_region(span_of(region)))
        diag_at(m->diags, n->at, "cloud.googleapis.com/location: expected a region");
    else if (!m->region)
        m->region = region;
    else if (strcmp(m->region, region) != 0)
        diag_at(m->diags, n->at,
                "this service is in %s, another one in %s: a topology has a single region", region,
                m->region);
}

static void check_number(imported *m, const node *map)
{
    static const char *const path[] = {"metadata", "namespace", NULL};
    const char *number = import_text(import_path(map, path));
    if (number && !m->project_number && value_is_project_number(span_of(number)))
        m->project_number = number;
}

void import_check_service(imported *m, const node *map)
{
    for (size_t i = 0; i < countof(fields); i++) {
        const node *n = import_path(map, fields[i].path);
        const char *text = import_text(n), *key = "";
        for (size_t k = 0; fields[i].path[k]; k++)
            key = fields[i].path[k];
        if (n && !(text ? fields[i].check(text) : node_is_null(n)))
            diag_at(m->diags, n->at, "%s: expected %s", key, fields[i].wanted);
    }
    if (!import_container(map))
        diag_at(m->diags, map->at, "spec.template.spec.containers: expected a container");
    check_region(m, map);
    check_number(m, map);
}

/* ---- to the topology's service, as a deployment by API becomes one ---- */

/* Every scalar as text: who reads the numbers takes both. */
static json_t *to_json(const node *n)
{
    json_t *out;
    if (n->kind == NODE_LIST) {
        out = json_array();
        for (size_t i = 0; i < n->count; i++)
            (void)json_array_append_new(out, to_json(n->items[i]));
    } else if (n->kind == NODE_MAP) {
        out = json_object();
        for (size_t i = 0; i < n->count; i++)
            (void)json_object_set_new(out, n->pairs[i].key->text.p, to_json(n->pairs[i].value));
    } else {
        out = node_is_null(n) ? json_null() : json_stringn(n->text.p, n->text.n);
    }
    if (!out)
        abort();
    return out;
}

static service plain_service(const char *name, place at)
{
    return (service){.name = name,
                     .iam_check = true,
                     .timeout_us = INT64_C(1000000) * SERVICE_TIMEOUT_S,
                     .concurrency = SERVICE_CONCURRENCY,
                     .body_limit = SERVICE_BODY_LIMIT,
                     .response_limit = SERVICE_BODY_LIMIT,
                     .place = at};
}

void import_add_service(imported *m, snapshot_builder *b, const snapshot *base,
                        const found_service *s)
{
    (void)m;
    if (!s->map) {
        const service named = plain_service(s->name, (place){0});
        snapshot_builder_service(b, &named, NULL);
        return;
    }
    const service was = plain_service(s->name, s->map->at);
    json_auto_t *entry = json_pack("{s:o}", "knative", to_json(s->map));
    if (!entry)
        abort();
    merge_service(b, base, &was, s->name, entry);
}
