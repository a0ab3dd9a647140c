/* The log sink: one line per event, fields not prose, nothing secret (no token, key or signature).
 * Text on a terminal, JSON lines elsewhere. Thread-safe: one write(2) per line. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/span.h"

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level;
typedef enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON } log_format;

typedef struct log_field {
    const char *key; /* NULL ends a list */
    enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
    span text;
    int64_t number;
} log_field;

#define LOG_S(key, cstring) ((log_field){(key), LOG_FIELD_STR, span_of(cstring), 0})
#define LOG_V(key, view)    ((log_field){(key), LOG_FIELD_STR, (view), 0})
#define LOG_I(key, value)   ((log_field){(key), LOG_FIELD_INT, {0}, (int64_t)(value)})
#define LOG_B(key, value)   ((log_field){(key), LOG_FIELD_BOOL, {0}, (value) ? 1 : 0})

/* process is the word that opens each line ("gateway"). fd stays the caller's; 2 by default.
 * LOG_AUTO is text on a terminal, else JSON. Call once, before threads. */
void log_open(const char *process, log_format format, int fd);

/* As log_open on a file that is created or appended to (0600). */
bool log_open_file(const char *process, log_format format, const char *path, error *e);

void log_set_level(log_level least);
log_format log_current_format(void); /* LOG_TEXT or LOG_JSON, never LOG_AUTO */

/* log_at(LOG_WARN, "reload refused", LOG_S("file", path), LOG_I("problems", n)); */
#define log_at(level, event, ...)                                                                  \
    log_write((level), (event), &(const log_field[]){{0}, ##__VA_ARGS__, {0}}[1])
void log_write(log_level level, const char *event, const log_field *fields);

/* Writes one finished line (without newline) as it is: the request log. */
void log_line(span line);

#endif
