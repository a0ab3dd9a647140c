#include "control/run_change.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "control/run_check.h"
#include "control/run_json.h"
#include "control/run_model.h"

enum { REVISION_TEXT = 64 };

static json_t *refuse(run_refusal *out, api_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
static json_t *refuse(run_refusal *out, api_code code, const char *fmt, ...)
{
    va_list args;
    out->code = code;
    va_start(args, fmt);
    (void)vsnprintf(out->text, sizeof out->text, fmt, args);
    va_end(args);
    return NULL;
}

json_t *run_bad_request(json_t *violations)
{
    json_t *detail = json_object();
    run_set_text(detail, "@type", "type.googleapis.com/google.rpc.BadRequest");
    run_set(detail, "fieldViolations", violations);
    json_t *details = json_array();
    run_push(details, detail);
    return details;
}

/* ---- may it be? ---- */

static bool is_valid(const run_change *c, run_refusal *out)
{
    json_t *list = json_array();
    run_check_service(list, c->wanted, snapshot_project(c->snapshot));
    const char *name = run_text(c->wanted, "metadata.name");
    if (name && strcmp(name, c->name) != 0)
        run_violation(list, "metadata.name",
                      "The name '%.80s' is not the one in the request's URL: '%.80s'.", name,
                      c->name);
    const size_t count = json_array_size(list);
    if (count == 0) {
        json_decref(list);
        return true;
    }
    const json_t *first = json_array_get(list, 0);
    (void)refuse(out, API_INVALID_ARGUMENT, "%s: %s", run_text(first, "field"),
                 run_text(first, "description"));
    out->violations = list;
    return false;
}

static bool is_current(const run_change *c, run_refusal *out)
{
    const char *sent = run_text(c->wanted, "metadata.resourceVersion");
    const char *kept = run_text(c->before, "knative.metadata.resourceVersion");
    if (!sent || !*sent || !kept || strcmp(sent, kept) == 0)
        return true;
    (void)refuse(out, API_ABORTED,
                 "Conflict for resource '%s': version '%.64s' was specified but current version is "
                 "'%s'.",
                 c->name, sent, kept);
    return false;
}

/* A person without the right to an account and one that does not exist look alike to callers. */
static bool account_exists(const run_change *c, run_refusal *out)
{
    const char *email = run_text(c->wanted, "spec.template.spec.serviceAccountName");
    if (!email || !*email || snapshot_find_account(c->snapshot, span_of(email)))
        return true;
    (void)refuse(out, API_PERMISSION_DENIED,
                 "Permission 'iam.serviceaccounts.actAs' denied on service account %.200s (or it "
                 "may not exist).",
                 email);
    return false;
}

static bool targets_exist(const json_t *entry, run_refusal *out)
{
    size_t i;
    json_t *target;
    json_array_foreach (run_at(entry, "knative.spec.traffic"), i, target) {
        const char *name = run_text(target, "revisionName");
        if (!name || !*name || revision_find(entry, name))
            continue;
        json_t *list = json_array();
        run_violation(list, "spec.traffic", "Revision '%.80s' does not exist.", name);
        (void)refuse(out, API_INVALID_ARGUMENT, "spec.traffic: Revision '%.80s' does not exist.",
                     name);
        out->violations = list;
        return false;
    }
    return true;
}

/* ---- what is kept of what came ---- */

/* Nulls count as absent everywhere. */
static void drop_nulls(json_t *v)
{
    const char *key;
    json_t *value;
    void *next;
    size_t i;
    json_object_foreach_safe(v, next, key, value)
    {
        if (json_is_null(value))
            (void)json_object_del(v, key);
        else
            drop_nulls(value);
    }
    json_array_foreach (v, i, value) {
        drop_nulls(value);
    }
}

/* Annotations that the server writes, whatever came. */
static void drop_server_annotations(json_t *notes)
{
    static const char *const ours[] = {RUN_URLS, "run.googleapis.com/ingress-status",
                                       "run.googleapis.com/operation-id", RUN_CREATOR,
                                       RUN_MODIFIER};
    for (size_t i = 0; i < countof(ours); i++)
        (void)json_object_del(notes, ours[i]);
}

static json_t *new_metadata(const run_change *c, const char *now)
{
    const project *p = snapshot_project(c->snapshot);
    const json_t *old = run_at(c->before, "knative.metadata");
    char uid[RUN_UUID_TEXT];
    run_uuid("service", c->name, now, uid);
    json_t *m = json_object();
    run_set_text(m, "name", c->name);
    run_set_text(m, "namespace", p->number);
    run_set_text(m, "uid", old ? run_text(old, "uid") : uid);
    run_set(m, "resourceVersion", json_sprintf("%016llx", (unsigned long long)c->random));
    run_set(m, "generation", json_integer(run_int(old, "generation", 0) + 1));
    run_set_text(m, "creationTimestamp", old ? run_text(old, "creationTimestamp") : now);
    run_set(m, "labels", run_copy(run_at(c->wanted, "metadata.labels")));
    run_set(m, "annotations", run_copy(run_at(c->wanted, "metadata.annotations")));
    run_set_text(run_make(m, "labels"), RUN_LOCATION, p->region);
    json_t *notes = run_make(m, "annotations");
    drop_server_annotations(notes);
    const char *creator = run_member(old, "annotations", RUN_CREATOR);
    run_set_text(notes, RUN_CREATOR, creator ? creator : c->caller);
    run_set_text(notes, RUN_MODIFIER, c->caller);
    run_default(notes, RUN_INGRESS, json_string("all"));
    return m;
}

static json_t *new_spec(const run_change *c)
{
    const json_t *sent = json_object_get(c->wanted, "spec");
    json_t *spec = json_object();
    json_t *template = run_copy(json_object_get(sent, "template"));
    run_set(spec, "template", template);
    /* The creation time is none of the template's: clients send null. */
    (void)json_object_del(run_make(template, "metadata"), "creationTimestamp");
    const char *name = run_text(template, "metadata.name");
    if (!name || !*name)
        (void)json_object_del(run_make(template, "metadata"), "name");
    run_template_complete(snapshot_project(c->snapshot), c->name, template);
    const json_t *traffic = json_object_get(sent, "traffic");
    if (json_array_size(traffic))
        run_set(spec, "traffic", json_deep_copy(traffic));
    else
        run_set(spec, "traffic", json_pack("[{s:i, s:b}]", "percent", 100, "latestRevision", 1));
    return spec;
}

/* ---- revisions ---- */

static uint64_t next_generation(const json_t *before)
{
    const char *text = run_member(revision_latest(before), "metadata.labels", RUN_GENERATION);
    uint64_t n = 0;
    (void)span_u64(span_of(text), INT32_MAX, &n);
    return n + 1;
}

static void new_name(const run_change *c, uint64_t generation, char out[REVISION_TEXT])
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz"; /* no vowels: no words */
    uint64_t r = c->random;
    char suffix[4] = {0};
    for (size_t i = 0; i < 3; i++, r /= sizeof letters - 1)
        suffix[i] = letters[r % (sizeof letters - 1)];
    (void)snprintf(out, REVISION_TEXT, "%s-%05llu-%s", c->name, (unsigned long long)generation,
                   suffix);
}

