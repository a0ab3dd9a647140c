/* base64url without padding (RFC 4648 §5, RFC 7515 §2), canonical only. */
#ifndef JOSE_B64URL_H
#define JOSE_B64URL_H

#include "base/buf.h"

/* Appends the encoding of the bytes. */
void b64url_encode(buf *b, const void *p, size_t n);

/* Upper bound of the decoded size. */
static inline size_t b64url_decoded_max(size_t n)
{
    return n / 4 * 3 + 3;
}

/* Decodes into out (b64url_decoded_max(text.n) bytes). Refuses padding, blanks, foreign characters,
 * length 1 mod 4 and non-zero spare bits. */
bool b64url_decode(span text, uint8_t *out, size_t *out_n);

#endif
