/* Collects what is wrong with a topology, each problem at its place, so that a user sees all of
 * them in one go. */
#ifndef CONFIG_DIAG_H
#define CONFIG_DIAG_H

#include "config/topology.h"

enum { DIAG_MAX = 100, DIAG_TEXT_MAX = 600 };

typedef struct diag_sink diag_sink;

diag_sink *diag_new(void);
void diag_free(diag_sink *d); /* NULL is fine */

/* Reports one problem; where.file is compared by content and copied. The same text at the same
 * place (a node used through several aliases) is kept once; past DIAG_MAX nothing is. */
void diag_at(diag_sink *d, place where, const char *fmt, ...) PRINTF_LIKE(3, 4);

size_t diag_count(const diag_sink *d);
/* Worth computing a suggestion for? */
bool diag_full(const diag_sink *d);

/* Moves everything to *out, sorted by file (in the order of first mention or diag_file), line and
 * column. */
void diag_finish(diag_sink *d, diagnostics *out);

/* Makes a file known, so that its problems come in reading order. */
void diag_file(diag_sink *d, const char *file);

/* "; did you mean 'x'?", or "" when nothing is near. Valid until the next call. */
const char *diag_suggest(diag_sink *d, span word, const char *const *candidates);

#endif
