/* The decision knows no token format, and the token format no decision: they meet here. */
#include "gateway/token_state.h"

#include <stdlib.h>

token_state token_state_of(jws_result r)
{
    switch (r) {
    case JWS_OK:
        return TOKEN_VERIFIED;
    case JWS_NOT_A_JWT:
    case JWS_BAD_HEADER:
        return TOKEN_NOT_A_JWT;
    case JWS_BAD_ALG:
        return TOKEN_BAD_ALG;
    case JWS_UNKNOWN_KID:
        return TOKEN_UNKNOWN_KEY;
    case JWS_BAD_SIGNATURE:
        return TOKEN_BAD_SIGNATURE;
    case JWS_BAD_CLAIMS:
        return TOKEN_BAD_CLAIMS;
    }
    abort();
}
