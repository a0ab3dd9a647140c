/* A caller of the rig that speaks HTTP/1.1 over TLS. */
#ifndef SECURE_FIXTURE_H
#define SECURE_FIXTURE_H

#include "proxy_fixture.h"
#include "tls_fixture.h"

static inline SSL *secure_caller(int *out_fd)
{
    *out_fd = rig_caller(&R);
    SSL *ssl = fixture_dial(*out_fd, "known.test", "\x08http/1.1");
    RIG_UNTIL(&R, SSL_do_handshake(ssl) == 1);
    return ssl;
}

static inline void secure_say(SSL *ssl, const char *text)
{
    ck_assert_int_eq(SSL_write(ssl, text, (int)strlen(text)), (int)strlen(text));
}

static inline bool secure_take(SSL *ssl)
{
    char block[4096];
    const int n = SSL_read(ssl, block, sizeof block);
    if (n > 0)
        buf_add(&heard, block, (size_t)n);
    return n <= 0 && !fixture_waits(ssl, n);
}

static inline void secure_hear(SSL *ssl, const char *text)
{
    buf_clear(&heard);
    RIG_UNTIL(&R, (secure_take(ssl), heard.n && strstr(heard.p, text)));
}

static inline void leave(SSL *ssl, int fd)
{
    SSL_free(ssl);
    close(fd);
}

#endif
