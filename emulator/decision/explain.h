/* A decision in words: why, and the command that mends it. Shared by the request log, `invoker why`
 * and the demo. */
#ifndef DECISION_EXPLAIN_H
#define DECISION_EXPLAIN_H

#include "base/buf.h"
#include "decision/decide.h"

/* One or two sentences with the names and values of this very request. Appends. */
void explain_cause(buf *b, const snapshot *s, const decision *d, const request_facts *f,
                   int64_t now_us);

/* The production command (gcloud …) or code change that mends it; nothing for an allowed one. */
void explain_fix(buf *b, const snapshot *s, const decision *d, const request_facts *f);

/* The line of the topology file that would allow it here ("matrix: add db-service to
 * frontend-sa"), or nothing. */
void explain_local_fix(buf *b, const snapshot *s, const decision *d, const request_facts *f);

/* The gcloud command that takes a binding away. */
void explain_revoke(buf *b, const snapshot *s, const binding *g);

/* One character of somebody else's text; a control character becomes "?". */
void explain_char(buf *b, char c);
/* All of it. */
void explain_clean(buf *b, span text);

/* A condition as gcloud's --condition-from-file reads it: one line of JSON. */
void explain_condition(buf *b, const condition *c);

/* How the matrix calls somebody: an account of the project by its bare name, else the e-mail. */
void explain_caller(buf *b, const snapshot *s, const principal *p);

#endif
