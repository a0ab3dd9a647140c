/* Etags of Google's APIs are bytes: sent as base64, read back in either alphabet, with padding bits
 * normalised by clients. What is made here survives that unchanged; what comes in is compared by
 * its bytes. */
#ifndef CONTROL_IAM_ETAG_H
#define CONTROL_IAM_ETAG_H

#include <jansson.h>

#include "base/span.h"

enum { ETAG_TEXT = 13 };

/* What IAM says of a policy that nobody has set. */
#define ETAG_EMPTY_POLICY "ACAB"

/* Twelve letters and digits that follow from the value and the salt (whatever tells two equal
 * values apart: the time, the former etag; may be empty). The order of members does not count. */
void etag_make(const json_t *value, span salt, char out[ETAG_TEXT]);

typedef enum etag_verdict { ETAG_SAME, ETAG_OTHER, ETAG_MALFORMED } etag_verdict;

/* Both alphabets of RFC 4648, padding or none, blanks refused. */
etag_verdict etag_compare(span given, span mine);

#endif
