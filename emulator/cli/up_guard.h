/* A tiny process that outlives `invoker up`: when up is killed without a chance to clean up, it
 * stops the process groups that up had started and removes up's temporary folder. */
#ifndef CLI_UP_GUARD_H
#define CLI_UP_GUARD_H

#include <sys/types.h>

#include "base/error.h"

typedef struct guard guard;

/* A folder of one's own for what a run leaves nothing of: in $XDG_RUNTIME_DIR, $TMPDIR or /tmp.
 * Caller frees the path; NULL and *e. */
char *guard_make_dir(error *e);

/* Forks: call while there is little memory and no descriptor that must not be shared. */
guard *guard_start(const char *dir, error *e);
void guard_add(guard *g, pid_t group);
void guard_remove(guard *g, pid_t group);
pid_t guard_pid(const guard *g);

/* Removes the folder and what is in it; links are removed, not followed. */
void guard_remove_dir(const char *dir);

/* All is stopped: the guard ends without doing anything. NULL is fine. */
void guard_stop(guard *g);

#endif
