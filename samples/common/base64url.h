/* Base64 for URLs without padding (RFC 4648 section 5), as JSON web tokens use it. */
#ifndef COMMON_BASE64URL_H
#define COMMON_BASE64URL_H

#include "text.h"

bool base64url_encode(text *out, const void *bytes, size_t size);
/* Strict: refuses padding, foreign characters and spare bits that are not zero. */
bool base64url_decode(text *out, const char *encoded, size_t size);

#endif
