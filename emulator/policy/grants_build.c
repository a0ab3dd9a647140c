/* Building the grant index: number the members, flatten the groups, fill the table. All linear in
 * bindings and in (member, transitive group) pairs. */
#include <stdlib.h>

#include "policy/grants_internal.h"
#include "policy/role.h"

/* An edge between numbered members. */
typedef struct id_edge {
    uint32_t member, group;
} id_edge;

typedef struct edges {
    id_edge *items;
    size_t count, cap;
} edges;

static void *grown(void *p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return p;
    *cap = *cap * 2 > need ? *cap * 2 : need + 15;
    void *more = reallocarray(p, *cap, size);
    if (!more)
        abort();
    return more;
}

static void *zeroed(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    if (!p)
        abort();
    return p;
}

bool grants_parse(const char *text, member *out)
{
    const span whole = span_of(text);
    if (member_parse(whole, out, NULL))
        return true;
    *out = (member){member_kind_of_email(whole), whole};
    return span_find(whole, '@') < whole.n;
}

static uint32_t number(grants *g, textpool *pool, const char *text)
{
    member m;
    char lower[GRANTS_KEY_MAX];
    span key;
    if (!grants_parse(text, &m) || !grants_key(m.kind, m.id, lower, &key))
        return 0;
    g->has_domains |= m.kind == MEMBER_DOMAIN;
    uint32_t *known = strmap_get(g->ids, key);
    if (!known) {
        known = textpool_alloc(pool, sizeof *known);
        *known = ++g->id_count;
        strmap_put(g->ids, key, known);
    }
    return *known;
}

static void add_edge(edges *e, uint32_t m, uint32_t group)
{
    if (!m || !group)
        return;
    e->items = grown(e->items, &e->cap, e->count + 1, sizeof *e->items);
    e->items[e->count++] = (id_edge){m, group};
}

/* projectOwner:P and its kin stand for whoever holds the basic role on project P. They follow a
 * change at once: what such a role gives by itself is what propagates. */
static void add_basic_roles(const grants *g, edges *e, const project *p, const binding *b,
                            size_t count)
{
    static const struct {
        const char *role;
        member_kind set;
    } basic[] = {{"roles/owner", MEMBER_PROJECT_OWNER},
                 {"roles/editor", MEMBER_PROJECT_EDITOR},
                 {"roles/viewer", MEMBER_PROJECT_VIEWER}};
    for (size_t r = 0; r < countof(basic); r++) {
        const uint32_t set = grants_id(g, basic[r].set, span_of(p->id));
        for (size_t i = 0; set && i < count; i++) {
            if (b[i].project_level && !b[i].revoked_us && strcmp(b[i].role, basic[r].role) == 0)
                add_edge(e, g->binding_ids[i], set);
        }
    }
}

/* Direct edges sorted by member: those of member i are to[from[i] .. from[i + 1]). */
static uint32_t *sort_edges(const edges *e, uint32_t id_count, uint32_t **out_to)
{
    uint32_t *from = zeroed((size_t)id_count + 2, sizeof *from);
    uint32_t *to = zeroed(e->count, sizeof *to);
    for (size_t i = 0; i < e->count; i++)
        from[e->items[i].member + 1]++;
    for (size_t i = 1; i <= (size_t)id_count + 1; i++)
        from[i] += from[i - 1];
    uint32_t *next = zeroed((size_t)id_count + 2, sizeof *next);
    memcpy(next, from, ((size_t)id_count + 2) * sizeof *next);
    for (size_t i = 0; i < e->count; i++)
        to[next[e->items[i].member]++] = e->items[i].group;
    free(next);
    *out_to = to;
    return from;
}

/* Working memory of one closure: which groups were met for the member at hand, and which are still
 * to be followed. */
typedef struct walk {
    const uint32_t *from, *to;
    const bool *named; /* by a binding, or among grants_input.more */
    uint32_t *met;     /* met[group] == member: seen */
    uint32_t *todo;
    size_t cap; /* of grants.groups */
} walk;

static size_t meet(walk *w, uint32_t m, uint32_t at, size_t todo)
{
    for (uint32_t i = w->from[at]; i < w->from[at + 1]; i++) {
        if (w->met[w->to[i]] == m)
            continue;
        w->met[w->to[i]] = m;
        w->todo[todo++] = w->to[i];
    }
    return todo;
}

