/* The claims of a JWT as plain data (RFC 7519 §4.1). Includes no JSON and no OpenSSL header, so
 * that the pure decision can see it. */
#ifndef JOSE_CLAIMS_H
#define JOSE_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

/* Immutable after parsing; strings belong to the struct and contain no NUL. Absent = NULL/false. */
typedef struct claims {
    const char *iss;
    const char *sub;
    const char *azp;
    const char *email;
    bool email_verified;
    const char *const *aud; /* a single string is a list of one */
    size_t aud_count;
    bool has_exp, has_iat, has_nbf;
    int64_t exp_s, iat_s, nbf_s; /* seconds since the epoch; fractions are cut */
} claims;

/* Parses a JWT payload. Refuses what is not a JSON object, duplicate names, NUL in strings, wrong
 * types of registered claims, numbers outside 0..2^53, more than 32 audiences, depth above 16. */
claims *claims_parse(span json, error *e);
void claims_free(claims *c);

#endif
