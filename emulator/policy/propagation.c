/* IAM is eventually consistent: with a propagation delay, a grant that a change brings does not
 * count at once, and one that it takes away counts a while longer ("Access change propagation" in
 * the IAM docs). How long, the seed and the binding say, so that it is the same in each run and
 * process. */
#include <stdlib.h>

#include "base/buf.h"
#include "policy/snapshot_internal.h"

enum { KEY_MAX = 4 * CEL_TEXT_MAX };

static const int64_t SECOND_US = 1000000;

/* What is drawn of a seed, each by itself. */
enum { DRAW_GRANT = 1, DRAW_REVOCATION, DRAW_COIN };

static const char *scope_name(const snapshot *s, const binding *g)
{
    return g->account ? g->account->email : g->project_level ? "" : s->services[g->service].name;
}

/* Two bindings are the same grant when scope, role, member and condition are. */
static void grant_key(buf *b, const snapshot *s, const binding *g)
{
    buf_clear(b);
    buf_fmt(b, "%s\n%s\n%s", scope_name(s, g), g->role, g->member);
    if (!g->condition)
        return;
    const condition_text *text = condition_get(g->condition);
    buf_fmt(b, "\n%s\n%s", text->title, text->expression);
}

static strmap *index_grants(const snapshot *s, size_t count, buf *key)
{
    strmap *known = strmap_new();
    for (size_t i = 0; i < count; i++) {
        grant_key(key, s, &s->bindings[i]);
        if (buf_ok(key))
            strmap_put(known, buf_view(key), &s->bindings[i]);
    }
    return known;
}

/* ---- how long ---- */

static bool rule_fits(const delay_rule *r, const snapshot *s, const binding *g)
{
    if (r->service &&
        (g->service == BINDING_NO_SERVICE || strcmp(r->service, s->services[g->service].name) != 0))
        return false;
    if (r->account && (!g->account || !span_ieq_str(span_of(r->account), g->account->email)))
        return false;
    return (!r->role || strcmp(r->role, g->role) == 0) &&
           (!r->member || strcmp(r->member, g->member) == 0);
}

static const delay *delay_of(const snapshot *s, const binding *g)
{
    const emulation *e = &s->emulation;
    for (size_t i = 0; i < e->propagation_rule_count; i++) {
        if (rule_fits(&e->propagation_rules[i], s, g))
            return &e->propagation_rules[i].delay;
    }
    return &e->propagation;
}

static uint64_t draw(const snapshot *s, span key, uint64_t of_what)
{
    return hash_bytes((hash_key){s->emulation.propagation_seed, of_what}, key.p, key.n);
}

/* When a change of now_us counts; and how it is until then. */
static int64_t arrival(const snapshot *s, binding *g, span key, uint64_t of_what, int64_t now_us)
{
    const delay *d = delay_of(s, g);
    const uint64_t range = (uint64_t)(d->max_s - d->min_s) + 1;
    g->flapping = d->flapping;
    g->coin = draw(s, key, DRAW_COIN);
    return now_us + (d->min_s + (int64_t)(draw(s, key, of_what) % range)) * SECOND_US;
}

/* ---- grants ---- */

/* What was granted before keeps its times. A grant that comes back before its revocation was
 * noticed goes on. */
static void time_grant(const snapshot *s, binding *g, span key, const binding *old, int64_t now_us)
{
    if (old && (!old->revoked_us || now_us < old->until_us)) {
        g->effective_us = old->effective_us;
        g->granted_us = old->granted_us;
        g->flapping = old->flapping;
        g->coin = old->coin;
        return;
    }
    const int64_t at_us = arrival(s, g, key, DRAW_GRANT, now_us);
    if (at_us > now_us) {
        g->effective_us = at_us;
        g->granted_us = now_us;
    }
}

/* ---- revocations ---- */

/* The binding of another snapshot as one of this. */
static bool adopt(snapshot *s, const snapshot *from, const binding *old, binding *out)
{
    const grant_spec g = {
        .service = old->service == BINDING_NO_SERVICE ? NULL : from->services[old->service].name,
        .account = old->account ? old->account->email : NULL,
        .role = old->role,
        .member = old->member,
        .condition = old->condition ? condition_get(old->condition) : NULL,
        .place = old->place,
    };
    return snapshot_place_grant(s, &g, out);
}

/* A grant that nobody had noticed yet is gone at once. */
static bool still_counts(const snapshot *s, const binding *old, span key, int64_t now_us,
                         binding *g)
{
    g->effective_us = old->effective_us;
    g->granted_us = old->granted_us;
    if (old->revoked_us) {
        g->revoked_us = old->revoked_us;
        g->until_us = old->until_us;
        g->flapping = old->flapping;
        g->coin = old->coin;
    } else {
        g->revoked_us = now_us;
        g->until_us = arrival(s, g, key, DRAW_REVOCATION, now_us);
    }
    return old->effective_us <= now_us && now_us < g->until_us;
}

static void keep_revoked(snapshot *s, const snapshot *before, int64_t now_us, buf *key)
{
    strmap *granted = index_grants(s, s->binding_count, key);
    for (size_t i = 0; i < before->binding_count + before->revoked_count; i++) {
        const binding *old = &before->bindings[i];
        binding *g = &s->bindings[s->binding_count + s->revoked_count];
        grant_key(key, before, old);
        if (!buf_ok(key) || strmap_get(granted, buf_view(key)) || !adopt(s, before, old, g) ||
            !still_counts(s, old, buf_view(key), now_us, g))
            continue;
        strmap_put(granted, buf_view(key), g);
        s->revoked_count++;
    }
    strmap_free(granted);
}

bool emulation_is_delayed(const emulation *e)
{
    bool delayed = e->propagation.max_s > 0;
    for (size_t i = 0; i < e->propagation_rule_count; i++)
        delayed |= e->propagation_rules[i].delay.max_s > 0;
    return delayed;
}

bool binding_is_changing(const binding *b, int64_t now_us)
{
    return b->revoked_us || now_us < b->effective_us;
}

void snapshot_propagate(snapshot *s, const snapshot *before, int64_t now_us)
{
    if (!before || !emulation_is_delayed(&s->emulation))
        return;
    auto_buf buf key = buf_make(KEY_MAX);
    strmap *known = index_grants(before, before->binding_count + before->revoked_count, &key);
    for (size_t i = 0; i < s->binding_count; i++) {
        binding *g = &s->bindings[i];
        grant_key(&key, s, g);
        const binding *old = buf_ok(&key) ? strmap_get(known, buf_view(&key)) : NULL;
        time_grant(s, g, buf_view(&key), old, now_us);
    }
    strmap_free(known);
    keep_revoked(s, before, now_us, &key);
}
