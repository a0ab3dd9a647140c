/* Causes that lie in the policies: what is granted, denied, conditional, or on its way. */
#include "base/clock.h"
#include "decision/explain_text.h"
#include "policy/role.h"

static const int64_t ALMOST_A_SECOND_US = 999999;

static void say_place(buf *b, place p)
{
    if (!p.file)
        return;
    buf_str(b, " (");
    place_put(b, p, true);
    buf_char(b, ')');
}

static const char *scope_name(const explaining *x, const binding *g)
{
    return g->project_level ? "the project" : snapshot_service(x->s, g->service)->name;
}

static void say_holds(const explaining *x, const binding *g)
{
    buf_fmt(x->b, " holds %s on %s", g->role, scope_name(x, g));
    say_place(x->b, g->place);
}

static missed_grant missed(const explaining *x)
{
    return decision_nearest(x->s, x->d, x->now_us);
}

/* ---- propagation ---- */

static void say_ago(const explaining *x, int64_t then_us)
{
    explain_span_of_time(x->b, x->now_us - then_us);
    buf_str(x->b, " ago");
}

static void say_until(const explaining *x, int64_t then_us)
{
    explain_span_of_time(x->b, then_us - x->now_us + ALMOST_A_SECOND_US);
}

/* What a binding that counts now is about to become. */
static void say_change(const explaining *x, const binding *g)
{
    if (x->now_us < g->effective_us) {
        buf_str(x->b, " It was granted ");
        say_ago(x, g->granted_us);
        buf_str(x->b, ", counts at some moments only, and takes effect for good in ");
        say_until(x, g->effective_us);
        buf_char(x->b, '.');
    } else if (g->revoked_us) {
        buf_str(x->b, " It was revoked ");
        say_ago(x, g->revoked_us);
        buf_fmt(x->b, ", still in force%s for ", g->flapping ? " at some moments" : "");
        say_until(x, g->until_us);
        buf_char(x->b, '.');
    }
}

static void say_granted_but(const explaining *x, const binding *g)
{
    buf_str(x->b, "granted ");
    say_ago(x, g->granted_us);
    buf_fmt(x->b, ", takes effect%s in ", g->flapping ? " for good" : "");
    say_until(x, g->effective_us);
}

void explain_waiting(const explaining *x)
{
    const binding *g = missed(x).binding;
    if (!g)
        return;
    buf_str(x->b, g->member);
    say_holds(x, g);
    buf_str(x->b, ": ");
    say_granted_but(x, g);
    if (g->flapping)
        buf_str(x->b, " and counts at some moments only until then; this was none");
    buf_str(x->b, ". In production this takes about 2 minutes, at times 7 and more.");
}

/* ---- allowed ---- */

/* Was the caller named just now, so that it need not be said twice? */
static bool ends_with_member(const buf *b, const char *member_text)
{
    return span_ends(buf_view(b), span_of(member_text));
}

void explain_allowed(const explaining *x)
{
    const binding *g = x->d->binding;
    const service *svc = x->d->service;
    if (x->d->reason == REASON_CHECK_DISABLED) {
        buf_fmt(x->b, "%s has invoker_iam_check: false; no token is looked at.", svc->name);
        return;
    }
    if (x->d->reason == REASON_PUBLIC)
        buf_fmt(x->b, "%s is open to everybody, so no token is looked at: ", svc->name);
    else
        explain_member(x->b, &x->d->principal);
    if (!g)
        return;
    if (x->d->reason == REASON_PUBLIC)
        buf_str(x->b, g->member);
    else if (!ends_with_member(x->b, g->member))
        buf_fmt(x->b, " may call: %s", g->member);
    say_holds(x, g);
    if (g->condition) {
        buf_str(x->b, ", and its condition is met: ");
        explain_quoted(x->b, span_of(condition_get(g->condition)->expression));
    }
    buf_char(x->b, '.');
    say_change(x, g);
}

/* ---- refused ---- */

