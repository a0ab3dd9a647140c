/* The one table of outcomes: code, status, challenge, production's log text, plain English, cure.
 * The refusal page, the request log, `invoker why` and the README's table all read it. */
#ifndef DECISION_REASONS_H
#define DECISION_REASONS_H

#include <stdbool.h>

#include "base/span.h"

/* id, log name */
#define REASONS(X)                                                                                 \
    X(REASON_GRANTED, "granted")                   /* a binding allows the principal */            \
    X(REASON_PUBLIC, "public")                     /* allUsers holds run.routes.invoke */          \
    X(REASON_CHECK_DISABLED, "iam_check_disabled") /* invoker_iam_check: false */                  \
    X(REASON_UNKNOWN_HOST, "unknown_host")                                                         \
    X(REASON_RESERVED_PATH, "reserved_path")                                                       \
    X(REASON_DEFAULT_URL_DISABLED, "default_url_disabled")                                         \
    X(REASON_INGRESS_BLOCKED, "ingress_blocked")                                                   \
    X(REASON_NO_CREDENTIAL, "no_credential")                                                       \
    X(REASON_EMPTY_CREDENTIAL, "empty_credential")                                                 \
    X(REASON_NOT_BEARER, "not_bearer")                                                             \
    X(REASON_REPEATED_HEADER, "repeated_header")                                                   \
    X(REASON_SEVERAL_TOKENS, "several_tokens")                                                     \
    X(REASON_ACCESS_TOKEN, "access_token")                                                         \
    X(REASON_NOT_A_JWT, "not_a_jwt")                                                               \
    X(REASON_SIGNATURE_REMOVED, "signature_removed") /* a forwarded token, used again */           \
    X(REASON_BAD_ALG, "bad_alg")                                                                   \
    X(REASON_UNKNOWN_KEY, "unknown_key")                                                           \
    X(REASON_BAD_SIGNATURE, "bad_signature")                                                       \
    X(REASON_BAD_CLAIMS, "bad_claims")                                                             \
    X(REASON_SELF_SIGNED, "self_signed_jwt") /* iss is a service account's e-mail */               \
    X(REASON_WRONG_ISSUER, "wrong_issuer")                                                         \
    X(REASON_EXPIRED, "expired")                                                                   \
    X(REASON_NOT_YET_VALID, "not_yet_valid")                                                       \
    X(REASON_NO_AUDIENCE, "no_audience")                                                           \
    X(REASON_WRONG_AUDIENCE, "wrong_audience")                                                     \
    X(REASON_NO_PRINCIPAL, "no_principal") /* neither e-mail nor a known sub */                    \
    X(REASON_ACCOUNT_DISABLED, "account_disabled")                                                 \
    X(REASON_DENIED, "denied") /* a deny rule, whatever is granted */                              \
    X(REASON_CONDITION_NOT_MET, "condition_not_met")                                               \
    X(REASON_NO_GRANT, "no_grant")                                                                 \
    X(REASON_NOT_PROPAGATED, "not_propagated")                                                     \
    X(REASON_KEYS_UNAVAILABLE, "keys_unavailable") /* no JWKS yet: nothing is provable */

typedef enum reason {
#define X(id, name) id,
    REASONS(X)
#undef X
        REASON_COUNT_
} reason;

/* Which of production's pages goes with it. */
typedef enum page { PAGE_NONE, PAGE_401, PAGE_403, PAGE_404, PAGE_404_ROBOT } page;

typedef struct reason_row {
    const char *name;     /* "wrong_audience" */
    const char *log_text; /* production's textPayload; NULL: none */
    const char *summary;  /* one plain sentence, no placeholders: the README's table */
    const char *fix; /* the mending command, with {service} {region} {project} {member} {account}
                        {url} */
    const char *learn_more; /* the page of Google's documentation */
    page page;
    bool allows;
    bool challenge; /* WWW-Authenticate: Bearer error="invalid_token" … */
    bool logged;    /* production writes a request-log entry */
} reason_row;

const reason_row *reason_info(reason r);

/* 401, 403 or 404; of a reason that allows, for which the service answers, 200. */
unsigned reason_status(reason r);

/* By its log name; false (and *out as it was): there is none. */
bool reason_by_name(span name, reason *out);

#endif
