/* `invoker diff`: what a topology and what gcloud printed say differently of the same things. */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include "base/buf.h"
#include "cli/import.h"

typedef struct differ {
    const snapshot *here;  /* the topology */
    const imported *there; /* the files; built with the topology's project and names */
    buf *out;
    size_t count;
} differ;

/* All differences, in the files' order, as lines. */
void diff_all(differ *d);

/* ---- the lines ---- */
/* "WHERE: only here|there: WHAT" */
void diff_only(differ *d, bool here, place at, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* "PLACE-THERE: SUBJECT: KEY is THERE, here HERE (PLACE-HERE)" */
void diff_value(differ *d, const char *subject, const char *key, place here_at, const char *here,
                place there_at, const char *there);

/* diff_service.c, diff_policy.c */
void diff_service(differ *d, const found_service *f);
void diff_policy(differ *d, const found_policy *p);

#endif
