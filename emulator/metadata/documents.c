/* What verifiers ask Google for: certificates, OpenID configuration, tokeninfo. Public as Google's
 * are: no Metadata-Flavor, nobody's identity. */
#include <stdlib.h>

#include "base/log.h"
#include "jose/id_token.h"
#include "jose/jws.h"
#include "metadata/answer.h"
#include "metadata/bearer.h"
#include "metadata/room.h"

enum { DOCUMENT_MAX = 64 * 1024 };

#define JSON_TYPE   "application/json; charset=UTF-8"
/* Google says five to seven hours; but here a rotation signs with the new key at once, and a
 * verifier that believes its copy for hours would refuse everything until then. */
#define CACHE_CERTS "public, max-age=300, must-revalidate, no-transform"
#define NO_CACHE    "no-cache, no-store, max-age=0, must-revalidate"

static void answer_json(http_request *r, unsigned status, const char *cache, span body)
{
    const http_field fields[] = {{"Content-Type", JSON_TYPE},
                                 {"Cache-Control", cache},
                                 {"X-Content-Type-Options", "nosniff"},
                                 {0}};
    http_respond(r, status, fields, body, false);
}

/* Another process may have rotated the keys. */
static void refresh_keys(metadata *m)
{
    error e = {0};
    if (!keystore_refresh(m->keys, &e))
        log_at(LOG_ERROR, "cannot read the keys again", LOG_S("detail", e.text));
}

static void serve_certs(metadata *m, http_request *r, bool pem)
{
    refresh_keys(m);
    answer_json(r, 200, CACHE_CERTS, pem ? keystore_pem_map(m->keys) : keystore_jwks(m->keys));
}

static void serve_pem_map(metadata *m, http_request *r)
{
    serve_certs(m, r, true);
}

static void serve_jwks(metadata *m, http_request *r)
{
    serve_certs(m, r, false);
}

static void serve_openid(metadata *m, http_request *r)
{
    (void)m;
    auto_buf buf here = buf_make(1024);
    net_addr local;
    char text[NET_ADDR_TEXT_MAX];
    buf_str(&here, "http://");
    if (http_host(r).n)
        buf_span(&here, http_host(r));
    else if (http_local(r, &local))
        buf_str(&here, net_addr_text(&local, text));
    buf_str(&here, "/oauth2/v3/certs");
    auto_buf buf body = buf_make(DOCUMENT_MAX);
    buf_str(&body, "{\"issuer\":\"" GOOGLE_ISSUER "\","
                   "\"authorization_endpoint\":\"https://accounts.google.com/o/oauth2/v2/auth\","
                   "\"token_endpoint\":\"https://oauth2.googleapis.com/token\","
                   "\"userinfo_endpoint\":\"https://openidconnect.googleapis.com/v1/userinfo\","
                   "\"revocation_endpoint\":\"https://oauth2.googleapis.com/revoke\","
                   "\"jwks_uri\":");
    buf_json(&body, buf_view(&here));
    buf_str(&body, ",\"response_types_supported\":[\"id_token\"],"
                   "\"subject_types_supported\":[\"public\"],"
                   "\"id_token_signing_alg_values_supported\":[\"RS256\"]}");
    answer_json(r, 200, CACHE_CERTS, buf_view(&body));
}

/* ---- tokeninfo ---- */

static void invalid_token(http_request *r)
{
    answer_json(r, 400, NO_CACHE,
                SPAN_LIT("{\"error\":\"invalid_token\",\"error_description\":\"Invalid Value\"}"));
}

/* All values of the answer are strings, numbers and booleans too. */
static void put(buf *b, const char *key, const char *value)
{
    if (!value)
        return;
    buf_fmt(b, "%s\"%s\":", b->n > 1 ? "," : "", key);
    buf_json(b, span_of(value));
}

static void put_number(buf *b, const char *key, int64_t value)
{
    buf_fmt(b, "%s\"%s\":\"%lld\"", b->n > 1 ? "," : "", key, (long long)value);
}

