/* The index (scope, member) → binding, with group membership flattened: what makes a decision cost
 * the same for ten bindings and for a hundred thousand. Private to policy/. */
#ifndef POLICY_GRANTS_H
#define POLICY_GRANTS_H

#include "policy/snapshot.h"
#include "policy/textpool.h"

typedef struct grants grants;

/* member is in group; both as IAM writes them. */
typedef struct group_edge {
    const char *member, *group;
} group_edge;

/* What lives as long as the snapshot is taken from m. */
grants *grants_build(textpool *m, const project *p, const binding *bindings, size_t binding_count,
                     const group_edge *edges, size_t edge_count);
void grants_free(grants *g);

enum { GRANTS_IDS_MAX = 4 };
/* The members that a principal is by itself: direct, its domain, allAuthenticatedUsers, allUsers.
 * NULL: allUsers alone. 0 stands for a member that no binding or group names. */
typedef struct grants_ids {
    uint32_t id[GRANTS_IDS_MAX];
} grants_ids;
grants_ids grants_resolve(const grants *g, const principal *p);

enum { GRANTS_PROJECT = INT32_MAX };
/* The binding in this scope (a service's index or GRANTS_PROJECT) that serves first: the first of
 * ids, then of their groups, that is in effect at now_us; else the one that will be next. */
const binding *grants_find(const grants *g, const grants_ids *ids, uint32_t scope, int64_t now_us);

/* Does binding i name one of ids or a group of theirs? */
bool grants_names(const grants *g, const grants_ids *ids, size_t binding_index);

#endif
