/* Which test files there are, and the topologies that they are about. */
#ifndef CLI_TEST_FILES_H
#define CLI_TEST_FILES_H

#include "expect/suite.h"

typedef struct test_files_options {
    char *const *files; /* NULL-terminated; none: all *.test.yaml beside the topology */
    const char *config; /* the topology, whatever the files say; NULL: what they say */
} test_files_options;

typedef struct test_suites {
    suite **items;
    size_t count, cap;
} test_suites;

/* Reads all of them; files about the same topology make one suite. -1, else the exit status after
 * every problem was printed. */
int test_suites_load(const test_files_options *o, test_suites *out);
void test_suites_free(test_suites *s);

#endif
