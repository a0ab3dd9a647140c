/* Who may call in a topology. */
#include "expect/roster.h"

#include <stdlib.h>

#include "base/array.h"
#include "decision/explain.h"

/* Nobody's e-mail: the key of anonymous. */
static const char ANONYMOUS[] = "anonymous";

size_t roster_find(const roster *c, const char *email)
{
    const size_t *at = strmap_get(c->places, span_of(email ? email : ANONYMOUS));
    return at ? *at : c->count;
}

size_t roster_add(roster *c, const char *email)
{
    const size_t found = roster_find(c, email);
    if (found < c->count)
        return found;
    size_t *at = arena_alloc(c->mem, sizeof *at);
    *at = c->count;
    (void)strmap_put(c->places, span_of(email ? email : ANONYMOUS), at);
    c->emails = array_room(c->emails, c->count, &c->cap, sizeof *c->emails);
    c->emails[c->count] = email;
    return c->count++;
}

/* A service account as IAM writes it, or as a bare e-mail. People are among the snapshot's users
 * already; groups, domains and the like are no callers. */
static void add_member(roster *c, const char *text)
{
    const span prefix = SPAN_LIT("serviceAccount:");
    const span s = span_of(text);
    if (span_starts(s, prefix))
        (void)roster_add(c, text + prefix.n);
    else if (span_find(s, ':') == s.n && span_find(s, '@') < s.n &&
             member_kind_of_email(s) == MEMBER_SERVICE_ACCOUNT)
        (void)roster_add(c, text);
}

roster roster_of(const snapshot *s)
{
    roster c = {.mem = arena_new(), .places = strmap_new()};
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        (void)roster_add(&c, snapshot_service(s, i)->account->email);
    for (size_t i = 0; i < snapshot_binding_count(s); i++) {
        if (snapshot_binding(s, i)->invokes)
            add_member(&c, snapshot_binding(s, i)->member);
    }
    for (size_t i = 0; i < snapshot_group_edge_count(s); i++) {
        const char *group = NULL, *who = NULL;
        snapshot_group_edge(s, i, &group, &who);
        add_member(&c, who);
    }
    for (size_t i = 0; i < snapshot_user_count(s); i++)
        (void)roster_add(&c, snapshot_user(s, i));
    (void)roster_add(&c, NULL);
    return c;
}

void roster_free(roster *c)
{
    free(c->emails);
    strmap_free(c->places);
    arena_free(c->mem);
    *c = (roster){0};
}

void caller_put(buf *b, const snapshot *s, const char *email)
{
    if (!email) {
        buf_str(b, ANONYMOUS);
        return;
    }
    const span who = span_of(email);
    const principal p = {member_kind_of_email(who), who};
    explain_caller(b, s, &p);
}
