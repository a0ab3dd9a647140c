/* Words that the reports share. Private to expect/. */
#ifndef EXPECT_REPORT_WORDS_H
#define EXPECT_REPORT_WORDS_H

#include "expect/report.h"

/* "allow (granted)", "403 no_grant", "nothing". */
void put_got(buf *b, const outcome *o);
/* Somebody's text without control characters: for terminals and for one line. */
void put_safe(buf *b, const char *text);
/* "service backend-api" or "the project". */
void put_scope(buf *b, const snapshot *s, const binding *g);
/* "coverage of policies/x.yaml: 95.8%, asked for 100%": the name of a check of its own. */
void put_fail_under(buf *b, const report *r, const suite_report *of);
bool is_under(const report *r, const suite_report *of);
/* "83.3% of 24 cells (allowed 8 of 8, 100%; denied 12 of 16, 75%)" */
void put_coverage(buf *b, const coverage *c);

size_t report_tally(const report *r, verdict v);

#endif
