/* One request at a time, each on a connection of its own: there are few, however much is written.
 */
#include "cli/log_sender.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/net.h"
#include "base/ring.h"

enum {
    KEPT_BYTES = 128 * 1024, /* of a channel: less than the gateway keeps, so that it shows a gap */
    KEPT_LINES = 2000,
    LINE_MAX_BYTES = 32 * 1024, /* longer ones are cut into several */
    BATCH_LINES = 1000,
    HURRY_LINES = 500,        /* so many do not wait to be collected */
    BATCH_BYTES = 256 * 1024, /* then a batch ends */
    REQUEST_MAX_BYTES = BATCH_BYTES + 8 * LINE_MAX_BYTES,
    ANSWER_MAX_BYTES = 1024,
    COLLECT_US = 50 * 1000, /* from a first line to its batch */
    AGAIN_US = 300 * 1000,  /* after a failure */
    ANSWER_US = 5000 * 1000
};

typedef struct kept_line {
    int64_t time_us;
    size_t n;
    char text[];
} kept_line;

struct log_channel {
    log_channel *next;
    log_sender *sender;
    char *service, *stream;
    ring *lines;   /* NULL until the first one */
    uint64_t told; /* of those that gave way: the gateway knows of them, or got them in time */
    buf partial;
};

struct log_sender {
    loop *loop;
    loop_watch watch;   /* fd -1: no request is under way */
    loop_timer timer;   /* to the next batch; of the answer */
    bool aimed, failed; /* the last request */
    net_addr address;
    char host[NET_ADDR_TEXT_MAX];
    log_channel *channels;
    /* the request under way */
    log_channel *of;
    size_t count;  /* of its lines */
    uint64_t lost; /* of that channel when it began */
    buf request, answer;
    size_t sent;
};

static void on_socket(loop_watch *w, uint32_t events);
static void on_timer(loop_timer *t);

log_sender *log_sender_open(loop *l)
{
    log_sender *s = calloc(1, sizeof *s);
    if (!s)
        abort();
    *s = (log_sender){.loop = l,
                      .watch = {.ready = on_socket, .fd = -1},
                      .timer = {.fire = on_timer},
                      .request = buf_make(REQUEST_MAX_BYTES),
                      .answer = buf_make(ANSWER_MAX_BYTES)};
    return s;
}

static void hang_up(log_sender *s)
{
    loop_timer_cancel(s->loop, &s->timer);
    loop_del(s->loop, &s->watch);
    if (s->watch.fd >= 0)
        (void)close(s->watch.fd);
    s->watch.fd = -1;
    s->of = NULL;
}

void log_sender_close(log_sender *s)
{
    if (!s)
        return;
    hang_up(s);
    while (s->channels) {
        log_channel *c = s->channels;
        s->channels = c->next;
        ring_free(c->lines);
        buf_free(&c->partial);
        free(c->service);
        free(c->stream);
        free(c);
    }
    buf_free(&s->request);
    buf_free(&s->answer);
    free(s);
}

/* ---- what waits ---- */

static bool has_lines(const log_channel *c)
{
    return c->lines && ring_count(c->lines);
}

/* The next one behind that of the last request, so that none has to wait for a chatty one. */
static log_channel *next_channel(const log_sender *s)
{
    for (log_channel *c = s->channels; c; c = c->next)
        if (has_lines(c))
            return c;
    return NULL;
}

static void move_to_end(log_sender *s, log_channel *c)
{
    log_channel **at = &s->channels;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    while (*at)
        at = &(*at)->next;
    *at = c;
    c->next = NULL;
}

static void schedule(log_sender *s, int64_t in_us)
{
    if (s->aimed && !s->of && !s->timer.slot && next_channel(s))
        loop_timer_set(s->loop, &s->timer, loop_now_us(s->loop) + in_us);
}

static void hurry(log_sender *s)
{
    if (s->aimed && !s->of && !s->failed)
        loop_timer_set(s->loop, &s->timer, loop_now_us(s->loop));
}

/* ---- a request ---- */

