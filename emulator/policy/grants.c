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
    const uint64_t key = SLOT_KEY(scope, id);
    size_t at = (size_t)mix(key) & (g->slot_count - 1);
    while (g->slots[at].binding && (g->slots[at].key & ~SLOT_ALWAYS) != key)
        at = (at + 1) & (g->slot_count - 1);
    return &g->slots[at];
}

/* ---- what counts now ---- */

static const int64_t FLAP_US = 1000000; /* how long a flapping change stays as it is */

/* While a change is on its way from one end of the window to the other, more and more of IAM's
 * servers know it; each second another one answers. */
static bool has_arrived(const binding *b, int64_t from_us, int64_t to_us, int64_t now_us)
{
    if (now_us >= to_us || now_us < from_us)
        return now_us >= to_us;
    const int64_t tick = now_us / FLAP_US;
    const uint64_t draw = mix(b->coin ^ mix((uint64_t)tick)) >> 32;
    const double share = (double)(tick * FLAP_US - from_us) / (double)(to_us - from_us);
    return b->flapping && (double)draw < share * 4294967296.0;
}

binding_state binding_state_at(const binding *b, const condition_facts *at)
{
    if (at->now_us < b->effective_us && !has_arrived(b, b->granted_us, b->effective_us, at->now_us))
        return BINDING_WAITING;
    if (b->revoked_us && has_arrived(b, b->revoked_us, b->until_us, at->now_us))
        return BINDING_REVOKED;
    return b->condition && !condition_holds(b->condition, at) ? BINDING_UNMET : BINDING_IN_FORCE;
}

/* ---- looking up ---- */

static const binding *next_in_slot(const grants *g, const binding *b)
{
    const uint32_t next = g->next[b - g->bindings];
    return next ? &g->bindings[next - 1] : NULL;
}

condition_facts grants_facts(const service *svc, int64_t now_us)
{
    return (condition_facts){now_us, svc->resource_name, "run.googleapis.com",
                             "run.googleapis.com/Service"};
}

static const binding *first_in_force(const grants *g, const binding *b, const service *svc,
                                     int64_t now_us)
{
    const condition_facts at = grants_facts(svc, now_us);
    while (b && binding_state_at(b, &at) != BINDING_IN_FORCE)
        b = next_in_slot(g, b);
    return b;
}

static inline const binding *in_force(const grants *g, uint32_t scope, uint32_t id,
                                      const service *svc, int64_t now_us)
{
    const grant_slot *slot = grants_slot(g, scope, id);
    return slot->key & SLOT_ALWAYS ? slot->binding : first_in_force(g, slot->binding, svc, now_us);
}

const binding *grants_find(const grants *g, const grants_ids *ids, uint32_t scope,
                           const service *svc, int64_t now_us)
{
    for (size_t i = 0; i < GRANTS_IDS_MAX; i++) {
        const binding *b = ids->id[i] ? in_force(g, scope, ids->id[i], svc, now_us) : NULL;
        if (b)
            return b;
    }
    for (size_t i = 0; i < GRANTS_IDS_MAX; i++) {
        const uint32_t *group = g->groups + g->group_from[ids->id[i]];
        const uint32_t *end = g->groups + g->group_from[ids->id[i] + 1];
        for (; group < end; group++) {
            const binding *b = in_force(g, scope, *group, svc, now_us);
            if (b)
                return b;
        }
    }
    return NULL;
}

static bool is_nearer(missed_grant a, missed_grant b)
{
    static const int ranks[] = {
        [BINDING_IN_FORCE] = 0, [BINDING_WAITING] = 1, [BINDING_UNMET] = 2, [BINDING_REVOKED] = 3};
    if (!b.binding || a.state != b.state)
        return !b.binding || ranks[a.state] < ranks[b.state];
    return a.state == BINDING_WAITING && a.binding->effective_us < b.binding->effective_us;
}

static void miss(const grants *g, uint32_t scope, uint32_t id, const condition_facts *at,
                 missed_grant *best)
{
    for (const binding *b = grants_slot(g, scope, id)->binding; b; b = next_in_slot(g, b)) {
        const missed_grant own = {b, binding_state_at(b, at)};
        if (is_nearer(own, *best))
            *best = own;
    }
}

void grants_missed(const grants *g, const grants_ids *ids, uint32_t scope,
                   const condition_facts *at, missed_grant *best)
{
    for (size_t i = 0; i < GRANTS_IDS_MAX; i++) {
        if (ids->id[i])
            miss(g, scope, ids->id[i], at, best);
        for (uint32_t j = g->group_from[ids->id[i]]; j < g->group_from[ids->id[i] + 1]; j++)
            miss(g, scope, g->groups[j], at, best);
    }
}

open_state grants_open(const grants *g, uint32_t scope)
{
    if (!g->all_users)
        return OPEN_NEVER;
    const grant_slot *slot = grants_slot(g, scope, g->all_users);
    return !slot->binding ? OPEN_NEVER : slot->key & SLOT_ALWAYS ? OPEN_ALWAYS : OPEN_AT_TIMES;
}

uint32_t grants_member(const grants *g, const char *text)
{
    member m;
    return grants_parse(text, &m) ? grants_id(g, m.kind, m.id) : 0;
}

bool grants_include(const grants *g, const grants_ids *ids, uint32_t number)
{
    if (!number)
        return false;
    for (size_t i = 0; i < GRANTS_IDS_MAX; i++) {
        if (ids->id[i] == number)
            return true;
        for (uint32_t j = g->group_from[ids->id[i]]; j < g->group_from[ids->id[i] + 1]; j++) {
            if (g->groups[j] == number)
                return true;
        }
    }
    return false;
}

bool grants_names(const grants *g, const grants_ids *ids, size_t binding_index)
{
    return grants_include(g, ids, g->binding_ids[binding_index]);
}

void grants_free(grants *g)
{
    if (!g)
        return;
    strmap_free(g->ids);
    free(g->slots);
    free(g->next);
    free(g->binding_ids);
    free(g->group_from);
    free(g->groups);
    free(g);
}
