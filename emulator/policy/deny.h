/* What deny policies (IAM v2) are made of: principals and permissions as they are written there. */
#ifndef POLICY_DENY_H
#define POLICY_DENY_H

#include "base/error.h"
#include "base/span.h"

/* "principal://goog/subject/alice@example.com", "principalSet://goog/public:all", … and the
 * deleted: ones ("Principal identifiers", IAM v2 API). *e says what was expected. */
bool deny_principal_check(span text, error *e);

/* "run.googleapis.com/routes.invoke"; a * may stand for the resource, the verb or both. */
bool deny_permission_check(span text, error *e);

/* Does it mean the permission, as roles name it ("run.routes.invoke")? */
bool deny_permission_covers(span pattern, span permission);

#endif
