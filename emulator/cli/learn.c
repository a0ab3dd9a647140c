/* Counts who used what. */
#include "cli/learn.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/clock.h"
#include "base/hash.h"
#include "cli/export.h"

enum { KEY_MAX = 8 * 1024, FIX_MAX = 2 * 1024 };

static const char EVERYBODY[] = "allUsers";
static const char ANY_ACCOUNT[] = "allAuthenticatedUsers";

void learn_open(learned *l, const snapshot *s, bool with_refused)
{
    *l = (learned){.s = s, .with_refused = with_refused, .index = strmap_new(), .mem = arena_new()};
}

void learn_close(learned *l)
{
    strmap_free(l->index);
    arena_free(l->mem);
    free(l->needs);
    free(l->omissions);
}

/* ---- one call ---- */

static bool has_room(const learned *l, error *e)
{
    return l->need_count + l->omission_count < LEARN_NEEDS_MAX ||
           error_set(e, ERR_LIMIT, "more than %d different callers of services", LEARN_NEEDS_MAX);
}

static need *need_of(learned *l, const service *svc, const char *who, error *e)
{
    auto_buf buf key = buf_make(KEY_MAX);
    buf_fmt(&key, "n\n%s\n%s", svc->name, who);
    need *n = strmap_get(l->index, buf_view(&key));
    if (n || !has_room(l, e))
        return n;
    n = arena_alloc(l->mem, sizeof *n);
    *n = (need){.service = svc, .member = arena_dup(l->mem, span_of(who))};
    l->needs = array_room(l->needs, l->need_count, &l->need_cap, sizeof(*l->needs));
    l->needs[l->need_count++] = n;
    (void)strmap_put(l->index, buf_view(&key), n);
    return n;
}

/* A token's own word where it could be verified, though it names nobody for this service. */
static const char *caller_of(const recorded *r)
{
    const claims *c = r->facts.claims;
    if (*r->caller)
        return r->caller;
    return r->has_facts && r->facts.token == TOKEN_VERIFIED && c && c->email ? c->email : "";
}

static bool omit(learned *l, const recorded *r, omission_kind kind, error *e)
{
    const char *caller = caller_of(r);
    auto_buf buf key = buf_make(KEY_MAX);
    buf_fmt(&key, "o\n%d\n%d\n%s\n%s", (int)kind, r->decided ? (int)r->reason : -1, r->service,
            caller);
    omission *o = strmap_get(l->index, buf_view(&key));
    if (!o && !has_room(l, e))
        return false;
    if (!o) {
        o = arena_alloc(l->mem, sizeof *o);
        *o = (omission){.kind = kind,
                        .decided = r->decided,
                        .reason = r->reason,
                        .service = arena_dup(l->mem, span_of(r->service)),
                        .caller = arena_dup(l->mem, span_of(caller)),
                        .fix = arena_dup(l->mem, span_of(strlen(r->fix) < FIX_MAX ? r->fix : ""))};
        l->omissions =
            array_room(l->omissions, l->omission_count, &l->omission_cap, sizeof(*l->omissions));
        l->omissions[l->omission_count++] = o;
        (void)strmap_put(l->index, buf_view(&key), o);
    }
    o->count++;
    if (r->time_us > o->last_us)
        o->last_us = r->time_us;
    return true;
}

static void count(need *n, const recorded *r)
{
    if (!n->count++ || r->time_us < n->first_us)
        n->first_us = r->time_us;
    if (r->time_us > n->last_us)
        n->last_us = r->time_us;
    if (r->allowed)
        return;
    n->reason = r->reason;
    n->audited += !r->enforced;
    n->refused += r->enforced;
    n->denied += r->reason == REASON_DENIED;
}

/* An account of this project that is not in the topology cannot stand in its matrix. */
static bool is_nameable(const snapshot *s, const principal *p)
{
    auto_free char *email = span_dup(p->email);
    return p->kind != MEMBER_SERVICE_ACCOUNT || export_account_id(s, email).n == 0 ||
           snapshot_find_account(s, p->email);
}

/* The caller is proven, and a grant would do. */
static bool need_caller(learned *l, const service *svc, const recorded *r, error *e)
{
    principal p;
    if (!snapshot_principal(l->s, r->caller, NULL, &p))
        return omit(l, r, OMIT_NAMELESS, e);
    if (!is_nameable(l->s, &p))
        return omit(l, r, OMIT_NAMELESS, e);
    auto_buf buf who = buf_make(KEY_MAX);
    buf_fmt(&who, "%s:%.*s", member_prefix(p.kind), SPAN_ARG(p.email));
    need *n = buf_ok(&who) ? need_of(l, svc, who.p, e) : NULL;
    if (!n)
        return buf_ok(&who) ? false : omit(l, r, OMIT_NAMELESS, e);
    count(n, r);
    const binding *g = snapshot_grant(l->s, svc, &p, r->time_us);
    if (g)
        n->by = g;
    n->unnamed += r->allowed && g && g->condition;
    return true;
}

static bool need_member(learned *l, const service *svc, const char *who, const recorded *r,
                        error *e)
{
    need *n = need_of(l, svc, who, e);
    if (n)
        count(n, r);
    return n != NULL;
}

/* Without a name: a genuine identity that only allAuthenticatedUsers means, or nobody at all. */
static bool need_somebody(learned *l, const service *svc, const recorded *r, error *e)
{
    if (*r->caller)
        return need_caller(l, svc, r, e);
    return need_member(l, svc, r->reason == REASON_GRANTED ? ANY_ACCOUNT : EVERYBODY, r, e);
}

typedef enum lesson { LESSON_CALLER, LESSON_NEED, LESSON_OPEN, LESSON_SETTING } lesson;

