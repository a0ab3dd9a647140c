/* The judgement on a token's form and signature. The algorithm is fixed before the token is looked
 * at, and of the header only "kid" chooses anything: jku, jwk, x5u and x5c are never followed. */
#include "jose/jws.h"

#include "base/buf.h"
#include "jose/b64url.h"
#include "jose/claims_internal.h"

enum { HEADER_DEPTH_MAX = 8, SIGNATURE_MAX = 1024 /* RSA-8192 */ };

#define ALG "RS256"

typedef struct parts {
    span signing_input; /* header.payload */
    span header, payload, signature;
    size_t signature_n; /* 0: empty or longer than any key's, which no key confirms */
    uint8_t signature_bytes[SIGNATURE_MAX + 3];
} parts;

/* What the header says; the strings live as long as `json`. */
typedef struct header {
    json_t *json;
    const char *alg, *kid;
} header;

static void header_auto(header *h)
{
    json_decref(h->json);
}

static bool not_a_jwt(error *e, const char *what)
{
    return error_set(e, ERR_INVALID, "not a JWT: %s", what);
}

static bool split(span token, parts *p, error *e)
{
    if (token.n > JWS_TOKEN_MAX)
        return error_set(e, ERR_LIMIT, "not a JWT: %zu bytes, at most %d are read", token.n,
                         JWS_TOKEN_MAX);
    p->signature = token;
    if (!span_cut(&p->signature, '.', &p->header) || !span_cut(&p->signature, '.', &p->payload) ||
        span_find(p->signature, '.') != p->signature.n)
        return not_a_jwt(e, "expected three parts with a dot between them");
    if (p->header.n == 0 || p->payload.n == 0)
        return not_a_jwt(e, "a part is empty");
    p->signing_input = (span){token.p, p->header.n + 1 + p->payload.n};
    return true;
}

/* A signature longer than any key's is refused as a wrong signature, not as a wrong shape. */
static bool decode_signature(parts *p, error *e)
{
    p->signature_n = 0;
    if (b64url_decoded_max(p->signature.n) > sizeof p->signature_bytes)
        return true;
    return b64url_decode(p->signature, p->signature_bytes, &p->signature_n) ||
           not_a_jwt(e, "the signature is not base64url");
}

/* scratch has room for a whole decoded token. */
static bool decode(span part, uint8_t *scratch, span *out, const char *refusal, error *e)
{
    size_t n = 0;
    if (!b64url_decode(part, scratch, &n))
        return not_a_jwt(e, refusal);
    *out = (span){(const char *)scratch, n};
    return true;
}

static jws_result read_header(span json, header *out, error *e)
{
    json_verdict verdict;
    out->json = json_strict_object("the token's header", json, HEADER_DEPTH_MAX, &verdict, e);
    if (!out->json)
        return verdict == JSON_NOT_JSON ? JWS_NOT_A_JWT : JWS_BAD_HEADER;
    if (json_object_get(out->json, "crit")) {
        error_set(e, ERR_INVALID, "the token's header has \"crit\": no extension is understood");
        return JWS_BAD_HEADER;
    }
    if (!json_strict_string(out->json, "kid", &out->kid)) {
        error_set(e, ERR_INVALID, "\"kid\" in the token's header is not a string");
        return JWS_BAD_HEADER;
    }
    if (!json_strict_string(out->json, "alg", &out->alg)) {
        error_set(e, ERR_INVALID, "\"alg\" in the token's header is not a string");
        return JWS_BAD_HEADER;
    }
    return JWS_OK;
}

/* Splits, decodes and reads the header; JWS_OK means that the payload may be read. */
static jws_result open_token(span token, parts *p, header *h, uint8_t *scratch, error *e)
{
    span json;
    if (!split(token, p, e) || !decode_signature(p, e) ||
        !decode(p->header, scratch, &json, "the header is not base64url", e))
        return JWS_NOT_A_JWT;
    return read_header(json, h, e);
}

