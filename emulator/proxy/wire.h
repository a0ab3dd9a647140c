/* A connected, non-blocking socket as a stream of bytes: registered once, for both directions and
 * by edges, so that a request costs no epoll_ctl. Both sides of the proxy stand on it. What stands
 * on the socket itself, the bytes or TLS around them, its users do not see. */
#ifndef PROXY_WIRE_H
#define PROXY_WIRE_H

#include <sys/types.h>

#include "base/loop.h"

typedef struct wire wire;

/* Open to this room: the flags are read on every event. Embedded in, or owned by, one owner at a
 * time. */
struct wire {
    loop_watch watch;
    loop *loop;
    void (*on_event)(void *owner); /* something below changed; may close the wire */
    void *owner;
    bool readable;      /* worth a wire_recv */
    bool writable;      /* worth a wire_send */
    bool hung_up;       /* the peer sent its FIN: read on until the end shows */
    int error;          /* errno of what broke it */
    uint64_t received;  /* bytes so far */
    struct ssl_st *tls; /* NULL: plain; tls.c */
};

/* Takes over fd; false and *e (fd is then closed) when it cannot be watched. What there is to read
 * or room to write is told by on_event, from the next turn on. */
bool wire_open(wire *w, loop *l, int fd, error *e);
void wire_close(wire *w);
/* The same for a plain socket that is, and stays, somebody else's to close. */
bool wire_lend(wire *w, loop *l, int fd, error *e);
void wire_return(wire *w);
void wire_own(wire *w, void (*on_event)(void *owner), void *owner);

/* Bytes sent; 0: not now (an event will tell); -1: broken, see error. What was not sent has to be
 * offered again first (TLS may hold the record that it made of it). */
ssize_t wire_send(wire *w, const void *p, size_t n);

enum { WIRE_EOF = -1, WIRE_BROKEN = -2 };
/* Bytes received; 0: nothing yet (an event will tell); WIRE_EOF; WIRE_BROKEN. */
ssize_t wire_recv(wire *w, void *p, size_t n);

/* Ends what is sent; receiving goes on. false: not now (an event will tell), call it again. */
bool wire_shut(wire *w);

/* The flags that an event brings; for owners that look at the event themselves first. */
void wire_note(wire *w, uint32_t events);

#endif
