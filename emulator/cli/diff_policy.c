/* Policies: grants that one side has and the other has not. */
#include <stdlib.h>

#include "cli/diff.h"
#include "cli/grant_order.h"

enum { TEXT_MAX = 64 * 1024 };

static bool same_grant(const binding *a, const binding *b)
{
    return strcmp(a->member, b->member) == 0 && grant_same_terms(a, b);
}

static bool is_among(const binding *const *list, size_t count, const binding *g)
{
    for (size_t i = 0; i < count; i++)
        if (same_grant(list[i], g))
            return true;
    return false;
}

static void put_grant(buf *b, const char *whose, const binding *g)
{
    const condition_text *c = g->condition ? condition_get(g->condition) : NULL;
    buf_fmt(b, "%s grants %s to %s", whose, g->role, g->member);
    if (!c)
        return;
    buf_str(b, " when ");
    buf_json(b, span_of(c->expression));
    buf_str(b, " (title ");
    buf_json(b, span_of(c->title));
    if (c->description && *c->description) {
        buf_str(b, ", description ");
        buf_json(b, span_of(c->description));
    }
    buf_char(b, ')');
}

/* Those of mine that are not among theirs, each once. */
static void diff_side(differ *d, bool here, const char *whose, const binding *const *mine,
                      size_t count, const binding *const *theirs, size_t their_count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_among(theirs, their_count, mine[i]) || is_among(mine, i, mine[i]))
            continue;
        auto_buf buf text = buf_make(TEXT_MAX);
        put_grant(&text, whose, mine[i]);
        diff_only(d, here, mine[i]->place, "%s", buf_ok(&text) ? text.p : whose);
    }
}

static resource resource_in(const snapshot *s, const found_policy *p)
{
    return (resource){.service = p->service ? snapshot_find_service(s, span_of(p->service)) : NULL,
                      .account = p->account ? snapshot_find_account(s, span_of(p->account)) : NULL};
}

/* Does the side have what the policy is of? The project it has. */
static bool is_there(const found_policy *p, const resource *r)
{
    return r->service || r->account || (!p->service && !p->account);
}

void diff_policy(differ *d, const found_policy *p)
{
    const char *whose = p->service ? p->service : p->account ? p->account : "project";
    const resource here = resource_in(d->here, p), there = resource_in(d->there->s, p);
    grant_order *ours = grant_order_new(d->here), *theirs = grant_order_new(d->there->s);
    size_t count = 0, their_count = 0;
    const binding *const *mine = NULL, *const *other = grant_order_of(theirs, &there, &their_count);
    if (is_there(p, &here))
        mine = grant_order_of(ours, &here, &count);
    else if (!p->service || !imported_service(d->there, p->service)->map)
        diff_only(d, false, p->map->at, "%s %s", p->service ? "service" : "service account", whose);
    diff_side(d, true, whose, mine, count, other, their_count);
    diff_side(d, false, whose, other, their_count, mine, count);
    grant_order_free(ours);
    grant_order_free(theirs);
}
