/* Looking up what people name: the error of a name that is not there suggests the nearest. */
#ifndef DECISION_LOOKUP_H
#define DECISION_LOOKUP_H

#include "base/error.h"
#include "policy/snapshot.h"

/* NULL and *e: "no service 'backnd-api' in policies/x.yaml; did you mean 'backend-api'?" */
const service *lookup_service(const snapshot *s, const char *name, error *e);

/* By short name, e-mail or unique id. NULL and *e, also for the name of a service, which then says
 * as whom that runs. */
const account *lookup_account(const snapshot *s, const char *name, error *e);

/* The e-mail of a caller: an account's (lookup_account), or any e-mail as it stands. NULL and *e:
 * it is neither. A view of the snapshot or of name. */
const char *lookup_caller(const snapshot *s, const char *name, error *e);

#endif
