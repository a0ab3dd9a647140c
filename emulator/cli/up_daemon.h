/* The command lines of the two daemons that `up` starts. */
#ifndef CLI_UP_DAEMON_H
#define CLI_UP_DAEMON_H

#include "cli/up_supervisor.h"

enum { DAEMON_ARGS_MAX = 48 };

typedef struct daemon_args {
    const char *argv[DAEMON_ARGS_MAX + 1]; /* NULL-terminated views */
    size_t count;
} daemon_args;

/* name: "metadata" or "gateway". */
daemon_args daemon_args_make(const char *name, const supervisor_options *o, const char *overlay);

#endif
