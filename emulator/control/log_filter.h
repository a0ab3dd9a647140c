/* The filters of Cloud Logging's entries:list ("Logging query language"), as far as they are known
 * here; what is not is refused with its place, never guessed. Pure: no clock, no store.
 *
 * Known: comparisons FIELD OP VALUE with = != > >= < <= and : (has), values quoted or not, several
 * of them in parentheses; AND, OR, NOT and -, OR binding closer than AND; blanks for AND; bare
 * values, searched for in every field; log_id(); comments from -- on. Text is compared without
 * regard to case, as are the names of LogEntry's fields, in camelCase or snake_case; keys of labels
 * and of payloads are compared exactly. A comparison of a label or of a part of the payload that an
 * entry has not is false, also with !=; other fields that are not there count as their default.
 *
 * Not known: regular expressions (=~ and !~: they are RE2's) and the other functions. */
#ifndef CONTROL_LOG_FILTER_H
#define CONTROL_LOG_FILTER_H

#include <jansson.h>

#include "base/error.h"
#include "base/span.h"

enum { LOG_FILTER_CHARACTERS_MAX = 20000, LOG_FILTER_DEPTH_MAX = 100 };

typedef struct log_filter log_filter;

/* Caller frees; NULL and *e, whose text ends in "at line 1, column 7", columns being characters.
 * The empty filter lets everything through. */
log_filter *log_filter_new(span text, error *e);
void log_filter_free(log_filter *f); /* NULL is fine */

/* entry: a LogEntry, which is only read. */
bool log_filter_matches(const log_filter *f, json_t *entry);

/* What every entry that matches has: so that the others need not be made at all. */
typedef struct log_bounds {
    span service;             /* resource.labels.service_name, whatever its case; empty: any */
    int64_t from_us, till_us; /* its timestamp's, both inclusive */
} log_bounds;
log_bounds log_filter_bounds(const log_filter *f);

/* A LogSeverity, whatever its case, or its number as digits: 0 to 800, or -1. And the name of such
 * a number; NULL when it has none. */
int log_severity_number(span name);
const char *log_severity_name(int number);

#endif
