/* The order of the checks, and which of them yields which reason. */
#include "decision/checks.h"

#include <stdlib.h>

/* Complete: a reason that is missing would not compile as a switch. */
check check_of_reason(reason r)
{
    switch (r) {
    case REASON_UNKNOWN_HOST:
        return CHECK_HOST;
    case REASON_RESERVED_PATH:
        return CHECK_PATH;
    case REASON_DEFAULT_URL_DISABLED:
        return CHECK_DEFAULT_URL;
    case REASON_INGRESS_BLOCKED:
        return CHECK_INGRESS;
    case REASON_PUBLIC:
    case REASON_CHECK_DISABLED:
        return CHECK_OPEN;
    case REASON_NO_CREDENTIAL:
    case REASON_EMPTY_CREDENTIAL:
        return CHECK_CREDENTIAL;
    case REASON_NOT_BEARER:
    case REASON_REPEATED_HEADER:
    case REASON_SEVERAL_TOKENS:
    case REASON_ACCESS_TOKEN:
    case REASON_NOT_A_JWT:
    case REASON_SIGNATURE_REMOVED:
        return CHECK_ID_TOKEN;
    case REASON_BAD_ALG:
        return CHECK_ALGORITHM;
    case REASON_UNKNOWN_KEY:
    case REASON_KEYS_UNAVAILABLE:
        return CHECK_KEY;
    case REASON_BAD_SIGNATURE:
        return CHECK_SIGNATURE;
    case REASON_BAD_CLAIMS:
        return CHECK_CLAIMS;
    case REASON_SELF_SIGNED:
    case REASON_WRONG_ISSUER:
        return CHECK_ISSUER;
    case REASON_EXPIRED:
    case REASON_NOT_YET_VALID:
        return CHECK_TIME;
    case REASON_NO_AUDIENCE:
    case REASON_WRONG_AUDIENCE:
        return CHECK_AUDIENCE;
    case REASON_NO_PRINCIPAL:
    case REASON_ACCOUNT_DISABLED:
        return CHECK_PRINCIPAL;
    case REASON_DENIED:
        return CHECK_DENY;
    case REASON_GRANTED:
    case REASON_CONDITION_NOT_MET:
    case REASON_NO_GRANT:
    case REASON_NOT_PROPAGATED:
        return CHECK_GRANT;
    case REASON_COUNT_:
        break;
    }
    abort();
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
