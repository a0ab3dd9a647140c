/* The order of Cloud Run's gates: host, ingress, invoker check. The first that fails decides, so a
 * request with two faults is refused for the earlier one. */
#include "decision/decide.h"

#include <assert.h>
#include <stdlib.h>

#include "policy/role.h"

/* ---- before any token ---- */

bool decide_reserved_path(span path)
{
    return span_eq_str(path, "/healthz") || span_eq_str(path, "/eventlog") ||
           span_starts(path, SPAN_LIT("/_ah/"));
}

static bool ingress_admits(const service *svc, bool internal)
{
    switch (svc->ingress) {
    case INGRESS_ALL:
        return true;
    case INGRESS_INTERNAL:
    case INGRESS_INTERNAL_AND_LB:
        return internal;
    case INGRESS_NONE:
        return false;
    }
    abort();
}

/* Everything that is decided without looking at a token; false: a token decides. */
static bool decided_at_the_door(const snapshot *s, const request_facts *f, int64_t now_us,
                                reason *out)
{
    const service *svc = f->service;
    if (!svc)
        *out = REASON_UNKNOWN_HOST;
    else if (f->reserved_path)
        *out = REASON_RESERVED_PATH;
    else if (f->by_run_app_host && svc->default_url_disabled)
        *out = REASON_DEFAULT_URL_DISABLED;
    else if (!ingress_admits(svc, f->internal))
        *out = REASON_INGRESS_BLOCKED;
    else if (!svc->iam_check)
        *out = REASON_CHECK_DISABLED;
    else if (svc->open != OPEN_NEVER && snapshot_is_open(s, svc, now_us))
        *out = REASON_PUBLIC;
    else
        return false;
    return true;
}

bool decide_needs_token(const snapshot *s, const request_facts *f, int64_t now_us)
{
    reason ignored;
    return !decided_at_the_door(s, f, now_us, &ignored);
}

/* ---- the token ---- */

/* REASON_GRANTED stands for "go on". A state that the table lacks proves nothing, as does a token
 * that nobody looked at. */
static reason of_token(token_state t)
{
    static const reason reasons[] = {
        [TOKEN_ABSENT] = REASON_NO_CREDENTIAL,
        [TOKEN_EMPTY] = REASON_EMPTY_CREDENTIAL,
        [TOKEN_NOT_BEARER] = REASON_NOT_BEARER,
        [TOKEN_REPEATED_HEADER] = REASON_REPEATED_HEADER,
        [TOKEN_SEVERAL] = REASON_SEVERAL_TOKENS,
        [TOKEN_ACCESS] = REASON_ACCESS_TOKEN,
        [TOKEN_NOT_A_JWT] = REASON_NOT_A_JWT,
        [TOKEN_SIGNATURE_REMOVED] = REASON_SIGNATURE_REMOVED,
        [TOKEN_BAD_ALG] = REASON_BAD_ALG,
        [TOKEN_UNKNOWN_KEY] = REASON_UNKNOWN_KEY,
        [TOKEN_NO_KEYS] = REASON_KEYS_UNAVAILABLE,
        [TOKEN_BAD_SIGNATURE] = REASON_BAD_SIGNATURE,
        [TOKEN_BAD_CLAIMS] = REASON_BAD_CLAIMS,
        [TOKEN_UNCHECKED] = REASON_KEYS_UNAVAILABLE,
    };
    if (t == TOKEN_VERIFIED)
        return REASON_GRANTED;
    const reason r = (size_t)t < countof(reasons) ? reasons[t] : REASON_GRANTED;
    return r == REASON_GRANTED ? REASON_KEYS_UNAVAILABLE : r;
}

static reason of_issuer(const claims *c)
{
    if (!c->iss)
        return REASON_BAD_CLAIMS;
    const span iss = span_of(c->iss);
    /* Google mints the first; its libraries have always accepted the second as well. */
    if (span_eq_str(iss, "https://accounts.google.com") || span_eq_str(iss, "accounts.google.com"))
        return REASON_GRANTED;
    return member_kind_of_email(iss) == MEMBER_SERVICE_ACCOUNT && span_find(iss, '@') < iss.n
               ? REASON_SELF_SIGNED
               : REASON_WRONG_ISSUER;
}

/* Whole seconds, as the claims are: sums stay far from overflow. */
static reason of_times(const claims *c, int64_t now_s, int64_t skew_s)
{
    if (!c->has_exp || !c->has_iat)
        return REASON_BAD_CLAIMS;
    if (now_s >= c->exp_s + skew_s)
        return REASON_EXPIRED;
    if (c->iat_s > now_s + skew_s || (c->has_nbf && c->nbf_s > now_s + skew_s))
        return REASON_NOT_YET_VALID;
    return REASON_GRANTED;
}

/* One accepted audience is enough; otherwise the nearest miss is kept for explaining. */
static reason of_audience(const snapshot *s, const claims *c, decision *d)
{
    if (!c->aud_count)
        return REASON_NO_AUDIENCE;
    d->audience = AUDIENCE_FOREIGN;
    for (size_t i = 0; i < c->aud_count; i++) {
        const service *other = NULL;
        const audience_verdict v = snapshot_audience(s, d->service, span_of(c->aud[i]), &other);
        if (i && v >= d->audience)
            continue;
        d->audience = v;
        d->audience_got = c->aud[i];
        d->other = other;
    }
    return d->audience == AUDIENCE_OK ? REASON_GRANTED : REASON_WRONG_AUDIENCE;
}

