/* The inside of a child, for the two files that make it up. */
#ifndef CLI_UP_CHILD_IMPL_H
#define CLI_UP_CHILD_IMPL_H

#include <sys/types.h>

#include "cli/up_child.h"
#include "cli/up_probe.h"
#include "cli/up_relay.h"

struct child {
    child_world *world;
    char *name;
    child_kind kind;
    char *file;
    char **argv;
    size_t argc;
    envlist env;
    char *address;

    child_state state;
    pid_t pid;              /* 0: reaped or never started */
    pid_t group;            /* 0: none, or nothing is left of it */
    unsigned failures;      /* deaths in a row, for the back-off */
    unsigned failed_starts; /* of these, before it was ready */
    int wait_status;
    bool exec_failed, reload_pending;
    int64_t started_us;

    relay *output, *errors; /* a service's stdout and stderr */
    probe *probe;
    loop_watch ready; /* a daemon's pipe */
    loop_timer again, kill;
};

/* up_child_start.c: runs the program and watches until it is ready; its process id, or -1. */
pid_t child_spawn(child *c, error *e);
/* Stops watching for readiness. */
void child_unwatch(child *c);

#endif
