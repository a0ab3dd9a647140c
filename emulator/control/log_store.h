/* The last lines that containers wrote to stdout and stderr, for each service by itself, so that a
 * chatty one does not push out the others'. Memory is bounded, and only taken as it is used. */
#ifndef CONTROL_LOG_STORE_H
#define CONTROL_LOG_STORE_H

#include <jansson.h>

#include "base/span.h"
#include "policy/snapshot.h"

typedef struct log_store log_store;

typedef enum line_stream { STREAM_STDOUT, STREAM_STDERR } line_stream;

enum {
    LINE_ID_LEN = 24,
    LINE_BYTES_MAX = 32 * 1024,       /* longer ones are cut */
    STORE_SERVICE_BYTES = 256 * 1024, /* with what is noted beside the lines */
    STORE_SERVICE_LINES = 4000,
    STORE_SERVICES_MAX = 64 /* a further one pushes out whichever has been silent longest */
};

typedef struct container_line {
    int64_t time_us, received_us;
    uint64_t serial; /* counts all lines of the store */
    line_stream stream;
    bool about_loss; /* not the container's: it says how many lines are missing here */
    span service, revision, text;
} container_line;

log_store *log_store_new(void);
void log_store_free(log_store *s); /* NULL is fine */

/* Forgets all lines. */
void log_store_clear(log_store *s);

/* Copied; the serial is given out. */
void log_store_add(log_store *s, const container_line *line);

/* Calls fn with every line of the service of that name (empty: of all), the oldest of a service
 * first. Views into the store, valid until the next line is added. */
void log_store_each(const log_store *s, span name,
                    void (*fn)(void *ctx, const container_line *line), void *ctx);

/* What its entry is called; the same order as the lines came in. */
void log_store_insert_id(const log_store *s, const container_line *line, char out[LINE_ID_LEN + 1]);

/* A new LogEntry, of the log run.googleapis.com/stdout or stderr. The line is its textPayload; one
 * that is a JSON object is its jsonPayload, without what Cloud Run's structured logging moves to
 * fields of the entry: severity, trace, spanId, trace_sampled, labels, operation, sourceLocation.
 */
json_t *log_store_entry(const log_store *s, const container_line *line, const project *p);
/* Makes the line as it was written the entry's textPayload, whatever it has been. */
void log_entry_text_only(json_t *entry, const container_line *line);

#endif
