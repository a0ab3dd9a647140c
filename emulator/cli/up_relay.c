/* Output of services: cut into lines, named, passed to the log sink. */
#include "cli/up_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    LINE_BYTES_MAX = 32 * 1024, /* longer ones are cut into several */
    ENTRY_BYTES_MAX = 8 * LINE_BYTES_MAX,
    READ_BYTES = 16 * 1024,
    STALLED_PAUSE_US = 20000
};

struct relay {
    loop *loop;
    loop_watch watch;
    loop_timer pause;
    char *name;
    int child_fd, wait_for_fd;
    bool colour;
    log_channel *channel;
    buf held; /* read, but not passed on yet */
};

static void format_json(buf *out, const char *name, span line)
{
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(clock_wall_us(), 6, time);
    buf_fmt(out, "{\"timestamp\":\"%s\",\"severity\":\"DEFAULT\",\"process\":", time);
    buf_json(out, span_of(name));
    json_auto_t *object = line.n && line.p[0] == '{' ? json_loadb(line.p, line.n, 0, NULL) : NULL;
    if (json_is_object(object)) {
        buf_str(out, ",\"jsonPayload\":");
        buf_span(out, line);
    } else {
        buf_str(out, ",\"message\":");
        buf_json(out, line);
    }
    buf_char(out, '}');
}

static void format_text(buf *out, bool colour, const char *name, span line)
{
    buf_fmt(out, colour ? "\033[36m%s |\033[0m " : "%s | ", name);
    buf_span(out, line);
}

void relay_format(buf *out, log_format format, bool colour, const char *name, span line)
{
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    if (format == LOG_JSON)
        format_json(out, name, line);
    else
        format_text(out, colour, name, line);
}

static void emit(const relay *r, span line)
{
    auto_buf buf entry = buf_make(ENTRY_BYTES_MAX);
    relay_format(&entry, log_current_format(), r->colour, r->name, line);
    log_line(buf_view(&entry));
    log_channel_line(r->channel, line);
}

/* A line goes out only where it fits: poll promises PIPE_BUF bytes of a pipe, most lines are
 * shorter, and for the rest the sink drops what it cannot take. */
static bool sink_takes(const relay *r)
{
    struct pollfd p = {.fd = r->wait_for_fd, .events = POLLOUT};
    return r->wait_for_fd < 0 || poll(&p, 1, 0) != 0;
}

/* Passes on the whole lines that are held; false when the log's reader has stalled. */
static bool pass_on(relay *r)
{
    span rest = buf_view(&r->held);
    bool flowing = true;
    while (rest.n) {
        size_t end = span_find(rest, '\n');
        if (end == rest.n && rest.n < LINE_BYTES_MAX)
            break;
        flowing = sink_takes(r);
        if (!flowing)
            break;
        size_t line = end < LINE_BYTES_MAX ? end : LINE_BYTES_MAX;
        emit(r, (span){rest.p, line});
        rest = span_from(rest, line + (line == end && end < rest.n));
    }
    if (rest.n)
        memmove(r->held.p, rest.p, rest.n);
    r->held.n = rest.n;
    return flowing;
}

/* false when there is nothing more to read. */
static bool read_once(relay *r)
{
    char bytes[READ_BYTES];
    ssize_t got = read(r->watch.fd, bytes, sizeof bytes);
    if (got > 0)
        buf_add(&r->held, bytes, (size_t)got);
    return got > 0 || (got < 0 && errno == EINTR);
}

static void stall(relay *r)
{
    loop_del(r->loop, &r->watch);
    loop_timer_set(r->loop, &r->pause, loop_now_us(r->loop) + STALLED_PAUSE_US);
}

static void on_output(loop_watch *w, uint32_t events)
{
    (void)events;
    relay *r = container_of(w, relay, watch);
    (void)read_once(r);
    if (!pass_on(r))
        stall(r);
}

static void on_pause_over(loop_timer *t)
{
    relay *r = container_of(t, relay, pause);
    error e = {0};
    if (!pass_on(r))
        stall(r);
    else if (!loop_add(r->loop, &r->watch, EPOLLIN, &e))
        log_at(LOG_ERROR, "output is lost", LOG_S("child", r->name), LOG_S("why", e.text));
}

relay *relay_open(loop *l, const relay_options *o, error *e)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_errno(e, "cannot make a pipe");
        return NULL;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    relay *r = calloc(1, sizeof *r);
    if (!r)
        abort();
    *r = (relay){.loop = l,
                 .watch = {.ready = on_output, .fd = ends[0]},
                 .pause = {.fire = on_pause_over},
                 .name = span_dup(span_of(o->name)),
                 .child_fd = ends[1],
                 .wait_for_fd = o->wait_for_fd,
                 .colour = o->colour,
                 .channel = o->channel,
                 .held = buf_make(LINE_BYTES_MAX + READ_BYTES)};
    if (loop_add(l, &r->watch, EPOLLIN, e))
        return r;
    relay_close(r);
    return NULL;
}

int relay_child_fd(const relay *r)
{
    return r->child_fd;
}

void relay_close(relay *r)
{
    if (!r)
        return;
    while (pass_on(r) && read_once(r))
        ;
    if (r->held.n && sink_takes(r))
        emit(r, buf_view(&r->held));
    loop_timer_cancel(r->loop, &r->pause);
    loop_del(r->loop, &r->watch);
    (void)close(r->watch.fd);
    (void)close(r->child_fd);
    buf_free(&r->held);
    free(r->name);
    free(r);
}
