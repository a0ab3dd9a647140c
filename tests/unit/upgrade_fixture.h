/* Handshakes of WebSockets on the rig. */
#ifndef UPGRADE_FIXTURE_H
#define UPGRADE_FIXTURE_H

#include "proxy_fixture.h"

#define ASK_WITH(fields)                                                                           \
    "GET /chat HTTP/1.1\r\nHost: h\r\n" fields "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"   \
    "Sec-WebSocket-Version: 13\r\n\r\n"
#define ASK       "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define HANDSHAKE ASK_WITH(ASK)
#define SWITCH    "HTTP/1.1 101 Switching Protocols\r\n"
#define AGREED                                                                                     \
    SWITCH "Upgrade: websocket\r\nConnection: Upgrade\r\nKeep-Alive: timeout=5\r\n"                \
           "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"                                \
           "Sec-WebSocket-Protocol: chat\r\n\r\n"

static inline bool has(const char *text)
{
    return heard.n && strstr(heard.p, text) != NULL;
}

/* A caller and an upstream that speak to each other by now. */
static inline int upgraded_caller(int *out_up)
{
    int caller = waiting_caller(out_up, HANDSHAKE);
    rig_say(&R, *out_up, AGREED);
    rig_hear(&R, caller, &heard, "\r\n\r\n");
    ck_assert(has("HTTP/1.1 101 "));
    return caller;
}

static inline void expect_outcome(proxy_failure failure)
{
    const exchange_outcome *o = rig_outcome(&R, 0);
    ck_assert_int_eq(o->failure, failure);
    ck_assert_uint_eq(o->status, 101);
    ck_assert(o->forwarded);
    ck_assert_uint_eq(R.failures, 0);
}

static inline void reset(int fd)
{
    const struct linger hard = {.l_onoff = 1};
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(fd);
}

#endif
