/* A tiny process that outlives `invoker up`: when up is killed without a chance to clean up, it
 * stops the process groups that up had started and removes up's temporary folder. */
#ifndef CLI_UP_GUARD_H
#define CLI_UP_GUARD_H

#include <sys/types.h>

#include "base/error.h"

typedef struct guard guard;

/* Forks: call while there is little memory and no descriptor that must not be shared. dir is a
 * folder of plain files. */
guard *guard_start(const char *dir, error *e);
void guard_add(guard *g, pid_t group);
void guard_remove(guard *g, pid_t group);
pid_t guard_pid(const guard *g);

/* Removes the folder and the plain files in it. */
void guard_remove_dir(const char *dir);

/* All is stopped: the guard ends without doing anything. NULL is fine. */
void guard_stop(guard *g);

#endif
