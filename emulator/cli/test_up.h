/* An emulator of its own for `invoker test --live`: free ports, no services, gone afterwards. */
#ifndef CLI_TEST_UP_H
#define CLI_TEST_UP_H

#include <sys/types.h>

#include "base/error.h"

typedef struct test_up {
    pid_t pid;
    char *control; /* HOST:PORT of its control listener */
} test_up;

/* Returns when it answers. false and *e, with the last words of its log. keys: the folder of
 * signing keys; NULL: the topology's. */
bool test_up_start(const char *topology, const char *keys, test_up *out, error *e);
/* Ends it and waits until it is gone. */
void test_up_stop(test_up *u);

#endif
