/* Waits until somebody accepts connections on an address. */
#ifndef CLI_UP_PROBE_H
#define CLI_UP_PROBE_H

#include "base/loop.h"

typedef struct probe probe;

/* Calls on_listening(ctx) once; the callee may close the probe. address: "HOST:PORT". */
probe *probe_open(loop *l, const char *address, void (*on_listening)(void *ctx), void *ctx);
void probe_close(probe *p); /* NULL is fine */

#endif
