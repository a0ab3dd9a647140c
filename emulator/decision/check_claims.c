/* The checks of what a token says, and of who may. */
#include "decision/check_impl.h"
#include "decision/explain_text.h"

#define ISSUER "https://accounts.google.com"

static void put_str(buf *b, const char *text)
{
    check_put(b, span_of(text));
}

/* ---- claims ---- */

static void put_names(buf *b, const claims *c)
{
    const struct {
        const char *name;
        bool there;
    } all[] = {{"iss", c->iss != NULL},     {"sub", c->sub != NULL}, {"aud", c->aud_count != 0},
               {"email", c->email != NULL}, {"iat", c->has_iat},     {"exp", c->has_exp},
               {"nbf", c->has_nbf}};
    for (size_t i = 0; i < countof(all); i++) {
        if (all[i].there)
            buf_fmt(b, "%s%s", b->n ? ", " : "", all[i].name);
    }
}

void check_claims(check_row *row, const evidence *e)
{
    const claims *c = e->claims;
    buf_str(&row->wanted, "iss, iat and exp");
    if (!c) {
        if (row->result == CHECK_FAIL)
            buf_str(&row->got, "no valid set of claims");
        return;
    }
    put_names(&row->got, c);
    if (row->result == CHECK_FAIL)
        buf_fmt(&row->hint, "%s is missing", !c->iss ? "iss" : !c->has_exp ? "exp" : "iat");
}

void check_issuer(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, ISSUER);
    if (!e->claims || !e->claims->iss)
        return;
    const char *iss = e->claims->iss;
    put_str(&row->got, iss);
    if (row->result != CHECK_FAIL)
        return;
    if (e->reason == REASON_SELF_SIGNED)
        buf_str(&row->hint, "a service account signed it itself: exchange it for an ID token");
    else if (strstr(iss, "securetoken.google.com"))
        buf_str(&row->hint, "an end user's token of Identity Platform or Firebase, which is for "
                            "the service to check");
    else if (span_starts(span_of(iss), SPAN_LIT(ISSUER)))
        buf_str(&row->hint, "nearly: it has to be that exactly");
}

/* ---- time ---- */

/* How far the moment lies outside of the claims, with the skew or without. */
static void put_distance(check_row *row, const claims *c, int64_t now_s)
{
    if (row->result != CHECK_FAIL) {
        if (c->has_exp) {
            explain_span_of_time(&row->hint, (c->exp_s - now_s) * 1000000);
            buf_str(&row->hint, " left");
        }
        return;
    }
    if (c->has_exp && now_s >= c->exp_s) {
        buf_str(&row->hint, "too late by ");
        explain_span_of_time(&row->hint, (now_s - c->exp_s) * 1000000);
        return;
    }
    const int64_t from_s = c->has_nbf && c->nbf_s > c->iat_s ? c->nbf_s : c->iat_s;
    buf_str(&row->hint, "too early by ");
    explain_span_of_time(&row->hint, (from_s - now_s) * 1000000);
}

void check_time(check_row *row, const evidence *e)
{
    const claims *c = e->claims;
    if (!c)
        return;
    if (c->has_iat) {
        buf_str(&row->wanted, c->has_nbf && c->nbf_s > c->iat_s ? "nbf " : "iat ");
        check_put_time(&row->wanted, c->has_nbf && c->nbf_s > c->iat_s ? c->nbf_s : c->iat_s);
    }
    if (c->has_exp) {
        buf_str(&row->wanted, " to exp ");
        check_put_time(&row->wanted, c->exp_s);
    }
    buf_fmt(&row->wanted, ", ± %lld s", (long long)e->skew_s);
    check_put_time(&row->got, e->now_us / 1000000);
    put_distance(row, c, e->now_us / 1000000);
}

/* ---- audience ---- */

#define NEARLY_CUSTOM                                                                              \
    "a custom audience counts letter by letter: no slash, path or scheme more, the same case"
#define UNLISTED_DOMAIN "a custom domain (hosts:) counts only where custom_audiences: lists it"

static const char *const misses[] = {
    [AUDIENCE_HAS_QUERY] = "the query or fragment is too much; a path is tolerated",
    [AUDIENCE_TAG_URL] = "a tag's URL; the service's own counts even when a tag is called",
    [AUDIENCE_WRONG_SCHEME] = "the scheme differs: http, https",
    [AUDIENCE_WRONG_CASE] = "upper and lower case differ",
    [AUDIENCE_NEARLY_CUSTOM] = NEARLY_CUSTOM,
    [AUDIENCE_CUSTOM_DOMAIN] = UNLISTED_DOMAIN,
    [AUDIENCE_BARE_HOST] = "the scheme is missing",
    [AUDIENCE_WRONG_PORT] = "the port differs",
};