void explain_no_credential(const explaining *x)
{
    const service *svc = x->d->service;
    const missed_grant m = missed(x);
    const binding *g = m.binding;
    buf_fmt(x->b,
            "The request has neither Authorization nor X-Serverless-Authorization, and %s is not "
            "open to allUsers",
            svc->name);
    if (g && m.state == BINDING_WAITING) {
        buf_str(x->b, " yet: that was ");
        say_granted_but(x, g);
    } else if (g && m.state == BINDING_REVOKED) {
        buf_str(x->b, " any more: that was revoked ");
        say_ago(x, g->revoked_us);
    }
    buf_char(x->b, '.');
}

void explain_denied(const explaining *x)
{
    const deny_rule *r = x->d->deny;
    if (x->d->principal.email.n)
        explain_member(x->b, &x->d->principal);
    else
        buf_str(x->b, "The caller");
    buf_str(x->b, " is denied " PERMISSION_INVOKE " by ");
    if (r->policy)
        buf_fmt(x->b, "the deny policy %s", r->policy);
    else
        buf_str(x->b, "a deny rule");
    say_place(x->b, r->place);
    buf_fmt(x->b, ", which names %s", r->principals[0]);
    buf_str(x->b, r->principals[1] ? " and others" : "");
    buf_str(x->b, ". Deny rules come before all grants.");
}

void explain_unmet(const explaining *x)
{
    const binding *g = missed(x).binding;
    if (!g || !g->condition)
        return;
    const condition_text *text = condition_get(g->condition);
    buf_str(x->b, g->member);
    say_holds(x, g);
    buf_str(x->b, ", on the condition ");
    explain_quoted(x->b, span_of(text->title));
    buf_str(x->b, ", which is not met: ");
    explain_quoted(x->b, span_of(text->expression));
    if (strstr(text->expression, "request.time")) {
        char now[CLOCK_RFC3339_MAX];
        clock_rfc3339(x->now_us, 0, now);
        buf_fmt(x->b, " (it is %s)", now);
    }
    buf_char(x->b, '.');
}

static void say_near_grant(const explaining *x)
{
    const binding *near = missed(x).binding;
    if (!near)
        return;
    buf_fmt(x->b, " %s", near->member);
    say_holds(x, near);
    if (near->invokes)
        buf_fmt(x->b, ", not on %s: is the binding on the wrong service?", x->d->service->name);
    else
        buf_str(x->b, ", but that role lacks run.routes.invoke.");
}

static void say_default_account(const explaining *x)
{
    if (!span_ieq_str(x->d->principal.email, snapshot_project(x->s)->default_account))
        return;
    buf_str(x->b, " This is the project's default compute account: the caller runs without a "
                  "service account of its own");
    const size_t count = snapshot_service_count(x->s);
    const char *before = " (as do: ";
    for (size_t i = 0, shown = 0; i < count && shown < NAMES_SHOWN_MAX; i++) {
        const service *svc = snapshot_service(x->s, i);
        if (!svc->account_is_default)
            continue;
        buf_fmt(x->b, "%s%s", before, svc->name);
        before = ", ";
        shown++;
    }
    buf_str(x->b, before[0] == ',' ? ")." : ".");
}

/* It was granted until a moment ago. */
static bool say_revoked(const explaining *x)
{
    const missed_grant m = missed(x);
    const binding *g = m.binding;
    if (!g || m.state != BINDING_REVOKED)
        return false;
    buf_fmt(x->b, " %s had %s on %s", g->member, g->role, scope_name(x, g));
    say_place(x->b, g->place);
    buf_str(x->b, ": revoked ");
    say_ago(x, g->revoked_us);
    if (x->now_us < g->until_us) {
        buf_str(x->b, ", still in force at some moments for ");
        say_until(x, g->until_us);
    }
    buf_char(x->b, '.');
    return true;
}

void explain_no_grant(const explaining *x)
{
    explain_member(x->b, &x->d->principal);
    buf_fmt(x->b, " holds no role with run.routes.invoke on %s.", x->d->service->name);
    if (say_revoked(x))
        return;
    say_default_account(x);
    say_near_grant(x);
}
