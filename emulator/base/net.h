/* Addresses and sockets: parse, print, listen, connect, match a CIDR. */
#ifndef BASE_NET_H
#define BASE_NET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/span.h"

enum { NET_ADDR_TEXT_MAX = 64 };

typedef struct net_addr {
    struct sockaddr_storage ss;
    socklen_t len;
} net_addr;

/* "127.0.0.1:8080" or "[::1]:8080"; numeric only, port 0..65535, no name look-up. "localhost:P" is
 * 127.0.0.1:P. */
bool net_addr_parse(span text, net_addr *out, error *e);

/* As net_addr_parse, but a host name is resolved by the system (blocks; CLI and start-up only). */
bool net_addr_resolve(span text, net_addr *out, error *e);

/* "127.0.0.1:8080" / "[::1]:8080"; net_addr_ip leaves the port (and brackets) out. */
const char *net_addr_text(const net_addr *a, char out[NET_ADDR_TEXT_MAX]);
const char *net_addr_ip(const net_addr *a, char out[NET_ADDR_TEXT_MAX]);
uint16_t net_addr_port(const net_addr *a);
void net_addr_set_port(net_addr *a, uint16_t port);
bool net_addr_is_loopback(const net_addr *a);
/* Same address, port left out; an IPv4-mapped IPv6 address equals its IPv4 form. */
bool net_addr_same_ip(const net_addr *a, const net_addr *b);

typedef struct net_cidr {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint8_t bits;      /* of 128 */
} net_cidr;

/* "10.1.0.0/16", "fd00::/8" or a single address. */
bool net_cidr_parse(span text, net_cidr *out, error *e);
bool net_cidr_has(const net_cidr *c, const net_addr *a);

/* A listening, non-blocking, close-on-exec TCP socket, or -1. With port 0 the kernel picks;
 * net_local() tells. reuseport: several workers (or a reservation) share the port. */
int net_listen(const net_addr *a, bool reuseport, error *e);

/* Binds without listening: keeps a port for SO_REUSEPORT listeners of child processes. */
int net_reserve(const net_addr *a, error *e);

bool net_local(int fd, net_addr *out);

/* Starts a non-blocking connection (TCP_NODELAY); -1 on an error that is known at once. */
int net_connect(const net_addr *a, error *e);

/* A port of the range that the kernel gives to callers can be connected to by itself (TCP's
 * simultaneous open): that is nobody listening. */
bool net_is_own_reflection(int fd);

/* Accepts on a loop until closed. */
typedef struct net_acceptor net_acceptor;
typedef void (*net_accept_fn)(void *ctx, int fd, const net_addr *peer);

/* Takes over listen_fd. fd given to on_accept is non-blocking, close-on-exec, TCP_NODELAY, and the
 * callee's. At descriptor exhaustion (EMFILE/ENFILE) accepting pauses for 100 ms and is logged. */
net_acceptor *net_acceptor_open(loop *l, int listen_fd, net_accept_fn on_accept, void *ctx,
                                error *e);
void net_acceptor_close(net_acceptor *a);

#endif
