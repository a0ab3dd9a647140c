/* The top-level keys that describe the project and the emulator itself. */
#include <limits.h>
#include <stdlib.h>

#include "base/file.h"
#include "config/load.h"
#include "config/values.h"

#define DEFAULT_REGION         "us-central1"
#define DEFAULT_PROJECT_NUMBER "123456789012"

static const int64_t SECOND_US = 1000000;

/* ---- project ---- */

static void read_project_id(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "6 to 30 lower-case letters, digits and hyphens, a letter first";
    span text;
    if (!read_scalar(l, "id", entry->value, wanted, &text))
        return;
    if (value_is_project_id(text))
        *(const char **)into = text.p;
    else
        expected(l, "id", entry->value, wanted);
}

static void read_project_number(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "a project number such as 123456789012";
    span text;
    if (!read_scalar(l, "number", entry->value, wanted, &text))
        return;
    if (value_is_project_number(text))
        *(const char **)into = text.p;
    else
        expected(l, "number", entry->value, wanted);
}

void read_project(loader *l, const node_pair *entry, void *into)
{
    static const key_spec keys[] = {
        {"id", read_project_id, offsetof(loader, project.id)},
        {"number", read_project_number, offsetof(loader, project.number)},
        {"policy", read_node, offsetof(loader, project_policy)},
        {NULL, NULL, 0},
    };
    (void)into;
    if (!claim_once(l, &l->project_given, entry))
        return;
    read_map(l, entry->value, "project", keys, l);
    bool is_map = entry->value->kind == NODE_MAP || node_is_null(entry->value);
    if (is_map && !node_get(entry->value, "id"))
        diag_at(l->diags, entry->value->at, "project: 'id' is missing");
}

void read_region(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "a region such as us-central1";
    span text;
    (void)into;
    if (!claim_once(l, &l->region_given, entry) ||
        !read_scalar(l, "region", entry->value, wanted, &text))
        return;
    if (value_is_region(text))
        l->project.region = text.p;
    else
        expected(l, "region", entry->value, wanted);
}

/* ---- shared listeners ---- */

static void read_ingress_listen(loader *l, const node_pair *entry, void *into)
{
    l->ingress_at = entry->value->at;
    read_listen(l, entry, into);
}

static void read_metadata_listen(loader *l, const node_pair *entry, void *into)
{
    l->metadata_at = entry->value->at;
    read_listen(l, entry, into);
}

static void read_control_listen(loader *l, const node_pair *entry, void *into)
{
    l->control_at = entry->value->at;
    read_listen(l, entry, into);
}

void read_shared_listeners(loader *l, const node_pair *entry, void *into)
{
    static const key_spec keys[] = {
        {"ingress", read_ingress_listen, offsetof(project, ingress_listen)},
        {"metadata", read_metadata_listen, offsetof(project, metadata_listen)},
        {"control", read_control_listen, offsetof(project, control_listen)},
        {NULL, NULL, 0},
    };
    (void)into;
    if (claim_once(l, &l->listen_given, entry))
        read_map(l, entry->value, "listen", keys, &l->project);
}

/* ---- keys ---- */

/* What stands in path already is free of symbolic links, so that ".." may be taken literally. */
static void append_path(buf *path, const char *name)
{
    span rest = span_of(name);
    while (rest.n) {
        span part;
        (void)span_cut(&rest, '/', &part);
        if (part.n == 0 || span_eq_str(part, "."))
            continue;
        if (span_eq_str(part, "..")) {
            while (path->n && path->p[path->n - 1] != '/')
                path->p[--path->n] = '\0';
            if (path->n)
                path->p[--path->n] = '\0';
            continue;
        }
        buf_char(path, '/');
        buf_span(path, part);
    }
}

void read_keys(loader *l, const node_pair *entry, void *into)
{
    span text;
    (void)into;
    if (!claim_once(l, &l->keys_given, entry) ||
        !read_scalar(l, "keys", entry->value, "a folder, relative to this file", &text))
        return;
    if (text.n == 0) {
        expected(l, "keys", entry->value, "a folder, relative to this file");
        return;
    }
    if (text.p[0] == '/') {
        l->project.keys_dir = text.p;
        return;
    }
    auto_buf buf path = buf_make(PATH_MAX);
    auto_free char *dir = file_dirname(l->file->shown);
    auto_free char *real = realpath(dir, NULL);
    append_path(&path, real ? real : dir);
    append_path(&path, text.p);
    if (buf_ok(&path))
        l->project.keys_dir = path.n ? arena_dup(l->mem, buf_view(&path)) : "/";
    else
        diag_at(l->diags, entry->value->at, "keys: the path is too long");
}

