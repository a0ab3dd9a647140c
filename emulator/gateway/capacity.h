/* How many requests a service's instances have in hand, over all workers. One counter for each
 * service with a limit; the views of a process hand it on, so that a reload forgets none. */
#ifndef GATEWAY_CAPACITY_H
#define GATEWAY_CAPACITY_H

#include <stdbool.h>
#include <stdint.h>

typedef struct capacity capacity;

/* The caller holds one count. */
capacity *capacity_new(void);
capacity *capacity_ref(capacity *c);
void capacity_unref(capacity *c); /* NULL is fine; any thread */

/* One more, unless there are most already. What was taken counts on c, and has to be given back. */
bool capacity_take(capacity *c, uint32_t most);
void capacity_give(capacity *c);

#endif
