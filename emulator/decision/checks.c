/* The order of the checks, and which of them yields which reason. */
#include "decision/checks.h"

#include <assert.h>

check check_of_reason(reason r)
{
    static const check yields[REASON_COUNT_] = {
        [REASON_UNKNOWN_HOST] = CHECK_HOST,
        [REASON_RESERVED_PATH] = CHECK_PATH,
        [REASON_DEFAULT_URL_DISABLED] = CHECK_DEFAULT_URL,
        [REASON_INGRESS_BLOCKED] = CHECK_INGRESS,
        [REASON_PUBLIC] = CHECK_OPEN,
        [REASON_CHECK_DISABLED] = CHECK_OPEN,
        [REASON_NO_CREDENTIAL] = CHECK_CREDENTIAL,
        [REASON_EMPTY_CREDENTIAL] = CHECK_CREDENTIAL,
        [REASON_NOT_BEARER] = CHECK_ID_TOKEN,
        [REASON_REPEATED_HEADER] = CHECK_ID_TOKEN,
        [REASON_SEVERAL_TOKENS] = CHECK_ID_TOKEN,
        [REASON_ACCESS_TOKEN] = CHECK_ID_TOKEN,
        [REASON_NOT_A_JWT] = CHECK_ID_TOKEN,
        [REASON_SIGNATURE_REMOVED] = CHECK_ID_TOKEN,
        [REASON_BAD_ALG] = CHECK_ALGORITHM,
        [REASON_UNKNOWN_KEY] = CHECK_KEY,
        [REASON_KEYS_UNAVAILABLE] = CHECK_KEY,
        [REASON_BAD_SIGNATURE] = CHECK_SIGNATURE,
        [REASON_BAD_CLAIMS] = CHECK_CLAIMS,
        [REASON_SELF_SIGNED] = CHECK_ISSUER,
        [REASON_WRONG_ISSUER] = CHECK_ISSUER,
        [REASON_EXPIRED] = CHECK_TIME,
        [REASON_NOT_YET_VALID] = CHECK_TIME,
        [REASON_NO_AUDIENCE] = CHECK_AUDIENCE,
        [REASON_WRONG_AUDIENCE] = CHECK_AUDIENCE,
        [REASON_NO_PRINCIPAL] = CHECK_PRINCIPAL,
        [REASON_ACCOUNT_DISABLED] = CHECK_PRINCIPAL,
        [REASON_DENIED] = CHECK_DENY,
        [REASON_GRANTED] = CHECK_GRANT,
        [REASON_CONDITION_NOT_MET] = CHECK_GRANT,
        [REASON_NO_GRANT] = CHECK_GRANT,
        [REASON_NOT_PROPAGATED] = CHECK_GRANT,
    };
    assert((size_t)r < REASON_COUNT_);
    return yields[r];
}

check_result check_result_of(check c, reason decided)
{
    const check deciding = check_of_reason(decided);
    if (c > deciding)
        return CHECK_NOT_REACHED;
    if (c == deciding)
        return reason_info(decided)->allows ? CHECK_PASS : CHECK_FAIL;
    return c == CHECK_OPEN ? CHECK_NO : CHECK_PASS;
}

const char *check_name(check c)
{
    static const char *const names[] = {
#define X(id, name) [id] = name,
        CHECKS(X)
#undef X
    };
    return names[c];
}

const char *check_result_name(check_result r)
{
    static const char *const names[] = {[CHECK_PASS] = "pass",
                                        [CHECK_FAIL] = "fail",
                                        [CHECK_NO] = "no",
                                        [CHECK_NOT_REACHED] = "not reached"};
    return names[r];
}
