/* One line per event: text for people, JSON for programs. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum { LINE_MAX_BYTES = 64 * 1024, PROCESS_NAME_MAX = 64 };

/* The log sink: the one mutable global of the program. Written by log_open only, before threads. */
static struct {
    char process[PROCESS_NAME_MAX];
    log_format format;
    log_level least;
    int fd;
} sink = {"invoker", LOG_TEXT, LOG_INFO, 2};

static const struct {
    const char *text, *severity;
} levels[] = {
    [LOG_DEBUG] = {"debug", "DEBUG"},
    [LOG_INFO] = {"info", "INFO"},
    [LOG_WARN] = {"warning", "WARNING"},
    [LOG_ERROR] = {"error", "ERROR"},
};

void log_open(const char *process, log_format format, int fd)
{
    size_t n = strlen(process);
    if (n >= sizeof sink.process)
        n = sizeof sink.process - 1;
    memcpy(sink.process, process, n);
    sink.process[n] = '\0';
    sink.format = format != LOG_AUTO ? format : isatty(fd) ? LOG_TEXT : LOG_JSON;
    sink.fd = fd;
}

bool log_open_file(const char *process, log_format format, const char *path, error *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(e, "%s: cannot open the log file", path);
    log_open(process, format, fd);
    return true;
}

void log_set_level(log_level least)
{
    sink.least = least;
}

log_format log_current_format(void)
{
    return sink.format;
}

/* writev(2) takes what it only reads as if it wrote to it. */
static void *discard_const(const char *p)
{
    union {
        const char *in;
        void *out;
    } u = {p};
    return u.out;
}

/* A line that cannot be written (full disk, closed pipe) is lost: there is nobody to tell. One call
 * for line and newline, so that lines of several threads do not mix. */
static void emit(span line)
{
    static const char newline[] = "\n";
    struct iovec parts[] = {{discard_const(line.p), line.n}, {discard_const(newline), 1}};
    size_t at = line.n == 0;
    while (at < countof(parts)) {
        ssize_t put = writev(sink.fd, parts + at, (int)(countof(parts) - at));
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return;
        for (size_t left = (size_t)put; left && at < countof(parts);) {
            size_t n = left < parts[at].iov_len ? left : parts[at].iov_len;
            parts[at].iov_base = (char *)parts[at].iov_base + n;
            parts[at].iov_len -= n;
            left -= n;
            at += parts[at].iov_len == 0;
        }
    }
}

static void add_value(buf *b, const log_field *f)
{
    switch (f->type) {
    case LOG_FIELD_STR:
        buf_json(b, f->text);
        break;
    case LOG_FIELD_INT:
        buf_i64(b, f->number);
        break;
    case LOG_FIELD_BOOL:
        buf_str(b, f->number ? "true" : "false");
        break;
    }
}

static void write_json(buf *b, log_level level, const char *event, const log_field *fields)
{
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(clock_wall_us(), 6, time);
    buf_fmt(b, "{\"timestamp\":\"%s\",\"severity\":\"%s\",\"process\":", time,
            levels[level].severity);
    buf_json(b, span_of(sink.process));
    buf_str(b, ",\"message\":");
    buf_json(b, span_of(event));
    for (; fields->key; fields++) {
        buf_char(b, ',');
        buf_json(b, span_of(fields->key));
        buf_char(b, ':');
        add_value(b, fields);
    }
    buf_char(b, '}');
}

/* A bare word needs no quotes; everything else is written as a JSON string, so that no foreign text
 * can forge a line or move the cursor. */
static bool bare(span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7F || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '=')
            return false;
    return s.n > 0;
}

static void write_text(buf *b, log_level level, const char *event, const log_field *fields)
{
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(clock_wall_us(), 3, time);
    /* The time of day is enough for a terminal. */
    buf_fmt(b, "%.12s %-8s %-7s %s", time + 11, sink.process, levels[level].text, event);
    for (; fields->key; fields++) {
        buf_fmt(b, " %s=", fields->key);
        if (fields->type == LOG_FIELD_STR && bare(fields->text))
            buf_span(b, fields->text);
        else
            add_value(b, fields);
    }
}

void log_write(log_level level, const char *event, const log_field *fields)
{
    if (level < sink.least)
        return;
    auto_buf buf b = buf_make(LINE_MAX_BYTES);
    if (sink.format == LOG_JSON)
        write_json(&b, level, event, fields);
    else
        write_text(&b, level, event, fields);
    if (!buf_ok(&b)) {
        buf_clear(&b);
        buf_str(&b, "{\"severity\":\"ERROR\",\"message\":\"a log line was too long\"}");
    }
    emit(buf_view(&b));
}

void log_line(span line)
{
    emit(line);
}
