/* A libmicrohttpd daemon driven by a base loop (external epoll, one thread). Sockets are accepted
 * by ourselves and handed in. Shared by http/server (handlers that simply answer) and
 * proxy/h1_front.
 *
 * A response that is queued in the handler's first call (headers only) makes libmicrohttpd end the
 * connection after it: right for refusals with an unread body, otherwise answer in the next call.
 * There is no wake-up descriptor: after MHD_resume_connection call mhd_loop_kick. */
#ifndef HTTP_MHD_LOOP_H
#define HTTP_MHD_LOOP_H

#include <microhttpd.h>

#include "base/loop.h"
#include "base/net.h"

typedef struct mhd_loop mhd_loop;

typedef struct mhd_loop_options {
    MHD_AccessHandlerCallback handle;
    MHD_RequestCompletedCallback completed;
    /* nullable; copy uri: the parser tears it apart once this returns */
    void *(*raw_target)(void *ctx, const char *uri, struct MHD_Connection *c);
    MHD_NotifyConnectionCallback connection; /* nullable */
    void *ctx;                               /* first argument of all four */
    size_t connection_memory;                /* bytes per connection: bounds the request head */
    unsigned connections_max;
    unsigned idle_timeout_s; /* 0: none */
} mhd_loop_options;

mhd_loop *mhd_loop_open(loop *l, const mhd_loop_options *o, error *e);

/* No connection may be suspended any more (libmicrohttpd would abort): resume them first. */
void mhd_loop_close(mhd_loop *m);

/* Takes over an accepted, non-blocking socket; closes it when the daemon is full. `tag` is what
 * mhd_loop_adopting_tag() says during the connection callback that this call causes. */
void mhd_loop_adopt(mhd_loop *m, int fd, const net_addr *peer, void *tag);
void *mhd_loop_adopting_tag(const mhd_loop *m);

/* A connection was resumed, or there is more for the daemon to do: it runs once more before the
 * loop sleeps. */
void mhd_loop_kick(mhd_loop *m);

/* A short wait without MHD_suspend_connection, which costs two epoll_ctl and an empty recv: the
 * handler returned MHD_YES in its last call without a response. libmicrohttpd then wants to run
 * again at once, for ever. While any connection is held that wish is not followed: the daemon runs
 * after events and kicks, and at the least every millisecond, calling the handlers of all held
 * connections each time. So hold few and not for long, and kick wherever a callback leaves work. */
void mhd_loop_hold(mhd_loop *m);
void mhd_loop_release(mhd_loop *m);

#endif
