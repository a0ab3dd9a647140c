/* What the parts of cel/ share, and nobody else sees: tokens, the tree, the table of functions. */
#ifndef CEL_INTERNAL_H
#define CEL_INTERNAL_H

#include "base/arena.h"
#include "cel/cel.h"

/* ---- tokens (cel-spec, "Syntax") ---- */
#define CEL_TOKENS(X)                                                                              \
    X(TOKEN_END, "the end of the expression")                                                      \
    X(TOKEN_NAME, "a name")                                                                        \
    X(TOKEN_INT, "an int")                                                                         \
    X(TOKEN_DOUBLE, "a double")                                                                    \
    X(TOKEN_STRING, "a string")                                                                    \
    X(TOKEN_OR, "||")                                                                              \
    X(TOKEN_AND, "&&")                                                                             \
    X(TOKEN_EQ, "==")                                                                              \
    X(TOKEN_NE, "!=")                                                                              \
    X(TOKEN_LE, "<=")                                                                              \
    X(TOKEN_GE, ">=")                                                                              \
    X(TOKEN_LT, "<")                                                                               \
    X(TOKEN_GT, ">")                                                                               \
    X(TOKEN_IN, "in")                                                                              \
    X(TOKEN_TRUE, "true")                                                                          \
    X(TOKEN_FALSE, "false")                                                                        \
    X(TOKEN_NULL, "null")                                                                          \
    X(TOKEN_PLUS, "+")                                                                             \
    X(TOKEN_MINUS, "-")                                                                            \
    X(TOKEN_STAR, "*")                                                                             \
    X(TOKEN_SLASH, "/")                                                                            \
    X(TOKEN_PERCENT, "%")                                                                          \
    X(TOKEN_NOT, "!")                                                                              \
    X(TOKEN_QUESTION, "?")                                                                         \
    X(TOKEN_COLON, ":")                                                                            \
    X(TOKEN_DOT, ".")                                                                              \
    X(TOKEN_COMMA, ",")                                                                            \
    X(TOKEN_OPEN, "(")                                                                             \
    X(TOKEN_CLOSE, ")")                                                                            \
    X(TOKEN_LIST, "[")                                                                             \
    X(TOKEN_LIST_END, "]")                                                                         \
    X(TOKEN_MAP, "{")                                                                              \
    X(TOKEN_MAP_END, "}")

typedef enum token_kind {
#define X(id, text) id,
    CEL_TOKENS(X)
#undef X
} token_kind;

typedef struct token {
    token_kind kind;
    size_t at; /* byte offset */
    span text; /* as written */
    union {
        uint64_t magnitude; /* TOKEN_INT */
        double d;           /* TOKEN_DOUBLE */
        span s;             /* TOKEN_STRING: decoded, in the program's memory */
    };
} token;

typedef struct compiler {
    span text;
    arena *mem; /* the program's */
    const cel_attribute *attributes;
    cel_problem *out;
    bool failed;    /* *out is filled: the first problem stays */
    token token;    /* the one that is looked at */
    size_t next;    /* the byte behind it */
    size_t nesting; /* of the parser */
} compiler;

/* lex.c: moves on; false: refused. */
bool lex(compiler *c);
/* literal.c: decodes what stands between the quotes; false: refused. */
bool lex_decode(compiler *c, size_t at, size_t end, bool raw, span *out);

