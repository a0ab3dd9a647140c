/* WebSocket load: every connection sends a frame, waits for its echo, sends the next. Prints
 * messages (each there and back), messages a second, p99 in microseconds. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "base/clock.h"
#include "common/caller.h"

enum {
    CONNECTIONS_MAX = 1024,
    PAYLOAD = 64,
    SENT = 6 + PAYLOAD, /* opcode and length, mask, payload: RFC 6455 §5.2 */
    ECHOED = 2 + PAYLOAD,
    ANSWER_MAX = 8192,
    LATENCIES_MAX = 1 << 22,
    HANDSHAKE_MS = 5000
};

#define BINARY_FINAL 0x82
#define MASKED       0x80

typedef struct connection {
    loop_watch watch;
    uint32_t round; /* stands in the payload: an old echo is not taken for a new one */
    int64_t sent_us;
    size_t got;
    uint8_t in[ECHOED];
} connection;

static latencies took;

static void send_frame(connection *c)
{
    uint8_t frame[SENT] = {BINARY_FINAL, MASKED | PAYLOAD, 0x12, 0x34, 0x56, 0x78};
    c->round++;
    for (size_t i = 0; i < PAYLOAD; i++)
        frame[6 + i] = (uint8_t)(c->round >> (8 * (i % 4))) ^ frame[2 + i % 4];
    c->sent_us = clock_mono_us();
    caller_send(c->watch.fd, frame, sizeof frame);
}

static void check(const connection *c)
{
    if (c->in[0] != BINARY_FINAL || c->in[1] != PAYLOAD)
        caller_die("not the echo of a frame: %02x %02x", c->in[0], c->in[1]);
    for (size_t i = 0; i < PAYLOAD; i++)
        if (c->in[2 + i] != (uint8_t)(c->round >> (8 * (i % 4))))
            caller_die("byte %zu of an echo is wrong", i);
}

static void on_echo(loop_watch *w, uint32_t events)
{
    (void)events;
    connection *c = container_of(w, connection, watch);
    const ssize_t n = recv(w->fd, c->in + c->got, sizeof c->in - c->got, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        caller_die("a connection was closed");
    c->got += (size_t)n;
    if (c->got < ECHOED)
        return;
    check(c);
    c->got = 0;
    latencies_add(&took, clock_mono_us() - c->sent_us);
    send_frame(c);
}

static void shake_hands(int fd, const char *request)
{
    char in[ANSWER_MAX];
    size_t got = 0;
    caller_send(fd, request, strlen(request));
    while (caller_answer((span){in, got}, "HTTP/1.1 101") == 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        const ssize_t n =
            poll(&p, 1, HANDSHAKE_MS) == 1 ? recv(fd, in + got, sizeof in - got, 0) : -1;
        if (n <= 0)
            caller_die("no answer to the handshake");
        got += (size_t)n;
    }
}

static const char handshake[] = "Connection: Upgrade\r\nUpgrade: websocket\r\n"
                                "Sec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n";

int main(int argc, char **argv)
{
    if (argc < 4)
        caller_die("usage: ws_load HOST:PORT CONNECTIONS SECONDS [HEADER…]");
    error e = {0};
    const size_t count = (size_t)caller_number(argv[2], CONNECTIONS_MAX);
    const int64_t seconds = caller_number(argv[3], 60);
    const char *request = caller_request(argv[1], handshake, argv + 4, argc - 4);
    connection *all = calloc(count, sizeof *all);
    loop *l = loop_new(&e);
    if (!all || !l)
        caller_die("cannot start: %s", e.text);
    latencies_open(&took, LATENCIES_MAX);
    for (size_t i = 0; i < count; i++) {
        all[i].watch = (loop_watch){.ready = on_echo, .fd = caller_connect(argv[1])};
        shake_hands(all[i].watch.fd, request);
        if (!loop_add(l, &all[i].watch, EPOLLIN, &e))
            caller_die("%s", e.text);
    }
    const int64_t begin = clock_mono_us();
    for (size_t i = 0; i < count; i++)
        send_frame(&all[i]);
    while (clock_mono_us() - begin < seconds * 1000000)
        loop_turn(l, 100000);
    const double passed = (double)(clock_mono_us() - begin) / 1e6;
    if (took.n < count)
        caller_die("only %zu echoes", took.n);
    latencies_sort(&took);
    (void)printf("%zu %.1f %lld\n", took.n, (double)took.n / passed,
                 (long long)latencies_at(&took, 0.99));
    return 0;
}
