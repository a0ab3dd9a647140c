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

/* What there is to index. */
typedef struct grants_input {
    const project *project;
    const binding *bindings; /* outlives the grants */
    size_t binding_count;
    const group_edge *edges;
    size_t edge_count;
    const char *const *more; /* members that no binding needs to name: grants_member tells theirs */
    size_t more_count;
} grants_input;

/* What lives as long as the snapshot is taken from m. */
grants *grants_build(textpool *m, const grants_input *in);
void grants_free(grants *g);

enum { GRANTS_IDS_MAX = 4 };
/* The members that a principal is by itself: direct, its domain, allAuthenticatedUsers, allUsers.
 * NULL: allUsers alone. 0 stands for a member that no binding or group names. */
typedef struct grants_ids {
    uint32_t id[GRANTS_IDS_MAX];
} grants_ids;
grants_ids grants_resolve(const grants *g, const principal *p);

enum { GRANTS_PROJECT = INT32_MAX };
/* The binding in this scope (a service's index or GRANTS_PROJECT) that serves first on svc: the
 * first of ids, then of their groups, that is in force. NULL: none is. */
const binding *grants_find(const grants *g, const grants_ids *ids, uint32_t scope,
                           const service *svc, int64_t now_us);

/* The nearest that is not in force goes to *best, if it is nearer than that. */
void grants_missed(const grants *g, const grants_ids *ids, uint32_t scope,
                   const condition_facts *at, missed_grant *best);

/* What conditions see of a service. */
condition_facts grants_facts(const service *svc, int64_t now_us);

/* Whether allUsers hold something in the scope. */
open_state grants_open(const grants *g, uint32_t scope);

/* Does binding i name one of ids or a group of theirs? */
bool grants_names(const grants *g, const grants_ids *ids, size_t binding_index);

/* The number of a member as IAM writes it; 0: named nowhere. */
uint32_t grants_member(const grants *g, const char *text);
/* Is it one of ids or a group of theirs? */
bool grants_include(const grants *g, const grants_ids *ids, uint32_t number);

/* What a binding is at that moment. */
binding_state binding_state_at(const binding *b, const condition_facts *at);

#endif
