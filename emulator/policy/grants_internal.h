/* Shared by grants.c (look-up) and grants_build.c; nobody else includes this. */
#ifndef POLICY_GRANTS_INTERNAL_H
#define POLICY_GRANTS_INTERNAL_H

#include "base/hash.h"
#include "policy/grants.h"
#include "policy/snapshot_internal.h"

enum { GRANTS_KEY_MAX = KEY_TEXT_MAX + 1 }; /* kind and e-mail; longer members match nobody */

/* A scope and a member's number; scopes have 31 bits, so one is left. */
#define SLOT_KEY(scope, id) ((uint64_t)(scope) << 32 | (id))
/* The slot's binding is in force at all times, so that no other of its key matters. */
#define SLOT_ALWAYS         (UINT64_C(1) << 63)

typedef struct grant_slot {
    uint64_t key;           /* SLOT_KEY, perhaps with SLOT_ALWAYS */
    const binding *binding; /* NULL: free. The first for the key, in the order of precedence */
} grant_slot;

struct grants {
    strmap *ids; /* member → its number, from 1 (in the pool) */
    uint32_t id_count;
    uint32_t all_users, all_authenticated; /* 0: nobody names them */
    bool has_domains;
    grant_slot *slots;
    size_t slot_count; /* a power of two */
    const binding *bindings;
    uint32_t *next; /* for each binding: the next one of its slot, plus 1; 0: it is the last */
    uint32_t *binding_ids; /* the member's number of each binding; 0: matches nobody */
    uint32_t *group_from;  /* groups of member i: groups[group_from[i] .. group_from[i + 1]) */
    uint32_t *groups;      /* transitive; only those that some binding names */
};

bool grants_key(member_kind kind, span id, char out[GRANTS_KEY_MAX], span *out_key);
/* The key's kind and id from a member's text; a bare e-mail is taken for a person or account. */
bool grants_parse(const char *text, member *out);
uint32_t grants_id(const grants *g, member_kind kind, span id); /* 0: not named anywhere */
grant_slot *grants_slot(const grants *g, uint32_t scope, uint32_t id);

#endif
