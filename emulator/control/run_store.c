#include "control/run_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "control/iam_policy.h"
#include "control/run_change.h"
#include "control/run_json.h"
#include "state/merge.h"

enum { TEXT_MAX = 1024, MESSAGE_MAX = 2048, PAGE_MAX = 1000 };

static const char *const ADDRESSES[] = {"listen", "metadata", "upstream"};

void run_subject_free(run_subject *s)
{
    json_decref(s->entry);
    free(s->name);
    free(s->url);
    *s = (run_subject){0};
}

/* ---- finding ---- */

/* Since when the topology's file is as it is. */
static int64_t file_time_us(const api_call *c)
{
    struct stat st;
    const char *path = snapshot_project(api_base(c))->file;
    if (!path || stat(path, &st) != 0)
        return 0;
    return (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
}

static json_t *entry_of(const api_call *c, const char *name)
{
    const snapshot *base = api_base(c);
    json_t *kept = api_entry(c, "services", name);
    if (kept && state_service_counts(base, name, kept))
        return run_at(kept, "knative") ? json_incref(kept) : NULL;
    const service *svc = snapshot_find_service(base, span_of(name));
    if (!svc)
        return NULL;
    char version[FINGERPRINT_TEXT];
    fingerprint_service(base, name, version);
    return run_entry_of_file(base, svc, version, file_time_us(c));
}

static void finish(const api_call *c, run_subject *s)
{
    s->view = (run_view){snapshot_project(api_snapshot(c)), s->name, s->url, s->entry};
}

bool run_find(const api_call *c, const char *name, run_subject *out)
{
    const service *svc = snapshot_find_service(api_snapshot(c), span_of(name));
    json_t *entry = svc ? entry_of(c, name) : NULL;
    if (!entry)
        return false;
    *out = (run_subject){entry, span_dup(span_of(name)), span_dup(span_of(svc->url)), {0}};
    finish(c, out);
    return true;
}

bool run_region_fits(const api_call *c, const char *region)
{
    return !region || !*region || strcmp(region, "-") == 0 ||
           strcmp(region, snapshot_project(api_snapshot(c))->region) == 0;
}

void run_not_found(api_call *c, const char *kind, const char *name, const char *region)
{
    const project *p = snapshot_project(api_snapshot(c));
    const bool any = !region || !*region || strcmp(region, "-") == 0;
    api_fail(c, API_NOT_FOUND,
             "Resource '%.128s' of kind '%s' in region '%.64s' in project '%s' does not exist.",
             name, kind, any ? p->region : region, p->id);
}

bool run_require(api_call *c, const char *of_project, const char *region, const char *name,
                 run_subject *out)
{
    if (!api_project(c, of_project))
        return false;
    if (run_region_fits(c, region) && run_find(c, name, out))
        return true;
    run_not_found(c, "SERVICE", name, region);
    return false;
}

/* ---- changing ---- */

static void refuse(api_call *c, run_refusal *why, run_field_name *field_of)
{
    size_t i;
    json_t *v;
    json_array_foreach (why->violations, i, v) {
        auto_buf buf field = buf_make(TEXT_MAX);
        if (field_of)
            field_of(run_text(v, "field"), &field);
        if (field.n && buf_ok(&field))
            run_set_text(v, "field", field.p);
    }
    v = json_array_get(why->violations, 0);
    auto_buf buf text = buf_make(MESSAGE_MAX);
    if (v)
        buf_fmt(&text, "%s: %s", run_text(v, "field"), run_text(v, "description"));
    else
        buf_str(&text, why->text);
    json_t *details = v ? run_bad_request(why->violations) : NULL;
    api_fail_with(c, why->code, details, "%s", text.p ? text.p : why->text);
}

/* Where a new service listens. One that the file has keeps what the file says. */
static bool give_addresses(api_call *c, run_subject *s)
{
    error e = {0};
    control_addresses a;
    const service *svc = snapshot_find_service(api_base(c), span_of(s->name));
    if (svc) {
        s->url = span_dup(span_of(svc->url));
        return true;
    }
    if (!c->backend->new_addresses(c->backend->ctx, &a, &e)) {
        api_fail(c, API_RESOURCE_EXHAUSTED, "no address for service '%s': %s", s->name, e.text);
        return false;
    }
    const char *const texts[] = {a.listen, a.metadata, a.upstream};
    for (size_t i = 0; i < countof(ADDRESSES); i++)
        run_set_text(s->entry, ADDRESSES[i], texts[i]);
    auto_buf buf url = buf_make(TEXT_MAX);
    buf_fmt(&url, "http://%s", a.listen);
    s->url = buf_take(&url);
    return true;
}

bool run_prepare(api_call *c, const char *name, const json_t *wanted, const run_subject *before,
                 run_field_name *field_of, run_subject *out)
{
    run_change change = {.snapshot = api_snapshot(c),
                         .name = name,
                         .before = before ? before->entry : NULL,
                         .wanted = wanted,
                         .caller = c->caller,
                         .now_us = api_now_us(c)};
    run_refusal why;
    random_bytes(&change.random, sizeof change.random);
    run_subject s = {.entry = run_change_entry(&change, &why)};
    if (!s.entry) {
        refuse(c, &why, field_of);
        return false;
    }
    s.name = span_dup(span_of(name));
    char over[FINGERPRINT_TEXT];
    fingerprint_service(api_base(c), name, over);
    if (*over)
        run_set_text(s.entry, "over", over);
    if (before) {
        s.url = span_dup(span_of(before->url));
        for (size_t i = 0; i < countof(ADDRESSES); i++)
            run_set_text(s.entry, ADDRESSES[i], run_text(before->entry, ADDRESSES[i]));
    } else if (!give_addresses(c, &s)) {
        run_subject_free(&s);
        return false;
    }
    finish(c, &s);
    *out = s;
    return true;
}

static char *policy_key(const char *name)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    buf_fmt(&b, "services/%s", name);
    return buf_take(&b);
}

