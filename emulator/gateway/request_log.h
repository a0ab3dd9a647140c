/* The request log: one line for each request, as Cloud Logging has them (LogEntry of the log
 * run.googleapis.com/requests), plus an "invoker" object with what production does not say. */
#ifndef GATEWAY_REQUEST_LOG_H
#define GATEWAY_REQUEST_LOG_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "gateway/record.h"

typedef enum request_log_mode {
    REQUEST_LOG_ALL,
    REQUEST_LOG_REFUSED, /* refusals and failures of the gateway only */
    REQUEST_LOG_OFF
} request_log_mode;

/* Production: INFO, WARNING for what the client got wrong, ERROR for what the service did. */
const char *log_severity(unsigned status);
/* "0.004592759s"; a request that IAM refused took no time at all. */
void log_latency(buf *b, int64_t latency_us, bool refused);

/* What one entry leaves for the next. */
typedef struct log_state {
    int64_t second;
    char text[CLOCK_RFC3339_MAX];
} log_state;

/* Appends the entry, without newline. */
void request_log_json(buf *b, const record *r, log_state *state);
void request_log_text(buf *b, const record *r);

/* Lines of one worker, written together: some milliseconds late, or when there are many. */
typedef struct request_log request_log;
request_log *request_log_open(loop *l, request_log_mode mode);
void request_log_close(request_log *g); /* writes what is left */
void request_log_add(request_log *g, const record *r);

#endif
