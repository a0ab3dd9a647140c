/* Reading an assertion. The refusals are worded as Google's OAuth endpoint words them: people look
 * for these texts. */
#include "metadata/assertion.h"

#include <stdlib.h>

#include "base/clock.h"
#include "jose/b64url.h"
#include "jose/jws.h"
#include "metadata/access.h"
#include "metadata/hosts.h"
#include "metadata/identity.h"

enum { LIFETIME_S = 3600, SKEW_S = 300 };

#define SIGNATURE "Invalid JWT Signature."
#define TIMEFRAME                                                                                  \
    "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "  \
    "Check your iat and exp values in the JWT claim."
#define NO_SCOPE "Invalid OAuth scope or ID token audience provided."

static bool refuse(assertion_fault *f, const char *what, const char *text, const char *detail)
{
    *f = (assertion_fault){400, what, text, detail};
    return false;
}

static bool bad_grant(assertion_fault *f, const char *text, const char *detail)
{
    return refuse(f, "invalid_grant", text, detail);
}

static void claims_auto(claims **p)
{
    claims_free(*p);
}
static void jwks_auto(jwks **p)
{
    jwks_unref(*p);
}

/* ---- the key ---- */

static int64_t time_of(const json_t *key, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(key, name);
    int64_t us = 0;
    if (!json_is_string(value) ||
        !clock_parse_rfc3339((span){json_string_value(value), json_string_length(value)}, &us))
        return otherwise;
    return us / 1000000;
}

static const json_t *key_of(const json_t *keys, const char *kid)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        const char *id = json_string_value(json_object_get(key, "id"));
        if (id && strcmp(id, kid) == 0)
            return key;
    }
    return NULL;
}

/* The public key's PEM text. */
static const char *key_in_force(const assertion_world *w, const account *a, const char *kid,
                                assertion_fault *f)
{
    const json_t *key = kid ? key_of(w->keys(w->ctx, a), kid) : NULL;
    const char *detail = NULL;
    if (!kid)
        detail = "the assertion's header names no key (\"kid\")";
    else if (!key)
        detail = "the account has no such key";
    else if (json_is_true(json_object_get(key, "disabled")))
        detail = "the key is disabled";
    else if (time_of(key, "validAfter", 0) > w->now_s + SKEW_S ||
             time_of(key, "validBefore", INT64_MAX) <= w->now_s)
        detail = "the key is not valid at this time";
    if (!detail)
        return json_string_value(json_object_get(key, "publicKey"));
    (void)bad_grant(f, SIGNATURE, detail);
    return NULL;
}

static bool is_signed(const assertion_world *w, const account *a, const char *kid, span token,
                      assertion_fault *f)
{
    error e = {0};
    const char *pem = key_in_force(w, a, kid, f);
    if (!pem)
        return false;
    AUTO(jwks_auto) jwks *keys = jwks_of_pem(span_of(kid), span_of(pem), &e);
    AUTO(claims_auto) claims *unused = NULL;
    if (keys && jws_verify(keys, token, &unused, &e) == JWS_OK)
        return true;
    return bad_grant(f, SIGNATURE, "the key does not confirm the signature");
}

/* ---- the claims ---- */

static bool is_token_url(const assertion_world *w, span audience)
{
    static const char *const google[] = {"https://oauth2.googleapis.com/token",
                                         "https://www.googleapis.com/oauth2/v4/token",
                                         "https://accounts.google.com/o/oauth2/token"};
    for (size_t i = 0; i < countof(google); i++)
        if (span_eq_str(audience, google[i]))
            return true;
    const span http = SPAN_LIT("http://");
    if (!span_starts(audience, http))
        return false;
    span host, path = span_from(audience, http.n);
    return span_cut(&path, '/', &host) && host.n && host_allowed(host, w->hosts) &&
           span_eq_str(path, "token");
}

static bool is_timely(const assertion_world *w, const claims *c, assertion_fault *f)
{
    if (!c->has_iat)
        return bad_grant(f, "Invalid JWT: iat (issued at) is not set.", NULL);
    if (!c->has_exp)
        return bad_grant(f, "Invalid JWT: exp (expiration time) is not set.", NULL);
    if (c->iat_s > w->now_s + SKEW_S || c->exp_s <= w->now_s || c->exp_s <= c->iat_s ||
        c->exp_s - c->iat_s > LIFETIME_S)
        return bad_grant(f, TIMEFRAME, NULL);
    return true;
}

static bool is_for_us(const assertion_world *w, const claims *c, assertion_fault *f)
{
    if (c->aud_count != 1 || !is_token_url(w, span_of(c->aud[0])))
        return bad_grant(f, "Invalid JWT: Failed audience check.",
                         "aud must be https://oauth2.googleapis.com/token or this server's /token");
    if (c->sub && strcmp(c->sub, c->iss) != 0) {
        *f = (assertion_fault){401, "unauthorized_client",
                               "Client is unauthorized to retrieve access tokens using this "
                               "method, or client not authorized for any of the scopes requested.",
                               "domain-wide delegation (\"sub\") is not emulated"};
        return false;
    }
    return true;
}

/* What the claims struct does not have; the token was parsed before, so this cannot fail. */
static json_t *payload_of(span token)
{
    span rest = token, part;
    (void)span_cut(&rest, '.', &part);
    (void)span_cut(&rest, '.', &part);
    uint8_t bytes[JWS_TOKEN_MAX];
    size_t n = 0;
    if (!b64url_decode(part, bytes, &n))
        return NULL;
    return json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, NULL);
}

static bool read_wish(span token, assertion *out, assertion_fault *f)
{
    json_auto_t *payload = payload_of(token);
    const json_t *audience = json_object_get(payload, "target_audience");
    const json_t *scope = json_object_get(payload, "scope");
    out->scopes = buf_make(ACCESS_SCOPES_TEXT_MAX);
    out->audience = buf_make(AUDIENCE_MAX);
    if (json_is_string(audience) && json_string_length(audience)) {
        buf_add(&out->audience, json_string_value(audience), json_string_length(audience));
        return buf_ok(&out->audience) || refuse(f, "invalid_scope", NO_SCOPE, NULL);
    }
    const span wanted = {json_string_value(scope), json_string_length(scope)};
    if (span_trim(wanted).n && access_scopes(wanted, ' ', &out->scopes) && buf_ok(&out->scopes))
        return true;
    return refuse(f, "invalid_scope", NO_SCOPE, NULL);
}

static const account *issuer(const assertion_world *w, const claims *c, assertion_fault *f)
{
    if (!c->iss || !*c->iss) {
        (void)bad_grant(f, "Invalid email or User ID.", NULL);
        return NULL;
    }
    const account *a = snapshot_find_account(w->snapshot, span_of(c->iss));
    if (!a)
        (void)bad_grant(f, "Invalid grant: account not found", NULL);
    return a;
}

bool assertion_read(const assertion_world *w, span token, assertion *out, assertion_fault *f)
{
    error e = {0};
    auto_free char *kid = NULL;
    AUTO(claims_auto) claims *c = NULL;
    if (token.n > JWS_TOKEN_MAX || jws_peek(token, &kid, NULL, &c, &e) != JWS_OK)
        return bad_grant(f, SIGNATURE, "it is no JWT that is signed with RS256");
    out->account = issuer(w, c, f);
    if (!out->account || !is_signed(w, out->account, kid, token, f) || !is_for_us(w, c, f) ||
        !is_timely(w, c, f))
        return false;
    if (out->account->disabled)
        return bad_grant(f, "Invalid grant: account disabled", NULL);
    return read_wish(token, out, f);
}
