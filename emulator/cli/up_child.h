/* One supervised process: started, watched until it is ready, restarted with back-off when it dies,
 * stopped with all of its process group. Single-threaded, on one loop. */
#ifndef CLI_UP_CHILD_H
#define CLI_UP_CHILD_H

#include "base/loop.h"
#include "base/net.h"
#include "cli/log_sender.h"
#include "cli/up_env.h"
#include "cli/up_guard.h"
#include "cli/up_ports.h"

typedef struct child child;

typedef enum child_kind {
    CHILD_DAEMON,  /* ready when it writes to the descriptor of --ready-fd; logs by itself */
    CHILD_SERVICE, /* ready when it accepts on its address; its output is relayed */
    CHILD_COMMAND  /* the user's CMD: never restarted, has our stdin, stdout and stderr */
} child_kind;

typedef enum child_state {
    CHILD_IDLE,
    CHILD_STARTING,
    CHILD_READY,
    CHILD_BACKOFF,
    CHILD_STOPPING,
    CHILD_ENDED
} child_state;

/* What all children share; outlives them. */
typedef struct child_world {
    loop *loop;
    guard *guard;
    port_plan *ports;
    bool colour;      /* of relayed lines */
    int wait_for_fd;  /* see relay_options */
    log_sender *logs; /* where services' lines go besides; NULL: nowhere */
    /* Something changed: ready, gone, failed. Called from the loop. */
    void (*on_change)(void *ctx, child *c);
    void *ctx;
} child_world;

typedef struct child_spec {
    const char *name;
    child_kind kind;
    const char *file;        /* the program; NULL: argv[0], by PATH */
    const char *const *argv; /* copied, as is env; a daemon gets --ready-fd N at its end */
    const envlist *env;
    const char *address; /* a service's: where it will listen */
} child_spec;

child *child_new(child_world *w, const child_spec *spec);
void child_free(child *c); /* NULL is fine; the process must be gone */

const char *child_name(const child *c);
const char *child_address(const child *c); /* NULL for those that have none */
child_kind child_kind_of(const child *c);
child_state child_state_of(const child *c);
/* Deaths in a row before it was ready. */
unsigned child_failed_starts(const child *c);
/* The last wait status; meaningful once it has ended or failed. */
int child_wait_status(const child *c);
/* It could not even be executed, the last time. */
bool child_exec_failed(const child *c);

/* Whether it was made from an equal spec. */
bool child_same(const child *c, const child_spec *spec);

/* Starts it; a failure to do so counts as a death (on_change, then back-off). */
void child_start(child *c);

/* SIGTERM to its group, SIGKILL 800 ms later; CHILD_ENDED when nothing of it is left. */
void child_stop(child *c);
/* The same, but with another signal than SIGTERM. */
void child_stop_by(child *c, int signo);

/* SIGHUP now, or as soon as it is ready; nothing when it does not run. */
void child_reload(child *c);

/* The process with this id has ended (and was not reaped yet). false: not this child's. */
bool child_reap(child *c, pid_t pid);
/* After reaping: has the rest of its group gone? */
void child_check_group(child *c);

#endif
