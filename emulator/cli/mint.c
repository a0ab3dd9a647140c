/* Minting tokens, good ones and bad ones. */
#include "cli/mint.h"

#include <stdlib.h>

#include "base/hash.h"
#include "decision/credential.h"
#include "jose/b64url.h"
#include "jose/forge.h"

enum { TOKEN_MAX = 128 * 1024, ACCESS_TOKEN_BYTES = 120, EXPIRED_FOR_S = 300, EARLY_BY_S = 3600 };

/* ---- claims that are wrong ---- */

static void spoil_claims(id_token_claims *c, const mint *m)
{
    if (m->way == WAY_EXPIRED)
        c->iat_s = m->now_s - m->skew_s - EXPIRED_FOR_S - m->lifetime_s;
    else if (m->way == WAY_EARLY)
        c->iat_s = m->now_s + m->skew_s + EARLY_BY_S;
    else if (m->way == WAY_WRONG_AUDIENCE)
        c->audience = SPAN_LIT("https://another-service.invalid");
    else if (m->way == WAY_NO_AUDIENCE)
        c->no_audience = true;
    else if (m->way == WAY_WRONG_ISSUER)
        c->issuer = SPAN_LIT("https://issuer.invalid");
    else if (m->way == WAY_SELF_SIGNED)
        c->issuer = m->email;
    else if (m->way == WAY_NO_EMAIL)
        c->email = (span){0};
}

/* ---- what is no good token at all ---- */

static char *access_token(void)
{
    uint8_t bytes[ACCESS_TOKEN_BYTES];
    random_bytes(bytes, sizeof bytes);
    auto_buf buf b = buf_make(TOKEN_MAX);
    buf_str(&b, "ya29.c.");
    b64url_encode(&b, bytes, sizeof bytes);
    return buf_take(&b);
}

/* The lie in a tampered token is a later end: what somebody with an old token would want. */
static char *tamper(const mint *m, id_token_claims c, span payload, error *e)
{
    auto_free char *good = keystore_sign_jwt(m->keys, payload, e);
    if (!good)
        return NULL;
    c.lifetime_s += 86400;
    auto_buf buf changed = buf_make(TOKEN_MAX);
    id_token_payload(&changed, &c);
    return forge_tampered(span_of(good), buf_view(&changed), e);
}

/* As a service receives it. */
static char *without_signature(const mint *m, span payload, error *e)
{
    auto_free char *good = keystore_sign_jwt(m->keys, payload, e);
    if (!good)
        return NULL;
    auto_buf buf b = buf_make(TOKEN_MAX);
    buf_add(&b, good, (size_t)(strrchr(good, '.') - good) + 1);
    buf_str(&b, SIGNATURE_REMOVED);
    return buf_take(&b);
}

static char *sign(const mint *m, const id_token_claims *c, span payload, error *e)
{
    static char *(*const forgers[WAY_COUNT])(const keystore *k, span payload, error *e) = {
        [WAY_FOREIGN_KEY] = forge_foreign_key,
        [WAY_SAME_KID] = forge_foreign_signature,
        [WAY_UNSIGNED] = forge_unsigned,
        [WAY_HS256] = forge_hs256,
    };
    if (m->way == WAY_TAMPERED)
        return tamper(m, *c, payload, e);
    if (m->way == WAY_SIGNATURE_REMOVED)
        return without_signature(m, payload, e);
    return (forgers[m->way] ? forgers[m->way] : keystore_sign_jwt)(m->keys, payload, e);
}

char *mint_token(const mint *m, id_token_claims *out_claims, error *e)
{
    id_token_claims c = {.audience = m->audience,
                         .email = m->email,
                         .unique_id = m->unique_id,
                         .iat_s = m->now_s,
                         .lifetime_s = m->lifetime_s,
                         .issuer = m->issuer};
    spoil_claims(&c, m);
    if (out_claims)
        *out_claims = c;
    if (m->way == WAY_ACCESS_TOKEN)
        return access_token();
    if (m->way == WAY_NOT_A_JWT)
        return span_dup(SPAN_LIT("not-a-jwt"));
    auto_buf buf payload = buf_make(TOKEN_MAX);
    id_token_payload(&payload, &c);
    return sign(m, &c, buf_view(&payload), e);
}
