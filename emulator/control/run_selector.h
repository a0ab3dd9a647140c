/* Kubernetes label selectors ("Labels and Selectors"): a=b, a==b, a!=b, a in (b,c), a notin (b,c),
 * a, !a; all of the terms must hold. Pure. */
#ifndef CONTROL_RUN_SELECTOR_H
#define CONTROL_RUN_SELECTOR_H

#include <jansson.h>

#include "base/span.h"

typedef enum run_selected { RUN_SELECTED, RUN_NOT_SELECTED, RUN_SELECTOR_BROKEN } run_selected;

/* labels (nullable) is an object of texts. */
run_selected run_select(span selector, const json_t *labels);

#endif