static claims *read_payload(const parts *p, uint8_t *scratch, jws_result *out, error *e)
{
    span json;
    if (!decode(p->payload, scratch, &json, "the payload is not base64url", e)) {
        *out = JWS_NOT_A_JWT;
        return NULL;
    }
    json_verdict verdict;
    claims *c = claims_read(json, &verdict, e);
    if (!c)
        *out = verdict == JSON_NOT_JSON ? JWS_NOT_A_JWT : JWS_BAD_CLAIMS;
    else
        *out = JWS_OK;
    return c;
}

static jws_result judge_alg(const header *h, error *e)
{
    if (h->alg && strcmp(h->alg, ALG) == 0)
        return JWS_OK;
    if (h->alg)
        error_set(e, ERR_INVALID, "alg \"%.32s\" is not accepted, only " ALG " is", h->alg);
    else
        error_set(e, ERR_INVALID, "the token's header states no alg, only " ALG " is accepted");
    return JWS_BAD_ALG;
}

static jws_result judge_signature(const jwks *keys, const header *h, const parts *p, error *e)
{
    const jwks_key *key = h->kid ? jwks_find(keys, span_of(h->kid)) : NULL;
    if (!key) {
        if (h->kid)
            error_set(e, ERR_NOT_FOUND, "no key \"%.64s\" in the key set", h->kid);
        else
            error_set(e, ERR_NOT_FOUND, "the token's header states no kid");
        return JWS_UNKNOWN_KID;
    }
    if (!jwks_key_verify(key, p->signing_input, p->signature_bytes, p->signature_n)) {
        error_set(e, ERR_INVALID, "key \"%.64s\" does not confirm the signature", h->kid);
        return JWS_BAD_SIGNATURE;
    }
    return JWS_OK;
}

static void copy_out(char **out, const char *text)
{
    if (out && text)
        *out = span_dup(span_of(text));
}

jws_result jws_peek(span token, char **out_kid, char **out_alg, claims **out_claims, error *e)
{
    if (out_kid)
        *out_kid = NULL;
    if (out_alg)
        *out_alg = NULL;
    if (out_claims)
        *out_claims = NULL;
    uint8_t scratch[JWS_TOKEN_MAX];
    parts p;
    AUTO(header_auto) header h = {0};
    jws_result r = open_token(token, &p, &h, scratch, e);
    copy_out(out_kid, h.kid);
    copy_out(out_alg, h.alg);
    if (r != JWS_OK)
        return r;
    claims *c = read_payload(&p, scratch, &r, e);
    const jws_result alg = r == JWS_NOT_A_JWT ? r : judge_alg(&h, e);
    if (out_claims)
        *out_claims = c;
    else
        claims_free(c);
    return alg != JWS_OK ? alg : r;
}

jws_result jws_verify(const jwks *keys, span token, claims **out_claims, error *e)
{
    *out_claims = NULL;
    uint8_t scratch[JWS_TOKEN_MAX];
    parts p;
    AUTO(header_auto) header h = {0};
    jws_result r = open_token(token, &p, &h, scratch, e);
    if (r != JWS_OK)
        return r;
    error broken = {0};
    *out_claims = read_payload(&p, scratch, &r, &broken);
    jws_result judged = r == JWS_NOT_A_JWT ? r : judge_alg(&h, e);
    if (judged == JWS_OK)
        judged = judge_signature(keys, &h, &p, e);
    if (judged == JWS_OK)
        judged = r;
    if (judged == r && r != JWS_OK && e)
        *e = broken;
    return judged;
}

const char *jws_result_name(jws_result r)
{
    switch (r) {
    case JWS_OK:
        return "ok";
    case JWS_NOT_A_JWT:
        return "not_a_jwt";
    case JWS_BAD_HEADER:
        return "bad_header";
    case JWS_BAD_ALG:
        return "bad_alg";
    case JWS_UNKNOWN_KID:
        return "unknown_kid";
    case JWS_BAD_SIGNATURE:
        return "bad_signature";
    case JWS_BAD_CLAIMS:
        return "bad_claims";
    }
    abort();
}
