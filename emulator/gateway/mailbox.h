/* Messages to one loop's thread from any other: the only place where the threads of the gateway
 * meet. For configuration and questions, never for requests. */
#ifndef GATEWAY_MAILBOX_H
#define GATEWAY_MAILBOX_H

#include "base/loop.h"

typedef struct mailbox mailbox;

/* Takes the loop's wake-up for itself. */
mailbox *mailbox_new(loop *l);

/* Delivers what is left, then frees. On the loop's thread, or when that does not run any more; the
 * loop must still be there. */
void mailbox_free(mailbox *m); /* NULL is fine */

/* fn(ctx, arg) runs on the loop's thread soon; messages of one sender keep their order. */
void mailbox_post(mailbox *m, void (*fn)(void *ctx, void *arg), void *ctx, void *arg);

#endif
