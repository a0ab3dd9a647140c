/* What `invoker doctor` has to say: findings, and what each client library would make of it. */
#ifndef CLI_DOCTOR_REPORT_H
#define CLI_DOCTOR_REPORT_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/buf.h"

typedef enum finding_level { FINDING_OK, FINDING_WARNING, FINDING_PROBLEM } finding_level;

/* Texts belong to the finding; those that are NULL have nothing to say. */
typedef struct finding {
    finding_level level;
    const char *area; /* "environment" */
    const char *code; /* for programs: "metadata_variable" */
    char *seen;
    char *expected;
    char *mend; /* a command or a setting */
} finding;

/* A client library's way to the metadata server. */
typedef struct library_row {
    const char *name;
    char *asks; /* "127.0.0.1:8182", "http://proxy:3128 for …" */
    bool found;
    bool reachable_by_variables; /* it reads one at all */
    char *as;                    /* the account of the token that it got; NULL: none */
    char *why; /* what is in its way, or what it took for granted; NULL: nothing */
} library_row;

typedef struct report {
    finding *findings;
    size_t count, cap;
    library_row *libraries;
    size_t library_count, library_cap;
    char *head;   /* first line: whose case this is */
    char *notice; /* second line: what matters more than any finding; NULL: nothing */
} report;

void report_free(report *r);

/* Adds one; valid until the next is added. */
finding *report_add(report *r, finding_level level, const char *area, const char *code,
                    const char *seen, ...) PRINTF_LIKE(5, 6);
void finding_expect(finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);
void finding_mend(finding *f, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* An error's text, taken apart where it says how it is mended ("; mend with: …"). */
finding *report_add_error(report *r, finding_level level, const char *area, const char *code,
                          const char *text);

/* Adds a row, zeroed but for its name. */
library_row *report_add_library(report *r, const char *name);

size_t report_count(const report *r, finding_level level);

/* For people: problems first, then warnings, the libraries, and where all is well; verbose: with
 * what was seen there. */
void report_write_text(const report *r, bool verbose, bool colour, buf *out);
/* For programs. */
void report_write_json(const report *r, buf *out);

/* A formatted string that the caller frees; never NULL. */
char *text_of(const char *fmt, ...) PRINTF_LIKE(1, 2);

#endif
