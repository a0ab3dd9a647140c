/* What jws.c needs of claims.c beyond claims.h: text that is no JSON at all is another refusal than
 * JSON with broken claims. Private to the jose room. */
#ifndef JOSE_CLAIMS_INTERNAL_H
#define JOSE_CLAIMS_INTERNAL_H

#include "jose/claims.h"
#include "jose/json_strict.h"

/* As claims_parse; *out_verdict is JSON_FORBIDDEN for broken claims too. */
claims *claims_read(span json, json_verdict *out_verdict, error *e);

#endif
