/* From the verdict on a token to what the decision calls it. */
#ifndef GATEWAY_TOKEN_STATE_H
#define GATEWAY_TOKEN_STATE_H

#include "decision/decide.h"
#include "jose/jws.h"

token_state token_state_of(jws_result r);

#endif