/* A new service has no policy, whatever the file or an earlier service of that name had. */
static void reset_policy(const api_call *c, json_t *draft, const char *name)
{
    auto_free char *key = policy_key(name);
    char over[FINGERPRINT_TEXT];
    fingerprint_policy(api_base(c), key, over);
    json_auto_t *none = json_pack("{s:s, s:i, s:[]}", "etag", "ACAB", "version", 1, "bindings");
    state_set(draft, "policies", key, *over ? iam_policy_entry(c, key, none) : NULL);
}

void run_commit(api_call *c, const run_subject *s, bool created, json_t *reply)
{
    json_t *draft = api_draft(c);
    state_set(draft, "services", s->name, json_incref(s->entry));
    if (created)
        reset_policy(c, draft, s->name);
    api_commit(c, draft, 200, reply);
}

json_t *run_entry_without(api_call *c, const run_subject *s, const char *revision)
{
    const char *latest = revision_name(revision_latest(s->entry));
    if (strcmp(revision, latest) == 0 || revision_share(s->entry, revision) > 0) {
        api_fail(c, API_FAILED_PRECONDITION,
                 "Revision '%s' cannot be deleted: it is the latest of service '%s' or receives "
                 "traffic.",
                 revision, s->name);
        return NULL;
    }
    json_t *entry = run_copy(s->entry);
    json_t *all = json_object_get(entry, "revisions");
    for (size_t i = json_array_size(all); i-- > 0;)
        if (strcmp(revision_name(json_array_get(all, i)), revision) == 0)
            (void)json_array_remove(all, i);
    return entry;
}

void run_rewrite(api_call *c, const char *name, json_t *entry, json_t *reply)
{
    char over[FINGERPRINT_TEXT];
    fingerprint_service(api_base(c), name, over);
    if (*over)
        run_set_text(entry, "over", over);
    json_t *draft = api_draft(c);
    state_set(draft, "services", name, entry);
    api_commit(c, draft, 200, reply);
}

void run_remove(api_call *c, const char *name, json_t *reply)
{
    char over[FINGERPRINT_TEXT];
    auto_free char *key = policy_key(name);
    fingerprint_service(api_base(c), name, over);
    json_t *tombstone = NULL;
    if (*over) {
        tombstone = json_object();
        run_set_text(tombstone, "over", over);
        run_set(tombstone, "deleted", json_true());
    }
    json_t *draft = api_draft(c);
    state_set(draft, "services", name, tombstone);
    state_set(draft, "policies", key, NULL);
    api_commit(c, draft, 200, reply);
}

/* ---- query parameters ---- */

/* false: answered. */
static bool read_size(api_call *c, const char *name, size_t otherwise, uint64_t *out)
{
    auto_buf buf text = buf_make(32);
    *out = 0;
    if (api_query(c, name, &text) && !span_u64(buf_view(&text), INT32_MAX, out)) {
        api_fail_field(c, name, "a number from 0 to %d is expected", PAGE_MAX);
        return false;
    }
    if (*out > PAGE_MAX)
        *out = PAGE_MAX;
    if (*out == 0)
        *out = otherwise;
    return true;
}

bool run_page_of(api_call *c, const char *size_name, const char *token_name, size_t otherwise,
                 size_t total, run_page *out)
{
    uint64_t size, from = 0;
    auto_buf buf token = buf_make(32);
    if (!read_size(c, size_name, otherwise, &size))
        return false;
    if (api_query(c, token_name, &token) && token.n &&
        (!buf_ok(&token) || !span_u64(buf_view(&token), INT32_MAX, &from))) {
        api_fail_field(c, token_name, "The page token is none that this API gave out.");
        return false;
    }
    *out = (run_page){.from = from < total ? (size_t)from : total};
    out->to = total - out->from > size ? out->from + (size_t)size : total;
    if (out->to < total)
        (void)snprintf(out->next, sizeof out->next, "%zu", out->to);
    return true;
}

bool run_query_flag(api_call *c, const char *name, bool *out)
{
    auto_buf buf text = buf_make(16);
    *out = false;
    if (!api_query(c, name, &text) || span_ieq_str(buf_view(&text), "false"))
        return true;
    if (buf_ok(&text) && run_is_true(text.p)) {
        *out = true;
        return true;
    }
    api_fail_field(c, name, "true or false is expected");
    return false;
}
