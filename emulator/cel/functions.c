/* Every function and arithmetic operator, one row for each combination of types. */
#include "cel/internal.h"

#define INT       CEL_INT
#define DOUBLE    CEL_DOUBLE
#define STRING    CEL_STRING
#define TIMESTAMP CEL_TIMESTAMP
#define DURATION  CEL_DURATION
#define BOOL      CEL_BOOL

#define PART(name, part)                                                                           \
    {name, true, 1, {TIMESTAMP}, INT, call_part, part, NULL},                                      \
    {                                                                                              \
        name, true, 2, {TIMESTAMP, STRING}, INT, call_part, part, prepare_zone                     \
    }
#define DURATION_PART(name, part)                                                                  \
    {                                                                                              \
        name, true, 1, {DURATION}, INT, call_duration_part, part, NULL                             \
    }

static const overload table[] = {
    {"+", false, 2, {INT, INT}, INT, call_int, '+', NULL},
    {"-", false, 2, {INT, INT}, INT, call_int, '-', NULL},
    {"*", false, 2, {INT, INT}, INT, call_int, '*', NULL},
    {"/", false, 2, {INT, INT}, INT, call_int, '/', NULL},
    {"%", false, 2, {INT, INT}, INT, call_int, '%', NULL},
    {"+", false, 2, {DOUBLE, DOUBLE}, DOUBLE, call_double, '+', NULL},
    {"-", false, 2, {DOUBLE, DOUBLE}, DOUBLE, call_double, '-', NULL},
    {"*", false, 2, {DOUBLE, DOUBLE}, DOUBLE, call_double, '*', NULL},
    {"/", false, 2, {DOUBLE, DOUBLE}, DOUBLE, call_double, '/', NULL},
    {"-", false, 1, {INT}, INT, call_negate, 0, NULL},
    {"-", false, 1, {DOUBLE}, DOUBLE, call_negate, 0, NULL},
    {"+", false, 2, {STRING, STRING}, STRING, call_concat, 0, NULL},
    {"+", false, 2, {TIMESTAMP, DURATION}, TIMESTAMP, call_time, '+', NULL},
    {"+", false, 2, {DURATION, TIMESTAMP}, TIMESTAMP, call_time, '+', NULL},
    {"+", false, 2, {DURATION, DURATION}, DURATION, call_time, '+', NULL},
    {"-", false, 2, {TIMESTAMP, DURATION}, TIMESTAMP, call_time, '-', NULL},
    {"-", false, 2, {TIMESTAMP, TIMESTAMP}, DURATION, call_time, '-', NULL},
    {"-", false, 2, {DURATION, DURATION}, DURATION, call_time, '-', NULL},

    {"startsWith", true, 2, {STRING, STRING}, BOOL, call_search, WHAT_STARTS, NULL},
    {"endsWith", true, 2, {STRING, STRING}, BOOL, call_search, WHAT_ENDS, NULL},
    {"contains", true, 2, {STRING, STRING}, BOOL, call_search, WHAT_CONTAINS, NULL},
    {"extract", true, 2, {STRING, STRING}, STRING, call_extract, 0, prepare_extract},
    {"size", true, 1, {STRING}, INT, call_size, 0, NULL},
    {"size", false, 1, {STRING}, INT, call_size, 0, NULL},

    {"timestamp", false, 1, {STRING}, TIMESTAMP, call_timestamp, 0, prepare_timestamp},
    {"timestamp", false, 1, {INT}, TIMESTAMP, call_from_unix, 0, NULL},
    {"timestamp", false, 1, {TIMESTAMP}, TIMESTAMP, call_same, 0, NULL},
    {"duration", false, 1, {STRING}, DURATION, call_duration, 0, prepare_duration},
    {"duration", false, 1, {DURATION}, DURATION, call_same, 0, NULL},
    {"int", false, 1, {INT}, INT, call_same, 0, NULL},
    {"int", false, 1, {DOUBLE}, INT, call_to_int, 0, NULL},
    {"int", false, 1, {STRING}, INT, call_parse_int, 0, NULL},
    {"int", false, 1, {TIMESTAMP}, INT, call_unix_seconds, 0, NULL},
    {"double", false, 1, {DOUBLE}, DOUBLE, call_same, 0, NULL},
    {"double", false, 1, {INT}, DOUBLE, call_to_double, 0, NULL},
    {"string", false, 1, {STRING}, STRING, call_to_string, 0, NULL},
    {"string", false, 1, {INT}, STRING, call_to_string, 0, NULL},
    {"string", false, 1, {BOOL}, STRING, call_to_string, 0, NULL},
    {"string", false, 1, {TIMESTAMP}, STRING, call_to_string, 0, NULL},
    {"string", false, 1, {DURATION}, STRING, call_to_string, 0, NULL},

    PART("getFullYear", PART_YEAR),
    PART("getMonth", PART_MONTH),
    PART("getDate", PART_DATE),
    PART("getDayOfMonth", PART_DAY_OF_MONTH),
    PART("getDayOfWeek", PART_DAY_OF_WEEK),
    PART("getDayOfYear", PART_DAY_OF_YEAR),
    PART("getHours", PART_HOURS),
    PART("getMinutes", PART_MINUTES),
    PART("getSeconds", PART_SECONDS),
    PART("getMilliseconds", PART_MILLISECONDS),
    DURATION_PART("getHours", PART_HOURS),
    DURATION_PART("getMinutes", PART_MINUTES),
    DURATION_PART("getSeconds", PART_SECONDS),
    DURATION_PART("getMilliseconds", PART_MILLISECONDS),
};

static bool fits(const overload *o, const expr *args)
{
    for (size_t i = 0; i < o->argc; i++, args = args->next)
        if (args->type != o->in[i])
            return false;
    return true;
}

const overload *overload_find(span name, bool method, const expr *args, size_t argc)
{
    for (size_t i = 0; i < countof(table); i++) {
        const overload *o = &table[i];
        if (o->method == method && o->argc == argc && span_eq_str(name, o->name) && fits(o, args))
            return o;
    }
    return NULL;
}

const overload *overload_named(span name, bool method, size_t nth)
{
    for (size_t i = 0; i < countof(table); i++)
        if (table[i].method == method && span_eq_str(name, table[i].name) && nth-- == 0)
            return &table[i];
    return NULL;
}
