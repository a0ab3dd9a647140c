/* From plain options to the facts of a request that nobody sent. */
#include "decision/hypothesis.h"

#include <stdlib.h>

#include "base/attr.h"
#include "base/hash.h"
#include "base/unique_id.h"
#include "decision/lookup.h"

static const int64_t HOUR_S = 3600;

/* What gcloud puts into the ID tokens of people; they cannot choose. */
static const char GCLOUD_CLIENT[] = "32555940559.apps.googleusercontent.com";

/* ---- names ---- */

static const struct {
    const char *name, *meaning;
} ways[WAY_COUNT] = {[WAY_NONE] = {NULL, NULL},
#define X(id, name, meaning) [id] = {name, meaning},
                     TOKEN_WAYS(X)
#undef X
};

const char *token_way_name(token_way w)
{
    return ways[w].name;
}

const char *token_way_meaning(token_way w)
{
    return ways[w].meaning;
}

bool token_way_parse(span name, token_way *out, error *e)
{
    const char *names[WAY_COUNT] = {NULL};
    for (size_t i = 1; i < WAY_COUNT; i++) {
        if (span_eq_str(name, ways[i].name)) {
            *out = (token_way)i;
            return true;
        }
        names[i - 1] = ways[i].name;
    }
    const int shown = name.n > 60 ? 60 : (int)name.n;
    const char *near = did_you_mean(name, names);
    if (near)
        return error_set(e, ERR_NOT_FOUND,
                         "a token is not wrong in the way '%.*s'; did you mean '%s'?", shown,
                         name.p, near);
    return error_set(e, ERR_NOT_FOUND, "a token is not wrong in the way '%.*s'", shown, name.p);
}

bool token_header_parse(const char *name, token_header *out, error *e)
{
    if (name && strcmp(name, "serverless") == 0)
        *out = HEADER_SERVERLESS;
    else if (!name || strcmp(name, "authorization") == 0)
        *out = HEADER_AUTHORIZATION;
    else
        return error_set(e, ERR_INVALID, "the header is 'authorization' or 'serverless', not '%s'",
                         name);
    return true;
}

/* ---- which service ---- */

static bool find_target(const hypothesis_options *o, const snapshot *s, hypothesis *h, error *e)
{
    h->path = h->owned_path = span_dup(span_of(o->path ? o->path : "/"));
    if (h->path[0] != '/')
        return error_set(e, ERR_INVALID, "the path begins with '/', not '%.200s'", h->path);
    h->facts.internal = o->internal;
    if (o->host) {
        host_kind kind = HOST_OWN;
        h->facts.service = snapshot_route_host(s, span_of(o->host), &kind);
        h->facts.by_run_app_host = h->facts.service && kind == HOST_RUN_APP;
        const span path = {h->path, strcspn(h->path, "?#")};
        h->facts.reserved_path = h->facts.by_run_app_host && decide_reserved_path(path);
        return true;
    }
    if (!o->service)
        return error_set(e, ERR_INVALID, "which service is called? Neither it nor a host is named");
    h->facts.service = lookup_service(s, o->service, e);
    return h->facts.service != NULL;
}

/* ---- the token ---- */

/* What the shape of the token, or of the header around it, shows before its claims count. */
static token_state state_of(token_way w)
{
    static const token_state states[WAY_COUNT] = {
        [WAY_NONE] = TOKEN_VERIFIED,
        [WAY_EXPIRED] = TOKEN_VERIFIED,
        [WAY_EARLY] = TOKEN_VERIFIED,
        [WAY_WRONG_AUDIENCE] = TOKEN_VERIFIED,
        [WAY_NO_AUDIENCE] = TOKEN_VERIFIED,
        [WAY_WRONG_ISSUER] = TOKEN_VERIFIED,
        [WAY_SELF_SIGNED] = TOKEN_VERIFIED,
        [WAY_NO_EMAIL] = TOKEN_VERIFIED,
        [WAY_FOREIGN_KEY] = TOKEN_UNKNOWN_KEY,
        [WAY_SAME_KID] = TOKEN_BAD_SIGNATURE,
        [WAY_TAMPERED] = TOKEN_BAD_SIGNATURE,
        [WAY_UNSIGNED] = TOKEN_BAD_ALG,
        [WAY_HS256] = TOKEN_BAD_ALG,
        [WAY_ACCESS_TOKEN] = TOKEN_ACCESS,
        [WAY_SIGNATURE_REMOVED] = TOKEN_SIGNATURE_REMOVED,
        [WAY_NOT_A_JWT] = TOKEN_NOT_A_JWT,
        [WAY_EMPTY] = TOKEN_EMPTY,
        [WAY_NOT_BEARER] = TOKEN_NOT_BEARER,
        [WAY_SEVERAL] = TOKEN_SEVERAL,
        [WAY_REPEATED] = TOKEN_REPEATED_HEADER,
    };
    return states[w];
}

