/* Closing a connection whose peer may still be sending: closing at once would make the kernel
 * answer with a reset, which can cost the peer the response it was just sent (RFC 9112 §9.6). */
#ifndef PROXY_LINGER_H
#define PROXY_LINGER_H

#include "base/loop.h"

typedef struct linger_list linger_list;

linger_list *linger_open(loop *l);
void linger_close(linger_list *k); /* closes all at once */

/* Takes a copy of fd whose sending side was (or will be, by its owner) shut: what the peer sends is
 * read and thrown away until it closes, or too much or too long a time has gone by. */
void linger_add(linger_list *k, int fd);

#endif
