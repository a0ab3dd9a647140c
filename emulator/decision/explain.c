/* The cause of a decision, with the names and values of the request at hand. */
#include "decision/explain.h"

#include "base/clock.h"
#include "decision/explain_text.h"

static const char *header_name(token_header h)
{
    return h == HEADER_SERVERLESS ? "X-Serverless-Authorization" : "Authorization";
}

static void say_claim(buf *b, const char *name, const char *value)
{
    buf_fmt(b, " %s ", name);
    explain_quoted(b, span_of(value));
}

/* What a foreign issuer gives away. */
static void say_foreign_issuer(buf *b, const char *iss)
{
    if (strstr(iss, ".gserviceaccount.com"))
        buf_str(b, " A service account signed it itself; exchange it for an ID token.");
    else if (!strstr(iss, "accounts.google.com"))
        buf_str(b, " Cloud Run takes tokens of https://accounts.google.com only.");
}

/* What a token says that could not be verified: a hint, no more. */
static void say_unverified(const explaining *x)
{
    const claims *c = x->f->claims;
    if (!c || (!c->iss && !c->email && !c->aud_count))
        return;
    buf_str(x->b, " Unverified, it says:");
    if (c->iss)
        say_claim(x->b, "iss", c->iss);
    if (c->email)
        say_claim(x->b, "email", c->email);
    if (c->aud_count)
        say_claim(x->b, "aud", c->aud[0]);
    buf_char(x->b, '.');
    if (c->iss)
        say_foreign_issuer(x->b, c->iss);
}

/* ---- at the door ---- */

static void say_unknown_host(const explaining *x)
{
    const size_t count = snapshot_service_count(x->s);
    buf_str(x->b, "No service has this host name; the services are ");
    for (size_t i = 0; i < count && i < NAMES_SHOWN_MAX; i++)
        buf_fmt(x->b, "%s%s", i ? ", " : "", snapshot_service(x->s, i)->name);
    if (!count)
        buf_str(x->b, "none");
    buf_str(x->b, count > NAMES_SHOWN_MAX ? " and more." : ".");
}

static void say_ingress(const explaining *x)
{
    const service *svc = x->d->service;
    buf_fmt(x->b, "%s has ingress: %s", svc->name, INGRESS_NAMES[svc->ingress]);
    buf_str(x->b, svc->ingress == INGRESS_NONE ? ", which admits nobody."
                                               : ", and the request came from outside.");
    buf_str(x->b, " Permissions were not looked at.");
}

/* ---- the credential ---- */

static void say_not_a_token(const explaining *x, const char *what)
{
    buf_fmt(x->b, "The %s header %s.", header_name(x->f->header), what);
    if (x->f->header == HEADER_SERVERLESS)
        buf_str(x->b, " It alone counts when it is there; Authorization is not looked at.");
}

static void say_time(buf *b, int64_t at_s)
{
    char text[CLOCK_RFC3339_MAX];
    /* Years beyond 9999 have no such form. */
    if (at_s > INT64_C(253402300799)) {
        buf_fmt(b, "second %lld", (long long)at_s);
        return;
    }
    clock_rfc3339(at_s * 1000000, 0, text);
    buf_str(b, text);
}

static void say_times(const explaining *x)
{
    const claims *c = x->f->claims;
    const int64_t now_s = x->now_us / 1000000;
    const long long skew = (long long)snapshot_emulation(x->s)->clock_skew_s;
    if (x->d->reason == REASON_EXPIRED) {
        buf_str(x->b, "The token expired at ");
        say_time(x->b, c->exp_s);
        buf_str(x->b, ", ");
        explain_span_of_time(x->b, (now_s - c->exp_s) * 1000000);
        buf_fmt(x->b, " ago (%lld s of skew are tolerated); fetch a new one before that.", skew);
        return;
    }
    const bool by_nbf = c->has_nbf && c->nbf_s > now_s + skew;
    buf_fmt(x->b, "The token is valid from %s ", by_nbf ? "nbf" : "iat");
    say_time(x->b, by_nbf ? c->nbf_s : c->iat_s);
    buf_str(x->b, " on, and it is ");
    say_time(x->b, now_s);
    buf_fmt(x->b, " now (%lld s of skew are tolerated): a clock is wrong.", skew);
}

static void say_bad_claims(const explaining *x)
{
    const claims *c = x->f->token == TOKEN_VERIFIED ? x->f->claims : NULL;
    if (!c)
        buf_str(x->b, "The token is signed, but its payload is not a valid set of claims.");
    else
        buf_fmt(x->b, "The token lacks the claim \"%s\".",
                !c->iss       ? "iss"
                : !c->has_exp ? "exp"
                              : "iat");
}

static void say_issuer(const explaining *x)
{
    buf_str(x->b, "The token's issuer is ");
    explain_quoted(x->b, span_of(x->f->claims->iss));
    buf_str(x->b,
            x->d->reason == REASON_SELF_SIGNED
                ? ", a service account: Cloud Run wants an ID token that Google issued for it."
                : "; Cloud Run takes tokens of https://accounts.google.com only.");
}

static void say_bad_token(const explaining *x, const char *what)
{
    buf_str(x->b, what);
    say_unverified(x);
}

/* ---- the audience ---- */

static void say_accepted(const explaining *x)
{
    const service *svc = x->d->service;
    buf_fmt(x->b, " %s accepts %s, %s", svc->name, svc->url, explain_production_url(svc));
    const char *const *custom = svc->custom_audiences;
    for (size_t i = 0; i < NAMES_SHOWN_MAX && custom[i]; i++)
        buf_fmt(x->b, ", %s", custom[i]);
    buf_char(x->b, '.');
}

