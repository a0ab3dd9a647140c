/* An emulator of its own for `invoker test --live`: free ports, one process that stands in for the
 * containers of all services, gone afterwards. */
#ifndef CLI_TEST_UP_H
#define CLI_TEST_UP_H

#include "cli/test_standin.h"
#include "policy/snapshot.h"

typedef struct test_up {
    pid_t pid;
    char *control; /* HOST:PORT of its control listener */
    standin standin;
} test_up;

/* Returns when it answers. false and *e, with the last words of its log. keys: the folder of
 * signing keys; NULL: the topology's. */
bool test_up_start(const snapshot *topology, const char *keys, test_up *out, error *e);
/* Ends it and waits until it is gone. */
void test_up_stop(test_up *u);

#endif
