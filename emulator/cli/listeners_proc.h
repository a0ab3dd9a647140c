/* Who listens on which TCP port of this machine, as far as /proc tells (Linux). */
#ifndef CLI_LISTENERS_PROC_H
#define CLI_LISTENERS_PROC_H

#include "base/net.h"

typedef struct listeners_proc listeners_proc;

typedef struct port_holder {
    bool listens;
    long pid; /* 0: another user's process, whose descriptors cannot be seen */
    unsigned uid;
    char command[64]; /* "nginx"; "" when pid is 0 */
} port_holder;

/* Reads /proc/net/tcp and tcp6 and, once, the descriptors of all processes that may be seen. */
listeners_proc *listeners_proc_read(void);
void listeners_proc_free(listeners_proc *l); /* NULL is fine */

/* Who would get a connection to the address. */
port_holder listeners_proc_find(const listeners_proc *l, const net_addr *a);

/* The command name of a process, "" when it cannot be read. */
void process_command(long pid, char out[64]);

#endif