/* Is there anything in which claims could be read? */
static bool has_claims(token_state t)
{
    return t == TOKEN_VERIFIED || t == TOKEN_UNKNOWN_KEY || t == TOKEN_BAD_SIGNATURE ||
           t == TOKEN_BAD_ALG || t == TOKEN_REPEATED_HEADER;
}

static void spoil(hypothesis *h, token_way w)
{
    claims *c = &h->claims;
    if (w == WAY_EXPIRED) {
        c->iat_s -= 2 * HOUR_S;
        c->exp_s -= 2 * HOUR_S;
    } else if (w == WAY_EARLY) {
        c->iat_s += HOUR_S;
        c->exp_s += HOUR_S;
    } else if (w == WAY_WRONG_AUDIENCE) {
        h->aud[0] = "https://another-service.invalid";
    } else if (w == WAY_NO_AUDIENCE) {
        c->aud_count = 0;
    } else if (w == WAY_WRONG_ISSUER) {
        c->iss = "https://issuer.invalid";
    } else if (w == WAY_SELF_SIGNED) {
        c->iss = c->email;
    } else if (w == WAY_NO_EMAIL) {
        c->email = NULL;
        c->email_verified = false;
    }
}

static const char *usual_audience(const hypothesis *h)
{
    if (member_kind_of_email(span_of(h->owned_email)) == MEMBER_USER)
        return GCLOUD_CLIENT;
    return h->facts.service ? h->facts.service->url : "";
}

static bool make_token(const hypothesis_options *o, const snapshot *s, int64_t now_us,
                       hypothesis *h, error *e)
{
    const char *email = lookup_caller(s, o->caller, e);
    if (!email)
        return false;
    h->owned_email = span_dup(span_of(email));
    h->owned_audience = span_dup(span_of(o->audience ? o->audience : usual_audience(h)));
    h->aud[0] = h->owned_audience;
    const account *a = snapshot_find_account(s, span_of(email));
    if (!a)
        account_unique_id(span_of(email), h->id);
    h->claims = (claims){.iss = "https://accounts.google.com",
                         .sub = a ? a->unique_id : h->id,
                         .azp = a ? a->unique_id : h->id,
                         .email = h->owned_email,
                         .email_verified = true,
                         .aud = h->aud,
                         .aud_count = 1,
                         .has_exp = true,
                         .has_iat = true,
                         .iat_s = now_us / 1000000,
                         .exp_s = now_us / 1000000 + HOUR_S};
    spoil(h, o->way);
    h->facts.header = o->header == HEADER_NONE ? HEADER_AUTHORIZATION : o->header;
    h->facts.token = state_of(o->way);
    h->facts.claims = has_claims(h->facts.token) ? &h->claims : NULL;
    return true;
}

/* ---- all ---- */

bool hypothesis_make(const hypothesis_options *o, const snapshot *s, int64_t now_us,
                     hypothesis *out, error *e)
{
    hypothesis_free(out);
    if (o->audience && !o->caller)
        return error_set(e, ERR_INVALID, "an audience goes with a caller: nobody has no token");
    if (o->way != WAY_NONE && !o->caller)
        return error_set(e, ERR_INVALID, "a token that is '%s' goes with a caller",
                         ways[o->way].name);
    if (o->audience && (o->way == WAY_WRONG_AUDIENCE || o->way == WAY_NO_AUDIENCE))
        return error_set(e, ERR_INVALID, "a token that is '%s' has no audience of your choice",
                         ways[o->way].name);
    return find_target(o, s, out, e) && (!o->caller || make_token(o, s, now_us, out, e));
}

void hypothesis_free(hypothesis *h)
{
    free(h->owned_path);
    free(h->owned_email);
    free(h->owned_audience);
    *h = (hypothesis){0};
}