static size_t close_over(grants *g, walk *w, uint32_t m, size_t total)
{
    for (size_t todo = meet(w, m, m, 0); todo;) {
        const uint32_t group = w->todo[--todo];
        if (w->named[group]) {
            g->groups = grown(g->groups, &w->cap, total + 1, sizeof *g->groups);
            g->groups[total++] = group;
        }
        todo = meet(w, m, group, todo);
    }
    return total;
}

static void flatten(grants *g, const edges *e, const grants_input *in)
{
    const size_t n = (size_t)g->id_count + 2;
    bool *named = zeroed(n, sizeof *named);
    for (size_t i = 0; i < in->binding_count; i++)
        named[g->binding_ids[i]] = true;
    for (size_t i = 0; i < in->more_count; i++)
        named[grants_member(g, in->more[i])] = true;
    uint32_t *to = NULL;
    uint32_t *from = sort_edges(e, g->id_count, &to);
    walk w = {.from = from, .to = to, .named = named};
    w.met = zeroed(n, sizeof *w.met);
    w.todo = zeroed(n, sizeof *w.todo);
    g->group_from = zeroed(n, sizeof *g->group_from);
    g->groups = grown(NULL, &w.cap, 1, sizeof *g->groups);
    size_t total = 0;
    for (uint32_t m = 1; m <= g->id_count; m++) {
        g->group_from[m] = (uint32_t)total;
        total = close_over(g, &w, m, total);
    }
    g->group_from[g->id_count + 1] = (uint32_t)total;
    free(w.todo);
    free(w.met);
    free(from);
    free(to);
    free(named);
}

/* ---- the table ---- */

/* Without a condition first, then as they come into effect. */
static bool precedes(const binding *a, const binding *b)
{
    if (!a->condition != !b->condition)
        return !a->condition;
    return a->effective_us < b->effective_us;
}

static void put_in_slot(grants *g, grant_slot *slot, uint64_t key, uint32_t index)
{
    const binding *b = &g->bindings[index];
    slot->key |= key;
    if (!b->condition && !b->effective_us && !b->revoked_us) {
        slot->binding = b;
        slot->key |= SLOT_ALWAYS;
        return;
    }
    if (slot->key & SLOT_ALWAYS)
        return;
    if (!slot->binding || !precedes(slot->binding, b)) {
        g->next[index] = slot->binding ? (uint32_t)(slot->binding - g->bindings) + 1 : 0;
        slot->binding = b;
        return;
    }
    uint32_t *link = &g->next[slot->binding - g->bindings];
    while (*link && precedes(&g->bindings[*link - 1], b))
        link = &g->next[*link - 1];
    g->next[index] = *link;
    *link = index + 1;
}

/* From the last to the first, each in front of its equals: so they stay in their order. */
static void fill_table(grants *g, size_t count)
{
    g->slot_count = 16;
    while (g->slot_count < count * 2)
        g->slot_count *= 2;
    g->slots = zeroed(g->slot_count, sizeof *g->slots);
    g->next = zeroed(count, sizeof *g->next);
    for (size_t i = count; i-- > 0;) {
        const binding *b = &g->bindings[i];
        if (!b->invokes || !g->binding_ids[i])
            continue;
        const uint32_t scope = b->project_level ? GRANTS_PROJECT : b->service;
        grant_slot *slot = grants_slot(g, scope, g->binding_ids[i]);
        put_in_slot(g, slot, SLOT_KEY(scope, g->binding_ids[i]), (uint32_t)i);
    }
}

grants *grants_build(textpool *m, const grants_input *in)
{
    grants *g = zeroed(1, sizeof *g);
    g->ids = strmap_new();
    g->bindings = in->bindings;
    g->binding_ids = zeroed(in->binding_count, sizeof *g->binding_ids);
    for (size_t i = 0; i < in->binding_count; i++)
        g->binding_ids[i] = number(g, m, in->bindings[i].member);
    for (size_t i = 0; i < in->more_count; i++)
        (void)number(g, m, in->more[i]);
    edges e = {0};
    for (size_t i = 0; i < in->edge_count; i++)
        add_edge(&e, number(g, m, in->edges[i].member), number(g, m, in->edges[i].group));
    add_basic_roles(g, &e, in->project, in->bindings, in->binding_count);
    g->all_users = grants_id(g, MEMBER_ALL_USERS, (span){NULL, 0});
    g->all_authenticated = grants_id(g, MEMBER_ALL_AUTHENTICATED, (span){NULL, 0});
    flatten(g, &e, in);
    fill_table(g, in->binding_count);
    free(e.items);
    return g;
}
