/* The judgement: one pure function. No I/O, no clock of its own, no allocation. */
#ifndef DECISION_DECIDE_H
#define DECISION_DECIDE_H

#include "decision/reasons.h"
#include "jose/claims.h"
#include "policy/snapshot.h"

/* What became of the credential before the decision. */
typedef enum token_state {
    TOKEN_ABSENT,          /* neither header is there */
    TOKEN_EMPTY,           /* the header that counts has an empty value */
    TOKEN_NOT_BEARER,      /* Basic …, or no scheme */
    TOKEN_REPEATED_HEADER, /* the header that counts came twice */
    TOKEN_SEVERAL,         /* several tokens in one header */
    TOKEN_ACCESS,          /* ya29.… */
    TOKEN_NOT_A_JWT,       /* includes "Bearer" with nothing behind it */
    TOKEN_SIGNATURE_REMOVED,
    TOKEN_BAD_ALG,
    TOKEN_UNKNOWN_KEY,
    TOKEN_NO_KEYS,
    TOKEN_BAD_SIGNATURE,
    TOKEN_BAD_CLAIMS,
    TOKEN_VERIFIED, /* claims are trustworthy */
    TOKEN_UNCHECKED /* nobody looked: only for services that are open */
} token_state;

typedef enum token_header { HEADER_NONE, HEADER_AUTHORIZATION, HEADER_SERVERLESS } token_header;

typedef struct request_facts {
    const service *service; /* NULL: no service has that host */
    bool by_run_app_host;   /* reached by a *.run.app name (default_url_disabled applies) */
    bool internal;          /* counts as internal traffic */
    bool reserved_path;     /* exact /healthz, /eventlog, /_ah/… at a run.app host */
    token_header header;    /* the header that counts */
    token_state token;
    const claims *claims; /* trusted iff token == TOKEN_VERIFIED; else for explaining only */
} request_facts;

typedef struct decision {
    reason reason;
    const service *service;
    const binding *binding;    /* what allowed it; NULL otherwise */
    const deny_rule *deny;     /* REASON_DENIED: what forbids it */
    principal principal;       /* email.n == 0: nobody */
    token_header header;       /* the header whose token decided (its signature is removed) */
    audience_verdict audience; /* meaningful for REASON_WRONG_AUDIENCE: the nearest miss */
    const service *other;      /* AUDIENCE_OTHER_SERVICE: whose URL it is */
    const char *audience_got;  /* the claim that came nearest; NULL: none */
    missed_grant nearest;      /* for decision_nearest, once decide_nearest was asked */
    bool nearest_known;
} decision;

/* Order: service → reserved path → default URL → ingress → check off/allUsers → credential → shape,
 * alg, kid, signature → iss → exp/iat/nbf (± the snapshot's clock_skew_s) → aud → principal →
 * deny rules → grants of service, then project. Pointers in the result live as long as the
 * arguments. */
decision decide(const snapshot *s, const request_facts *f, int64_t now_us);

/* The last step alone, for d's principal on d's service: granted, denied, …; sets what goes with
 * it. */
void decide_grant(const snapshot *s, decision *d, int64_t now_us);

/* The binding that came closest to allowing what was refused: one that fits but is not in force,
 * else snapshot_near_grant's (BINDING_IN_FORCE, elsewhere or with another role). None where no
 * binding decided. Linear, unless decide_nearest has looked already. */
missed_grant decision_nearest(const snapshot *s, const decision *d, int64_t now_us);
void decide_nearest(const snapshot *s, decision *d, int64_t now_us);

/* Paths that the front end keeps to itself at a run.app host: /healthz exactly, /eventlog, /_ah/…
 */
bool decide_reserved_path(span path);

/* Must the caller verify a token before asking? false when the service is unknown, blocked or open.
 */
bool decide_needs_token(const snapshot *s, const request_facts *f, int64_t now_us);

#endif
