/* The inside of a filter, for the files that make it up. */
#ifndef CONTROL_LOG_FILTER_IMPL_H
#define CONTROL_LOG_FILTER_IMPL_H

#include "base/arena.h"
#include "base/buf.h"
#include "control/log_filter.h"

/* ---- log_filter_lex.c ---- */

typedef enum lex_kind {
    LEX_END,
    LEX_OPEN,
    LEX_CLOSE,
    LEX_COMMA,
    LEX_MINUS,
    LEX_OPERATOR,
    LEX_TEXT,   /* not quoted; may hold quoted segments behind dots: labels."a/b" */
    LEX_STRING, /* with its quotes */
    LEX_AND,
    LEX_OR,
    LEX_NOT
} lex_kind;

typedef enum filter_op {
    OP_EQ,
    OP_NE,
    OP_GT,
    OP_GE,
    OP_LT,
    OP_LE,
    OP_HAS,
    OP_MATCH,  /* =~ */
    OP_NOMATCH /* !~ */
} filter_op;

typedef struct lexeme {
    lex_kind kind;
    filter_op op;
    size_t at; /* where it begins */
    span raw;
} lexeme;

/* The next one from `from` on. value: behind an operator, where - belongs to a number. */
bool lex_next(span text, size_t from, bool value, lexeme *out, error *e);
/* A string without its quotes, escapes resolved; `at` is where raw stands in text. */
bool lex_unquote(span text, size_t at, span raw, buf *out, error *e);
/* *e becomes "Unparseable filter: … at line 1, column 7"; false. */
bool lex_fail(span text, size_t at, error *e, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* ---- log_filter_field.c ---- */

typedef enum field_type {
    FIELD_STRING,
    FIELD_NUMBER,
    FIELD_BOOL,
    FIELD_TIME,
    FIELD_DURATION,
    FIELD_SEVERITY,
    FIELD_LABEL,  /* one of a map of strings */
    FIELD_LABELS, /* such a map itself */
    FIELD_PART,   /* something within a payload */
    FIELD_MESSAGE /* an object with fields of its own, or a whole payload */
} field_type;

typedef struct comparison {
    field_type type;
    filter_op op;
    const char **steps; /* the keys that lead to it, NULL-terminated */
    bool present;       /* ":*": is it there at all? */
    span text;          /* the value as text */
    bool is_number;
    double number; /* the value; seconds of a duration */
    int64_t time_us;
    bool flag;
} comparison;

/* Which field the segments name, whose keys are then in c->steps; false when there is none. */
bool field_find(arena *a, const char *const *segments, size_t count, comparison *c);
/* Fills in the value that c->text is for a field of that type; false when it is none, and
 * *out_expected is then what it should have been. */
bool field_value(comparison *c, const char **out_expected);
/* "1.5s" in seconds; ms, us, ns, m and h are units too. */
bool duration_seconds(span text, double *out);
bool number_of(span text, double *out);

/* ---- the tree ---- */

typedef enum node_kind {
    NODE_AND,
    NODE_OR,
    NODE_NOT, /* of left */
    NODE_COMPARISON,
    NODE_ANYWHERE, /* a bare value, in comparison.text */
    NODE_LOG_ID    /* likewise, percent-encoded */
} node_kind;

typedef struct node {
    node_kind kind;
    struct node *left, *right;
    comparison comparison;
} node;

struct log_filter {
    arena *arena;
    node *root; /* NULL: everything matches */
};

#endif
