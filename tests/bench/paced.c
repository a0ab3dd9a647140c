/* Open-loop load: requests start by a fixed schedule, whether or not earlier ones were answered,
 * and each latency counts from the time at which its request was meant to start, so that a stall
 * costs every request that fell into it. Prints requests, p50, p99 and p99.9 in microseconds. */
#include <errno.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>

#include "base/clock.h"
#include "common/caller.h"

enum { CONNECTIONS_MAX = 1024, ANSWER_MAX = 8192, GRACE_US = 3000000 };

#define US_PER_S INT64_C(1000000)

typedef struct schedule schedule;

typedef struct connection {
    loop_watch watch;
    schedule *of;
    int64_t intended_us; /* of the request that it carries */
    size_t got;
    char in[ANSWER_MAX];
} connection;

struct schedule {
    loop *loop;
    loop_watch timer;
    const char *request;
    size_t request_n;
    int64_t begin_us, rate, total, started, armed_us;
    connection *idle[CONNECTIONS_MAX]; /* a ring, so that all of them take turns */
    size_t room, first, idle_n;
    latencies took;
};

static int64_t due_us(const schedule *s, int64_t i)
{
    return s->begin_us + i * US_PER_S / s->rate;
}

static void push_idle(schedule *s, connection *c)
{
    s->idle[(s->first + s->idle_n++) % s->room] = c;
}

static connection *pop_idle(schedule *s)
{
    connection *c = s->idle[s->first];
    s->first = (s->first + 1) % s->room;
    s->idle_n--;
    return c;
}

/* Starts what is due as far as connections are free, and wakes up again for the next one. */
static void launch(schedule *s)
{
    const int64_t now = clock_mono_us();
    while (s->idle_n > 0 && s->started < s->total && due_us(s, s->started) <= now) {
        connection *c = pop_idle(s);
        c->intended_us = due_us(s, s->started++);
        caller_send(c->watch.fd, s->request, s->request_n);
    }
    if (s->idle_n == 0 || s->started == s->total)
        return;
    const int64_t at = due_us(s, s->started);
    if (s->armed_us == at)
        return;
    s->armed_us = at;
    const struct itimerspec t = {.it_value = {at / US_PER_S, at % US_PER_S * 1000}};
    (void)timerfd_settime(s->timer.fd, TFD_TIMER_ABSTIME, &t, NULL);
}

static void on_timer(loop_watch *w, uint32_t events)
{
    (void)events;
    launch(container_of(w, schedule, timer));
}

static void on_answer(loop_watch *w, uint32_t events)
{
    (void)events;
    connection *c = container_of(w, connection, watch);
    const ssize_t n = recv(w->fd, c->in + c->got, sizeof c->in - c->got, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        caller_die("a connection was closed");
    c->got += (size_t)n;
    const size_t whole = caller_answer((span){c->in, c->got}, "HTTP/1.1 200");
    if (whole == 0)
        return;
    if (whole != c->got)
        caller_die("more than was asked for");
    c->got = 0;
    latencies_add(&c->of->took, clock_mono_us() - c->intended_us);
    push_idle(c->of, c);
    launch(c->of);
}

static void open_all(schedule *s, const char *address, size_t count)
{
    error e = {0};
    connection *all = calloc(count, sizeof *all);
    s->room = count;
    s->loop = loop_new(&e);
    s->timer = (loop_watch){.ready = on_timer, .fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)};
    if (!all || !s->loop || !loop_add(s->loop, &s->timer, EPOLLIN | EPOLLET, &e))
        caller_die("cannot start: %s", e.text);
    for (size_t i = 0; i < count; i++) {
        all[i].of = s;
        all[i].watch = (loop_watch){.ready = on_answer, .fd = caller_connect(address)};
        if (!loop_add(s->loop, &all[i].watch, EPOLLIN, &e))
            caller_die("%s", e.text);
        push_idle(s, &all[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc < 5)
        caller_die("usage: paced HOST:PORT CONNECTIONS REQUESTS/S SECONDS [HEADER…]");
    static schedule s;
    s.rate = caller_number(argv[3], 1000000);
    s.total = s.rate * caller_number(argv[4], 60);
    s.request = caller_request(argv[1], "", argv + 5, argc - 5);
    s.request_n = strlen(s.request);
    latencies_open(&s.took, (size_t)s.total);
    (void)prctl(PR_SET_TIMERSLACK, 1);
    open_all(&s, argv[1], (size_t)caller_number(argv[2], CONNECTIONS_MAX));
    s.begin_us = clock_mono_us();
    launch(&s);
    while ((int64_t)s.took.n < s.total && clock_mono_us() < due_us(&s, s.total) + GRACE_US)
        loop_turn(s.loop, GRACE_US / 10);
    if ((int64_t)s.took.n < s.total)
        caller_die("only %zu of %lld were answered", s.took.n, (long long)s.total);
    latencies_sort(&s.took);
    (void)printf("%zu %lld %lld %lld\n", s.took.n, (long long)latencies_at(&s.took, 0.5),
                 (long long)latencies_at(&s.took, 0.99), (long long)latencies_at(&s.took, 0.999));
    return 0;
}
