/* Structured logs as Cloud Logging reads them from a container: one JSON object a line on stdout,
 * with the special fields severity, message, httpRequest and trace. Any thread may call. */
#ifndef COMMON_LOGLINE_H
#define COMMON_LOGLINE_H

#include <jansson.h>

typedef enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR } severity;

/* Who is speaking; called once, before the first line. */
void logline_service(const char *name);

void logline(severity level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with further fields; the reference to them is taken over, NULL is none. */
void logline_with(severity level, json_t *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts the trace id of an X-Cloud-Trace-Context value into fields, where there is one. */
void logline_add_trace(json_t *fields, const char *trace_context);

#endif