static void add_line(buf *b, const kept_line *line)
{
    char time[CLOCK_RFC3339_MAX];
    clock_rfc3339(line->time_us, 6, time);
    buf_fmt(b, "{\"time\":\"%s\",\"text\":", time);
    buf_json(b, (span){line->text, line->n});
    buf_char(b, '}');
}

static void write_body(log_sender *s, log_channel *c, buf *b)
{
    s->lost = ring_lost(c->lines);
    buf_fmt(b, "{\"stream\":\"%s\",\"lost\":%llu,\"lines\":[", c->stream,
            (unsigned long long)(s->lost - c->told));
    for (s->count = 0; s->count < ring_count(c->lines); s->count++) {
        if (s->count == BATCH_LINES || b->n > BATCH_BYTES)
            break;
        if (s->count)
            buf_char(b, ',');
        add_line(b, ring_at(c->lines, s->count));
    }
    buf_str(b, "]}");
}

static void write_request(log_sender *s, log_channel *c)
{
    auto_buf buf body = buf_make(REQUEST_MAX_BYTES);
    write_body(s, c, &body);
    buf_clear(&s->request);
    buf_clear(&s->answer);
    s->sent = 0;
    buf_str(&s->request, "POST /invoker/v1/services/");
    buf_percent(&s->request, span_of(c->service));
    buf_fmt(&s->request,
            "/logs HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\n"
            "Content-Length: %zu\r\n\r\n",
            s->host, body.n);
    buf_span(&s->request, buf_view(&body));
}

/* The lines stay where they are, and are sent again later. */
static void fail(log_sender *s)
{
    hang_up(s);
    s->failed = true;
    schedule(s, AGAIN_US);
}

static void begin(log_sender *s)
{
    log_channel *c = next_channel(s);
    if (!c || !s->aimed)
        return;
    write_request(s, c);
    s->of = c;
    s->watch.fd = buf_ok(&s->request) ? net_connect(&s->address, NULL) : -1;
    if (s->watch.fd < 0 || !loop_add(s->loop, &s->watch, EPOLLIN | EPOLLOUT, NULL)) {
        fail(s);
        return;
    }
    loop_timer_set(s->loop, &s->timer, loop_now_us(s->loop) + ANSWER_US);
}

/* Of those that were sent some may have given way meanwhile: they are not lost. */
static void succeed(log_sender *s)
{
    log_channel *c = s->of;
    const uint64_t gone = ring_lost(c->lines) - s->lost;
    const size_t gave_way = gone < s->count ? (size_t)gone : s->count;
    c->told = s->lost + gave_way;
    ring_drop(c->lines, s->count - gave_way);
    hang_up(s);
    const bool many = ring_count(c->lines) >= HURRY_LINES;
    move_to_end(s, c);
    s->failed = false;
    schedule(s, many ? 0 : COLLECT_US);
}

static bool is_transient(int failure)
{
    return failure == EAGAIN || failure == EINTR || failure == ENOTCONN;
}

static void send_more(log_sender *s)
{
    const span rest = span_from(buf_view(&s->request), s->sent);
    const ssize_t put = send(s->watch.fd, rest.p, rest.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && !is_transient(errno)) {
        fail(s);
        return;
    }
    s->sent += put > 0 ? (size_t)put : 0;
    if (s->sent == s->request.n)
        loop_mod(s->loop, &s->watch, EPOLLIN);
}

/* Taken, or refused for good (a service that the gateway does not know): in both cases done. Only
 * what it could not do now is sent again. */
static void take_answer(log_sender *s)
{
    const span text = buf_view(&s->answer);
    uint64_t status = 0;
    if (span_starts(text, SPAN_LIT("HTTP/1.1 ")) && text.n >= 12 &&
        span_u64((span){text.p + 9, 3}, 599, &status) && status < 500)
        succeed(s);
    else
        fail(s);
}

