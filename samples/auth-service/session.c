#include "session.h"

#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "../common/base64url.h"

enum { KEY_TEXT_MIN = 16, TOKEN_MAX = 1024, MAC_SIZE = 32 };

bool session_key_load(session_key *out_key, bool *out_random, problem *p)
{
    const char *secret = getenv("SESSION_KEY");
    *out_random = !secret || !*secret;
    if (*out_random) {
        return getrandom(out_key->bytes, SESSION_KEY_SIZE, 0) == SESSION_KEY_SIZE ||
               problem_set(p, "no random numbers: %s", strerror(errno));
    }
    if (strlen(secret) < KEY_TEXT_MIN) {
        return problem_set(p, "SESSION_KEY has fewer than %d characters", KEY_TEXT_MIN);
    }
    return EVP_Digest(secret, strlen(secret), out_key->bytes, NULL, EVP_sha256(), NULL) == 1 ||
           problem_set(p, "SHA-256 is not available");
}

static bool mac_of(const session_key *key, const char *payload, size_t size,
                   unsigned char out[MAC_SIZE])
{
    unsigned written = 0;
    return HMAC(EVP_sha256(), key->bytes, SESSION_KEY_SIZE, (const unsigned char *)payload, size,
                out, &written) != NULL &&
           written == MAC_SIZE;
}

bool session_issue(const session_key *key, const char *user, time_t now, char **out_token,
                   problem *p)
{
    json_t *claims = json_pack("{s:s, s:I, s:I}", "sub", user, "iat", (json_int_t)now, "exp",
                               (json_int_t)now + SESSION_LIFETIME_S);
    char *payload = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
    json_decref(claims);
    AUTO_TEXT token = text_make(TOKEN_MAX);
    unsigned char mac[MAC_SIZE];
    const bool made = payload && base64url_encode(&token, payload, strlen(payload)) &&
                      mac_of(key, text_cstr(&token), token.size, mac) && text_str(&token, ".") &&
                      base64url_encode(&token, mac, sizeof mac);
    free(payload);
    if (!made) {
        return problem_set(p, "no session could be made");
    }
    *out_token = text_take(&token);
    return true;
}

/* What a payload with a good signature says. */
static bool read_payload(const char *encoded, size_t size, session *out)
{
    AUTO_TEXT payload = text_make(TOKEN_MAX);
    if (!base64url_decode(&payload, encoded, size)) {
        return false;
    }
    json_t *claims = json_loadb(text_cstr(&payload), payload.size, JSON_REJECT_DUPLICATES, NULL);
    const char *user = json_string_value(json_object_get(claims, "sub"));
    const bool good = user && strlen(user) < sizeof out->user;
    if (good) {
        memcpy(out->user, user, strlen(user) + 1);
        out->expires = json_integer_value(json_object_get(claims, "exp"));
    }
    json_decref(claims);
    return good;
}

bool session_check(const session_key *key, const char *token, time_t now, session *out, problem *p)
{
    const size_t size = strnlen(token, TOKEN_MAX + 1);
    const char *dot = size <= TOKEN_MAX ? strchr(token, '.') : NULL;
    AUTO_TEXT given = text_make(MAC_SIZE);
    if (!dot || !base64url_decode(&given, dot + 1, strlen(dot + 1)) || given.size != MAC_SIZE) {
        return problem_set(p, "this is no session token");
    }
    unsigned char expected[MAC_SIZE];
    if (!mac_of(key, token, (size_t)(dot - token), expected) ||
        CRYPTO_memcmp(expected, text_cstr(&given), MAC_SIZE) != 0) {
        return problem_set(p, "the session token is not signed by this service");
    }
    session s = {{0}, 0};
    if (!read_payload(token, (size_t)(dot - token), &s)) {
        return problem_set(p, "this is no session token");
    }
    if (s.expires <= now) {
        return problem_set(p, "the session has expired: log in again");
    }
    *out = s;
    return true;
}