/* problem.c: fills *out, unless an earlier problem stands there; always false. */
bool refuse(compiler *c, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void place_in(span text, size_t at, uint32_t *out_line, uint32_t *out_column);

/* ---- the tree ---- */
enum { TYPE_LIST = CEL_DURATION + 1 }; /* behind the cel_kinds; only to the right of `in` */

typedef enum expr_op {
    EXPR_CONST,
    EXPR_NAME,      /* what the parser leaves behind; the checker turns it into the next one */
    EXPR_ATTRIBUTE, /* number in the table: index */
    EXPR_SELECT,    /* a field of something that is no name: always refused */
    EXPR_CALL,      /* arithmetic too */
    EXPR_LIST,
    EXPR_IN,
    EXPR_NOT,
    EXPR_AND,
    EXPR_OR,
    EXPR_IF, /* ?: */
    EXPR_EQ,
    EXPR_NE,
    EXPR_LT,
    EXPR_LE,
    EXPR_GT,
    EXPR_GE
} expr_op;

typedef struct overload overload;
typedef struct expr expr;
struct expr {
    expr_op op;
    unsigned type; /* cel_kind or TYPE_LIST; since the check */
    bool method;   /* EXPR_CALL: the first child stood in front of the dot */
    size_t argc, depth;
    size_t at;          /* of names and literals their begin, else of the operator or function */
    expr *first, *last; /* children */
    expr *next;         /* of the parent's */
    span name;          /* EXPR_NAME, EXPR_SELECT, EXPR_CALL */
    size_t index;       /* EXPR_ATTRIBUTE */
    cel_value value;
    const overload *call;
    const void *prepared; /* what a call's literal argument was turned into */
};

/* parse.c: NULL: refused. */
expr *parse(compiler *c);
/* check.c: false: refused. */
bool check(compiler *c, expr *root);

/* ---- running ---- */
enum {
    RUN_SCRATCH = 8 * 1024, /* all strings that one evaluation builds */
    RUN_STEPS = 1000000     /* then it is given up; some milliseconds */
};

typedef struct run {
    const cel_value *attributes;
    size_t steps; /* left */
    size_t used;  /* of scratch */
    char scratch[RUN_SCRATCH];
} run;

/* false: too much, which is an error like any other. */
static inline bool run_spend(run *r, size_t steps)
{
    if (steps > r->steps)
        return false;
    r->steps -= steps;
    return true;
}

/* n bytes for a string that lives as long as the run; NULL: too much. */
char *run_take(run *r, size_t n);

enum { CALL_ARGS_MAX = 2 };

/* eval.c: of a checked tree; false: an error. */
bool eval(run *r, const expr *e, cel_value *out);

struct overload {
    const char *name;
    bool method;
    unsigned argc; /* the receiver counts */
    unsigned in[CALL_ARGS_MAX], out;
    /* false: an error. v: as many as argc. */
    bool (*call)(run *r, const expr *e, const cel_value *v, cel_value *out);
    int what; /* for functions that share one implementation */
    /* When compiled; may turn e into a constant. false: refused. NULL: nothing to do. */
    bool (*prepare)(compiler *c, expr *e);
};

/* functions.c */
const overload *overload_find(span name, bool method, const expr *args, size_t argc);
/* Any of that name and form, for messages. */
const overload *overload_named(span name, bool method, size_t nth);
/* "an int", … */
const char *type_name(unsigned type);

/* refused.c: what CEL or IAM know and we do not: why, and what to write instead; else NULL. */
const char *refused_function(span name);
const char *refused_attribute(span name);

/* numbers.c */
bool call_int(run *r, const expr *e, const cel_value *v, cel_value *out);    /* what: '+', … */
bool call_double(run *r, const expr *e, const cel_value *v, cel_value *out); /* likewise */
bool call_negate(run *r, const expr *e, const cel_value *v, cel_value *out); /* int or double */
bool call_same(run *r, const expr *e, const cel_value *v, cel_value *out);   /* int(int), … */
bool call_to_int(run *r, const expr *e, const cel_value *v, cel_value *out); /* of a double … */
bool call_parse_int(run *r, const expr *e, const cel_value *v, cel_value *out);
bool call_to_double(run *r, const expr *e, const cel_value *v, cel_value *out);

/* strings.c */
enum { WHAT_STARTS, WHAT_ENDS, WHAT_CONTAINS };
bool call_search(run *r, const expr *e, const cel_value *v, cel_value *out); /* what: WHAT_… */
bool call_size(run *r, const expr *e, const cel_value *v, cel_value *out);
bool call_concat(run *r, const expr *e, const cel_value *v, cel_value *out);
bool call_to_string(run *r, const expr *e, const cel_value *v, cel_value *out);
bool call_extract(run *r, const expr *e, const cel_value *v, cel_value *out);
bool prepare_extract(compiler *c, expr *e);

/* times.c: arithmetic and the parts of a time. */
typedef enum time_part {
    PART_YEAR,
    PART_MONTH,
    PART_DATE,
    PART_DAY_OF_MONTH,
    PART_DAY_OF_WEEK,
    PART_DAY_OF_YEAR,
    PART_HOURS,
    PART_MINUTES,
    PART_SECONDS,
    PART_MILLISECONDS
} time_part;
bool call_time(run *r, const expr *e, const cel_value *v, cel_value *out); /* what: '+' or '-' */
bool call_part(run *r, const expr *e, const cel_value *v, cel_value *out); /* what: time_part */
bool call_duration_part(run *r, const expr *e, const cel_value *v, cel_value *out);
bool call_unix_seconds(run *r, const expr *e, const cel_value *v, cel_value *out);
bool call_from_unix(run *r, const expr *e, const cel_value *v, cel_value *out);
bool prepare_zone(compiler *c, expr *e);

/* zone.c: time zones: fixed offsets and UTC. */
typedef struct zone zone;
/* In c's memory; NULL: refused, at `at`. */
const zone *zone_find(compiler *c, size_t at, span name);
/* East of Greenwich, in seconds, at this second since 1970. */
int64_t zone_offset(const zone *z, int64_t second);

/* time_text.c: RFC 3339 timestamps, durations such as "1h30m". */
enum { TIME_TEXT_MAX = 40 };
bool call_timestamp(run *r, const expr *e, const cel_value *v, cel_value *out);
bool call_duration(run *r, const expr *e, const cel_value *v, cel_value *out);
bool prepare_timestamp(compiler *c, expr *e);
bool prepare_duration(compiler *c, expr *e);
/* How CEL writes them: "2030-01-02T03:04:05.5Z", "1.5s"; the length. */
size_t timestamp_print(int64_t us, char out[TIME_TEXT_MAX]);
size_t duration_print(int64_t us, char out[TIME_TEXT_MAX]);

/* calendar.c: the proleptic Gregorian calendar. */
#define TIMESTAMP_MIN_US INT64_C(-62135596800000000) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX_US INT64_C(253402300799999999) /* 9999-12-31T23:59:59.999999Z */
#define DURATION_MAX_US  INT64_C(315576000000000000) /* 10,000 years, as protobuf has it */
#define SECOND_US        INT64_C(1000000)
typedef struct civil {
    int64_t year;
    int month, day; /* from 1 */
} civil;
int64_t days_from_civil(civil d); /* since 1970-01-01 */
civil civil_from_days(int64_t days);
int days_in_month(int64_t year, int month);
int64_t floor_div(int64_t a, int64_t b); /* b > 0 */

#endif
