/* What real traffic needed of the grants: from recordings, and from what a running gateway counted.
 */
#ifndef CLI_TEST_TRAFFIC_H
#define CLI_TEST_TRAFFIC_H

#include "base/hash.h"
#include "expect/coverage.h"

typedef struct test_traffic {
    arena *mem;
    strmap *seen; /* "service\ncaller": each once */
    struct test_call {
        const char *service, *caller; /* caller NULL: the service was open to everybody */
    } * calls;
    size_t count, cap;
    const binding **needed; /* by test_traffic_needs, sorted */
    size_t needed_count;
} test_traffic;

void test_traffic_open(test_traffic *t);
void test_traffic_close(test_traffic *t);

/* Adds the calls that were allowed. false and *e: it cannot be read, or there are too many. */
bool test_traffic_read_recording(test_traffic *t, const char *path, error *e);
bool test_traffic_read_gateway(test_traffic *t, const char *control, error *e);

/* Which grants of s those calls go through now; valid until the next call and the end of t and s.
 */
usage test_traffic_needs(test_traffic *t, const snapshot *s, int64_t now_us);

#endif
