/* Words that explain.c and explain_fix.c share. Private to decision/. */
#ifndef DECISION_EXPLAIN_TEXT_H
#define DECISION_EXPLAIN_TEXT_H

#include "base/buf.h"
#include "decision/explain.h"

enum { NAMES_SHOWN_MAX = 6 };

/* What every sentence may need. */
typedef struct explaining {
    buf *b;
    const snapshot *s;
    const decision *d;
    const request_facts *f;
    int64_t now_us;
} explaining;

/* explain_grant.c: the causes that lie in the policies. */
void explain_allowed(const explaining *x);
void explain_no_credential(const explaining *x);
void explain_denied(const explaining *x);
void explain_unmet(const explaining *x);
void explain_no_grant(const explaining *x);
void explain_waiting(const explaining *x);

/* Somebody else's text in double quotes: cut to a sane length, control characters masked. */
void explain_quoted(buf *b, span text);

/* As one word of a shell command; in single quotes where it needs them. */
void explain_shell(buf *b, span text);

/* "serviceAccount:a@b" */
void explain_member(buf *b, const principal *p);

/* "90 s", "12 min", "3 h": how long, for people. */
void explain_span_of_time(buf *b, int64_t us);

/* What mends it where that is not the command of the reason's row: the service to change and the
 * account that it should run as, or the custom domain to be made an audience; else both empty. */
void explain_mend(const snapshot *s, const decision *d, span *out_service, span *out_value);

/* https://…run.app, the URL that production's tokens are made for. */
const char *explain_production_url(const service *svc);

#endif
