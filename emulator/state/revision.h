/* Revisions of an entry of the collection "services": an array, oldest first, of
 * {"metadata":{"name", "uid","creationTimestamp","labels","annotations"},"spec"}, spec and
 * annotations being those that the template had then; and who of them is sent requests by
 * "knative"."spec"."traffic". */
#ifndef STATE_REVISION_H
#define STATE_REVISION_H

#include <jansson.h>
#include <stdint.h>

/* Of one revision; borrowed; NULL when it has none. */
const char *revision_name(const json_t *revision);
/* Of an entry; borrowed; NULL when there is none (of that name). */
json_t *revision_find(const json_t *entry, const char *name);
json_t *revision_latest(const json_t *entry);

/* The name of the revision that a target of spec.traffic leads to. */
const char *revision_of_target(const json_t *entry, const json_t *target);

/* What percentage of requests is sent to it. */
int64_t revision_share(const json_t *entry, const char *name);

/* The one that most are sent to, the newest of equals: what a single process can stand for. */
json_t *revision_serving(const json_t *entry);

#endif
