/* What a builder has gathered before snapshot_build turns it into a snapshot. Private to policy/.
 */
#ifndef POLICY_SNAPSHOT_BUILDER_H
#define POLICY_SNAPSHOT_BUILDER_H

#include "policy/snapshot_internal.h"

typedef struct service_draft_policy {
    service value;
    const char *account_email;
} service_draft_policy;

typedef struct binding_draft {
    binding value;
    const char *service; /* NULL at project level */
} binding_draft;

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
    DRAFTS(binding_draft) bindings;
    DRAFTS(group_edge) groups;
    DRAFTS(const char *) users;
};

#endif
