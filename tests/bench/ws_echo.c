/* The WebSocket upstream: echoes small frames. Prints its port. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "common/listening.h"

enum { ROOM = 8192, PAYLOAD_MAX = 125, MASK = 4, SHA1_BYTES = 20 };

#define MASKED      0x80
#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455 §1.3 */

typedef struct peer {
    loop_watch watch;
    loop *loop;
    bool open; /* the handshake is over */
    size_t got;
    uint8_t in[ROOM];
} peer;

static void drop(peer *p)
{
    loop_del(p->loop, &p->watch);
    (void)close(p->watch.fd);
    free(p);
}

static span field(span head, const char *name)
{
    span line;
    while (span_cut(&head, '\n', &line)) {
        span before;
        if (span_cut(&line, ':', &before) && span_ieq_str(before, name))
            return span_trim((span){line.p, line.n - 1});
    }
    return (span){0};
}

/* All of it or nothing: what one round echoes fits any socket's buffer. */
static bool answer(const peer *p, const void *bytes, size_t n)
{
    return send(p->watch.fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool accept_upgrade(peer *p, span head)
{
    const span key = field(head, "sec-websocket-key");
    char text[128], out[256];
    uint8_t digest[SHA1_BYTES], base64[32];
    if (key.n == 0 || key.n > 64)
        return false;
    const int n = snprintf(text, sizeof text, "%.*s%s", SPAN_ARG(key), ACCEPT_GUID);
    if (EVP_Digest(text, (size_t)n, digest, NULL, EVP_sha1(), NULL) != 1)
        return false;
    (void)EVP_EncodeBlock(base64, digest, SHA1_BYTES);
    const int out_n = snprintf(out, sizeof out,
                               "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                               "Upgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                               (const char *)base64);
    p->open = true;
    return answer(p, out, (size_t)out_n);
}

/* Takes whole frames off the input and appends their echoes; false on what it does not do. */
static bool echo_frames(peer *p, uint8_t *out, size_t *out_n, size_t *used)
{
    while (p->got - *used >= 2) {
        const uint8_t *f = p->in + *used;
        const size_t n = f[1] & ~MASKED & 0xff;
        if (!(f[1] & MASKED) || n > PAYLOAD_MAX || (f[0] & 0x0f) == 8)
            return false;
        if (p->got - *used < 2 + MASK + n)
            return true;
        out[(*out_n)++] = f[0];
        out[(*out_n)++] = (uint8_t)n;
        for (size_t i = 0; i < n; i++)
            out[(*out_n)++] = f[2 + MASK + i] ^ f[2 + i % MASK];
        *used += 2 + MASK + n;
    }
    return true;
}

static bool take_input(peer *p)
{
    size_t used = 0, out_n = 0;
    uint8_t out[ROOM];
    if (!p->open) {
        const uint8_t *end = memmem(p->in, p->got, "\r\n\r\n", 4);
        if (!end)
            return p->got < sizeof p->in;
        used = (size_t)(end - p->in) + 4;
        if (!accept_upgrade(p, (span){(const char *)p->in, used}))
            return false;
    }
    if (!echo_frames(p, out, &out_n, &used) || (out_n && !answer(p, out, out_n)))
        return false;
    p->got -= used;
    memmove(p->in, p->in + used, p->got);
    return true;
}

static void on_input(loop_watch *w, uint32_t events)
{
    (void)events;
    peer *p = container_of(w, peer, watch);
    const ssize_t n = recv(w->fd, p->in + p->got, sizeof p->in - p->got, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0) {
        p->got += (size_t)n;
        if (take_input(p))
            return;
    }
    drop(p);
}

static void on_accept(void *ctx, int fd, const net_addr *from)
{
    (void)from;
    peer *p = calloc(1, sizeof *p);
    if (!p) {
        (void)close(fd);
        return;
    }
    p->loop = ctx;
    p->watch = (loop_watch){.ready = on_input, .fd = fd};
    if (!loop_add(p->loop, &p->watch, EPOLLIN, NULL))
        drop(p);
}

int main(void)
{
    listening_run(on_accept);
}
