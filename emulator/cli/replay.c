/* Decides each recorded call again, and puts those together of which the same is to be said. */
#include "cli/replay.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "decision/explain.h"

enum { KEY_MAX = 16 * 1024, TEXT_MAX = 16 * 1024 };

void replay_open(replay *p, const snapshot *s)
{
    *p = (replay){.s = s, .index = strmap_new(), .origins = strmap_new(), .mem = arena_new()};
}

void replay_close(replay *p)
{
    strmap_free(p->index);
    strmap_free(p->origins);
    arena_free(p->mem);
    free(p->groups);
}

/* ---- one call, made again ---- */

typedef struct again {
    request_facts facts;
    claims claims;
    int64_t now_us;
    decision decision;
    char why_not[256]; /* "": it could be judged */
} again;

/* A host that was nobody's may be a service's now. */
static void route(const snapshot *s, const recorded *r, request_facts *f)
{
    host_kind kind = HOST_OWN;
    f->service = snapshot_route_host(s, span_of(r->host), &kind);
    f->by_run_app_host = f->service && kind == HOST_RUN_APP;
    f->reserved_path = f->by_run_app_host && decide_reserved_path(span_of(r->path));
    f->token = TOKEN_UNCHECKED;
}

static void set_facts(const replay *p, const recorded *r, again *a)
{
    request_facts *f = &a->facts;
    *f = (request_facts){.service = snapshot_find_service(p->s, span_of(r->service)),
                         .by_run_app_host = r->facts.by_run_app_host,
                         .internal = r->facts.internal,
                         .reserved_path = r->facts.reserved_path,
                         .header = r->facts.header,
                         .token = r->facts.token};
    a->now_us = p->shifted ? p->at_us : r->time_us;
    if (!r->facts.claims)
        return;
    a->claims = *r->facts.claims;
    f->claims = &a->claims;
    if (!p->shifted)
        return;
    const int64_t by_s = (a->now_us - r->time_us) / 1000000;
    a->claims.exp_s += by_s;
    a->claims.iat_s += by_s;
    a->claims.nbf_s += by_s;
}

static void say_unchecked(const replay *p, const recorded *r, again *a)
{
    const char *what = r->allowed ? "nobody looked at the token then, for the service was open"
                                  : "it was refused before anybody looked at the token";
    (void)p;
    (void)snprintf(a->why_not, sizeof a->why_not, "%s", what);
}

static void judge(replay *p, const recorded *r, again *a, arena *mem)
{
    const char *file = snapshot_project(p->s)->file;
    if (!r->decided) {
        (void)snprintf(a->why_not, sizeof a->why_not, "it was never judged");
        return;
    }
    set_facts(p, r, a);
    if (!*r->service) {
        route(p->s, r, &a->facts);
    } else if (!a->facts.service) {
        (void)snprintf(a->why_not, sizeof a->why_not, "there is no such service in %s",
                       file ? file : "the topology");
        return;
    } else if (!r->has_facts) {
        (void)snprintf(a->why_not, sizeof a->why_not,
                       "the recording does not say what it was decided by");
        return;
    }
    if (a->facts.token == TOKEN_UNCHECKED && decide_needs_token(p->s, &a->facts, a->now_us)) {
        say_unchecked(p, r, a);
        return;
    }
    if (a->facts.service && *r->service)
        replay_note_addresses(p, r, a->facts.service, true);
    if (a->facts.claims)
        replay_audiences(p, &a->claims, mem);
    a->decision = decide(p->s, &a->facts, a->now_us);
}

/* What the caller met counts: audit mode lets pass what would be refused. */
static replay_kind kind_of(const replay *p, const recorded *r, const again *a)
{
    const bool passed = r->allowed || !r->enforced;

    if (a->why_not[0])
        return REPLAY_UNJUDGED;
    const bool allows = reason_info(a->decision.reason)->allows;
    if (allows != passed)
        return allows ? REPLAY_ALLOWED : REPLAY_REFUSED;
    return p->reasons && a->decision.reason != r->reason ? REPLAY_REASON : REPLAY_SAME;
}

/* ---- what is said of it ---- */

static const char *caller_of(const recorded *r)
{
    const claims *c = r->facts.claims;
    if (*r->caller)
        return r->caller;
    return r->has_facts && r->facts.token == TOKEN_VERIFIED && c && c->email ? c->email : "";
}

static place place_of(const snapshot *s, const again *a)
{
    const decision *d = &a->decision;
    const binding *g = d->binding ? d->binding : decision_nearest(s, d, a->now_us).binding;
    if (d->reason == REASON_DENIED && d->deny)
        return d->deny->place;
    return g ? g->place : (place){0};
}