/* Of the rest: a grant mends no credential. */
static const lesson LESSONS[REASON_COUNT_] = {
    [REASON_GRANTED] = LESSON_NEED,
    [REASON_PUBLIC] = LESSON_NEED,
    [REASON_NO_CREDENTIAL] = LESSON_NEED,
    [REASON_NO_GRANT] = LESSON_NEED,
    [REASON_CONDITION_NOT_MET] = LESSON_NEED,
    [REASON_NOT_PROPAGATED] = LESSON_NEED,
    [REASON_DENIED] = LESSON_NEED,
    [REASON_CHECK_DISABLED] = LESSON_OPEN,
    [REASON_INGRESS_BLOCKED] = LESSON_SETTING,
    [REASON_DEFAULT_URL_DISABLED] = LESSON_SETTING,
    [REASON_RESERVED_PATH] = LESSON_SETTING,
};

static void note_time(learned *l, const recorded *r)
{
    if (!l->calls++ || r->time_us < l->first_us)
        l->first_us = r->time_us;
    if (r->time_us > l->last_us)
        l->last_us = r->time_us;
}

bool learn_take(void *ctx, const recorded *r, error *e)
{
    learned *l = ctx;
    note_time(l, r);
    if (!r->decided || r->reason == REASON_UNKNOWN_HOST)
        return omit(l, r, OMIT_CALLER, e);
    const service *svc = snapshot_find_service(l->s, span_of(r->service));
    if (!svc)
        return omit(l, r, OMIT_GONE, e);
    switch (LESSONS[r->reason]) {
    case LESSON_OPEN:
        l->open_calls++;
        return true;
    case LESSON_SETTING:
        return omit(l, r, OMIT_SETTING, e);
    case LESSON_CALLER:
        return omit(l, r, OMIT_CALLER, e);
    case LESSON_NEED:
        break;
    }
    if (!r->allowed && r->enforced && !l->with_refused)
        return omit(l, r, OMIT_REFUSED, e);
    return need_somebody(l, svc, r, e);
}

/* ---- in the order of a matrix ---- */

/* allUsers, any account, the topology's accounts in its order, then everybody else by name. */
static size_t rank_of(const snapshot *s, const char *who)
{
    const span text = span_of(who), prefix = SPAN_LIT("serviceAccount:");
    if (strcmp(who, EVERYBODY) == 0)
        return 0;
    if (strcmp(who, ANY_ACCOUNT) == 0)
        return 1;
    const account *a =
        span_starts(text, prefix) ? snapshot_find_account(s, span_from(text, prefix.n)) : NULL;
    return a ? 2 + (size_t)(a - snapshot_account(s, 0)) : SIZE_MAX;
}

static int in_matrix_order(const void *a, const void *b, void *ctx)
{
    const need *x = *(need *const *)a, *y = *(need *const *)b;
    const size_t i = rank_of(ctx, x->member), k = rank_of(ctx, y->member);
    if (i != k)
        return i < k ? -1 : 1;
    const int names = strcmp(x->member, y->member);
    return names
               ? names
               : (x->service->index > y->service->index) - (x->service->index < y->service->index);
}

static int in_telling_order(const void *a, const void *b)
{
    const omission *x = *(omission *const *)a, *y = *(omission *const *)b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    if (x->reason != y->reason)
        return x->reason < y->reason ? -1 : 1;
    const int services = strcmp(x->service, y->service);
    return services ? services : strcmp(x->caller, y->caller);
}

void learn_finish(learned *l)
{
    for (size_t i = 0; i < l->need_count; i++) {
        auto_buf buf key = buf_make(KEY_MAX);
        buf_fmt(&key, "n\n%s\n%s", l->needs[i]->service->name, EVERYBODY);
        l->needs[i]->covered =
            strcmp(l->needs[i]->member, EVERYBODY) != 0 && strmap_get(l->index, buf_view(&key));
    }
    if (l->need_count)
        qsort_r(l->needs, l->need_count, sizeof(*l->needs), in_matrix_order,
                (void *)(uintptr_t)l->s);
    if (l->omission_count)
        qsort(l->omissions, l->omission_count, sizeof(*l->omissions), in_telling_order);
}

bool need_counts(const need *n)
{
    return !n->covered && n->unnamed < n->count;
}

/* ---- words ---- */

void learn_caller(buf *b, const snapshot *s, const char *who)
{
    const span text = span_of(who), prefix = SPAN_LIT("serviceAccount:");
    const span email = span_starts(text, prefix) ? span_from(text, prefix.n) : (span){0};
    const account *a = email.n ? snapshot_find_account(s, email) : NULL;
    const span id = a ? export_account_id(s, a->email) : (span){0};
    buf_span(b, id.n ? id : a ? span_of(a->email) : text);
}

static void put_clause(buf *b, bool *first, size_t n, const char *text)
{
    if (!n)
        return;
    buf_fmt(b, "%s%zu %s", *first ? " (" : ", ", n, text);
    *first = false;
}

void learn_put_use(buf *b, const need *n)
{
    char last[CLOCK_RFC3339_MAX];
    clock_rfc3339(n->last_us, 0, last);
    buf_fmt(b, "%zu call%s, last %s", n->count, n->count == 1 ? "" : "s", last);
    bool first = true;
    put_clause(b, &first, n->audited, "let pass by audit mode");
    put_clause(b, &first, n->refused, "refused");
    put_clause(b, &first, n->denied, "against a deny rule, which has to go, too");
    put_clause(b, &first, n->unnamed, "by a grant with a condition, which stays");
    if (!first)
        buf_char(b, ')');
}
