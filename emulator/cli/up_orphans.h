/* Processes that lost their parent below this one. */
#ifndef CLI_UP_ORPHANS_H
#define CLI_UP_ORPHANS_H

#include <sys/types.h>

/* From now on descendants whose parent ends become this process' children, not init's. */
void orphans_adopt(void);

/* A dead child that was not reaped yet, or 0. */
pid_t orphans_next_dead(void);

/* Kills and reaps every child but one; those of theirs that turn up by it as well. */
void orphans_kill(pid_t except);

#endif
