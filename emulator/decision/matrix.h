/* Who may invoke what: each cell is a real decision about a flawless request from inside. */
#ifndef DECISION_MATRIX_H
#define DECISION_MATRIX_H

#include "base/buf.h"
#include "decision/decide.h"

/* Rows are callers: the accounts, the people, and last whoever comes without a token. Columns are
 * services. */
typedef struct matrix {
    const snapshot *s; /* the caller's */
    int64_t now_us;
    size_t accounts, users, rows, columns;
} matrix;

matrix matrix_of(const snapshot *s, int64_t now_us);

/* The caller's e-mail; NULL: anonymous. */
const char *matrix_email(const matrix *m, size_t row);

/* As people call them: "frontend-sa", "alice@example.com", "anonymous". Appends. */
void matrix_caller(const matrix *m, size_t row, buf *b);

/* The decision of a cell. Its audience_got is NULL. */
decision matrix_cell(const matrix *m, size_t row, size_t column);

/* What stands behind its yes or no ("public", "propagating", "group:…, project"); nothing for the
 * plain ones. Appends. */
void matrix_note(buf *b, const decision *d);

#endif