/* ---- emulation ---- */

static bool read_whole_seconds(loader *l, const node_pair *entry, int64_t least_s, int64_t most_s,
                               int64_t *out_s)
{
    int64_t us;
    if (!read_duration(l, entry, least_s * SECOND_US, most_s * SECOND_US, SECOND_US, &us))
        return false;
    *out_s = us / SECOND_US;
    return true;
}

static void read_lifetime(loader *l, const node_pair *entry, void *into)
{
    (void)read_whole_seconds(l, entry, 1, 43200, into);
}

static void read_skew(loader *l, const node_pair *entry, void *into)
{
    (void)read_whole_seconds(l, entry, 0, 3600, into);
}

static void read_mode(loader *l, const node_pair *entry, void *into)
{
    static const char *const words[] = {"enforce", "audit", NULL};
    size_t which;
    if (read_word(l, entry, words, "enforce or audit", &which))
        *(bool *)into = which == 1;
}

static void read_faults(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    diag_at(l->diags, entry->key->at, "emulation: 'faults' is not supported yet; leave it out");
}

void read_emulation(loader *l, const node_pair *entry, void *into)
{
    static const key_spec keys[] = {
        {"mode", read_mode, offsetof(emulation, audit)},
        {"propagation_delay", read_propagation, 0},
        {"token_lifetime", read_lifetime, offsetof(emulation, token_lifetime_s)},
        {"clock_skew", read_skew, offsetof(emulation, clock_skew_s)},
        {"decision_header", read_bool, offsetof(emulation, decision_header)},
        {"faults", read_faults, 0},
        {NULL, NULL, 0},
    };
    (void)into;
    if (claim_once(l, &l->emulation_given, entry))
        read_map(l, entry->value, "emulation", keys, &l->emulation);
}

/* ---- limits ---- */

static void read_body_limit(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "32MiB (as in production) or off";
    const char *key = entry->key->text.p;
    span text;
    if (!read_scalar(l, key, entry->value, wanted, &text))
        return;
    if (span_ieq_str(text, "off"))
        *(uint64_t *)into = 0;
    else if (span_eq_str(text, "32MiB"))
        *(uint64_t *)into = SERVICE_BODY_LIMIT;
    else
        expected(l, key, entry->value, wanted);
}

void read_limits(loader *l, const node_pair *entry, void *into)
{
    static const key_spec keys[] = {
        {"request_body", read_body_limit, offsetof(limits_draft, request_body)},
        {"response_body", read_body_limit, offsetof(limits_draft, response_body)},
        {NULL, NULL, 0},
    };
    read_map(l, entry->value, "limits", keys, into);
}

void read_default_limits(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (claim_once(l, &l->limits_given, entry))
        read_limits(l, entry, &l->limits);
}

/* ---- egress ---- */

void read_egress(loader *l, const node_pair *entry, void *into)
{
    static const char *const words[] = {"deny", "allow", NULL};
    size_t which;
    (void)into;
    if (claim_once(l, &l->egress_given, entry) &&
        read_word(l, entry, words, "deny or allow", &which))
        l->project.egress_allow = which == 1;
}

/* ---- pass 2 ---- */

void settle_project(loader *l)
{
    project *p = &l->project;
    p->file = l->files.items[0]->shown;
    if (!l->project_given)
        diag_at(l->diags, (place){p->file, 1, 1},
                "'project' is missing; write project: { id: my-project, number: 123456789012 }");
    if (!p->id)
        p->id = "my-project"; /* was reported; the rest can still be checked */
    if (!p->number)
        p->number = DEFAULT_PROJECT_NUMBER;
    if (!p->region)
        p->region = DEFAULT_REGION;
    p->default_account = arena_fmt(l->mem, "%s-compute@developer.gserviceaccount.com", p->number);
}
