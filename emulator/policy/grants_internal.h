/* Shared by grants.c (look-up) and grants_build.c; nobody else includes this. */
#ifndef POLICY_GRANTS_INTERNAL_H
#define POLICY_GRANTS_INTERNAL_H

#include "base/hash.h"
#include "policy/grants.h"
#include "policy/snapshot_internal.h"

enum { GRANTS_KEY_MAX = KEY_TEXT_MAX + 1 }; /* kind and e-mail; longer members match nobody */

typedef struct grant_slot {
    uint64_t key;           /* scope << 32 | member's number */
    const binding *binding; /* NULL: free. The earliest one in effect for the key */
} grant_slot;

struct grants {
    strmap *ids; /* member → its number, from 1 (in the pool) */
    uint32_t id_count;
    uint32_t all_users, all_authenticated; /* 0: nobody names them */
    bool has_domains;
    grant_slot *slots;
    size_t slot_count;     /* a power of two */
    uint32_t *binding_ids; /* the member's number of each binding; 0: matches nobody */
    uint32_t *group_from;  /* groups of member i: groups[group_from[i] .. group_from[i + 1]) */
    uint32_t *groups;      /* transitive; only those that some binding names */
};

bool grants_key(member_kind kind, span id, char out[GRANTS_KEY_MAX], span *out_key);
uint32_t grants_id(const grants *g, member_kind kind, span id); /* 0: not named anywhere */
grant_slot *grants_slot(const grants *g, uint32_t scope, uint32_t id);

#endif