static const char *keep(arena *mem, buf *b)
{
    const char *text = arena_dup(mem, buf_ok(b) ? buf_view(b) : (span){0});
    buf_clear(b);
    return text;
}

static void explain(replay *p, again *a, replay_group *g)
{
    auto_buf buf b = buf_make(TEXT_MAX);
    g->cause = g->fix = g->local_fix = g->place = "";
    if (a->why_not[0]) {
        g->cause = arena_dup(p->mem, span_of(a->why_not));
        return;
    }
    g->is = a->decision.reason;
    if (!reason_info(g->is)->allows)
        decide_nearest(p->s, &a->decision, a->now_us);
    explain_cause(&b, p->s, &a->decision, &a->facts, a->now_us);
    g->cause = keep(p->mem, &b);
    place_put(&b, place_of(p->s, a), true);
    g->place = keep(p->mem, &b);
    if (reason_info(g->is)->allows)
        return;
    explain_fix(&b, p->s, &a->decision, &a->facts);
    g->fix = keep(p->mem, &b);
    explain_local_fix(&b, p->s, &a->decision, &a->facts);
    g->local_fix = keep(p->mem, &b);
}

static replay_group *new_group(replay *p, const recorded *r, again *a, replay_kind kind)
{
    replay_group *g = arena_alloc(p->mem, sizeof *g);
    *g = (replay_group){.kind = kind,
                        .service = arena_dup(p->mem, span_of(r->service)),
                        .caller = arena_dup(p->mem, span_of(caller_of(r))),
                        .anonymous = r->has_facts && r->facts.token == TOKEN_ABSENT,
                        .was = r->reason,
                        .audited = !r->enforced,
                        .decided = r->decided,
                        .first_id = arena_dup(p->mem, span_of(r->id)),
                        .first_us = r->time_us,
                        .last_us = r->time_us};
    explain(p, a, g);
    p->groups = array_room(p->groups, p->group_count, &p->group_cap, sizeof(*p->groups));
    p->groups[p->group_count++] = g;
    return g;
}

static void put_in_group(replay *p, const recorded *r, again *a, replay_kind kind)
{
    const bool judged = !a->why_not[0];
    const char *aud =
        judged && a->decision.reason == REASON_WRONG_AUDIENCE && a->decision.audience_got
            ? a->decision.audience_got
            : "";
    auto_buf buf key = buf_make(KEY_MAX);
    buf_fmt(&key, "%d\n%d\n%d\n%d\n%d\n%s\n%s\n%s\n%s", (int)kind, r->decided ? (int)r->reason : -1,
            judged ? (int)a->decision.reason : -1, r->facts.token == TOKEN_ABSENT, r->enforced,
            r->service, caller_of(r), a->why_not, aud);
    replay_group *g = strmap_get(p->index, buf_view(&key));
    if (!g && p->group_count == REPLAY_GROUPS_MAX) {
        p->ungrouped++;
        return;
    }
    if (!g) {
        g = new_group(p, r, a, kind);
        (void)strmap_put(p->index, buf_view(&key), g);
    }
    g->count++;
    if (r->time_us < g->first_us) {
        g->first_us = r->time_us;
        g->first_id = arena_dup(p->mem, span_of(r->id));
    }
    if (r->time_us > g->last_us)
        g->last_us = r->time_us;
}

/* The calls that tell whose an address was may come after those that need it. */
bool replay_look(void *ctx, const recorded *r, error *e)
{
    replay *p = ctx;
    const service *svc = snapshot_find_service(p->s, span_of(r->service));
    (void)e;
    if (svc)
        replay_note_addresses(p, r, svc, false);
    return true;
}

bool replay_take(void *ctx, const recorded *r, error *e)
{
    replay *p = ctx;
    again a = {.why_not = ""};
    arena *mem = arena_new_of(4096);
    (void)e;
    judge(p, r, &a, mem);
    const replay_kind kind = kind_of(p, r, &a);
    p->calls[kind]++;
    if (kind != REPLAY_SAME)
        put_in_group(p, r, &a, kind);
    arena_free(mem);
    return true;
}

/* ---- the end ---- */

static int in_telling_order(const void *a, const void *b)
{
    const replay_group *x = *(replay_group *const *)a, *y = *(replay_group *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    const int services = strcmp(x->service, y->service);
    const int callers = services ? services : strcmp(x->caller, y->caller);
    return callers ? callers : (x->first_us > y->first_us) - (x->first_us < y->first_us);
}

void replay_finish(replay *p)
{
    if (p->group_count)
        qsort(p->groups, p->group_count, sizeof(*p->groups), in_telling_order);
}

bool replay_differs(const replay *p)
{
    return p->calls[REPLAY_REFUSED] || p->calls[REPLAY_ALLOWED] || p->calls[REPLAY_REASON];
}