/* ---- who, and may they ---- */

/* Nothing in force: is there something that nearly is? */
static reason of_missed(const snapshot *s, const decision *d, int64_t now_us, reason without)
{
    const missed_grant m = snapshot_missed_grant(s, d->service, &d->principal, now_us);
    if (!m.binding)
        return without;
    switch (m.state) {
    case BINDING_WAITING:
        return REASON_NOT_PROPAGATED;
    case BINDING_UNMET:
        return REASON_CONDITION_NOT_MET;
    case BINDING_IN_FORCE:
    case BINDING_REVOKED:
        return without;
    }
    abort();
}

static reason of_grant(const snapshot *s, decision *d, int64_t now_us, reason without)
{
    d->deny = snapshot_denied(s, &d->principal, PERMISSION_INVOKE);
    if (d->deny)
        return REASON_DENIED;
    d->binding = snapshot_grant(s, d->service, &d->principal, now_us);
    return d->binding ? REASON_GRANTED : of_missed(s, d, now_us, without);
}

void decide_grant(const snapshot *s, decision *d, int64_t now_us)
{
    d->reason = of_grant(s, d, now_us, REASON_NO_GRANT);
}

/* Without a token: a service that is open but for a deny rule says so. */
static reason of_nobody(const snapshot *s, decision *d, int64_t now_us)
{
    const deny_rule *deny = snapshot_denied(s, NULL, PERMISSION_INVOKE);
    if (!deny || !snapshot_grant(s, d->service, NULL, now_us))
        return REASON_NO_CREDENTIAL;
    d->deny = deny;
    return REASON_DENIED;
}

static reason of_principal(const snapshot *s, const claims *c, decision *d, int64_t now_us)
{
    if (snapshot_principal(s, c->email, c->sub, &d->principal)) {
        const account *a = NULL;
        if (d->principal.kind == MEMBER_SERVICE_ACCOUNT)
            a = snapshot_find_account(s, d->principal.email);
        return a && a->disabled ? REASON_ACCOUNT_DISABLED : of_grant(s, d, now_us, REASON_NO_GRANT);
    }
    if (!c->sub || !*c->sub)
        return REASON_NO_PRINCIPAL;
    /* A genuine identity without a name: allAuthenticatedUsers means it too. */
    d->principal = (principal){MEMBER_USER, {"", 0}};
    return of_grant(s, d, now_us, REASON_NO_PRINCIPAL);
}

static reason of_claims(const snapshot *s, const claims *c, decision *d, int64_t now_us)
{
    if (!c)
        return REASON_BAD_CLAIMS;
    reason r = of_issuer(c);
    if (r == REASON_GRANTED)
        r = of_times(c, now_us / 1000000, snapshot_emulation(s)->clock_skew_s);
    if (r == REASON_GRANTED)
        r = of_audience(s, c, d);
    if (r == REASON_GRANTED)
        r = of_principal(s, c, d, now_us);
    return r;
}

decision decide(const snapshot *s, const request_facts *f, int64_t now_us)
{
    assert(s && f);
    decision d = {.reason = REASON_UNKNOWN_HOST, .service = f->service};
    if (decided_at_the_door(s, f, now_us, &d.reason)) {
        if (d.reason == REASON_PUBLIC)
            d.binding = snapshot_grant(s, f->service, NULL, now_us);
        return d;
    }
    d.header = f->header;
    d.reason = of_token(f->token);
    if (d.reason == REASON_GRANTED)
        d.reason = of_claims(s, f->claims, &d, now_us);
    else if (d.reason == REASON_NO_CREDENTIAL)
        d.reason = of_nobody(s, &d, now_us);
    return d;
}

/* ---- what came closest ---- */

static missed_grant nearest(const snapshot *s, const decision *d, int64_t now_us)
{
    const missed_grant none = {NULL, BINDING_IN_FORCE};
    const bool nobody = d->reason == REASON_NO_CREDENTIAL;
    if (!nobody && d->reason != REASON_NO_GRANT && d->reason != REASON_NO_PRINCIPAL &&
        d->reason != REASON_NOT_PROPAGATED && d->reason != REASON_CONDITION_NOT_MET)
        return none;
    const principal *who = nobody ? NULL : &d->principal;
    const missed_grant m = snapshot_missed_grant(s, d->service, who, now_us);
    if (m.binding || nobody || !d->principal.email.n)
        return m;
    return (missed_grant){snapshot_near_grant(s, d->service, who), BINDING_IN_FORCE};
}

missed_grant decision_nearest(const snapshot *s, const decision *d, int64_t now_us)
{
    return d->nearest_known ? d->nearest : nearest(s, d, now_us);
}

void decide_nearest(const snapshot *s, decision *d, int64_t now_us)
{
    d->nearest = nearest(s, d, now_us);
    d->nearest_known = true;
}
