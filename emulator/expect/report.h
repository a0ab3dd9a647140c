/* What became of suites, for people and for programs. */
#ifndef EXPECT_REPORT_H
#define EXPECT_REPORT_H

#include "expect/coverage.h"

/* One topology's part. */
typedef struct suite_report {
    const suite *s;
    bool has_coverage;
    coverage coverage; /* where has_coverage */
    const binding **unused;
    size_t unused_count;
} suite_report;

typedef struct report {
    const suite_report *suites;
    size_t count;
    int64_t fail_under; /* percent_parse; -1: not asked for */
    int64_t started_us, took_us;
    bool live;    /* by real sockets */
    bool traffic; /* unused: traffic was looked at, too */
    bool colour;  /* text only */
} report;

enum { REPORT_BYTES_MAX = 256 * 1024 * 1024 };

/* Nothing failed, and the coverage is as asked for. */
bool report_is_good(const report *r);

/* Each appends all of it. */
void report_text(buf *b, const report *r);
void report_tap(buf *b,
                const report *r); /* https://testanything.org/tap-version-14-specification.html */
void report_junit(buf *b, const report *r);
void report_json(buf *b, const report *r);

#endif