static void receive_more(log_sender *s)
{
    char bytes[ANSWER_MAX_BYTES];
    const ssize_t got = recv(s->watch.fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got > 0)
        buf_add(&s->answer, bytes, (size_t)got); /* more than fits is not looked at */
    else if (got == 0)
        take_answer(s);
    else if (!is_transient(errno))
        fail(s);
}

static void on_socket(loop_watch *w, uint32_t events)
{
    log_sender *s = container_of(w, log_sender, watch);
    if (events & (EPOLLERR | EPOLLHUP) && !(events & EPOLLIN)) {
        fail(s);
        return;
    }
    if (events & EPOLLOUT)
        send_more(s);
    if (s->of && events & EPOLLIN)
        receive_more(s);
}

static void on_timer(loop_timer *t)
{
    log_sender *s = container_of(t, log_sender, timer);
    if (s->of)
        fail(s); /* no answer came */
    else
        begin(s);
}

/* ---- from outside ---- */

void log_sender_aim(log_sender *s, const char *control)
{
    net_addr a;
    char text[NET_ADDR_TEXT_MAX];
    if (!s)
        return;
    const bool found = control && net_addr_resolve(span_of(control), &a, NULL);
    if (found && s->aimed && strcmp(net_addr_text(&a, text), s->host) == 0)
        return;
    hang_up(s);
    s->aimed = found;
    if (!found)
        return;
    s->address = a;
    (void)net_addr_text(&a, s->host);
    schedule(s, COLLECT_US);
}

log_channel *log_sender_channel(log_sender *s, const char *service, const char *stream)
{
    if (!s)
        return NULL;
    for (log_channel *c = s->channels; c; c = c->next)
        if (strcmp(c->service, service) == 0 && strcmp(c->stream, stream) == 0)
            return c;
    log_channel *c = calloc(1, sizeof *c);
    if (!c)
        abort();
    *c = (log_channel){.next = s->channels,
                       .sender = s,
                       .service = span_dup(span_of(service)),
                       .stream = span_dup(span_of(stream)),
                       .partial = buf_make(LINE_MAX_BYTES)};
    s->channels = c;
    return c;
}

void log_channel_line(log_channel *c, span line)
{
    if (!c)
        return;
    if (!c->lines)
        c->lines = ring_new(KEPT_BYTES, KEPT_LINES);
    if (line.n && line.p[line.n - 1] == '\r')
        line.n--;
    line.n = line.n < LINE_MAX_BYTES ? line.n : LINE_MAX_BYTES;
    kept_line *kept = ring_push(c->lines, sizeof *kept + line.n);
    kept->time_us = clock_wall_us();
    kept->n = line.n;
    if (line.n)
        memcpy(kept->text, line.p, line.n);
    schedule(c->sender, COLLECT_US);
    if (ring_count(c->lines) == HURRY_LINES)
        hurry(c->sender);
}

void log_channel_bytes(log_channel *c, span bytes)
{
    while (c && bytes.n) {
        const size_t end = span_find(bytes, '\n');
        const size_t room = LINE_MAX_BYTES - c->partial.n;
        const size_t taken = end < room ? end : room;
        buf_add(&c->partial, bytes.p, taken);
        const bool whole = taken == end && end < bytes.n;
        bytes = span_from(bytes, taken + whole);
        if (!whole && c->partial.n < LINE_MAX_BYTES)
            return;
        log_channel_line(c, buf_view(&c->partial));
        buf_clear(&c->partial);
    }
}

void log_channel_end(log_channel *c)
{
    if (!c || !c->partial.n)
        return;
    log_channel_line(c, buf_view(&c->partial));
    buf_clear(&c->partial);
}

void log_sender_flush(log_sender *s, int64_t max_us)
{
    if (!s || !s->aimed)
        return;
    const int64_t end_us = clock_mono_us() + max_us;
    s->failed = false;
    while (!s->failed && (s->of || next_channel(s))) {
        const int64_t left_us = end_us - clock_mono_us();
        if (left_us <= 0)
            return;
        if (!s->of) {
            loop_timer_cancel(s->loop, &s->timer);
            begin(s);
        }
        if (s->of)
            loop_turn(s->loop, left_us);
    }
}
