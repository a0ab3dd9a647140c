/* What handlers look at: the topology, the state, the query, the time. */
#include "base/clock.h"
#include "control/api_impl.h"

const snapshot *api_snapshot(const api_call *c)
{
    return c->backend->merged(c->backend->ctx);
}

const snapshot *api_base(const api_call *c)
{
    return c->backend->base(c->backend->ctx);
}

json_t *api_entry(const api_call *c, const char *collection, const char *key)
{
    return state_entry(c->backend->state(c->backend->ctx), collection, key);
}

json_t *api_draft(const api_call *c)
{
    return state_draft(c->backend->state(c->backend->ctx));
}

bool api_query(const api_call *c, const char *name, buf *out)
{
    return c->request && http_query_get(c->request, name, true, out);
}

int64_t api_now_us(const api_call *c)
{
    return control_now_us(c->backend);
}

bool api_project(api_call *c, const char *id_or_number)
{
    const project *p = snapshot_project(api_snapshot(c));
    span asked = span_of(id_or_number);
    if (span_eq_str(asked, p->id) || span_eq_str(asked, p->number) || span_eq_str(asked, "-"))
        return true;
    api_fail(c, API_PERMISSION_DENIED,
             "Permission denied on resource project %s (or it may not exist): the project here is "
             "%s (%s)",
             id_or_number ? id_or_number : "", p->id, p->number);
    return false;
}
