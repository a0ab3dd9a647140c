/* The bindings of a snapshot by the policy they stand in. */
#ifndef CLI_GRANT_ORDER_H
#define CLI_GRANT_ORDER_H

#include "policy/snapshot.h"

typedef struct grant_order grant_order;

/* s outlives it. */
grant_order *grant_order_new(const snapshot *s);
void grant_order_free(grant_order *o);

/* Those of one policy, in the order in which they were written; resource: see snapshot_allows. */
const binding *const *grant_order_of(const grant_order *o, const resource *r, size_t *out_count);

/* A binding as IAM writes it, with several members: how many of the bindings that begin at `list`
 * have the role and the condition of the first. */
size_t grant_order_run(const binding *const *list, size_t count);

/* The same role and the same condition, texts compared. */
bool grant_same_terms(const binding *a, const binding *b);

#endif
