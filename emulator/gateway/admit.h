/* Where token, policy and proxy meet: each request is routed, judged and then answered or
 * forwarded. One per worker, touched by its thread only. */
#ifndef GATEWAY_ADMIT_H
#define GATEWAY_ADMIT_H

#include <stdatomic.h>

#include "base/clock.h"
#include "gateway/egress.h"
#include "gateway/recent.h"
#include "gateway/record_queue.h"
#include "gateway/request_log.h"
#include "gateway/tally.h"
#include "proxy/exchange.h"

/* What is counted of requests, and what the status calls it. */
#define ADMIT_COUNTERS(X)                                                                          \
    X(requests, "total")                                                                           \
    X(allowed, "allowed")                                                                          \
    X(refused, "refused")                                                                          \
    X(failed, "failed")                                                                            \
    X(audited, "audited") /* forwarded, though they would be refused */                            \
    X(malformed, "malformed")

/* Written by the worker, read by anybody. */
typedef struct admit_counters {
#define X(id, name) atomic_ullong id;
    ADMIT_COUNTERS(X)
#undef X
} admit_counters;

typedef struct admit_options {
    loop *loop;
    clock_source clock;
    request_log *log;
    recent *recent;
    record_queue *records; /* NULL: nothing is recorded */
    tally *tally;
    admit_counters *counters;
    int64_t start_wait_us; /* how long a request waits for a service's command to listen */
    bool decision_header;  /* answers have X-Invoker-Decision, whatever the topology says */
    egress *egress;        /* outlives the judge; NULL: the shared ingress is no proxy */
    /* A token names a key that is not known (or none is known): fetch them. A later view says what
     * came of it. */
    void (*want_keys)(void *ctx);
    void *ctx;
} admit_options;

enum {
    ADMIT_WAIT_KEYS_US = 1000 * 1000,     /* a request waits at most this long for keys */
    ADMIT_ASK_KEYS_EACH_US = 3000 * 1000, /* unknown kids within this time cause no new fetch */
    ADMIT_WAITING_MAX = 1024              /* more get 429 */
};

typedef struct admit admit;

/* first: taken over by count. */
admit *admit_new(const admit_options *o, view *first);
/* Every exchange must be done. */
void admit_free(admit *a); /* NULL is fine */

/* Tags of exchanges must be doors. */
exchange_handler admit_handler(admit *a);

/* From the next request on; also judges what waited for keys. Takes over the count. */
void admit_take_view(admit *a, view *v);

/* Forgets all that is recorded of requests, and of those that are under way what is to come of
 * them: only the log and the record are told how they end. */
void admit_reset(admit *a);

#endif