static void put_miss(check_row *row, const evidence *e)
{
    const span got = e->audience_got;
    const size_t v = (size_t)e->audience;
    if (e->audience == AUDIENCE_OTHER_SERVICE)
        buf_fmt(&row->hint, "that is %.*s, another service", SPAN_ARG(e->other));
    else if (v < countof(misses) && misses[v])
        buf_str(&row->hint, misses[v]);
    else if (got.n != span_trim(got).n)
        buf_str(&row->hint, "there is a blank at an end");
    else if (span_ends(got, SPAN_LIT(".apps.googleusercontent.com")))
        buf_str(&row->hint, "a user's token: its audience is an OAuth client's id, and only those "
                            "of gcloud are taken");
    else if (e->reason == REASON_WRONG_AUDIENCE)
        buf_str(&row->hint, "none of this service's");
}

void check_audience(check_row *row, const evidence *e)
{
    size_t count = 0;
    const span near = evidence_nearest_audience(e->accepted, e->audience_got, &count);
    const bool passed = row->result == CHECK_PASS;
    if (e->audience_got.n)
        check_put(&row->got, e->audience_got);
    else if (!passed)
        buf_str(&row->got, "no aud claim");
    if (passed && span_ends(e->audience_got, SPAN_LIT(".apps.googleusercontent.com"))) {
        buf_str(&row->wanted, "an OAuth client of gcloud, which every service accepts");
        return;
    }
    check_put(&row->wanted, near);
    if (count > 1)
        buf_fmt(&row->wanted, " (or %zu other%s)", count - 1, count > 2 ? "s" : "");
    if (!passed && e->reason == REASON_WRONG_AUDIENCE)
        put_miss(row, e);
}

/* ---- who ---- */

void check_principal(check_row *row, const evidence *e)
{
    const claims *c = e->claims;
    buf_str(&row->wanted, "an e-mail, or the sub of a known account");
    if (e->principal.email.n)
        explain_member(&row->got, &e->principal);
    else if (c && c->sub)
        buf_fmt(&row->got, "no e-mail, sub %.*s", (int)(strnlen(c->sub, 64)), c->sub);
    if (e->reason == REASON_ACCOUNT_DISABLED) {
        buf_clear(&row->wanted);
        buf_str(&row->wanted, "an account that is enabled");
        buf_str(&row->hint, "the account is disabled");
    } else if (e->reason == REASON_NO_PRINCIPAL) {
        buf_str(&row->hint, "ask for the e-mail: format=full, --include-email");
    }
}

void check_deny(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, "no rule that denies run.routes.invoke");
    if (row->result != CHECK_FAIL) {
        buf_str(&row->got, "none");
        return;
    }
    const evidence_grant rule = {.file = e->deny_file, .line = e->deny_line};
    buf_str(&row->got, "one that names ");
    check_put(&row->got, e->deny_principal);
    if (e->deny_policy.n) {
        buf_str(&row->got, ", of the policy ");
        check_put(&row->got, e->deny_policy);
    }
    if (e->deny_file.n) {
        buf_str(&row->got, " (");
        evidence_place(&row->got, &rule);
        buf_char(&row->got, ')');
    }
    buf_str(&row->hint, "deny rules come before all grants");
}

static void put_state(check_row *row, const evidence *e)
{
    const evidence_grant *g = &e->nearest;
    switch (g->state) {
    case BINDING_WAITING:
        buf_str(&row->hint, "takes effect in ");
        explain_span_of_time(&row->hint, g->effective_us - e->now_us + 999999);
        return;
    case BINDING_REVOKED:
        buf_str(&row->hint, "was revoked ");
        explain_span_of_time(&row->hint, e->now_us - g->revoked_us);
        buf_str(&row->hint, " ago");
        return;
    case BINDING_UNMET:
        buf_str(&row->hint, "its condition is not met: ");
        check_put(&row->hint, g->condition);
        return;
    case BINDING_IN_FORCE:
        break;
    }
    const bool elsewhere = g->service.n && !span_eq(g->service, e->service);
    buf_str(&row->hint, elsewhere ? "on another service" : "that role lacks run.routes.invoke");
}

void check_grant(check_row *row, const evidence *e)
{
    buf_str(&row->wanted, "a role with run.routes.invoke on ");
    buf_span(&row->wanted, e->service);
    if (e->principal.email.n) {
        buf_str(&row->wanted, " for ");
        explain_member(&row->wanted, &e->principal);
    }
    const bool passed = row->result == CHECK_PASS;
    const evidence_grant *g = passed ? &e->binding : &e->nearest;
    if (!g->member.n) {
        buf_str(&row->got, "no binding");
        return;
    }
    check_put_grant(&row->got, g);
    if (!passed)
        put_state(row, e);
    else if (g->condition.n) {
        buf_str(&row->hint, "its condition is met: ");
        check_put(&row->hint, g->condition);
    }
}
