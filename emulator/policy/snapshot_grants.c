/* Who may do what by the snapshot's bindings. */
#include "base/buf.h"
#include "policy/role.h"
#include "policy/snapshot_internal.h"

enum { RESOURCE_NAME_MAX = 1024 };

bool snapshot_role_grants(const snapshot *s, span role, span permission)
{
    const custom_role *own = snapshot_find_role(s, role);
    const char *const *list = own ? own->permissions : role_permissions(role);
    for (; list && *list; list++) {
        if (span_eq_str(permission, *list))
            return true;
    }
    return false;
}

/* Is the binding one of the resource's own policy or of its project's? */
static bool covers(const binding *b, const resource *r)
{
    if (b->project_level)
        return true;
    return b->account ? b->account == r->account : r->service && b->service == r->service->index;
}

/* What conditions see of the resource; its name may be written to b. */
static condition_facts facts_of_resource(const snapshot *s, const resource *r, int64_t now_us,
                                         buf *b)
{
    if (r->service)
        return grants_facts(r->service, now_us);
    buf_fmt(b, "projects/%s", s->project.id);
    if (!r->account)
        return (condition_facts){now_us, b->p, "cloudresourcemanager.googleapis.com",
                                 "cloudresourcemanager.googleapis.com/Project"};
    buf_fmt(b, "/serviceAccounts/%s", r->account->email);
    return (condition_facts){now_us, b->p, "iam.googleapis.com",
                             "iam.googleapis.com/ServiceAccount"};
}

const binding *snapshot_allows(const snapshot *s, const resource *r, const principal *p,
                               const char *permission, int64_t now_us)
{
    if (snapshot_denied(s, p, permission))
        return NULL;
    const grants_ids ids = grants_resolve(s->grants, p);
    auto_buf buf name = buf_make(RESOURCE_NAME_MAX);
    const condition_facts at = facts_of_resource(s, r, now_us, &name);
    for (size_t i = 0; i < s->binding_count + s->revoked_count; i++) {
        const binding *b = &s->bindings[i];
        if (covers(b, r) && grants_names(s->grants, &ids, i) &&
            snapshot_role_grants(s, span_of(b->role), span_of(permission)) &&
            binding_state_at(b, &at) == BINDING_IN_FORCE)
            return b;
    }
    return NULL;
}

const binding *snapshot_grant(const snapshot *s, const service *svc, const principal *p,
                              int64_t now_us)
{
    const grants_ids ids = grants_resolve(s->grants, p);
    const binding *own = grants_find(s->grants, &ids, svc->index, svc, now_us);
    return own ? own : grants_find(s->grants, &ids, GRANTS_PROJECT, svc, now_us);
}

missed_grant snapshot_missed_grant(const snapshot *s, const service *svc, const principal *p,
                                   int64_t now_us)
{
    const grants_ids ids = grants_resolve(s->grants, p);
    const condition_facts at = grants_facts(svc, now_us);
    missed_grant best = {NULL, BINDING_IN_FORCE};
    grants_missed(s->grants, &ids, svc->index, &at, &best);
    grants_missed(s->grants, &ids, GRANTS_PROJECT, &at, &best);
    return best;
}

bool snapshot_is_open(const snapshot *s, const service *svc, int64_t now_us)
{
    return svc->open == OPEN_ALWAYS ||
           (svc->open == OPEN_AT_TIMES && snapshot_grant(s, svc, NULL, now_us));
}

const binding *snapshot_near_grant(const snapshot *s, const service *svc, const principal *p)
{
    grants_ids ids = grants_resolve(s->grants, p);
    ids.id[2] = ids.id[3] = 0; /* what everybody holds elsewhere says nothing of this caller */
    const binding *elsewhere = NULL;
    for (size_t i = 0; i < s->binding_count; i++) {
        const binding *b = &s->bindings[i];
        const bool here = b->project_level || b->service == svc->index;
        if (b->account || here == b->invokes || !grants_names(s->grants, &ids, i))
            continue;
        if (here)
            return b;
        if (!elsewhere)
            elsewhere = b;
    }
    return elsewhere;
}
