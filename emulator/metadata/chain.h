/* Who may act as whom (docs: "Create short-lived credentials for a service account", "…with
 * multiple service accounts"). Pure. */
#ifndef METADATA_CHAIN_H
#define METADATA_CHAIN_H

#include "policy/snapshot.h"

/* The link that does not hold. */
typedef struct chain_break {
    const char *permission; /* which is missing, or NULL: on is disabled */
    span holder;            /* to whom; a view of the principal or of the snapshot */
    const account *on;
} chain_break;

/* May the caller do what the permission stands for as the last of the accounts, by way of the ones
 * before it? The caller needs iam.serviceAccounts.implicitDelegation on the first, each of them on
 * the next, and the last but one (else the caller) the permission itself. No account has any of
 * these on itself unless it is granted. count > 0. */
bool chain_holds(const snapshot *s, const principal *caller, const account *const *accounts,
                 size_t count, const char *permission, int64_t now_us, chain_break *out);

#endif
