/* Signals as loop events (signalfd), so that no handler ever runs in the middle of anything. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/loop.h"

typedef struct signals signals;

/* Blocks the listed signals (0 ends the list) for the process and reports each on l by
 * on_signal(ctx, signo). Call before starting threads. SIGPIPE is ignored as a side effect. */
signals *signals_open(loop *l, const int *list, void (*on_signal)(void *ctx, int signo), void *ctx,
                      error *e);
void signals_close(signals *s);

/* Undoes the blocking in a forked child before exec. */
void signals_reset_in_child(void);

#endif