static void write_claims(const claims *c, const char *kid, buf *b)
{
    buf_char(b, '{');
    put(b, "iss", c->iss);
    put(b, "azp", c->azp);
    put(b, "aud", c->aud_count ? c->aud[0] : NULL);
    put(b, "sub", c->sub);
    put(b, "email", c->email);
    if (c->email)
        put(b, "email_verified", c->email_verified ? "true" : "false");
    put_number(b, "iat", c->iat_s);
    put_number(b, "exp", c->exp_s);
    put(b, "alg", "RS256");
    put(b, "kid", kid);
    put(b, "typ", "JWT");
    buf_char(b, '}');
}

static void info_of_identity(metadata *m, http_request *r, span token)
{
    error e = {0};
    refresh_keys(m);
    jwks *keys = jwks_parse(keystore_jwks(m->keys), &e);
    claims *c = NULL;
    auto_free char *kid = NULL;
    const bool valid = keys && jws_verify(keys, token, &c, &e) == JWS_OK && c->has_exp &&
                       c->exp_s > clock_now_s(m->clock) &&
                       jws_peek(token, &kid, NULL, NULL, &e) == JWS_OK;
    auto_buf buf body = buf_make(DOCUMENT_MAX);
    if (valid)
        write_claims(c, kid, &body);
    claims_free(c);
    jwks_unref(keys);
    if (valid)
        answer_json(r, 200, NO_CACHE, buf_view(&body));
    else
        invalid_token(r);
}

static void info_of_access(metadata *m, http_request *r, span token)
{
    const int64_t now = clock_now_s(m->clock);
    const access_token *t = NULL;
    if (bearer_standing(m->access, m->snapshot, token, now, &t) != TOKEN_GOOD) {
        invalid_token(r);
        return;
    }
    auto_buf buf b = buf_make(DOCUMENT_MAX);
    buf_char(&b, '{');
    put(&b, "azp", t->client);
    put(&b, "aud", t->client);
    put(&b, "sub", t->unique_id);
    put(&b, "scope", t->scopes);
    put_number(&b, "exp", t->expires_s);
    put_number(&b, "expires_in", t->expires_s - now);
    put(&b, "email", t->email);
    put(&b, "email_verified", "true");
    put(&b, "access_type", "online");
    buf_char(&b, '}');
    answer_json(r, 200, NO_CACHE, buf_view(&b));
}

static bool parameter(http_request *r, const char *name, buf *out)
{
    span raw;
    if (http_query_find(http_query(r), name, &raw) || http_query_find(http_body(r), name, &raw))
        http_percent_decode(raw, true, out);
    return out->n > 0 && buf_ok(out);
}

static void serve_tokeninfo(metadata *m, http_request *r)
{
    auto_buf buf token = buf_make(JWS_TOKEN_MAX);
    const span scheme = SPAN_LIT("Bearer ");
    const span authorization = http_header(r, "Authorization");
    if (parameter(r, "id_token", &token))
        info_of_identity(m, r, buf_view(&token));
    else if (parameter(r, "access_token", &token))
        info_of_access(m, r, buf_view(&token));
    else if (authorization.n > scheme.n && span_ieq((span){authorization.p, scheme.n}, scheme))
        info_of_access(m, r, span_trim(span_from(authorization, scheme.n)));
    else
        invalid_token(r);
}

static const struct document {
    const char *path;
    bool post;
    void (*serve)(metadata *m, http_request *r);
} documents[] = {
    {"/oauth2/v1/certs", false, serve_pem_map},
    {"/oauth2/v3/certs", false, serve_jwks},
    {"/.well-known/openid-configuration", false, serve_openid},
    {"/tokeninfo", true, serve_tokeninfo},
    {"/oauth2/v3/tokeninfo", true, serve_tokeninfo},
};

bool documents_serve(metadata *m, http_request *r)
{
    const span path = http_path(r);
    if (span_starts(path, SPAN_LIT("/computeMetadata/")))
        return false;
    for (size_t i = 0; i < countof(documents); i++) {
        const struct document *d = &documents[i];
        if (!span_eq_str(path, d->path))
            continue;
        const span method = http_method(r);
        const http_field allow[] = {{"Allow", d->post ? "GET, HEAD, POST" : "GET, HEAD"}, {0}};
        if (span_eq_str(method, "GET") || span_eq_str(method, "HEAD") ||
            (d->post && span_eq_str(method, "POST")))
            d->serve(m, r);
        else
            http_respond(r, 405, allow, (span){0}, true);
        return true;
    }
    return false;
}
