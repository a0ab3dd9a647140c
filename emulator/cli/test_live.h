/* A suite's cases as real requests to a gateway. */
#ifndef CLI_TEST_LIVE_H
#define CLI_TEST_LIVE_H

#include "expect/suite.h"

/* Sends every case that can be sent to the gateway with this control listener (HOST:PORT), and
 * compares the status that comes back and the reason that the gateway noted for it. The rest is
 * skipped with the reason. keys: the folder of signing keys; NULL: the topology's. false and *e:
 * the gateway cannot be asked at all. */
bool test_live(suite *s, const char *control, const char *keys, error *e);

#endif
