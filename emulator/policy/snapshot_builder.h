/* What a builder has gathered before snapshot_build turns it into a snapshot. Private to policy/.
 */
#ifndef POLICY_SNAPSHOT_BUILDER_H
#define POLICY_SNAPSHOT_BUILDER_H

#include "policy/snapshot_internal.h"

typedef struct service_draft_policy {
    service value;
    const char *account_email;
} service_draft_policy;

#define DRAFTS(type)                                                                               \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count, cap;                                                                         \
    }

struct snapshot_builder {
    textpool *pool; /* becomes the snapshot's */
    project project;
    emulation emulation;
    DRAFTS(account) accounts;
    DRAFTS(service_draft_policy) services;
    DRAFTS(grant_spec) bindings;
    DRAFTS(group_edge) groups;
    DRAFTS(const char *) users;
    DRAFTS(custom_role) roles;
    DRAFTS(deny_rule) denies;
    DRAFTS(image_command) images;
};

#endif
