/* Account ids without a registry: two fixed-key hashes of the e-mail, ten digits each. The keys are
 * part of the format; changing them would change every account's id. */
#include "base/unique_id.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/hash.h"

enum { EMAIL_TEXT_MAX = 320 }; /* RFC 3696 erratum 1690; what follows does not take part */

static uint64_t ten_digits(uint64_t key, const char *text, size_t n)
{
    const hash_key k = {key, 0x696e766f6b65722eU};
    return hash_bytes(k, text, n) % UINT64_C(10000000000);
}

void account_unique_id(span email, char out[UNIQUE_ID_TEXT])
{
    char lower[EMAIL_TEXT_MAX];
    const size_t n = email.n < sizeof lower ? email.n : sizeof lower;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)email.p[i]);
    snprintf(out, UNIQUE_ID_TEXT, "1%010" PRIu64 "%010" PRIu64, ten_digits(1, lower, n),
             ten_digits(2, lower, n));
}