static void say_audience(const explaining *x)
{
    buf_str(x->b, "The token's audience is ");
    explain_quoted(x->b, span_of(x->d->audience_got));
    switch (x->d->audience) {
    case AUDIENCE_HAS_QUERY:
        buf_str(x->b, ": a query or fragment is not tolerated.");
        break;
    case AUDIENCE_TAG_URL:
        buf_str(x->b, ": a tag's URL; the service's own is needed even when calling a tag.");
        break;
    case AUDIENCE_WRONG_SCHEME:
        buf_str(x->b, ": the right host with the wrong scheme.");
        break;
    case AUDIENCE_WRONG_CASE:
        buf_str(x->b, ": the right URL but for its upper and lower case.");
        break;
    case AUDIENCE_NEARLY_CUSTOM:
        buf_str(x->b, ": a custom audience, but they count letter by letter.");
        break;
    case AUDIENCE_WRONG_PORT:
        buf_str(x->b, ": the right host with another port.");
        break;
    case AUDIENCE_CUSTOM_DOMAIN:
        buf_str(x->b, ": a custom domain, which counts only when listed as a custom audience.");
        break;
    case AUDIENCE_OTHER_SERVICE:
        buf_fmt(x->b, ": that is %s, another service.", x->d->other ? x->d->other->name : "");
        break;
    case AUDIENCE_BARE_HOST:
        buf_str(x->b, ": the host alone; the URL needs its scheme.");
        break;
    case AUDIENCE_OK:
    case AUDIENCE_FOREIGN:
        buf_str(x->b, ", which is none of this service's.");
        break;
    }
    say_accepted(x);
}

static void say_no_audience(const explaining *x)
{
    buf_str(x->b, "The token has no aud claim.");
    say_accepted(x);
}

/* ---- who ---- */

static void say_who(const explaining *x)
{
    if (x->d->reason == REASON_ACCOUNT_DISABLED) {
        explain_member(x->b, &x->d->principal);
        buf_str(x->b, " is disabled.");
        return;
    }
    buf_str(x->b, "The token has no e-mail claim, and its sub ");
    explain_quoted(x->b, span_of(x->f->claims->sub ? x->f->claims->sub : ""));
    buf_str(x->b, " is the id of no account known here.");
}

/* ---- all of them ---- */

/* One of: a function that tells; what the header is; what is wrong with the token. */
typedef struct telling {
    void (*say)(const explaining *x);
    const char *header, *token;
} telling;

static const telling tellings[REASON_COUNT_] = {
    [REASON_GRANTED] = {.say = explain_allowed},
    [REASON_PUBLIC] = {.say = explain_allowed},
    [REASON_CHECK_DISABLED] = {.say = explain_allowed},
    [REASON_UNKNOWN_HOST] = {.say = say_unknown_host},
    [REASON_RESERVED_PATH] = {.say = NULL},
    [REASON_DEFAULT_URL_DISABLED] = {.say = NULL},
    [REASON_INGRESS_BLOCKED] = {.say = say_ingress},
    [REASON_NO_CREDENTIAL] = {.say = explain_no_credential},
    [REASON_EMPTY_CREDENTIAL] = {.header = "is empty"},
    [REASON_NOT_BEARER] = {.header = "does not have the form \"Bearer ID_TOKEN\""},
    [REASON_REPEATED_HEADER] = {.header = "came more than once"},
    [REASON_SEVERAL_TOKENS] = {.header = "carries several tokens"},
    [REASON_ACCESS_TOKEN] = {.header = "carries an OAuth access token (ya29.…), not an ID token"},
    [REASON_NOT_A_JWT] = {.header =
                              "does not carry a JWT: three base64url parts with dots between"},
    [REASON_SIGNATURE_REMOVED] =
        {.header = "carries a token that a service received from Cloud Run and sent on; its "
                   "signature was removed on the way in, so fetch a token of your own"},
    [REASON_BAD_ALG] = {.token = "The token is not signed with RS256."},
    [REASON_UNKNOWN_KEY] = {.token = "The token's key (kid) is not among the published ones."},
    [REASON_BAD_SIGNATURE] =
        {.token = "The signature does not match: the token was altered or signed by another key."},
    [REASON_BAD_CLAIMS] = {.say = say_bad_claims},
    [REASON_SELF_SIGNED] = {.say = say_issuer},
    [REASON_WRONG_ISSUER] = {.say = say_issuer},
    [REASON_EXPIRED] = {.say = say_times},
    [REASON_NOT_YET_VALID] = {.say = say_times},
    [REASON_NO_AUDIENCE] = {.say = say_no_audience},
    [REASON_WRONG_AUDIENCE] = {.say = say_audience},
    [REASON_NO_PRINCIPAL] = {.say = say_who},
    [REASON_ACCOUNT_DISABLED] = {.say = say_who},
    [REASON_DENIED] = {.say = explain_denied},
    [REASON_CONDITION_NOT_MET] = {.say = explain_unmet},
    [REASON_NO_GRANT] = {.say = explain_no_grant},
    [REASON_NOT_PROPAGATED] = {.say = explain_waiting},
    [REASON_KEYS_UNAVAILABLE] =
        {.token = "The keys of the metadata process could not be fetched yet, so no token can be "
                  "verified."},
};

void explain_cause(buf *b, const snapshot *s, const decision *d, const request_facts *f,
                   int64_t now_us)
{
    const explaining x = {b, s, d, f, now_us};
    const telling *t = &tellings[d->reason];
    if (t->say)
        t->say(&x);
    else if (t->header)
        say_not_a_token(&x, t->header);
    else if (t->token)
        say_bad_token(&x, t->token);
    else
        buf_str(b, reason_info(d->reason)->summary);
}
