#include "logline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

enum { MESSAGE_MAX = 1024, TRACE_ID_MAX = 64 };

static const char *g_service = "service"; /* set once, before the first thread */

void logline_service(const char *name)
{
    g_service = name;
}

static const char *severity_name(severity level)
{
    switch (level) {
    case SEVERITY_INFO:
        return "INFO";
    case SEVERITY_WARNING:
        return "WARNING";
    case SEVERITY_ERROR:
        return "ERROR";
    }
    abort();
}

static void timestamp(char *out, size_t out_size)
{
    struct timespec now;
    struct tm parts;
    char seconds[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out, out_size, "%s.%03ldZ", seconds, now.tv_nsec / 1000000L);
}

/* One write per line: lines of several threads do not mix, and nothing waits in a buffer when the
 * process is killed. */
static void write_line(const json_t *line)
{
    char *dumped = json_dumps(line, JSON_COMPACT);
    if (!dumped) {
        return;
    }
    const size_t size = strlen(dumped);
    dumped[size] = '\n'; /* the NUL's place: the line is written by its length */
    const ssize_t written = write(STDOUT_FILENO, dumped, size + 1);
    (void)written; /* a log that cannot be written has nowhere to complain */
    free(dumped);
}

static void emit(severity level, json_t *fields, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void emit(severity level, json_t *fields, const char *format, va_list arguments)
{
    char message[MESSAGE_MAX];
    char when[48];
    vsnprintf(message, sizeof message, format, arguments);
    timestamp(when, sizeof when);
    text_printable(message);
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "time", when, "severity", severity_name(level),
                             "service", g_service, "message", message);
    if (line) {
        json_object_update_missing(line, fields);
        write_line(line);
    }
    json_decref(line);
    json_decref(fields);
}

void logline(severity level, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    emit(level, NULL, format, arguments);
    va_end(arguments);
}

void logline_with(severity level, json_t *fields, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    emit(level, fields, format, arguments);
    va_end(arguments);
}

void logline_add_trace(json_t *fields, const char *trace_context)
{
    if (!trace_context) {
        return;
    }
    const size_t size = strspn(trace_context, "0123456789abcdefABCDEF");
    if (size == 0 || size > TRACE_ID_MAX) {
        return;
    }
    const char *project = getenv("GOOGLE_CLOUD_PROJECT");
    char trace[256];
    if (project) {
        snprintf(trace, sizeof trace, "projects/%.100s/traces/%.*s", project, (int)size,
                 trace_context);
    } else {
        snprintf(trace, sizeof trace, "%.*s", (int)size, trace_context);
    }
    json_object_set_new(fields, "logging.googleapis.com/trace", json_string(trace));
}
