/* A request that nobody sent: from plain options to the facts that decide() judges. Pure: no
 * socket, no key, no clock; a made-up token counts as verified, or as wrong in one way. */
#ifndef DECISION_HYPOTHESIS_H
#define DECISION_HYPOTHESIS_H

#include "decision/decide.h"

/* Ways in which the made-up token, or how it is sent, may be wrong. id, name, meaning */
#define TOKEN_WAYS(X)                                                                              \
    X(WAY_EXPIRED, "expired", "ended an hour ago")                                                 \
    X(WAY_EARLY, "not-yet-valid", "issued an hour from now")                                       \
    X(WAY_WRONG_AUDIENCE, "wrong-audience", "made for another service")                            \
    X(WAY_NO_AUDIENCE, "no-audience", "made for nobody")                                           \
    X(WAY_WRONG_ISSUER, "wrong-issuer", "issued by somebody else than Google")                     \
    X(WAY_SELF_SIGNED, "self-signed", "issued by the service account itself")                      \
    X(WAY_NO_EMAIL, "no-email", "without e-mail claims")                                           \
    X(WAY_FOREIGN_KEY, "foreign-key", "signed by a key that is not published")                     \
    X(WAY_SAME_KID, "foreign-key-same-kid", "signed by another key under a published kid")         \
    X(WAY_TAMPERED, "tampered", "changed after signing")                                           \
    X(WAY_UNSIGNED, "unsigned", "alg none, no signature")                                          \
    X(WAY_HS256, "hs256", "HMAC with the public key as the secret (algorithm confusion)")          \
    X(WAY_ACCESS_TOKEN, "access-token", "an OAuth access token instead")                           \
    X(WAY_SIGNATURE_REMOVED, "signature-removed", "received by a service and sent on")             \
    X(WAY_NOT_A_JWT, "not-a-jwt", "a word that is no JWT")                                         \
    X(WAY_EMPTY, "empty", "an empty header")                                                       \
    X(WAY_NOT_BEARER, "not-bearer", "Basic credentials instead")                                   \
    X(WAY_SEVERAL, "several-tokens", "two tokens in one header")                                   \
    X(WAY_REPEATED, "repeated-header", "in a header that came twice")

typedef enum token_way {
    WAY_NONE, /* nothing is wrong */
#define X(id, name, meaning) id,
    TOKEN_WAYS(X)
#undef X
        WAY_COUNT
} token_way;

/* "expired"; NULL for WAY_NONE. */
const char *token_way_name(token_way w);
/* "ended an hour ago"; NULL for WAY_NONE. */
const char *token_way_meaning(token_way w);
/* By name; false and *e with a suggestion. */
bool token_way_parse(span name, token_way *out, error *e);

/* By name, "authorization" or "serverless" (NULL: the first); false and *e. */
bool token_header_parse(const char *name, token_header *out, error *e);

/* What is to be imagined. All texts are copied by hypothesis_make. */
typedef struct hypothesis_options {
    const char *caller;   /* an account's name or e-mail, or any e-mail; NULL: no token at all */
    const char *service;  /* by name … */
    const char *host;     /* … or by a Host header at the shared ingress, which wins */
    const char *audience; /* NULL: the service's URL; for people what gcloud puts there */
    const char *path;     /* with its query; NULL: "/" */
    token_header header;  /* HEADER_NONE counts as HEADER_AUTHORIZATION */
    token_way way;
    bool internal; /* as traffic from inside (ingress) */
} hypothesis_options;

/* The request. Zero-initialise; release with hypothesis_free. */
typedef struct hypothesis {
    const char *path;
    request_facts facts; /* views of the snapshot and of this struct, which must not be moved */
    claims claims;
    const char *aud[1];
    char id[22];
    char *owned_path, *owned_email, *owned_audience;
} hypothesis;

/* Sets up *out, and releases what it held before. false and *e with a suggestion: no such service
 * or account, a path without '/', a wrong token without a caller. now_us: when the token is made.
 */
bool hypothesis_make(const hypothesis_options *o, const snapshot *s, int64_t now_us,
                     hypothesis *out, error *e);
void hypothesis_free(hypothesis *h);

#endif
