/* The inside of a supervisor, for the two files that make it up. */
#ifndef CLI_UP_SUPERVISOR_IMPL_H
#define CLI_UP_SUPERVISOR_IMPL_H

#include "cli/up_child.h"
#include "cli/up_supervisor.h"

/* One name's place. A changed service's next life waits until the former has ended. */
typedef struct slot {
    child *now, *next;
    bool wanted; /* by the topology that is being applied */
    bool made;   /* by an API: when it cannot start, everything else does all the same */
} slot;

struct supervisor {
    child_world world;
    supervisor_options options;
    up_topology *topology;
    envlist base_env;
    char *own_path;
    slot *slots;
    size_t count, cap;
    child *command;
    bool announced, stopping;
    int exit_status;
    int64_t started_us;
    loop_timer reminder, deadline, sweeper;
};

#endif