static json_t *new_revision(const run_change *c, const json_t *template, uint64_t generation,
                            const char *now)
{
    char name[REVISION_TEXT], uid[RUN_UUID_TEXT];
    const char *given = run_text(template, "metadata.name");
    new_name(c, generation, name);
    json_t *r = json_object();
    run_set(r, "metadata", run_copy(json_object_get(template, "metadata")));
    run_set(r, "spec", run_copy(json_object_get(template, "spec")));
    json_t *m = run_make(r, "metadata");
    run_set_text(m, "name", given ? given : name);
    run_uuid("revision", run_text(m, "name"), now, uid);
    run_set_text(m, "uid", uid);
    run_set_text(m, "creationTimestamp", now);
    json_t *labels = run_make(r, "metadata.labels");
    run_set_text(labels, "serving.knative.dev/service", c->name);
    run_set_text(labels, "serving.knative.dev/configuration", c->name);
    run_set(labels, RUN_GENERATION, json_sprintf("%llu", (unsigned long long)generation));
    run_set_text(labels, RUN_LOCATION, snapshot_project(c->snapshot)->region);
    run_set_text(run_make(r, "metadata.annotations"), RUN_CREATOR, c->caller);
    return r;
}

/* Forgets the oldest that nobody is sent to. */
static void prune(json_t *entry)
{
    json_t *all = json_object_get(entry, "revisions");
    size_t i = 0;
    while (json_array_size(all) > RUN_REVISIONS_MAX && i + 1 < json_array_size(all)) {
        const char *name = revision_name(json_array_get(all, i));
        if (name && revision_share(entry, name) > 0)
            i++;
        else
            (void)json_array_remove(all, i);
    }
}

/* The template under a name that an earlier revision has must be that revision's. */
static bool add_revision(const run_change *c, json_t *entry, const char *now, run_refusal *out)
{
    const json_t *template = run_at(entry, "knative.spec.template");
    const json_t *old = run_at(c->before, "knative.spec.template");
    json_t *all = old ? json_deep_copy(json_object_get(c->before, "revisions")) : json_array();
    run_set(entry, "revisions", all);
    if (old && json_equal(template, old))
        return true;
    const char *given = run_text(template, "metadata.name");
    if (given && revision_find(entry, given)) {
        (void)refuse(out, API_ALREADY_EXISTS,
                     "Revision named '%.80s' with different configuration already exists.", given);
        return false;
    }
    run_push(all, new_revision(c, template, next_generation(c->before), now));
    prune(entry);
    return true;
}

static json_t *change(const run_change *c, run_refusal *out)
{
    if (!is_valid(c, out) || !is_current(c, out) || !account_exists(c, out))
        return NULL;
    char now[CLOCK_RFC3339_MAX];
    clock_rfc3339(c->now_us, 6, now);
    json_auto_t *entry = json_object();
    run_set(run_make(entry, "knative"), "metadata", new_metadata(c, now));
    run_set(run_make(entry, "knative"), "spec", new_spec(c));
    run_set_text(entry, "updated", now);
    if (!add_revision(c, entry, now, out) || !targets_exist(entry, out))
        return NULL;
    return json_incref(entry);
}

json_t *run_change_entry(const run_change *c, run_refusal *out)
{
    *out = (run_refusal){0};
    json_auto_t *wanted = run_copy(c->wanted);
    drop_nulls(wanted);
    run_change cleaned = *c;
    cleaned.wanted = wanted;
    return change(&cleaned, out);
}
