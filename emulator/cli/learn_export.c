/* The learned matrix where something else than a fragment of YAML is wanted. */
#include <string.h>

#include "cli/export_gcloud.h"
#include "cli/learn.h"
#include "policy/role.h"

enum { LINE_MAX_BYTES = 8 * 1024 };

static void copy_frame(snapshot_builder *b, const snapshot *s)
{
    snapshot_builder_project(b, snapshot_project(s));
    snapshot_builder_emulation(b, snapshot_emulation(s));
    for (size_t i = 0; i < snapshot_account_count(s); i++)
        snapshot_builder_account(b, snapshot_account(s, i));
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        snapshot_copy_service(b, snapshot_service(s, i));
}

/* Accounts, services and the learned grants, nothing else. */
static snapshot *learned_alone(const learned *l)
{
    snapshot_builder *b = snapshot_builder_new();
    copy_frame(b, l->s);
    for (size_t i = 0; i < l->need_count; i++)
        if (need_counts(l->needs[i]))
            snapshot_builder_grant(b, &(grant_spec){.service = l->needs[i]->service->name,
                                                    .role = ROLE_INVOKER,
                                                    .member = l->needs[i]->member});
    return snapshot_build(b, NULL, 0);
}

/* Everything but the cells of the matrix. */
static snapshot *without_matrix(const snapshot *s)
{
    snapshot_builder *b = snapshot_builder_new();
    copy_frame(b, s);
    snapshot_copy_people(b, s);
    snapshot_copy_roles(b, s);
    snapshot_copy_rules(b, s);
    for (size_t i = 0; i < snapshot_binding_count(s); i++)
        if (!learn_is_cell(snapshot_binding(s, i)))
            snapshot_copy_binding(b, s, snapshot_binding(s, i));
    return snapshot_build(b, NULL, 0);
}

static void put_title(buf *b, const learned *l, const char *title)
{
    buf_fmt(b, "What %zu calls need, as recorded in %s", l->calls, title);
}

void learn_gcloud(buf *b, const learned *l, const char *title)
{
    snapshot *s = learned_alone(l);
    grant_order *grants = grant_order_new(s);
    const export_source from = {.s = s};
    const export_job j = {&from, s, grants, b};
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    put_title(&line, l, title);
    buf_str(b, "#!/bin/sh\n");
    shell_put_comment(b, line.p);
    buf_str(b, "set -eu\n");
    export_gcloud_grants(&j);
    grant_order_free(grants);
    snapshot_unref(s);
}

void learn_terraform(buf *b, const learned *l, const char *title)
{
    snapshot *s = learned_alone(l);
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    put_title(&line, l, title);
    export_terraform(b, &(export_source){.s = s, .title = line.p});
    snapshot_unref(s);
}

void learn_whole(buf *b, const learned *l, const char *title)
{
    snapshot *s = without_matrix(l->s);
    auto_buf buf line = buf_make(LINE_MAX_BYTES);
    buf_fmt(&line, "From %s, with the matrix that was learned", snapshot_project(l->s)->file);
    export_yaml(b, &(export_source){.s = s, .title = buf_ok(&line) ? line.p : NULL});
    learn_yaml(b, l, title);
    snapshot_unref(s);
}
