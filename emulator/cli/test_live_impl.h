/* What the parts of test_live.c share. */
#ifndef CLI_TEST_LIVE_IMPL_H
#define CLI_TEST_LIVE_IMPL_H

#include <jansson.h>

#include "cli/http_call.h"
#include "cli/live_token.h"
#include "cli/test_live.h"

enum { SHOT_TRACE_LEN = 32 };

/* One request on its way. */
typedef struct shot {
    const test_case *c;
    outcome *o;
    hypothesis h;
    char trace[SHOT_TRACE_LEN + 1]; /* by which the gateway's decision is found */
    buf request;
    http_call call;
    bool sent;
    json_t *decided; /* the gateway's decision; NULL: not there yet; owned */
} shot;

typedef struct live_run {
    suite *s;
    snapshot *file; /* the topology with the file's own addresses */
    const char *control;
    live_tokens tokens;
    uint64_t nonce; /* makes this run's traces its own */
    int64_t now_us;
} live_run;

/* test_request.c: prepares *out for a case; false: *o says why it is skipped. */
bool shot_prepare(live_run *l, const test_case *c, outcome *o, uint64_t number, shot *out);
void shot_free(shot *s);

/* test_judge.c: asks the gateway for its decisions on all that were sent, until they are there. */
bool shots_find_decisions(const live_run *l, shot *shots, size_t n, error *e);
/* What became of one that was sent. */
void shot_settle(const live_run *l, shot *s);

#endif
