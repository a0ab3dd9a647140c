/* The URLs and names that Cloud Run derives for a service ("HTTPS requests" in its docs). */
#ifndef POLICY_RUN_URL_H
#define POLICY_RUN_URL_H

#include "policy/snapshot.h"
#include "policy/textpool.h"

/* https://NAME-NUMBER.REGION.run.app; NULL when NAME-NUMBER is no DNS label (more than 63). */
const char *run_url_deterministic(textpool *m, const project *p, const char *name);

/* https://NAME-HASH-CODE.a.run.app, the hash being the project's. */
const char *run_url_hash(textpool *m, const project *p, const char *name);

/* NAME-00001-abc */
const char *run_revision(textpool *m, const char *name);

#endif
