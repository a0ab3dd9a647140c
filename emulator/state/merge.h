/* The topology's file and the state, put together. Pure. */
#ifndef STATE_MERGE_H
#define STATE_MERGE_H

#include <jansson.h>

#include "policy/snapshot.h"

/* base with the document's entries over it (base itself where there is nothing to do); the caller
 * holds one count. before (nullable) is the
 * merged snapshot that this one replaces: grants that are new in it, and those that it had and that
 * are gone, propagate from now_us on (see snapshot_build). Entries whose "over" is not the base's
 * fingerprint any more do not count. */
snapshot *state_merge(snapshot *base, const json_t *document, const snapshot *before,
                      int64_t now_us);

/* What the file says of a service (its definition, not its policy), of an account, of the policy of
 * a resource ("project", "services/NAME", "serviceAccounts/E-MAIL"): 16 hex digits, the "over" of a
 * new entry. "" where it says nothing. */
enum { FINGERPRINT_TEXT = 17 };
void fingerprint_service(const snapshot *base, const char *name, char out[FINGERPRINT_TEXT]);
void fingerprint_account(const snapshot *base, const char *email, char out[FINGERPRINT_TEXT]);
void fingerprint_policy(const snapshot *base, const char *whose, char out[FINGERPRINT_TEXT]);

/* Does the entry (nullable) still count, now that the file says what base says? */
bool state_service_counts(const snapshot *base, const char *name, const json_t *entry);
bool state_account_counts(const snapshot *base, const char *email, const json_t *entry);
bool state_policy_counts(const snapshot *base, const char *whose, const json_t *entry);

/* Does this binding of base belong to the policy of that resource? */
bool binding_of(const snapshot *base, const binding *g, const char *whose);

/* merge_service.c: gives the builder the service that an entry's Knative object describes. was:
 * what the file says of it (NULL: nothing); it keeps what only the file can say. */
void merge_service(snapshot_builder *b, const snapshot *base, const service *was, const char *name,
                   const json_t *entry);

#endif
