/* base64 as JSON APIs carry bytes (RFC 4648 §4; ProtoJSON: "Either standard or URL-safe base64
 * encoding with/without paddings are accepted"). */
#ifndef JOSE_BASE64_H
#define JOSE_BASE64_H

#include "base/buf.h"

/* Appends the standard encoding, padded. */
void base64_encode(buf *b, const void *p, size_t n);

/* Appends the bytes; either alphabet, padded or not. false (and *b may hold a part): foreign
 * characters, blanks, misplaced padding, length 1 mod 4. Spare bits do not matter. */
bool base64_decode(span text, buf *b);

#endif
