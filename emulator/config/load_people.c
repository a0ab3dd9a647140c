/* Users and groups. */
#include "config/load.h"
#include "config/values.h"

/* ---- pass 1 ---- */

void read_users(loader *l, const node_pair *entry, void *into)
{
    static const char wanted[] = "an e-mail address such as alice@example.com";
    (void)into;
    if (!read_is_list(l, "users", entry->value, "a list such as [alice@example.com]"))
        return;
    for (size_t i = 0; i < entry->value->count; i++) {
        const node *item = entry->value->items[i];
        span text;
        if (!read_scalar(l, "users", item, wanted, &text))
            continue;
        if (!value_is_email(text) || span_ends(text, SPAN_LIT(".gserviceaccount.com")))
            expected(l, "users", item, wanted);
        else
            vec_push(l->mem, &l->users, item);
    }
}

void read_groups(loader *l, const node_pair *entry, void *into)
{
    (void)into;
    if (!read_is_map(l, "groups", entry->value))
        return;
    for (size_t i = 0; i < entry->value->count; i++) {
        const node_pair *group = &entry->value->pairs[i];
        if (!value_is_email(group->key->text))
            expected(l, "groups", group->key, "an e-mail address such as team@example.com");
        else
            vec_push(l->mem, &l->groups, group);
    }
}

/* ---- pass 2 ---- */

enum { NESTING_MAX = 32 };

typedef struct group_draft {
    const char *email;
    place at;
    VEC(struct group_draft *) nested;
    enum { UNVISITED, OPEN, DONE } state;
} group_draft;

static void settle_users(loader *l)
{
    for (size_t i = 0; i < l->users.count; i++) {
        const node *item = l->users.items[i];
        const node *first = strmap_get(l->users_by_email, item->text);
        if (first)
            diag_at(l->diags, item->at, "user '%s' is already given at %s:%u", item->text.p,
                    first->at.file, first->at.line);
        else
            (void)strmap_put(l->users_by_email, item->text, (void *)(uintptr_t)item);
        snapshot_builder_user(l->builder, item->text.p);
    }
}

static group_draft *new_group(loader *l, const node *key)
{
    group_draft *g = arena_alloc(l->mem, sizeof *g);
    g->email = key->text.p;
    g->at = key->at;
    const group_draft *first = strmap_get(l->groups_by_email, key->text);
    if (first)
        diag_at(l->diags, key->at, "group '%s' is already defined at %s:%u", key->text.p,
                first->at.file, first->at.line);
    else if (strmap_get(l->users_by_email, key->text))
        diag_at(l->diags, key->at, "'%s' is both a group and a user", key->text.p);
    else
        (void)strmap_put(l->groups_by_email, key->text, g);
    return g;
}

static void settle_group_member(loader *l, group_draft *g, const node *item)
{
    span text;
    if (!read_scalar(l, g->email, item, "the name of a member", &text))
        return;
    const char *resolved = resolve_member(l, item, "in groups");
    if (!resolved)
        return;
    member m;
    if (!member_parse(span_of(resolved), &m, NULL))
        return; /* resolve_member parsed it */
    if (m.kind != MEMBER_USER && m.kind != MEMBER_SERVICE_ACCOUNT && m.kind != MEMBER_GROUP) {
        diag_at(l->diags, item->at,
                "%s cannot be a member of a group; users, service accounts and groups can",
                found_text(l, item));
        return;
    }
    if (m.kind == MEMBER_GROUP)
        vec_push(l->mem, &g->nested, (group_draft *)strmap_get(l->groups_by_email, m.id));
    snapshot_builder_group(l->builder, g->email, resolved);
}

static void find_cycle(loader *l, group_draft *g, size_t depth)
{
    g->state = OPEN;
    if (depth == NESTING_MAX) {
        diag_at(l->diags, g->at, "groups are nested more than %d levels deep", NESTING_MAX);
        return;
    }
    for (size_t i = 0; i < g->nested.count; i++) {
        group_draft *inner = g->nested.items[i];
        if (inner->state == OPEN)
            diag_at(l->diags, g->at, "group '%s' contains itself through '%s'", inner->email,
                    g->email);
        else if (inner->state == UNVISITED)
            find_cycle(l, inner, depth + 1);
    }
    g->state = DONE;
}

void settle_people(loader *l)
{
    settle_users(l);
    size_t count = l->groups.count;
    group_draft **groups = arena_alloc(l->mem, count * sizeof(group_draft *));
    for (size_t i = 0; i < count; i++)
        groups[i] = new_group(l, l->groups.items[i]->key);
    for (size_t i = 0; i < count; i++) {
        const node *members = l->groups.items[i]->value;
        if (!read_is_list(l, groups[i]->email, members, "a list of members"))
            continue;
        for (size_t m = 0; m < members->count; m++)
            settle_group_member(l, groups[i], members->items[m]);
    }
    for (size_t i = 0; i < count; i++)
        if (groups[i]->state == UNVISITED)
            find_cycle(l, groups[i], 1);
}
