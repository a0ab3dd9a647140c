/* What `invoker inspect` finds out about a text that should be a token. Filled by inspect.c, shown
 * by inspect_text.c and inspect_json.c. The token itself is never shown again. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include <jansson.h>

#include "base/buf.h"
#include "decision/decide.h"
#include "jose/jws.h"

/* kind, name for programs, name for people */
#define TOKEN_KINDS(X)                                                                             \
    X(KIND_ID_TOKEN, "id_token", "Google ID token")                                                \
    X(KIND_SIGNATURE_REMOVED, "signature_removed",                                                 \
      "ID token as a service receives it, without its signature")                                  \
    X(KIND_SELF_SIGNED, "self_signed_jwt", "JWT that a service account signed itself")             \
    X(KIND_OTHER_ISSUER, "other_issuer", "JWT of another issuer")                                  \
    X(KIND_UNSIGNED, "unsigned_jwt", "unsigned JWT")                                               \
    X(KIND_OTHER_ALG, "other_alg", "JWT that is not signed with RS256")                            \
    X(KIND_ACCESS_TOKEN, "access_token",                                                           \
      "OAuth access token (opaque: only its issuer can read it)")                                  \
    X(KIND_ENCRYPTED, "encrypted_jwt", "encrypted token (five parts)")                             \
    X(KIND_UNKNOWN, "unknown", "no token of a known kind")

typedef enum token_kind {
#define X(id, name, words) id,
    TOKEN_KINDS(X)
#undef X
} token_kind;

const char *token_kind_name(token_kind k);
const char *token_kind_words(token_kind k);

typedef struct inspection {
    const snapshot *topology; /* NULL: there is none */
    const char *keys_dir;
    int64_t now_us;
    token_kind kind;
    json_t *header, *payload; /* NULL where the token has no such JSON */
    char *kid, *alg;          /* NULL where the header does not say */
    claims *claims;           /* NULL when they cannot be read */
    bool has_keys, confirmed; /* confirmed: the local keys confirm the signature */
    error problem;            /* of the form, the keys or the signature */
    reason verdict;           /* of the token alone, whatever service it is for */
    bool valid;
    buf cause, fix; /* empty for a valid one */
} inspection;

/* The token in what people paste: with blanks around it, in quotes, or a whole header line. */
span inspect_bare(span text);

/* Topology and keys (both nullable) stay the caller's. */
void inspect_token(inspection *out, const snapshot *topology, const char *keys_dir,
                   const jwks *keys, span token, int64_t now_us);
void inspection_clear(inspection *i);

/* What one service would make of a valid token with these claims. */
typedef struct service_view {
    bool open; /* to everybody */
    audience_verdict audience;
    const char *audience_got; /* the one that came nearest; NULL: there is none */
    decision decision;        /* as if the token itself were in order */
} service_view;

service_view inspect_service(const inspection *i, const service *svc);

void inspect_show_text(const inspection *i, buf *b);
void inspect_show_json(const inspection *i, buf *b);

#endif
