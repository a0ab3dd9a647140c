/* One of CMD's output streams, passed on byte by byte to our own and line by line to the gateway.
 * CMD gets a pipe; while nobody reads ours, nothing is read from it, so that it is CMD that waits,
 * as if it wrote there itself. */
#ifndef CLI_RUN_TEE_H
#define CLI_RUN_TEE_H

#include "base/error.h"
#include "base/loop.h"
#include "cli/log_sender.h"

typedef struct run_tee run_tee;

/* to_fd: our own stream, which stays ours. channel: nullable. */
run_tee *run_tee_open(loop *l, int to_fd, log_channel *channel, error *e);

/* The end to give to CMD; stays the tee's. */
int run_tee_child_fd(const run_tee *t);

/* CMD has ended: passes on what is there already, waiting at most max_us for a reader that stalls.
 * NULL is fine. */
void run_tee_close(run_tee *t, int64_t max_us);

#endif
