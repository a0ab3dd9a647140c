#include "common/caller.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"

enum { REQUEST_MAX = 16 * 1024, CONNECT_MS = 5000, BODY_MAX = 1 << 20 };

void caller_die(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
    exit(1);
}

int64_t caller_number(const char *text, uint64_t max)
{
    uint64_t value;
    if (!span_u64(span_of(text), max, &value) || value == 0)
        caller_die("not a number from 1 to %llu: %s", (unsigned long long)max, text);
    return (int64_t)value;
}

char *caller_request(const char *host, const char *fixed, char *const *lines, int count)
{
    auto_buf buf b = buf_make(REQUEST_MAX);
    buf_fmt(&b, "GET / HTTP/1.1\r\nHost: %s\r\n%s", host, fixed);
    for (int i = 0; i < count; i++)
        buf_fmt(&b, "%s\r\n", lines[i]);
    buf_str(&b, "\r\n");
    if (!buf_ok(&b))
        caller_die("too many header lines");
    return buf_take(&b);
}

int caller_connect(const char *address)
{
    net_addr a;
    error e = {0};
    if (!net_addr_parse(span_of(address), &a, &e))
        caller_die("%s", e.text);
    const int fd = net_connect(&a, &e);
    if (fd < 0)
        caller_die("%s", e.text);
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int failed = 0;
    socklen_t n = sizeof failed;
    if (poll(&p, 1, CONNECT_MS) != 1 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &n) || failed)
        caller_die("cannot connect to %s", address);
    return fd;
}

void caller_send(int fd, const void *p, size_t n)
{
    const ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
    if (sent < 0 || (size_t)sent != n)
        caller_die("cannot send %zu bytes: %s", n, sent < 0 ? strerror(errno) : "buffer full");
}

/* The value of Content-Length in a head, or 0. */
static uint64_t content_length(span head)
{
    uint64_t length = 0;
    span line;
    while (span_cut(&head, '\n', &line)) {
        span name;
        span value = line;
        if (span_cut(&value, ':', &name) && span_ieq_str(name, "content-length") &&
            !span_u64(span_trim((span){value.p, value.n - 1}), BODY_MAX, &length))
            caller_die("Content-Length is odd: %.*s", SPAN_ARG(line));
    }
    return length;
}

size_t caller_answer(span s, const char *status)
{
    const char *end = memmem(s.p, s.n, "\r\n\r\n", 4);
    if (!end)
        return 0;
    const span head = {s.p, (size_t)(end - s.p) + 2};
    if (!span_starts(head, span_of(status)))
        caller_die("answered: %.*s", SPAN_ARG(head));
    const size_t whole = head.n + 2 + (size_t)content_length(head);
    return whole <= s.n ? whole : 0;
}

void latencies_open(latencies *l, size_t room)
{
    *l = (latencies){.us = calloc(room, sizeof *l->us), .room = room};
    if (!l->us)
        caller_die("no memory for %zu latencies", room);
}

void latencies_add(latencies *l, int64_t us)
{
    if (l->n < l->room)
        l->us[l->n++] = us;
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void latencies_sort(latencies *l)
{
    qsort(l->us, l->n, sizeof *l->us, compare);
}

int64_t latencies_at(const latencies *l, double share)
{
    if (l->n == 0)
        return 0;
    return l->us[(size_t)((double)(l->n - 1) * share)];
}
