/* A decision's JSON as text. */
#ifndef CLI_WHY_VIEW_H
#define CLI_WHY_VIEW_H

#include <jansson.h>

#include "base/buf.h"

/* Appends everything below the first line, which is the caller's: what was asked (of one that
 * happened), the checks with what they compared, cause, cure and where to read on. */
void why_view(buf *b, const json_t *d, bool colour);

/* A text of it, or of a part of it; "" where there is none. The decision's own. */
const char *decision_text(const json_t *object, const char *key);

/* Whose call that decision is about: the principal; else whom the token names, or "somebody"
 * (*out_proved is false then); "anonymous" without a credential. The decision's own. */
const char *decision_caller(const json_t *d, bool *out_proved);
#define DECISION_NOT_PROVED " (not proved)"

#endif
