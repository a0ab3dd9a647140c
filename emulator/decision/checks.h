/* The checks that a request goes through, in decide()'s order, and how each went. */
#ifndef DECISION_CHECKS_H
#define DECISION_CHECKS_H

#include "base/buf.h"
#include "decision/evidence.h"

#define CHECKS(X)                                                                                  \
    X(CHECK_HOST, "host")                                                                          \
    X(CHECK_PATH, "path")                                                                          \
    X(CHECK_DEFAULT_URL, "default URL")                                                            \
    X(CHECK_INGRESS, "ingress")                                                                    \
    X(CHECK_OPEN, "open to everybody")                                                             \
    X(CHECK_CREDENTIAL, "credential")                                                              \
    X(CHECK_ID_TOKEN, "one ID token")                                                              \
    X(CHECK_ALGORITHM, "algorithm")                                                                \
    X(CHECK_KEY, "key")                                                                            \
    X(CHECK_SIGNATURE, "signature")                                                                \
    X(CHECK_CLAIMS, "claims")                                                                      \
    X(CHECK_ISSUER, "issuer")                                                                      \
    X(CHECK_TIME, "time")                                                                          \
    X(CHECK_AUDIENCE, "audience")                                                                  \
    X(CHECK_PRINCIPAL, "principal")                                                                \
    X(CHECK_DENY, "deny policies")                                                                 \
    X(CHECK_GRANT, "grant")

typedef enum check {
#define X(id, name) id,
    CHECKS(X)
#undef X
        CHECK_COUNT
} check;

typedef enum check_result {
    CHECK_PASS,
    CHECK_FAIL,
    CHECK_NO, /* not open to everybody: the next ones decide */
    CHECK_NOT_REACHED
} check_result;

const char *check_name(check c);
const char *check_result_name(check_result r); /* "pass", "fail", "no", "not reached" */

/* The check that yields the reason: each belongs to exactly one. */
check check_of_reason(reason r);
check_result check_result_of(check c, reason decided);

/* One check as it went: what it wants, what it got, and how near that was. Empty where there is
 * nothing to compare. */
typedef struct check_row {
    check_result result;
    buf wanted, got, hint;
} check_row;

/* Zero-initialise for check_row_fill, which may be called again; release with check_row_free. Texts
 * are cut to a sane length, and may hold control characters of somebody else's. */
void check_row_fill(check_row *row, check c, const evidence *e);
void check_row_free(check_row *row);

#endif
