/* Expectations about a topology: the cases of its test files, and what became of each. */
#ifndef EXPECT_SUITE_H
#define EXPECT_SUITE_H

#include "base/arena.h"
#include "config/topology.h"
#include "decision/hypothesis.h"

enum {
    SUITE_CASES_MAX = 200 * 1000, /* of one topology, combinations counted in full */
    SUITE_CELLS_MAX = 4 * 1000 * 1000
};

/* What a case wants. */
typedef struct expectation {
    bool allows;     /* let in, or refused */
    unsigned status; /* of the refusal; 0: any */
    reason reason;   /* REASON_COUNT_: any that fits */
} expectation;

/* "allow", "refuse", "403", "no_grant", "403 no_grant". Appends. */
void expectation_put(buf *b, const expectation *e);
bool expectation_met(const expectation *e, reason got);

typedef struct test_case {
    const char *name;
    place at;
    hypothesis_options call; /* caller: an e-mail; all texts are the suite's */
    bool timed;              /* time_us counts instead of now, or is to be added to it */
    bool relative;
    int64_t time_us;
    expectation wanted;
} test_case;

/* When the case takes place. */
int64_t case_time_us(const test_case *c, int64_t now_us);

typedef enum verdict { VERDICT_SKIPPED, VERDICT_PASSED, VERDICT_FAILED } verdict;

/* Texts are malloc'ed or NULL. */
typedef struct outcome {
    verdict verdict;
    reason got;                         /* REASON_COUNT_: nothing was decided */
    const binding *used;                /* what allowed it; NULL: nothing, or it is not known */
    char *cause, *fix, *here, *nearest; /* of a failure */
    char *skipped;                      /* why it could not be done */
} outcome;

typedef struct suite {
    char *topology; /* its path as given or as the test file names it */
    snapshot *s;
    snapshot *first; /* before suite_judge_by; NULL: it is still s */
    arena *mem;
    const char **files; /* the test files that were read */
    size_t file_count, file_cap;
    test_case *cases;
    outcome *outcomes; /* one for each case, once it was run */
    size_t count, cap;
} suite;

/* Takes over the caller's count on s. */
suite *suite_new(const char *topology, snapshot *s);
void suite_free(suite *s); /* NULL is fine */

/* From now on another snapshot of the same topology counts. Takes over the caller's count. Once. */
void suite_judge_by(suite *s, snapshot *other);

/* The topology that a test file is about, its path joined to the file's folder: what it names, else
 * x.yaml beside x.test.yaml. Caller frees; NULL: the file cannot be read, or names none (reported
 * in *out). */
char *suite_file_topology(const char *path, diagnostics *out);

/* Adds a file's cases. Every problem in it goes to *out, with its place; false when there is any.
 */
bool suite_read(suite *s, const char *path, diagnostics *out);

/* Forgets what became of its cases: none was run yet. */
void suite_begin(suite *s);

/* Judges each case by the pure decision. now_us: when those without a time take place. */
void suite_run(suite *s, int64_t now_us);

/* Fills in what became of a case, with the words that explain a failure. d: the decision on f. */
void outcome_settle(outcome *o, const snapshot *s, const test_case *c, const decision *d,
                    const request_facts *f, int64_t now_us);

size_t suite_tally(const suite *s, verdict v);

#endif
