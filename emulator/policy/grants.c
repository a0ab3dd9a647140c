/* Looking up grants: members become small numbers, (scope, member) a key of one hash table. */
#include "policy/grants.h"

#include <stdlib.h>

#include "policy/grants_internal.h"

/* A member that can match somebody with a Google-signed ID token. Federated identities cannot hold
 * one, and deleted members never match. */
static bool can_match(member_kind k)
{
    switch (k) {
    case MEMBER_ALL_USERS:
    case MEMBER_ALL_AUTHENTICATED:
    case MEMBER_USER:
    case MEMBER_SERVICE_ACCOUNT:
    case MEMBER_GROUP:
    case MEMBER_DOMAIN:
    case MEMBER_PROJECT_OWNER:
    case MEMBER_PROJECT_EDITOR:
    case MEMBER_PROJECT_VIEWER:
        return true;
    case MEMBER_PRINCIPAL:
    case MEMBER_PRINCIPAL_SET:
    case MEMBER_DELETED:
        return false;
    }
    abort();
}

bool grants_key(member_kind kind, span id, char out[GRANTS_KEY_MAX], span *out_key)
{
    span lower;
    if (!can_match(kind) || !key_lower(id, out + 1, &lower))
        return false;
    out[0] = (char)('A' + (int)kind);
    *out_key = (span){out, lower.n + 1};
    return true;
}

uint32_t grants_id(const grants *g, member_kind kind, span id)
{
    char text[GRANTS_KEY_MAX];
    span key;
    if (!grants_key(kind, id, text, &key))
        return 0;
    const uint32_t *number = strmap_get(g->ids, key);
    return number ? *number : 0;
}

grants_ids grants_resolve(const grants *g, const principal *p)
{
    grants_ids ids = {{0, 0, 0, g->all_users}};
    if (!p)
        return ids;
    ids.id[2] = g->all_authenticated;
    ids.id[0] = grants_id(g, p->kind, p->email);
    const size_t at = g->has_domains ? span_find(p->email, '@') : p->email.n;
    if (at < p->email.n)
        ids.id[1] = grants_id(g, MEMBER_DOMAIN, span_from(p->email, at + 1));
    return ids;
}

/* The finaliser of MurmurHash3: the numbers are ours, no caller chooses them. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

grant_slot *grants_slot(const grants *g, uint32_t scope, uint32_t id)
{
    const uint64_t key = (uint64_t)scope << 32 | id;
    size_t at = (size_t)mix(key) & (g->slot_count - 1);
    while (g->slots[at].binding && g->slots[at].key != key)
        at = (at + 1) & (g->slot_count - 1);
    return &g->slots[at];
}

/* Keeps the better of *best and the binding for (scope, id); true when that is in effect. */
static bool consider(const grants *g, uint32_t scope, uint32_t id, int64_t now_us,
                     const binding **best)
{
    const grant_slot *slot = grants_slot(g, scope, id);
    if (!slot->binding)
        return false;
    if (!*best || slot->binding->effective_us < (*best)->effective_us)
        *best = slot->binding;
    return slot->binding->effective_us <= now_us;
}

const binding *grants_find(const grants *g, const grants_ids *ids, uint32_t scope, int64_t now_us)
{
    const binding *best = NULL;
    for (size_t i = 0; i < GRANTS_IDS_MAX; i++) {
        if (ids->id[i] && consider(g, scope, ids->id[i], now_us, &best))
            return best;
    }
    for (size_t i = 0; i < GRANTS_IDS_MAX; i++) {
        const uint32_t *group = g->groups + g->group_from[ids->id[i]];
        const uint32_t *end = g->groups + g->group_from[ids->id[i] + 1];
        for (; group < end; group++) {
            if (consider(g, scope, *group, now_us, &best))
                return best;
        }
    }
    return best;
}

bool grants_names(const grants *g, const grants_ids *ids, size_t binding_index)
{
    const uint32_t named = g->binding_ids[binding_index];
    if (!named)
        return false;
    for (size_t i = 0; i < GRANTS_IDS_MAX; i++) {
        if (ids->id[i] == named)
            return true;
        for (uint32_t j = g->group_from[ids->id[i]]; j < g->group_from[ids->id[i] + 1]; j++) {
            if (g->groups[j] == named)
                return true;
        }
    }
    return false;
}

void grants_free(grants *g)
{
    if (!g)
        return;
    strmap_free(g->ids);
    free(g->slots);
    free(g->binding_ids);
    free(g->group_from);
    free(g->groups);
    free(g);
}
