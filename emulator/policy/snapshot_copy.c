/* What one snapshot tells, given to the builder of another. */
#include "policy/snapshot.h"

void snapshot_copy_people(snapshot_builder *b, const snapshot *s)
{
    for (size_t i = 0; i < snapshot_user_count(s); i++)
        snapshot_builder_user(b, snapshot_user(s, i));
    for (size_t i = 0; i < snapshot_group_edge_count(s); i++) {
        const char *group, *inner;
        snapshot_group_edge(s, i, &group, &inner);
        snapshot_builder_group(b, group, inner);
    }
}

void snapshot_copy_rules(snapshot_builder *b, const snapshot *s)
{
    for (size_t i = 0; i < snapshot_deny_count(s); i++)
        snapshot_builder_deny(b, snapshot_deny(s, i));
    for (size_t i = 0; i < snapshot_image_count(s); i++) {
        const char *const *command;
        const char *image = snapshot_image_at(s, i, &command);
        snapshot_builder_image(b, image, command);
    }
}

void snapshot_copy_roles(snapshot_builder *b, const snapshot *s)
{
    for (size_t i = 0; i < snapshot_role_count(s); i++) {
        const custom_role *r = snapshot_role(s, i);
        snapshot_builder_role(b, r->name, r->permissions);
    }
}

void snapshot_copy_service(snapshot_builder *b, const service *svc)
{
    snapshot_builder_service(b, svc, svc->account_is_default ? NULL : svc->account->email);
}

void snapshot_copy_binding(snapshot_builder *b, const snapshot *s, const binding *g)
{
    snapshot_builder_grant(
        b, &(grant_spec){.service = g->account || g->project_level
                                        ? NULL
                                        : snapshot_service(s, g->service)->name,
                         .account = g->account ? g->account->email : NULL,
                         .role = g->role,
                         .member = g->member,
                         .condition = g->condition ? condition_get(g->condition) : NULL,
                         .place = g->place});
}
