/* A process that stands in for every service's container: it answers anything with 200. */
#ifndef CLI_TEST_STANDIN_H
#define CLI_TEST_STANDIN_H

#include <sys/types.h>

#include "base/error.h"

typedef struct standin {
    pid_t pid;
    char *address; /* IP:PORT */
} standin;

/* Returns when it listens. It ends with this process at the latest. */
bool standin_start(standin *out, error *e);
void standin_stop(standin *s); /* of a zeroed one: nothing */

#endif
