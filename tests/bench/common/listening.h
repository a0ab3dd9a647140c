/* What the upstream programs share: a free port, printed, and a loop that runs until SIGTERM. */
#ifndef COMMON_LISTENING_H
#define COMMON_LISTENING_H

#include "base/net.h"

/* Prints the port, then calls on_accept(loop, fd, peer) for every connection; never returns. */
_Noreturn void listening_run(net_accept_fn on_accept);

#endif
