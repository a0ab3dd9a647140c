/* What people ask the control listener about calls that nobody made, and about tokens. Nothing of
 * it is logged. */
#ifndef CLI_BACKEND_ASK_H
#define CLI_BACKEND_ASK_H

#include "control/control.h"

/* control_backend.why and .inspect; ctx is a gateway_backend. */
bool backend_why(void *ctx, const json_t *question, buf *out, error *e);
bool backend_inspect(void *ctx, span text, buf *out, error *e);

#endif
