/* Looking at a token: its kind, its signature, its times, and what the services make of it. */
#include "cli/inspect.h"

#include <stdlib.h>

#include "decision/credential.h"
#include "decision/explain.h"
#include "gateway/token_state.h"
#include "jose/b64url.h"

enum { EXPLAIN_MAX = 16 * 1024, CREDENTIAL_MAX = 2 * JWS_TOKEN_MAX };

const char *token_kind_name(token_kind k)
{
    switch (k) {
#define X(id, name, words)                                                                         \
    case id:                                                                                       \
        return name;
        TOKEN_KINDS(X)
#undef X
    }
    abort();
}

const char *token_kind_words(token_kind k)
{
    switch (k) {
#define X(id, name, words)                                                                         \
    case id:                                                                                       \
        return words;
        TOKEN_KINDS(X)
#undef X
    }
    abort();
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

span inspect_bare(span text)
{
    static const char *const prefixes[] = {
        "Authorization:", "X-Serverless-Authorization:", "Bearer "};
    for (size_t i = 0; i <= countof(prefixes); i++) {
        while (text.n && (is_blank(*text.p) || *text.p == '"'))
            text = span_from(text, 1);
        while (text.n && (is_blank(text.p[text.n - 1]) || text.p[text.n - 1] == '"'))
            text.n--;
        if (i == countof(prefixes))
            break;
        const size_t n = strlen(prefixes[i]);
        if (text.n > n && span_ieq_str((span){text.p, n}, prefixes[i]))
            text = span_from(text, n);
    }
    return text;
}

static size_t parts_of(span token)
{
    size_t n = 1;
    for (size_t i = 0; i < token.n; i++)
        n += token.p[i] == '.';
    return n;
}

/* For showing only, so it is lenient where the verifier is strict. */
static json_t *decode_part(span part)
{
    if (part.n == 0 || part.n > JWS_TOKEN_MAX)
        return NULL;
    uint8_t bytes[JWS_TOKEN_MAX + 3];
    size_t n = 0;
    json_t *json = b64url_decode(part, bytes, &n)
                       ? json_loadb((const char *)bytes, n, JSON_DECODE_ANY, NULL)
                       : NULL;
    return json;
}

static token_state credential_state(span token)
{
    auto_buf buf header = buf_make(CREDENTIAL_MAX);
    buf_str(&header, "Bearer ");
    buf_span(&header, token);
    if (!buf_ok(&header))
        return TOKEN_NOT_A_JWT;
    return credential_find(1, buf_view(&header), 0, (span){0}).state;
}

static bool is_google(const char *iss)
{
    return iss && (strcmp(iss, "https://accounts.google.com") == 0 ||
                   strcmp(iss, "accounts.google.com") == 0);
}

static bool is_account(const char *iss)
{
    return iss && strchr(iss, '@') && span_ends(span_of(iss), SPAN_LIT(".gserviceaccount.com"));
}

static token_kind kind_of_jwt(const inspection *i)
{
    if (i->alg && strcmp(i->alg, "none") == 0)
        return KIND_UNSIGNED;
    if (!i->alg || strcmp(i->alg, "RS256") != 0)
        return KIND_OTHER_ALG;
    const char *iss = json_string_value(json_object_get(i->payload, "iss"));
    if (is_google(iss))
        return KIND_ID_TOKEN;
    return is_account(iss) ? KIND_SELF_SIGNED : KIND_OTHER_ISSUER;
}

static token_kind kind_of(const inspection *i, token_state state, span token)
{
    if (state == TOKEN_ACCESS)
        return KIND_ACCESS_TOKEN;
    const size_t parts = parts_of(token);
    if (parts == 5 && i->header)
        return KIND_ENCRYPTED;
    if (parts != 3 || !json_is_object(i->header) || !json_is_object(i->payload))
        return KIND_UNKNOWN;
    return state == TOKEN_SIGNATURE_REMOVED ? KIND_SIGNATURE_REMOVED : kind_of_jwt(i);
}

/* A topology with one service, for judging a token where there is none. */
static snapshot *nowhere(int64_t now_us)
{
    static const char account_email[] = "0-compute@developer.gserviceaccount.com";
    static const char *const none[] = {NULL};
    snapshot_builder *b = snapshot_builder_new();
    snapshot_builder_project(b, &(project){.id = "local",
                                           .number = "0",
                                           .region = "us-central1",
                                           .default_account = account_email,
                                           .ingress_listen = "127.0.0.1:8080",
                                           .metadata_listen = "127.0.0.1:8180",
                                           .control_listen = "127.0.0.1:8079",
                                           .file = ""});
    snapshot_builder_emulation(b, &(emulation){.token_lifetime_s = 3600, .clock_skew_s = 60});
    const service any = {.name = "any",
                         .listen = "127.0.0.1:0",
                         .url = "http://any.invalid",
                         .iam_check = true,
                         .custom_audiences = none,
                         .hosts = none,
                         .addresses = none};
    snapshot_builder_service(b, &any, account_email);
    return snapshot_build(b, NULL, now_us);
}

/* The service that the token is meant for: the first that accepts its audience, or NULL. */
static const service *meant_service(const snapshot *s, const claims *c)
{
    for (size_t i = 0; i < snapshot_service_count(s); i++)
        for (size_t a = 0; c && a < c->aud_count; a++)
            if (snapshot_audience(s, snapshot_service(s, i), span_of(c->aud[a]), NULL) ==
                AUDIENCE_OK)
                return snapshot_service(s, i);
    return NULL;
}

/* Wrong audience and missing grants are the service's business, not the token's. */
static bool concerns_token(reason r)
{
    return !reason_info(r)->allows && r != REASON_WRONG_AUDIENCE && r != REASON_NO_PRINCIPAL &&
           r != REASON_ACCOUNT_DISABLED && r != REASON_DENIED && r != REASON_CONDITION_NOT_MET &&
           r != REASON_NO_GRANT && r != REASON_NOT_PROPAGATED;
}

static void judge(inspection *i, const snapshot *s, token_state state)
{
    const service *meant = meant_service(s, i->claims);
    service probe = meant ? *meant : *snapshot_service(s, 0);
    probe.ingress = INGRESS_ALL; /* as if it were private and reachable */
    probe.iam_check = true;
    probe.open = OPEN_NEVER;
    const request_facts f = {.service = &probe,
                             .internal = true,
                             .header = HEADER_AUTHORIZATION,
                             .token = state,
                             .claims = i->claims};
    const decision d = decide(s, &f, i->now_us);
    i->verdict = d.reason;
    i->valid = !concerns_token(d.reason);
    if (i->valid)
        return;
    explain_cause(&i->cause, s, &d, &f, i->now_us);
    if (meant) /* the commands name the service */
        explain_fix(&i->fix, s, &d, &f);
}

static token_state verify(inspection *i, const jwks *keys, span token, token_state state)
{
    (void)jws_peek(token, &i->kid, &i->alg, NULL, &i->problem);
    i->has_keys = keys != NULL;
    jws_result r;
    if (keys) {
        i->problem = (error){0};
        r = jws_verify(keys, token, &i->claims, &i->problem);
    } else {
        r = jws_peek(token, NULL, NULL, &i->claims, &i->problem);
    }
    i->confirmed = i->has_keys && r == JWS_OK;
    if (state != TOKEN_UNCHECKED)
        return state;
    return r == JWS_OK && !i->has_keys ? TOKEN_NO_KEYS : token_state_of(r);
}

void inspect_token(inspection *out, const snapshot *topology, const char *keys_dir,
                   const jwks *keys, span token, int64_t now_us)
{
    *out = (inspection){.topology = topology, .keys_dir = keys_dir, .now_us = now_us};
    out->cause = buf_make(EXPLAIN_MAX);
    out->fix = buf_make(EXPLAIN_MAX);
    span rest = token, first = {0}, second = {0};
    if (span_cut(&rest, '.', &first))
        (void)span_cut(&rest, '.', &second);
    out->header = decode_part(first);
    out->payload = decode_part(second);
    const token_state state = verify(out, keys, token, credential_state(token));
    out->kind = kind_of(out, state, token);
    if (out->kind == KIND_ACCESS_TOKEN || out->kind == KIND_SIGNATURE_REMOVED)
        out->problem = (error){0}; /* the verifier's complaint adds nothing to the kind */
    const bool usable = topology && snapshot_service_count(topology);
    snapshot *made_up = usable ? NULL : nowhere(now_us);
    judge(out, usable ? topology : made_up, state);
    snapshot_unref(made_up);
}

void inspection_clear(inspection *i)
{
    json_decref(i->header);
    json_decref(i->payload);
    free(i->kid);
    free(i->alg);
    claims_free(i->claims);
    buf_free(&i->cause);
    buf_free(&i->fix);
}

service_view inspect_service(const inspection *i, const service *svc)
{
    const snapshot *s = i->topology;
    service_view v = {.audience = AUDIENCE_FOREIGN};
    const claims *c = i->claims;
    for (size_t a = 0; c && a < c->aud_count; a++) {
        const audience_verdict one = snapshot_audience(s, svc, span_of(c->aud[a]), NULL);
        if (a && one >= v.audience)
            continue;
        v.audience = one;
        v.audience_got = c->aud[a];
    }
    v.open = !svc->iam_check || snapshot_is_open(s, svc, i->now_us);
    decision d = {.service = svc, .reason = REASON_NO_PRINCIPAL};
    if (c && snapshot_principal(s, c->email, c->sub, &d.principal))
        decide_grant(s, &d, i->now_us);
    v.decision = d;
    return v;
}
