/* What a decision was made from and what came of it, as plain values: enough to tell it check by
 * check, now or later, when topology and token are gone. */
#ifndef DECISION_EVIDENCE_H
#define DECISION_EVIDENCE_H

#include "decision/decide.h"

/* A binding in words. Empty throughout: there is none. */
typedef struct evidence_grant {
    span member, role;
    span service; /* on which it is; empty: on the project */
    span condition;
    span file; /* as place.file; line 0: not in a file */
    uint32_t line, column;
    binding_state state;
    int64_t granted_us, effective_us; /* BINDING_WAITING */
    int64_t revoked_us;               /* BINDING_REVOKED */
} evidence_grant;

typedef struct evidence {
    reason reason;
    int64_t now_us, skew_s;

    span host, path, from; /* of the request; empty: not known, or it does not matter */
    span near_host;        /* unknown host: a service's name that it resembles */

    span service, url, accepted; /* as service.name, .url, .accepted */
    span project, region;
    ingress ingress;
    bool default_url_disabled;

    bool by_run_app_host, internal, reserved_path; /* as request_facts */
    token_header header;
    token_state token;
    const claims *claims; /* trusted iff token is TOKEN_VERIFIED */
    span kid, alg;        /* of the token; empty: not known */
    span keys;            /* the published ones' ids, with ", " between; empty: not known */

    audience_verdict audience;
    span audience_got;     /* the claim that came nearest */
    size_t audience_index; /* which of them that is, where the claims alone are at hand */
    span other;            /* whose URL that is: AUDIENCE_OTHER_SERVICE */
    principal principal;

    evidence_grant binding; /* what allowed it */
    evidence_grant nearest; /* a refusal: what came closest to allowing it */
    span deny_policy;       /* REASON_DENIED; empty: the rule is the topology's own */
    span deny_principal;    /* the first that it names */
    span deny_file;
    uint32_t deny_line;

    /* Where what mends it is not what the reason alone says: the caller's own service and the
     * account it should run as, or the custom domain that is no custom audience. */
    span mend_service, mend_value;
} evidence;

/* All but what a decision does not see: host, path, from, near_host, kid, alg
 * and keys are left empty. The
 * views are those of the arguments. */
evidence evidence_of(const snapshot *s, const decision *d, const request_facts *f, int64_t now_us);

/* The service whose name a host that is none's resembles; empty: none does. */
span evidence_near_host(const snapshot *s, span host);

/* Appends "FILE:LINE:COLUMN", "FILE:LINE", or what else the place is; nothing for what has none. */
void evidence_place(buf *b, const evidence_grant *g);

/* Of a list of accepted audiences (a line each) the one that is most like `got`; *out_count is how
 * many there are. */
span evidence_nearest_audience(span accepted, span got, size_t *out_count);

/* "Authorization", "X-Serverless-Authorization"; NULL: neither. */
const char *token_header_field(token_header h);
/* "authorization", "serverless" or "none". */
const char *token_header_name(token_header h);
/* "verified", "absent", "not_bearer" … */
const char *token_state_name(token_state t);

#endif
