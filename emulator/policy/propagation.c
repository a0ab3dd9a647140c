/* IAM is eventually consistent: with a propagation delay, a grant that a reload brings does not
 * count at once ("Access change propagation" in the IAM docs). */
#include <stdlib.h>

#include "base/buf.h"
#include "policy/snapshot_internal.h"

enum { KEY_MAX = 8192 };

/* Two bindings are the same grant when scope, role and member are. */
static void grant_key(buf *b, const snapshot *s, const binding *g)
{
    buf_clear(b);
    if (!g->project_level)
        buf_str(b, s->services[g->service].name);
    buf_char(b, '\n');
    buf_str(b, g->role);
    buf_char(b, '\n');
    buf_str(b, g->member);
}

static strmap *index_grants(const snapshot *s, buf *key)
{
    strmap *known = strmap_new();
    for (size_t i = 0; i < s->binding_count; i++) {
        grant_key(key, s, &s->bindings[i]);
        if (buf_ok(key))
            strmap_put(known, buf_view(key), &s->bindings[i]);
    }
    return known;
}

void snapshot_propagate(snapshot *s, const snapshot *before, int64_t now_us)
{
    const int64_t delay_s = s->emulation.propagation_delay_s;
    if (!before || delay_s <= 0)
        return;
    auto_buf buf key = buf_make(KEY_MAX);
    strmap *known = index_grants(before, &key);
    for (size_t i = 0; i < s->binding_count; i++) {
        binding *g = &s->bindings[i];
        grant_key(&key, s, g);
        const binding *old = buf_ok(&key) ? strmap_get(known, buf_view(&key)) : NULL;
        g->effective_us = old ? old->effective_us : now_us + delay_s * 1000000;
        g->granted_us = old ? old->granted_us : now_us;
    }
    strmap_free(known);
}
