/* Which cells of the matrix (caller x service) a suite asserts, allowed and denied apart; and which
 * grants nobody needs. */
#ifndef EXPECT_COVERAGE_H
#define EXPECT_COVERAGE_H

#include "expect/roster.h"
#include "expect/suite.h"

typedef struct cell {
    reason reason; /* of a flawless request from inside */
    bool covered;
} cell;

typedef struct share {
    size_t covered, all;
} share;

typedef struct coverage {
    roster rows;    /* callers */
    size_t columns; /* services */
    cell *cells;    /* row by row */
    share allowed, denied;
} coverage;

/* A cell is covered when a case that passed had its outcome: the same reason, by a token that is
 * not wrong, now. false and *e: the matrix has too many cells. */
bool coverage_of(const suite *s, int64_t now_us, coverage *out, error *e);
void coverage_free(coverage *c);

share coverage_total(const coverage *c);

/* "99.9%": one digit, cut, never rounded up; "100%" is all of them. Of nothing, all. Appends. */
void share_percent(buf *b, share s);

/* A percentage as people write it ("95", "99.95"), in ten-thousandths of a percent. */
bool percent_parse(const char *text, int64_t *out);
/* Compares exactly. */
bool share_is_under(share s, int64_t percent);

/* ---- grants ---- */

/* Somebody else who may know of uses: a recording, a gateway's traffic. */
typedef struct usage {
    bool (*was_used)(void *ctx, const snapshot *s, const binding *g);
    void *ctx;
} usage;

/* The bindings that let somebody invoke something, and that neither a case which passed nor the
 * traffic (was_used: NULL: none is known) needed; *out_count of them, caller frees the array. */
const binding **unused_bindings(const suite *s, const usage *traffic, size_t *out_count);

#endif
