/* The Common Expression Language as far as IAM conditions need it (cel-spec, "Language definition";
 * IAM docs, "Attribute reference for IAM Conditions"): compiled and type-checked once, then
 * evaluated any number of times, on any thread, without allocation. */
#ifndef CEL_CEL_H
#define CEL_CEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

typedef enum cel_kind {
    CEL_BOOL,
    CEL_INT,
    CEL_DOUBLE,
    CEL_STRING,
    CEL_TIMESTAMP, /* microseconds since 1970 */
    CEL_DURATION   /* microseconds */
} cel_kind;

/* What an expression may name: {"request.time", CEL_TIMESTAMP}. A table ends with a NULL name. */
typedef struct cel_attribute {
    const char *name;
    cel_kind kind;
} cel_attribute;

typedef struct cel_value {
    cel_kind kind;
    union {
        bool b;
        int64_t i; /* also timestamps and durations */
        double d;
        span s;
    };
} cel_value;

typedef struct cel_problem {
    uint32_t line, column; /* from 1 */
    char text[400];        /* what was found, what was expected, how to mend it */
} cel_problem;

enum { CEL_TEXT_MAX = 12 * 1024, CEL_DEPTH_MAX = 64 };

typedef struct cel_program cel_program;

/* NULL and *out when it is not well formed, names what is not in the table, uses what is not
 * supported (which is named), or does not yield a bool. The text is copied. */
cel_program *cel_compile(span text, const cel_attribute *attributes, cel_problem *out);
void cel_free(cel_program *p); /* NULL is fine */

/* Where the n-th (from 0) of its logical operators (&&, || and !) stands; false: it has fewer. */
bool cel_logical_operator(const cel_program *p, size_t n, uint32_t *out_line, uint32_t *out_column);

typedef enum cel_result { CEL_FALSE, CEL_TRUE, CEL_FAILED } cel_result;

/* values: one for each attribute of the table, in its order. CEL_FAILED: an error at run time
 * (overflow, division by zero, a malformed timestamp in a string, …): IAM takes it for false. */
cel_result cel_eval(const cel_program *p, const cel_value *values);

#endif
