/* Each forgery is a header, a payload, and something that is not the right signature. */
#include "jose/forge.h"

#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "jose/b64url.h"
#include "jose/keystore_internal.h"

enum { TOKEN_TEXT_MAX = 128 * 1024 };

static void key_auto(signing_key *k)
{
    signing_key_clear(k);
}

static const char *signing_kid(const keystore *k)
{
    return keystore_info(k, 0).kid;
}

/* header.payload, appended to b. */
static void begin(buf *b, const char *alg, const char *kid, span payload)
{
    auto_buf buf header = buf_make(256);
    buf_fmt(&header, "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}", alg, kid);
    b64url_encode(b, header.p, header.n);
    buf_char(b, '.');
    b64url_encode(b, payload.p, payload.n);
}

static char *finish(buf *b, const void *signature, size_t n, error *e)
{
    buf_char(b, '.');
    b64url_encode(b, signature, n);
    char *token = buf_take(b);
    if (!token)
        error_set(e, ERR_LIMIT, "the payload is more than a token holds");
    return token;
}

/* kid NULL: the fresh key's own. */
static char *sign_with_fresh_key(const char *kid, span payload, error *e)
{
    AUTO(key_auto) signing_key fresh = {0};
    if (!signing_key_generate(&fresh, 0, e))
        return NULL;
    auto_buf buf b = buf_make(TOKEN_TEXT_MAX);
    begin(&b, "RS256", kid ? kid : fresh.kid, payload);
    uint8_t signature[1024];
    size_t n = 0;
    if (!signing_key_sign(&fresh, buf_view(&b), signature, &n, e))
        return NULL;
    return finish(&b, signature, n, e);
}

char *forge_foreign_key(const keystore *k, span payload, error *e)
{
    (void)k;
    return sign_with_fresh_key(NULL, payload, e);
}

char *forge_foreign_signature(const keystore *k, span payload, error *e)
{
    return sign_with_fresh_key(signing_kid(k), payload, e);
}

char *forge_unsigned(const keystore *k, span payload, error *e)
{
    auto_buf buf b = buf_make(TOKEN_TEXT_MAX);
    begin(&b, "none", signing_kid(k), payload);
    return finish(&b, "", 0, e);
}

char *forge_hs256(const keystore *k, span payload, error *e)
{
    auto_free char *pem = keystore_public_pem(k, e);
    if (!pem)
        return NULL;
    auto_buf buf b = buf_make(TOKEN_TEXT_MAX);
    begin(&b, "HS256", signing_kid(k), payload);
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!buf_ok(&b) ||
        !HMAC(EVP_sha256(), pem, (int)strlen(pem), (const uint8_t *)b.p, b.n, mac, &n)) {
        openssl_error(e, "cannot compute the HMAC");
        return NULL;
    }
    return finish(&b, mac, n, e);
}

char *forge_tampered(span token, span payload, error *e)
{
    span rest = token, header, old_payload;
    if (!span_cut(&rest, '.', &header) || !span_cut(&rest, '.', &old_payload)) {
        error_set(e, ERR_INVALID, "the token to change is not a JWT");
        return NULL;
    }
    auto_buf buf b = buf_make(TOKEN_TEXT_MAX);
    buf_span(&b, header);
    buf_char(&b, '.');
    b64url_encode(&b, payload.p, payload.n);
    buf_char(&b, '.');
    buf_span(&b, rest);
    char *changed = buf_take(&b);
    if (!changed)
        error_set(e, ERR_LIMIT, "the payload is more than a token holds");
    return changed;
}
